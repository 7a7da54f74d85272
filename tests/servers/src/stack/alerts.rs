//! An abandon spike wakes somebody, and the end of it is notified: the shipped rules and alerts in a
//! real Prometheus, the shipped routing in a real Alertmanager behind it, and the test as the one
//! on call.
//!
//! Time is compressed: every duration in these files is a [`FASTER`]th of what is shipped, and so
//! is the interval of scrapes, so that the rules see as many samples as in life.  Nothing else of
//! the files is changed but addresses.

use regex::{Captures, Regex};
use serde_json::Value;
use support::root;

use super::calls::{abandoned, answered};
use super::exporter::Exporter;
use super::pager::Pager;
use super::pbx::Pbx;
use super::servers::{Folder, alertmanager, prometheus, prometheus_2, until};

pub(super) const FASTER: u64 = 20;
/// Where nobody listens.
const NOBODY: &str = "http://127.0.0.1:1";

/// A file of rules or routing with shorter durations: `5m` as a range, an offset, an interval or a
/// `for`, but not in a name.
pub(super) fn compressed(rules: &str) -> String {
    let duration = Regex::new(r"\b([0-9]+)(s|m|h|d|w)\b").unwrap();
    let shorter = |found: &Captures<'_>| {
        let seconds = match &found[2] {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => 604_800,
        };
        format!("{}ms", found[1].parse::<u64>().unwrap() * seconds * 1000 / FASTER)
    };

    let lines = rules.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.map(|line| duration.replace_all(line, shorter).into_owned() + "\n").collect()
}

#[test]
fn durations_shrink_and_names_stay() {
    let rule = "- record: a:b:increase5m\n  expr: increase(x[5m] offset 1h30s) > min_calls_5m\n  for: 2m\n";
    let shrunk = "- record: a:b:increase5m\n  expr: increase(x[15000ms] offset 1h30s) > min_calls_5m\n  for: 6000ms\n";
    assert_eq!(compressed(rule), shrunk);
}

#[test]
fn an_abandon_spike_wakes_somebody_and_its_end_is_notified() {
    let Some(program) = prometheus_2() else { return };
    let pager = Pager::start();
    // The example as it is shipped, but for its receivers.
    let shipped = std::fs::read_to_string(root("alerts/alertmanager.example.yml")).unwrap();
    let mut routing = compressed(&shipped);
    for (theirs, ours) in [
        ("http://localhost:9095/hooks/on-call", format!("http://127.0.0.1:{}/", pager.port)),
        ("http://localhost:8065/hooks/call-centre", NOBODY.to_owned() + "/"),
        ("localhost:25", NOBODY.trim_start_matches("http://").to_owned()),
    ] {
        assert_eq!(routing.matches(theirs).count(), 1, "{theirs} in {routing}");
        routing = routing.replace(theirs, &ours);
    }
    let Some(alertmanager) = alertmanager(&routing) else { return };
    let pbx = Pbx::start();
    let exporter = Exporter::start(&pbx, "");
    let rules = Folder::new("rules");
    for file in ["rules.yml", "thresholds.yml", "alerts.yml"] {
        rules.file(file, &compressed(&std::fs::read_to_string(root("alerts").join(file)).unwrap()));
    }
    let interval = 15_000 / FASTER;
    let config = format!(
        "global: {{scrape_interval: {interval}ms, scrape_timeout: {interval}ms}}\nrule_files: ['{}']\n\
         alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{}']}}]}}]}}\n\
         scrape_configs: [{{job_name: asterisk, static_configs: [{{targets: ['127.0.0.1:{}']}}]}}]\n",
        rules.path("*.yml"),
        alertmanager.port,
        exporter.port
    );
    let server = prometheus(&program, &config, &[]);
    until("Prometheus has scraped", || match server.ask("asterisk_up").total() {
        1.0 => Ok(()),
        up => Err(format!("asterisk_up is {up}")),
    });

    const SPIKE: &str = "AsteriskQueueAbandonSpike";
    let mut callers = 0..;
    let mut gave_up = 0;
    until("somebody is woken", || {
        pbx.say(&abandoned(callers.next().unwrap(), 30.0));
        gave_up += 1;
        let notified = pager.notified(SPIKE, "firing");
        if notified.is_empty() {
            Err(server.ask("ALERTS").0.len().to_string() + " alerts in Prometheus")
        } else {
            Ok(())
        }
    });
    assert_eq!(pager.notified(SPIKE, "resolved"), [Value::Null; 0]);
    let mut were_answered = 0;
    until("the end is notified", || {
        pbx.say(&answered(callers.next().unwrap(), 5.0));
        were_answered += 1;
        if pager.notified(SPIKE, "resolved").is_empty() {
            Err("not yet".to_owned())
        } else {
            Ok(())
        }
    });

    let fired = pager.notified(SPIKE, "firing");
    let resolved = pager.notified(SPIKE, "resolved");
    let began = |alert: &Value| alert["startsAt"].as_str().unwrap().to_owned();
    assert!(
        fired.iter().map(began).any(|at| at == began(&resolved[0])),
        "{resolved:?} is not of {fired:?}"
    );
    // A notification lists all alerts of the queue, so a later one may say it again.
    for alert in fired.iter().chain(&resolved) {
        let labels = &alert["labels"];
        assert_eq!(
            (&labels["pbx"], &labels["queue"]),
            (&Value::from("hq"), &Value::from("support"))
        );
        assert_eq!(labels["severity"], "critical");
    }
    let description = fired[0]["annotations"]["description"].as_str().unwrap();
    assert!(description.contains("support") && description.contains("100%"), "{description}");

    until("Prometheus has every call", || {
        let exits =
            server.ask("sum by (outcome) (asterisk_queue_exits_total{queue=\"support\"}) > 0");
        let counts: Vec<_> =
            exits.0.iter().map(|(labels, count)| (labels["outcome"].as_str(), *count)).collect();
        let expected = [("abandoned", f64::from(gave_up)), ("answered", f64::from(were_answered))];
        if counts == expected { Ok(()) } else { Err(format!("{counts:?}, not {expected:?}")) }
    });
}
