//! Asterisk's `queue_log`, line by line: what the PBX itself says of its queues.
//!
//! Pure but for the opening of files, and a stream: one line is held at a time, however long the log is.  It has
//! never heard of the manager interface or of metrics.
//!
//! - `line`: what a line says
//! - `lines`: lines of bounded length out of any stream
//! - `files`: one log in several files, rotated and gzipped

mod files;
mod line;
mod lines;

pub use files::{QueueLog, QueueLogError};
pub use line::{Line, Malformed, Verb};
pub use lines::{LINE_MAX, Lines, Numbered};
