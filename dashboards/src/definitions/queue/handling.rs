//! What happens to connected calls, and how callers move.

use super::super::builder::{Column, Panel, Row};
use super::super::{QUEUE, in_range_with_first, per_minute, share};

pub(super) fn row() -> Row {
    let rate = |counter: &str| format!("sum(rate({counter}{{{QUEUE}}}[$__rate_interval]))");
    let talks = rate("asterisk_queue_completions_total");
    let held = share(&rate("asterisk_queue_talk_hold_seconds_total"), &talks);
    let position = |at: &str| {
        let of = |part: &str| {
            format!(
                "sum(rate(asterisk_queue_position_{part}{{{QUEUE}, at=\"{at}\"}}[$__rate_interval]))"
            )
        };
        // The median where there is only a native histogram: VictoriaMetrics has no function for its mean.
        format!(
            "{} or histogram_quantile(0.5, sum(rate(asterisk_queue_position{{{QUEUE}, at=\"{at}\"}}\
             [$__rate_interval]))) >= 0",
            share(&of("sum"), &of("count"))
        )
    };
    let by_group = |gauge: &str| {
        format!(
            "label_replace(sum by (group) ({gauge}{{{QUEUE}}} * on (pbx, queue) group_left (group) \
             max by (pbx, queue, group) (asterisk_queue_info{{{QUEUE}}})), \"group\", \"–\", \"group\", \"\")"
        )
    };
    Row::titled(
        "Handling",
        8,
        vec![
            (
                4,
                Panel::lines(
                    "Hold, per call",
                    "s",
                    "How long callers were on hold within the talk, on average over all connected calls that ended.",
                )
                .over_time(&held, "hold")
                .at_least("1m"),
            ),
            (
                4,
                Panel::lines(
                    "Put on hold, lost on hold",
                    "cpm",
                    "How often agents put callers on hold, and how many callers hung up meanwhile, per minute.",
                )
                .over_time(&format!("60 * {}", rate("asterisk_queue_talk_holds_total")), "put on hold")
                .over_time(
                    &format!("60 * {}", rate("asterisk_queue_talk_hold_hangups_total")),
                    "lost on hold",
                )
                .at_least("1m"),
            ),
            (
                4,
                Panel::lines(
                    "Transfers, where to",
                    "cpm",
                    "Transferred calls per minute, by where they went.",
                )
                .over_time(
                    &per_minute("to", "asterisk_queue_transfer_arrivals_total", QUEUE),
                    "to {{to}}",
                )
                .stacked()
                .at_least("1m"),
            ),
            (
                4,
                Panel::table(
                    "From queue to queue",
                    &[("queue", "From"), ("to_queue", "To")],
                    "Callers who joined another queue, or the same once more, over the selected time range.",
                    vec![Column::new(
                        "Callers",
                        "short",
                        in_range_with_first("queue, to_queue", "asterisk_queue_flows_total", QUEUE),
                    )],
                )
                .decimals(0),
            ),
            (
                4,
                Panel::lines(
                    "Mean position",
                    "short",
                    "The average place in the queue in which callers joined and in which they abandoned, from 1.",
                )
                .over_time(&position("entry"), "on joining")
                .over_time(&position("abandon"), "on abandoning")
                .at_least("1m"),
            ),
            (
                4,
                Panel::table(
                    "Groups now",
                    &[("group", "Group")],
                    "Callers now, by the groups of queues in the exporter's configuration; queues without a group are in \
                     the row without a name.",
                    vec![
                        Column::new("Waiting", "short", by_group("asterisk_queue_callers_waiting")),
                        Column::new("Talking", "short", by_group("asterisk_queue_callers_talking")),
                    ],
                )
                .decimals(0),
            ),
        ],
    )
}
