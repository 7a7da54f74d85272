//! Which other events an event implies, and so which are missing.
//!
//! Each rule names an event that Asterisk always sends before another or behind it, on every
//! version from 12 to 23 (`app_queue.c`, `app_dial.c`, `bridge_channel.c`).  What only usually
//! comes is no rule: QueueUpdate() raises Completed without an event, a queue that AGI runs has no
//! Newexten, and nobody need ever press hold.

use std::time::Duration;

use super::{Missing, MissingSet};
use crate::correlator::Correlator;
use crate::correlator::dial::DialStatus;
use crate::correlator::key::ChannelKey;
use crate::correlator::stay::{Phase, Stay};
use crate::correlator::time::Stamp;
use crate::event::{self, Kind, MemberChange};

impl Correlator {
    /// Takes note of what an event implies, before it changes anything: the rules go by the state
    /// that the events before it have made.
    pub(in crate::correlator) fn note_evidence(&mut self, at: Stamp, kind: &Kind<'_>) {
        self.evidence.read(at.read);
        // What comes is noted before what it implies: an event implies none that it is itself.
        if at.wire.is_some() {
            self.evidence.came(Missing::Timestamps);
        }
        if let Some(what) = what_comes(kind) {
            self.evidence.came(what);
        }

        let mut suspects = MissingSet::default();
        self.suspect_by(at, kind, &mut suspects);
        if self.evidence.lacks(Missing::Timestamps) && at.wire.is_none() && has_time_stamp(kind) {
            suspects.insert(Missing::Timestamps);
        }
        if !suspects.is_empty() {
            self.evidence.suspect(suspects, at.read);
        }
    }

    /// What this event implies.  Nothing has to be looked up for what came already: it is never
    /// suspected.
    fn suspect_by(&self, at: Stamp, kind: &Kind<'_>, suspects: &mut MissingSet) {
        match kind {
            Kind::CallerJoin(join) => self.suspect_by_join(at, &join.caller, suspects),
            Kind::CallerLeave(leave) => {
                self.suspect_by_caller(at, &leave.caller, suspects);
                // VarSet QUEUEPOSITION follows; with `channelvars` the Leave itself has what VarSet
                // would report.
                if leave.caller.queue_status.is_none() {
                    suspects.insert(Missing::VarSet);
                }
            }
            Kind::CallerAbandon(abandon) => {
                self.suspect_by_caller(at, &abandon.caller, suspects);
                suspects.insert(Missing::QueueCallerLeave);
            }
            Kind::VarSet(set) => suspect_by_variable(set, suspects),
            Kind::AgentCalled(call) => {
                self.suspect_by_caller(at, &call.caller, suspects);
                self.suspect_by_called(at, &call.leg, suspects);
                suspects.insert(Missing::DialBegin);
            }
            Kind::AgentConnect(connect) => self.suspect_by_connect(at, &connect.call, suspects),
            Kind::RingNoAnswer(missed) => {
                self.suspect_by_leg(at, &missed.call, suspects);
                suspects.insert(Missing::Hangup);
            }
            Kind::AgentComplete(complete) => self.suspect_by_complete(complete, suspects),
            Kind::DialBegin(dial) => self.suspect_by_called(at, &dial.dest, suspects),
            Kind::DialEnd(end) => self.suspect_by_dial_end(end, suspects),
            Kind::NewExten(step) if matches!(step.application, b"AppDial" | b"AppQueue") => {
                self.suspect_by_called(at, &step.channel, suspects);
            }
            Kind::NewExten(step) => self.suspect_by_channel(&step.channel, suspects),
            Kind::Hangup(hangup) => self.suspect_by_channel(&hangup.channel, suspects),
            Kind::BridgeEnter(enter) => self.suspect_by_channel(&enter.channel, suspects),
            Kind::NewChannel(_)
            | Kind::HangupRequest(_)
            | Kind::Voice(_)
            | Kind::BridgeLeave(_)
            | Kind::LocalBridge(_)
            | Kind::Hold(_)
            | Kind::Unhold(_)
            | Kind::BlindTransfer(_)
            | Kind::AttendedTransfer(_)
            | Kind::OriginateResponse(_)
            | Kind::AgentDump(_)
            | Kind::DeviceState
            | Kind::Member(_)
            | Kind::Hint(_)
            | Kind::RecordingStart(_)
            | Kind::RecordingStop(_)
            | Kind::RecordingEnd(_)
            | Kind::FullyBooted { .. }
            | Kind::Shutdown
            | Kind::Registry(_)
            | Kind::PeerStatus(_)
            | Kind::ContactStatus(_)
            | Kind::Listed { .. } => {}
        }
    }

    /// A channel that neither the snapshot nor a Newchannel has reported.
    fn suspect_by_channel(&self, channel: &event::Channel<'_>, suspects: &mut MissingSet) {
        if self.evidence.channels_listed() && self.is_unknown(channel) {
            suspects.insert(Missing::Newchannel);
        }
    }

    /// The same for a caller; where channels were not listed, one who comes so late that the
    /// channel is younger than the session.
    fn suspect_by_join(&self, at: Stamp, caller: &event::Channel<'_>, suspects: &mut MissingSet) {
        let listed =
            self.evidence.channels_listed() || self.evidence.age(at.read) >= BEFORE_A_QUEUE;
        if listed && self.is_unknown(caller) {
            suspects.insert(Missing::Newchannel);
        }
    }

    /// A leg that is being called was created a moment ago; half a Local channel, with its other
    /// half.
    fn suspect_by_called(&self, at: Stamp, leg: &event::Channel<'_>, suspects: &mut MissingSet) {
        let listed = self.evidence.channels_listed() || self.evidence.age(at.read) >= A_MOMENT;
        if listed && self.is_unknown(leg) {
            suspects.insert(Missing::Newchannel);
        }
        if leg.name.starts_with(b"Local/") {
            suspects.insert(Missing::LocalBridge);
        }
    }

    fn is_unknown(&self, channel: &event::Channel<'_>) -> bool {
        self.evidence.lacks(Missing::Newchannel)
            && !channel.uid.is_empty()
            && self.channels.find(channel.uid).is_none()
    }

    /// A caller whose channel is of this session joined in it.
    fn suspect_by_caller(&self, at: Stamp, caller: &event::Channel<'_>, suspects: &mut MissingSet) {
        if !self.evidence.lacks(Missing::QueueCallerJoin) {
            return;
        }
        let Some(key) = self.channels.find(caller.uid) else { return };
        if self.channels.all[key].as_caller.stays.is_empty() && self.is_born(key, at) {
            suspects.insert(Missing::QueueCallerJoin);
        }
    }

    /// Whether the Newchannel of a channel came in this session.
    fn is_born(&self, key: ChannelKey, at: Stamp) -> bool {
        let life = &self.channels.all[key].life;
        life.is_born && at.read.since(life.since) < self.evidence.age(at.read)
    }

    /// Leave comes before AgentConnect, and both enter a bridge behind it.
    fn suspect_by_connect(
        &self,
        at: Stamp,
        call: &event::AgentCall<'_>,
        suspects: &mut MissingSet,
    ) {
        self.suspect_by_caller(at, &call.caller, suspects);
        self.suspect_by_leg(at, call, suspects);
        let is_waiting = |stay: &Stay| matches!(stay.phase, Phase::Waiting { .. });
        if self.evidence.lacks(Missing::QueueCallerLeave)
            && self.last_stay(&call.caller).is_some_and(is_waiting)
        {
            suspects.insert(Missing::QueueCallerLeave);
        }
        suspects.insert(Missing::BridgeEnter);
    }

    /// AgentCalled, DialEnd and what now came of a member's leg: always in this order.
    fn suspect_by_leg(&self, at: Stamp, call: &event::AgentCall<'_>, suspects: &mut MissingSet) {
        if !self.evidence.lacks(Missing::DialEnd) && !self.evidence.lacks(Missing::AgentCalled) {
            return;
        }
        let Some(leg) = self.channels.find(call.leg.uid) else { return };
        match self.find_ring(leg) {
            Some(ring) if self.rings[ring].has_begun() => suspects.insert(Missing::DialEnd),
            None if self.is_born(leg, at) => suspects.insert(Missing::AgentCalled),
            Some(_) | None => {}
        }
    }

    fn suspect_by_complete(&self, complete: &event::AgentComplete<'_>, suspects: &mut MissingSet) {
        suspects.insert(Missing::BridgeLeave);
        match complete.reason {
            b"caller" | b"agent" => suspects.insert(Missing::HangupRequest),
            b"transfer" => suspects.insert(Missing::Transfer),
            _ => {}
        }

        if !self.evidence.lacks(Missing::AgentConnect) {
            return;
        }
        // A caller may wait in the next queue already when the AgentComplete of the last one comes.
        let Some(caller) = complete.caller else { return };
        let awaited = || self.stays_of(&caller).filter_map(Stay::member).next();
        if self.last_stay(&caller).is_some_and(Stay::is_waiting) && awaited().is_none() {
            suspects.insert(Missing::AgentConnect);
        }
    }

    fn last_stay(&self, caller: &event::Channel<'_>) -> Option<&Stay> {
        self.stays_of(caller).next_back()
    }

    fn stays_of(&self, caller: &event::Channel<'_>) -> impl DoubleEndedIterator<Item = &Stay> {
        let caller = self.channels.find(caller.uid).map(|key| &self.channels.all[key]);
        caller
            .into_iter()
            .flat_map(|caller| &caller.as_caller.stays)
            .filter_map(|&stay| self.stays.get(stay))
    }

    /// A leg that was not answered hangs up; if a queue rang it until then, AgentRingNoAnswer says
    /// so.
    fn suspect_by_dial_end(&self, end: &event::DialEnd<'_>, suspects: &mut MissingSet) {
        let status = DialStatus::parse(end.status);
        if status == DialStatus::Answer || end.forwarded {
            return;
        }
        suspects.insert(Missing::Hangup);

        if !self.evidence.lacks(Missing::AgentRingNoAnswer) {
            return;
        }
        // Only the first DialEnd of a leg has an AgentRingNoAnswer: the cleanup sends another.
        let Some(leg) = self.channels.find(end.dest.uid) else { return };
        let first =
            self.channels.all[leg].dialled.as_ref().is_none_or(|dialled| dialled.status.is_none());
        let rings = self.find_ring(leg).is_some_and(|ring| self.rings[ring].is_ringing());
        if first
            && rings
            && matches!(status, DialStatus::NoAnswer | DialStatus::Busy | DialStatus::Congestion)
        {
            suspects.insert(Missing::AgentRingNoAnswer);
        }
    }

    /// A talk is over for five seconds, and no AgentComplete came.
    pub(in crate::correlator) fn suspect_complete(&mut self, at: Stamp) {
        self.evidence.suspect([Missing::AgentComplete].into_iter().collect(), at.read);
    }
}

/// QUEUEPOSITION is set as the caller leaves, TIMEOUT when the queue had sent an Abandon.
fn suspect_by_variable(set: &event::VarSet<'_>, suspects: &mut MissingSet) {
    match (set.variable, set.value) {
        (b"QUEUEPOSITION", _) => suspects.insert(Missing::QueueCallerLeave),
        (b"QUEUESTATUS", b"TIMEOUT") => suspects.insert(Missing::QueueCallerAbandon),
        _ => {}
    }
}

/// What an event shows to come.
const fn what_comes(kind: &Kind<'_>) -> Option<Missing> {
    Some(match kind {
        Kind::NewChannel(_) => Missing::Newchannel,
        Kind::Hangup(_) => Missing::Hangup,
        Kind::HangupRequest(_) => Missing::HangupRequest,
        Kind::DialBegin(_) => Missing::DialBegin,
        Kind::DialEnd(_) => Missing::DialEnd,
        Kind::BridgeEnter(_) => Missing::BridgeEnter,
        Kind::BridgeLeave(_) => Missing::BridgeLeave,
        Kind::LocalBridge(_) => Missing::LocalBridge,
        Kind::BlindTransfer(_) | Kind::AttendedTransfer(_) => Missing::Transfer,
        Kind::Hold(_) | Kind::Unhold(_) | Kind::OriginateResponse(_) => Missing::ClassCall,
        Kind::RecordingStart(_) | Kind::RecordingStop(_) | Kind::DeviceState => Missing::ClassCall,
        Kind::CallerJoin(_) => Missing::QueueCallerJoin,
        Kind::CallerLeave(_) => Missing::QueueCallerLeave,
        Kind::CallerAbandon(_) => Missing::QueueCallerAbandon,
        Kind::AgentCalled(_) => Missing::AgentCalled,
        Kind::AgentConnect(_) => Missing::AgentConnect,
        Kind::AgentComplete(_) => Missing::AgentComplete,
        Kind::AgentDump(_) => Missing::ClassAgent,
        Kind::RingNoAnswer(_) => Missing::AgentRingNoAnswer,
        Kind::Member(member) => match member.change {
            MemberChange::Present => Missing::QueueMemberStatus,
            MemberChange::Added => Missing::QueueMemberAdded,
            MemberChange::Pause => Missing::QueueMemberPause,
            MemberChange::Removed => Missing::QueueMemberRemoved,
        },
        Kind::NewExten(_) | Kind::Voice(_) => Missing::ClassDialplan,
        Kind::VarSet(_) => Missing::VarSet,
        Kind::FullyBooted { .. }
        | Kind::Shutdown
        | Kind::Registry(_)
        | Kind::PeerStatus(_)
        | Kind::ContactStatus(_) => Missing::ClassSystem,
        // A list brings hints, too, and the end of a recording is a test event of old versions.
        Kind::Hint(_) | Kind::RecordingEnd(_) | Kind::Listed { .. } => return None,
    })
}

/// Whether an event has a Timestamp where `timestampevents` is on: not what answers a login, nor
/// items of lists.  A hint may be an item of ExtensionStateList.
const fn has_time_stamp(kind: &Kind<'_>) -> bool {
    !matches!(
        kind,
        Kind::FullyBooted { .. } | Kind::OriginateResponse(_) | Kind::Listed { .. } | Kind::Hint(_)
    )
}

/// Longer than nearly every announcement and menu before a queue, and it takes three callers.
const BEFORE_A_QUEUE: Duration = Duration::from_secs(60);

/// What belongs together comes within milliseconds.
const A_MOMENT: Duration = Duration::from_secs(1);
