//! What is compared: the verbs of queue_log, and what the exporter counts for them.

/// What both sides count.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Subject {
    /// Callers who entered.
    Entered,
    /// Waits that an agent ended.
    Answered,
    /// Waits that the caller ended.
    Abandoned,
    /// Waits that the time limit ended.
    Timeout,
    /// Waits that ended for lack of agents.
    LeaveEmpty,
    /// Waits that QueueWithdrawCaller ended.
    Withdrawn,
    /// Waits that the exit key ended.
    ExitKey,
    /// Waits that ended for lack of a common codec.
    Incompatible,
    /// Talks that the caller ended.
    ByCaller,
    /// Talks that the agent ended.
    ByAgent,
    /// Talks that a transfer ended.
    Transferred,
    /// Ring attempts without an answer.
    RingNoAnswer,
    /// Calls that the agent left during the announcement.
    AgentDump,
    /// Pauses of members.
    Paused,
    /// Ends of such pauses.
    Unpaused,
}

/// What only the exporter counts; each can explain a line of queue_log that it counted as nothing
/// else.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Apart {
    /// Waits that ended as `redirected`.
    Redirected,
    /// Waits that ended as `unserved`.
    Unserved,
    /// Waits whose end was hidden.
    WaitLost,
    /// Talks of which it is not known which side ended them.
    EndUnknown,
    /// Talks whose end was hidden.
    EndLost,
    /// Talks that ended five seconds or more before an AgentComplete came, if one came at all.
    EndLate,
    /// Ring attempts whose end was hidden.
    RingLost,
    /// Stays whose beginning was hidden, found waiting.
    AdoptedWaiting,
    /// Stays whose beginning was hidden, found talking.
    AdoptedTalking,
}

/// Whose places in the queue are added up.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Position {
    /// Of callers who entered.
    Entry,
    /// Of callers who abandoned.
    Abandon,
}

/// Why the two sides may differ, as METRICS.md says (Differences to queue_log).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// Redirected while waiting.
    Redirected,
    /// The account does not see why callers leave.
    Unserved,
    /// The end was hidden from the exporter.
    Lost,
    /// The beginning was hidden from the exporter.
    Adopted,
    /// AgentComplete came late or never.
    Late,
    /// Redirected while talking.
    TalkCut,
    /// Only a part of it was seen, so its length is not known.
    Unmeasured,
    /// queue_log has two results of one ring attempt, or two ends of one talk.
    Duplicate,
    /// An UNPAUSE that Asterisk adds as the reason of a pause changes.
    AutoUnpause,
}

impl Subject {
    /// All of them, in the order of a stay.
    pub const ALL: [Self; 15] = [
        Self::Entered,
        Self::Answered,
        Self::Abandoned,
        Self::Timeout,
        Self::LeaveEmpty,
        Self::Withdrawn,
        Self::ExitKey,
        Self::Incompatible,
        Self::ByCaller,
        Self::ByAgent,
        Self::Transferred,
        Self::RingNoAnswer,
        Self::AgentDump,
        Self::Paused,
        Self::Unpaused,
    ];

    /// The verbs of queue_log for it.
    pub const fn verbs(self) -> &'static str {
        match self {
            Self::Entered => "ENTERQUEUE",
            Self::Answered => "CONNECT",
            Self::Abandoned => "ABANDON",
            Self::Timeout => "EXITWITHTIMEOUT",
            Self::LeaveEmpty => "EXITEMPTY",
            Self::Withdrawn => "WITHDRAW",
            Self::ExitKey => "EXITWITHKEY",
            Self::Incompatible => "SYSCOMPAT",
            Self::ByCaller => "COMPLETECALLER",
            Self::ByAgent => "COMPLETEAGENT",
            Self::Transferred => "*TRANSFER",
            Self::RingNoAnswer => "RINGNOANSWER",
            Self::AgentDump => "AGENTDUMP",
            Self::Paused => "PAUSE",
            Self::Unpaused => "UNPAUSE",
        }
    }

    /// What the exporter counts for them, with the values of the deciding label.
    pub const fn counter(self) -> Counter {
        match self {
            Self::Entered => Counter { name: "asterisk_queue_entries_total", values: &[] },
            Self::Answered => exits(&["answered"]),
            Self::Abandoned => exits(&["abandoned"]),
            Self::Timeout => exits(&["timeout"]),
            Self::LeaveEmpty => exits(&["leave_empty"]),
            Self::Withdrawn => exits(&["withdrawn"]),
            Self::ExitKey => exits(&["exit_key"]),
            Self::Incompatible => exits(&["incompatible"]),
            Self::ByCaller => completions(&["caller"]),
            Self::ByAgent => completions(&["agent"]),
            Self::Transferred => completions(&["transfer"]),
            Self::RingNoAnswer => rings(&["no_answer", "busy", "failed"]),
            Self::AgentDump => Counter { name: "asterisk_queue_agent_dumps_total", values: &[] },
            Self::Paused => Counter { name: "asterisk_queue_pauses_total", values: &["paused"] },
            Self::Unpaused => {
                Counter { name: "asterisk_queue_pauses_total", values: &["unpaused"] }
            }
        }
    }
}

impl Position {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Entry, Self::Abandon];

    /// Whose lines have them.
    pub const fn subject(self) -> Subject {
        match self {
            Self::Entry => Subject::Entered,
            Self::Abandon => Subject::Abandoned,
        }
    }

    /// The value of the metric's label `at`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Abandon => "abandon",
        }
    }
}

impl Apart {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Redirected,
        Self::Unserved,
        Self::WaitLost,
        Self::EndUnknown,
        Self::EndLost,
        Self::EndLate,
        Self::RingLost,
        Self::AdoptedWaiting,
        Self::AdoptedTalking,
    ];

    /// Where the exporter counts it; `None` for what is not counted by queue.
    pub const fn counter(self) -> Option<Counter> {
        Some(match self {
            Self::Redirected => exits(&["redirected"]),
            Self::Unserved => exits(&["unserved"]),
            Self::WaitLost => exits(&["lost"]),
            Self::EndUnknown => completions(&["unknown"]),
            Self::EndLost => completions(&["lost"]),
            Self::EndLate => return None,
            Self::RingLost => rings(&["lost"]),
            Self::AdoptedWaiting => {
                Counter { name: "asterisk_queue_adopted_total", values: &["waiting"] }
            }
            Self::AdoptedTalking => {
                Counter { name: "asterisk_queue_adopted_total", values: &["talking"] }
            }
        })
    }
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Redirected,
        Self::Unserved,
        Self::Lost,
        Self::Adopted,
        Self::Late,
        Self::TalkCut,
        Self::Unmeasured,
        Self::Duplicate,
        Self::AutoUnpause,
    ];

    /// One word for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Redirected => "redirected",
            Self::Unserved => "unserved",
            Self::Lost => "lost",
            Self::Adopted => "adopted",
            Self::Late => "late_complete",
            Self::TalkCut => "redirected_talk",
            Self::Unmeasured => "unmeasured",
            Self::Duplicate => "logged_twice",
            Self::AutoUnpause => "auto_unpause",
        }
    }

    /// What it means, for people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Redirected => "redirected while waiting",
            Self::Unserved => "unserved: the account does not see why they left",
            Self::Lost => "lost: ended while the exporter was not synchronised",
            Self::Adopted => "adopted: began while the exporter was not synchronised",
            Self::Late => "AgentComplete came late, or never",
            Self::TalkCut => "redirected while talking: queue_log counts on",
            Self::Unmeasured => "not seen from beginning to end",
            Self::Duplicate => "duplicate in queue_log, of one ring attempt or one talk",
            Self::AutoUnpause => {
                "Auto-Unpause: the reason of a pause changed (log_unpause_on_reason_change)"
            }
        }
    }
}

/// A counter of the exporter, or a part of it.
#[derive(Clone, Copy, Debug)]
pub struct Counter {
    /// Its name.
    pub name: &'static str,
    /// The values of its deciding label that count; none if all do.
    pub values: &'static [&'static str],
}

impl Counter {
    /// The label that decides.
    pub fn label(self) -> Option<&'static str> {
        LABELS.iter().find(|(name, _)| *name == self.name).map(|(_, label)| *label)
    }

    /// As a PromQL selector.
    pub fn selector(self) -> String {
        match (self.label(), self.values) {
            (Some(label), [value]) => format!("{}{{{label}=\"{value}\"}}", self.name),
            (Some(label), values) => format!("{}{{{label}=~\"{}\"}}", self.name, values.join("|")),
            (None, _) => self.name.to_owned(),
        }
    }
}

/// The deciding labels.
const LABELS: [(&str, &str); 5] = [
    ("asterisk_queue_exits_total", "outcome"),
    ("asterisk_queue_completions_total", "ended_by"),
    ("asterisk_queue_rings_total", "result"),
    ("asterisk_queue_pauses_total", "change"),
    ("asterisk_queue_adopted_total", "phase"),
];

const fn exits(values: &'static [&'static str]) -> Counter {
    Counter { name: "asterisk_queue_exits_total", values }
}

const fn completions(values: &'static [&'static str]) -> Counter {
    Counter { name: "asterisk_queue_completions_total", values }
}

const fn rings(values: &'static [&'static str]) -> Counter {
    Counter { name: "asterisk_queue_rings_total", values }
}
