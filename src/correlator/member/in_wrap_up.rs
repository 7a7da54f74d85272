//! A member's wrap-up: from when until when, and how much of it is reported.

use std::time::Duration;

use crate::clock::Moment;

/// A member is in wrap-up.
#[derive(Clone, Copy, Debug)]
pub(super) struct InWrapUp {
    /// When the call ended.
    from: Moment,
    until: Moment,
    /// Up to where its time is reported; only the queue of the call counts it.
    reported: Option<Moment>,
}

impl InWrapUp {
    pub(super) fn new(from: Moment, length: Duration, counts: bool) -> Self {
        Self { from, until: from.after(length), reported: counts.then_some(from) }
    }

    pub(super) const fn from(&self) -> Moment {
        self.from
    }

    pub(super) const fn until(&self) -> Moment {
        self.until
    }

    /// The time that is not reported yet, if there is any and the queue counts it.
    pub(super) fn take_unreported(&mut self, now: Moment) -> Option<Duration> {
        let reported = self.reported.as_mut()?;
        let upto = now.min(self.until);
        if upto <= *reported {
            return None;
        }
        let spent = upto.since(*reported);
        *reported = upto;
        Some(spent)
    }
}
