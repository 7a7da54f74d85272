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

/// What is sent each second: all rows, or those that differ from the cut before.
#[derive(Serialize)]
struct Now<Pbx> {
    /// The moment of the cut.  All moments are seconds since the Unix epoch.
    at: f64,
    /// The number of the quarter that goes on.
    quarter: u64,
    pbxs: Vec<Pbx>,
}

#[derive(Serialize)]
struct Pbx<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    queues: Vec<Queue<'a>>,
    agents: Vec<Agent<'a>>,
}

/// The rows that have changed, each with its place among all rows of the cut before.
#[derive(Serialize)]
struct PbxChange<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    queues: Vec<(usize, Queue<'a>)>,
    agents: Vec<(usize, Agent<'a>)>,
}

/// What is known of a PBX itself.
#[derive(Serialize)]
struct Head<'a> {
    name: &'a str,
    phase: &'static str,
    /// Since when it is up, or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<f64>,
    /// Since when it is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted: Option<f64>,
    /// Agents without a label of their own, by state.
    more: Vec<u64>,
}

#[derive(PartialEq, Serialize)]
struct Queue<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<f64>,
    waiting: u64,
    /// Since when the caller waits who waits for longest: not how long, which would change each second.
    #[serde(skip_serializing_if = "Option::is_none")]
    longest: Option<f64>,
    talking: u64,
    /// By state.
    members: Vec<u64>,
    half_hour: Five,
    quarter: Five,
}

#[derive(PartialEq, Serialize)]
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
        let rows = board.rows(health);
        let (queues, agents) = (queues(board, rows), agents(rows));
        Pbx { head: Head::new(health, rows), queues: queues.collect(), agents: agents.collect() }
    });
    event(b"", &Now::new(board, pbxs.collect()))
}

/// The event of what has changed since the cut before; `None` if a row has come or gone, so that
/// places would be others.
pub(super) fn change(before: &Board, now: &Board, health: &[PbxHealth]) -> Option<Vec<u8>> {
    let pbxs = health.iter().map(|health| {
        let (was, is) = (before.rows(health), now.rows(health));
        Some(PbxChange {
            head: Head::new(health, is),
            queues: changed(queues(before, was), queues(now, is), |queue| queue.name)?,
            agents: changed(agents(was), agents(is), |agent| agent.name)?,
        })
    });
    let pbxs: Option<Vec<_>> = pbxs.collect();
    Some(event(b"event: change\n", &Now::new(now, pbxs?)))
}

/// The rows that differ, with their places; `None` if they are not those of the same names.
fn changed<'a, Row: PartialEq>(
    mut before: impl Iterator<Item = Row>,
    now: impl Iterator<Item = Row>,
    name: impl Fn(&Row) -> &'a str,
) -> Option<Vec<(usize, Row)>> {
    let mut changed = Vec::new();
    for (place, row) in now.enumerate() {
        let was = before.next().filter(|was| name(was) == name(&row))?;
        if was != row {
            changed.push((place, row));
        }
    }
    before.next().is_none().then_some(changed)
}

impl Board {
    /// One that a reload has only just added or taken away may have no rows.
    fn rows(&self, of: &PbxHealth) -> Option<&PbxRows> {
        self.pbxs.iter().find(|rows| rows.name == of.name)
    }
}

impl<Pbx> Now<Pbx> {
    fn new(board: &Board, pbxs: Vec<Pbx>) -> Self {
        Self { at: seconds(board.at), quarter: board.quarter, pbxs }
    }
}

impl<'a> Head<'a> {
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
            more: rows.map_or(Vec::new(), |rows| counts(&rows.more_agents)),
        }
    }
}

fn queues<'a>(board: &Board, rows: Option<&'a PbxRows>) -> impl Iterator<Item = Queue<'a>> {
    let at = board.at;
    rows.into_iter().flat_map(|rows| &rows.queues).map(move |row| Queue::new(at, row))
}

fn agents(rows: Option<&PbxRows>) -> impl Iterator<Item = Agent<'_>> {
    rows.into_iter().flat_map(|rows| &rows.agents).map(Agent::from)
}

impl<'a> Queue<'a> {
    fn new(at: Moment, row: &'a QueueRow) -> Self {
        let longest = (row.waiting > 0).then(|| seconds(at.before(row.longest_wait)));
        Self {
            name: &row.name,
            target: row.target.map(|target| target.as_secs_f64()),
            waiting: row.waiting,
            longest,
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
    const SECOND: Duration = Duration::from_secs(1);

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
            r#""since":1763999990.0,"counted":1763996400.0,"more":[0,0,0,0,0,0,0,0,0,0],"#,
            r#""queues":[{"name":"sa\"l\ne"#,
            "\u{2028}",
            r#"s</script>","target":7.5,"waiting":2,"longest":1763999987.654322,"talking":1,"#,
            r#""members":[3,3,3,3,3,3,3,3,3,3],"half_hour":[10,7,5,2,1],"quarter":[4,3,2,1,0]}],"#,
            r#""agents":[{"name":"Ann","state":"busy","busy":"queue"},"#,
            r#"{"name":"Ann","state":"paused","since":1763999999.5,"pause":""},"#,
            r#"{"name":"Ann","state":"on_hold","talk":1763999940.0}]},"#,
            r#"{"name":"new","phase":"starting","more":[],"queues":[],"agents":[]}]}"#,
            "\n\n",
        );
        assert_eq!(event, expected);
    }

    /// `cut` a second later, its caller still waiting, after this change to it.
    fn later(change: impl FnOnce(&mut PbxRows)) -> Board {
        let mut board = cut();
        board.at = board.at.after(SECOND);
        board.pbxs[0].queues[0].longest_wait += SECOND;
        change(&mut board.pbxs[0]);
        board
    }

    fn change_to(now: &Board) -> Option<String> {
        let health = Health::new(["hq", "new"].map(|name| (PbxName::new(name), "a:1".to_owned())));
        health.set(0, Phase::Up { since: Moment::from_secs(T - 10) });
        change(&cut(), now, &health.all()).map(|event| String::from_utf8(event).unwrap())
    }

    fn change_event(queues: &str, agents: &str) -> String {
        format!(
            "event: change\ndata: {{\"at\":1764000001.0,\"quarter\":1960000,\"pbxs\":[{{\"name\":\"hq\",\
             \"phase\":\"up\",\"since\":1763999990.0,\"counted\":1763996400.0,\
             \"more\":[0,0,0,0,0,0,0,0,0,0],\"queues\":[{queues}],\"agents\":[{agents}]}},\
             {{\"name\":\"new\",\"phase\":\"starting\",\"more\":[],\"queues\":[],\"agents\":[]}}]}}\n\n"
        )
    }

    #[test]
    fn a_change_has_the_rows_that_differ() {
        assert_eq!(change_to(&later(|_| {})).unwrap(), change_event("", ""));

        let paused = later(|pbx| pbx.agents[1].pause = Some("lunch".to_owned()));
        let row = r#"[1,{"name":"Ann","state":"paused","since":1763999999.5,"pause":"lunch"}]"#;
        assert_eq!(change_to(&paused).unwrap(), change_event("", row));

        let served = later(|pbx| {
            pbx.queues[0].waiting = 0;
            pbx.queues[0].longest_wait = Duration::ZERO;
            pbx.queues[0].talking = 2;
        });
        let row = concat!(
            r#"[0,{"name":"sa\"l\ne"#,
            "\u{2028}",
            r#"s</script>","target":7.5,"waiting":0,"talking":2,"members":[3,3,3,3,3,3,3,3,3,3],"#,
            r#""half_hour":[10,7,5,2,1],"quarter":[4,3,2,1,0]}]"#,
        );
        assert_eq!(change_to(&served).unwrap(), change_event(row, ""));
    }

    #[test]
    fn there_is_no_change_where_rows_come_or_go() {
        let mut fewer = cut();
        fewer.pbxs[0].agents.pop();
        let mut more = cut();
        let another = QueueRow { name: "zeta".to_owned(), ..more.pbxs[0].queues[0].clone() };
        more.pbxs[0].queues.push(another);
        let mut renamed = cut();
        renamed.pbxs[0].agents[2].name = "Zoe".to_owned();
        let mut gone = cut();
        gone.pbxs.clear();
        for now in [fewer, more, renamed, gone] {
            assert_eq!(change_to(&now), None, "{now:?}");
        }
    }

    /// In each second 20 agents begin something else, and 30 queues have another number.
    #[test]
    fn a_second_of_500_agents_is_small() {
        let of = |at: u64| {
            let mut board = cut();
            let pbx = &mut board.pbxs[0];
            board.at = Moment::from_secs(at);
            let queue = |number: u64| QueueRow {
                name: format!("queue {number:02}"),
                longest_wait: Duration::from_secs(at - T + 30),
                waiting: if number < 30 { at } else { 1 },
                ..pbx.queues[0].clone()
            };
            let agent = |number: u64| AgentRow {
                name: format!("Agent Number {number:03}"),
                state: AgentState::Talking,
                since: Some(Moment::from_secs(if number < 20 { at } else { T })),
                talk_since: Some(Moment::from_secs(T)),
                ..pbx.agents[0].clone()
            };
            (pbx.queues, pbx.agents) =
                ((0..50).map(queue).collect(), (0..500).map(agent).collect());
            board
        };
        let health = Health::new([(PbxName::new("hq"), "a:1".to_owned())]);
        let (before, now) = (of(T), of(T + 1));
        let (all, some) =
            (board(&now, &health.all()), change(&before, &now, &health.all()).unwrap());
        assert_eq!((all.len(), some.len()), (59_381, 7485));
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
