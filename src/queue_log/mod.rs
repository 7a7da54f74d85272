//! Asterisk's `queue_log`, line by line: what the PBX itself says of its queues.
//!
//! Pure but for the opening of files, and a stream: one line is held at a time, however long the
//! log is.  It has never heard of the manager interface or of metrics.
//!
//! - `line`: what a line says
//! - `entry`: which of its fields is what, in a file
//! - `table`: the same in an export of a database's table
//! - `when`, `zone`: when it was written, and where the PBX is if only its local time is told
//! - `lines`: lines of bounded length out of any stream
//! - `packed`: what a compressed file holds
//! - `files`: one log in several files

mod entry;
mod files;
mod line;
mod lines;
mod packed;
mod table;
mod when;
mod zone;

pub use files::{QueueLog, QueueLogError};
pub use line::{Line, Malformed, Verb};
pub use lines::LINE_MAX;
