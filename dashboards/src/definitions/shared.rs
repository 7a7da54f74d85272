//! Panels and columns that several dashboards have.

use super::builder::{Column, Lights, Panel};
use super::{NAMED, average, in_range, quantile, share};

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

/// Average ring time until the agent answered, and average talk time.
pub(super) fn lengths(by: &str) -> [Column; 2] {
    let answered = format!("{NAMED}, result=\"answered\"");
    [
        Column::new("Ring", "dthms", average(by, "asterisk_queue_ring_seconds", &answered)),
        Column::new("Talk", "dthms", average(by, "asterisk_queue_talk_seconds", NAMED)),
    ]
}
