//! The program as a new user tries it: small slips, and how it answers them.

use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use flate2::read::MultiGzDecoder;
use support::program::{PATIENCE, Running, command, demo, get, run, wait_until};
use support::{Numbers, fixture};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A file for this test alone, which only its owner may read.
fn scratch(name: &str, content: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("user-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    std::fs::write(&path, content).expect("a scratch file");
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
    path.to_str().expect("a plain path").to_owned()
}

const NOBODY: &str =
    "pbx:\n  - name: hq\n    address: 127.0.0.1:1\n    username: exporter\n    secret: hush\n";

#[test]
fn a_taken_port_is_reported_with_the_flag_that_helps() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let failed = run(&["demo", "--web.listen-address", &address]);
    let printed = text(&failed.stderr);
    assert_eq!((failed.status.code(), failed.stdout.len()), (Some(1), 0), "{printed}");
    let expected = format!(
        "asterisk_exporter: {address}: address in use\n\
         choose another with --web.listen-address :15039, or make demo ARGS='--web.listen-address :15039'\n"
    );
    assert!(printed.ends_with(&expected), "{printed}");

    let config = scratch("taken.yml", NOBODY);
    let failed = run(&["--config", &config, "--web.listen-address", &address]);
    let printed = text(&failed.stderr);
    assert!(
        printed.contains("address in use\nchoose another with --web.listen-address"),
        "{printed}"
    );
}

#[test]
fn make_demo_hands_its_flags_on() {
    let planned = Command::new("make")
        .args(["--dry-run", "demo", "ARGS=--web.listen-address :15039"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("make");
    let printed = text(&planned.stdout);
    assert!(
        printed.contains("cargo run --release -- demo --web.listen-address :15039\n"),
        "{printed}"
    );
}

#[test]
fn a_client_that_closes_its_side_behind_the_request_gets_the_answer() {
    let (mut running, port) = demo(&[]);
    for path in ["/metrics", "/", "/-/healthy"] {
        // As of: printf 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n' | nc -N localhost 15038.
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").expect("a request");
        stream.shutdown(Shutdown::Write).expect("a socket");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer and its end");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
    }

    // One that asks for nothing is let go at once, not after some patience.
    let mut silent = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    silent.shutdown(Shutdown::Write).expect("a socket");
    assert_eq!(silent.read(&mut [0; 16]).expect("an end"), 0);
    assert_eq!(running.stop(), Some(0));
}

/// A program whose log is read as it comes.
struct Logged {
    running: Running,
    log: BufReader<std::process::ChildStderr>,
}

impl Logged {
    fn start(args: &[&str]) -> Self {
        let mut child: Child = command(args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { running: Running(child), log }
    }

    /// Reads on to the first line that holds this.
    fn until(&mut self, wanted: &str) -> String {
        let mut read = String::new();
        while !read.lines().last().is_some_and(|line| line.contains(wanted)) {
            assert!(self.log.read_line(&mut read).expect("a line") > 0, "no {wanted} in: {read}");
        }
        read.lines().last().expect("it was read just now").to_owned()
    }

    fn signal(&self, name: &str) {
        let pid = self.running.0.id().to_string();
        assert!(
            Command::new("kill")
                .args([&format!("-{name}"), &pid])
                .status()
                .expect("kill")
                .success()
        );
    }
}

#[test]
fn sighup_reloads_and_ends_nothing() {
    let port = support::program::free_port();
    let config = scratch("hup.yml", NOBODY);
    let address = format!("127.0.0.1:{port}");
    let mut program = Logged::start(&["--config", &config, "--web.listen-address", &address]);
    program.until("listening");

    for _ in 0..3 {
        program.signal("HUP");
        let line = program.until("configuration reloaded");
        assert!(
            line.contains("level=info") && line.contains("added=0 altered=0 removed=0"),
            "{line}"
        );
        assert_eq!(get(port, "/-/healthy", "*/*").expect("a page").0, 200);
    }

    program.signal("TERM");
    assert_eq!(
        wait_until("the end", || program.running.0.try_wait().expect("a child")).code(),
        Some(0)
    );
}

#[test]
fn check_config_shows_the_warnings_that_run_would_log() {
    let config =
        scratch("odd.yml", &format!("{NOBODY}    ping_timeout: 15000\nagent_label_salt: pepper\n"));
    std::fs::set_permissions(&config, Permissions::from_mode(0o644)).expect("a mode");
    let warnings = [
        ("5:13", "pbx[0].secret", format!("everybody may read {config}, its mode is 0644: chmod 0640 {config}")),
        (
            "6:19",
            "pbx[0].ping_timeout",
            "15000 is 4h10m, more than makes sense here (at most 5m): a number without a unit is seconds".to_owned(),
        ),
        ("7:19", "agent_label_salt", "not used: agent_label is not hash".to_owned()),
    ];

    let checked = run(&["check-config", "--config", &config]);
    let expected: String = warnings
        .iter()
        .map(|(place, key, what)| format!("{config}:{place}: {key}: warning: {what}\n"))
        .collect();
    assert_eq!((checked.status.code(), text(&checked.stderr)), (Some(0), expected));
    assert_eq!(text(&checked.stdout), format!("{config}: fine; 1 pbx: hq (127.0.0.1:1)\n"));

    let mut program = Logged::start(&["--config", &config, "--web.listen-address", "127.0.0.1:0"]);
    for (place, key, what) in warnings {
        program.until(&format!("{config}:{place}: {key}: {what}"));
    }
    program.until("listening");
    assert_eq!(program.running.stop(), Some(0));
}

#[test]
fn the_configuration_is_taken_by_the_name_that_prometheus_uses() {
    let config = scratch("name.yml", &format!("{NOBODY}service_level: {{default: 4}}\n"));
    let (recording, log) = rona();
    let played = run(&["replay", "--config.file", &config, &recording]);

    assert!(
        text(&played.stdout)
            .contains("asterisk_queue_entries_total{pbx=\"hq\",queue=\"rona\"} 1\n")
    );

    let audited =
        run(&["audit", "--config.file", &config, "--queue-log", &log, "--recording", &recording]);
    assert_eq!(audited.status.code(), Some(0), "{}", text(&audited.stderr));
    assert!(run(&["check-config", "--config.file", &config]).status.success());
    let out = scratch("name.ami.gz", "");
    let recorded = run(&["record", "--config.file", &config, "--out", &out, "--force"]);
    assert_eq!(recorded.status.code(), Some(1));
    assert!(text(&recorded.stderr).contains("pbx hq: "), "{}", text(&recorded.stderr));
}

#[test]
fn what_is_no_configuration_is_not_read_into_memory() {
    let huge = scratch("huge.yml", "");
    File::options()
        .write(true)
        .open(&huge)
        .and_then(|file| file.set_len(1 << 30))
        .expect("a sparse file");

    for path in ["/dev/zero", &huge] {
        for (args, code) in [
            (&["check-config", "--config", path][..], 1),
            (&["--config", path], 78),
            (&["replay", "--config", path, "x"], 1),
        ] {
            let failed = run(args);
            assert_eq!(failed.status.code(), Some(code));
            let printed = text(&failed.stderr);
            assert!(
                printed.contains(&format!(
                    "{path}: not readable: larger than 1 MiB, which no configuration is\n"
                )),
                "{printed}"
            );
        }
    }

    std::fs::remove_file(huge).expect("it was there");
}

#[test]
fn manager_conf_prints_what_can_be_pasted() {
    // What `asterisk -rx 'core show version'` prints.
    let version = "Asterisk 20.11.0 built by root @ pbx on a x86_64 running Linux on 2025-01-15 10:23:45 UTC\n";
    let printed = [
        run(&["manager-conf", "--asterisk", version]),
        run(&["manager-conf", "--asterisk", "20.11"]),
    ];
    let [first, second] = printed.map(|output| text(&output.stdout));
    assert!(
        first.contains("\n[general](+)\nenabled = yes\n")
            && first.contains("\ntimestampevents = yes\n"),
        "{first}"
    );
    assert!(first.contains("; of /etc/asterisk/manager_custom.conf."), "{first}");

    let secret = |text: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix("secret = ")).expect("a secret");
        line.to_owned()
    };
    assert!(secret(&first).len() >= 20 && secret(&first) != secret(&second));
    assert_eq!(first.replace(&secret(&first), ""), second.replace(&secret(&second), ""));
}

#[test]
fn record_writes_nothing_through_a_link() {
    let config = scratch("link.yml", NOBODY);
    let letter = scratch("letter", "a letter");
    let link = scratch("link.ami.gz", "");
    std::fs::remove_file(&link).and_then(|()| symlink(&letter, &link)).expect("a link");
    let refused = run(&["record", "--config", &config, "--out", &link, "--force"]);
    let printed = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(printed.contains(&format!("{link}: is a link to another file")), "{printed}");
    assert_eq!(std::fs::read_to_string(&letter).expect("the letter"), "a letter");
}

/// A capture, unpacked, and the queue_log of its call.
fn rona() -> (String, String) {
    let packed = File::open(fixture("captures/22/05-rona.ami.gz")).expect("a capture");
    let mut events = String::new();
    MultiGzDecoder::new(packed).read_to_string(&mut events).expect("gzipped text");
    let log = fixture("captures/22/05-rona.queue_log");
    (scratch("rona.ami", &events), log.to_str().expect("a plain path").to_owned())
}

#[test]
fn a_capture_with_line_feeds_only_is_read_like_any_other() {
    let (recording, log) = rona();
    let events = std::fs::read_to_string(Path::new(&recording)).expect("a capture");
    assert!(events.contains("\r\n"));
    let unix = scratch("rona-unix.ami", &events.replace('\r', ""));
    let samples = |file: &str| {
        let exposition = text(&run(&["replay", file]).stdout);
        let mut lines: Vec<_> = exposition.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let expected = samples(&recording);

    assert!(
        expected
            .contains(&"asterisk_queue_entries_total{pbx=\"replay\",queue=\"rona\"} 1".to_owned())
    );
    assert!(samples(&unix) == expected, "the recording with line feeds only has other numbers");
    let audited = run(&["audit", "--queue-log", &log, "--recording", &unix]);
    assert_eq!(
        audited.status.code(),
        Some(0),
        "{}{}",
        text(&audited.stdout),
        text(&audited.stderr)
    );
}

/// The demo as `make demo` starts it, but for its port, and what it prints first.
struct Demo {
    running: Running,
    welcome: String,
}

impl Demo {
    fn start(args: &[&str]) -> Self {
        let mut all = vec!["demo", "--web.listen-address", "127.0.0.1:0", "--log.level", "warn"];
        all.extend(args);
        let mut child = command(&all).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let running = Running(child);
        let mut welcome = String::new();

        while !welcome.contains("Stop with Ctrl-C.\n") {
            assert!(
                out.read_line(&mut welcome).expect("a line") > 0,
                "the demo ended behind: {welcome}"
            );
        }

        Self { running, welcome }
    }

    /// The words of a line that can be pasted.
    fn words(&self, label: &str) -> Vec<String> {
        let line =
            self.welcome.lines().find_map(|line| line.strip_prefix(label)).expect("the line");
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn port(&self) -> u16 {
        let (_, rest) = self.welcome.split_once("http://localhost:").expect("an address");
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().expect("a port")
    }

    fn numbers(&self) -> Numbers {
        Numbers::read(
            &get(self.port(), "/metrics", "text/plain;version=0.0.4").expect("a scrape").1,
        )
    }
}

#[test]
fn the_demo_s_first_scrape_shows_an_hour_that_agrees_with_its_queue_log() {
    let mut demo = Demo::start(&[]);
    let first = demo.numbers();
    first.assert_conserved("first scrape");
    let entered = first.sum("asterisk_queue_entries_total", &[]);
    assert!((450.0..700.0).contains(&entered), "{entered} callers in the first hour of seed 1");
    for outcome in ["answered", "abandoned", "timeout", "exit_key", "leave_empty"] {
        assert!(
            first.sum("asterisk_queue_exits_total", &[("outcome", outcome)]) > 0.0,
            "{outcome}"
        );
    }
    let talked = first.sum("asterisk_agent_state_seconds_total", &[("state", "talking")]);
    assert!(talked > 3600.0, "twelve agents talked {talked} s");

    // The live session takes up what the hour left, and nothing is lost or adopted on the way.
    wait_until("a session", || {
        get(demo.port(), "/-/ready", "*/*").ok().filter(|(status, _)| *status == 200)
    });
    let live = demo.numbers();
    live.assert_conserved("live");
    for (name, label, value) in [
        ("asterisk_queue_exits_total", "outcome", "lost"),
        ("asterisk_queue_completions_total", "ended_by", "lost"),
        ("asterisk_queue_rings_total", "result", "lost"),
        ("asterisk_calls_total", "result", "lost"),
        ("asterisk_queue_adopted_total", "pbx", "demo"),
        ("asterisk_exporter_anomalies_total", "pbx", "demo"),
        ("asterisk_exporter_unsynchronized_seconds_total", "pbx", "demo"),
    ] {
        assert_eq!(live.sum(name, &[(label, value)]), 0.0, "{name} {value}");
    }
    assert_eq!(
        (live.sum("asterisk_up", &[]), live.sum("asterisk_exporter_connects_total", &[])),
        (1.0, 1.0)
    );
    assert!(
        live.sum("asterisk_calls_active", &[]) > 0.0,
        "no call goes on in seed 1 after an hour"
    );
    let open =
        live.sum("process_start_time_seconds", &[]) - live.sum("asterisk_start_time_seconds", &[]);
    assert!((3590.0..3601.0).contains(&open), "open for {open} s before the program");

    // The very line that is there to be pasted.
    let words = demo.words("Then: ");
    let log =
        PathBuf::from(words.iter().find(|word| word.ends_with(".queue_log")).expect("the file"));
    let audited = Command::new(&words[0]).args(&words[1..]).output().expect("the program");
    let printed = text(&audited.stdout);
    assert_eq!(audited.status.code(), Some(0), "{printed}{}", text(&audited.stderr));
    assert!(
        printed.contains(", 0 outside\n")
            && printed.ends_with("\nqueue_log and the exporter agree.\n"),
        "{printed}"
    );

    assert_eq!(std::fs::metadata(&log).expect("the log").permissions().mode() & 0o777, 0o600);
    assert_eq!(demo.running.stop(), Some(0));
    assert!(!log.exists(), "what nobody asked for goes with the program");
}

#[test]
fn the_demo_writes_its_queue_log_to_the_given_file() {
    let log = scratch("demo.queue_log", "");
    let refused = run(&["demo", "--web.listen-address", "127.0.0.1:0", "--queue-log", &log]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains(&format!("{log}: cannot be created: File exists")),
        "an old one stays"
    );

    std::fs::remove_file(&log).expect("it was there");
    let mut demo = Demo::start(&["--open-for", "10m", "--queue-log", &log]);
    assert!(demo.welcome.contains(&format!("audit --queue-log {log} --metrics http://localhost:")));
    wait_until("a session", || {
        get(demo.port(), "/-/ready", "*/*").ok().filter(|(status, _)| *status == 200)
    });
    assert_eq!(demo.running.stop(), Some(0));
    let lines = std::fs::read_to_string(&log).expect("it stays");
    assert!(
        lines.lines().next().expect("a line").ends_with("|NONE|NONE|NONE|QUEUESTART|"),
        "{lines}"
    );
    assert!(lines.lines().count() > 200);

    // At another pace its time stamps run ahead of the clock: no audit is offered.
    let fast = Demo::start(&["--open-for", "1m", "--speed", "60"]);
    assert!(!fast.welcome.contains("audit"), "{}", fast.welcome);
}
