//! Bytes to frames.
//!
//! A frame is a run of `Key: value` lines that ends with a blank line; its first line is what it
//! is.  [`Decoder`] finds where frames begin and end in a stream, [`Frame`] reads the headers of
//! one.

mod decoder;
mod lines;
mod message;

pub use decoder::{BANNER, Decoder, Item, Limits, Rejection};
pub use lines::{Line, Lines, Span};
pub use message::{Frame, Kind, put, quoted};
