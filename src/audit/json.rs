//! The report for programs.

use serde_json::{Value, json};

use super::report::{CallRow, Figures, Report, ReportRow, What};
use super::subject::{Apart, Position, Subject};
use super::window::Edge;
use crate::calendar::utc;

impl Report {
    /// The report as JSON; `files` are those of queue_log.
    pub fn json(&self, files: &[String]) -> Value {
        let at = |edge: Option<Edge>| edge.map(|edge| utc(edge.at));
        let file = |at: usize| files.get(at).cloned().unwrap_or_default();
        let examples = self.examples.iter().map(
            |&(at, line, why)| json!({ "file": file(at), "line": line, "why": why.to_string() }),
        );

        json!({
            "agrees": self.agrees(),
            "since": at(self.window.since),
            "until": at(self.window.until),
            "files": files,
            "lines": {
                "compared": self.compared,
                "outside": self.outside,
                "malformed": self.malformed.values().sum::<u64>(),
                "not_compared": self.not_compared.values().sum::<u64>(),
                "foreign": self.foreign.values().sum::<u64>(),
            },
            "left_out_at_edges": self.left_out,
            "malformed": examples.collect::<Vec<_>>(),
            "not_compared": self.not_compared,
            "foreign": self.foreign,
            "notes": self.notes,
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

fn row(row: &ReportRow) -> Value {
    let mut value = figures(&row.figures);
    value["queue"] = json!(row.queue);
    value["what"] = json!(row.what.word());
    value["verbs"] = json!(row.what.verb_list());
    value["metric"] = json!(row.what.metric());
    value["state"] = json!(row.state.word());
    value["calls"] = row.calls.iter().map(call).collect();
    value["more_calls"] = json!(row.more_calls);
    value
}

fn call(call: &CallRow) -> Value {
    let mut value = figures(&call.figures);
    value["uniqueid"] = json!(call.uniqueid);
    value["state"] = json!(call.state.word());
    value
}

fn figures(figures: &Figures) -> Value {
    match figures {
        Figures::Counts { logged, counted, missing, extra, explained } => json!({
            "queue_log": logged,
            "exporter": counted,
            "only_in_queue_log": missing,
            "only_in_exporter": extra,
            "explained": explained.iter().map(|(reason, number)| {
                json!({ "reason": reason.word(), "number": number })
            }).collect::<Vec<_>>(),
        }),
        Figures::Seconds { logged, counted, tolerance, explained, lacking } => json!({
            "queue_log": logged,
            "exporter": rounded(*counted),
            "tolerance": tolerance,
            "without_length": lacking,
            "explained": explained.iter().map(|(reason, seconds, calls)| {
                json!({ "reason": reason.word(), "seconds": rounded(*seconds), "number": calls })
            }).collect::<Vec<_>>(),
        }),
    }
}

/// To the microsecond, which is what a Timestamp has.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

impl What {
    /// One word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Count(subject) => subject.word(),
            Self::Apart(apart) => apart.word(),
            Self::Hold => "hold_seconds",
            Self::Talk => "talk_seconds",
            Self::Position(Position::Entry) => "entry_positions",
            Self::Position(Position::Abandon) => "abandon_positions",
        }
    }

    fn verb_list(self) -> Vec<&'static str> {
        match self {
            Self::Count(Subject::Transferred) => {
                vec!["BLINDTRANSFER", "ATTENDEDTRANSFER", "TRANSFER"]
            }
            Self::Count(subject) => vec![subject.verbs()],
            Self::Apart(_) => Vec::new(),
            Self::Hold => vec!["CONNECT"],
            Self::Position(at) => vec![at.subject().verbs()],
            Self::Talk => vec![
                "COMPLETECALLER",
                "COMPLETEAGENT",
                "BLINDTRANSFER",
                "ATTENDEDTRANSFER",
                "TRANSFER",
            ],
        }
    }

    fn metric(self) -> Option<String> {
        match self {
            Self::Count(subject) => Some(subject.counter().selector()),
            Self::Apart(apart) => apart.counter().map(super::subject::Counter::selector),
            Self::Hold => Some("asterisk_queue_hold_seconds_sum{outcome=\"answered\"}".to_owned()),
            Self::Talk => Some("asterisk_queue_talk_seconds_sum".to_owned()),
            Self::Position(at) => {
                Some(format!("asterisk_queue_position_sum{{at=\"{}\"}}", at.label()))
            }
        }
    }
}

impl Subject {
    const fn word(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Answered => "answered",
            Self::Abandoned => "abandoned",
            Self::Timeout => "timeout",
            Self::LeaveEmpty => "leave_empty",
            Self::Withdrawn => "withdrawn",
            Self::ExitKey => "exit_key",
            Self::Incompatible => "incompatible",
            Self::ByCaller => "completed_by_caller",
            Self::ByAgent => "completed_by_agent",
            Self::Transferred => "completed_by_transfer",
            Self::RingNoAnswer => "rang_in_vain",
            Self::AgentDump => "agent_dumps",
            Self::Paused => "paused",
            Self::Unpaused => "unpaused",
        }
    }
}

impl Apart {
    const fn word(self) -> &'static str {
        match self {
            Self::Redirected => "redirected",
            Self::Unserved => "unserved",
            Self::WaitLost => "lost",
            Self::EndUnknown => "completed_by_unknown",
            Self::EndLost => "completion_lost",
            Self::EndLate => "completed_late",
            Self::RingLost => "ring_lost",
            Self::AdoptedWaiting => "adopted_waiting",
            Self::AdoptedTalking => "adopted_talking",
        }
    }
}
