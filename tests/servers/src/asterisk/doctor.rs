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
    let pbx = Pbx::start(version, "doctor", 16, &plan(version));
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
    assert_eq!(found.of("fine", "advice"), [of("service_level", &["default: 20s"])]);
    let proposed = || of("trunks", &["trunks: ['^(PJSIP|SIP|IAX2|DAHDI)/[^0-9]']"]);
    assert_eq!(problems("fine"), [ghost()]);
    assert_eq!(problems("without-trunks"), [ghost(), proposed()]);
    assert_eq!(problems("wrong-trunks"), [ghost(), proposed()]);
    assert_eq!(problems("phones-as-trunks"), [ghost(), proposed()]);
    let tech = version.tech();
    let agents = format!("agents: ['^SCCP/', '^({tech}/201|{tech}/999)-']");
    assert_eq!(problems("wrong-agents"), [ghost(), of("agents", &[&agents])]);
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
         advice   service_level: without a target, there is no service level: sales\n           \
         -> service_level of the configuration: default: 20s\n  \
         ok       trunks: trunks: {tech}/carrier, {tech}/trunk\n  \
         ok       limits: no label is near its limit\n"
    )
}

#[test]
fn the_doctor_knows_freepbx_by_its_contexts_on_16() {
    knows_freepbx(Version::V16);
}

#[test]
fn the_doctor_knows_freepbx_by_its_contexts_on_22() {
    knows_freepbx(Version::V22);
}

/// Members, hints and phones named as FreePBX names them, and targets that do not fit.
fn knows_freepbx(version: Version) {
    if !version.is_installed() {
        return;
    }
    let tech = version.tech();
    let pbx = Pbx::start(version, "freepbx", 14, &Plan {
        queues: "[600]\nservicelevel=30\nmember => Local/201@from-queue/n,0,Ann,hint:201@ext-local\n".to_owned(),
        dialplan: format!(
            "[from-queue]\nexten => _X.,1,Goto(ext-local,${{EXTEN}},1)\n[ext-local]\nexten => 201,hint,{tech}/201\n\
             exten => 201,1,Dial({tech}/201)\n"
        ),
        phones: vec![("201".to_owned(), 0)],
        accounts: format!(
            "[reader]\nsecret={SECRET}\npermit=127.0.0.0/255.0.0.0\nread=system,call,agent,dialplan\n"
        ),
        ..Plan::default()
    });
    let entry = |name: &str| {
        format!(
            "  - name: {name}\n    address: {}\n    username: {name}\n    secret: {SECRET}\n",
            pbx.manager()
        )
    };
    let folder = support::Folder::new("doctor-freepbx");
    let targets = "service_level:\n  default: 20s\n  queues:\n    '60O': 10s\n";
    let config = format!("{targets}limits:\n  trunks: 2\npbx:\n{}", entry("exporter"));
    let file = folder.write("config.yml", &config);
    let found = doctor(&file);

    let text = |subject: &str| found.texts("exporter", subject);
    assert_eq!(
        text("distribution"),
        [
            "FreePBX or Issabel, by the context ext-local: accounts of your own belong in manager_custom.conf, never in \
          manager.conf"
        ]
    );
    assert_eq!(
        text("service_level"),
        [
            "no queue has the name of a target: 60O",
            "each queue has a target",
            "other targets than in queues.conf: 600 (20 s, there 30 s)"
        ]
    );
    // Without a pattern for them there are no trunks to count.
    assert_eq!(text("limits"), ["no label is near its limit"]);
    let proposed = vec!["trunks: ['^(PJSIP|SIP|IAX2|DAHDI)/[^0-9]']".to_owned()];
    assert_eq!(
        found.of("exporter", "problem"),
        [("service_level".to_owned(), Vec::new()), ("trunks".to_owned(), proposed)]
    );

    // With the rule both are trunks, as many as the limit allows.
    let rule = "    trunks: ['^(PJSIP|SIP|IAX2|DAHDI)/[^0-9]']\n";
    let file = folder.write("config.yml", &format!("{config}{rule}"));
    let found = doctor(&file);
    assert_eq!(found.texts("exporter", "limits"), ["2 of at most 2 trunks"]);
    assert_eq!(
        found.texts("exporter", "trunks"),
        [format!("trunks: {tech}/carrier, {tech}/trunk")]
    );

    // Each line is one for FreePBX's own file.
    let file = folder.write("config.yml", &format!("pbx:\n{}", entry("reader")));
    let found = doctor(&file);
    let report = &found.0[0]["findings"];
    let places = report.as_array().into_iter().flatten().flat_map(|finding| {
        finding["remedies"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|remedy| remedy["place"].to_string())
    });
    let of_manager: Vec<_> = places.filter(|place| place.contains("manager")).collect();
    assert!(of_manager.len() >= 2, "{report}");
    assert!(
        of_manager.iter().all(|place| place == "\"[reader] of manager_custom.conf\""),
        "{report}"
    );
}

/// What it finds at once.
fn doctor(config: &Path) -> Reports {
    let config = config.to_str().expect("a plain path");
    let done = program::run(&["doctor", "--json", "--watch", "0s", "--config", config]);
    Reports(serde_json::from_slice(&done.stdout).expect("JSON"))
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
    /// The sentences about a subject.
    fn texts(&self, pbx: &str, subject: &str) -> Vec<String> {
        let report = self.0.iter().find(|report| report["pbx"] == pbx).expect("a report");
        let findings = report["findings"].as_array().expect("a list").iter();
        let of = findings.filter(|finding| finding["subject"] == subject);
        of.map(|finding| finding["text"].as_str().expect("text").to_owned()).collect()
    }

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
