//! The configuration of a running exporter is read again, beside simulated PBXs with calls.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use asterisk_exporter::demo::{DemoPbx, Options};
use support::program::{PATIENCE, Running, command, free_port, get, run, wait_until};
use support::{Folder, Numbers};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// A simulated PBX, and the log of its queues.
struct Simulated {
    address: SocketAddr,
    log: PathBuf,
    stop: watch::Sender<bool>,
    runtime: Runtime,
    pbx: Option<DemoPbx>,
}

impl Simulated {
    /// It takes connections, and does nothing yet.
    fn new(folder: &Folder, seed: u64) -> Self {
        let options = Options {
            seed,
            speed: 1.0,
            secret: "hush-hush".to_owned(),
            username: "exporter".to_owned(),
            busy: 20.0,
            open_for: std::time::Duration::ZERO,
        };
        let runtime = Runtime::new().expect("a runtime");
        let pbx = runtime.block_on(DemoPbx::bind(options)).expect("a port");
        let log = folder.path(&format!("queue_log-{seed}"));
        let pbx = pbx.with_queue_log(File::create(&log).expect("a file"));
        let (address, stop) = (pbx.address(), watch::channel(false).0);
        Self { address, log, stop, runtime, pbx: Some(pbx) }
    }

    fn begin(&mut self) {
        if let Some(pbx) = self.pbx.take() {
            self.runtime.spawn(pbx.serve(self.stop.subscribe()));
        }
    }

    /// Its section of a configuration.
    fn section(&self, name: &str) -> String {
        format!(
            "  - {{name: {name}, address: '{}', username: exporter, secret: hush-hush, trunks: ['^PJSIP/carrier']}}\n",
            self.address
        )
    }
}

/// The exporter with a file that changes.
struct Site {
    running: Running,
    port: u16,
    folder: Folder,
}

impl Site {
    fn start(folder: Folder, config: &str, flags: &[&str]) -> Self {
        let path = folder.write("config.yml", config);
        let port = free_port();
        let child = command(&["--config", path.to_str().expect("a path"), "--log.level", "warn"])
            .args(["--web.listen-address", &format!("127.0.0.1:{port}")])
            .args(flags)
            .stderr(Stdio::from(File::create(folder.path("log")).expect("a file")))
            .spawn()
            .expect("the program starts");
        let site = Self { running: Running(child), port, folder };
        wait_until("the pages", || get(site.port, "/-/healthy", "*/*").ok());
        site
    }

    fn numbers(&self) -> Numbers {
        let (status, body) =
            get(self.port, "/metrics", "text/plain;version=0.0.4").expect("a page");
        assert_eq!(status, 200);
        Numbers::read(&body)
    }

    fn ready(&self) {
        wait_until("readiness", || {
            get(self.port, "/-/ready", "*/*").ok().filter(|(status, _)| *status == 200)
        });
    }

    /// Waits until so many callers have entered queues of a PBX.
    fn entered(&self, pbx: &str, least: f64) -> f64 {
        wait_until("callers", || {
            let numbers = self.numbers();
            numbers.assert_conserved(pbx);
            let entered = numbers.sum("asterisk_queue_entries_total", &[("pbx", pbx)]);
            Some(entered).filter(|entered| *entered >= least)
        })
    }

    /// Writes another configuration and asks for it; comes back when it was read.
    fn reload(&self, config: &str) {
        let before = self.reloaded();
        self.folder.write("config.yml", config);
        self.hang_up();
        wait_until("the reload", || (self.reloaded() != before).then_some(()));
    }

    /// Whether the last reload was successful, and when.
    fn reloaded(&self) -> [f64; 2] {
        let numbers = self.numbers();
        [
            numbers.sum("asterisk_exporter_config_last_reload_successful", &[]),
            numbers.sum("asterisk_exporter_config_last_reload_success_timestamp_seconds", &[]),
        ]
    }

    fn hang_up(&self) {
        let pid = self.running.0.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().expect("kill").success());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path("log")).expect("a log")
    }

    /// Status and text of a request without a body.
    fn ask(&self, method: &str, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let head = "HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        write!(stream, "{method} {path} {head}").expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        (status, body.to_owned())
    }

    /// What differs between a log and what was counted: the exit code, and the report.
    fn audit(&self, pbx: &Simulated, name: &str) -> (Option<i32>, String) {
        let metrics = format!("http://127.0.0.1:{}/metrics", self.port);
        let log = pbx.log.to_str().expect("a path");
        let audit = run(&["audit", "--queue-log", log, "--metrics", &metrics, "--pbx", name]);
        let text = [audit.stdout, audit.stderr].concat();
        (audit.status.code(), String::from_utf8_lossy(&text).into_owned())
    }
}

/// Everything that shows whether a PBX is still connected as it was.
fn sessions(numbers: &Numbers, pbx: &str) -> [f64; 3] {
    ["asterisk_exporter_connects_total", "asterisk_exporter_disconnects_total", "asterisk_up"]
        .map(|name| numbers.sum(name, &[("pbx", pbx)]))
}

#[test]
fn no_call_of_a_pbx_is_lost_while_others_are_changed_removed_and_added() {
    let folder = Folder::new("reload");
    let [mut steady, mut one, mut two] = [1, 2, 3].map(|seed| Simulated::new(&folder, seed));
    let config = |pbxs: &[String], more: &str| format!("pbx:\n{}{more}", pbxs.concat());
    let hq = steady.section("hq");
    let begin = config(&[hq.clone(), one.section("branch")], "service_level: {default: 20s}\n");
    let mut site = Site::start(folder, &begin, &[]);
    // The exporter sees every call from its beginning.
    for pbx in [&mut steady, &mut one, &mut two] {
        pbx.begin();
    }
    site.ready();
    site.entered("hq", 5.0);
    site.entered("branch", 1.0);
    let unsynchronised = |numbers: &Numbers| {
        numbers.sum("asterisk_exporter_unsynchronized_seconds_total", &[("pbx", "hq")])
    };
    let waited = unsynchronised(&site.numbers());

    // Another address, in another order; and another target for all.
    site.reload(&config(&[two.section("branch"), hq.clone()], "service_level: {default: 5s}\n"));
    site.ready();
    let numbers = site.numbers();
    assert_eq!(sessions(&numbers, "branch"), [2.0, 1.0, 1.0]);
    assert_eq!(sessions(&numbers, "hq"), [1.0, 0.0, 1.0]);
    let entered = site.entered("hq", 10.0);
    let numbers = site.numbers();
    let of_hq = [("pbx", "hq")];
    let targets = numbers.series("asterisk_queue_service_level_target_seconds", &of_hq);
    let targets: Vec<_> = targets.map(|(_, target)| target).collect();
    assert_eq!(targets, [5.0; 4]);

    // Removed.
    site.reload(&config(std::slice::from_ref(&hq), ""));
    let page = get(site.port, "/metrics", "text/plain;version=0.0.4").expect("a page").1;
    assert!(!page.contains("pbx=\"branch\""));
    assert_eq!(get(site.port, "/metrics?pbx=branch", "*/*").expect("a page").0, 404);

    // Added.
    site.reload(&config(&[hq.clone(), one.section("south")], ""));
    site.ready();
    assert_eq!(sessions(&site.numbers(), "south"), [1.0, 0.0, 1.0]);

    // A mistake changes nothing, and is named with its place.
    let broken = config(&[hq.clone(), two.section("branch")], "short_abandon: soon\n");
    site.reload(&broken);
    assert_eq!(site.reloaded()[0], 0.0);
    let log = site.log();
    let reason = "config.yml:4:16: short_abandon: soon is not a duration such as 20s, 1m or 500ms";
    assert!(log.contains(reason) && !log.contains("hush-hush"), "{log}");
    let numbers = site.numbers();
    assert_eq!(sessions(&numbers, "south"), [1.0, 0.0, 1.0]);
    assert_eq!(numbers.sum("asterisk_up", &[]), 2.0);

    // All the while the calls of the steady one were counted, over one connection.
    site.entered("hq", entered + 5.0);
    let numbers = site.numbers();
    assert_eq!(sessions(&numbers, "hq"), [1.0, 0.0, 1.0]);
    assert_eq!(unsynchronised(&numbers), waited);
    for (name, labels) in [
        ("asterisk_queue_exits_total", [("pbx", "hq"), ("outcome", "lost")]),
        ("asterisk_queue_completions_total", [("pbx", "hq"), ("ended_by", "lost")]),
        ("asterisk_queue_rings_total", [("pbx", "hq"), ("result", "lost")]),
    ] {
        assert_eq!(numbers.sum(name, &labels), 0.0, "{name}");
    }
    let (code, report) = site.audit(&steady, "hq");
    assert_eq!(code, Some(0), "{report}");
    assert!(!report.contains("explained") && report.contains("figures are equal"), "{report}");
    assert_eq!(site.running.stop(), Some(0));
}

#[test]
fn a_request_reloads_where_it_may_and_says_what_needs_a_restart() {
    let folder = Folder::new("reload");
    let pbx = |port: u16| {
        format!(
            "pbx:\n  - {{name: hq, address: '127.0.0.1:{port}', username: x, secret: hush-hush}}\n"
        )
    };
    let port = free_port();
    let site = Site::start(folder, &pbx(port), &["--web.enable-lifecycle"]);
    let [successful, at] = site.reloaded();
    assert_eq!(successful, 1.0);
    assert_eq!(site.ask("GET", "/-/reload").0, 405);

    let done = (200, "configuration reloaded\n".to_owned());
    assert_eq!(site.ask("POST", "/-/reload"), done);
    assert_eq!(site.ask("PUT", "/-/reload"), done);
    let later = site.reloaded();
    assert!(later[0] == 1.0 && later[1] > at, "{later:?} after {at}");

    let more = "buckets: {hold: [1, 2]}\nweb: {telemetry_path: /numbers}\nagent_label: none\n";
    site.folder.write("config.yml", &format!("{}{more}", pbx(port)));
    let keys = ["web.telemetry_path", "buckets.hold", "agent_label"];
    let lines: String = keys.iter().map(|key| format!("restart needed: {key}\n")).collect();
    assert_eq!(site.ask("POST", "/-/reload"), (200, format!("configuration reloaded\n{lines}")));
    let log = site.log();
    for key in keys {
        assert!(log.contains(&format!("key={key}")), "{log}");
    }

    site.folder.write("config.yml", "pbx: [");
    let (status, text) = site.ask("POST", "/-/reload");
    assert_eq!(status, 500);
    assert!(
        text.starts_with("failed to reload config: ") && text.contains("config.yml:1:"),
        "{text}"
    );
    assert_eq!(site.reloaded(), [0.0, site.reloaded()[1]]);
    // The pages never show a secret, whatever has happened.
    for page in ["/", "/metrics", "/-/ready"] {
        assert!(!get(site.port, page, "*/*").expect("a page").1.contains("hush-hush"), "{page}");
    }
    assert!(!site.log().contains("hush-hush"));
}

#[test]
fn without_the_flag_no_request_reloads() {
    let folder = Folder::new("reload");
    let config = "pbx: [{address: '127.0.0.1:1', username: x, secret: y, reconnect_min: 1m}]\n";
    let site = Site::start(folder, config, &[]);
    let before = site.reloaded();
    assert_eq!(
        site.ask("POST", "/-/reload"),
        (403, "Lifecycle API is not enabled: --web.enable-lifecycle enables it.\n".to_owned())
    );
    assert_eq!(site.reloaded(), before);
}

#[test]
fn the_printed_configuration_has_every_default_and_no_secret() {
    let folder = Folder::new("print");
    folder.write("secret", "hush-hush\n");
    let config = folder.write(
        "config.yml",
        "pbx:\n  - {address: pbx.example, username: x, secret_file: secret}\n  - {address: b, username: x, \
         secret: hush-hush}\nagent_label: hash\nagent_label_salt: hush-hush\n",
    );
    let print = |path: &PathBuf, more: &[&str]| {
        let path = path.to_str().expect("a path");
        let output = run(&[&["print-config", "--config", path], more].concat());
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let text = print(&config, &["--web.listen-address", "127.0.0.1:9000"]);
    assert!(!text.contains("hush-hush"), "{text}");
    for part in [
        "web:\n  listen_address:\n    - 127.0.0.1:9000\n",
        "\n    secret: \"***\"\n",
        "\nagent_label: hash\nagent_label_salt: \"***\"\n",
        &format!("\n    secret_file: {}\n", folder.path("secret").display()),
        "\nshort_abandon: 5s\n",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }

    // It is a configuration again, of the same.
    let again = folder.write("again.yml", &text);
    assert_eq!(print(&again, &[]), text);
}
