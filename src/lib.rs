//! Exact Prometheus metrics of an Asterisk PBX.  (crate doc: being written)
pub mod ami;
pub mod clock;
pub mod config;
pub mod correlator;
pub mod demo;
pub mod event;
pub mod health;
pub mod http;
pub mod manager_conf;
pub mod metrics;
pub mod replay;
