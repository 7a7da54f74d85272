//! The part of the configuration that is about the metrics.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::aliases::QueueAliases;
use super::groups::Groups;
use crate::correlator::{NameLimits, Patterns};

/// Targets, bucket bounds, what an agent's label is, and how many label values there may be.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The service level target of queues that are not in `queue_service_levels`.
    pub service_level: Option<Duration>,
    /// Targets by queue, which override everything else.
    pub queue_service_levels: HashMap<String, Duration>,
    /// The share of callers that should be answered within the target, from 0 to 1.
    pub service_level_share: f64,
    /// A caller who abandons within this time is a short abandon.
    pub short_abandon: Duration,
    /// Bounds of the histograms.
    pub buckets: Buckets,
    /// What the agent label is made of.
    pub agent_label: AgentLabel,
    /// How much the histograms with an agent label may cost.
    pub agent_histograms: AgentHistograms,
    /// What histograms have besides their buckets.
    pub detail: Detail,
    /// Whether OpenMetrics has a `_created` line for each series.
    pub created_lines: bool,
    /// Which series begin before anything happens to them.
    pub zero_series: ZeroSeries,
    /// How many values of a label, and how many series, one PBX may have.
    pub limits: LabelLimits,
    /// The pause reasons to show, the others being `other`; empty: the first `limits.reasons` that
    /// come.
    pub pause_reasons: Vec<String>,
    /// The queues to export; empty: all.
    pub queue_allow: Patterns,
    /// The queues not to export at all, even if allowed.
    pub queue_deny: Patterns,
    /// The labels of queues.
    pub queue_aliases: QueueAliases,
    /// The groups of queues and the teams of agents.
    pub groups: Groups,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            service_level: None,
            queue_service_levels: HashMap::new(),
            service_level_share: 0.8,
            short_abandon: Duration::from_secs(5),
            buckets: Buckets::default(),
            agent_label: AgentLabel::default(),
            agent_histograms: AgentHistograms::default(),
            detail: Detail::default(),
            created_lines: false,
            zero_series: ZeroSeries::default(),
            limits: LabelLimits::default(),
            pause_reasons: Vec::new(),
            queue_allow: Patterns::default(),
            queue_deny: Patterns::default(),
            queue_aliases: QueueAliases::default(),
            groups: Groups::default(),
        }
    }
}

impl Settings {
    /// The target in force for `queue`; `called` is its alias, and `own` its own `servicelevel`.
    pub fn target(
        &self,
        queue: &str,
        called: Option<&str>,
        own: Option<Duration>,
    ) -> Option<Duration> {
        let level = self.level_of(queue).or_else(|| self.level_of(called?));
        level.or(self.service_level).or(own)
    }

    fn level_of(&self, queue: &str) -> Option<Duration> {
        let exact = self.queue_service_levels.get(queue);
        let any_case =
            || self.queue_service_levels.iter().find(|(name, _)| name.eq_ignore_ascii_case(queue));
        exact.or_else(|| any_case().map(|(_, level)| level)).copied()
    }

    /// Whether `queue` is exported.
    pub fn shows_queue(&self, queue: &str) -> bool {
        (self.queue_allow.is_empty() || self.queue_allow.matches(queue))
            && !self.queue_deny.matches(queue)
    }

    /// How many names the correlator keeps: no more than can be labels.
    pub fn names_kept(&self) -> NameLimits {
        NameLimits {
            devices: self.limits.devices,
            trunks: self.limits.trunks,
            reasons: self.limits.reasons,
            listed_reasons: self.pause_reasons.clone(),
        }
    }

    /// Bounds of hold: the configured ones, and everything a caller's wait is compared with, so
    /// that the buckets and the exact counters agree.
    pub(super) fn hold_bounds(&self) -> Vec<f64> {
        let targets = self.queue_service_levels.values().copied().chain(self.service_level);
        let compared = targets.chain([self.short_abandon]).map(|span| span.as_secs_f64());
        ordered(self.buckets.hold.iter().copied().chain(compared))
    }

    /// Bounds of ring without an agent label.
    pub(super) fn ring_bounds(&self) -> Vec<f64> {
        ordered(self.buckets.ring.iter().copied())
    }

    /// Bounds of the histograms with an agent label, made of `bounds`.
    pub(super) fn agent_bounds(&self, bounds: &[f64]) -> Vec<f64> {
        match self.agent_histograms {
            AgentHistograms::Full | AgentHistograms::Off => ordered(bounds.iter().copied()),
            AgentHistograms::Sums => Vec::new(),
        }
    }
}

/// Bounds of the histograms, in seconds; `+Inf` is understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Buckets {
    /// How long callers wait; targets and the short-abandon threshold are added.
    pub hold: Vec<f64>,
    /// How long phones ring.
    pub ring: Vec<f64>,
    /// How long people talk.
    pub talk: Vec<f64>,
}

impl Default for Buckets {
    fn default() -> Self {
        Self { hold: HOLD.into(), ring: RING.into(), talk: TALK.into() }
    }
}

/// What the agent label is made of: names are personal data.
#[derive(Clone, Default, Eq, PartialEq)]
pub enum AgentLabel {
    /// The agent's identity as the correlator knows it: member name or interface.
    #[default]
    Name,
    /// The first twelve hex digits of MD5 over salt and identity.
    Hash {
        /// Keeps outsiders from trying names.
        salt: String,
    },
    /// Nothing: all agents of a queue are one series.
    None,
}

/// The salt is a secret: with it, hashes are soon tried.
impl fmt::Debug for AgentLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("Name"),
            Self::Hash { salt: _ } => f.write_str("Hash { salt: *** }"),
            Self::None => f.write_str("None"),
        }
    }
}

/// How much the histograms with an agent label may cost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AgentHistograms {
    /// All buckets for each agent.
    #[default]
    Full,
    /// Sum and count for each agent: averages, no quantiles.
    Sums,
    /// All buckets, but not by agent.
    Off,
}

/// What histograms have besides their classic buckets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Detail {
    /// Native buckets, for scrapers that ask for protobuf.
    pub native: bool,
    /// A call as an example for each bucket of hold and talk in queues, in OpenMetrics and protobuf.
    pub exemplars: bool,
}

impl Detail {
    /// The same for histograms that show no calls.
    pub(super) const fn without_exemplars(self) -> Self {
        Self { exemplars: false, ..self }
    }
}

/// Which series begin before anything happens to them, so that a store counts the first event.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum ZeroSeries {
    /// Counters of known queues, members and trunks.
    Few,
    /// Also what usually comes next: for a queue or a trunk when it is known, for an agent when a
    /// phone begins to ring.
    #[default]
    Usual,
    /// Also for each agent and trunk when they are known.
    All,
}

/// How many values of a label one PBX may have, and how many series; those that come later are
/// `other`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LabelLimits {
    /// Queues.
    pub queues: usize,
    /// Agents who are members of queues.
    pub agents: usize,
    /// Places of agents in queues.
    pub members: usize,
    /// Devices outside queues, which are agents in calls only.
    pub devices: usize,
    /// Trunks.
    pub trunks: usize,
    /// Pause reasons, if there is no list of them.
    pub reasons: usize,
    /// All series.
    pub series: usize,
}

impl Default for LabelLimits {
    fn default() -> Self {
        Self {
            queues: 500,
            agents: 5000,
            members: 2500,
            devices: 1000,
            trunks: 200,
            reasons: 20,
            series: 400_000,
        }
    }
}

/// Rising, each once, and only what can be a bound: a duration is never below zero.
fn ordered(bounds: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut bounds: Vec<f64> = bounds.filter(|bound| bound.is_finite() && *bound >= 0.0).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds
}

/// The usual targets (10, 15, 20, 30, 60 s) are bounds; a caller who waits beyond 20 minutes is one
/// too many.
const HOLD: [f64; 15] =
    [1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1200.0];
/// Fine where an agent is quick; queue timeouts of 15, 20 and 30 s are bounds.
const RING: [f64; 11] = [1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0];
/// From a misdialled call to an hour.
const TALK: [f64; 11] = [5.0, 10.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0, 3600.0];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_wait_is_compared_with_is_a_bound_once() {
        let settings = Settings {
            service_level: Some(Duration::from_secs(20)),
            queue_service_levels: HashMap::from([("vip".to_owned(), Duration::from_millis(7500))]),
            buckets: Buckets {
                hold: vec![60.0, 10.0, f64::NAN, f64::INFINITY, -1.0],
                ..Buckets::default()
            },
            ..Settings::default()
        };
        assert_eq!(settings.hold_bounds(), [5.0, 7.5, 10.0, 20.0, 60.0]);
    }

    #[test]
    fn the_queue_s_target_overrides_the_default_and_that_the_pbx_s() {
        let own = Some(Duration::from_secs(60));
        let mut settings = Settings::default();
        assert_eq!(settings.target("vip", None, None), None);
        assert_eq!(settings.target("vip", None, own), own);
        settings.service_level = Some(Duration::from_secs(20));
        assert_eq!(settings.target("vip", None, own), settings.service_level);
        settings.queue_service_levels.insert("vip".to_owned(), Duration::from_secs(5));
        assert_eq!(settings.target("vip", None, own), Some(Duration::from_secs(5)));
        assert_eq!(settings.target("sales", None, own), settings.service_level);
        // what it is called will do, in any case
        assert_eq!(settings.target("600", Some("VIP"), own), Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_denied_queue_is_not_shown_even_if_allowed() {
        let patterns = |text: &str| Patterns::new([text]).expect("a valid pattern");
        let settings = Settings {
            queue_allow: patterns("^s"),
            queue_deny: patterns("test$"),
            ..Settings::default()
        };
        assert!(settings.shows_queue("sales"));
        assert!(!settings.shows_queue("sales_test"));
        assert!(!settings.shows_queue("vip"));
        assert!(Settings::default().shows_queue("vip"));
    }
}
