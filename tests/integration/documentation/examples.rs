//! The examples in the text: commands are ones that the program takes, configurations ones that it and
//! the other servers take.

use std::path::Path;
use std::process::Command;

use asterisk_exporter::cli;
use serde_json::Value;
use support::Folder;
use support::program::{command, tool};

use super::{files, read};

/// One of each command is given somewhere, so none is overlooked by the way they are found.
#[test]
fn the_program_takes_every_command_of_the_text() {
    let mut taken = 0;
    for file in files() {
        for words in read(&file).lines().filter_map(command_line) {
            let given = words.join(" ");
            let parsed = cli::command().try_get_matches_from(words);
            assert!(parsed.is_ok(), "{}: {given}: {}", file.display(), parsed.unwrap_err());
            taken += 1;
        }
    }
    assert!(taken >= 13, "{taken} commands");
}

/// Configurations of the exporter are checked by it, others by the program that reads them.
#[test]
fn every_configuration_of_the_text_is_taken() {
    let mut checked = 0;
    for file in files() {
        for block in blocks(&read(&file)) {
            let parsed: Result<Value, _> = serde_saphyr::from_str(&block);
            let parsed = parsed.unwrap_or_else(|err| panic!("{}: {err}: {block}", file.display()));
            let first = parsed.as_object().and_then(|map| map.keys().next()).cloned();
            let kind = first.unwrap_or_else(|| panic!("{}: no map: {block}", file.display()));
            match kind.as_str() {
                "agent_histograms" | "metrics" | "pbx" | "service_level" => {
                    exporter(&file, &block, &parsed);
                }
                "global" | "remote_read" | "rule_files" | "scrape_configs" => {
                    prometheus(&file, &block);
                }
                "groups" => rules(&file, &block),
                // A part of another one, and what tests of those servers use: vmauth, a web file.
                "alerting" | "basic_auth_users" | "relabel_configs" | "tls"
                | "unauthorized_user" => {}
                other => panic!("{}: who reads {other}? {block}", file.display()),
            }
            checked += 1;
        }
    }
    assert!(checked >= 18, "{checked} configurations");
}

#[test]
fn the_makefile_has_every_target_of_the_text() {
    let makefile = read(&support::root("Makefile"));
    let mut named = 0;
    for file in files() {
        let text = read(&file);
        let inline = text.split('`').skip(1).step_by(2);
        let lines = text.lines().filter_map(|line| line.strip_prefix("    "));
        for rest in inline.chain(lines).filter_map(|code| code.strip_prefix("make ")) {
            let target = rest.split_whitespace().next().unwrap_or_default();
            let rule = format!("\n{target}:");
            assert!(makefile.contains(&rule), "{}: make {target}", file.display());
            named += 1;
        }
    }
    assert!(named >= 20, "{named} targets");
}

/// The command of alerts/README.md, on a copy.
#[test]
fn the_alerts_get_links_by_the_command_of_the_text() {
    let text = read(&support::root("alerts/README.md"));
    let (_, rest) = text.split_once("    sed -i ").expect("the command");
    let (arguments, _) = rest.split_once("alerts.yml\n").expect("its end");
    let folder = Folder::new("links");
    let shipped = read(&support::root("alerts/alerts.yml"));
    let copy = folder.write("alerts.yml", &shipped);
    let shell = format!("sed -i {arguments} {}", copy.display());
    assert!(Command::new("sh").args(["-c", &shell]).status().expect("a shell").success());

    let linked = read(&copy);
    let alerts = shipped.matches("- alert: ").count();
    assert_eq!(linked.matches("runbook_url: https://").count(), alerts);
    assert_eq!(linked.matches("dashboard_url: https://").count(), alerts);
    assert!(!linked.contains(" runbook: ") && !linked.contains(" dashboard: "));
    if let Some(promtool) = tool("promtool") {
        let mut check = Command::new(promtool);
        check.args(["check", "rules"]).arg(&copy);
        accepted(&copy, "", check);
    }
}

/// The words of a line that calls the program, as a shell would give them.
fn command_line(line: &str) -> Option<Vec<String>> {
    let line = line.strip_prefix("    ").unwrap_or(line).trim_start_matches("$ ");
    if !(line.starts_with("asterisk_exporter ") || line == "asterisk_exporter") {
        return None;
    }
    // Names of metrics begin alike, and have no blank behind them.
    let line = line.split("  #").next().unwrap_or_default();
    let line = line.split([';', '|', '>']).next().unwrap_or_default();
    let words = line.split_whitespace().map(|word| word.trim_matches(['"', '\'']).replace('*', ""));
    Some(words.collect())
}

/// What stands between "```yaml" and the end of it.
fn blocks(text: &str) -> Vec<String> {
    let blocks = text.split("```yaml\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

fn exporter(file: &Path, block: &str, parsed: &Value) {
    let folder = Folder::new("example");
    for secret in ["hq-secret", "branch-secret"] {
        folder.write(secret, "x");
    }
    folder.write("ca.crt", &support::certificates::Authority::new("ca").pem());
    let mut text = block.to_owned();
    if parsed["pbx"].is_null() {
        text.push_str(
            "\npbx: [{name: hq, address: 127.0.0.1, username: exporter, secret_file: hq-secret}]\n",
        );
    }
    let config = folder.write("config.yml", &text);
    accepted(file, block, command(&["check-config", "--config", config.to_str().expect("a path")]));
}

fn prometheus(file: &Path, block: &str) {
    let Some(promtool) = support::program::newest("promtool") else { return };
    let folder = Folder::new("example");
    for rules in ["rules.yml", "thresholds.yml", "alerts.yml"] {
        let text = read(&support::root("alerts").join(rules));
        folder.write(rules, &text);
        std::fs::create_dir_all(folder.path("alerts")).expect("a folder");
        folder.write(&format!("alerts/{rules}"), &text);
    }
    let mut check = Command::new(promtool);
    check.args(["check", "config"]).arg(folder.write("prometheus.yml", block));
    accepted(file, block, check);
}

fn rules(file: &Path, block: &str) {
    let Some(promtool) = tool("promtool") else { return };
    let folder = Folder::new("example");
    let mut check = Command::new(promtool);
    check.args(["check", "rules"]).arg(folder.write("rules.yml", block));
    accepted(file, block, check);
}

fn accepted(file: &Path, block: &str, mut check: Command) {
    let done = check.output().expect("the program starts");
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(done.status.success(), "{}: {said}\n{block}", file.display());
}
