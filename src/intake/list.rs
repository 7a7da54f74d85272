//! One list that was asked for: whether it was granted and whether it has ended.

use crate::ami::frame::{Frame, quoted};
use crate::ami::id::ActionId;

/// A list on its way.
#[derive(Debug)]
pub struct List {
    id: ActionId,
    done: &'static str,
    stage: Stage,
}

/// How far a list has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stage {
    /// More items may come.
    Open,
    /// All items are there.
    Complete,
    /// The PBX does not give it, in its words.
    Refused(String),
}

impl List {
    /// What QueueStatus with that id will bring.
    pub const fn of_queues(id: ActionId) -> Self {
        Self { id, done: "QueueStatusComplete", stage: Stage::Open }
    }

    /// What CoreShowChannels with that id will bring.
    pub const fn of_channels(id: ActionId) -> Self {
        Self { id, done: "CoreShowChannelsComplete", stage: Stage::Open }
    }

    /// Whether an item or an answer with that ActionID belongs to this list.
    pub fn owns(&self, id: &[u8]) -> bool {
        self.stage == Stage::Open && self.id.is(id)
    }

    /// Takes note of a response.
    pub fn response(&mut self, frame: &Frame<'_>) {
        if self.stage == Stage::Open && self.id.marks(frame) && !frame.is_accepted() {
            self.stage = Stage::Refused(quoted(frame.header("Message").unwrap_or_default()));
        }
    }

    /// Takes note of an event that may end this list.
    pub fn event(&mut self, frame: &Frame<'_>) {
        if self.stage == Stage::Open && frame.is_event(self.done) && self.id.marks(frame) {
            self.stage = Stage::Complete;
        }
    }

    /// How far it has come.
    pub const fn stage(&self) -> &Stage {
        &self.stage
    }
}

/// Bytes a frame takes, line ends included.
pub fn size(frame: &Frame<'_>) -> usize {
    frame.headers().map(|(key, value)| key.len() + value.len() + 4).sum::<usize>()
        + frame.name.len()
        + 11
}

/// The most that is kept of lists and of what comes while they do: 10,000 channels and 1,000 queues
/// are 10 MiB.
pub const KEPT: usize = 64 << 20;
