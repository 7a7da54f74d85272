//! Missing events, in words: the effect on the numbers, and the line of `manager.conf` that helps.

use std::borrow::Cow;

use crate::correlator::Missing;

/// The explanation of something that a PBX never sends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// What never comes.
    pub what: Cow<'static, str>,
    /// What the numbers lack without it.
    pub cost: &'static str,
    /// The line that `manager.conf` has where it comes.
    pub line: Cow<'static, str>,
}

/// What `missing` means, and the remedy.
pub fn explain(missing: Missing) -> Explanation {
    let (what, line) = what_and_line(missing);
    Explanation { what, cost: cost_of(missing), line }
}

/// What is missing, and the line that mends it.
fn what_and_line(missing: Missing) -> (Cow<'static, str>, Cow<'static, str>) {
    let fixed = |what: &'static str, line: &'static str| (what.into(), line.into());
    let filtered = |event: &str| {
        let what = format!("{event} is missing although it must come: an event filter removes it");
        let line = format!("eventfilter = ^Event: {event}[[:space:]]");
        (what.into(), line.into())
    };

    match missing {
        Missing::ClassCall => fixed("no event of class call comes, though there are calls", READ),
        Missing::ClassAgent => {
            fixed("no event of class agent comes, though the queues are in use", READ)
        }
        Missing::ClassDialplan => {
            fixed("no event of class dialplan comes, though callers leave queues", READ)
        }
        Missing::ClassSystem => {
            fixed("no event of class system comes, not even at the login", READ)
        }
        Missing::ListChannels => fixed("CoreShowChannels is refused", "write = reporting"),
        Missing::ListQueues => fixed(
            "QueueStatus is refused: app_queue is not loaded",
            "load = app_queue.so in modules.conf",
        ),
        Missing::Timestamps => {
            fixed("events have no Timestamp", "timestampevents = yes in [general]")
        }
        Missing::Newchannel => filtered("Newchannel"),
        Missing::Hangup => filtered("Hangup"),
        Missing::HangupRequest => filtered("HangupRequest"),
        Missing::DialBegin => filtered("DialBegin"),
        Missing::DialEnd => filtered("DialEnd"),
        Missing::BridgeEnter => filtered("BridgeEnter"),
        Missing::BridgeLeave => filtered("BridgeLeave"),
        Missing::LocalBridge => filtered("LocalBridge"),
        Missing::Transfer => filtered("(BlindTransfer|AttendedTransfer)"),
        Missing::QueueCallerJoin => filtered("QueueCallerJoin"),
        Missing::QueueCallerLeave => filtered("QueueCallerLeave"),
        Missing::QueueCallerAbandon => filtered("QueueCallerAbandon"),
        Missing::AgentCalled => filtered("AgentCalled"),
        Missing::AgentConnect => filtered("AgentConnect"),
        Missing::AgentComplete => filtered("AgentComplete"),
        Missing::AgentRingNoAnswer => filtered("AgentRingNoAnswer"),
        Missing::QueueMemberStatus => filtered("QueueMemberStatus"),
        Missing::QueueMemberPause => filtered("QueueMemberPause"),
        Missing::QueueMemberAdded => filtered("QueueMemberAdded"),
        Missing::QueueMemberRemoved => filtered("QueueMemberRemoved"),
        Missing::VarSet => filtered("VarSet"),
    }
}

const fn cost_of(missing: Missing) -> &'static str {
    match missing {
        Missing::ClassCall => {
            "calls and talk times are not counted, and most callers who leave a queue are unserved"
        }
        Missing::ClassAgent => {
            "nothing of queues and agents is counted but what the lists show now and then"
        }
        Missing::ClassDialplan => {
            "callers who time out or leave an empty queue are unserved, and refused ones are not counted"
        }
        Missing::ClassSystem => "the start of the PBX is not known, and a restart is noticed late",
        Missing::ListChannels => {
            "calls that are up at a login are not known, nor those that ended while the link was down"
        }
        Missing::ListQueues => {
            "callers who wait at a login, and members, are not known until an event names them"
        }
        Missing::Timestamps => "times are those at which events are read, some milliseconds late",
        Missing::Newchannel => "calls are counted late, by their first other event, or not at all",
        Missing::Hangup => "calls do not end, and causes are not counted",
        Missing::HangupRequest => {
            "callers who give up are unserved if class dialplan is missing too"
        }
        Missing::DialBegin | Missing::DialEnd => {
            "ring times and results are not known, and calls lack results"
        }
        Missing::BridgeEnter | Missing::BridgeLeave => "talk times are wrong",
        Missing::LocalBridge => "the phones behind Local channels are not found",
        Missing::Transfer => "transfers are not counted",
        Missing::QueueCallerJoin => "callers are adopted, and there are no entries",
        Missing::QueueCallerLeave => "how callers left is decided late, or not known",
        Missing::QueueCallerAbandon => "callers who give up or time out count as exit_key",
        Missing::AgentCalled => "ring times are not known, nor ring attempts without an answer",
        Missing::AgentConnect => "callers count as answered at the end of the talk only",
        Missing::AgentComplete => "which side ended a talk follows from the hangup requests only",
        Missing::AgentRingNoAnswer => "agents who do not answer are not counted",
        Missing::QueueMemberStatus => "agents' states change only from list to list",
        Missing::QueueMemberPause => "pauses are not counted, and known from list to list only",
        Missing::QueueMemberAdded | Missing::QueueMemberRemoved => {
            "members come and go from list to list only"
        }
        Missing::VarSet => {
            "callers who time out or leave an empty queue are unserved, and refused ones are not counted"
        }
    }
}

/// Every class the exporter reads.
const READ: &str = "read = system,call,agent,dialplan";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlator::Word;

    #[test]
    fn each_reason_has_words_of_its_own() {
        for &missing in Missing::ALL {
            let Explanation { what, line, .. } = explain(missing);
            let class = missing.word().strip_prefix("class_");
            assert!(
                class.is_none_or(|class| what.contains(class) && line.contains(class)),
                "{what}: {line}"
            );
            let is_event = missing.word().starts_with("event_");
            assert_eq!(line.starts_with("eventfilter = ^Event: "), is_event, "{line}");
        }
        let whats: std::collections::HashSet<_> =
            Missing::ALL.iter().map(|&missing| explain(missing).what).collect();
        assert_eq!(whats.len(), Missing::ALL.len());
    }
}
