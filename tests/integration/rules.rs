//! Recording rules, alerts and what goes with them, by the tools of Prometheus and Alertmanager.

mod needed;
mod past;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use asterisk_exporter::metrics::catalogue;
use serde_json::Value;
use support::program::{newest, tool};
use support::scratch;

use self::needed::needed;

#[test]
fn promtool_finds_nothing_to_mend() {
    for promtool in promtools() {
        passes(
            Command::new(promtool)
                .args(["check", "rules", "--lint=all", "--lint-fatal"])
                .args(rule_files()),
        );
    }
}

#[test]
fn rules_and_alerts_do_what_their_tests_say() {
    let test = |promtool: &Path, file: &Path| {
        let mut command = Command::new(promtool);
        command.args(["test", "rules"]).arg(copy(file, "promtool", &read(file)));
        command
    };
    let files = yaml_files("tests/rules");
    let tests = promtools()
        .flat_map(|promtool| files.iter().map(|file| test(&promtool, file)).collect::<Vec<_>>());
    all_pass(tests.collect());
}

#[test]
fn rules_and_alerts_do_the_same_in_vmalert() {
    let Some(tool) = newest("vmalert-tool") else { return };
    let mut tests = Vec::new();

    for file in yaml_files("tests/rules") {
        let name = file.file_name().expect("a file").to_string_lossy().into_owned();
        if let Some((_, why)) = UNREAD_BY_VMALERT.iter().find(|(unread, _)| *unread == name) {
            println!("{name} is not read by vmalert-tool: {why}");
            continue;
        }
        let copy = copy(&file, "vmalert-tool", &for_vmalert(&name, &read(&file)));
        let mut command = Command::new(&tool);
        command
            .args(["unittest", "--disableAlertgroupLabel"])
            .arg(format!("--files={}", copy.display()));
        tests.push(command);
    }

    all_pass(tests);
}

/// Runs tools that evaluate rules, as many at once as there are cores: each uses a single one.
fn all_pass(commands: Vec<Command>) {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let commands = Mutex::new(commands.into_iter());
    let next = || commands.lock().expect("nothing panics with it").next();

    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(mut command) = next() {
                    // Most of their time goes into collecting garbage of some hundred megabytes.
                    passes(command.env("GOGC", "400"));
                }
            });
        }
    });
}

/// A file of tests in vmalert-tool's dialect: another name for expressions, and without the one
/// value that differs.
fn for_vmalert(name: &str, text: &str) -> String {
    let mut text = text.to_owned();
    if name == "edges.yml" {
        assert_eq!(text.matches(FIRST_OBSERVATION).count(), 1);
        text = text.replace(FIRST_OBSERVATION, "");
    }
    text.replace("promql_expr_test:", "metricsql_expr_test:")
}

/// A copy of a file of tests for a tool, with no rules but those that it needs.
fn copy(file: &Path, tool: &str, text: &str) -> PathBuf {
    const LISTED: &str = "  - ../../alerts/";
    let (head, rest) = text.split_once("rule_files:\n").expect("rule_files");
    let (listed, rest): (Vec<_>, Vec<_>) =
        rest.split_inclusive('\n').partition(|line| line.starts_with(LISTED));
    let rules: Vec<_> = listed
        .iter()
        .map(|line| read(&root().join("alerts").join(line.trim_start_matches(LISTED).trim())))
        .collect();

    let name = file.file_name().expect("a file").to_string_lossy();
    let folder = scratch().join(tool);
    std::fs::create_dir_all(&folder).expect("a folder");
    let rule_file = folder.join(format!("rules-of-{name}"));
    std::fs::write(&rule_file, needed(&rules, &asked(file))).expect("a copy");
    let copy = folder.join(&*name);
    let list = format!("{head}rule_files:\n  - {}\n", rule_file.display());
    std::fs::write(&copy, list + &rest.concat()).expect("a copy");
    copy
}

/// The alerts and series that a file of tests asks for; ALERTS may be any of them.
fn asked(file: &Path) -> BTreeSet<String> {
    let tests = tests_of(file);
    let named = tests.iter().flat_map(|test| items(&test["alert_rule_test"]));
    let named = named.map(|case| case["alertname"].as_str().expect("alertname").to_owned());
    let exprs = tests.iter().flat_map(|test| items(&test["promql_expr_test"]));
    let series = exprs.flat_map(|case| words(case["expr"].as_str().expect("expr")));
    let mut asked: BTreeSet<_> = named.chain(series).collect();

    if asked.contains("ALERTS") {
        asked.extend(alerts());
    }

    asked
}

#[test]
fn vmalert_takes_them_too() {
    for vmalert in [tool("vmalert"), newest("vmalert")].into_iter().flatten() {
        let files = rule_files().into_iter().filter(|file| !file.ends_with(NATIVE));
        let rules = files.map(|file| format!("-rule={}", file.display()));
        passes(Command::new(vmalert).arg("-dryRun").args(rules));
    }
}

#[test]
fn amtool_takes_the_example() {
    for amtool in [tool("amtool"), newest("amtool")].into_iter().flatten() {
        passes(
            Command::new(amtool)
                .arg("check-config")
                .arg(root().join("alerts/alertmanager.example.yml")),
        );
    }
}

#[test]
fn every_rule_is_tested_for_a_value() {
    let cases = rule_tests().into_iter().flat_map(|test| items(&test["promql_expr_test"]).to_vec());
    let with_values = cases.filter(|case| !items(&case["exp_samples"]).is_empty());
    let tested: BTreeSet<_> =
        with_values.flat_map(|case| words(case["expr"].as_str().expect("expr"))).collect();

    // What only native histograms give, promtool 2.42 cannot read: tests/servers/src/stack/native_rules.rs
    // has a server for it.
    let elsewhere = after("- record: ", |file| file.ends_with(NATIVE));
    let here = after("- record: ", |file| !file.ends_with(NATIVE));
    assert_eq!(elsewhere.difference(&here).count(), 7, "{elsewhere:?}");
    for name in here {
        assert!(tested.contains(&name), "no test of tests/rules says what {name} gives");
    }
}

#[test]
fn every_alert_is_tested_to_stay_quiet_fire_and_resolve() {
    let mut tested = BTreeSet::new();
    for test in rule_tests() {
        // By the order of their times: promtool wants no other.
        let mut courses = BTreeMap::<String, Vec<bool>>::new();
        for case in items(&test["alert_rule_test"]) {
            let fires = !items(&case["exp_alerts"]).is_empty();
            let course = courses
                .entry(case["alertname"].as_str().expect("alertname").to_owned())
                .or_default();
            if course.last() != Some(&fires) {
                course.push(fires);
            }
        }
        tested.extend(
            courses.into_iter().filter(|(_, course)| course.starts_with(&[false, true, false])),
        );
    }

    let tested: BTreeSet<_> = tested.into_iter().map(|(alert, _)| alert).collect();
    let missing: Vec<_> = alerts().difference(&tested).cloned().collect();
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "quiet, firing and quiet again in no one test of tests/rules"
    );
}

/// In promtool's words: `_` is a scrape without the series, `stale` one with its staleness marker, as a
/// restart does.
#[test]
fn every_alert_is_tested_over_missing_scrapes() {
    let has_gap = |series: &Value| {
        let values = series["values"].as_str().expect("values");
        values.split(' ').any(|part| part.starts_with('_') || part == "stale")
    };
    let with_gaps =
        rule_tests().into_iter().filter(|test| items(&test["input_series"]).iter().any(has_gap));
    let cases = with_gaps.flat_map(|test| items(&test["alert_rule_test"]).to_vec());
    let tested: BTreeSet<_> =
        cases.map(|case| case["alertname"].as_str().expect("alertname").to_owned()).collect();
    assert_eq!(alerts().difference(&tested).cloned().collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn every_alert_has_an_entry_in_the_runbook() {
    let runbook = read(&root().join("alerts/RUNBOOK.md"));
    let text = read(&root().join("alerts/alerts.yml"));

    for alert in alerts() {
        let entry = format!("\n## {alert}\n");
        let (_, entry) =
            runbook.split_once(&entry).unwrap_or_else(|| panic!("{alert} is not in the runbook"));
        let entry = entry.split("\n## ").next().unwrap_or_default();
        for part in ["**It means:**", "**Look at:**", "**Do:**"] {
            assert!(entry.contains(part), "{alert}: no {part}");
        }
        assert!(
            text.contains(&format!("runbook: RUNBOOK.md#{}\n", alert.to_lowercase())),
            "{alert}: runbook"
        );
    }

    let entries = runbook.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_owned);
    assert_eq!(entries.collect::<BTreeSet<_>>(), alerts(), "entries and alerts");
}

#[test]
fn every_alert_has_what_its_reader_needs() {
    let text = read(&root().join("alerts/alerts.yml"));
    for alert in text.split("- alert: ").skip(1) {
        let name = alert.lines().next().unwrap_or_default();
        let value = |key: &str| {
            let line =
                alert.lines().find_map(|line| line.trim_start().strip_prefix(&format!("{key}: ")));
            line.unwrap_or_else(|| panic!("{name}: no {key}"))
        };
        assert!(name.starts_with("Asterisk"), "{name}: prefix");
        assert!(["critical", "warning", "info"].contains(&value("severity")), "{name}: severity");
        // Who reads only the summary, as in a chat, knows of what it is.
        let summary = value("summary");
        let names = summary.contains("{{ $labels.") || summary.contains("{{ with $labels.");
        assert!(summary.ends_with('.'), "{name}: summary");
        assert!(names || name == "AsteriskRulesMissing", "{name}: summary");
        assert!(value("dashboard").starts_with("/d/asterisk-"), "{name}: dashboard");
        value("description");
        value("for");
    }
}

#[test]
fn every_metric_is_in_the_catalogue_or_recorded() {
    let mut known = records();
    for entry in catalogue() {
        known.insert(entry.name.to_owned());
        known.extend(["bucket", "sum", "count"].map(|part| format!("{}_{part}", entry.name)));
    }
    for file in rule_files() {
        for word in words(&expressions(&read(&file))) {
            let series = word.contains("asterisk_") || word.contains(':');
            assert!(!series || known.contains(&word), "{}: {word} does not exist", file.display());
        }
    }
}

/// The oldest that the rules are for, and the newest there is.
fn promtools() -> impl Iterator<Item = PathBuf> {
    [tool("promtool"), newest("promtool")].into_iter().flatten()
}

/// Every single test of `promtool test rules`.
fn rule_tests() -> Vec<Value> {
    yaml_files("tests/rules").iter().flat_map(|file| tests_of(file)).collect()
}

fn tests_of(file: &Path) -> Vec<Value> {
    let parsed: Value = serde_saphyr::from_str(&read(file))
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    items(&parsed["tests"]).to_vec()
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

/// What follows `expr:`, up to the rule's next key.
fn expressions(text: &str) -> String {
    let others = ["for: ", "labels:", "annotations:", "- record: ", "- alert: ", "- name: ", "#"];
    let mut inside = false;
    let mut found = String::new();

    for line in text.lines().map(str::trim_start) {
        let start = line.strip_prefix("expr: ");
        inside = start.is_some() || inside && !others.iter().any(|other| line.starts_with(other));
        if inside {
            found += start.unwrap_or(line);
            found.push('\n');
        }
    }

    found
}

/// Names of recorded series.
fn records() -> BTreeSet<String> {
    after("- record: ", |_| true)
}

/// Names of alerts.
pub(crate) fn alerts() -> BTreeSet<String> {
    after("- alert: ", |_| true)
}

fn after(key: &str, wanted: fn(&Path) -> bool) -> BTreeSet<String> {
    let text: String =
        rule_files().iter().filter(|file| wanted(file)).map(|file| read(file)).collect();
    text.lines().filter_map(|line| line.trim_start().strip_prefix(key)).map(str::to_owned).collect()
}

/// What could be the name of a series.
fn words(text: &str) -> BTreeSet<String> {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    text.split(|c| !inside(c)).map(str::to_owned).collect()
}

fn rule_files() -> Vec<PathBuf> {
    yaml_files("alerts")
        .into_iter()
        .filter(|file| !file.ends_with("alertmanager.example.yml"))
        .collect()
}

fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).expect("a folder");
    let files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.into_iter().filter(|file| file.extension().is_some_and(|end| end == "yml")).collect()
}

fn passes(command: &mut Command) {
    let output = command.output().expect("the tool starts");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{printed}");
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

const NATIVE: &str = "rules-native.yml";

/// Files of `tests/rules` that are for promtool only, and why.
const UNREAD_BY_VMALERT: [(&str, &str); 6] = [
    ("buckets_that_end.yml", ROUND),
    ("kpis.yml", ROUND),
    ("restart.yml", ROUND),
    ("shifts.yml", LONG_STEPS),
    ("silent.yml", LONG_STEPS),
    ("slow_burns.yml", LONG_STEPS),
];
const ROUND: &str = "it has no alerts, and VictoriaMetrics' round() keeps the name of the series";
const LONG_STEPS: &str = "its steps are longer than the intervals of the rules, and VictoriaMetrics looks back one step \
     only, to whose first moment the rule's last result belongs";

/// VictoriaMetrics counts the first observation of a histogram.
const FIRST_OBSERVATION: &str = "      \
- expr: pbx_queue:asterisk_queue_speed_of_answer_seconds:mean_rate5m
        eval_time: 33m
        exp_samples: []
";
