//! What is sent of a cut.

use std::collections::BTreeMap;

use serde::Serialize;

use super::limits::{LIMITS, Limits};
use crate::clock::Moment;
use crate::correlator::{AgentState, Word};
use crate::health::{PbxHealth, Phase};
use crate::metrics::{AgentRow, Board, PbxRows, QueueRow, RecentCounts};

/// What changes with the quarter of an hour only.
#[derive(Serialize)]
struct Background<'a> {
    version: &'static str,
    /// The states of agents, in the order of the counts by state.
    states: Vec<&'static str>,
    limits: &'static Limits,
    /// By PBX and queue the quarters that ended, each by its number since the Unix epoch.
    quarters: BTreeMap<&'a str, BTreeMap<&'a str, Ended>>,
}

/// What is sent each second.
#[derive(Serialize)]
struct Now<'a> {
    /// The moment of the cut.  All moments are seconds since the Unix epoch.
    at: f64,
    /// The number of the quarter that goes on.
    quarter: u64,
    pbxs: Vec<Pbx<'a>>,
}

#[derive(Serialize)]
struct Pbx<'a> {
    name: &'a str,
    phase: &'static str,
    /// Since when it is up, or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<f64>,
    /// Since when it is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted: Option<f64>,
    queues: Vec<Queue<'a>>,
    agents: Vec<Agent<'a>>,
    /// Agents without a label of their own, by state.
    more: Vec<u64>,
}

#[derive(Serialize)]
struct Queue<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<f64>,
    waiting: u64,
    longest: f64,
    talking: u64,
    /// By state.
    members: Vec<u64>,
    half_hour: Five,
    quarter: Five,
}

#[derive(Serialize)]
struct Agent<'a> {
    name: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    talk: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    busy: Option<&'static str>,
}

/// Entered, answered, answered in target, abandoned, and all other exits.
type Five = [u32; 5];

/// Quarters that ended, each by its number.
type Ended = Vec<(u64, Five)>;

/// The event of what changes with the quarter only.
pub(super) fn background(board: &Board) -> Vec<u8> {
    let quarters = board.pbxs.iter().map(|pbx| (pbx.name.as_str(), quarters(pbx).collect()));
    let background = Background {
        version: env!("CARGO_PKG_VERSION"),
        states: AgentState::ALL.iter().map(|state| state.word()).collect(),
        limits: &LIMITS,
        quarters: quarters.collect(),
    };
    event(b"event: background\n", &background)
}

/// The event of what goes on, with the state of each session; PBXs are in their configured order.
pub(super) fn board(board: &Board, health: &[PbxHealth]) -> Vec<u8> {
    let pbxs = health.iter().map(|health| {
        let rows = board.pbxs.iter().find(|rows| rows.name == health.name);
        Pbx::new(health, rows)
    });
    let now = Now { at: seconds(board.at), quarter: board.quarter, pbxs: pbxs.collect() };
    event(b"", &now)
}

impl<'a> Pbx<'a> {
    /// One that a reload has only just added or taken away may have no rows.
    fn new(health: &'a PbxHealth, rows: Option<&'a PbxRows>) -> Self {
        let since = match (&health.phase, &health.trouble) {
            (Phase::Up { since }, _) => Some(*since),
            (_, trouble) => trouble.as_ref().map(|trouble| trouble.since),
        };
        Self {
            name: health.name.as_str(),
            phase: health.phase.word(),
            since: since.map(seconds),
            counted: rows.and_then(|rows| rows.counted).map(seconds),
            queues: rows.map_or(Vec::new(), |rows| rows.queues.iter().map(Queue::from).collect()),
            agents: rows.map_or(Vec::new(), |rows| rows.agents.iter().map(Agent::from).collect()),
            more: rows.map_or(Vec::new(), |rows| counts(&rows.more_agents)),
        }
    }
}

impl<'a> From<&'a QueueRow> for Queue<'a> {
    fn from(row: &'a QueueRow) -> Self {
        Self {
            name: &row.name,
            target: row.target.map(|target| target.as_secs_f64()),
            waiting: row.waiting,
            longest: row.longest_wait.as_secs_f64(),
            talking: row.talking,
            members: counts(&row.members),
            half_hour: five(row.counts.half_hour),
            quarter: five(row.counts.quarter),
        }
    }
}

impl<'a> From<&'a AgentRow> for Agent<'a> {
    fn from(row: &'a AgentRow) -> Self {
        Self {
            name: &row.name,
            state: row.state.word(),
            since: row.since.map(seconds),
            talk: row.talk_since.map(seconds),
            pause: row.pause.as_deref(),
            busy: row.busy.map(Word::word),
        }
    }
}

fn quarters(pbx: &PbxRows) -> impl Iterator<Item = (&str, Ended)> {
    pbx.quarters.iter().map(|(queue, all)| {
        let all = all.iter().map(|(number, counts)| (*number, five(*counts)));
        (queue.as_str(), all.collect())
    })
}

fn five(counts: RecentCounts) -> Five {
    let RecentCounts { entered, answered, in_target, abandoned, others } = counts;
    [entered, answered, in_target, abandoned, others]
}

fn counts(by_state: &[(AgentState, u64)]) -> Vec<u64> {
    by_state.iter().map(|(_, count)| *count).collect()
}

/// Seconds since the Unix epoch.
fn seconds(moment: Moment) -> f64 {
    moment.since(Moment::EPOCH).as_secs_f64()
}

/// JSON has no line feeds of its own, which would end the data of an event.
fn event(kind: &[u8], data: &impl Serialize) -> Vec<u8> {
    let mut event = [kind, b"data: "].concat();
    // There is no map with other keys than texts, and writing to memory cannot fail.
    let written = serde_json::to_writer(&mut event, data);
    debug_assert!(written.is_ok(), "{written:?}");
    event.extend(b"\n\n");
    event
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::correlator::CallKind;
    use crate::health::Health;
    use crate::metrics::QueueCounts;
    use crate::pbx::PbxName;

    const T: u64 = 1_764_000_000;

    fn counts([entered, answered, in_target, abandoned, others]: Five) -> RecentCounts {
        RecentCounts { entered, answered, in_target, abandoned, others }
    }

    fn in_states(each: u64) -> Vec<(AgentState, u64)> {
        AgentState::ALL.iter().map(|&state| (state, each)).collect()
    }

    fn cut() -> Board {
        let queue = QueueRow {
            name: "sa\"l\ne\u{2028}s</script>".to_owned(),
            target: Some(Duration::from_millis(7500)),
            waiting: 2,
            talking: 1,
            longest_wait: Duration::from_micros(12_345_678),
            members: in_states(3),
            counts: QueueCounts {
                half_hour: counts([10, 7, 5, 2, 1]),
                quarter: counts([4, 3, 2, 1, 0]),
            },
        };
        let idle = AgentRow {
            name: "Ann".to_owned(),
            state: AgentState::Available,
            since: None,
            talk_since: None,
            pause: None,
            busy: None,
        };
        let agents = vec![
            AgentRow { busy: Some(CallKind::Queue), state: AgentState::Busy, ..idle.clone() },
            AgentRow {
                pause: Some(String::new()),
                state: AgentState::Paused,
                since: Some(Moment::from_micros(T * 1_000_000 - 500_000)),
                ..idle.clone()
            },
            AgentRow {
                state: AgentState::OnHold,
                talk_since: Some(Moment::from_secs(T - 60)),
                ..idle
            },
        ];
        let pbx = PbxRows {
            name: PbxName::new("hq"),
            counted: Some(Moment::from_secs(T - 3600)),
            quarters: [(queue.name.clone(), vec![(1_959_999, counts([6, 4, 3, 1, 1]))])].into(),
            queues: vec![queue],
            agents,
            more_agents: in_states(0),
        };
        Board { at: Moment::from_secs(T), quarter: 1_960_000, pbxs: vec![pbx] }
    }

    #[test]
    fn a_cut_is_one_line_with_every_number() {
        let health = Health::new(["hq", "new"].map(|name| (PbxName::new(name), "a:1".to_owned())));
        health.set(0, Phase::Up { since: Moment::from_secs(T - 10) });
        let event = String::from_utf8(board(&cut(), &health.all())).unwrap();
        let expected = concat!(
            r#"data: {"at":1764000000.0,"quarter":1960000,"pbxs":[{"name":"hq","phase":"up","#,
            r#""since":1763999990.0,"counted":1763996400.0,"queues":[{"name":"sa\"l\ne"#,
            "\u{2028}",
            r#"s</script>","target":7.5,"waiting":2,"longest":12.345678,"talking":1,"#,
            r#""members":[3,3,3,3,3,3,3,3,3,3],"half_hour":[10,7,5,2,1],"quarter":[4,3,2,1,0]}],"#,
            r#""agents":[{"name":"Ann","state":"busy","busy":"queue"},"#,
            r#"{"name":"Ann","state":"paused","since":1763999999.5,"pause":""},"#,
            r#"{"name":"Ann","state":"on_hold","talk":1763999940.0}],"#,
            r#""more":[0,0,0,0,0,0,0,0,0,0]},"#,
            r#"{"name":"new","phase":"starting","queues":[],"agents":[],"more":[]}]}"#,
            "\n\n",
        );
        assert_eq!(event, expected);
    }

    #[test]
    fn the_background_has_what_the_page_needs_to_read_a_cut() {
        let event = String::from_utf8(background(&cut())).unwrap();
        let expected = concat!(
            "event: background\ndata: {\"version\":\"",
            env!("CARGO_PKG_VERSION"),
            r#"","states":["talking","on_hold","ringing","busy","wrapup","dnd","unavailable","#,
            r#""paused","available","unknown"],"limits":{"service_level":0.7,"#,
            r#""abandon_ratio":0.15,"min_calls":10,"agent_pause_seconds":1800,"#,
            r#""agent_wrapup_seconds":300,"agent_talk_seconds":1800},"quarters":{"hq":{"#,
            r#""sa\"l\ne"#,
            "\u{2028}",
            r#"s</script>":[[1959999,[6,4,3,1,1]]]}}}"#,
            "\n\n",
        );
        assert_eq!(event, expected);
    }
}
