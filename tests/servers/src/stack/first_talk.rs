//! The mean of a member's first talk in a VictoriaMetrics that scrapes the exporter itself.
//!
//! It takes the first sample of a series for a rise from 0 if it is small: the count of a talk is,
//! its seconds are not.

use std::path::Path;

use support::program::{newest, tool};

use super::calls::rung_and_answered;
use super::day::{Day, events};
use super::native_rules::{inlined, rules};
use super::servers::{scraping, victoria_metrics_of};

#[test]
fn the_mean_of_a_first_talk_is_its_length() {
    for program in versions() {
        let store = first_talk(&program, "");
        assert_eq!(store.ask(INCREASE_OF_SUM), [TALK]);
        assert_eq!(store.ask(INCREASE_OF_COUNT), [1.0]);
        assert_eq!(store.ask(&format!("{INCREASE_OF_SUM} / {INCREASE_OF_COUNT}")), [TALK]);

        let rules = rules("alerts/rules.yml");
        for level in ["pbx_queue", "queue"] {
            let mean = &rules[&format!("{level}:asterisk_queue_talk_seconds:mean_rate5m")];
            assert_eq!(store.ask(&inlined(mean, &rules)), [TALK], "{level}");
        }
    }
}

/// What beginning at zero is for.
#[test]
fn without_a_zero_the_seconds_of_a_first_talk_are_missing() {
    for program in versions() {
        let store = first_talk(&program, "metrics: {zero_series: few}");
        assert_eq!(store.ask(INCREASE_OF_SUM), [0.0]);
        assert_eq!(store.ask(INCREASE_OF_COUNT), [1.0]);
    }
}

/// The VictoriaMetrics of Debian 12 and of sid.
fn versions() -> impl Iterator<Item = std::path::PathBuf> {
    [tool("victoria-metrics"), newest("victoria-metrics")].into_iter().flatten()
}

/// A VictoriaMetrics that scraped while a phone rang for the first time, and after the talk.
fn first_talk(program: &Path, exporter: &'static str) -> Store {
    let server = |port| Some(vec![victoria_metrics_of(program, Some(&scraping(port, "")))]);
    let mut day = Day::new(exporter, server).expect("a server");
    day.begin();
    for part in rung_and_answered(1, TALK) {
        day.play(&events(&part));
        day.scraped();
    }
    Store(day)
}

struct Store(Day);

impl Store {
    /// The values that a query gives.
    fn ask(&self, query: &str) -> Vec<f64> {
        self.0.store().ask(query).0.into_values().collect()
    }
}

const TALK: f64 = 312.5;
const INCREASE_OF_SUM: &str = "increase(asterisk_queue_talk_seconds_sum[1h])";
const INCREASE_OF_COUNT: &str = "increase(asterisk_queue_talk_seconds_count[1h])";
