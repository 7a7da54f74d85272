//! Which metrics a queue_log tells; docs/backfill.md has the same, and why the others are absent.

use crate::metrics::Told;

/// All of them, in the order of the catalogue.
pub(super) const TOLD: &[Told] = &[
    all("asterisk_queue_entries_total"),
    only("asterisk_queue_exits_total", "outcome", OUTCOMES),
    only("asterisk_queue_hold_seconds", "outcome", OUTCOMES),
    all("asterisk_queue_position"),
    in_target("asterisk_queue_answered_in_target_total"),
    in_target("asterisk_queue_abandoned_in_target_total"),
    all("asterisk_queue_short_abandons_total"),
    only("asterisk_queue_rings_total", "result", &["answered", "no_answer"]),
    only("asterisk_queue_ring_seconds", "result", &["answered"]),
    all("asterisk_queue_talk_seconds"),
    only("asterisk_queue_completions_total", "ended_by", &["caller", "agent", "transfer"]),
    all("asterisk_queue_agent_dumps_total"),
    all("asterisk_queue_pauses_total"),
];

/// The exits that have a verb.
const OUTCOMES: &[&str] =
    &["answered", "abandoned", "timeout", "leave_empty", "withdrawn", "exit_key", "incompatible"];

const fn all(name: &'static str) -> Told {
    Told { name, only: None, needs_target: false }
}

const fn only(name: &'static str, label: &'static str, values: &'static [&'static str]) -> Told {
    Told { name, only: Some((label, values)), needs_target: false }
}

const fn in_target(name: &'static str) -> Told {
    Told { name, only: None, needs_target: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Subject;
    use crate::metrics::catalogue;

    #[test]
    fn each_is_in_the_catalogue_in_its_order_with_its_label() {
        let mut from = 0;
        for told in TOLD {
            let at = catalogue()[from..].iter().position(|entry| entry.name == told.name);
            from += at.unwrap_or_else(|| panic!("{} is not there, or out of order", told.name));
            let has = |label| catalogue()[from].labels.contains(&label);
            assert!(told.only.is_none_or(|(label, _)| has(label)), "{}", told.name);
        }
    }

    /// What the audit holds against the log, and no less.
    #[test]
    fn all_that_the_audit_compares_is_told() {
        for subject in Subject::ALL {
            let counter = subject.counter();
            let told = TOLD.iter().find(|told| told.name == counter.name).expect("it is told");
            // RINGNOANSWER is one of three results, and is counted as the first.
            let first = counter.values.first();
            let has = first
                .is_none_or(|value| told.only.is_none_or(|(_, values)| values.contains(value)));
            assert!(has, "{}", counter.selector());
        }
    }
}
