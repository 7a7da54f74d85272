//! Service level targets: queues without one, names that no queue has, and targets that differ from
//! those of queues.conf.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Finding, Level};
use crate::metrics::Settings;
use crate::pbx::PbxName;

/// What targets are examined with.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a> {
    /// The settings of the metrics.
    pub settings: &'a Settings,
    /// The PBX whose queues they are.
    pub pbx: &'a PbxName,
    /// Whether the configuration has no other PBX.
    pub is_only_pbx: bool,
}

/// Looks at queues with their own `servicelevel`, zero where they have none.
pub(super) fn look(queues: &BTreeMap<String, Duration>, of: Targets<'_>) -> Vec<Finding> {
    let mut findings: Vec<_> = unknown_queues(queues, of).into_iter().collect();
    let shown = queues.iter().filter(|(queue, _)| of.settings.shows_queue(queue));
    let targets: Vec<_> =
        shown.map(|(queue, own)| (queue, *own, of.in_force(queue, *own))).collect();
    if targets.is_empty() {
        return findings;
    }

    let without: Vec<&str> = targets
        .iter()
        .filter(|(_, _, target)| target.is_none())
        .map(|(queue, ..)| queue.as_str())
        .collect();
    if without.is_empty() {
        let text = "each queue has a target";
        findings.push(Finding::new(Level::Ok, SUBJECT, text));
    } else {
        let text =
            format!("without a target, there is no service level: {}", super::list(&without));
        let finding = Finding::new(Level::Advice, SUBJECT, text);
        findings.push(finding.with("service_level of the configuration", "default: 20s"));
    }

    // Ours is the one that counts; the manager's list and its own reports have the other.
    let differing: Vec<String> = targets
        .iter()
        .filter_map(|(queue, own, target)| {
            let target = target.filter(|target| !own.is_zero() && target != own)?;
            Some(format!("{queue} ({}, there {})", seconds(target), seconds(*own)))
        })
        .collect();
    if !differing.is_empty() {
        let differing: Vec<&str> = differing.iter().map(String::as_str).collect();
        let text = format!("other targets than in queues.conf: {}", super::list(&differing));
        findings.push(Finding::new(Level::Advice, SUBJECT, text));
    }
    findings
}

/// Names with a target that no queue has, be it its name or its alias.
fn unknown_queues(queues: &BTreeMap<String, Duration>, of: Targets<'_>) -> Option<Finding> {
    let Targets { settings, pbx, is_only_pbx } = of;
    let is_queue = |name: &str| {
        queues.keys().any(|queue| {
            let alias = settings.queue_aliases.of(pbx, queue);
            [Some(queue.as_str()), alias]
                .into_iter()
                .flatten()
                .any(|it| it.eq_ignore_ascii_case(name))
        })
    };
    let configured = settings.queue_service_levels.keys().map(String::as_str);
    let mut unknown: Vec<&str> = configured.filter(|name| !is_queue(name)).collect();
    if unknown.is_empty() {
        return None;
    }

    unknown.sort_unstable();
    // With several PBXs it may be a queue of another one.
    let level = if is_only_pbx { Level::Problem } else { Level::Unknown };
    let text = format!("no queue has the name of a target: {}", super::list(&unknown));
    Some(Finding::new(level, SUBJECT, text))
}

impl Targets<'_> {
    fn in_force(self, queue: &str, own: Duration) -> Option<Duration> {
        let alias = self.settings.queue_aliases.of(self.pbx, queue);
        self.settings.target(queue, alias, Some(own).filter(|own| !own.is_zero()))
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

const SUBJECT: &str = "service_level";

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::correlator::Patterns;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn looked(
        settings: &Settings,
        queues: &[(&str, u64)],
        is_only_pbx: bool,
    ) -> Vec<(Level, String)> {
        let queues = queues.iter().map(|&(queue, own)| (queue.to_owned(), secs(own))).collect();
        let pbx = &PbxName::new("hq");
        let found = look(&queues, Targets { settings, pbx, is_only_pbx });
        found.into_iter().map(|finding| (finding.level, finding.text)).collect()
    }

    #[test]
    fn a_queue_has_a_target_of_its_own_of_the_configuration_or_none() {
        let none = Settings::default();
        let found = looked(&none, &[("sales", 0), ("support", 30)], true);
        let text = "without a target, there is no service level: sales".to_owned();
        assert_eq!(found, [(Level::Advice, text)]);
        let every = (Level::Ok, "each queue has a target".to_owned());
        assert_eq!(looked(&none, &[("support", 30)], true), std::slice::from_ref(&every));
        let default = Settings { service_level: Some(secs(20)), ..Settings::default() };
        assert_eq!(looked(&default, &[("sales", 0)], true), [every]);
        assert_eq!(looked(&default, &[], true), []);

        // What is not exported needs none.
        let queue_deny = Patterns::new(["sales"]).expect("a pattern");
        assert_eq!(looked(&Settings { queue_deny, ..none }, &[("sales", 0)], true), []);
    }

    #[test]
    fn a_target_that_differs_from_that_of_the_queue_is_told() {
        let queue_service_levels = HashMap::from([("VIP".to_owned(), Duration::from_millis(7500))]);
        let settings =
            Settings { service_level: Some(secs(20)), queue_service_levels, ..Settings::default() };
        let found = looked(&settings, &[("sales", 30), ("same", 20), ("vip", 10)], true);
        let text =
            "other targets than in queues.conf: sales (20 s, there 30 s), vip (7.5 s, there 10 s)";
        assert_eq!(found[1..], [(Level::Advice, text.to_owned())]);
    }

    #[test]
    fn a_name_that_no_queue_has_is_a_mistake_unless_another_pbx_may_have_it() {
        let queue_service_levels =
            ["suport", "Help", "SALES"].map(|name| (name.to_owned(), secs(9))).into();
        let mut settings = Settings { queue_service_levels, ..Settings::default() };
        let aliases = [("600".to_owned(), "help".to_owned())];
        settings.queue_aliases.add(&PbxName::new("hq"), aliases);
        let text = "no queue has the name of a target: suport".to_owned();
        for (is_only_pbx, level) in [(true, Level::Problem), (false, Level::Unknown)] {
            let found = looked(&settings, &[("600", 0), ("sales", 0)], is_only_pbx);
            assert_eq!(found[0], (level, text.clone()));
        }
    }
}
