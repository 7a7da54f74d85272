//! The wallboard: queues and agents now, and how the last half hour and the day went, in one page.
//!
//! The page is files of this program and asks for nothing else.  What it shows comes as server-sent
//! events: each second one cut of the numbers, written once and sent to all viewers.  Without a viewer
//! nothing is done.
//!
//! - `feed`: the cut of each second; `json`: what is written of it; `limits`: when a light changes
//! - `events`: the stream of one viewer; `frame`: what it takes; `assets`: the files of the page

mod assets;
mod events;
mod feed;
mod frame;
mod json;
mod limits;

pub(super) use assets::{Asset, CONTENT_SECURITY_POLICY};
pub(super) use events::{Events, Viewer};
pub use feed::Wallboard;

/// The page; its other paths are below it.
const PAGE: &str = "/wallboard";
/// The stream.
pub(super) const EVENTS: &str = "/wallboard/events";
