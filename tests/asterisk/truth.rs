//! What queue_log and the CDRs say, and where the exporter differs.

use std::collections::BTreeMap;
use std::fs;

use crate::common::Numbers;
use crate::pbx::Pbx;
use crate::stage::Scenario;

/// Verbs of queue_log by queue, in the order in which they came.
pub(crate) fn verbs(pbx: &Pbx) -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(pbx.queue_log()).expect("a queue_log");
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<_> = line.split('|').collect();
        found.entry(fields[2].to_owned()).or_default().push(fields[4].to_owned());
    }
    found
}

/// Everything that differs from what scenarios promise.
pub(crate) fn of_scenarios(chosen: &[(usize, &Scenario)], pbx: &Pbx, exposition: &str) -> Vec<String> {
    let numbers = Numbers::read(exposition);
    let said = verbs(pbx);
    let mut found = Vec::new();
    for &(index, scenario) in chosen {
        for (suffix, expected) in scenario.verbs {
            let queue = format!("{}{suffix}", scenario.name);
            let verbs = said.get(&queue).cloned().unwrap_or_default();
            if !took_its_way(expected, verbs.clone()) {
                found.push(format!("{queue}: queue_log has {verbs:?}, not {expected}"));
            }
        }
        for (metric, labels, value) in scenario.wants {
            let filled: Vec<_> =
                labels.iter().map(|(key, value)| (*key, scenario.fill(index, pbx.version, value))).collect();
            let labels: Vec<_> = filled.iter().map(|(key, value)| (*key, value.as_str())).collect();
            let counted = numbers.sum(metric, &labels);
            if counted != *value {
                found.push(format!("{}: {metric} {labels:?} is {counted}, not {value}", scenario.name));
            }
        }
    }
    found
}

/// Whether verbs are those of a pattern, in any order.
fn took_its_way(pattern: &str, mut verbs: Vec<String>) -> bool {
    for word in pattern.split(' ').filter(|word| !word.is_empty()) {
        let (word, least, most) = match word.strip_suffix(['+', '*']) {
            Some(bare) => (bare, usize::from(word.ends_with('+')), usize::MAX),
            None => (word, 1, 1),
        };
        let mut taken = 0;
        while taken < most {
            let Some(at) = verbs.iter().position(|verb| word.split('|').any(|either| either == verb)) else { break };
            verbs.remove(at);
            taken += 1;
        }
        if taken < least {
            return false;
        }
    }
    verbs.is_empty()
}
