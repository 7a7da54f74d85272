//! Native histograms and exemplars: what a real Prometheus took of them, asked back.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::calls::{abandoned, answered};
use super::exporter::Exporter;
use super::numbers::{after_a_day, at_rest};
use super::pbx::Pbx;
use super::series::{Labels, Series, labels, sample};
use super::servers::{Server, encoded, prometheus, prometheus_2, prometheus_3, scraping, until};

const HISTOGRAMS: &[&str] = &[
    "asterisk_queue_hold_seconds",
    "asterisk_queue_ring_seconds",
    "asterisk_queue_talk_seconds",
    "asterisk_call_ring_seconds",
    "asterisk_call_talk_seconds",
];
pub(crate) const NATIVE: &str = "--enable-feature=native-histograms";

/// Waits until every histogram's count and sum are the exporter's, asked of the native histogram.
fn assert_native(server: &Server, exporter: &Exporter) {
    for name in HISTOGRAMS {
        let own = exporter.series();
        let count = own.named(&format!("{name}_count"));
        let sum = own.named(&format!("{name}_sum"));
        assert!(count.total() > 10.0, "{name}: {} observations are no day", count.total());
        until(&format!("{} has {name} as a native histogram", server.what()), || {
            count.compare(&server.ask(&format!("histogram_count({name})")), 0.0)?;
            sum.compare(&server.ask(&format!("histogram_sum({name})")), 0.0)
        });
        // Powers of two bound a native bucket: up to there its fraction is exact, where a classic
        // bound shows it too.
        for bound in [1.0, 2.0, 8.0] {
            let classic = own
                .named(&format!("{name}_bucket"))
                .only(|_, labels| labels["le"].parse() == Ok(bound));
            let classic = Series(
                classic
                    .0
                    .into_iter()
                    .map(|(mut labels, value)| {
                        labels.remove("le");
                        (labels, value)
                    })
                    .collect(),
            );
            if classic.0.is_empty() {
                continue;
            }
            // Without an observation there is no fraction.
            let below = server.ask(&format!(
                "histogram_fraction(-Inf, {bound}, {name}) * histogram_count({name}) > -1 \
                 or histogram_count({name}) == 0"
            ));
            classic
                .compare(&rounded(below), 0.0)
                .unwrap_or_else(|why| panic!("{name} up to {bound} s: {why}"));
        }
    }
}

/// Counts that a division and a multiplication left a last bit beside.
fn rounded(series: Series) -> Series {
    Series(
        series.0.into_iter().map(|(labels, value)| (labels, (value * 1e6).round() / 1e6)).collect(),
    )
}

#[test]
fn prometheus_2_takes_native_histograms_in_place_of_the_classic_ones() {
    let Some(program) = prometheus_2() else { return };
    let (_pbx, exporter) = after_a_day("metrics: {native_histograms: true}");
    let server = prometheus(&program, &scraping(exporter.port, ""), &[NATIVE]);
    assert_native(&server, &exporter);
    // That is why they are off by default.
    assert!(server.ask("asterisk_queue_hold_seconds_bucket").0.is_empty());
    let counters = |series: &Series| at_rest(series).only(|name, _| name.ends_with("_total"));
    counters(&exporter.series())
        .compare(&counters(&server.ask("{job=\"asterisk\"}")), 0.0)
        .unwrap();
}

/// A Prometheus 3 that takes both kinds from this exporter.
pub(crate) fn native_and_classic(exporter: &Exporter) -> Option<Server> {
    let program = prometheus_3()?;
    let mut config = scraping(exporter.port, "    always_scrape_classic_histograms: true\n");
    // From then on the flag does nothing, and before it nobody knows the key.
    if minor_version(&program) >= 8 {
        config.push_str("    scrape_native_histograms: true\n");
    }
    Some(prometheus(&program, &config, &[NATIVE]))
}

#[test]
fn prometheus_3_takes_native_histograms_beside_the_classic_ones() {
    let (_pbx, exporter) = after_a_day("metrics: {native_histograms: true}");
    let Some(server) = native_and_classic(&exporter) else { return };
    assert_native(&server, &exporter);
    until("the classic numbers are all there", || {
        at_rest(&exporter.series()).compare(&at_rest(&server.ask("{job=\"asterisk\"}")), 0.0)
    });
}

/// The 5 of 3.5.3.
fn minor_version(prometheus: &Path) -> u32 {
    let output = Command::new(prometheus).arg("--version").output().unwrap();
    let output = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let minor = output.split("version ").nth(1).and_then(|version| version.split('.').nth(1));
    minor.and_then(|minor| minor.parse().ok()).unwrap_or_else(|| panic!("no version: {output}"))
}

#[test]
fn who_does_not_ask_for_native_histograms_gets_text() {
    let Some(program) = prometheus_2() else { return };
    let (_pbx, exporter) = after_a_day("metrics: {native_histograms: true}");
    let server = prometheus(&program, &scraping(exporter.port, ""), &[]);
    until("Prometheus has the classic numbers", || {
        at_rest(&exporter.series()).compare(&at_rest(&server.ask("{job=\"asterisk\"}")), 0.0)
    });
}

/// An exemplar: the series it belongs to, the call, and the value as text.
type Exemplar = (Labels, String, String);

/// The exemplars in an OpenMetrics page.
fn shown(page: &str) -> BTreeSet<Exemplar> {
    let with = page.lines().filter_map(|line| line.split_once(" # {linkedid=\""));
    let read = with.map(|(line, exemplar)| {
        let (linkedid, value) = exemplar.split_once("\"} ").expect("an exemplar has a value");
        let (value, _) = value.split_once(' ').expect("an exemplar has a time");
        (sample(line).0, linkedid.to_owned(), value.parse::<f64>().unwrap().to_string())
    });
    read.collect()
}

/// The exemplars that Prometheus has of a metric.
fn stored(server: &Server, metric: &str) -> BTreeSet<Exemplar> {
    // All of time.
    let path = format!("/api/v1/query_exemplars?query={}&start=0&end=9999999999", encoded(metric));
    let answer = server.json(&path);
    let mut found = BTreeSet::new();

    for series in answer["data"].as_array().expect("a list of series") {
        for exemplar in series["exemplars"].as_array().expect("a list of exemplars") {
            let call = labels(&exemplar["labels"]);
            assert_eq!(call.keys().collect::<Vec<_>>(), ["linkedid"]);
            let value: f64 = exemplar["value"].as_str().unwrap().parse().unwrap();
            found.insert((
                labels(&series["seriesLabels"]),
                call["linkedid"].clone(),
                value.to_string(),
            ));
        }
    }

    found
}

/// Twelve callers, whose holds are in buckets of their own.
fn say_calls(pbx: &Pbx, exporter: &Exporter) {
    for (number, hold) in [0.25, 3.5, 7.125, 19.0, 400.0, 5000.0].into_iter().enumerate() {
        let number = number as u32 * 2;
        pbx.say(&abandoned(number, hold));
        pbx.say(&answered(number + 1, hold));
    }

    until("all calls are counted", || {
        let exits = exporter.series().named("asterisk_queue_exits_total").total();
        if exits == 12.0 { Ok(()) } else { Err(format!("{exits} of 12")) }
    });
}

fn assert_exemplars(program: &Path) {
    let pbx = Pbx::start();
    let exporter = Exporter::start(&pbx, "metrics: {exemplars: true}");
    let server =
        prometheus(program, &scraping(exporter.port, ""), &["--enable-feature=exemplar-storage"]);
    say_calls(&pbx, &exporter);

    let shown = shown(&exporter.page("application/openmetrics-text;version=1.0.0"));
    let of = |metric: &str| -> BTreeSet<Exemplar> {
        shown.iter().filter(|(labels, ..)| labels["__name__"] == metric).cloned().collect()
    };
    let (hold, talk) =
        (of("asterisk_queue_hold_seconds_bucket"), of("asterisk_queue_talk_seconds_bucket"));
    assert_eq!(
        (hold.len(), hold.len() + talk.len()),
        (12, shown.len()),
        "each hold is in a bucket of its own"
    );

    assert!(
        hold.iter().any(|(labels, call, value)| {
            (labels["le"].as_str(), labels["outcome"].as_str(), call.as_str(), value.as_str())
                == ("10.0", "abandoned", "1700014400.4", "7.125")
        }),
        "{hold:?}"
    );

    for (metric, shown) in
        [("asterisk_queue_hold_seconds_bucket", hold), ("asterisk_queue_talk_seconds_bucket", talk)]
    {
        assert!(!shown.is_empty(), "{metric}");
        until(&format!("Prometheus has the exemplars of {metric}"), || {
            let stored = stored(&server, metric);
            if stored.is_superset(&shown) {
                Ok(())
            } else {
                Err(format!("{stored:?} lacks some of {shown:?}"))
            }
        });
    }

    // A Linkedid is never a label of a series.
    let labels = server.json("/api/v1/labels");
    let labels: Vec<_> =
        labels["data"].as_array().unwrap().iter().map(|label| label.as_str().unwrap()).collect();
    assert!(labels.contains(&"outcome") && !labels.contains(&"linkedid"), "{labels:?}");
}

#[test]
fn prometheus_2_finds_the_calls_behind_hold_and_talk() {
    let Some(program) = prometheus_2() else { return };
    assert_exemplars(&program);
}

#[test]
fn prometheus_3_finds_the_calls_behind_hold_and_talk() {
    let Some(program) = prometheus_3() else { return };
    assert_exemplars(&program);
}

const EXEMPLARS: &str = "--enable-feature=native-histograms,exemplar-storage";

/// An exporter with both, and who called: hold and call of each outcome, shortest first.
fn with_both() -> (Pbx, Exporter, Vec<(Labels, String, String)>) {
    let pbx = Pbx::start();
    let exporter = Exporter::start(&pbx, "metrics: {native_histograms: true, exemplars: true}");
    say_calls(&pbx, &exporter);
    let shown = shown(&exporter.page("application/openmetrics-text;version=1.0.0"));
    let hold = shown
        .into_iter()
        .filter(|(labels, ..)| labels["__name__"] == "asterisk_queue_hold_seconds_bucket")
        .collect::<Vec<_>>();
    assert_eq!(hold.len(), 12, "{hold:?}");
    (pbx, exporter, hold)
}

/// The same exemplar of a native histogram, whose series has no bucket.
fn of_native((labels, call, value): &Exemplar) -> Exemplar {
    let mut labels = labels.clone();
    labels.remove("le");
    labels.insert("__name__".to_owned(), "asterisk_queue_hold_seconds".to_owned());
    (labels, call.clone(), value.clone())
}

fn assert_counts(server: &Server) {
    until("the native histograms have all callers", || {
        let count = server.ask("sum by (outcome) (histogram_count(asterisk_queue_hold_seconds))");
        let counts: Vec<_> = count.0.into_iter().map(|(l, n)| (l["outcome"].clone(), n)).collect();
        let counts: Vec<_> = counts.iter().filter(|(_, n)| *n > 0.0).collect();
        let wanted = [&("abandoned".to_owned(), 6.0), &("answered".to_owned(), 6.0)];
        if counts == wanted { Ok(()) } else { Err(format!("{counts:?}")) }
    });
}

#[test]
fn prometheus_3_finds_the_calls_behind_native_and_classic_histograms() {
    let Some(program) = prometheus_3() else { return };
    let (_pbx, exporter, hold) = with_both();
    let more = "    always_scrape_classic_histograms: true\n";
    let mut config = scraping(exporter.port, more);
    if minor_version(&program) >= 8 {
        config.push_str("    scrape_native_histograms: true\n");
    }
    let server = prometheus(&program, &config, &[EXEMPLARS]);
    assert_counts(&server);

    let native: BTreeSet<_> = hold.iter().map(of_native).collect();
    assert_eq!(native.len(), 12);
    assert_stored(&server, "asterisk_queue_hold_seconds", &native);
    assert_stored(&server, "asterisk_queue_hold_seconds_bucket", &hold.into_iter().collect());
}

#[test]
fn prometheus_2_finds_a_call_behind_each_native_histogram() {
    let Some(program) = prometheus_2() else { return };
    let (_pbx, exporter, hold) = with_both();
    let server = prometheus(&program, &scraping(exporter.port, ""), &[EXEMPLARS]);
    assert_counts(&server);

    // 2.42 takes one exemplar of a native histogram, that of the lowest bucket; 2.53 takes them all.
    let lowest = hold.iter().filter(|(labels, ..)| labels["le"] == "1.0");
    let lowest: BTreeSet<_> = lowest.map(of_native).collect();
    assert_eq!(lowest.len(), 2, "of each outcome");
    let all: BTreeSet<_> = hold.iter().map(of_native).collect();
    until("Prometheus has exemplars of native histograms", || {
        let stored = stored(&server, "asterisk_queue_hold_seconds");
        assert!(stored.is_subset(&all), "{stored:?}, not of {all:?}");
        if stored.is_superset(&lowest) { Ok(()) } else { Err(format!("{stored:?}")) }
    });
}

fn assert_stored(server: &Server, metric: &str, wanted: &BTreeSet<Exemplar>) {
    until(&format!("Prometheus has the exemplars of {metric}"), || {
        let stored = stored(server, metric);
        if stored == *wanted { Ok(()) } else { Err(format!("{stored:?}, not {wanted:?}")) }
    });
}
