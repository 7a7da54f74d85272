//! What a Prometheus records that has native histograms only: the rules as users load them,
//! evaluated by the server itself, beside one that has the classic histograms.

use std::collections::BTreeSet;
use std::path::Path;

use support::program::get;
use support::root;

use super::calls::day;
use super::day::names;
use super::exporter::Exporter;
use super::histograms::NATIVE;
use super::moments::faster;
use super::native_rules::{entered, has_counterpart, rules};
use super::numbers::after_a_day;
use super::series::Series;
use super::servers::{Folder, Server, prometheus, prometheus_2, prometheus_3, scraping, until};
use super::standing::Standing;

#[test]
fn custom_buckets_record_what_classic_ones_do() {
    let Some(program) = prometheus_3() else { return };
    let (pbx, exporter) = after_a_day("");
    let before = exporter.page("*/*");
    let first = exporter.series().named("asterisk_queue_entries_total").total();
    pbx.say(&day(8, 400));
    entered(&exporter, first + 100.0);
    let after = exporter.page("*/*");

    // All counters rise at once, so every ratio is the same whenever it is evaluated.
    let page = Standing::start(before);
    let convert = "    convert_classic_histograms_to_nhcb: true\n";
    let classic = evaluating(&program, page.port, "", &[RULES], &[]);
    let custom = evaluating(&program, page.port, convert, &[RULES, NATIVE_RULES], &[NATIVE]);
    for server in [&classic, &custom] {
        until("Prometheus has scraped the first day", || {
            match server.ask("count_over_time(asterisk_up[1h])").total() {
                found if found >= 20.0 => Ok(()),
                found => Err(format!("{found} scrapes")),
            }
        });
    }
    page.show(after);

    let expected: BTreeSet<_> =
        rules(RULES).into_keys().filter(|name| has_counterpart(name)).collect();
    until("the classic rules have recorded everything", || {
        let recorded = names(&recorded(&classic));
        match expected.iter().find(|name| !recorded.contains(*name)) {
            None => Ok(()),
            Some(missing) => Err(format!("without {missing}")),
        }
    });
    until("custom buckets have recorded the same", || {
        same(&recorded(&classic), &recorded(&custom))
    });
    assert!(names(&custom.ask("{__name__=~\".*_(bucket|sum|count)\"}")).is_empty());
    assert_eq!(discarded(&custom), BTreeSet::new());
}

/// The same series, and of averages and ratios nearly the same values.
///
/// Not exactly: each server evaluates at other moments, and where a counter is low, `increase()`
/// extrapolates it less than the others.  `native_rules` compares exactly, at one moment.
fn same(classic: &Series, custom: &Series) -> Result<(), String> {
    let is_ratio = |name: &str| name.contains(":ratio_") || name.contains(":mean_");
    let ratios = |series: &Series| series.only(|name, _| is_ratio(name));
    let keys = |series: &Series| {
        // Totals are recorded in place of the classic series themselves.
        let kept = series.only(|name, _| has_counterpart(name) && !name.ends_with(":total"));
        Series(kept.0.into_keys().map(|labels| (labels, 0.0)).collect())
    };

    keys(classic).compare(&keys(custom), 0.0)?;
    ratios(classic).compare(&ratios(custom), 0.1)
}

/// The newest sample of each recorded series.
fn recorded(server: &Server) -> Series {
    server.ask("last_over_time({__name__=~\".+:.+:.+\"}[1h])")
}

#[test]
fn prometheus_3_discards_no_result() {
    let Some(program) = prometheus_3() else { return };
    let (server, _) = busy(&program);
    assert_eq!(discarded(&server), BTreeSet::new());
}

/// Prometheus 2.42 compares the sum of a histogram's buckets with its count, and the rounding of an
/// increase can make it the greater one.  Nothing can read these two there.
#[test]
fn prometheus_2_discards_only_what_it_cannot_add() {
    let Some(program) = prometheus_2() else { return };
    let (server, _) = busy(&program);
    let histograms = [
        "pbx_queue:asterisk_queue_ring_seconds:increase5m",
        "pbx_queue:asterisk_queue_talk_seconds:increase5m",
    ];
    let other: Vec<_> = discarded(&server)
        .into_iter()
        .filter(|line| !histograms.iter().any(|name| line.contains(&format!("name={name} "))))
        .collect();
    assert_eq!(other, Vec::<String>::new());
}

/// A server with exponential buckets that has evaluated the rules while calls came.
fn busy(program: &Path) -> (Server, Exporter) {
    let (pbx, exporter) = after_a_day("metrics: {native_histograms: true}");
    let server = evaluating(program, exporter.port, "", &[RULES, NATIVE_RULES], &[NATIVE]);
    for seed in 8..12 {
        pbx.say(&day(seed, 100));
        let before = iterations(&server);
        until("the rules have been evaluated again", || match iterations(&server) {
            now if now >= before + 8.0 => Ok(()),
            now => Err(format!("{now} evaluations")),
        });
    }
    (server, exporter)
}

/// How many evaluations of groups there have been.
fn iterations(server: &Server) -> f64 {
    own(server, "prometheus_rule_group_iterations_total")
}

/// A metric of the server's own.
fn own(server: &Server, metric: &str) -> f64 {
    let (status, text) = get(server.port, "/metrics", "*/*").unwrap();
    assert_eq!(status, 200, "{text}");
    let values = text.lines().filter(|line| line.starts_with(metric));
    values.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

/// What the log says of results that were not stored; no metric counts them.
fn discarded(server: &Server) -> BTreeSet<String> {
    assert_eq!(own(server, "prometheus_rule_evaluation_failures_total"), 0.0);
    let log = server.log();
    log.lines().filter(|line| line.contains("Rule evaluation")).map(str::to_owned).collect()
}

/// A server that evaluates these files, everything [`FASTER`] than users do.
fn evaluating(program: &Path, port: u16, more: &str, files: &[&str], flags: &[&str]) -> Server {
    let folder = Folder::new("rules");
    let files: Vec<_> = files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(root(file)).unwrap();
            folder.file(file.rsplit('/').next().unwrap(), &faster(&text, FASTER))
        })
        .collect();
    let config = scraping(port, more) + &format!("rule_files: {files:?}\n");
    prometheus(program, &config, flags)
}

const RULES: &str = "alerts/rules.yml";
const NATIVE_RULES: &str = "alerts/rules-native.yml";
const FASTER: u64 = 30;
