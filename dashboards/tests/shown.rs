//! What a person reads on the dashboards, by Grafana's own code (`dashboards::grafana`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dashboards::grafana::{self, installed};
use dashboards::prometheus::{Prometheus, Span, choose_all, expand};
use dashboards::shipped;
use serde_json::{Value, json};

use crate::lint::panels;

/// A number, or a cell, and its colour.
type Cell<'a> = (&'a str, Option<&'a str>);

#[test]
fn a_service_level_is_read_beside_its_target() {
    let Some(grafana) = installed() else { return };
    let panel = panel("wallboard", "Service level");
    let good = [Some(0.812), None, None, Some(0.7), Some(0.8), Some(20.0)];
    let bad = [None, Some(0.695), None, Some(0.701), Some(0.8), Some(-1.0)];
    let none = [None, None, Some(-1.0), Some(-1.0), Some(-1.0), Some(-1.0)];
    let answers = [good, bad, none].map(|numbers| numbers.map(alone).to_vec());
    let shown = shown(&grafana, answers.map(|answers| (panel.clone(), answers)).to_vec());

    assert_eq!(
        numbers(&shown[0]),
        [
            ("30 min", "81.2%", GREEN),
            ("today", "70.0%", BLUE),
            ("at least", "80.0%", BLUE),
            ("answered in", "20 s", BLUE),
        ]
    );
    assert_eq!(
        numbers(&shown[1]),
        [
            ("30 min", "69.5%", RED),
            ("today", "70.1%", BLUE),
            ("at least", "80.0%", BLUE),
            ("answered in", "–", GREY),
        ]
    );
    let names = ["30 min", "today", "at least", "answered in"];
    assert_eq!(numbers(&shown[2]), names.map(|name| (name, "–", GREY)));
}

#[test]
fn a_row_of_a_queue_has_words_numbers_and_lights() {
    let Some(grafana) = installed() else { return };
    let panel = panel("wallboard", "Queues");
    let of = |title: &str| match title {
        "Waiting" => Some(2.0),
        "Longest wait" => Some(95.0),
        "Wait/target" => Some(0.85),
        "Available" => Some(0.0),
        "SL 30 m" => Some(0.58),
        "At least" => Some(0.7),
        "In" => Some(20.0),
        "Late/limit" => Some(1.4),
        // Few calls.
        "Ab./limit" => None,
        _ => Some(1.0),
    };
    let answers = titles(&panel)[2..]
        .iter()
        .map(|title| of(title).map(|number| row(number, &[("pbx", "hq"), ("queue", "sales")])))
        .map(|series| series.into_iter().collect())
        .collect();
    let shown = shown(&grafana, vec![(panel, answers)]);

    let (columns, rows) = table(&shown[0]);
    assert_eq!(rows.len(), 1);
    let cells: BTreeMap<_, _> = columns.iter().copied().zip(rows[0].iter().copied()).collect();
    let expected = [
        ("Queue", ("sales", None)),
        ("PBX", ("hq", None)),
        ("Waiting", ("2", None)),
        ("Longest wait", ("00:01:35", None)),
        ("Wait/target", ("85%", Some(AMBER))),
        ("Available", ("0", Some(RED))),
        ("SL 30 m", ("58%", None)),
        ("At least", ("70%", None)),
        ("In", ("20 s", None)),
        ("Late/limit", ("140%", Some(RED))),
        ("Ab./limit", ("–", Some(NO_COLOUR))),
    ];
    for (title, cell) in expected {
        assert_eq!(cells.get(title), Some(&cell), "{title}: {cells:?}");
    }
}

#[test]
fn a_row_of_an_agent_says_what_the_agent_does_now() {
    let Some(grafana) = installed() else { return };
    let panel = panel("agents", "Agents now");
    let ann = [("pbx", "hq"), ("agent", "Ann"), ("reason", "lunch")];
    let ben = [("pbx", "hq"), ("agent", "Ben"), ("reason", "–")];
    let both = |of_ann: f64, of_ben: f64| vec![row(of_ann, &ann), row(of_ben, &ben)];
    let answers = vec![
        both(7.0, 3.0),
        both(600.0, 65.0),
        vec![row(65.0, &ben)],
        both(3600.0, 7200.0),
        both(660.0, 120.0),
        both(12.0, 9.0),
        both(185.0, 240.0),
        both(0.0, 1.0),
    ];
    let shown = shown(&grafana, vec![(panel, answers)]);

    let (columns, rows) = table(&shown[0]);
    let titles = [
        "Agent",
        "PBX",
        "Pause reason",
        "State",
        "For",
        "Talking for",
        "Logged in for",
        "Last call ago",
        "Calls today",
        "AHT today",
        "Missed today",
    ];
    assert_eq!(columns, titles);
    let text = |row: &[Cell<'_>]| row.iter().map(|(text, _)| *text).collect::<Vec<_>>().join(" | ");
    assert_eq!(
        rows.iter().map(|row| text(row)).collect::<Vec<_>>(),
        [
            "Ann | hq | lunch | paused | 00:10:00 | – | 01:00:00 | 00:11:00 | 12 | 00:03:05 | 0",
            "Ben | hq | – | talking | 00:01:05 | 00:01:05 | 02:00:00 | 00:02:00 | 9 | 00:04:00 | 1",
        ]
    );
    assert_eq!((rows[0][3].1, rows[1][3].1), (Some(AMBER), Some(GREEN)));
}

#[test]
fn a_half_hour_is_called_by_its_beginning() {
    let Some(grafana) = installed() else { return };
    let panel = panel("queue", "Half hours of today");
    let points = |values: [f64; 2]| {
        vec![
            json!({ "labels": {}, "points": [[1_764_495_000, values[0]], [1_764_496_800, values[1]]] }),
        ]
    };
    let answers = vec![
        points([30.0, 20.0]),
        points([15.0, 10.0]),
        points([6.0, 4.0]),
        points([0.2857, 0.25]),
        points([0.5, 1.0]),
        points([20.0, 21.4]),
        points([110.0, 90.0]),
        points([80.0, 5.0]),
    ];
    let shown = shown(&grafana, vec![(panel, answers)]);

    let (columns, rows) = table(&shown[0]);
    assert_eq!(columns[..3], ["From", "Offered", "Answered"]);
    let text = |row: &[Cell<'_>]| row.iter().map(|(text, _)| *text).collect::<Vec<_>>().join(" | ");
    assert_eq!(
        rows.iter().map(|row| text(row)).collect::<Vec<_>>(),
        [
            "10:00 | 20 | 10 | 4 | 25% | 100% | 00:00:21 | 00:01:30 | 00:00:05",
            "09:30 | 30 | 15 | 6 | 29% | 50% | 00:00:20 | 00:01:50 | 00:01:20",
        ]
    );
}

/// Every panel with what a real server gave: all columns in their order, a row for each set of labels,
/// each number under its name, and everywhere a text.
pub(crate) fn of_a_server(server: &Prometheus) {
    let Some(grafana) = installed() else { return };
    let mut asked = Vec::new();
    for (_, board) in shipped() {
        let chosen = choose_all(server, &board);
        for panel in panels(&board).into_iter().filter(|panel| panel["targets"].is_array()) {
            let to = server.now();
            let span = Span { from: to - 60.0, to, step: 10.0 };
            let targets = panel["targets"].as_array().expect("queries");
            let answers: Vec<_> = targets
                .iter()
                .map(|target| {
                    let expr = target["expr"].as_str().expect("an expression");
                    let expr = expand(expr, &chosen, "1m", "5m");
                    let found = server.query(&expr, target["instant"] == true, span);
                    found.unwrap_or_else(|why| panic!("{why}: {expr}"))
                })
                .collect();
            // Also with parts of it: the rows of a table are what is left of any of its queries.
            for seed in (0..5).filter(|_| panel["type"] == "table") {
                let mut rng = fastrand::Rng::with_seed(seed);
                let mut left: Vec<_> = answers.clone();
                left.iter_mut().for_each(|answer| answer.retain(|_| rng.bool()));
                asked.push((panel.clone(), left, false));
            }
            asked.push((panel, answers, true));
        }
    }

    let requests = asked.iter().map(|(panel, answers, _)| grafana::asked(panel, answers));
    let shown = grafana::shown(&grafana, &requests.collect::<Vec<_>>());
    assert_eq!(shown.len(), asked.len());
    let (mut cells, mut numbered) = (0, 0);
    for ((panel, answers, whole), shown) in asked.iter().zip(&shown) {
        let title = &panel["title"];
        if panel["type"] == "table" {
            let (columns, rows) = table(shown);
            // A label that nothing has is no column.
            let known = titles(panel);
            let known = known.into_iter().filter(|title| *whole || columns.contains(title));
            let known: Vec<_> = known.collect();
            assert_eq!(columns, known, "{title}");
            let mut keys = BTreeSet::new();
            for series in answers.iter().flatten() {
                for (time, _) in &series.points {
                    let time = if panel["targets"][0]["range"] == true { *time as i64 } else { 0 };
                    keys.insert((series.labels.clone(), time));
                }
            }
            assert_eq!(rows.len(), keys.len(), "{title}: {rows:?}");
            assert!(rows.iter().flatten().all(|(text, _)| !text.is_empty()), "{title}: {rows:?}");
            cells += rows.iter().map(Vec::len).sum::<usize>();
            continue;
        }

        let numbers = numbers(shown);
        let series = answers.iter().flatten().filter(|series| !series.native).count();
        // A stat shows that there is nothing; the buckets of a native histogram are the server's.
        let expected = if panel["type"] == "stat" { series.max(1) } else { series };
        let native = answers.iter().flatten().any(|series| series.native);
        assert!(native || numbers.len() == expected, "{title}: {numbers:?}");
        assert!(numbers.iter().all(|(_, text, _)| !text.is_empty()), "{title}: {numbers:?}");
        numbered += numbers.len();
    }
    assert!(cells > 200 && numbered > 200, "{cells} cells, {numbered} numbers");
}

/// The titles of a table's columns in their order.
fn titles(panel: &Value) -> Vec<&str> {
    let options = &panel["transformations"][1]["options"];
    let order = options["indexByName"].as_object().expect("an order");
    let mut columns: Vec<_> = order
        .iter()
        .map(|(name, at)| (at.as_u64(), options["renameByName"][name].as_str().expect("a title")))
        .collect();
    columns.sort_unstable();
    columns.into_iter().map(|(_, title)| title).collect()
}

fn panel(board: &str, title: &str) -> Value {
    let (_, board) = shipped().into_iter().find(|(name, _)| name == board).expect("a dashboard");
    panels(&board).into_iter().find(|panel| panel["title"] == title).expect("a panel")
}

/// One series without labels, or none.
fn alone(number: Option<f64>) -> Vec<Value> {
    number.map(|number| row(number, &[])).into_iter().collect()
}

fn row(number: f64, labels: &[(&str, &str)]) -> Value {
    let labels: BTreeMap<_, _> = labels.iter().copied().collect();
    json!({ "labels": labels, "points": [[1_764_495_000, number]] })
}

fn numbers(shown: &Value) -> Vec<(&str, &str, &str)> {
    let all = shown["numbers"].as_array().expect("numbers").iter();
    all.map(|one| (text(&one[0]), text(&one[1]), text(&one[2]))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn cell(value: &Value) -> Cell<'_> {
    (text(&value[0]), value[1].as_str())
}

fn table(shown: &Value) -> (Vec<&str>, Vec<Vec<Cell<'_>>>) {
    assert_eq!(shown["frames"], 1, "{shown}");
    let columns = shown["columns"].as_array().expect("columns").iter();
    let rows = shown["rows"].as_array().expect("rows").iter();
    (
        columns.map(|column| column.as_str().expect("a title")).collect(),
        rows.map(|row| row.as_array().expect("cells").iter().map(cell).collect()).collect(),
    )
}

/// What Grafana shows of these panels when their queries gave these series.
fn shown(grafana: &Path, asked: Vec<(Value, Vec<Vec<Value>>)>) -> Vec<Value> {
    let asked =
        asked.into_iter().map(|(panel, answers)| json!({ "panel": panel, "answers": answers }));
    grafana::shown(grafana, &asked.collect::<Vec<_>>())
}

const GREEN: &str = "#009E73";
const RED: &str = "#D55E00";
const AMBER: &str = "#E69F00";
const BLUE: &str = "#56B4E9";
const NO_COLOUR: &str = "#00000000";
const GREY: &str = "#5A5A5A";
