//! A stay: one passage of one caller through one queue.  How it begins and in which phase it is.

mod counts;
mod events;
mod exit;
mod leaving;

pub(super) use counts::{CountedAs, Counts};
pub(super) use leaving::{Leaving, Next};

use super::Correlator;
use super::channel::BridgeId;
use super::deadline::DOUBT;
use super::key::{ChannelKey, MemberKey, StayKey};
use super::names::{AgentId, QueueId};
use super::observation::{Anomaly, Observation, Observe, Outcome, Phase as AdoptedPhase};
use super::talk::Talk;
use super::time::{Span, Stamp};

/// One stay.
#[derive(Debug)]
pub(super) struct Stay {
    pub queue: QueueId,
    pub caller: ChannelKey,
    /// When the caller joined; unknown for a stay adopted without a list that reports its wait.
    pub joined: Option<Stamp>,
    /// Found going on, so that a Join that comes late is no entry.
    pub adopted: bool,
    /// The log has told of it at a login: what comes late is of this stay.
    pub recalled: bool,
    /// QUEUESTATUS at the Join, if channelvars shows it: it lingers from an earlier queue.
    pub status_at_join: Option<QueueStatus>,
    /// The agent who took the call; none until AgentConnect.
    pub taken_by: AgentId,
    pub recorded: bool,
    /// In which session it was last seen to go on; `None` if what became of it was hidden.
    pub seen: Option<u32>,
    /// A list does not have it: lost, unless an event speaks of it soon.
    pub doubted: bool,
    pub phase: Phase,
}

/// What QUEUESTATUS says of a caller who was in the queue.  Unset after a real abandon and after an
/// exit key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum QueueStatus {
    Timeout,
    LeaveEmpty,
    LeaveUnavailable,
    Withdraw,
}

/// Where a stay is: a variant a phase, each with what exists in that phase only.
#[derive(Debug)]
pub(super) enum Phase {
    /// In the queue; `answered` while a leg has answered and hears the announcement.
    Waiting { answered: bool },
    /// Out of the queue without an agent; what follows decides why.
    Leaving(Box<Leaving>),
    /// Connected to an agent.
    Talking(Box<Talk>),
    /// Counted; kept for events that come late.
    Closed(Closed),
}

/// What a counted stay is kept for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Closed {
    /// Its QueueCallerLeave has come.
    pub left: bool,
    /// The member who had the call, until its AgentComplete has come.
    pub awaits_complete: Option<MemberKey>,
    /// The bridge they met in.
    pub bridge: Option<BridgeId>,
    /// HoldTime of AgentConnect.
    pub hold: Option<Span>,
}

impl QueueStatus {
    fn parse(status: &[u8]) -> Option<Self> {
        match status {
            b"TIMEOUT" => Some(Self::Timeout),
            b"LEAVEEMPTY" => Some(Self::LeaveEmpty),
            b"LEAVEUNAVAIL" => Some(Self::LeaveUnavailable),
            b"WITHDRAW" => Some(Self::Withdraw),
            _ => None,
        }
    }

    const fn outcome(self) -> Outcome {
        match self {
            Self::Timeout => Outcome::Timeout,
            Self::LeaveEmpty | Self::LeaveUnavailable => Outcome::LeaveEmpty,
            Self::Withdraw => Outcome::Withdrawn,
        }
    }
}

impl Stay {
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.phase, Phase::Waiting { .. } | Phase::Leaving(_))
    }

    pub(super) const fn is_talking(&self) -> bool {
        matches!(self.phase, Phase::Talking(_))
    }

    pub(super) const fn talk(&self) -> Option<&Talk> {
        match &self.phase {
            Phase::Talking(talk) => Some(talk),
            Phase::Waiting { .. } | Phase::Leaving(_) | Phase::Closed(_) => None,
        }
    }

    pub(super) const fn talk_mut(&mut self) -> Option<&mut Talk> {
        match &mut self.phase {
            Phase::Talking(talk) => Some(talk),
            Phase::Waiting { .. } | Phase::Leaving(_) | Phase::Closed(_) => None,
        }
    }

    /// Whether an agent has taken the call.
    pub(super) fn was_served(&self) -> bool {
        !self.taken_by.is_none()
    }

    const fn leaving_mut(&mut self) -> Option<&mut Leaving> {
        match &mut self.phase {
            Phase::Leaving(leaving) => Some(leaving),
            Phase::Waiting { .. } | Phase::Talking(_) | Phase::Closed(_) => None,
        }
    }

    /// The member a stay holds on to.
    pub(super) const fn member(&self) -> Option<MemberKey> {
        match &self.phase {
            Phase::Talking(talk) => Some(talk.member),
            Phase::Closed(closed) => closed.awaits_complete,
            Phase::Waiting { .. } | Phase::Leaving(_) => None,
        }
    }
}

impl Correlator {
    /// Opens a stay for a caller in a queue.
    pub(super) fn open_stay(
        &mut self,
        caller: ChannelKey,
        queue: QueueId,
        joined: Option<Stamp>,
        at: Stamp,
        out: &mut dyn Observe,
    ) -> StayKey {
        // The counted stays of a caller who goes round and round make room first.
        self.prune_stays(caller, at, out);

        let key = self.stays.insert(Stay {
            queue,
            caller,
            joined,
            adopted: false,
            recalled: false,
            status_at_join: None,
            taken_by: AgentId::NONE,
            recorded: false,
            seen: Some(self.session),
            doubted: false,
            phase: Phase::Waiting { answered: false },
        });
        self.channels.add_stay(caller, key);
        self.stays_by_age.add(key, |key| self.stays.contains_key(key));
        // A list that is on its way cannot have it.
        self.note_touched(key);
        key
    }

    /// Opens a stay that was already going on, and counts it as such.
    pub(super) fn adopt_stay(
        &mut self,
        caller: ChannelKey,
        queue: QueueId,
        phase: AdoptedPhase,
        at: Stamp,
        out: &mut dyn Observe,
    ) -> StayKey {
        // A call that was transferred may have been elsewhere before: how it came here was not seen.
        self.take_transferred(caller);

        let key = self.open_stay(caller, queue, None, at, out);
        self.stays[key].adopted = true;
        self.emit_of(key, Observation::Adopted { queue, phase }, out);
        key
    }

    /// The stay an event other than Join speaks of: the caller's newest in that queue, adopted if
    /// there is none that the event can belong to.
    pub(super) fn find_or_adopt_stay(
        &mut self,
        caller: ChannelKey,
        queue: QueueId,
        at: Stamp,
        out: &mut dyn Observe,
    ) -> StayKey {
        if let Some(key) = self.find_stay(caller, queue) {
            // Counted and left: app_queue sends nothing more of it, so the event is of another.
            let stay = &self.stays[key];
            let is_late = stay.recalled && self.is_settling(at);
            let over = matches!(stay.phase, Phase::Closed(closed) if closed.left) && !is_late;
            if !over {
                self.note_touched(key);
                return key;
            }
        }

        self.note_missing_join(at, out);
        self.adopt_stay(caller, queue, AdoptedPhase::Waiting, at, out)
    }

    /// A stay without its Join is an anomaly, but for those that end around a login: events come
    /// behind the first list whose callers it no longer has, up to 112 ms late (18.26 and 23.5
    /// under load).
    pub(super) fn note_missing_join(&self, at: Stamp, out: &mut dyn Observe) {
        if !self.is_settling(at) {
            self.emit(Observation::Anomaly(Anomaly::StayWithoutJoin), out);
        }
    }

    /// Whether a session has just begun: what a list showed going on may have ended before it.
    pub(super) fn is_settling(&self, at: Stamp) -> bool {
        self.synchronised_at.is_some_and(|since| at.read <= since.after(DOUBT))
    }

    /// Whether it is a talk that was found going on, and still goes on.
    pub(super) fn is_adopted_talk(&self, key: StayKey) -> bool {
        self.stays[key].talk().is_some_and(|talk| talk.adopted && talk.over.is_none())
    }

    /// The caller's newest stay in a queue.
    pub(super) fn find_stay(&self, caller: ChannelKey, queue: QueueId) -> Option<StayKey> {
        self.find_stay_that(caller, |stay| stay.queue == queue)
    }

    /// The caller's stay that waits.
    pub(super) fn find_waiting_stay(&self, caller: ChannelKey) -> Option<StayKey> {
        self.find_stay_that(caller, |stay| matches!(stay.phase, Phase::Waiting { .. }))
    }

    /// The caller's stay whose outcome is open.
    fn find_leaving_stay(&self, caller: ChannelKey) -> Option<StayKey> {
        self.find_stay_that(caller, |stay| matches!(stay.phase, Phase::Leaving(_)))
    }

    /// The caller's stay that talks.
    pub(super) fn find_talking_stay(&self, caller: ChannelKey) -> Option<StayKey> {
        self.find_stay_that(caller, Stay::is_talking)
    }

    /// The caller's stay in a queue that talks.
    pub(super) fn find_talking_stay_in(
        &self,
        caller: ChannelKey,
        queue: QueueId,
    ) -> Option<StayKey> {
        self.find_stay_that(caller, |stay| stay.queue == queue && stay.is_talking())
    }

    fn find_stay_that(&self, caller: ChannelKey, is: impl Fn(&Stay) -> bool) -> Option<StayKey> {
        let stays = &self.channels.all.get(caller)?.as_caller.stays;
        stays.iter().rev().copied().find(|&key| is(&self.stays[key]))
    }

    /// Whether the caller waits, leaves or talks in any queue.
    fn is_inside(&self, caller: ChannelKey) -> bool {
        self.find_stay_that(caller, |stay| !matches!(stay.phase, Phase::Closed(_))).is_some()
    }

    /// A caller who goes round and round leaves closed stays behind: only the newest may still get
    /// events.  Of a caller who is in more queues at once than anybody can be, the oldest is given up.
    pub(super) fn prune_stays(&mut self, caller: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        let stays = &mut self.channels.all[caller].as_caller.stays;
        if stays.len() < KEPT_STAYS {
            return;
        }

        let all = &mut self.stays;
        stays.retain(|key| {
            let key = *key;
            let keep = !matches!(all[key].phase, Phase::Closed(closed) if closed.left);
            if !keep {
                all.remove(key);
            }
            keep
        });

        let stays = &self.channels.all[caller].as_caller.stays;
        if let Some(&oldest) = stays.first().filter(|_| stays.len() >= KEPT_STAYS) {
            self.give_up_stay(oldest, at, out);
        }
    }
}

/// Stays of one caller, beyond which the counted ones are dropped, then the oldest.
const KEPT_STAYS: usize = 16;
