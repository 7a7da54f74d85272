//! What is to happen, and when.

use std::collections::BTreeMap;

use super::id::{AgentId, ChannelId, DialId, MemberId, QueueId, StayId, TalkId};
use crate::clock::Moment;

/// What happens next.  A job names its object, and does nothing if that is gone.
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
    /// The caller abandons.
    GiveUp(StayId),
    /// The queue's time limit is over.
    Expire(StayId),
    /// The caller presses the exit key.
    Press(StayId),
    /// The agent presses hold.
    Hold(TalkId),
    /// The agent takes the caller back.
    Unhold(TalkId),
    /// The talk ends as planned.
    EndTalk(TalkId),
    /// A late AgentComplete.
    Complete(TalkId),
    /// The colleague answers the consultation of an attended transfer.
    Consulted(TalkId),
    /// The agent completes the transfer.
    HandOver(TalkId),
    /// The transferred call ends.
    EndHandedOver(TalkId),
    /// A dialled leg rings.
    Ring(DialId),
    /// A dialled leg is answered, refused or given up.
    Resolve(DialId),
    /// A dialled call ends.
    EndDial(DialId),
    /// The first leg of a click-to-call is answered, or not.
    Originated(ChannelId, AgentId, bool),
    /// An announcement or voicemail ends; whether the caller ends it.
    Leave(ChannelId, bool),
    /// Pauses.
    Pause(AgentId),
    /// The pause ends.
    Resume(AgentId),
    /// A member whom the queue paused comes back.
    ResumeIn(QueueId, MemberId),
    /// The team of the strict queue has its meeting.
    Meet,
    /// The team comes back.
    MeetingOver,
    /// A phone loses its network.
    DisconnectPhone,
    /// The phone is back.
    ReconnectPhone(AgentId),
}

/// What is to happen, in order.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    jobs: BTreeMap<(Moment, u64), Job>,
    /// Counts jobs, so that those of one moment happen in the order in which they were added.
    added: u64,
}

impl Agenda {
    /// Puts a job on the agenda.
    pub(super) fn add(&mut self, at: Moment, job: Job) {
        self.added += 1;
        self.jobs.insert((at, self.added), job);
    }

    /// When the next job is due.
    pub(super) fn due(&self) -> Option<Moment> {
        self.jobs.first_key_value().map(|(&(at, _), _)| at)
    }

    pub(super) fn pop(&mut self) -> Option<(Moment, Job)> {
        self.jobs.pop_first().map(|((at, _), job)| (at, job))
    }
}
