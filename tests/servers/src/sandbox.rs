//! The sandbox of contrib's systemd unit: how tight it is, and that the program lives in it.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;

use seccompiler::compile_from_json;
use serde_json::{Value, json};
use support::certificates::Authority;
use support::program::{PATIENCE, Running, command, free_port, tool, wait_until};
use support::{Folder, Numbers, root};

use crate::stack::pbx::Pbx;

const UNIT: &str = "contrib/asterisk_exporter.service";

#[test]
fn the_unit_is_as_tight_as_it_was() {
    let Some(analyze) = tool("systemd-analyze") else { return };
    let unit = root(UNIT);
    let told = Command::new(analyze)
        .args(["security", "--offline=yes", "--no-pager"])
        .arg(&unit)
        .output()
        .expect("systemd-analyze starts");

    let text = String::from_utf8_lossy(&told.stdout);
    let (_, rest) = text.split_once("Overall exposure level for ").expect("a verdict");
    let exposure = rest.split(' ').nth(1).expect("a number");
    assert!(exposure.parse::<f64>().expect("a number") <= 1.1, "{text}");
}

#[test]
fn the_filter_of_the_unit_lets_the_program_do_all_that_it_does() {
    let Some(analyze) = tool("systemd-analyze") else { return };
    let allowed = allowed(&analyze);
    let folder = Folder::new("sandbox");
    let filter = filter(&folder, "unit.json", &allowed);
    live_under(&filter);

    // Without them it does not start, so the filter is one.
    for needed in ["bind", "socket", "epoll_create1"] {
        let fewer: BTreeSet<_> =
            allowed.iter().filter(|name| *name != needed).map(Clone::clone).collect();
        assert_eq!(fewer.len() + 1, allowed.len(), "{needed}");
        let filter = self::filter(&folder, &format!("no-{needed}.json"), &fewer);
        let output = confined(&filter, &["demo", "--web.listen-address", "127.0.0.1:0"])
            .output()
            .expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("not permitted"), "{needed}: {said}");
    }
}

/// All that a service of ours does: it follows a PBX, looks for hosts by name, speaks TLS on both
/// sides, reads files and its configuration again, answers scrapes and health checks, and feeds the watchdog.
fn live_under(filter: &Path) {
    let (folder, ca) = (Folder::new("confined"), Authority::new("ca"));
    let server = ca.issue(&["localhost"]);
    folder.write("server.crt", &server.certificate);
    folder.write("server.key", &server.key);
    folder.write("secret", "x");
    let ca = folder.write("ca.crt", &ca.pem());
    let tls = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n";
    let web = folder.write("web.yml", tls);

    // Our own pages are no PBX, but they are somebody to speak TLS with.
    let (pbx, port) = (Pbx::start(), free_port());
    let config = folder.write(
        "config.yml",
        &format!(
            "pbx:\n  - {{name: hq, address: 'localhost:{}', username: exporter, secret_file: secret}}\n  \
             - {{name: far, address: far.invalid, username: exporter, secret: x}}\n  \
             - {{name: own, address: 'localhost:{port}', username: exporter, secret: x, connect_timeout: 1s, \
             tls: {{ca_file: ca.crt}}}}\n",
            pbx.port
        ),
    );
    let (socket, health, log) = (folder.path("notify"), folder.path("health"), folder.path("log"));
    let systemd = UnixDatagram::bind(&socket).expect("a socket");
    // It is always read: whoever tells more than a socket holds would wait.
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok(length) = systemd.recv(&mut buffer) {
            let _ = tell.send(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
    });
    let told = || told.recv_timeout(PATIENCE).expect("a message");

    let text = |path: &Path| path.display().to_string();
    let (config, web_file, health) = (text(&config), text(&web), text(&health));
    let listen = format!("127.0.0.1:{port}");
    let files = ["--config.file", &config, "--web.config.file", &web_file];
    let sockets = ["--web.listen-address", &listen, "--web.health-socket", &health];
    let mut start = confined(filter, &[&["run"][..], &files, &sockets].concat());
    start.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "200000");
    start.stdout(Stdio::null()).stderr(File::create(&log).expect("a log"));
    let mut running = Running(start.spawn().expect("it starts"));
    assert_eq!([told(), told()], ["READY=1\n", "WATCHDOG=1\n"]);

    let page = |path: &str| https(&format!("https://localhost:{port}{path}"), &ca);
    let is_up = |text: &String| {
        let numbers = Numbers::read(text);
        let open_files = numbers.sum("process_open_fds", &[]);
        numbers.sum("asterisk_up", &[("pbx", "hq")]) == 1.0 && open_files > 0.0
    };
    wait_until("the session", || page("/metrics").ok().filter(is_up));
    let said = || std::fs::read_to_string(&log).expect("a log");
    // Behind the handshake nobody greets.
    for message in ["host far.invalid: no address", "no greeting of a manager interface"] {
        wait_until(message, || said().contains(message).then_some(()));
    }
    let asked = confined(filter, &["health", "--web.health-socket", &health]).output();
    assert_eq!(asked.expect("an answer").stdout, b"healthy\n");

    // The file is another from the next connection on.
    assert!(page("/-/healthy").is_ok());
    folder.write("web.yml", &format!("{tls}basic_auth_users: {{ann: {HASH}}}\n"));
    let refused = wait_until("the new file", || page("/-/healthy").err());
    assert!(refused.contains("HTTP Error 401"), "{refused}");

    // So is the configuration, when it is told to.
    std::fs::write(
        &config,
        "pbx: [{name: near, address: near.invalid, username: exporter, secret: x}]\n",
    )
    .expect("a file");
    let pid = running.0.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().expect("kill").success());
    for message in ["configuration reloaded", "host near.invalid: no address"] {
        wait_until(message, || said().contains(message).then_some(()));
    }

    assert_eq!(running.stop(), Some(0));
    let log = said();
    assert!(!log.contains("not permitted") && !log.contains("os error 1)"), "{log}");
}

/// A page over TLS.
fn https(url: &str, ca: &Path) -> Result<String, String> {
    let program = "import ssl, sys, urllib.request as web\n\
        context = ssl.create_default_context(cafile=sys.argv[2])\n\
        print(web.urlopen(sys.argv[1], context=context, timeout=60).read().decode())";
    let output = Command::new("python3").args(["-c", program, url]).arg(ca).output();
    let Output { status, stdout, stderr } = output.expect("python3 starts");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if status.success() { Ok(text(&stdout)) } else { Err(text(&stderr)) }
}

/// The exporter under a filter.
fn confined(filter: &Path, arguments: &[&str]) -> Command {
    let exporter = command(arguments);
    let mut confined = Command::new(env!("CARGO_BIN_EXE_confined"));
    confined.arg(filter).arg(exporter.get_program()).args(exporter.get_args());
    confined.current_dir(root("")).env("TMPDIR", support::scratch());
    confined
}

/// The system calls that the unit allows, by name.
fn allowed(analyze: &Path) -> BTreeSet<String> {
    let unit = std::fs::read_to_string(root(UNIT)).expect("the unit");
    let mut allowed = BTreeSet::new();
    for line in unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")) {
        let (is_denied, names) =
            line.strip_prefix('~').map_or((false, line), |names| (true, names));
        for name in names.split_whitespace() {
            for call in expand(analyze, name) {
                if is_denied {
                    allowed.remove(&call)
                } else {
                    allowed.insert(call)
                };
            }
        }
    }
    assert!(allowed.len() > 200 && !allowed.contains("mount"), "{allowed:?}");
    allowed
}

/// A system call, or those of a set of systemd's and of the sets in it.
fn expand(analyze: &Path, name: &str) -> Vec<String> {
    if !name.starts_with('@') {
        return vec![name.to_owned()];
    }
    let output = Command::new(analyze).args(["syscall-filter", "--no-pager", name]).output();
    let text = String::from_utf8(output.expect("systemd-analyze starts").stdout).expect("names");
    let names = text.lines().filter(|line| line.starts_with(' ')).map(str::trim);
    let names = names.filter(|name| !name.starts_with('#'));
    names.flat_map(|name| expand(analyze, name)).collect()
}

/// Writes the filter: these calls, with those arguments that the unit allows; for all others the
/// error that it names.  Those that this crate does not know by name are left out, so that it is no
/// wider than systemd's.
fn filter(folder: &Folder, name: &str, allowed: &BTreeSet<String>) -> PathBuf {
    let unit = std::fs::read_to_string(root(UNIT)).expect("the unit");
    for line in [
        "SystemCallErrorNumber=EPERM",
        "MemoryDenyWriteExecute=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    ] {
        assert!(unit.contains(line), "{line}");
    }
    let rules = allowed.iter().flat_map(|call| rules(call)).filter(is_known);
    folder.write(name, &document(&rules.collect::<Vec<_>>()).to_string())
}

fn rules(call: &str) -> Vec<Value> {
    let when = |index: u8, op: Value, values: &[u64]| {
        let rule = |value: &u64| {
            let only = json!({"index": index, "type": "dword", "op": op, "val": value});
            json!({"syscall": call, "args": [only]})
        };
        values.iter().map(rule).collect()
    };
    match call {
        // AF_UNIX, AF_INET, AF_INET6.
        "socket" => when(0, json!("eq"), &[1, 2, 10]),
        // PROT_WRITE and PROT_EXEC not both.
        "mmap" => when(2, json!({"masked_eq": 6}), &[0, 2, 4]),
        // PROT_EXEC never.
        "mprotect" | "pkey_mprotect" => when(2, json!({"masked_eq": 4}), &[0]),
        _ => vec![json!({"syscall": call})],
    }
}

fn document(rules: &[Value]) -> Value {
    const EPERM: u8 = 1;
    let refused = json!({"errno": EPERM});
    json!({"unit": {"mismatch_action": refused, "match_action": "allow", "filter": rules}})
}

fn is_known(rule: &Value) -> bool {
    let text = document(std::slice::from_ref(rule)).to_string();
    let arch = std::env::consts::ARCH.try_into().expect("a known architecture");
    compile_from_json(text.as_bytes(), arch).is_ok()
}

/// bcrypt of `s3cret`.
const HASH: &str = "$2y$10$QOauhQNbBCuQDKes6eFzPeYKMo7jLD4MUpQ9Mp5zcAbGNL7hSCAvW";
