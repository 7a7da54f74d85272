//! Every query, expanded, against a real Prometheus that scrapes a busy day of the demo.

use std::collections::BTreeMap;

use crate::program::{demo, wait_until};
use crate::server::{Prometheus, Span, choose_all, expand};
use crate::{path, queries, shipped};

#[test]
fn every_query_gives_series() {
    let Some(rules) = std::fs::read_to_string(path("alerts/rules.yml")).ok().or_else(no_rules) else { return };
    let (_demo, target) = demo(&["--speed", "60"]);
    let Some(prometheus) = Prometheus::start(&[target]) else { return };
    wait_until("a variable's values", || {
        let boards = shipped();
        let variables = boards.iter().flat_map(|(_, board)| board["templating"]["list"].as_array()).flatten();
        let queries = variables.filter_map(|variable| variable["query"]["query"].as_str());
        let everything = ["pbx", "queue", "agent", "trunk"].map(|name| (name.to_owned(), ".*".to_owned()));
        let everything = BTreeMap::from(everything);
        queries
            .map(|query| prometheus.label_values(&expand(query, &everything, "1m", "1m")))
            .all(|values| !values.is_empty())
            .then_some(())
    });
    let now = prometheus.now();
    let span = Span { from: now - 60.0, to: now, step: 1.0 };
    assert!(prometheus.query("asterisk_up{pbx=\"nobody\"}", false, span).is_ok_and(|series| series.is_empty()));
    assert!(prometheus.query("sum(asterisk_up", false, span).is_err());
    let mut waiting = Vec::new();
    for (name, board) in shipped() {
        let chosen = choose_all(&prometheus, &board);
        assert!(chosen.values().all(|value| !value.is_empty()), "{name}: {chosen:?}");
        for query in queries(&board) {
            let expr = expand(&query.expr, &chosen, "1m", "5m");
            assert!(!expr.contains('$'), "{name}: {}: {expr}", query.panel);
            waiting.push((name.clone(), query, expr));
        }
    }
    assert!(waiting.len() > 150, "{} queries only", waiting.len());
    let mut last = String::new();
    let answered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        wait_until("series for every query", || {
            let to = prometheus.now();
            waiting.retain(|(name, query, expr)| {
                let span = Span { from: to - 60.0, to, step: 1.0 };
                let series = prometheus.query(expr, query.instant, span);
                let series = series.unwrap_or_else(|error| panic!("{name}: {}: {error}: {expr}", query.panel));
                assert!(series.len() <= 250, "{name}: {}: {} series", query.panel, series.len());
                for label in query.legend.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
                    let named = series.is_empty() || series.iter().any(|series| series.labels.contains_key(label));
                    assert!(named, "{name}: {}: no {label} in {series:?}", query.panel);
                }
                series.is_empty() && !EMPTY_WHEN_ALL_IS_WELL.contains(&(name, &query.panel))
            });
            last = waiting.iter().map(|(name, query, expr)| format!("{name}: {}: {expr}\n", query.panel)).collect();
            waiting.is_empty().then_some(())
        });
    }));
    assert!(answered.is_ok() && !rules.is_empty(), "nothing for\n{last}");
}

fn no_rules() -> Option<String> {
    assert!(std::env::var_os("CI").is_none(), "alerts/rules.yml is missing");
    println!("skipped: queries against Prometheus, since there is no alerts/rules.yml");
    None
}

/// Panels that show a fault, and nothing on a PBX that has none.
const EMPTY_WHEN_ALL_IS_WELL: &[(&str, &str)] = &[("exporter", "Anomalies by kind")];
