//! What a line means, as the exporter would have observed it (METRICS.md, Differences to queue_log).

use crate::correlator::{
    AgentId, EndedBy, Observation, Outcome, PauseChange, PositionAt, QueueId, RingResult,
};
use crate::queue_log::{Line, Verb};

/// Tells what a line of `queue` and `agent` means; a RINGNOANSWER is told when it is sure.
pub(super) fn facts(
    line: &Line<'_>,
    queue: QueueId,
    agent: AgentId,
    mut tell: impl FnMut(Observation),
) {
    let exit = |outcome| Observation::Exited { queue, outcome, hold: line.waited };
    let end = |ended_by, talk| Observation::Completed { queue, agent, ended_by, talk };
    let pause = |change| Observation::MemberPaused { queue, agent, change };

    match line.verb {
        Verb::Entered { position } => {
            tell(Observation::Entered { queue });
            tell_position(queue, PositionAt::Entry, position, &mut tell);
        }
        Verb::Connected { hold, ring } => {
            let outcome = Outcome::Answered;
            tell(Observation::Exited { queue, outcome, hold: Some(hold) });
            let result = RingResult::Answered;
            tell(Observation::RingEnded { queue, agent, result, length: ring });
        }
        Verb::Abandoned { position } => {
            tell(exit(Outcome::Abandoned));
            tell_position(queue, PositionAt::Abandon, position, &mut tell);
        }
        Verb::TimedOut => tell(exit(Outcome::Timeout)),
        Verb::LeftEmpty => tell(exit(Outcome::LeaveEmpty)),
        Verb::Withdrawn => tell(exit(Outcome::Withdrawn)),
        Verb::PressedKey => tell(exit(Outcome::ExitKey)),
        Verb::Incompatible => tell(exit(Outcome::Incompatible)),
        Verb::CompletedByCaller { talk } => tell(end(EndedBy::Caller, Some(talk))),
        Verb::CompletedByAgent { talk } => tell(end(EndedBy::Agent, Some(talk))),
        Verb::Transferred { talk } => tell(end(EndedBy::Transfer, talk)),
        Verb::AgentDumped => tell(Observation::AgentDumped { queue, agent }),
        Verb::Paused => tell(pause(PauseChange::Paused)),
        Verb::Unpaused => tell(pause(PauseChange::Unpaused)),
        Verb::RingNoAnswer | Verb::AutoUnpaused | Verb::Other(_) => {}
    }
}

fn tell_position(
    queue: QueueId,
    at: PositionAt,
    position: Option<u32>,
    tell: &mut impl FnMut(Observation),
) {
    if let Some(position) = position {
        tell(Observation::Positioned { queue, at, position });
    }
}

/// The agent whom a line is about, if it is about one: ABANDON has one who was rung.
pub(super) fn agent<'a>(line: &Line<'a>) -> Option<&'a [u8]> {
    let is_about_agent = matches!(
        line.verb,
        Verb::Connected { .. }
            | Verb::CompletedByCaller { .. }
            | Verb::CompletedByAgent { .. }
            | Verb::Transferred { .. }
            | Verb::RingNoAnswer
            | Verb::AgentDumped
            | Verb::Paused
            | Verb::Unpaused
    );
    is_about_agent.then_some(line.agent)
}
