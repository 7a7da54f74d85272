//! A cut as it is sent.

use std::sync::Arc;

use hyper::body::Bytes;

/// The latest cut.
#[derive(Clone, Debug)]
pub(super) enum Latest {
    /// Nobody looked, so there is none.
    None,
    Frame(Arc<Frame>),
    /// The exporter stops.
    Over,
}

/// One cut as events.
#[derive(Debug)]
pub(super) struct Frame {
    /// Frames are numbered from 1.
    pub(super) number: u64,
    /// What changes with the quarter of an hour only.
    pub(super) background: Arc<Background>,
    /// The rest.
    pub(super) board: Bytes,
    /// What of the rest differs from the frame before, if it can be said.
    pub(super) change: Option<Bytes>,
}

/// What a viewer needs once, and again when it has changed.
#[derive(Debug)]
pub(super) struct Background {
    /// The quarter that goes on.
    pub(super) quarter: u64,
    pub(super) event: Bytes,
}
