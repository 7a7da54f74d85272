//! The link lost and found again, and lists that disagree with what events reported.
//!
//! What a gap hid ends as lost, once; what the lists show going on goes on, or is adopted.  A list
//! can be older than the events behind it and Asterisk itself lags, so what a list misses is only
//! doubted for two seconds.

mod beside;
mod channels;
mod entries;
mod members;
mod talks;

use super::Correlator;
use super::key::StayKey;
use super::observation::Observe;
use super::snapshot::Snapshot;
use super::stay::Phase;
use super::time::Stamp;
use crate::clock::Moment;

/// When a QueueStatus list was taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Taken {
    /// Behind a login: what differs was hidden, and is no drift.
    AtLogin,
    /// In mid-session: what differs is drift, but where an event came meanwhile.
    InSession,
}

impl Correlator {
    /// The link is gone: what happens from now on is hidden.
    pub fn disconnected(&mut self, now: Moment, out: &mut impl Observe) {
        self.give_up_listing();
        self.session = self.session.wrapping_add(1);
        self.forget_endpoints();
        self.set_synchronised(false, now, out);
        self.settle();
    }

    /// Which synchronised session it is; `None` while there is none.
    pub fn session(&self) -> Option<u32> {
        self.synchronised.then_some(self.session)
    }

    /// A whole snapshot, of channels and queues, taken behind a barrier after login.
    pub fn resync(&mut self, now: Moment, snapshot: &Snapshot, out: &mut impl Observe) {
        let at = Stamp { read: now, wire: None };
        self.listing.begin_session();
        self.synchronised_at = Some(now);
        self.session = self.session.wrapping_add(1);
        self.account.channels_listed = !snapshot.no_channels;
        self.members.begin_session();
        self.take_clock(now, snapshot);
        let past = self.recall_boots(at, snapshot, out);
        self.begin_unseen();
        self.set_synchronised(true, now, out);

        // Channels come first, since talks, entries and ring attempts are found by them; members
        // before talks, so that a talk is adopted with the member and not with the device.
        if !snapshot.no_channels {
            self.sync_channels(at, snapshot, out);
        }
        if !snapshot.no_queues {
            self.sync_members(at, snapshot, Taken::AtLogin, out);
        }
        // What was hidden and is over comes before what goes on.
        self.recall_boot(past, at, snapshot, out);
        self.resume(now);
        // Talks come before entries: a caller known to wait may be talking now, and would be missed
        // among the entries.
        if !snapshot.no_channels {
            self.sync_talks(at, snapshot, out);
        }
        if !snapshot.no_queues {
            self.sync_entries(at, snapshot, Taken::AtLogin, out);
        }
        // An attempt is one for a caller who waits, so the entries must be there.
        if !snapshot.no_channels {
            self.sync_rings(at, snapshot, out);
        }

        self.note_snapshot(now, snapshot);
        self.keep_within_limits(at, out);
        self.look_at_all_phones(now);
        self.follow_phones(now, out);
        self.end_unseen();
        self.settle();
    }

    /// A QueueStatus list begins in the middle of a session: from now on events are noted, as they
    /// know better.
    pub fn begin_listing(&mut self) {
        self.listing.begin();
    }

    /// That list will not come to its end: nothing needs to be noted for it any more.
    pub fn give_up_listing(&mut self) {
        self.listing.end();
    }

    /// That list has ended and a barrier has passed: mends drift, and reports it.
    pub fn reconcile(&mut self, now: Moment, snapshot: &Snapshot, out: &mut impl Observe) {
        let at = Stamp { read: now, wire: None };
        // What the list proves shows in the state that events alone have made.
        self.note_list(now, snapshot);
        self.take_clock(now, snapshot);
        self.begin_unseen();
        self.sync_members(at, snapshot, Taken::InSession, out);
        self.sync_entries(at, snapshot, Taken::InSession, out);
        self.keep_list(snapshot);
        self.listing.end();
        self.keep_within_limits(at, out);
        self.follow_phones(now, out);
        self.end_unseen();
        self.settle();
    }

    /// The PBX's own time beside ours, as an answer behind the lists shows it.
    const fn take_clock(&mut self, now: Moment, snapshot: &Snapshot) {
        if let Some(sent) = snapshot.sent {
            self.pbx_clock.answered(sent, now);
        }
    }

    fn set_synchronised(&mut self, synchronised: bool, now: Moment, out: &mut dyn Observe) {
        self.synchronised = synchronised;
        self.refresh_all_agents(now, out);
    }

    /// An event spoke of the stay: no list knows better.
    pub(super) fn note_touched(&mut self, key: StayKey) {
        let session = self.session;
        let stay = &mut self.stays[key];
        stay.doubted = false;
        if !matches!(stay.phase, Phase::Closed(_)) {
            stay.seen = Some(session);
        }
        self.listing.touch_stay(key);
    }
}
