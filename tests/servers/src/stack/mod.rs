//! The servers that people run, as processes on loopback: what Prometheus 2 and 3, VictoriaMetrics
//! and Alertmanager make of our numbers, rules and example configurations.
//!
//! Nothing here sleeps and hopes: each wait is for a condition, with a limit that only a hang
//! reaches.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod alerts;
mod backfill;
mod calls;
mod day;
mod day_tests;
mod examples;
mod exporter;
mod first_talk;
mod fleet;
mod gate;
mod histograms;
mod metadata;
mod moments;
mod native_recorded;
mod native_rules;
mod nhcb;
mod numbers;
mod pager;
mod pair;
pub(crate) mod pbx;
mod routing;
mod seam;
mod series;
mod servers;
mod shards;
mod standing;
mod start_times;
mod starts;
mod targets;
mod vmagents;
mod vmalert;
mod web;
