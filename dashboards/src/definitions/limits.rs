//! Traffic lights by the thresholds in effect (`alerts/thresholds.yml`): each queue and trunk by its
//! own, as in the alerts.
//!
//! Grafana's own thresholds are constants of a panel, the same for all queues.  So a light of a row
//! shows a ratio: a value of a queue relative to what the threshold of that queue allows.  A number of
//! the whole selection is compared by its query.

use super::builder::{Graded, Lights, Panel};
use super::{QUEUE, TRUNK, share, total, weighted, weighted_by};

/// Red where the threshold is reached, amber shortly before.
pub(super) const LIGHTS: Lights = Lights::Low(0.8, 1.0);

/// Abandoned calls of each queue in the last half hour, relative to what its threshold allows.
pub(super) fn abandoned() -> String {
    format!(
        "pbx_queue:asterisk_queue_abandoned:ratio_rate30m{{{QUEUE}}} / on (pbx, queue) \
         (pbx_queue:asterisk_threshold:abandon_ratio > 0) {ENOUGH}"
    )
}

/// Calls of each queue with a target that were not answered within it in the last half hour, relative
/// to what its threshold allows.
pub(super) fn too_late() -> String {
    format!(
        "(1 - pbx_queue:asterisk_queue_service_level_alerted:ratio_rate30m{{{QUEUE}}}) / on (pbx, queue) \
         (1 - pbx_queue:asterisk_threshold:service_level > 0) {ENOUGH}"
    )
}

/// Network failures of each trunk in the last half hour, relative to what its threshold allows.
pub(super) fn failed() -> String {
    format!(
        "pbx_trunk:asterisk_trunk_network_failures:ratio_rate30m{{{TRUNK}}} / on (pbx, trunk) \
         (pbx_trunk:asterisk_threshold:trunk_failure_ratio > 0) and on (pbx, trunk) \
         (pbx_trunk:asterisk_trunk_attempts:increase30m >= on (pbx, trunk) \
         pbx_trunk:asterisk_threshold:trunk_min_attempts)"
    )
}

/// The highest ratio of the selected queues or trunks as a light.
pub(super) fn worst(title: &'static str, description: &'static str, ratio: &str) -> Panel {
    Panel::stat(title, "percentunit", description)
        .now(&format!("max({ratio})"), "of threshold")
        .decimals(0)
        .lights(LIGHTS)
}

/// The service level of the selection by the formula of the alerts, green or red by its threshold.
pub(super) fn service_level_now() -> Panel {
    // Of the same series as the alert and the lights of the queues, so that they never contradict.
    let level = weighted_by(ALERTED, &served());
    let threshold = weighted_by(THRESHOLD, &served());
    Panel::stat(
        "Service level",
        "percentunit",
        "Calls answered within the target, by the formula of the alerts (all abandons count, unless \
         alerts/thresholds.yml was changed), in the last 30 minutes. Green from the threshold on, red below; blue for few \
         calls. Of several queues it is the average, by calls, and so is the threshold. Answered in is the target of these \
         queues, if all have the same.",
    )
    .graded(graded(&level, ">=", "<", &threshold), "30 min")
    .unit_of(TARGET, "s")
    .decimals(1)
}

/// The threshold of the service level, and within which time a call must be answered.
pub(super) fn with_targets(panel: Panel) -> Panel {
    let target = format!("asterisk_queue_service_level_target_seconds{{{QUEUE}}}");
    panel
        .beside(&weighted_by(THRESHOLD, &served()), "at least")
        .beside(&format!("(max({target}) == min({target}))"), TARGET)
}

/// The abandon rate of the selection, green or red by its threshold.
pub(super) fn abandoned_now() -> Panel {
    let rate = share(&total("pbx_queue:asterisk_queue_abandoned:increase30m"), &total(ENDED));
    Panel::stat(
        "Abandon rate",
        "percentunit",
        "Abandoned calls, of all waits that ended, in the last 30 minutes. Red above the threshold, green up to it; blue \
         for few calls. Of several queues the threshold is the average, by calls.",
    )
    .graded(graded(&rate, "<=", ">", &abandons_allowed()), "30 min")
    .decimals(1)
}

/// The abandon rate above which there is an alert.
pub(super) fn with_threshold(panel: Panel) -> Panel {
    panel.beside(&abandons_allowed(), "at most")
}

fn abandons_allowed() -> String {
    weighted("pbx_queue:asterisk_threshold:abandon_ratio", ENDED)
}

/// Each number good or bad by this comparison with its threshold, and neither if there are few calls
/// or no thresholds.
fn graded(number: &str, good: &str, bad: &str, threshold: &str) -> Graded {
    let enough =
        format!("{} >= min(pbx_queue:asterisk_threshold:min_calls{{{QUEUE}}})", total(ENDED));
    let by = |comparison: &str| format!("{number} {comparison} {threshold} and {enough}");
    let other =
        format!("({number} unless ({threshold} and {enough})) or (vector(-1) unless {number})");
    Graded { good: by(good), bad: by(bad), other }
}

/// The calls of each queue of which the service level is a share, by the usual formula.
fn served() -> String {
    format!(
        "(pbx_queue:asterisk_queue_answered:increase30m{{{QUEUE}}} + \
         pbx_queue:asterisk_queue_abandoned:increase30m{{{QUEUE}}} and on (pbx, queue) \
         {ALERTED}{{{QUEUE}}})"
    )
}

/// The threshold of the service level: the strictest of the selected queues.
pub(super) fn service_level() -> String {
    format!("max(pbx_queue:asterisk_threshold:service_level{{{QUEUE}}})")
}

/// A dashed line at the threshold: the strictest of the selected queues.
pub(super) fn line_of_service_level(panel: Panel) -> Panel {
    line(panel, &service_level())
}

pub(super) fn line_of_abandons(panel: Panel) -> Panel {
    line(panel, &format!("min(pbx_queue:asterisk_threshold:abandon_ratio{{{QUEUE}}})"))
}

pub(super) fn line_of_trunk_failures(panel: Panel) -> Panel {
    line(panel, &format!("min(pbx_trunk:asterisk_threshold:trunk_failure_ratio{{{TRUNK}}})"))
}

fn line(panel: Panel, threshold: &str) -> Panel {
    panel.over_time(threshold, "threshold").dashed("threshold")
}

const ALERTED: &str = "pbx_queue:asterisk_queue_service_level_alerted:ratio_rate30m";
const THRESHOLD: &str = "pbx_queue:asterisk_threshold:service_level";
const ENDED: &str = "pbx_queue:asterisk_queue_ended:increase30m";
const TARGET: &str = "answered in";

/// A queue with fewer calls has no light, as it has no alert.
const ENOUGH: &str = "and on (pbx, queue) (pbx_queue:asterisk_queue_ended:increase30m >= on (pbx, queue) \
                      pbx_queue:asterisk_threshold:min_calls)";

pub(super) const TRUNKS: &str = "Attempts that the network refused in the last 30 minutes, in percent of what the \
                                 threshold of the trunk allows; the worst trunk. At 100 % the failure rate is at its \
                                 threshold (alerts/thresholds.yml). Empty for a trunk with few attempts.";
