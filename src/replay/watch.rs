//! Somebody beside the recorder, who sees what it sees and when.

use crate::clock::Moment;
use crate::correlator::{Caller, Names, Observation, Observe};
use crate::metrics::Recorder;

/// Takes what a replay's correlator saw, and when by the recording's clock.
pub trait Watch {
    /// One fact, as [`Observe::observe`] has it.
    fn saw(&mut self, at: Moment, names: &Names, seen: Observation, of: Option<Caller<'_>>);

    /// From now on the PBX is out of sight: a session ended, or the PBX itself.  `at`: what was
    /// seen last.
    fn blind(&mut self, _at: Moment) {}

    /// It is in sight again, and synchronised.
    fn sighted(&mut self, _at: Moment) {}
}

/// Nobody.
impl Watch for () {
    fn saw(&mut self, _: Moment, _: &Names, _: Observation, _: Option<Caller<'_>>) {}
}

/// The recorder and who watches.
pub(super) struct Both<'a, W> {
    pub(super) at: Moment,
    pub(super) recorder: &'a mut Recorder,
    pub(super) watch: &'a mut W,
}

impl<W: Watch> Observe for Both<'_, W> {
    fn observe(&mut self, names: &Names, seen: Observation, of: Option<Caller<'_>>) {
        self.recorder.observe(names, seen, of);
        self.watch.saw(self.at, names, seen, of);
    }
}
