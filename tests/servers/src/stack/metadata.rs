//! Types and units as labels, which Prometheus 3 makes of the families' metadata.

use std::collections::BTreeMap;

use super::numbers::after_a_day;
use super::series::name;
use super::servers::{Server, prometheus, prometheus_3, scraping, until};

/// Type and unit by the name of a series, as an OpenMetrics page gives them.
fn declared(page: &str) -> BTreeMap<String, (String, String)> {
    let mut families: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for line in page.lines() {
        if let Some((family, kind)) =
            line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            families.insert(family, (kind, ""));
        }
        if let Some((family, unit)) =
            line.strip_prefix("# UNIT ").and_then(|rest| rest.split_once(' '))
        {
            families.get_mut(family).expect("TYPE comes before UNIT").1 = unit;
        }
    }

    let mut series = BTreeMap::new();
    for (family, (kind, unit)) in families {
        let suffixes: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            "info" => &["_info"],
            _ => &[""],
        };
        for suffix in suffixes {
            series.insert(format!("{family}{suffix}"), (kind.to_owned(), unit.to_owned()));
        }
    }
    series
}

/// What is on the page is asked each time, since series of agents who are paused come when wrap-up ends.
fn assert_metadata(server: &Server, declared: impl Fn() -> BTreeMap<String, (String, String)>) {
    until("Prometheus has every series", || {
        let declared = declared();
        let all = server.ask("{job=\"asterisk\",__name__=~\"(asterisk|process)_.*\"}");
        let mut found = BTreeMap::new();
        for labels in all.0.keys() {
            let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
            let is = (label("__type__"), label("__unit__"));
            if let Some(other) = found.insert(name(labels).to_owned(), is.clone())
                && other != is
            {
                return Err(format!("{labels:?} is {is:?}, another of it {other:?}"));
            }
        }
        if found == declared { Ok(()) } else { Err(format!("{found:#?}, not {declared:#?}")) }
    });
}

#[test]
fn prometheus_3_gives_every_series_its_own_type_and_unit() {
    let Some(program) = prometheus_3() else { return };
    let (_pbx, exporter) = after_a_day("");
    let page = || declared(&exporter.page("application/openmetrics-text;version=1.0.0"));
    let families = page();
    assert!(families.len() > 50, "{families:?}");
    let units: Vec<_> = families.values().map(|(_, unit)| unit.as_str()).collect();
    for unit in ["", "seconds", "bytes"] {
        assert!(units.contains(&unit), "no {unit:?}");
    }

    let flag = "--enable-feature=type-and-unit-labels";
    assert_metadata(&prometheus(&program, &scraping(exporter.port, ""), &[flag]), page);

    let config = scraping(exporter.port, "    scrape_protocols: [PrometheusProto]\n");
    assert_metadata(&prometheus(&program, &config, &[flag]), || {
        let mut declared = page();
        // Protobuf has no infos.
        for (kind, _) in declared.values_mut().filter(|(kind, _)| kind == "info") {
            *kind = "gauge".to_owned();
        }
        declared
    });
}
