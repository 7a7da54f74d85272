//! What a PBX's log has of a gap.

use std::path::{Path, PathBuf};

use super::files::{Read, Reading};
use super::warnings::Warnings;
use crate::clock::Moment;
use crate::correlator::{EndedBy, Fact, Logged, Outcome, Past, PauseChange};
use crate::error::with_causes;
use crate::pbx::PbxName;
use crate::queue_log::{Line, SinceError, Verb, read_since};

/// Lines of the log from a second on; `None` if it cannot be read.
pub(super) async fn read(
    (pbx, reading): (&PbxName, &Reading),
    log: &Path,
    since: u64,
    login: Moment,
    warnings: &mut Warnings,
) -> Option<Past> {
    let path: PathBuf = log.into();
    match reading.read(move || lines(&path, since)).await {
        Read::Done(Ok(lines)) => {
            warnings.log_readable();
            Some(Past { lines, login })
        }
        Read::Done(Err(error)) => {
            warnings.log_unreadable(pbx, &with_causes(&error));
            None
        }
        Read::Hangs => {
            warnings.log_unreadable(pbx, &format!("reading {} hangs", log.display()));
            None
        }
        Read::NotNow => None,
    }
}

fn lines(path: &Path, since: u64) -> Result<Vec<Logged>, SinceError> {
    let mut lines = Vec::new();
    read_since(path, since, |line| lines.extend(logged(line)))?;
    Ok(lines)
}

/// The line as the correlator takes it; `None` for one that it would not count.
fn logged(line: &Line<'_>) -> Option<Logged> {
    let hold = line.waited;
    let left = |outcome| Fact::Left { outcome, hold, position: None };
    let completed = |ended_by, talk| Fact::Completed { ended_by, talk };
    let fact = match line.verb {
        Verb::Other(b"QUEUESTART") => Fact::Started,
        _ if line.queue == b"NONE" => return None,
        Verb::Entered { position } => Fact::Entered { position },
        Verb::Connected { hold, ring } => Fact::Connected { hold, ring },
        Verb::Abandoned { position } => Fact::Left { outcome: Outcome::Abandoned, hold, position },
        Verb::TimedOut => left(Outcome::Timeout),
        Verb::LeftEmpty => left(Outcome::LeaveEmpty),
        Verb::Withdrawn => left(Outcome::Withdrawn),
        Verb::PressedKey => left(Outcome::ExitKey),
        Verb::Incompatible => left(Outcome::Incompatible),
        Verb::CompletedByCaller { talk } => completed(EndedBy::Caller, Some(talk)),
        Verb::CompletedByAgent { talk } => completed(EndedBy::Agent, Some(talk)),
        Verb::Transferred { talk } => completed(EndedBy::Transfer, talk),
        Verb::RingNoAnswer => Fact::RingNoAnswer,
        Verb::AgentDumped => Fact::Dumped,
        Verb::Paused => Fact::Paused(PauseChange::Paused),
        Verb::Unpaused => Fact::Paused(PauseChange::Unpaused),
        Verb::AutoUnpaused | Verb::Other(_) => return None,
    };
    let (call, queue, agent) = (line.call.into(), line.queue.into(), line.agent.into());
    Some(Logged { at: line.at, call, queue, agent, fact })
}
