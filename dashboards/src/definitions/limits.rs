//! Traffic lights by the thresholds in effect (`alerts/thresholds.yml`): each queue and trunk by its
//! own, as in the alerts.
//!
//! Grafana's own thresholds are constants of a panel, the same for all queues.  So a light shows a
//! ratio: a value of a queue relative to what the threshold of that queue allows.

use super::builder::{Lights, Panel};
use super::{QUEUE, TRUNK};

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

/// A queue with fewer calls has no light, as it has no alert.
const ENOUGH: &str = "and on (pbx, queue) (pbx_queue:asterisk_queue_ended:increase30m >= on (pbx, queue) \
                      pbx_queue:asterisk_threshold:min_calls)";

pub(super) const SERVICE_LEVEL: &str = "Late calls (not answered within the target) in the last 30 minutes, in percent of \
                                        what the threshold of the queue allows; the worst queue. At 100 % the service \
                                        level is at its threshold (alerts/thresholds.yml). Empty for a queue with few \
                                        calls, or without a target.";
pub(super) const ABANDONS: &str = "Abandoned calls in the last 30 minutes, in percent of what the threshold of the queue \
                                   allows; the worst queue. At 100 % the abandon rate is at its threshold \
                                   (alerts/thresholds.yml). Empty for a queue with few calls.";
pub(super) const TRUNKS: &str = "Attempts that the network refused in the last 30 minutes, in percent of what the \
                                 threshold of the trunk allows; the worst trunk. At 100 % the failure rate is at its \
                                 threshold (alerts/thresholds.yml). Empty for a trunk with few attempts.";
