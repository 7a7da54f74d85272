//! How long callers and agents talked.

use super::super::builder::{Panel, Row};
use super::super::shared::{hint, percentiles};
use super::super::{QUEUE, distribution, share, total};

pub(super) fn row() -> Row {
    let answered = format!("{QUEUE}, result=\"answered\"");
    Row::new(
        8,
        vec![
            (
                6,
                Panel::heatmap(
                    "Talk",
                    "s",
                    "How long callers and agents talked: brighter means more calls.",
                    &distribution("asterisk_queue_talk_seconds", QUEUE),
                )
                .or_else(hint("asterisk_queue_talk_seconds"))
                .at_least("5m"),
            ),
            (
                6,
                percentiles(
                    "Talk percentiles",
                    "Duration of talks: median, 90th and 99th percentile.",
                    "asterisk_queue_talk_seconds",
                    QUEUE,
                ),
            ),
            (
                6,
                Panel::lines(
                    "Short talks, 30 min",
                    "percentunit",
                    "Talks of at most 5 seconds, of all talks, over the 30 minutes before each point. Many of them mean \
                     that calls are cut off at once, by agents or by a phone or line without audio.",
                )
                .over_time(&short_talks(), "short talks")
                .or_else(hint("asterisk_queue_talk_seconds")),
            ),
            (
                6,
                percentiles(
                    "Ring, answered calls",
                    "How long phones rang until the agent answered: median, 90th and 99th percentile.",
                    "asterisk_queue_ring_seconds",
                    &answered,
                ),
            ),
        ],
    )
}

fn short_talks() -> String {
    let [short, all] = ["short", "bucketed"]
        .map(|talks| total(&format!("pbx_queue:asterisk_queue_{talks}_talks:increase30m")));
    share(&short, &all)
}
