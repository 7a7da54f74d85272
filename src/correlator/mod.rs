//! The state machine: one PBX's events in, observations out.
//!
//! It takes the time and one event, and answers with observations.  It never waits, locks, logs or
//! reads a clock, and knows neither sockets nor Prometheus.  An impossible event is normal
//! input: it is noted as an anomaly, and things go on.  This file only dispatches; each subject has
//! a file of its own.

mod account;
mod agent_now;
mod arrival;
mod beyond;
mod boot;
mod busy;
mod call;
mod call_counts;
mod call_end;
mod call_result;
mod caseless;
mod cause;
mod channel;
mod channel_events;
mod channels;
mod completion;
mod deadline;
mod device;
mod dial;
mod endpoints;
mod few;
mod fifo;
mod hold;
mod key;
mod limits;
mod line;
mod listing;
mod live_devices;
mod logged;
mod loss;
mod member;
mod missing;
mod moved;
mod names;
mod observation;
mod origin;
mod originate;
mod outside;
mod owner;
mod pbx_clock;
mod queue;
mod recall;
mod recorded;
mod recording;
mod resync;
mod ring;
mod rules;
mod slab;
mod snapshot;
mod state;
mod stay;
mod swap;
mod table;
mod taken_out;
mod talk;
mod talk_events;
#[cfg(test)]
mod tests;
mod time;
mod transfer;
mod uid;
mod voice;

use hashbrown::HashSet;

use account::Account;
pub use agent_now::AgentNow;
pub use beyond::Beyond;
use boot::Boot;
use call::Call;
use call_counts::CallCounts;
pub use cause::Cause;
use channels::Channels;
pub use deadline::LATEST_END;
use deadline::{Deadlines, Task};
pub use device::device_of_channel;
use endpoints::Endpoints;
pub use endpoints::{EndpointList, Reachable};
use key::{CallKey, ChannelKey, Shortlist, StayKey};
use listing::Listing;
pub use logged::{Fact, Logged, Past};
use member::Members;
use missing::{Evidence, LastList};
pub use missing::{Missing, MissingSet};
use moved::Joining;
pub use names::{AgentId, Id, NameLimits, Names, OTHER, QueueId, ReasonId, TrunkId, readable};
pub use observation::*;
use originate::Originates;
pub use outside::FirstCalls;
use outside::Outside;
use pbx_clock::PbxClock;
use queue::Queues;
use recall::Recall;
use recording::Recordings;
use ring::Rings;
pub use rules::{Identity, Patterns, Rules, TrackedLimits, WrapUp};
pub use snapshot::Snapshot;
pub use state::{QueueState, State, Tracked};
use stay::Stay;
use table::Table;
use time::Stamp;
pub use time::Timing;
use voice::Voices;

use crate::clock::Moment;
use crate::event::{Event, Kind};
use crate::version::Version;

/// The correlator of one PBX.
#[derive(Debug)]
pub struct Correlator {
    rules: Rules,
    timing: Timing,
    names: Names,
    /// Asterisk's version, if known.
    version: Option<Version>,
    channels: Channels,
    joining: Joining,
    stays: Table<StayKey, Stay, stay::CountedAs>,
    stay_counts: stay::Counts,
    /// All stays, and some that are gone.
    stays_by_age: Shortlist<StayKey>,
    rings: Rings,
    calls: Table<CallKey, Call, call_counts::CountedAs>,
    call_counts: CallCounts,
    members: Members,
    queues: Queues,
    trunks: HashSet<TrunkId>,
    outside: Outside,
    originates: Originates,
    recordings: Recordings,
    voices: Voices,
    endpoints: Endpoints,
    deadlines: Deadlines,
    /// Which kinds of events come at all.
    account: Account,
    /// The PBX sends MixMonitorStart, so its MIXMONITOR_END adds nothing.
    recordings_announced: bool,
    /// Events come in: of a capture always, of a live PBX from the snapshot to the loss of the link.
    synchronised: bool,
    boot: Boot,
    pbx_clock: PbxClock,
    recall: Recall,
    /// When the last snapshot was applied.
    synchronised_at: Option<Moment>,
    /// Which session it is: it changes where what happened may not have been received.
    session: u32,
    listing: Listing,
    /// What speaks for events that never come in this session.
    evidence: Evidence,
    /// The last QueueStatus list of this session.
    last_list: LastList,
}

impl Correlator {
    /// An empty correlator.
    pub fn new(mut rules: Rules, timing: Timing) -> Self {
        // A capture has no log beside it.
        rules.dead_link = rules.dead_link.filter(|_| timing == Timing::Live);
        let mut names = Names::new(&rules.names);
        let members = Members::new(&rules, &mut names);
        let deadlines = Deadlines::keeping(rules.dead_link);
        Self {
            rules,
            timing,
            names,
            version: None,
            channels: Channels::default(),
            joining: Joining::default(),
            stays: Table::default(),
            stay_counts: stay::Counts::default(),
            stays_by_age: Shortlist::default(),
            rings: Rings::default(),
            calls: Table::default(),
            call_counts: CallCounts::default(),
            members,
            queues: Queues::default(),
            trunks: HashSet::new(),
            outside: Outside::default(),
            originates: Originates::default(),
            recordings: Recordings::default(),
            voices: Voices::default(),
            endpoints: Endpoints::default(),
            deadlines,
            account: Account::default(),
            recordings_announced: false,
            synchronised: timing == Timing::Recorded,
            boot: Boot::default(),
            pbx_clock: PbxClock::default(),
            recall: Recall::default(),
            synchronised_at: None,
            session: 0,
            listing: Listing::default(),
            evidence: Evidence::default(),
            last_list: LastList::default(),
        }
    }

    /// A login was accepted: what came in the session before proves nothing of this one.
    pub fn begin_session(&mut self) {
        self.evidence = Evidence::default();
        self.last_list = LastList::default();
        self.forget_endpoints();
    }

    /// What the PBX does not send in this session though it must, as far as that is proven at
    /// `now`.
    pub fn missing(&self, now: Moment) -> MissingSet {
        self.evidence.missing(now)
    }

    /// Sets the Asterisk version: some queue events mean something else on old ones.
    pub const fn set_version(&mut self, version: Version) {
        self.version = Some(version);
    }

    /// Reads names by other rules from now on.  What began before stays what it was taken for, so that
    /// it is counted once and as one thing.
    ///
    /// What identifies an agent, agents' aliases and the limits of names have to be those of the
    /// beginning, as a reloaded configuration has them: names that are known already were made by
    /// them.
    pub fn change_rules(&mut self, rules: Rules) {
        self.deadlines.keep(rules.dead_link);
        self.rules = rules;
        self.channels.forget_origins();
        self.review_endpoints();
    }

    /// Whether the PBX's hints would show whose phone a member's is.
    pub fn wants_hints(&self) -> bool {
        self.members.owners().want_hints()
    }

    /// The names behind the ids of its observations.
    pub const fn names(&self) -> &Names {
        &self.names
    }

    /// One event, read at `now`.
    pub fn handle(&mut self, now: Moment, event: &Event<'_>, out: &mut impl Observe) {
        let at = Stamp { read: now, wire: event.at };

        // Before the event changes anything: evidence compares it with what was known before.
        self.boot.date(now);
        self.note_stamped(at);
        self.note_evidence(at, &event.kind);
        self.account.note(&event.kind);

        self.dispatch(at, &event.kind, out);
        self.keep_within_limits(at, out);

        // After it, once: an event may change the state of several agents, and of one twice.
        self.follow_phones(now, out);
        self.settle();
    }

    /// When [`Self::expire`] wants to be called.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.next()
    }

    /// Ends what has waited long enough.
    pub fn expire(&mut self, now: Moment, out: &mut impl Observe) {
        let at = Stamp { read: now, wire: None };
        while let Some(task) = self.deadlines.due(now, &self.channels.all) {
            if task.is_decided_by_log() && self.awaits_log() {
                self.postpone(task);
                continue;
            }
            match task {
                Task::Verdict(key) => self.verdict_due(key, at, out),
                Task::Completion(key) => self.completion_due(key, at, out),
                Task::Doubt(key) => self.doubt_due(key, at, out),
                Task::Ring(key) => self.ring_due(key, at, out),
                Task::CallEnd(key) => self.call_due(key, out),
                Task::Drift => self.drift_due(out),
                Task::Forget(key) => self.forget(key, at, out),
                Task::Vanish(key) => self.vanish_due(key, at, out),
                Task::Age(key) => self.age_due(key, at, out),
                Task::WrapUp(key) => self.wrap_up_due(key, now, out),
                Task::Linger(key) => self.linger_due(key),
            }
        }
        self.follow_phones(now, out);
        self.settle();
    }

    /// Counts running times (agents' states, wrap-up) up to `now`.
    pub fn flush(&mut self, now: Moment, out: &mut impl Observe) {
        self.report_times(now, out);
    }

    /// Counts what an event changed: the gauges are read from these counts.
    #[inline]
    fn settle(&mut self) {
        self.members.settle();
        self.settle_stays();
        self.settle_calls();
    }

    fn settle_stays(&mut self) {
        self.stays.settle(
            |stay, _| stay::CountedAs::of(stay),
            |recount| self.stay_counts.recount(recount),
        );
    }

    fn dispatch(&mut self, at: Stamp, kind: &Kind<'_>, out: &mut dyn Observe) {
        match kind {
            Kind::NewChannel(channel) => self.on_new_channel(at, channel, out),
            Kind::Hangup(hangup) => self.on_hangup(at, hangup, out),
            Kind::HangupRequest(channel) => {
                let key = self.ensure_channel(channel, at, out);
                self.channels.all[key].life.hangup_requested = true;
                self.note_hangup_request(key);
            }
            Kind::NewExten(step) => self.on_new_exten(at, step, out),
            Kind::VarSet(set) => self.on_var_set(at, set, out),
            Kind::Voice(report) => self.on_voice(at, report, out),
            Kind::DialBegin(dial) => self.on_dial_begin(at, dial, out),
            Kind::DialEnd(end) => self.on_dial_end(at, end, out),
            Kind::BridgeEnter(enter) => self.on_bridge_enter(at, enter, out),
            Kind::BridgeLeave(leave) => self.on_bridge_leave(at, leave, out),
            Kind::LocalBridge(local) => self.on_local_bridge(local),
            Kind::Hold(channel) => {
                let key = self.ensure_channel(channel, at, out);
                self.on_hold(key, true, at, out);
            }
            Kind::Unhold(channel) => {
                let key = self.ensure_channel(channel, at, out);
                self.on_hold(key, false, at, out);
            }
            Kind::BlindTransfer(transfer) => self.on_blind_transfer(transfer, out),
            Kind::AttendedTransfer(transfer) => self.on_attended_transfer(at, transfer, out),
            Kind::OriginateResponse(response) => self.on_originate_response(at, response, out),
            Kind::CallerJoin(join) => self.on_join(at, join, out),
            Kind::CallerLeave(leave) => self.on_leave(at, leave, out),
            Kind::CallerAbandon(abandon) => self.on_abandon(at, abandon, out),
            Kind::AgentCalled(call) => self.on_agent_called(at, call, out),
            Kind::AgentConnect(connect) => self.on_agent_connect(at, connect, out),
            Kind::AgentComplete(complete) => self.on_agent_complete(at, complete, out),
            Kind::AgentDump(dump) => self.on_agent_dump(at, dump, out),
            Kind::RingNoAnswer(missed) => self.on_ring_no_answer(at, missed, out),
            Kind::Member(member) => {
                self.pbx_clock.note(at);
                self.on_member(at, member, out);
            }
            Kind::Hint(hint) => {
                self.members.hint(hint.extension, hint.context, hint.watched);
            }
            Kind::RecordingStart(channel) => {
                let key = self.ensure_channel(channel, at, out);
                self.on_recording_start(key, out);
            }
            Kind::RecordingStop(channel) => {
                let key = self.ensure_channel(channel, at, out);
                self.on_recording_stop(key, out);
            }
            Kind::RecordingEnd(file) => self.on_recording_end(file, out),
            // It shows that the account receives class call, and nothing else.
            Kind::DeviceState => {}
            Kind::FullyBooted { uptime } => self.on_fully_booted(at, *uptime, out),
            Kind::Shutdown => self.on_shutdown(at, out),
            Kind::Registry(event) => self.on_registry(event),
            Kind::PeerStatus(event) => self.on_peer_status(event),
            Kind::ContactStatus(event) => self.on_contact_status(event),
            // Lists come in through a snapshot.
            Kind::Listed { .. } => {}
        }
    }

    fn emit(&self, fact: Observation, out: &mut dyn Observe) {
        out.observe(&self.names, fact, None);
    }

    /// Emits a fact of a stay.
    fn emit_of(&self, stay: StayKey, fact: Observation, out: &mut dyn Observe) {
        let caller = self.stays.get(stay).and_then(|stay| self.channels.all.get(stay.caller));
        // Where there was no more than an AgentComplete that named no caller, the agent's leg is
        // both.
        let caller = caller.filter(|caller| caller.as_agent.talk != Some(stay));
        let mut rooms = [uid::EMPTY; 2];
        let ids = caller.map(|caller| self.channels.ids(caller, rooms.each_mut()));
        let of = ids.map(|[uniqueid, linkedid]| Caller { uniqueid, linkedid });
        out.observe(&self.names, fact, of);
    }

    /// The channel of a block, made now if it is new; it begins no call.
    fn ensure_channel(
        &mut self,
        block: &crate::event::Channel<'_>,
        at: Stamp,
        out: &mut dyn Observe,
    ) -> ChannelKey {
        let (key, new) = self.channels.ensure(block, &self.rules, &mut self.names);
        if new {
            self.channels.all[key].life.since = at.read;
            self.deadlines.add_age(at.read, key);
            let trunk = self.channels.all[key].trunk();
            if !trunk.is_none() {
                self.ensure_trunk(trunk, out);
            }
        }
        key
    }
}
