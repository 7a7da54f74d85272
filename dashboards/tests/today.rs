//! When today begins on a dashboard, by Grafana's own code.

use dashboards::grafana::installed;
use dashboards::{node, shipped};
use serde_json::{Value, json};
use support::root;

use crate::lint::panels;

#[test]
fn today_begins_at_midnight_of_the_dashboards_time_zone() {
    let Some(grafana) = installed() else { return };
    // Beside each moment the one at which its day began there, both in UTC.
    let days = [
        ("utc", "2026-06-01T23:59", "2026-06-01T00:00"),
        // The day has 23 hours; of the clock's change nothing is to be seen.
        ("Europe/Berlin", "2026-03-29T00:30", "2026-03-28T23:00"),
        ("Europe/Berlin", "2026-03-29T21:59", "2026-03-28T23:00"),
        ("Europe/Berlin", "2026-03-29T22:00", "2026-03-29T22:00"),
        // It has 25.
        ("Europe/Berlin", "2026-10-25T22:59", "2026-10-24T22:00"),
        ("Europe/Berlin", "2026-10-25T23:00", "2026-10-25T23:00"),
        ("America/New_York", "2026-03-08T12:00", "2026-03-08T05:00"),
        // A half hour from the next zone.
        ("Asia/Kolkata", "2026-01-01T18:29", "2025-12-31T18:30"),
        ("Asia/Kolkata", "2026-01-01T18:30", "2026-01-01T18:30"),
        // This day begins at 1 o'clock.
        ("America/Santiago", "2026-09-06T12:00", "2026-09-06T04:00"),
    ];
    let moment = |text: &str| minutes(text) * 60_000;
    let asked: Vec<_> = days
        .iter()
        .map(|(zone, now, _)| json!({ "timeFrom": "now/d", "zone": zone, "now": moment(now) }))
        .collect();

    let found = ranges(&grafana, &asked);
    for ((zone, now, midnight), found) in days.iter().zip(&found) {
        let expected = json!([moment(midnight), moment(now)]);
        assert_eq!(*found, expected, "{zone}, {now}");
    }
}

/// Grafana knows few words for a time override, and shows the time range of the dashboard for others.
#[test]
fn every_override_of_the_time_range_is_the_day_so_far() {
    let Some(grafana) = installed() else { return };
    let mut asked = Vec::new();
    for (name, board) in shipped() {
        // Else the time zone of the organisation or the user has no effect.
        assert_eq!(board["timezone"], "", "{name}");
        let overrides = panels(&board).into_iter().filter(|panel| panel["timeFrom"].is_string());
        asked.extend(overrides.map(
            |panel| json!({ "timeFrom": panel["timeFrom"], "zone": "utc", "now": 1_764_547_200_000_u64 }),
        ));
    }
    assert!(asked.len() >= 10, "{}", asked.len());
    asked.push(json!({ "timeFrom": "now/d+1h", "zone": "utc", "now": 1_764_547_200_000_u64 }));

    let mut found = ranges(&grafana, &asked);
    assert_eq!(found.pop(), Some(Value::Null));
    for found in found {
        assert_eq!(found, json!([1_764_547_200_000_u64, 1_764_547_200_000_u64]));
    }
}

fn ranges(grafana: &std::path::Path, asked: &[Value]) -> Vec<Value> {
    node::run(&root("dashboards/tests/grafana/today.cjs"), grafana, &json!(asked))
}

/// Minutes since 1970 of `2026-06-01T23:59`.
fn minutes(text: &str) -> i64 {
    let parts: Vec<i64> =
        text.split(['-', 'T', ':']).map(|part| part.parse().expect("a number")).collect();
    let [year, month, day, hour, minute] = parts[..] else { panic!("{text}") };
    // Days from 1970-03-01, with years that begin in March, so that the leap day is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = |year: i64| year / 4 - year / 100 + year / 400;
    let days = 365 * (year - 1970) + leaps(year) - leaps(1970) + (153 * month + 2) / 5 + day - 1;
    ((days + 59) * 24 + hour) * 60 + minute
}
