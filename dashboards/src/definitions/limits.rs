//! Traffic lights by the thresholds in force (`alerts/thresholds.yml`): each queue and trunk by its
//! own, the same that the alerts go by.
//!
//! Grafana's own thresholds are numbers in a panel, the same for all queues.  So a light is a
//! number of its own: how much of what its threshold allows a queue has used up.

use super::builder::{Lights, Panel};
use super::{QUEUE, TRUNK};

/// Red where the limit is reached, amber shortly before.
pub(super) const LIGHTS: Lights = Lights::Low(0.8, 1.0);

/// Of each queue: how much of the callers it may lose gave up in the last half hour.
pub(super) fn gave_up() -> String {
    format!(
        "pbx_queue:asterisk_queue_abandoned:ratio_rate30m{{{QUEUE}}} / on (pbx, queue) \
         (pbx_queue:asterisk_threshold:abandon_ratio > 0) {ENOUGH}"
    )
}

/// Of each queue with a target: how much of those who may wait longer than that did so in the last
/// half hour.
pub(super) fn too_late() -> String {
    format!(
        "(1 - pbx_queue:asterisk_queue_service_level_alerted:ratio_rate30m{{{QUEUE}}}) / on (pbx, queue) \
         (1 - pbx_queue:asterisk_threshold:service_level > 0) {ENOUGH}"
    )
}

/// Of each trunk: how much of the failures it may have it had in the last half hour.
pub(super) fn failed() -> String {
    format!(
        "pbx_trunk:asterisk_trunk_network_failures:ratio_rate30m{{{TRUNK}}} / on (pbx, trunk) \
         (pbx_trunk:asterisk_threshold:trunk_failure_ratio > 0) and on (pbx, trunk) \
         (pbx_trunk:asterisk_trunk_attempts:increase30m >= on (pbx, trunk) \
         pbx_trunk:asterisk_threshold:trunk_min_attempts)"
    )
}

/// The worst of what is chosen as a light.
pub(super) fn worst(title: &'static str, description: &'static str, of_limit: &str) -> Panel {
    Panel::stat(title, "percentunit", description)
        .now(&format!("max({of_limit})"), "of limit")
        .decimals(0)
        .lights(LIGHTS)
        .or_else("–")
}

/// A dashed line where the limit is: the strictest of the chosen queues.
pub(super) fn line_of_service_level(panel: Panel) -> Panel {
    line(panel, &format!("max(pbx_queue:asterisk_threshold:service_level{{{QUEUE}}})"))
}

pub(super) fn line_of_abandons(panel: Panel) -> Panel {
    line(panel, &format!("min(pbx_queue:asterisk_threshold:abandon_ratio{{{QUEUE}}})"))
}

pub(super) fn line_of_trunk_failures(panel: Panel) -> Panel {
    line(panel, &format!("min(pbx_trunk:asterisk_threshold:trunk_failure_ratio{{{TRUNK}}})"))
}

fn line(panel: Panel, limit: &str) -> Panel {
    panel.over_time(limit, "limit").dashed("limit")
}

/// A queue with fewer calls has no light, as it has no alert.
const ENOUGH: &str = "and on (pbx, queue) (pbx_queue:asterisk_queue_ended:increase30m >= on (pbx, queue) \
                      pbx_queue:asterisk_threshold:min_calls)";

pub(super) const SERVICE_LEVEL: &str = "Callers who were not answered within the target, as a share of what the \
                                        threshold of the queue allows, in the last 30 minutes; the worst queue. At \
                                        100 % its service level is as low as may be (alerts/thresholds.yml). Nothing \
                                        for a queue with few calls, or without a target.";
pub(super) const ABANDONS: &str = "Callers who gave up, as a share of what the threshold of the queue allows, in the \
                                   last 30 minutes; the worst queue. At 100 % it is as high as may be (alerts/thresholds.yml). Nothing for a \
                                   queue with few calls.";
pub(super) const TRUNKS: &str = "Attempts that the network refused, as a share of what the threshold of the trunk \
                                 allows, in the last 30 minutes; the worst trunk. At 100 % there are as many as may be \
                                 (alerts/thresholds.yml). Nothing for a trunk with few attempts.";
