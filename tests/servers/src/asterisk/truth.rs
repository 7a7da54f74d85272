//! What queue_log and the CDRs say, read anew here, and where the exporter differs.

use std::collections::BTreeMap;
use std::fs;

use support::Numbers;

use super::pbx::Pbx;
use super::stage::{Scenario, Want};

/// Verbs of queue_log by queue, in the order in which they came.
pub(crate) type Verbs = BTreeMap<String, Vec<String>>;

/// In place of the second end of a talk: which of both the exporter counted, two threads of
/// Asterisk decide.
const ONCE_MORE: &str = "(once more)";

/// A number of verbs of queue_log, and what the exporter counts for them.
type Pair = (&'static [&'static str], &'static str, &'static [(&'static str, &'static str)]);

/// Everything that both have.
const PAIRS: &[Pair] = &[
    (&["ENTERQUEUE"], "asterisk_queue_entries_total", &[]),
    (&["CONNECT"], "asterisk_queue_exits_total", &[("outcome", "answered")]),
    (&["ABANDON"], "asterisk_queue_exits_total", &[("outcome", "abandoned")]),
    (&["EXITWITHTIMEOUT"], "asterisk_queue_exits_total", &[("outcome", "timeout")]),
    (&["EXITEMPTY"], "asterisk_queue_exits_total", &[("outcome", "leave_empty")]),
    (&["WITHDRAW"], "asterisk_queue_exits_total", &[("outcome", "withdrawn")]),
    (&["EXITWITHKEY"], "asterisk_queue_exits_total", &[("outcome", "exit_key")]),
    (&["COMPLETECALLER"], "asterisk_queue_completions_total", &[("ended_by", "caller")]),
    (&["COMPLETEAGENT"], "asterisk_queue_completions_total", &[("ended_by", "agent")]),
    (
        &["BLINDTRANSFER", "ATTENDEDTRANSFER"],
        "asterisk_queue_completions_total",
        &[("ended_by", "transfer")],
    ),
    (&["AGENTDUMP"], "asterisk_queue_agent_dumps_total", &[]),
    (&["PAUSE"], "asterisk_queue_pauses_total", &[("change", "paused")]),
    (&["UNPAUSE"], "asterisk_queue_pauses_total", &[("change", "unpaused")]),
];
const ENDS: [&str; 4] = ["COMPLETECALLER", "COMPLETEAGENT", "BLINDTRANSFER", "ATTENDEDTRANSFER"];
const IN_VAIN: [&str; 3] = ["no_answer", "busy", "failed"];

/// Talks that queue_log has begun and not ended.
#[derive(Default)]
struct Talks<'a>(Vec<(&'a str, String, &'a str)>);

impl<'a> Talks<'a> {
    fn begin(&mut self, call: &'a str, queue: &str, agent: &'a str) {
        self.0.push((call, queue.to_owned(), agent));
    }

    /// Whether the end is one of a talk that goes on.  A caller who has another channel by then,
    /// since his own one was optimised away or masqueraded, is known by his agent.
    fn end(&mut self, call: &str, queue: &str, agent: &str) -> bool {
        let same = |(c, q, _): &(&str, String, &str)| *c == call && q == queue;
        let other = |(_, q, a): &(&str, String, &str)| q == queue && *a == agent;
        let found = self.0.iter().position(same).or_else(|| self.0.iter().position(other));
        found.map(|at| self.0.swap_remove(at)).is_some()
    }
}

/// Reads a server's queue_log.  Its duplicates (16, METRICS.md) are left out: a second end of a
/// talk, and a failed ring attempt that was answered.  So is what it has of a pause that only has
/// another reason.
pub(crate) fn verbs(pbx: &Pbx) -> Verbs {
    let text = fs::read_to_string(pbx.queue_log()).expect("a queue_log");
    let mut found = Verbs::new();
    let mut rang = BTreeMap::new();
    let mut talks = Talks::default();

    for line in text.lines().filter(|line| !line.ends_with("|UNPAUSE|Auto-Unpause")) {
        let fields: Vec<_> = line.split('|').collect();
        let [at, call, queue, agent, verb, ..] = fields[..] else {
            panic!("no line of queue_log: {line}")
        };
        let at = at.parse::<u64>().expect("seconds");
        let queue = name_of(queue);
        match verb {
            "RINGNOANSWER" => drop(rang.insert((call, queue.clone(), agent), at)),
            "CONNECT" => {
                let ring: u64 = fields[7].parse().expect("seconds");
                if rang.remove(&(call, queue.clone(), agent)).is_some_and(|when| when + ring > at) {
                    let verbs = found.get_mut(&queue).expect("a ringing");
                    let last =
                        verbs.iter().rposition(|verb| verb == "RINGNOANSWER").expect("a ringing");
                    verbs.remove(last);
                }
            }
            _ => {}
        }
        if verb == "CONNECT" {
            talks.begin(call, &queue, agent);
        }
        let again = ENDS.contains(&verb) && !talks.end(call, &queue, agent);
        found.entry(queue).or_default().push(if again { ONCE_MORE } else { verb }.to_owned());
    }

    found
}

/// ENTERQUEUE and ABANDON have a queue's name as it was dialled, and Asterisk compares it without
/// case.  All queues here are in small letters.
fn name_of(queue: &str) -> String {
    if queue == "NONE" { queue.to_owned() } else { queue.to_lowercase() }
}

/// How often a verb is in it, in all queues.
pub(crate) fn number(logged: &Verbs, verbs: &[&str]) -> usize {
    logged.values().flatten().filter(|verb| verbs.contains(&verb.as_str())).count()
}

/// Where the exporter counts other than queue_log, but for `redirected` queues.
pub(crate) fn of_queues(logged: &Verbs, numbers: &Numbers, redirected: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut queues = numbers.values("asterisk_queue_entries_total", "queue");
    queues.extend(logged.keys().filter(|queue| *queue != "NONE").cloned());
    queues.sort();
    queues.dedup();
    queues.retain(|queue| !redirected.contains(&queue.as_str()));
    let nothing = Vec::new();

    for queue in &queues {
        let verbs = logged.get(queue).unwrap_or(&nothing);
        let times = |wanted: &[&str]| {
            verbs.iter().filter(|verb| wanted.contains(&verb.as_str())).count() as f64
        };
        let mut compare = |wanted: &[&str], counted: f64| {
            let logged = times(wanted);
            let either = if wanted.iter().all(|verb| ENDS.contains(verb)) {
                times(&[ONCE_MORE])
            } else {
                0.0
            };
            let slack = if wanted.len() == ENDS.len() { 0.0 } else { either };
            if (logged - counted).abs() > slack {
                found.push(format!("{queue}: {logged} {wanted:?} in queue_log, {counted} counted"));
            }
        };
        let own = ("queue", queue.as_str());
        for (wanted, metric, labels) in PAIRS {
            compare(wanted, numbers.sum(metric, &[&[own], *labels].concat()));
        }
        compare(&ENDS, numbers.sum("asterisk_queue_completions_total", &[own]));
        let rings = IN_VAIN
            .map(|result| numbers.sum("asterisk_queue_rings_total", &[own, ("result", result)]));
        compare(&["RINGNOANSWER"], rings.iter().sum());
    }

    found
}

/// Where hold and talk of a queue differ by more than a second a call, which is what whole seconds
/// can be off.
pub(crate) fn of_seconds(pbx: &Pbx, numbers: &Numbers, redirected: &[&str]) -> Vec<String> {
    let text = fs::read_to_string(pbx.queue_log()).expect("a queue_log");
    let (mut sums, mut talks) = (BTreeMap::<_, (f64, f64)>::new(), Talks::default());

    for line in text.lines() {
        let fields: Vec<_> = line.split('|').collect();
        let [_, call, queue, agent, verb, ..] = fields[..] else {
            panic!("no line of queue_log: {line}")
        };
        let at = match verb {
            "CONNECT" => {
                talks.begin(call, queue, agent);
                5
            }
            "COMPLETECALLER" | "COMPLETEAGENT" if talks.end(call, queue, agent) => 6,
            "BLINDTRANSFER" | "ATTENDEDTRANSFER" if talks.end(call, queue, agent) => {
                fields.len() - 2
            }
            _ => continue,
        };
        let sum = sums.entry((queue, if at == 5 { HOLD } else { TALK })).or_default();
        *sum = (sum.0 + fields[at].parse::<f64>().expect("seconds"), sum.1 + 1.0);
    }

    sums.retain(|(queue, _), _| !redirected.contains(queue));
    let mut found = Vec::new();

    for ((queue, (metric, labels)), (seconds, calls)) in sums {
        let counted = numbers.sum(metric, &[&[("queue", queue)], labels].concat());
        if (counted - seconds).abs() > calls {
            found.push(format!("{queue}: {seconds} s in {calls} lines, {counted} s in {metric}"));
        }
    }

    found
}

/// Where calls to the carrier differ from their CDRs: how many, how many answered, and how long.
pub(crate) fn of_outbound(pbx: &Pbx, numbers: &Numbers) -> Vec<String> {
    let carrier = format!("{}/carrier-", pbx.version.tech());
    let text = pbx.cdrs();
    let mut calls = 0.0;
    let mut answered = 0.0;
    let mut seconds = 0.0;
    for record in
        text.lines().map(fields).filter(|record| record[DST_CHANNEL].starts_with(&carrier))
    {
        calls += 1.0;
        if record[DISPOSITION] == "ANSWERED" {
            answered += 1.0;
            seconds += record[BILLSEC].parse::<f64>().expect("seconds");
        }
    }

    let outbound = ("direction", "outbound");
    let counted = numbers.sum("asterisk_calls_total", &[outbound]);
    let connected = numbers.sum("asterisk_calls_total", &[outbound, ("result", "answered")]);
    let talked = numbers.sum("asterisk_call_talk_seconds_sum", &[outbound]);
    let mut found = Vec::new();

    if (calls, answered) != (counted, connected) {
        found.push(format!(
            "outbound: {calls} CDRs, {answered} answered; {counted} counted, {connected} answered:\n{text}"
        ));
    }

    if (talked - seconds).abs() > answered {
        found.push(format!("outbound: {seconds} s in {answered} CDRs, {talked} s counted"));
    }
    println!(
        "    {calls} outbound calls, {answered} answered, as in the CDRs; {seconds} s there, {talked:.1} s counted"
    );
    found
}

/// Everything that differs from what scenarios promise.
pub(crate) fn of_scenarios(
    chosen: &[(usize, &Scenario)],
    pbx: &Pbx,
    logged: &Verbs,
    numbers: &Numbers,
) -> Vec<String> {
    let mut found = Vec::new();
    for &(index, scenario) in chosen {
        for (suffix, expected) in scenario.verbs {
            let queue = format!("{}{suffix}", scenario.name);
            let verbs = logged.get(&queue).cloned().unwrap_or_default();
            if !took_its_way(expected, verbs.clone()) {
                found.push(format!("{queue}: queue_log has {verbs:?}, not {expected}"));
            }
        }
        found.extend(of_wants(scenario.wants, scenario, index, pbx, numbers));
        found.extend(of_bounds(scenario, index, pbx, numbers));
    }

    found
}

/// Numbers that are not what a scenario wants.
pub(crate) fn of_wants(
    wants: &[Want],
    scenario: &Scenario,
    index: usize,
    pbx: &Pbx,
    numbers: &Numbers,
) -> Vec<String> {
    let mut found = Vec::new();
    for (metric, labels, value) in wants {
        let (series, counted) = counted(metric, labels, scenario, index, pbx, numbers);
        if counted != *value {
            found.push(format!("{series} is {counted}, not {value}"));
        }
    }
    found
}

/// Numbers that are smaller or larger than a scenario wants, or are not there.
fn of_bounds(scenario: &Scenario, index: usize, pbx: &Pbx, numbers: &Numbers) -> Vec<String> {
    let mut found = Vec::new();
    for (metric, labels, most) in scenario.at_most {
        let (series, counted) = counted(metric, labels, scenario, index, pbx, numbers);
        if counted <= 0.0 || counted > *most {
            found.push(format!("{series} is {counted}, more than {most} or nothing"));
        }
    }

    for (metric, labels, least) in scenario.at_least {
        let (series, counted) = counted(metric, labels, scenario, index, pbx, numbers);
        if counted <= 0.0 || counted < *least {
            found.push(format!("{series} is {counted}, less than {least}"));
        }
    }

    found
}

/// The value of a scenario's metric, and which one that is.
fn counted(
    metric: &str,
    labels: &[(&str, &str)],
    scenario: &Scenario,
    index: usize,
    pbx: &Pbx,
    numbers: &Numbers,
) -> (String, f64) {
    let filled: Vec<_> = labels
        .iter()
        .map(|(key, value)| (*key, scenario.fill(index, pbx.version, value)))
        .collect();
    let labels: Vec<_> = filled.iter().map(|(key, value)| (*key, value.as_str())).collect();
    (format!("{}: {metric} {labels:?}", scenario.name), numbers.sum(metric, &labels))
}

/// Whether verbs are those of a pattern, in any order.
fn took_its_way(pattern: &str, mut verbs: Vec<String>) -> bool {
    verbs.retain(|verb| verb != ONCE_MORE);
    for word in pattern.split(' ').filter(|word| !word.is_empty()) {
        let (word, least, most) = match word.strip_suffix(['+', '*']) {
            Some(bare) => (bare, usize::from(word.ends_with('+')), usize::MAX),
            None => (word, 1, 1),
        };
        let mut taken = 0;
        while taken < most {
            let Some(at) =
                verbs.iter().position(|verb| word.split('|').any(|either| either == verb))
            else {
                break;
            };
            verbs.remove(at);
            taken += 1;
        }
        if taken < least {
            return false;
        }
    }

    verbs.is_empty()
}

/// The fields of a CDR: all quoted but numbers, quotes doubled.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => fields.last_mut().expect("there is always one").push(letter),
        }
    }
    fields
}

type Sum = (&'static str, &'static [(&'static str, &'static str)]);
const HOLD: Sum = ("asterisk_queue_hold_seconds_sum", &[("outcome", "answered")]);
const TALK: Sum = ("asterisk_queue_talk_seconds_sum", &[]);

/// Columns of Asterisk's Master.csv.
const DST_CHANNEL: usize = 6;
const BILLSEC: usize = 13;
const DISPOSITION: usize = 14;
