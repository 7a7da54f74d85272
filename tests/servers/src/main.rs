//! The exporter beside the servers that people run.  One binary; `cargo test -p servers stack::` runs
//! one half.

mod asterisk;
mod sandbox;
mod stack;
