//! The dashboards as code: `dashboards/*.json` are generated from this, and CI checks that they are
//! up to date.
//!
//! Each kind of panel has a constructor (`Panel::stat`, `Panel::lines` and so on), queries are PromQL
//! as Grafana has it.  After a change, `cargo run -p dashboards` generates the files again.

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

/// The selection as label matchers.
const PBX: &str = r#"pbx=~"$pbx""#;
const QUEUE: &str = r#"pbx=~"$pbx", queue=~"$queue""#;
const AGENT: &str = r#"pbx=~"$pbx", agent=~"$agent""#;
const MEMBER: &str = r#"pbx=~"$pbx", queue=~"$queue", agent=~"$agent""#;
const TRUNK: &str = r#"pbx=~"$pbx", trunk=~"$trunk""#;

/// Members in a table.  With `agent_histograms: off` a histogram's agent is empty, and Grafana's merge
/// writes a row that lacks a label into all rows that it could belong to.
const NAMED: &str = r#"pbx=~"$pbx", queue=~"$queue", agent=~"$agent", agent!="""#;

/// The rate of a counter per minute.
fn per_minute(by: &str, counter: &str, matchers: &str) -> String {
    format!("60 * sum by ({by}) (rate({counter}{{{matchers}}}[$__rate_interval]))")
}

/// The increase of a counter in the selected time range.
fn in_range(by: &str, counter: &str, matchers: &str) -> String {
    format!("sum by ({by}) (increase({counter}{{{matchers}}}[$__range]))")
}

/// The same for a counter whose series starts with its first event, at 1: no increase contains it.
///
/// A series that did not exist at the beginning of the time range counts in full, if its exporter
/// did.  If the exporter has restarted since, the value is the count since then: the increase is
/// greater and is used.
pub fn in_range_with_first(by: &str, counter: &str, matchers: &str) -> String {
    let counter = format!("{counter}{{{matchers}}}");
    let increase = format!("increase({counter}[$__range])");
    let fresh = format!(
        "({counter} unless {counter} offset $__range and on (job, instance) {INFO} offset $__range)"
    );
    format!("sum by ({by}) ({increase} > {fresh} or {fresh} or {increase})")
}

/// Whether each PBX is connected: 0 also for one whose exporter is no longer scraped.
fn connected() -> String {
    format!("(asterisk_up{{{PBX}}} or on (pbx) 0 * last_over_time(asterisk_up{{{PBX}}}[1w]))")
}

/// The longest wait of each queue while its PBX is connected: otherwise the known waits only grow.
fn longest_wait() -> String {
    format!("(asterisk_queue_longest_wait_seconds{{{QUEUE}}} and on (pbx) asterisk_up == 1)")
}

/// The greatest values in descending order, without zeros.
fn most(number: u32, of: &str) -> String {
    format!("sort_desc(topk({number}, {of} > 0))")
}

/// The same without any label.
fn all_in_range(counter: &str, matchers: &str) -> String {
    format!("sum(increase({counter}{{{matchers}}}[$__range]))")
}

/// A ratio; absent, not zero, where the whole is zero.
fn share(part: &str, whole: &str) -> String {
    format!("{part} / ({whole} > 0)")
}

/// A percentile of a native histogram where Prometheus has one, because it is finer, else of the
/// classic one.
///
/// The comparison drops NaN, the result of a time without calls.
pub fn quantile(quantile: f64, histogram: &str, matchers: &str) -> String {
    let native = format!("sum(rate({histogram}{{{matchers}}}[$__rate_interval]))");
    let classic = buckets("rate", histogram, matchers);
    format!(
        "(histogram_quantile({quantile}, {native}) or histogram_quantile({quantile}, {classic})) >= 0"
    )
}

/// A distribution of a native histogram, or of the classic one.
fn distribution(histogram: &str, matchers: &str) -> String {
    let classic = buckets("increase", histogram, matchers);
    format!("sum(increase({histogram}{{{matchers}}}[$__rate_interval])) or on () {classic}")
}

/// The buckets of a classic histogram, of those PBXs that have any: with `agent_histograms: sums`
/// there is only `+Inf`, and a quantile of its observations and of other PBXs' buckets would be too
/// high.
fn buckets(function: &str, histogram: &str, matchers: &str) -> String {
    format!(
        "sum by (le) ({function}({histogram}_bucket{{{matchers}}}[$__rate_interval]) \
         and on (pbx) {histogram}_bucket{{{matchers}, le!=\"+Inf\"}})"
    )
}

/// The sum or count of a histogram's observations in the selected time range: of the classic
/// histogram, or as `alerts/rules-native.yml` records it where there is only a native one.
///
/// VictoriaMetrics refuses a query with `histogram_sum`, even next to another.
fn observed(by: &str, part: &str, classic: (&str, &str), recorded: (&str, &str)) -> String {
    let of = |(series, matchers): (&str, &str)| in_range_with_first(by, series, matchers);
    let (histogram, matchers) = classic;
    let (level, chosen) = recorded;
    format!(
        "({} or {})",
        of((&format!("{histogram}_{part}"), matchers)),
        of((&format!("{level}:{histogram}_{part}:total"), chosen))
    )
}

/// The average duration of each agent in the selected time range.
fn average(by: &str, histogram: &str, matchers: &str) -> String {
    let recorded = ("instance_pbx_queue_agent", NAMED);
    let of = |part: &str| observed(by, part, (histogram, matchers), recorded);
    share(&of("sum"), &of("count"))
}

/// The average over the selected queues, each weighted by its number of calls; a queue without calls
/// has no weight.
fn weighted(mean: &str, count: &str) -> String {
    weighted_by(mean, &format!("{count}{{{QUEUE}}}"))
}

/// The same by any number of calls of each queue.
fn weighted_by(mean: &str, calls: &str) -> String {
    let mean = format!("{mean}{{{QUEUE}}}");
    format!("sum({mean} * on (pbx, queue) {calls}) / (sum({calls} and on (pbx, queue) {mean}) > 0)")
}

/// A recorded series, summed over the selection.
fn total(recorded: &str) -> String {
    format!("sum({recorded}{{{QUEUE}}})")
}

/// The same for queues that have a target: others have no service level, and must not be in its
/// denominator.
fn total_with_target(recorded: &str) -> String {
    format!(
        "sum({recorded}{{{QUEUE}}} and on (pbx, queue) pbx_queue:asterisk_queue_answered_in_target:increase30m)"
    )
}

const INFO: &str = "asterisk_exporter_build_info";
