//! Counters and histograms by queue and agent: ring attempts, talks and how they ended.

use std::collections::HashSet;
use std::time::Duration;

use hashbrown::DefaultHashBuilder;

use super::budget::Budget;
use super::catalogue::entry;
use super::column::{Counts, Sums};
use super::family::{Family, Handles, One};
use super::histogram::{Distributions, Layout};
use super::labels::{
    CauseLabels, CompletionLabels, MemberLabels, PauseLabels, QueueHangupLabels, RingLabels,
    TransferLabels,
};
use super::naming::{Labelled, Member, Place};
use super::registrar::Registrar;
use super::settings::{AgentHistograms, Settings};
use crate::correlator::{
    AgentId, Caller, Cause, EndedBy, Leg, PauseChange, QueueId, RingResult, TransferBy,
    TransferKind, Word,
};
use crate::pbx::PbxName;

/// What is counted of the members of all PBXs' queues.
#[derive(Debug)]
pub(super) struct MemberFamilies {
    histograms: AgentHistograms,
    rings: Family<RingLabels, Counts>,
    ring: Family<RingLabels, Distributions>,
    talk: Family<MemberLabels, Distributions>,
    talk_holds: Family<MemberLabels, Counts>,
    talk_hold: Family<MemberLabels, Sums>,
    talk_hold_hangups: Family<MemberLabels, Counts>,
    completions: Family<CompletionLabels, Counts>,
    transfers: Family<TransferLabels, Counts>,
    agent_dumps: Family<MemberLabels, Counts>,
    pauses: Family<PauseLabels, Counts>,
    wrapup: Family<MemberLabels, Sums>,
    hangups: Family<QueueHangupLabels, Counts>,
}

/// The members of one PBX's queues.
#[derive(Debug)]
pub(super) struct MemberMetrics {
    pbx: PbxName,
    budget: Budget,
    histograms: AgentHistograms,
    /// Whose ring attempts have all that they usually lead to.
    prepared: HashSet<Place, DefaultHashBuilder>,
    rings: Handles<(Place, RingResult), RingLabels, Counts>,
    ring: Handles<(Place, RingResult), RingLabels, Distributions>,
    talk: Handles<Place, MemberLabels, Distributions>,
    talk_holds: Handles<Place, MemberLabels, Counts>,
    talk_hold: Handles<Place, MemberLabels, Sums>,
    talk_hold_hangups: Handles<Place, MemberLabels, Counts>,
    completions: Handles<(Place, EndedBy), CompletionLabels, Counts>,
    transfers: Handles<(Place, TransferKind, TransferBy), TransferLabels, Counts>,
    agent_dumps: Handles<Place, MemberLabels, Counts>,
    pauses: Handles<(Place, PauseChange), PauseLabels, Counts>,
    wrapup: Handles<Place, MemberLabels, Sums>,
    hangups: Handles<(Place, Leg, CauseLabels), QueueHangupLabels, Counts>,
}

impl Member {
    fn labels(&self, pbx: &PbxName) -> MemberLabels {
        MemberLabels {
            pbx: pbx.clone(),
            queue: self.queue.name.clone(),
            agent: self.agent.name.clone(),
        }
    }

    /// What a series of it is counted under that there is no room for.
    fn or_other(&self) -> Self {
        Self { queue: Labelled::other(), agent: self.agent.or_other() }
    }

    /// The member as the histograms name it.
    fn in_histograms(&self, histograms: AgentHistograms) -> Self {
        Self { queue: self.queue.clone(), agent: in_histograms(&self.agent, histograms) }
    }
}

/// The agent as the histograms name it: nobody, if they are not by agent.
pub(super) fn in_histograms(
    agent: &Labelled<AgentId>,
    histograms: AgentHistograms,
) -> Labelled<AgentId> {
    match histograms {
        AgentHistograms::Full | AgentHistograms::Sums => agent.clone(),
        AgentHistograms::Off => Labelled::none(),
    }
}

impl MemberFamilies {
    pub(super) fn new(registrar: &mut Registrar, settings: &Settings) -> Self {
        let ring = settings.agent_bounds(&settings.buckets.ring);
        let ring = Layout::new(ring, settings.detail.without_exemplars());
        let talk = settings.agent_bounds(&settings.buckets.talk);
        let talk = Layout::new(talk, settings.detail);

        Self {
            histograms: settings.agent_histograms,
            rings: registrar.family(const { entry("asterisk_queue_rings_total") }),
            ring: registrar.histograms(const { entry("asterisk_queue_ring_seconds") }, ring),
            talk: registrar.histograms(const { entry("asterisk_queue_talk_seconds") }, talk),
            talk_holds: registrar.family(const { entry("asterisk_queue_talk_holds_total") }),
            talk_hold: registrar.family(const { entry("asterisk_queue_talk_hold_seconds_total") }),
            talk_hold_hangups: registrar
                .family(const { entry("asterisk_queue_talk_hold_hangups_total") }),
            completions: registrar.family(const { entry("asterisk_queue_completions_total") }),
            transfers: registrar.family(const { entry("asterisk_queue_transfers_total") }),
            agent_dumps: registrar.family(const { entry("asterisk_queue_agent_dumps_total") }),
            pauses: registrar.family(const { entry("asterisk_queue_pauses_total") }),
            wrapup: registrar.family(const { entry("asterisk_queue_wrapup_seconds_total") }),
            hangups: registrar.family(const { entry("asterisk_queue_hangups_total") }),
        }
    }

    /// The lines of a member's counters, without hangup causes.
    pub(super) const fn lines() -> usize {
        let transfers = TransferKind::ALL.len() * TransferBy::ALL.len();
        let pauses = PauseChange::ALL.len();
        RingResult::ALL.len() + EndedBy::ALL.len() + transfers + pauses + SINGLE
    }

    /// The lines of all members that there is no room for, and of callers whom nobody served.
    pub(super) fn kept(&self) -> usize {
        let histograms = RingResult::ALL.len() * self.ring.lines() + self.talk.lines();
        let hangups = Leg::ALL.len() * CauseLabels::COUNT;
        Self::lines() + (histograms + hangups) * NOBODY_AND_OTHER
    }

    /// The metrics of `pbx`.
    pub(super) fn of_pbx(&self, pbx: &PbxName, budget: &Budget) -> MemberMetrics {
        MemberMetrics {
            pbx: pbx.clone(),
            budget: budget.clone(),
            histograms: self.histograms,
            prepared: HashSet::default(),
            rings: self.rings.handles(),
            ring: self.ring.handles(),
            talk: self.talk.handles(),
            talk_holds: self.talk_holds.handles(),
            talk_hold: self.talk_hold.handles(),
            talk_hold_hangups: self.talk_hold_hangups.handles(),
            completions: self.completions.handles(),
            transfers: self.transfers.handles(),
            agent_dumps: self.agent_dumps.handles(),
            pauses: self.pauses.handles(),
            wrapup: self.wrapup.handles(),
            hangups: self.hangups.handles(),
        }
    }
}

impl MemberMetrics {
    /// Starts every counter of a known member at zero; histograms and causes would be too many.
    pub(super) fn known(&mut self, member: &Member) {
        for &result in RingResult::ALL {
            self.ring_count(member, result);
        }
        for &ended_by in EndedBy::ALL {
            self.completion(member, ended_by);
        }

        for &kind in TransferKind::ALL {
            for &by in TransferBy::ALL {
                self.transfer(member, kind, by);
            }
        }
        for &change in PauseChange::ALL {
            self.pause(member, change);
        }

        for counters in [&mut self.agent_dumps, &mut self.talk_holds, &mut self.talk_hold_hangups] {
            counters.ensure(member.place(), || member.labels(&self.pbx));
        }
        self.talk_hold.ensure(member.place(), || member.labels(&self.pbx));
        self.wrapup.ensure(member.place(), || member.labels(&self.pbx));
    }

    /// Starts what a ring attempt usually leads to at zero, as far as there is `room`.
    pub(super) fn rings(&mut self, member: &Member, room: impl Fn(usize) -> bool + Copy) {
        if self.prepared.contains(&member.place()) {
            return;
        }

        let shown = member.in_histograms(self.histograms);
        let mut has_all = true;
        for &result in RingResult::ALL.iter().filter(|result| **result != RingResult::Lost) {
            let labels = || ring_labels(&self.pbx, &shown, result);
            has_all &= self.ring.begin(room, (shown.place(), result), labels);
        }
        has_all &= self.talk.begin(room, shown.place(), || shown.labels(&self.pbx));

        let agent = PHONE_CAUSES.iter().map(|&cause| (Leg::Agent, cause));
        for (leg, cause) in agent.chain([(Leg::Caller, SERVED_CAUSE)]) {
            has_all &= self.begin_cause(member, leg, cause, room);
        }

        // What had no room is asked for again: so no more is kept than there are series.
        if has_all {
            self.prepared.insert(member.place());
        }
    }

    /// Starts the causes of callers whom nobody in the queue served at zero.
    pub(super) fn unserved(
        &mut self,
        queue: &Labelled<QueueId>,
        room: impl Fn(usize) -> bool + Copy,
    ) {
        let nobody = Member { queue: queue.clone(), agent: Labelled::none() };
        for cause in UNSERVED_CAUSES {
            self.begin_cause(&nobody, Leg::Caller, cause, room);
        }
    }

    fn begin_cause(
        &mut self,
        member: &Member,
        leg: Leg,
        cause: Cause,
        room: impl Fn(usize) -> bool,
    ) -> bool {
        let cause = CauseLabels::from(cause);
        let labels = || hangup_labels(&self.pbx, member, leg, cause);
        self.hangups.begin(room, (member.place(), leg, cause), labels)
    }

    pub(super) fn rang(&mut self, member: &Member, result: RingResult, length: Option<Duration>) {
        self.ring_count(member, result).inc();
        let Some(length) = length else { return };
        let member = member.in_histograms(self.histograms);
        let labels = |member: &Member| ring_labels(&self.pbx, member, result);
        self.ring
            .ensure_within(
                &self.budget,
                (member.place(), result),
                || labels(&member),
                || {
                    let other = member.or_other();
                    ((other.place(), result), labels(&other))
                },
            )
            .observe(length.as_secs_f64());
    }

    /// A talk ended; `of` is the caller whose call may become its exemplar.
    pub(super) fn completed(
        &mut self,
        member: &Member,
        ended_by: EndedBy,
        talk: Option<Duration>,
        of: Option<Caller<'_>>,
    ) {
        self.completion(member, ended_by).inc();
        let Some(talk) = talk else { return };
        let member = member.in_histograms(self.histograms);
        self.talk
            .ensure_within(
                &self.budget,
                member.place(),
                || member.labels(&self.pbx),
                || {
                    let other = member.or_other();
                    (other.place(), other.labels(&self.pbx))
                },
            )
            .observe_of(talk.as_secs_f64(), of);
    }

    /// Hold of a talk that ended.
    pub(super) fn held(
        &mut self,
        member: &Member,
        times: u32,
        spent: Option<Duration>,
        hung_up: bool,
    ) {
        let labels = || member.labels(&self.pbx);
        self.talk_holds.ensure(member.place(), labels).inc_by(times.into());
        if let Some(spent) = spent {
            self.talk_hold.ensure(member.place(), labels).inc_by(spent.as_secs_f64());
        }
        if hung_up {
            self.talk_hold_hangups.ensure(member.place(), labels).inc();
        }
    }

    pub(super) fn transferred(&mut self, member: &Member, kind: TransferKind, by: TransferBy) {
        self.transfer(member, kind, by).inc();
    }

    pub(super) fn dumped(&mut self, member: &Member) {
        self.agent_dumps.ensure(member.place(), || member.labels(&self.pbx)).inc();
    }

    pub(super) fn paused(&mut self, member: &Member, change: PauseChange) {
        self.pause(member, change).inc();
    }

    pub(super) fn wrapped_up(&mut self, member: &Member, spent: Duration) {
        self.wrapup.ensure(member.place(), || member.labels(&self.pbx)).inc_by(spent.as_secs_f64());
    }

    pub(super) fn hung_up(&mut self, member: &Member, leg: Leg, cause: Cause) {
        let cause = CauseLabels::from(cause);
        let labels = |member: &Member| hangup_labels(&self.pbx, member, leg, cause);
        self.hangups
            .ensure_within(
                &self.budget,
                (member.place(), leg, cause),
                || labels(member),
                || {
                    let other = member.or_other();
                    ((other.place(), leg, cause), labels(&other))
                },
            )
            .inc();
    }

    /// How many handles to counters of rings are kept.
    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.rings.keys()
    }

    fn ring_count(&mut self, member: &Member, result: RingResult) -> One<'_, Counts> {
        self.rings.ensure((member.place(), result), || ring_labels(&self.pbx, member, result))
    }

    fn completion(&mut self, member: &Member, ended_by: EndedBy) -> One<'_, Counts> {
        self.completions.ensure((member.place(), ended_by), || CompletionLabels {
            pbx: self.pbx.clone(),
            queue: member.queue.name.clone(),
            agent: member.agent.name.clone(),
            ended_by,
        })
    }

    fn pause(&mut self, member: &Member, change: PauseChange) -> One<'_, Counts> {
        self.pauses.ensure((member.place(), change), || PauseLabels {
            pbx: self.pbx.clone(),
            queue: member.queue.name.clone(),
            agent: member.agent.name.clone(),
            change,
        })
    }

    fn transfer(&mut self, member: &Member, kind: TransferKind, by: TransferBy) -> One<'_, Counts> {
        self.transfers.ensure((member.place(), kind, by), || TransferLabels {
            pbx: self.pbx.clone(),
            queue: member.queue.name.clone(),
            agent: member.agent.name.clone(),
            kind,
            by,
        })
    }
}

fn ring_labels(pbx: &PbxName, member: &Member, result: RingResult) -> RingLabels {
    RingLabels {
        pbx: pbx.clone(),
        queue: member.queue.name.clone(),
        agent: member.agent.name.clone(),
        result,
    }
}

fn hangup_labels(
    pbx: &PbxName,
    member: &Member,
    leg: Leg,
    cause: CauseLabels,
) -> QueueHangupLabels {
    QueueHangupLabels {
        pbx: pbx.clone(),
        queue: member.queue.name.clone(),
        agent: member.agent.name.clone(),
        leg,
        cause,
    }
}

/// What phones usually end with: nothing, hung up, busy, no answer (480), not registered, rejected
/// (603), answered elsewhere.
pub(super) const PHONE_CAUSES: [Cause; 7] =
    [Cause(0), Cause(16), Cause(17), Cause(19), Cause(20), Cause(21), Cause(26)];
/// What a call ends with that somebody answered.
pub(super) const SERVED_CAUSE: Cause = Cause(16);
/// What callers end with whom nobody served.
pub(super) const UNSERVED_CAUSES: [Cause; 2] = [Cause(0), Cause(16)];
/// Counters without a label besides queue and agent: dumps, three of hold, and wrap-up.
const SINGLE: usize = 5;
/// The values of the label `agent` where there is no room for the agent's own.
pub(super) const NOBODY_AND_OTHER: usize = 2;
