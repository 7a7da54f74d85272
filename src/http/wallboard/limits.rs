//! When a light changes: the defaults of `alerts/thresholds.yml`, so that the wallboard is red where
//! the dashboards are.  A test compares them.

use serde::Serialize;

/// The limits, as they are sent.
#[derive(Debug, Serialize)]
pub(super) struct Limits {
    /// The service level of half an hour that is too low.
    pub(super) service_level: f64,
    /// The abandon rate of half an hour that is too high.
    pub(super) abandon_ratio: f64,
    /// How many waits must have ended in half an hour for either to count.
    pub(super) min_calls: u32,
    /// How long an agent may be paused, in seconds.
    pub(super) agent_pause_seconds: u32,
    /// … in wrap-up.
    pub(super) agent_wrapup_seconds: u32,
    /// … and in one talk, hold included.
    pub(super) agent_talk_seconds: u32,
}

/// All of them.
pub(super) const LIMITS: Limits = Limits {
    service_level: 0.7,
    abandon_ratio: 0.15,
    min_calls: 10,
    agent_pause_seconds: 1800,
    agent_wrapup_seconds: 300,
    agent_talk_seconds: 1800,
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The default of `asterisk:threshold:<name>`.
    fn threshold(name: &str) -> f64 {
        let text = include_str!("../../../alerts/thresholds.yml");
        let rule = format!("- record: asterisk:threshold:{name}\n        expr: vector(");
        let (_, rest) = text.split_once(&rule).expect("the rule");
        rest.split_once(')').expect("a number").0.parse().expect("a number")
    }

    #[test]
    fn the_limits_are_the_defaults_of_the_alerts() {
        let sent = serde_json::to_value(&LIMITS).unwrap();
        let sent = sent.as_object().unwrap();
        assert_eq!(sent.len(), 6);
        for (name, limit) in sent {
            assert_eq!(limit.as_f64(), Some(threshold(name)), "{name}");
        }
    }
}
