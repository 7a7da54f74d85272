//! Asterisk's manager interface: bytes to frames, actions to bytes, and the one socket.

pub mod action;
pub mod connection;
pub mod frame;
pub mod id;
