//! Panels and columns that several dashboards have.

use super::builder::{Column, Lights, Panel, Row};
use super::{NAMED, QUEUE, average, in_range, quantile, share};

/// A window of time: what a range selector has, and how to take a mean from what is recorded of half
/// hours.
pub(super) struct Window {
    pub(super) range: &'static str,
    recorded: (&'static str, &'static str),
}

/// The time range of the panel.
pub(super) const DAY: Window =
    Window { range: "[$__range]", recorded: ("avg_over_time", "[$__range]") };
/// The half hour that begins at a point, as far as it is over.
pub(super) const HALF_HOUR: Window =
    Window { range: "[30m] offset -30m", recorded: ("last_over_time", "[2m] offset -30m") };

/// The average wait of answered calls in a window.
pub(super) fn speed_of_answer(window: &Window) -> String {
    let of = |part: &str| {
        observed(
            &format!("asterisk_queue_hold_seconds_{part}{{{QUEUE}, outcome=\"answered\"}}"),
            &format!(
                "pbx_queue_outcome:asterisk_queue_hold_seconds_{part}:increase30m{{{QUEUE}, outcome=\"answered\"}}"
            ),
            window,
        )
    };
    share(&of("sum"), &of("count"))
}

/// The average of talk, including hold, and wrap-up in a window.
pub(super) fn handle_time(window: &Window) -> String {
    let of = |part: &str| {
        observed(
            &format!("asterisk_queue_talk_seconds_{part}{{{QUEUE}}}"),
            &format!("pbx_queue:asterisk_queue_talk_seconds_{part}:increase30m{{{QUEUE}}}"),
            window,
        )
    };
    let counted = |counter: &str| {
        format!("sum(increase(asterisk_queue_{counter}_total{{{QUEUE}}}{}))", window.range)
    };
    let wrapup = share(&counted("wrapup_seconds"), &counted("completions"));
    format!("{} + {wrapup}", share(&of("sum"), &of("count")))
}

/// What a counter of a classic histogram grew by, or where there is only a native one, what is
/// recorded of it: for a mean it is enough that sum and count are taken in the same way.
fn observed(counter: &str, recorded: &str, window: &Window) -> String {
    let (added, halves) = window.recorded;
    format!("(sum(increase({counter}{})) or sum({added}({recorded}{halves})))", window.range)
}

/// Median, 90th and 99th percentile of a histogram.
pub(super) fn percentiles(
    title: &'static str,
    description: &'static str,
    histogram: &str,
    matchers: &str,
) -> Panel {
    Panel::lines(title, "s", description)
        .over_time(&quantile(0.5, histogram, matchers), "p50")
        .over_time(&quantile(0.9, histogram, matchers), "p90")
        .over_time(&quantile(0.99, histogram, matchers), "p99")
        .colours(&["p50", "p90", "p99"])
        .or_else(hint(histogram))
        .at_least("5m")
}

/// What Asterisk measured of the sound of the channels of the selected trunks or agents, as `whose`
/// says.
pub(super) fn voice(whose: &str, matchers: &str) -> Row {
    let name = |what: &str| format!("asterisk_{whose}_voice_{what}");
    let of = |stream: &str| format!("{matchers}, stream=\"{stream}\"");
    let panel = |title, unit, description| {
        Panel::lines(title, unit, description).or_else(NOT_MEASURED).at_least("5m")
    };
    let loss = |title, description, stream: &str| {
        let (loss, matchers) = (name("loss_ratio"), of(stream));
        panel(title, "percentunit", description)
            .over_time(&quantile(0.5, &loss, &matchers), "p50")
            .over_time(&quantile(0.9, &loss, &matchers), "p90")
            .over_time(&quantile(0.99, &loss, &matchers), "p99")
            .colours(&["p50", "p90", "p99"])
    };
    let (jitter, round_trip, score) =
        (name("jitter_seconds"), name("round_trip_seconds"), name("score"));

    Row::titled(
        "Voice quality",
        8,
        vec![
            (
                5,
                loss(
                    "Packets lost, received",
                    "Share of the packets of a channel that did not arrive at the PBX: median, 90th and 99th percentile of \
                     channels that ended. Beyond 5 % everybody hears it.",
                    "received",
                ),
            ),
            (
                5,
                loss(
                    "Packets lost, sent",
                    "Share of the packets of a channel that the PBX sent and the far end did not receive, as it reported: \
                     median, 90th and 99th percentile of channels that ended.",
                    "sent",
                ),
            ),
            (
                5,
                panel(
                    "Jitter",
                    "s",
                    "Jitter of what the PBX received and sent: 90th percentile of channels that ended. Phones make up for \
                     some 30 ms.",
                )
                .over_time(&quantile(0.9, &jitter, &of("received")), "received")
                .over_time(&quantile(0.9, &jitter, &of("sent")), "sent"),
            ),
            (
                5,
                panel(
                    "Round trip",
                    "s",
                    "From the PBX to the far end and back: median and 90th percentile of channels that ended. Beyond 300 ms \
                     people begin to talk at the same time.",
                )
                .over_time(&quantile(0.5, &round_trip, matchers), "p50")
                .over_time(&quantile(0.9, &round_trip, matchers), "p90")
                .colours(&["p50", "p90"]),
            ),
            (
                4,
                panel(
                    "Score",
                    "short",
                    "Asterisk's Media Experience Score of what it received, from 0 to 100: median, and what nine of ten \
                     channels that ended were above. Below 60 is poor. Asterisk 18.17, 20.2, 21 and later have it.",
                )
                .over_time(&quantile(0.5, &score, matchers), "median")
                .over_time(&quantile(0.1, &score, matchers), "nine of ten"),
            ),
        ],
    )
}

/// What stands in place of voice quality.
const NOT_MEASURED: &str = "No measurements: METRICS.md, Voice quality";

/// What stands in place of a distribution: by agent, a histogram may have no buckets.
pub(super) fn hint(histogram: &str) -> &'static str {
    if histogram.contains("hold") || histogram.contains("call_ring") {
        "No calls"
    } else {
        "No calls, or no buckets (agent_histograms)"
    }
}

/// Hangup causes as bars with this legend.
pub(super) fn causes(
    title: &'static str,
    description: &'static str,
    counts: &str,
    legend: &str,
) -> Panel {
    Panel::bars(title, "short", description).now(counts, legend).decimals(0)
}

/// Ring attempts with one of these results, for the rows of a table.
pub(super) fn rang(by: &str, results: &str) -> String {
    in_range(by, "asterisk_queue_rings_total", &format!("{NAMED}, result{results}"))
}

/// Calls that an agent did not answer, and their share of those that could have been answered.
pub(super) fn missed(by: &str) -> [Column; 2] {
    let missed = rang(by, "=\"no_answer\"");
    let rona = share(&missed, &rang(by, "=~\"answered|no_answer\""));
    [
        Column::new("Missed", "short", missed),
        Column::new("RONA", "percentunit", rona).lights(Lights::Low(0.1, 0.2)),
    ]
}

/// The sum or count of talks in the selected time range.
pub(super) fn talked(by: &str, part: &str) -> String {
    super::observed(
        by,
        part,
        ("asterisk_queue_talk_seconds", NAMED),
        ("instance_pbx_queue_agent", NAMED),
    )
}

/// Average ring time until the agent answered, and average talk time.
pub(super) fn lengths(by: &str) -> [Column; 2] {
    let answered = format!("{NAMED}, result=\"answered\"");
    [
        Column::new("Ring", "dthms", average(by, "asterisk_queue_ring_seconds", &answered)),
        Column::new("Talk", "dthms", average(by, "asterisk_queue_talk_seconds", NAMED)),
    ]
}
