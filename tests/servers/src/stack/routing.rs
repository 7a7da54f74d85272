//! Who is notified of what, and what explains what: the shipped routing, in amtool and in a real
//! Alertmanager.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::program::{newest, tool};
use support::root;

use super::servers::{alertmanager, until};

const EXAMPLE: &str = "alerts/alertmanager.example.yml";

#[test]
fn each_alert_goes_to_whom_it_concerns() {
    for amtool in [tool("amtool"), newest("amtool")].into_iter().flatten() {
        assert_routes(&amtool);
    }
}

fn assert_routes(amtool: &Path) {
    for (labels, receivers) in [
        (
            "alertname=AsteriskQueueAbandonSpike severity=critical pbx=hq queue=sales",
            "supervisors,on-call",
        ),
        ("alertname=AsteriskQueueAbandonHigh severity=warning pbx=hq queue=sales", "supervisors"),
        ("alertname=AsteriskQueueAbandonHigh severity=warning pbx=hq queue=billing", "team"),
        ("alertname=AsteriskQueueNoAgents severity=critical pbx=hq queue=billing", "on-call"),
        ("alertname=AsteriskAgentRonaStreak severity=warning pbx=hq agent=Ann", "supervisors"),
        ("alertname=AsteriskAgentPausedLong severity=warning pbx=hq agent=Ann", "supervisors"),
        ("alertname=AsteriskTrunkFailing severity=critical pbx=hq trunk=PJSIP/carrier", "on-call"),
        ("alertname=AsteriskTrunkFailuresHigh severity=warning pbx=hq trunk=PJSIP/carrier", "team"),
        ("alertname=AsteriskExporterUnsynchronized severity=critical pbx=hq", "on-call"),
        ("alertname=AsteriskRestarted severity=info pbx=hq", "nobody"),
    ] {
        let mut command = Command::new(amtool);
        command
            .args(["config", "routes", "test"])
            .arg(format!("--config.file={}", root(EXAMPLE).display()));
        let output = command.args(labels.split(' ')).output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).trim_end(),
            receivers,
            "{labels}: {output:?}"
        );
    }
}

#[test]
fn what_explains_another_alert_silences_it_and_nothing_else() {
    let Some(amtool) = tool("amtool") else { return };
    let Some(server) = alertmanager(&std::fs::read_to_string(root(EXAMPLE)).unwrap()) else {
        return;
    };
    let notified = [
        ("AsteriskExporterUnsynchronized", "pbx=hq", false),
        ("AsteriskQueueAbandonSpike", "pbx=hq queue=sales", true),
        ("AsteriskTrunkFailing", "pbx=hq trunk=carrier", true),
        ("AsteriskEventsLagging", "pbx=hq", true),
        ("AsteriskQueueNoAgents", "pbx=branch queue=support", false),
        ("AsteriskQueueLongestWait", "pbx=branch queue=support", true),
        ("AsteriskQueueLongestWait", "pbx=branch queue=sales", false),
        ("AsteriskQueueAbandonSpike", "pbx=branch queue=sales", false),
        ("AsteriskQueueAbandonHigh", "pbx=branch queue=sales", true),
        ("AsteriskQueueAbandonUnusual", "pbx=branch queue=sales", true),
        ("AsteriskQueueAbandonHigh", "pbx=branch queue=billing", false),
        ("AsteriskQueueAbandonUnusual", "pbx=branch queue=billing", true),
        ("AsteriskQueueUnansweredHigh", "pbx=branch queue=billing", true),
        ("AsteriskQueueUnansweredHigh", "pbx=branch queue=callback", false),
        ("AsteriskQueueServiceLevelBurningFast", "pbx=branch queue=billing", false),
        ("AsteriskQueueServiceLevelLow", "pbx=branch queue=billing", true),
        ("AsteriskTrunkFailing", "pbx=branch trunk=one", false),
        ("AsteriskTrunkFailuresHigh", "pbx=branch trunk=one", true),
        ("AsteriskTrunkFailuresHigh", "pbx=branch trunk=two", false),
        ("AsteriskTrunkNotRegistered", "pbx=branch trunk=three", false),
        ("AsteriskTrunkUnreachable", "pbx=branch trunk=three", true),
        ("AsteriskTrunkUnreachable", "pbx=branch trunk=two", false),
        ("AsteriskAgentRonaStreak", "pbx=branch agent=Ann", false),
        ("AsteriskExporterMissing", "pbx=far", false),
        ("AsteriskQueueNoAgents", "pbx=far queue=sales", true),
    ];

    for (name, labels, _) in notified {
        let mut command = Command::new(&amtool);
        command
            .arg(format!("--alertmanager.url=http://127.0.0.1:{}", server.port))
            .args(["alert", "add"]);
        let output =
            command.arg(format!("alertname={name}")).args(labels.split(' ')).output().unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
    }

    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let alert = |alert: &Value| {
        let label = |name: &str| text(&alert["labels"][name]);
        let kind = ["queue", "trunk", "agent"].map(|name| (name, label(name)));
        let kind = kind
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!(" {name}={value}"));
        let labels = format!("pbx={}{}", label("pbx"), kind.collect::<String>());
        let inhibited = alert["status"]["inhibitedBy"].as_array().is_some_and(|by| !by.is_empty());
        (label("alertname"), labels, inhibited)
    };

    let expected: BTreeSet<_> = notified
        .iter()
        .map(|(name, labels, inhibited)| ((*name).to_owned(), (*labels).to_owned(), *inhibited))
        .collect();
    until("Alertmanager has them all", || {
        let found: BTreeSet<_> =
            server.json("/api/v2/alerts").as_array().unwrap().iter().map(alert).collect();
        if found == expected {
            Ok(())
        } else {
            Err(format!("{:?}", found.symmetric_difference(&expected)))
        }
    });
}
