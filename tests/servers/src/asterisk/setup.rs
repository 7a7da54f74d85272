//! `setup` beside a real PBX: its account, loaded, is one that the doctor has nothing against, and with
//! which the exporter is synchronised.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use support::Folder;
use support::program::{Running, command, get_at, wait_until};

use super::pbx::{Pbx, Plan, Version};

#[test]
fn the_account_of_setup_is_right_on_16() {
    the_account_of_setup_is_right(Version::V16);
}

#[test]
fn the_account_of_setup_is_right_on_22() {
    the_account_of_setup_is_right(Version::V22);
}

fn the_account_of_setup_is_right(version: Version) {
    if !version.is_installed() {
        return;
    }
    let pbx = Pbx::start(version, "setup", 13, &plan(version));
    let folder = Folder::new("setup-real");
    console(&pbx, &folder);

    // The account is installed by hand, with the doctor waiting for it.
    let answers = format!("{}\nhand\n\n^(SIP|PJSIP)/(trunk|carrier)-\n30s\n:0\n", pbx.manager());
    let out = folder.path("hand");
    let mut hand = set_up(&pbx, &folder, &out, &["--username", "hand"]).spawn().expect("a start");
    let mut stdin = hand.stdin.take().expect("a pipe");
    stdin.write_all(answers.as_bytes()).expect("answers");
    let account = wait_until("the account", || fs::read(out.join("manager_account.conf")).ok());
    // The last file to be named.
    wait_until("the job", || out.join("scrape_job.yml").exists().then_some(()));
    let custom = pbx.file("etc/manager_custom.conf");
    let mut file = fs::OpenOptions::new().append(true).open(&custom).expect("the file");
    file.write_all(&account).expect("the account");
    pbx.console("manager reload");
    stdin.write_all(b"\n").expect("Enter");
    is_fine(&pbx, "hand", &hand.wait_with_output().expect("its end"));

    // The program installs it itself; version and place are those it finds.
    let before = fs::metadata(&custom).expect("the file");
    let out = folder.path("itself");
    let (manager, http) = (pbx.manager(), format!("{}.9:15039", pbx.net));
    let args = [
        "--defaults",
        "--install",
        "--username",
        "itself",
        "--name",
        "itself",
        "--address",
        &manager,
        "--trunks",
        "^(SIP|PJSIP)/(trunk|carrier)-",
        "--web.listen-address",
        &http,
    ];
    let done = set_up(&pbx, &folder, &out, &args).output().expect("the program starts");
    is_fine(&pbx, "itself", &done);
    let after = fs::metadata(&custom).expect("the file");
    assert_eq!(
        (after.uid(), after.gid(), after.mode()),
        (before.uid(), before.gid(), before.mode())
    );
    let account = fs::read_to_string(out.join("manager_account.conf")).expect("the account");
    assert!(account.starts_with(&format!("; For Asterisk {}: ", version.full())), "{account}");

    let config = out.join("config.yml");
    let config = config.to_str().expect("a plain path");
    let child = command(&["run", "--log.level", "error", "--config", config]).spawn();
    let _running = Running(child.expect("the program starts"));
    wait_until("the exporter to be ready", || {
        get_at(&http, "/-/ready", "*/*").is_ok_and(|(status, _)| status == 200).then_some(())
    });
    let (_, page) = get_at(&http, "/metrics", "text/plain").expect("the page");
    assert!(page.contains("asterisk_up{pbx=\"itself\"} 1\n"), "{page}");
}

/// Whether the doctor has found no problem, and nothing that an account could lack.
fn is_fine(pbx: &Pbx, name: &str, done: &Output) {
    let [out, err] = [&done.stdout, &done.stderr].map(|text| String::from_utf8_lossy(text));
    assert_eq!(done.status.code(), Some(0), "{out}{err}");
    let (manager, full) = (pbx.manager(), pbx.version.full());
    assert!(
        out.contains(&format!("\npbx {name} ({manager})\n  ok       login: as {name}\n")),
        "{out}"
    );
    assert!(out.contains(&format!("\n  ok       version: Asterisk {full}")), "{out}");
    assert!(!out.contains("\n  problem  "), "{out}");
    assert!(!out.contains("-> ["), "no line of manager.conf is missing: {out}");
}

fn set_up(pbx: &Pbx, folder: &Folder, out: &Path, more: &[&str]) -> Command {
    let etc = pbx.file("etc");
    let [etc, out] = [&etc, out].map(|path| path.to_str().expect("a plain path"));
    let args = ["setup", "--watch", "0s", "--asterisk-etc", etc, "--out", out];
    let mut command = command(&[&args, more].concat());
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", folder.path("").display()));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Asterisk's own program, as `asterisk` of a path.
fn console(pbx: &Pbx, folder: &Folder) {
    let (root, conf) = (pbx.version.root(), pbx.inside("etc/asterisk.conf"));
    let script = format!(
        "#!/bin/sh\nexec chroot {} /usr/sbin/asterisk -C {} \"$@\"\n",
        root.display(),
        conf.display()
    );
    let file = folder.write("asterisk", &script);
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("a mode");
}

fn plan(version: Version) -> Plan {
    let tech = version.tech();
    Plan {
        queues: format!("[sales]\nmember => {tech}/201,0,Ann\n"),
        phones: vec![("201".to_owned(), 0)],
        accounts: "#include manager_custom.conf\n".to_owned(),
        files: vec![("manager_custom.conf".to_owned(), "; as FreePBX has it\n".to_owned())],
        ..Plan::default()
    }
}
