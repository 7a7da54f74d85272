//! The keys that concern the metrics.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::checks::{self, choice};
use super::credentials::warn_of_readers_of_file;
use super::pbx::patterns;
use super::section::Section;
use crate::correlator::{GivenUp, Identity, Patterns, TrackedLimits};
use crate::metrics::{
    AgentHistograms, AgentLabel, Buckets, Detail, LabelLimits, Metrics, Settings, ZeroSeries,
};

/// What the keys say that concern the metrics of all PBXs.
pub(super) struct Read {
    pub settings: Settings,
    /// What identifies an agent: with the label `interface` it is the interface.
    pub identity: Identity,
    /// How much of each PBX is followed at once.
    pub tracked: TrackedLimits,
}

/// Reads these keys.
pub(super) fn read(root: &Section<'_>) -> Read {
    let default = Settings::default();
    let (service_level, queue_service_levels, share) = service_levels(root);
    let (agent_label, identity) = agent_label(root);
    let (queue_allow, queue_deny) = queues(root);
    let (detail, created_lines, zero_series) = extras(root);
    let (limits, tracked) = limits(root, &default.limits);

    let settings = Settings {
        service_level,
        queue_service_levels,
        service_level_share: share.unwrap_or(default.service_level_share),
        short_abandon: root
            .time("short_abandon", checks::duration, &(Duration::ZERO..=MINUTE * 5))
            .unwrap_or(default.short_abandon),
        buckets: buckets(root, default.buckets),
        agent_label,
        agent_histograms: root
            .read("agent_histograms", agent_histograms)
            .unwrap_or(default.agent_histograms),
        detail,
        created_lines,
        zero_series,
        limits,
        pause_reasons: root.list("pause_reasons", checks::plain).unwrap_or_default(),
        queue_allow,
        queue_deny,
        queue_aliases: default.queue_aliases,
        groups: default.groups,
    };
    check_room(root, &settings);
    Read { settings, identity, tracked }
}

/// What has no names of its own takes its series without asking.
fn check_room(root: &Section<'_>, settings: &Settings) {
    let limit = settings.limits.series;
    let least = Metrics::new(settings.clone()).least_series();
    if limit < least {
        root.mistake(
            "limits.series",
            format!(
                "{limit} is too low: these buckets, service_level.queues and pause_reasons need {least} \
                 without any queue"
            ),
        );
    }
}

fn service_levels(
    root: &Section<'_>,
) -> (Option<Duration>, HashMap<String, Duration>, Option<f64>) {
    let section = root.child("service_level");
    let default = section.time("default", checks::positive_duration, &TARGETS);
    let queues = section.times("queues", checks::positive_duration, &TARGETS);
    let share = section.read("share", checks::share);
    section.finish();
    (default, queues.into_iter().collect(), share)
}

fn buckets(root: &Section<'_>, default: Buckets) -> Buckets {
    let section = root.child("buckets");
    let buckets = Buckets {
        hold: edges(&section, "hold").unwrap_or(default.hold),
        ring: edges(&section, "ring").unwrap_or(default.ring),
        talk: edges(&section, "talk").unwrap_or(default.talk),
    };
    section.finish();
    buckets
}

/// Bucket bounds in seconds; the bucket of everything is added by the histogram.
fn edges(section: &Section<'_>, key: &'static str) -> Option<Vec<f64>> {
    let edge = |text: &str| checks::positive_duration(text).map(|edge| (edge, text.to_owned()));
    let (edges, texts): (Vec<_>, Vec<_>) = section.list(key, edge)?.into_iter().unzip();

    if edges.is_empty() {
        section.mistake(key, "is empty: leave it out for the default");
        return None;
    }
    if edges.len() > MOST_EDGES {
        section
            .mistake(key, format!("has {} bounds: at most {MOST_EDGES} are possible", edges.len()));
        return None;
    }
    if let Some(pair) = edges.windows(2).find(|pair| pair[0] >= pair[1]) {
        section.mistake(key, format!("not increasing: {:?} after {:?}", pair[1], pair[0]));
        return None;
    }

    // Bounds in milliseconds still increase: only the first one shows it.
    if let Some(doubt) = checks::doubt(&texts[0], edges[0], &(Duration::ZERO..=FIRST_EDGE)) {
        section.warning(&format!("{key}[0]"), doubt);
    }
    Some(edges.iter().map(Duration::as_secs_f64).collect())
}

fn agent_label(root: &Section<'_>) -> (AgentLabel, Identity) {
    let label = root.read("agent_label", choice(&["member_name", "interface", "hash", "none"]));
    let salt = root.read("agent_label_salt", checks::plain);
    let has_salt = root.has("agent_label_salt");

    // A hash without a salt is no protection: names are few, and their hashes are soon tried.
    match label {
        Some("hash") if !has_salt => {
            root.mistake("agent_label", "hash needs an agent_label_salt");
            (AgentLabel::None, Identity::MemberName)
        }
        Some("hash") => {
            warn_of_readers_of_file(root, "agent_label_salt");
            (AgentLabel::Hash { salt: salt.unwrap_or_default() }, Identity::MemberName)
        }
        other => {
            if has_salt {
                root.warning("agent_label_salt", "not used: agent_label is not hash");
            }
            match other {
                Some("interface") => (AgentLabel::Name, Identity::Interface),
                Some("none") => (AgentLabel::None, Identity::MemberName),
                _ => (AgentLabel::Name, Identity::MemberName),
            }
        }
    }
}

fn agent_histograms(text: &str) -> Result<AgentHistograms, String> {
    choice(&["full", "sums", "off"])(text).map(|choice| match choice {
        "sums" => AgentHistograms::Sums,
        "off" => AgentHistograms::Off,
        _ => AgentHistograms::Full,
    })
}

/// What a page has besides the numbers, whether it has `_created` lines, and which series it has
/// before anything happens to them.
fn extras(root: &Section<'_>) -> (Detail, bool, ZeroSeries) {
    let section = root.child("metrics");
    let on = |key| section.read(key, checks::boolean).unwrap_or(false);

    let detail = Detail { native: on("native_histograms"), exemplars: on("exemplars") };
    let created_lines = on("created_lines");
    let zero_series = section.read("zero_series", zero_series).unwrap_or_default();
    section.finish();
    (detail, created_lines, zero_series)
}

fn zero_series(text: &str) -> Result<ZeroSeries, String> {
    choice(&["few", "usual", "all"])(text).map(|choice| match choice {
        "few" => ZeroSeries::Few,
        "all" => ZeroSeries::All,
        _ => ZeroSeries::Usual,
    })
}

fn limits(root: &Section<'_>, default: &LabelLimits) -> (LabelLimits, TrackedLimits) {
    let section = root.child("limits");
    let limit = |key, default| section.read(key, checks::count(LIMITS)).unwrap_or(default);

    let limits = LabelLimits {
        queues: limit("queues", default.queues),
        agents: limit("agents", default.agents),
        members: section.read("members", checks::count(MEMBERS)).unwrap_or(default.members),
        devices: limit("devices", default.devices),
        trunks: limit("trunks", default.trunks),
        reasons: limit("pause_reasons", default.reasons),
        series: section.read("series", checks::count(SERIES)).unwrap_or(default.series),
    };
    let tracked = tracked(&section);

    section.finish();
    (limits, tracked)
}

fn tracked(section: &Section<'_>) -> TrackedLimits {
    let default = TrackedLimits::default();
    let limit = |kind, default| {
        let key = TrackedLimits::key(kind).trim_start_matches("limits.");
        section.read(key, checks::count(TRACKED)).unwrap_or(default)
    };
    TrackedLimits {
        channels: limit(GivenUp::Channel, default.channels),
        stays: limit(GivenUp::Stay, default.stays),
        members: limit(GivenUp::Member, default.members),
        recordings: limit(GivenUp::Recording, default.recordings),
    }
}

fn queues(root: &Section<'_>) -> (Patterns, Patterns) {
    let section = root.child("queues");
    let allow = patterns(&section, "allow");
    let deny = patterns(&section, "deny");
    section.finish();
    (allow, deny)
}

const MINUTE: Duration = Duration::from_secs(60);

/// Targets that make sense: queue_log and most reports count whole seconds, and nobody promises to
/// answer in hours.
const TARGETS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);

/// If even the first bucket holds all shorter times than this, bounds were given in milliseconds.
const FIRST_EDGE: Duration = Duration::from_secs(300);

/// More bounds than anybody reads, each a series per queue and outcome.
pub(super) const MOST_EDGES: usize = 100;

/// A limit of 0 would leave no name; above the limit of interned names it would have no effect.
pub(super) const LIMITS: RangeInclusive<usize> = 1..=65_535;

/// An agent is in several queues.
pub(super) const MEMBERS: RangeInclusive<usize> = 1..=1_000_000;

/// Fewer than a busy PBX has would count calls as lost that are not; more need 10 GB.
pub(super) const TRACKED: RangeInclusive<usize> = 1000..=10_000_000;

/// What has no names of its own, with as many bounds as are possible, needs nearly 10,000.
pub(super) const SERIES: RangeInclusive<usize> = 10_000..=10_000_000;
