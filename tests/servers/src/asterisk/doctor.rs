//! `doctor` beside a real PBX, with faults made on purpose.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use support::program::{self, Running};

use super::configuration::SECRET;
use super::pbx::{Pbx, Plan, Version};

#[test]
fn the_doctor_names_what_is_wrong_before_any_call_on_16() {
    names_what_is_wrong(Version::V16);
}

#[test]
fn the_doctor_names_what_is_wrong_before_any_call_on_22() {
    names_what_is_wrong(Version::V22);
}

fn names_what_is_wrong(version: Version) {
    if !version.is_installed() {
        return;
    }
    let pbx = Pbx::start(version, "doctor", 10, &plan(version));
    let manager = pbx.manager();
    let entry = |name: &str, address: &str, more: &str| {
        format!("  - name: {name}\n    address: {address}\n    username: exporter\n{more}")
    };
    let of_trunks =
        |name: &str, more: &str| entry(name, &manager, &format!("    secret: {SECRET}\n{more}"));
    let closed = manager.replace(":5038", ":5037");
    let entries = [
        of_trunks("fine", RIGHT),
        of_trunks("without-trunks", ""),
        of_trunks("wrong-trunks", "    trunks: ['^DAHDI/']\n"),
        of_trunks("phones-as-trunks", "    trunks: ['^(SIP|PJSIP)/']\n"),
        of_trunks("wrong-agents", &format!("{RIGHT}    agents: ['^SCCP/']\n")),
        entry("wrong-secret", &manager, "    secret: wrong\n"),
        entry("closed-port", &closed, "    secret: none\n"),
    ];
    let folder = support::Folder::new("doctor");
    let file = folder.write("config.yml", &format!("pbx:\n{}", entries.concat()));
    let file = file.display().to_string();

    let shown = program::run(&["doctor", "--watch", "0s", "--config", &file, "--pbx", "fine"]);
    assert_eq!(shown.status.code(), Some(1));
    let shown = String::from_utf8(shown.stdout).expect("text");
    let reported = pbx.console("core show version");
    let reported = reported.split_whitespace().nth(1).expect("Asterisk and a version");
    assert_eq!(shown, text_of_fine(&pbx, reported));

    let found = program::run(&["doctor", "--json", "--watch", "0s", "--config", &file]);
    assert_eq!(found.status.code(), Some(1));
    let found = Reports(serde_json::from_slice(&found.stdout).expect("JSON"));
    let problems = |pbx: &str| found.of(pbx, "problem");
    let of = |subject: &str, remedies: &[&str]| {
        (subject.to_owned(), remedies.iter().map(|&line| line.to_owned()).collect::<Vec<_>>())
    };
    let ghost = || of("members", &[]);
    let proposed = || of("trunks", &["trunks: ['^(PJSIP|SIP|IAX2|DAHDI)/[^0-9]']"]);
    assert_eq!(problems("fine"), [ghost()]);
    assert_eq!(problems("without-trunks"), [ghost(), proposed()]);
    assert_eq!(problems("wrong-trunks"), [ghost(), proposed()]);
    assert_eq!(problems("phones-as-trunks"), [ghost(), of("trunks", &[])]);
    assert_eq!(problems("wrong-agents"), [ghost(), of("agents", &[])]);
    let [secret, permit] = [
        "secret = the one of the configuration",
        "permit = the address that the exporter connects from",
    ];
    assert_eq!(problems("wrong-secret"), [of("login", &[secret, permit])]);
    let [enabled, bind] = ["enabled = yes", "bindaddr = an address that the exporter reaches"];
    assert_eq!(problems("closed-port"), [of("login", &[enabled, bind])]);
}

/// What is printed of the PBX that has nothing but a member without a phone.
fn text_of_fine(pbx: &Pbx, full: &str) -> String {
    let (manager, tech) = (pbx.manager(), pbx.version.tech());
    format!(
        "pbx fine ({manager})\n  \
         ok       login: as exporter\n  \
         ok       version: Asterisk {full}\n  \
         ok       events: of class system\n  \
         unknown  events: none of class call, agent, dialplan in 0 s: call a queue meanwhile, with --watch 60s\n  \
         ok       queues: 1 queue with 2 members\n  \
         problem  members: the member {tech}/999 can never be called: the PBX has no device {tech}/999\n  \
         ok       trunks: trunks: {tech}/carrier, {tech}/trunk\n"
    )
}

fn plan(version: Version) -> Plan {
    let tech = version.tech();
    Plan {
        queues: format!("[sales]\nmember => {tech}/201,0,Ann\nmember => {tech}/999,0,Ghost\n"),
        phones: vec![("201".to_owned(), 0)],
        ..Plan::default()
    }
}

const RIGHT: &str = "    trunks: ['^(SIP|PJSIP)/(trunk|carrier)-']\n";

/// A doctor that watches until it is stopped.
pub(crate) struct Doctor(Running);

/// What it found.
pub(crate) struct Reports(pub(crate) Vec<Value>);

impl Doctor {
    /// Has it examine every PBX of a configuration.
    pub(crate) fn start(config: &Path) -> Self {
        let config = config.display().to_string();
        let mut command =
            program::command(&["doctor", "--json", "--watch", "1h", "--config", &config]);
        Self(Running(command.stdout(Stdio::piped()).spawn().expect("the program starts")))
    }

    /// Ends it as Ctrl-C does.
    pub(crate) fn stop(mut self) -> Reports {
        let pid = self.0.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
        let mut text = String::new();
        self.0.0.stdout.take().expect("a pipe").read_to_string(&mut text).expect("text");
        Reports(serde_json::from_str(&text).expect("JSON"))
    }
}

impl Reports {
    /// The subjects of these findings about a PBX, with their remedies.
    pub(crate) fn of(&self, pbx: &str, level: &str) -> Vec<(String, Vec<String>)> {
        let report = self.0.iter().find(|report| report["pbx"] == pbx).expect("a report");
        let findings = report["findings"].as_array().expect("a list");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let found = findings.iter().filter(|finding| finding["level"] == level).map(|finding| {
            let remedies = finding["remedies"].as_array().into_iter().flatten();
            (text(&finding["subject"]), remedies.map(|remedy| text(&remedy["line"])).collect())
        });
        found.collect()
    }
}
