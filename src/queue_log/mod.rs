//! Asterisk's `queue_log`, line by line: the PBX's own record of its queues.
//!
//! Pure but for the opening of files, and a stream: one line is held at a time, however long the
//! log is.  It knows neither the manager interface nor metrics.
//!
//! - `line`: a line as a typed event
//! - `entry`: a line as fields, in a file
//! - `table`: the same in an export of a database's table
//! - `when`, `zone`: when it was written, and the zone of local times
//! - `field`, `malformed`: single fields, and why a line cannot be read
//! - `packed`: the content of a compressed file
//! - `files`: one log in several files
//! - `since`: the end of a log that is being written

mod entry;
mod field;
mod files;
mod line;
mod lines;
mod malformed;
mod packed;
mod since;
mod table;
mod when;
mod zone;

pub use files::{QueueLog, QueueLogError};
pub use line::{Line, Verb};
pub use malformed::Malformed;
pub use since::{SinceError, read_since};
