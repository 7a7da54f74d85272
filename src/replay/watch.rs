//! A second receiver of observations beside the recorder.

use crate::clock::Moment;
use crate::correlator::{Caller, Names, Observation, Observe};
use crate::metrics::Recorder;

/// Takes what a replay's correlator observes, and when by the capture's clock.
pub trait Watch {
    /// One observation, as [`Observe::observe`] has it.
    fn observed(&mut self, at: Moment, names: &Names, fact: Observation, of: Option<Caller<'_>>);

    /// From now on the PBX is disconnected: a session ended, or the PBX itself.  `at`: the last
    /// moment before.
    fn disconnected(&mut self, _at: Moment) {}

    /// It is synchronised again.
    fn synchronised(&mut self, _at: Moment) {}
}

/// No watcher.
impl Watch for () {
    fn observed(&mut self, _: Moment, _: &Names, _: Observation, _: Option<Caller<'_>>) {}
}

/// The recorder and the watcher.
pub(super) struct Both<'a, W> {
    pub(super) at: Moment,
    pub(super) recorder: &'a mut Recorder,
    pub(super) watch: &'a mut W,
}

impl<W: Watch> Observe for Both<'_, W> {
    fn observe(&mut self, names: &Names, fact: Observation, of: Option<Caller<'_>>) {
        self.recorder.observe(names, fact, of);
        self.watch.observed(self.at, names, fact, of);
    }
}
