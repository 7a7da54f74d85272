//! One queue under audit, with its calls.

use std::collections::HashMap;

use super::counted::Counted;
use super::logged::Logged;

/// One queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) name: Box<str>,
    /// The PBX has it: the scrape or the capture names it.
    pub(super) known: bool,
    /// Lines that name it.
    pub(super) lines: u64,
    /// What belongs to no call that is kept by itself.
    pub(super) whole: Sides,
    pub(super) calls: HashMap<Box<[u8]>, Box<Sides>>,
}

/// Both sides of a queue or a call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sides {
    pub(super) logged: Logged,
    pub(super) counted: Counted,
}

impl Queue {
    /// Where a line of `call` is added up: for the call if it is known or `room` is left for one
    /// more, else for the whole queue; without `room` always for the queue.
    pub(super) fn logged(&mut self, call: &[u8], room: Option<&mut usize>) -> &mut Logged {
        let Some(room) = room else { return &mut self.whole.logged };
        if !self.calls.contains_key(call) {
            if *room == 0 {
                return &mut self.whole.logged;
            }
            *room -= 1;
        }
        &mut self.ensure_call(call).logged
    }

    /// A call, new if it is not known.
    pub(super) fn ensure_call(&mut self, call: &[u8]) -> &mut Sides {
        // Most calls are known already, and looking one up needs no copy of its id.
        if !self.calls.contains_key(call) {
            self.calls.insert(call.into(), Box::default());
        }
        self.calls.get_mut(call).expect("it was put there just now")
    }
}
