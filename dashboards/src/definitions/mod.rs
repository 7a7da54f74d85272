//! Where the dashboards are written: `dashboards/*.json` are made of this, and a test says that
//! they are up to date.
//!
//! Panels are told apart by kind (`Panel::stat`, `Panel::lines` and so on), queries are PromQL as
//! Grafana has it. After a change, `cargo run -p dashboards` writes the files anew.

mod agents;
mod builder;
mod calls_and_trunks;
mod exporter;
mod frame;
mod limits;
mod palette;
mod queue;
mod shared;
mod wallboard;

use serde_json::Value;

/// Each dashboard with the name of its file.
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("wallboard", wallboard::dashboard().json()),
        ("queue", queue::dashboard().json()),
        ("agents", agents::dashboard().json()),
        ("calls-and-trunks", calls_and_trunks::dashboard().json()),
        ("exporter", exporter::dashboard().json()),
    ]
}

/// What is chosen, as label matchers.
const PBX: &str = r#"pbx=~"$pbx""#;
const QUEUE: &str = r#"pbx=~"$pbx", queue=~"$queue""#;
const AGENT: &str = r#"pbx=~"$pbx", agent=~"$agent""#;
const MEMBER: &str = r#"pbx=~"$pbx", queue=~"$queue", agent=~"$agent""#;
const TRUNK: &str = r#"pbx=~"$pbx", trunk=~"$trunk""#;

/// How many of a counter came each minute.
fn per_minute(by: &str, counter: &str, matchers: &str) -> String {
    format!("60 * sum by ({by}) (rate({counter}{{{matchers}}}[$__rate_interval]))")
}

/// How many of a counter came in the time that is shown.
fn in_range(by: &str, counter: &str, matchers: &str) -> String {
    format!("sum by ({by}) (increase({counter}{{{matchers}}}[$__range]))")
}

/// The same of a counter that begins when there is something to count, from 1 on: its first is in
/// no increase.
///
/// A series that was not there when the shown time began counts in full, if its exporter was.  If
/// the exporter started anew since, its value is what came since then: the increase is the greater
/// one, and counts.
pub fn in_range_with_first(by: &str, counter: &str, matchers: &str) -> String {
    let counter = format!("{counter}{{{matchers}}}");
    let increase = format!("increase({counter}[$__range])");
    let fresh = format!(
        "({counter} unless {counter} offset $__range and on (job, instance) {INFO} offset $__range)"
    );
    format!("sum by ({by}) ({increase} > {fresh} or {fresh} or {increase})")
}

/// Whether each PBX is seen: 0 also for one whose exporter is scraped no more.
fn seen() -> String {
    format!("(asterisk_up{{{PBX}}} or on (pbx) 0 * last_over_time(asterisk_up{{{PBX}}}[1w]))")
}

/// The longest wait of each queue, as long as its PBX is seen: while it is not, known waits only
/// grow.
fn longest_wait() -> String {
    format!("(asterisk_queue_longest_wait_seconds{{{QUEUE}}} and on (pbx) asterisk_up == 1)")
}

/// The greatest, the first on top, and none that is zero.
fn most(number: u32, of: &str) -> String {
    format!("sort_desc(topk({number}, {of} > 0))")
}

/// The same without any label.
fn all_in_range(counter: &str, matchers: &str) -> String {
    format!("sum(increase({counter}{{{matchers}}}[$__range]))")
}

/// A part of a whole; nothing, not zero, where the whole is zero.
fn share(part: &str, whole: &str) -> String {
    format!("{part} / ({whole} > 0)")
}

/// A percentile of a native histogram where Prometheus has it, for it is the finer one, else of the
/// classic one.
///
/// The comparison drops what a quiet time gives: NaN.
fn quantile(quantile: f64, histogram: &str, matchers: &str) -> String {
    format!(
        "(histogram_quantile({quantile}, sum(rate({histogram}{{{matchers}}}[$__rate_interval]))) \
         or histogram_quantile({quantile}, sum by (le) (rate({histogram}_bucket{{{matchers}}}[$__rate_interval])))) \
         >= 0"
    )
}

/// A distribution of a native histogram, or of the classic one.
fn distribution(histogram: &str, matchers: &str) -> String {
    format!(
        "sum(increase({histogram}{{{matchers}}}[$__rate_interval])) \
         or on () sum by (le) (increase({histogram}_bucket{{{matchers}}}[$__rate_interval]))"
    )
}

/// The average length in the time that is shown.
///
/// Of classic histograms only: VictoriaMetrics refuses a query that names `histogram_sum`, even
/// beside another.
fn average(by: &str, histogram: &str, matchers: &str) -> String {
    let of = |part: &str| in_range_with_first(by, &format!("{histogram}_{part}"), matchers);
    share(&of("sum"), &of("count"))
}

/// An average of the chosen queues, each weighted by how many there were of what it is the average
/// of; a queue that has none weighs nothing.
fn weighted(mean: &str, count: &str) -> String {
    format!(
        "sum({mean}{{{QUEUE}}} * {count}{{{QUEUE}}}) / \
         (sum({count}{{{QUEUE}}} and on (pbx, queue) {mean}{{{QUEUE}}}) > 0)"
    )
}

/// A recorded series, summed over what is chosen.
fn total(recorded: &str) -> String {
    format!("sum({recorded}{{{QUEUE}}})")
}

/// The same for queues that have a target: others have no service level, and must not be below the
/// line of one.
fn total_with_target(recorded: &str) -> String {
    format!(
        "sum({recorded}{{{QUEUE}}} and on (pbx, queue) pbx_queue:asterisk_queue_answered_in_target:increase30m)"
    )
}

const INFO: &str = "asterisk_exporter_build_info";
