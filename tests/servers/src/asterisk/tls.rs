//! A real manager interface with TLS: the commands and lines of docs/tls.md, and what
//! `ast_tls_cert` makes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::program::run;
use support::{Numbers, root, scratch};

use super::exporter::Exporter;
use super::hang::retry_if_locked_up;
use super::pbx::{Pbx, Plan, Version};
use super::play::play;
use super::sipp::Phones;
use super::verdict::Verdict;
use super::{chosen, plan, scenarios, truth, undocumented};

#[test]
fn a_private_ca_on_16() {
    retry_if_locked_up(|| a_private_ca(Version::V16));
}

#[test]
fn a_private_ca_on_22() {
    retry_if_locked_up(|| a_private_ca(Version::V22));
}

/// The certificate and the lines of manager.conf are those of docs/tls.md.
fn a_private_ca(version: Version) {
    if !version.is_installed() || !has_openssl() {
        return;
    }
    let folder = folder(&format!("ca-{}", version.number()));
    shell(&folder, &block("# The CA."));
    let ca = folder.join("ca.crt");
    let keys =
        format!("    tls:\n      ca_file: {}\n      server_name: pbx.example\n", ca.display());

    let plan = with_tls(&block("tlsenable = yes"), &folder);
    followed(version, 6, plan, &keys);
}

#[test]
fn a_certificate_of_ast_tls_cert_on_16() {
    retry_if_locked_up(|| a_certificate_of_ast_tls_cert(Version::V16));
}

#[test]
fn a_certificate_of_ast_tls_cert_on_22() {
    retry_if_locked_up(|| a_certificate_of_ast_tls_cert(Version::V22));
}

/// One of X.509 version 1, as that script made it, by its fingerprint.
fn a_certificate_of_ast_tls_cert(version: Version) {
    if !version.is_installed() || !has_openssl() {
        return;
    }
    let folder = folder(&format!("v1-{}", version.number()));
    for name in ["asterisk.crt", "asterisk.key"] {
        fs::copy(root("fixtures/tls/v1.pem"), folder.join(name)).expect("a copy");
    }
    let printed = shell(&folder, &block("openssl x509 -in"));
    let fingerprint = printed.trim().rsplit('=').next().expect("a fingerprint").to_owned();

    let plan = with_tls(&block("tlsenable = yes"), &folder);
    followed(version, 8, plan, &format!("    tls:\n      fingerprint: {fingerprint}\n"));
}

/// One call over TLS is counted like one without, live and in a capture; and each port says what it
/// is when it is mistaken for the other.
fn followed(version: Version, slot: u8, more: Plan, keys: &str) {
    let chosen: Vec<_> = chosen(&[&scenarios::ALL[..]].concat());
    let chosen: Vec<_> = chosen.into_iter().filter(|(_, s)| s.name == SCENARIO).collect();
    assert_eq!(chosen.len(), 1);
    let mut plan = plan(&chosen, version);
    plan.accounts = more.accounts;
    plan.files = more.files;

    let pbx = Pbx::start(version, &format!("tls{slot}"), slot, &plan);
    let phones = Phones::start(&pbx.net);
    let encrypted = format!("{}.1:5039", pbx.net);
    let exporter = Exporter::start_with(&pbx.net, &encrypted, keys);
    let recording = exporter.record();
    let failed = play(&chosen, &pbx, &phones);
    let left = pbx.settle();
    let text = exporter.wait_idle();
    let live = Numbers::read(&text);

    let recording = recording.stop(&format!("tls-{}.ami.gz", version.number()));
    let verdict = Verdict::of(&pbx, &exporter);
    let wrong = [
        failed,
        left,
        truth::of_scenarios(&chosen, &pbx, &truth::verbs(&pbx), &live),
        verdict.differences(),
        undocumented(&chosen, &verdict),
        exporter.differences_of(&recording, &text),
    ];
    assert_eq!(wrong.concat(), Vec::<String>::new());
    assert_eq!(live.sum("asterisk_queue_entries_total", &[]), 1.0);
    assert_eq!(live.sum("asterisk_exporter_connects_total", &[]), 1.0);

    assert_eq!(
        refused(&pbx, &encrypted, ""),
        "no greeting of a manager interface within 1s: is this the port of tlsbindaddr, which needs tls: true?"
    );
    assert_eq!(
        refused(&pbx, &pbx.manager(), keys),
        format!(
            "TLS with {}: the pbx answered without TLS: is this the port of tlsbindaddr?",
            pbx.manager()
        )
    );
    renewed(&pbx, &encrypted);
    println!("Asterisk {}: a call over TLS, by {}", version.full(), keys.trim());
}

/// A renewed certificate is shown after a reload only if manager.conf has changed as well.
fn renewed(pbx: &Pbx, address: &str) {
    let before = shown(address);
    let other = folder(&format!("renewed-{}", pbx.net));
    let make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=renewed \
                -keyout asterisk.key -out asterisk.crt";
    shell(&other, make);
    for name in ["asterisk.crt", "asterisk.key"] {
        fs::copy(other.join(name), pbx.file("etc").join(name)).expect("a copy");
    }

    pbx.console("manager reload");
    assert_eq!(shown(address), before);
    shell(&pbx.file("etc"), "touch -d '1 minute' manager.conf");
    pbx.console("manager reload");
    assert_ne!(shown(address), before);
    assert!(shown(address).contains("renewed"), "{}", shown(address));
}

/// The subject of the certificate at that address.
fn shown(address: &str) -> String {
    let ask = format!(
        "openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -subject"
    );
    shell(&scratch(), &ask)
}

/// Why there is no session at that address with these keys.
fn refused(pbx: &Pbx, address: &str, keys: &str) -> String {
    let folder = folder(&format!("refused-{}", pbx.net));
    let config = folder.join("config.yml");
    let text = format!(
        "pbx:\n  - name: real\n    address: {address}\n    username: exporter\n    secret: {}\n    connect_timeout: 1s\n{keys}",
        super::configuration::SECRET
    );
    fs::write(&config, text).expect("a configuration");
    let out = folder.join("out.ami.gz");
    let [config, out] = [config, out].map(|path| path.display().to_string());
    let ended =
        run(&["record", "--config", &config, "--out", &out, "--force", "--log.level", "error"]);
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).expect("text");
    let (_, why) = said.trim_end().split_once("pbx real: ").expect("a reason");
    why.to_owned()
}

/// TLS by these lines of `[general]`, with the certificate and the key in `folder`.
fn with_tls(lines: &str, folder: &Path) -> Plan {
    let lines = lines.replace("/etc/asterisk/keys", "@ETC@").replace("0.0.0.0", "@NET@.1");
    let file =
        |name: &str| (name.to_owned(), fs::read_to_string(folder.join(name)).expect("a file"));
    Plan {
        accounts: format!("[general](+)\n{lines}"),
        files: vec![file("asterisk.crt"), file("asterisk.key")],
        ..Plan::default()
    }
}

/// The block of docs/tls.md whose first line begins so.
fn block(begin: &str) -> String {
    let docs = fs::read_to_string(root("docs/tls.md")).expect("docs/tls.md");
    let at = docs.find(&format!("\n{begin}")).expect("the block");
    docs[at + 1..].split_once("```").expect("its end").0.to_owned()
}

/// Runs commands in a folder, which must succeed, and gives what they print.
fn shell(folder: &Path, commands: &str) -> String {
    let done = Command::new("sh").args(["-ec", commands]).current_dir(folder).output();
    let done = done.expect("a shell");
    assert!(done.status.success(), "{commands}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text")
}

fn has_openssl() -> bool {
    let found =
        Command::new("openssl").arg("version").output().is_ok_and(|out| out.status.success());
    assert!(found || std::env::var_os("CI").is_none(), "no openssl, and CI must not go without");
    if !found {
        println!("skipped: the tests of TLS beside Asterisk, since openssl is not installed");
    }
    found
}

fn folder(name: &str) -> PathBuf {
    let folder = scratch().join(format!("tls-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A short one.
const SCENARIO: &str = "answered-caller-ends";
