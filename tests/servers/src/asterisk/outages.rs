//! What an exporter must have counted that could not always see: queue_log, played through the
//! rules of METRICS.md (Over a gap).
//!
//! queue_log has whole seconds, and no test knows to the microsecond when the exporter saw what.
//! So an event near the edge of an outage may have been seen or not: every way it could have
//! been is played, and what was counted must be between the least and the most.  Away from the
//! edges there is only one way.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use asterisk_exporter::clock::Moment;
use support::Numbers;

use super::pbx::Pbx;

/// Why the exporter could not see.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cause {
    /// The link was gone.
    Cut,
    /// The exporter was restarted, and forgot everything.
    Exporter,
    /// The PBX stopped: every call ended, and queue_log does not say so.
    Pbx,
}

/// A time in which it could not: from somewhere in `begins` to somewhere in `ends`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    pub(crate) cause: Cause,
    pub(crate) begins: [Moment; 2],
    pub(crate) ends: [Moment; 2],
}

/// What is counted of a queue, in the order of [`FIGURES`].
type Counts = [u64; FIGURES.len()];

/// Metrics, and the label values that are meant.
type Figure = (&'static str, &'static [(&'static str, &'static str)]);

const FIGURES: [Figure; 13] = [
    ("asterisk_queue_entries_total", &[]),
    ("asterisk_queue_adopted_total", &[("phase", "waiting")]),
    ("asterisk_queue_adopted_total", &[("phase", "talking")]),
    ("asterisk_queue_exits_total", &[("outcome", "answered")]),
    ("asterisk_queue_exits_total", &[("outcome", "abandoned")]),
    ("asterisk_queue_exits_total", &[("outcome", "timeout")]),
    ("asterisk_queue_exits_total", &[("outcome", "leave_empty")]),
    ("asterisk_queue_exits_total", &[("outcome", "exit_key")]),
    ("asterisk_queue_exits_total", &[("outcome", "withdrawn")]),
    ("asterisk_queue_exits_total", &[("outcome", "lost")]),
    ("asterisk_queue_completions_total", &[("ended_by", "lost")]),
    // Who ended a talk may be unknown to an exporter that did not see all of it.
    ("asterisk_queue_completions_total", &[]),
    ("asterisk_queue_exits_total", &[]),
];
const ENTRIES: usize = 0;
const ADOPTED_WAITING: usize = 1;
const ADOPTED_TALKING: usize = 2;
const ANSWERED: usize = 3;
const WAIT_LOST: usize = 9;
const TALK_LOST: usize = 10;
const COMPLETIONS: usize = 11;
const EXITS: usize = 12;

/// One stay, as queue_log has it.
#[derive(Clone, Copy, Debug, Default)]
struct Stay {
    entered: u64,
    /// When the wait ended, and as what.
    left: Option<(u64, usize)>,
    completed: Option<u64>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Waiting,
    Talking,
    Gone,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Entered,
    Left(usize),
    Completed,
    OutageBegins(Cause),
    OutageEnds,
}

/// What came of the comparison.
pub(crate) struct Found {
    pub(crate) wrong: Vec<String>,
    /// Stays that certainly ended in an outage.
    pub(crate) lost: u64,
    pub(crate) stays: u64,
    /// Stays of which an event is at an edge.
    pub(crate) unsure: u64,
}

/// Compares; `lives` are the last scrapes of the exporters there were, one after the other.
pub(crate) fn compare(pbx: &Pbx, outages: &[Outage], lives: &[Numbers]) -> Found {
    let text = fs::read_to_string(pbx.queue_log()).expect("a queue_log");
    let mut found = Found { wrong: Vec::new(), lost: 0, stays: 0, unsure: 0 };

    for (queue, stays) in stays(&text) {
        let mut least = [0; FIGURES.len()];
        let mut most = [0; FIGURES.len()];
        for stay in &stays {
            let ways = ways(stay, outages);
            let each = |pick: fn(u64, u64) -> u64| {
                ways.iter()
                    .copied()
                    .reduce(|a, b| std::array::from_fn(|at| pick(a[at], b[at])))
                    .expect("a way")
            };
            let low = each(u64::min);
            let high = each(u64::max);
            (found.stays, found.unsure) = (found.stays + 1, found.unsure + u64::from(low != high));
            found.lost += low[WAIT_LOST] + low[TALK_LOST];
            for at in 0..FIGURES.len() {
                (least[at], most[at]) = (least[at] + low[at], most[at] + high[at]);
            }
        }
        for (at, (metric, labels)) in FIGURES.iter().enumerate() {
            let labels = [&[("queue", queue.as_str())], *labels].concat();
            let counted: f64 = lives.iter().map(|life| life.sum(metric, &labels)).sum();
            if counted < least[at] as f64 || counted > most[at] as f64 {
                let should = format!("{} to {}", least[at], most[at]);
                found
                    .wrong
                    .push(format!("{metric} {labels:?}: {counted} counted, {should} by queue_log"));
            }
        }
    }

    found
}

/// Stays by queue.
fn stays(text: &str) -> BTreeMap<String, Vec<Stay>> {
    let (mut found, mut open): (BTreeMap<String, Vec<Stay>>, BTreeMap<_, usize>) =
        Default::default();
    for line in text.lines() {
        let fields: Vec<_> = line.split('|').collect();
        let [at, call, queue, _, verb, ..] = fields[..] else {
            panic!("no line of queue_log: {line}")
        };
        let at: u64 = at.parse().expect("seconds");
        let stays = found.entry(queue.to_owned()).or_default();
        if verb == "ENTERQUEUE" {
            open.insert((call, queue), stays.len());
            stays.push(Stay { entered: at, ..Stay::default() });
            continue;
        }
        let Some(stay) = open.get(&(call, queue)).map(|&spot| &mut stays[spot]) else { continue };
        match verb {
            "CONNECT" => stay.left = Some((at, ANSWERED)),
            "ABANDON" => stay.left = Some((at, ANSWERED + 1)),
            "EXITWITHTIMEOUT" => stay.left = Some((at, ANSWERED + 2)),
            "EXITEMPTY" => stay.left = Some((at, ANSWERED + 3)),
            "EXITWITHKEY" => stay.left = Some((at, ANSWERED + 4)),
            "WITHDRAW" => stay.left = Some((at, ANSWERED + 5)),
            "COMPLETECALLER" | "COMPLETEAGENT" | "BLINDTRANSFER" | "ATTENDEDTRANSFER" => {
                stay.completed = stay.completed.or(Some(at));
            }
            _ => {}
        }
    }

    found.retain(|queue, _| queue != "NONE");
    found
}

/// Every way in which the exporter can have seen a stay.
fn ways(stay: &Stay, outages: &[Outage]) -> Vec<Counts> {
    let mut events = vec![(stay.entered, Step::Entered)];
    events.extend(stay.left.map(|(at, how)| (at, Step::Left(how))));
    events.extend(stay.completed.map(|at| (at, Step::Completed)));

    // An event is before the n-th edge or behind it; edges are the beginnings and ends of all outages
    // in order.
    let wide = |edge: [Moment; 2]| [edge[0].before(LATE), edge[1].after(LATE)];
    let edges: Vec<[Moment; 2]> =
        outages.iter().flat_map(|outage| [wide(outage.begins), wide(outage.ends)]).collect();
    let places = |second: u64| {
        let first = Moment::from_secs(second);
        let last = Moment::from_secs(second + 1);
        let least = edges.iter().take_while(|edge| edge[1] < first).count();
        let most = edges.iter().take_while(|edge| edge[0] <= last).count();
        least..=most
    };

    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    for &(at, _) in &events {
        let mut longer = Vec::new();
        for order in &orders {
            let from = order.last().copied().unwrap_or(0);
            longer.extend(
                places(at)
                    .filter(|place| *place >= from)
                    .map(|place| [&order[..], &[place]].concat()),
            );
        }
        orders = longer;
    }

    orders.iter().map(|order| counts(&events, order, outages)).collect()
}

/// Plays one way: event `n` is behind `order[n]` edges.
fn counts(events: &[(u64, Step)], order: &[usize], outages: &[Outage]) -> Counts {
    let mut steps = Vec::new();
    for edge in 0..=2 * outages.len() {
        steps.extend(
            order
                .iter()
                .zip(events)
                .filter(|(place, _)| **place == edge)
                .map(|(_, (_, step))| *step),
        );
        if edge < 2 * outages.len() {
            steps.push(if edge % 2 == 0 {
                Step::OutageBegins(outages[edge / 2].cause)
            } else {
                Step::OutageEnds
            });
        }
    }

    let (mut counts, mut known, mut real, mut sees) =
        ([0; FIGURES.len()], Phase::Gone, Phase::Gone, true);
    for step in steps {
        match step {
            Step::Entered => real = Phase::Waiting,
            Step::Left(how) => real = if how == ANSWERED { Phase::Talking } else { Phase::Gone },
            Step::Completed => real = Phase::Gone,
            Step::OutageBegins(cause) => {
                sees = false;
                match cause {
                    Cause::Cut => {}
                    Cause::Exporter => known = Phase::Gone,
                    Cause::Pbx => real = Phase::Gone,
                }
            }
            Step::OutageEnds => {
                sees = true;
                see(known, real, &mut counts);
                known = real;
            }
        }
        if sees && known != real {
            match step {
                Step::Entered => counts[ENTRIES] += 1,
                Step::Left(how) => {
                    counts[how] += 1;
                    counts[EXITS] += 1;
                }
                Step::Completed => counts[COMPLETIONS] += 1,
                Step::OutageBegins(_) | Step::OutageEnds => {}
            }
            known = real;
        }
    }

    counts
}

/// The PBX lists what is there.
fn see(known: Phase, real: Phase, counts: &mut Counts) {
    match (known, real) {
        (Phase::Waiting, Phase::Talking) => {
            counts[ANSWERED] += 1;
            counts[EXITS] += 1;
        }
        (Phase::Waiting, Phase::Gone) => {
            counts[WAIT_LOST] += 1;
            counts[EXITS] += 1;
        }
        (Phase::Talking, Phase::Gone) => {
            counts[TALK_LOST] += 1;
            counts[COMPLETIONS] += 1;
        }
        (Phase::Gone, Phase::Waiting) => counts[ADOPTED_WAITING] += 1,
        (Phase::Gone, Phase::Talking) => counts[ADOPTED_TALKING] += 1,
        _ => {}
    }
}

/// How far a line of queue_log and its event may be apart on a PBX that is busy.
const LATE: Duration = Duration::from_secs(2);
