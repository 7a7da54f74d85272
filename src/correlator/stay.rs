//! A stay: one passage of one caller through one queue.  Its phases, and how it ends.

use std::time::Duration;

use super::Correlator;
use super::channel::BridgeId;
use super::deadline::{DOUBT, Task, VERDICT};
use super::key::{ChannelKey, MemberKey, StayKey};
use super::names::{AgentId, QueueId};
use super::observation::{Anomaly, Observation, Observe, Outcome, Phase as AdoptedPhase};
use super::talk::Talk;
use super::time::Stamp;
use crate::version::Version;

/// One stay.
#[derive(Debug)]
pub(super) struct Stay {
    pub queue: QueueId,
    pub caller: ChannelKey,
    /// When the caller joined; unknown for a stay adopted without a list that tells its wait.
    pub joined: Option<Stamp>,
    /// Found going on, so that a Join that comes late is no entry.
    pub adopted: bool,
    /// QUEUESTATUS at the Join, if channelvars shows it: it lingers from an earlier queue.
    pub status_at_join: Option<Box<[u8]>>,
    /// Who took the call; nobody until AgentConnect.
    pub taken_by: AgentId,
    pub recorded: bool,
    /// A list does not have it: lost, unless an event speaks of it soon.
    pub doubted: bool,
    pub phase: Phase,
}

/// Where a stay is.
#[derive(Debug)]
pub(super) enum Phase {
    /// In the queue; `answered` while a leg has answered and hears the announcement.
    Waiting { answered: bool },
    /// Out of the queue without an agent; what follows tells why.
    Leaving(Leaving),
    /// Connected to an agent.
    Talking(Talk),
    /// Counted; kept for events that come late.
    Closed(Closed),
}

/// What is known of a way out.
#[derive(Debug)]
pub(super) struct Leaving {
    /// When the caller left.
    pub at: Stamp,
    /// HoldTime of QueueCallerAbandon.
    pub hold: Option<Duration>,
    pub abandoned: bool,
    /// The caller's far end had asked for the end before.
    pub gave_up: bool,
    pub left: bool,
    /// A leg had answered: AgentConnect is to come.
    pub answered: bool,
    /// VarSet QUEUEPOSITION came after Leave, so the account sees VarSet.
    pub visible: bool,
}

impl Leaving {
    /// Out at that moment; nothing else is known.
    pub(super) const fn new(at: Stamp) -> Self {
        Self {
            at,
            hold: None,
            abandoned: false,
            gave_up: false,
            left: false,
            answered: false,
            visible: false,
        }
    }
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
    pub hold: Option<Duration>,
}

/// What came after a caller had left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sign {
    /// The caller's Hangup, or the `h` extension.
    Hangup,
    /// The dialplan goes on.
    Dialplan,
    /// The caller joined again, or another queue.
    Join,
    /// Nothing.
    Silence,
}

impl Stay {
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.phase, Phase::Waiting { .. } | Phase::Leaving(_))
    }

    pub(super) const fn is_talking(&self) -> bool {
        matches!(self.phase, Phase::Talking(_))
    }

    /// The member a stay holds on to.
    pub(super) const fn member(&self) -> Option<MemberKey> {
        match &self.phase {
            Phase::Talking(talk) => Some(talk.member),
            Phase::Closed(closed) => closed.awaits_complete,
            Phase::Waiting { .. } | Phase::Leaving(_) => None,
        }
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

    pub(super) const fn leaving_mut(&mut self) -> Option<&mut Leaving> {
        match &mut self.phase {
            Phase::Leaving(leaving) => Some(leaving),
            Phase::Waiting { .. } | Phase::Talking(_) | Phase::Closed(_) => None,
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
    ) -> StayKey {
        self.prune_stays(caller);
        let key = self.stays.insert(Stay {
            queue,
            caller,
            joined,
            adopted: false,
            status_at_join: None,
            taken_by: AgentId::NONE,
            recorded: false,
            doubted: false,
            phase: Phase::Waiting { answered: false },
        });
        self.channels.add_stay(caller, key);
        self.note_touched(key);
        key
    }

    /// Opens a stay that was already going on.
    pub(super) fn adopt_stay(
        &mut self,
        caller: ChannelKey,
        queue: QueueId,
        phase: AdoptedPhase,
        out: &mut dyn Observe,
    ) -> StayKey {
        let key = self.open_stay(caller, queue, None);
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
            let over = matches!(self.stays[key].phase, Phase::Closed(closed) if closed.left);
            if !over {
                self.note_touched(key);
                return key;
            }
        }
        self.note_missing_join(at, out);
        self.adopt_stay(caller, queue, AdoptedPhase::Waiting, out)
    }

    /// A stay without its Join is an anomaly, but for those that end around a login: events come
    /// behind the first list whose callers it no longer has, up to 112 ms late (18.26 and 23.5
    /// under load).
    pub(super) fn note_missing_join(&self, at: Stamp, out: &mut dyn Observe) {
        if !self.is_settling(at) {
            self.emit(Observation::Anomaly(Anomaly::StayWithoutJoin), out);
        }
    }

    /// Whether it is a talk that was found going on, and still goes on.
    pub(super) fn is_adopted_talk(&self, key: StayKey) -> bool {
        self.stays[key].talk().is_some_and(|talk| talk.adopted && talk.over.is_none())
    }

    /// Whether a session has just begun: what a list showed going on may have ended before it.
    pub(super) fn is_settling(&self, at: Stamp) -> bool {
        self.synchronised_at.is_some_and(|since| at.read <= since.after(DOUBT))
    }

    pub(super) fn find_stay(&self, caller: ChannelKey, queue: QueueId) -> Option<StayKey> {
        let stays = &self.channels.all.get(caller)?.as_caller.stays;
        stays.iter().rev().copied().find(|&key| self.stays[key].queue == queue)
    }

    /// Whether the caller waits, leaves or talks in any queue.
    pub(super) fn is_inside(&self, caller: ChannelKey) -> bool {
        let stays = self.channels.all.get(caller).map_or(&[][..], |caller| &caller.as_caller.stays);
        stays.iter().any(|&key| !matches!(self.stays[key].phase, Phase::Closed(_)))
    }

    /// The caller's stay whose verdict is open.
    pub(super) fn find_leaving_stay(&self, caller: ChannelKey) -> Option<StayKey> {
        let stays = &self.channels.all.get(caller)?.as_caller.stays;
        stays.iter().rev().copied().find(|&key| matches!(self.stays[key].phase, Phase::Leaving(_)))
    }

    /// The caller is out of the queue without an agent, and nothing has told yet why.
    pub(super) fn begin_leaving(&mut self, key: StayKey, leaving: Leaving) {
        if !leaving.answered {
            self.deadlines.add(leaving.at.read.after(VERDICT), Task::Verdict(key));
        }
        self.stays[key].phase = Phase::Leaving(leaving);
    }

    /// Decides why a caller left, by what came next (METRICS.md, Outcome 5 to 7).
    pub(super) fn verdict(&mut self, key: StayKey, sign: Sign, out: &mut dyn Observe) {
        let Some(Stay { phase: Phase::Leaving(leaving), .. }) = self.stays.get(key) else { return };
        let outcome = match (leaving.abandoned, leaving.answered, leaving.visible, sign) {
            _ if leaving.gave_up => Outcome::Abandoned,
            // a member Gosub may take its time between Leave and AgentConnect, and 16 may send the
            // Hangup before
            (false, true, _, Sign::Dialplan | Sign::Join | Sign::Hangup) => return,
            (false, true, _, Sign::Silence) => Outcome::Unserved,
            (false, false, false, _)
                if self.version.is_some_and(Version::leaves_empty_silently) =>
            {
                Outcome::Unserved
            }
            // who was answered leaves alike, and to an account that sees no agents' events does
            // nothing after it
            (false, false, _, sign) if self.sight.agents || sign == Sign::Dialplan => {
                Outcome::ExitKey
            }
            (false, false, _, _) => Outcome::Unserved,
            (true, _, true, Sign::Hangup) => Outcome::Abandoned,
            (true, _, true, Sign::Dialplan | Sign::Join) => Outcome::Redirected,
            (true, _, true, Sign::Silence) | (true, _, false, _) => Outcome::Unserved,
        };
        self.exit(key, outcome, out);
    }

    /// Counts the end of a wait that is known to be over, at the moment it was left.
    pub(super) fn exit(&mut self, key: StayKey, outcome: Outcome, out: &mut dyn Observe) {
        let Some(stay) = self.stays.get_mut(key) else { return };
        let Phase::Leaving(leaving) = &stay.phase else { return };
        let hold =
            stay.joined.and_then(|joined| self.timing.between(joined, leaving.at)).or(leaving.hold);
        let closed = Closed { left: leaving.left, ..Closed::default() };
        stay.phase = Phase::Closed(closed);
        let (queue, caller) = (stay.queue, stay.caller);
        self.emit_of(key, Observation::Exited { queue, outcome, hold }, out);
        self.call_unserved(caller, outcome);
    }

    /// Counts the end of a wait that was hidden.
    pub(super) fn lose_wait(&mut self, key: StayKey, out: &mut dyn Observe) {
        let Some(stay) = self.stays.get_mut(key) else { return };
        if !stay.is_waiting() {
            return;
        }
        stay.phase = Phase::Closed(Closed { left: true, ..Closed::default() });
        let (queue, caller) = (stay.queue, stay.caller);
        self.emit_of(key, Observation::Exited { queue, outcome: Outcome::Lost, hold: None }, out);
        self.call_unserved(caller, Outcome::Lost);
    }

    /// A caller who goes round and round leaves closed stays behind: only the newest may still get
    /// events.
    pub(super) fn prune_stays(&mut self, caller: ChannelKey) {
        let stays = &mut self.channels.all[caller].as_caller.stays;
        if stays.len() < KEPT_STAYS {
            return;
        }
        let all = &mut self.stays;
        stays.retain(|&key| {
            let keep = !matches!(all[key].phase, Phase::Closed(closed) if closed.left);
            if !keep {
                all.remove(key);
            }
            keep
        });
    }
}

const KEPT_STAYS: usize = 16;
