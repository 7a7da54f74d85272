//! The lists a session asks for, and the barrier behind them.

use super::answer::Answer;
use crate::ami::frame::Frame;
use crate::ami::id::{ActionId, BARRIER};
use crate::correlator::Snapshot;
use crate::event::Listed;

/// Lists that were asked for together: they are taken together, or not at all.
#[derive(Debug)]
pub(super) struct Lists {
    lists: Vec<List>,
    snapshot: Snapshot,
    /// Bytes of their items.
    size: usize,
    /// Answers to the two Pings of the barrier.
    pongs: u8,
}

/// A list that the PBX refused to give.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// The action that asks for it.
    pub action: &'static str,
    /// Why, in the PBX's words.
    pub message: String,
}

#[derive(Debug)]
struct List {
    action: &'static str,
    /// The event behind its last item.
    done: &'static str,
    stage: Stage,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Stage {
    /// No answer has come yet.
    Asked,
    /// Granted: items with that id belong to it.
    Open(ActionId),
    /// All items are there.
    Complete,
    /// The PBX does not give it, in its words.
    Refused(String),
}

impl Lists {
    /// What a session asks for after its login.
    pub(super) fn of_login() -> Self {
        Self::new(vec![
            List::new(CHANNELS, "CoreShowChannelsComplete"),
            List::new(QUEUES, "QueueStatusComplete"),
        ])
    }

    /// What a session asks for from time to time.
    pub(super) fn of_queues() -> Self {
        Self::new(vec![List::new(QUEUES, "QueueStatusComplete")])
    }

    fn new(lists: Vec<List>) -> Self {
        Self { lists, snapshot: Snapshot::default(), size: 0, pongs: 0 }
    }

    /// Takes an answer, which may grant or refuse one of them.
    pub(super) fn answer(&mut self, answer: &Answer) {
        let asked = self
            .lists
            .iter_mut()
            .find(|list| list.stage == Stage::Asked && list.action == answer.id().word());
        if let Some(list) = asked {
            list.stage = if answer.is_accepted() {
                Stage::Open(answer.id().clone())
            } else {
                Stage::Refused(answer.message())
            };
        }
    }

    /// Takes an answer that may be the barrier's; reports whether the barrier has passed.
    pub(super) fn is_behind(&mut self, answer: &Answer) -> bool {
        if answer.id().word() == BARRIER {
            self.pongs += 1;
        }
        self.pongs >= 2
    }

    /// The PBX's time, as its latest answer to a Ping has it.
    pub(super) const fn dated(&mut self, answer: &Answer) {
        if let Some(stamped) = answer.stamped() {
            self.snapshot.dated(stamped);
        }
    }

    /// Whether an item with that ActionID belongs to one of them.
    pub(super) fn own(&self, id: &[u8]) -> bool {
        self.lists.iter().any(|list| matches!(&list.stage, Stage::Open(own) if own.is(id)))
    }

    /// Takes an item.
    pub(super) fn add(&mut self, item: &Listed<'_>, frame: &Frame<'_>) {
        self.snapshot.add(item);
        self.size += size(frame);
    }

    /// Takes an event that may end one of them.
    pub(super) fn event(&mut self, frame: &Frame<'_>) {
        for list in &mut self.lists {
            if let Stage::Open(id) = &list.stage
                && frame.is_event(list.done)
                && id.marks(frame)
            {
                list.stage = Stage::Complete;
            }
        }
    }

    /// Bytes of the items so far.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// What they hold, and which of them were refused: a session goes on without those.
    ///
    /// # Errors
    /// One of them has no end, and is named: half a list looks like calls that ended.
    pub(super) fn finish(mut self) -> Result<(Snapshot, Vec<Refused>), &'static str> {
        let mut refused = Vec::new();
        for List { action, stage, .. } in self.lists {
            match stage {
                Stage::Complete => continue,
                Stage::Asked | Stage::Open(_) => return Err(action),
                Stage::Refused(message) => refused.push(Refused { action, message }),
            }
            match action {
                CHANNELS => self.snapshot.without_channels(),
                _ => self.snapshot.without_queues(),
            }
        }
        Ok((self.snapshot, refused))
    }
}

impl Refused {
    /// Whether it is the list of queues.
    pub fn is_of_queues(&self) -> bool {
        self.action == QUEUES
    }
}

impl List {
    const fn new(action: &'static str, done: &'static str) -> Self {
        Self { action, done, stage: Stage::Asked }
    }
}

/// Bytes a frame takes, line ends included.
fn size(frame: &Frame<'_>) -> usize {
    frame.headers().map(|(key, value)| key.len() + value.len() + 4).sum::<usize>()
        + frame.name.len()
        + 11
}

/// The action that lists channels.
const CHANNELS: &str = "CoreShowChannels";
/// The action that lists queues, members and waiting callers.
pub(super) const QUEUES: &str = "QueueStatus";
