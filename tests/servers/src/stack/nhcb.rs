//! Native histograms with custom buckets, which Prometheus 3 makes of the classic ones
//! (`convert_classic_histograms_to_nhcb`): one series instead of one for each bound, with the same
//! numbers.

use std::collections::BTreeSet;

use super::day::names;
use super::exporter::Exporter;
use super::numbers::after_a_day;
use super::series::Series;
use super::servers::{Server, prometheus, prometheus_3, scraping, until};

/// A Prometheus 3 that stores custom buckets, and the classic ones only if it is told to.
pub(crate) fn custom_buckets(exporter: &Exporter, classic: bool) -> Option<Server> {
    let program = prometheus_3()?;
    let convert = "    convert_classic_histograms_to_nhcb: true\n";
    let keep = format!("    always_scrape_classic_histograms: {classic}\n");
    let config = scraping(exporter.port, &format!("{convert}{keep}"));
    Some(prometheus(&program, &config, &["--enable-feature=native-histograms"]))
}

#[test]
fn custom_buckets_have_the_numbers_of_the_classic_ones() {
    let (_pbx, exporter) = after_a_day("");
    let Some(server) = custom_buckets(&exporter, true) else { return };
    let histograms = histograms(&exporter);
    assert_eq!(histograms.len(), 6, "{histograms:?}");

    for histogram in histograms {
        let bound = bound(&exporter.series().named(&format!("{histogram}_bucket")));
        let pairs = [
            (format!("histogram_count({histogram})"), format!("{histogram}_count")),
            (format!("histogram_sum({histogram})"), format!("{histogram}_sum")),
            (
                format!("histogram_quantile({QUANTILE}, {histogram})"),
                format!("histogram_quantile({QUANTILE}, {histogram}_bucket)"),
            ),
            (
                format!(
                    "histogram_fraction(-Inf, {bound}, {histogram}) * histogram_count({histogram})"
                ),
                // No observation, no fraction.
                format!(
                    "{histogram}_bucket{{le=\"{bound}\"}} and ignoring(le) {histogram}_count > 0"
                ),
            ),
        ];
        for (custom, classic) in pairs {
            until(&format!("{custom} is {classic}"), || {
                let classic = unbounded(&server.ask(&classic));
                if classic.0.is_empty() {
                    return Err("nothing yet".to_owned());
                }
                unbounded(&server.ask(&custom)).compare(&classic, 1e-9)
            });
        }
    }
}

#[test]
fn custom_buckets_need_one_series_for_each_histogram() {
    let (_pbx, exporter) = after_a_day("");
    let Some(server) = custom_buckets(&exporter, false) else { return };
    let own = exporter.series().only(|name, _| name.starts_with("asterisk_"));

    // As many as have a count.
    let histograms = histograms(&exporter);
    let of_histogram = |name: &str| {
        ["_bucket", "_sum"]
            .iter()
            .filter_map(|end| name.strip_suffix(end))
            .any(|stem| histograms.iter().any(|name| name == stem))
    };
    let expected = own.only(|name, _| !of_histogram(name)).0.len();

    until("every histogram is one series", || {
        let found = server.ask("count({__name__=~\"asterisk_.*\"})").total();
        if found == expected as f64 { Ok(()) } else { Err(format!("{found}, not {expected}")) }
    });
    println!("{} series, {expected} with custom buckets", own.0.len());
    assert!(expected * 2 < own.0.len(), "{expected} of {}", own.0.len());
    assert!(names(&server.ask("{__name__=~\".*_bucket\"}")).is_empty());
}

/// One that is neither the first nor the last.
fn bound(buckets: &Series) -> String {
    let bounds: BTreeSet<_> = buckets.0.keys().map(|labels| labels["le"].clone()).collect();
    let inner = bounds.into_iter().nth(3).expect("more than three bounds");
    assert_ne!(inner, "+Inf");
    inner
}

/// The names of the exporter's histograms.
fn histograms(exporter: &Exporter) -> Vec<String> {
    let names = names(&exporter.series());
    names.iter().filter_map(|name| name.strip_suffix("_bucket")).map(str::to_owned).collect()
}

/// Without what a name or a bound adds to the labels.
fn unbounded(series: &Series) -> Series {
    let nameless = series.0.iter().map(|(labels, value)| {
        let mut labels = labels.clone();
        labels.retain(|label, _| label != "__name__" && label != "le");
        (labels, *value)
    });
    // No observation, no quantile.
    Series(nameless.filter(|(_, value)| !value.is_nan()).collect())
}

/// One that no number of observations divides exactly: where it falls between two buckets, Prometheus
/// takes the lower one of classic buckets and the upper one of custom ones.
const QUANTILE: f64 = 0.9123;
