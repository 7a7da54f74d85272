//! What is to happen, and when.

use std::collections::BTreeMap;

use super::id::{AgentId, ChannelId, DialId, MemberId, QueueId, StayId, TalkId};
use crate::clock::Moment;

/// What happens next; each names what it is about, and does nothing if that is gone.
#[derive(Clone, Copy, Debug)]
pub(super) enum Job {
    /// A new call begins.
    Arrive,
    /// A caller reaches `Queue()`.
    Enter(ChannelId, QueueId),
    /// A waiting caller's turn to look for agents.
    Try(StayId),
    /// A rung member takes the call.
    Take(StayId, ChannelId),
    /// The ring time of an attempt is over.
    RingOut(StayId, u32),
    /// The caller hangs up.
    GiveUp(StayId),
    /// The queue's time limit is over.
    Expire(StayId),
    /// The caller presses the exit key.
    Press(StayId),
    /// The agent presses hold, or takes the caller back.
    Hold(TalkId),
    Unhold(TalkId),
    /// The talk ends as planned.
    EndTalk(TalkId),
    /// AgentComplete, late.
    Complete(TalkId),
    /// An attended transfer goes on.
    Consulted(TalkId),
    HandOver(TalkId),
    EndHandedOver(TalkId),
    /// A dialled leg rings.
    Ring(DialId),
    /// A dialled leg's fate.
    Resolve(DialId),
    /// A dialled call ends.
    EndDial(DialId),
    /// The first leg of a click-to-call is taken, or not.
    Originated(ChannelId, AgentId, bool),
    /// The caller hears the end of an announcement or voicemail.
    Leave(ChannelId, bool),
    /// Pauses.
    Pause(AgentId),
    Resume(AgentId),
    ResumeIn(QueueId, MemberId),
    /// The team of the strict queue has its meeting, or comes back.
    Meet,
    MeetingOver,
    /// A phone loses its network, or finds it again.
    DisconnectPhone,
    ReconnectPhone(AgentId),
}

/// What is to happen, in order.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    jobs: BTreeMap<(Moment, u64), Job>,
    written: u64,
}

impl Agenda {
    /// Puts a job on the agenda.
    pub(super) fn add(&mut self, at: Moment, job: Job) {
        self.written += 1;
        self.jobs.insert((at, self.written), job);
    }

    /// When the next job is due.
    pub(super) fn due(&self) -> Option<Moment> {
        self.jobs.first_key_value().map(|(&(at, _), _)| at)
    }

    pub(super) fn pop(&mut self) -> Option<(Moment, Job)> {
        self.jobs.pop_first().map(|((at, _), job)| (at, job))
    }
}
