//! Exact Prometheus metrics of an Asterisk PBX.  (crate doc: being written)
pub mod ami;
pub mod clock;
pub mod correlator;
pub mod event;
pub mod health;
pub mod http;
pub mod metrics;
