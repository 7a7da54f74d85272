//! A store that was just started: empty, or after an hour in which it was down.  Nothing fires that
//! is no event, and what is one fires afterwards.
//!
//! The exporter is a page of the test's, so that its counters stand as low as those of a young one,
//! which VictoriaMetrics takes for a rise from 0.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use support::program::{newest, prometheus_3, tool};
use support::root;

use super::alerts::{FASTER, compressed};
use super::servers::{Folder, Server, prometheus_2, start, until};

/// What an exporter has counted that has been running for a while; the last one stands for a
/// restart of the PBX.
const STANDING: &str = r#"
asterisk_up{pbx="hq"} 1
asterisk_exporter_disconnects_total{pbx="hq",reason="io"} 5
asterisk_exporter_connects_total{pbx="hq"} 5
asterisk_queue_rings_total{pbx="hq",queue="sales",agent="ann",result="no_answer"} 4
asterisk_queue_entries_total{pbx="hq",queue="sales"} 36
asterisk_queue_callers_waiting{pbx="hq",queue="sales"} 0
asterisk_queue_exits_total{pbx="hq",queue="sales",outcome="abandoned"} 9
asterisk_queue_exits_total{pbx="hq",queue="sales",outcome="timeout"} 9
asterisk_queue_exits_total{pbx="hq",queue="sales",outcome="answered"} 9
asterisk_queue_exits_total{pbx="hq",queue="sales",outcome="lost"} 9
asterisk_queue_answered_in_target_total{pbx="hq",queue="sales"} 0
asterisk_queue_service_level_target_seconds{pbx="hq",queue="sales"} 20
asterisk_trunk_attempts_total{pbx="hq",trunk="carrier",result="answered"} 9
asterisk_trunk_attempts_total{pbx="hq",trunk="carrier",result="congestion"} 9
asterisk_exporter_events_total{pbx="hq",event="Shutdown"} "#;

/// By which VictoriaMetrics answers, and a newer vmalert asks, for a time in the past: half a
/// minute of the rules.
const DELAY: u64 = 30_000 / FASTER;
/// Of the rules, in seconds.
const MINUTE: u64 = 60 / FASTER;

#[test]
fn a_store_that_was_just_started_raises_no_alert_and_a_gone_exporter_does() {
    let rules = Folder::new("starts");
    for file in FILES {
        let shipped = std::fs::read_to_string(root("alerts").join(file)).unwrap();
        rules.file(file, &compressed(&shipped));
    }

    // All at once, since they wait most of the time.
    std::thread::scope(|scope| {
        for program in programs() {
            let rules = &rules;
            for was_down in [false, true] {
                let program = program.clone();
                scope.spawn(move || quiet_then_loud(&program, was_down, rules));
            }
        }
    });
}

fn quiet_then_loud(program: &Program, was_down: bool, rules: &Folder) {
    let page = Page::new();
    page.answer(Some(format!("{STANDING}1\n")));
    let store = Store::start(program, was_down, &page, rules);

    // AsteriskRestarted looks at counters when the PBX was seen ten minutes before.
    let seen = format!("max_over_time(asterisk_up[6s] offset {}s)", 12 * MINUTE);
    until(&format!("{} has seen the exporter for 12 minutes", store.name), || {
        match store.server.ask(&seen).total() {
            1.0 => Ok(()),
            up => Err(format!("asterisk_up was {up}")),
        }
    });
    assert_eq!(store.fired(), Vec::<String>::new(), "{}", store.name);

    page.answer(Some(format!("{STANDING}2\n")));
    until(&format!("{} reports the restart", store.name), || {
        store.has_fired(&["AsteriskRestarted"])
    });
    page.answer(None);
    until(&format!("{} misses the exporter", store.name), || {
        store.has_fired(&["AsteriskExporterMissing", "AsteriskRestarted"])
    });
}

/// A kind of store.
#[derive(Clone)]
enum Program {
    Prometheus { server: PathBuf, promtool: PathBuf },
    Victoria { server: PathBuf, vmalert: PathBuf },
}

/// Those there are, the oldest and the newest of each kind.
fn programs() -> Vec<Program> {
    let prometheus = |server: Option<PathBuf>, promtool: Option<PathBuf>| {
        Some(Program::Prometheus { server: server?, promtool: promtool? })
    };
    let victoria = |server: Option<PathBuf>, vmalert: Option<PathBuf>| {
        Some(Program::Victoria { server: server?, vmalert: vmalert? })
    };
    let all = [
        prometheus(prometheus_2(), tool("promtool")),
        prometheus(prometheus_3(), newest("promtool")),
        victoria(tool("victoria-metrics"), tool("vmalert")),
        victoria(newest("victoria-metrics"), newest("vmalert")),
    ];
    all.into_iter().flatten().collect()
}

/// A running store that scrapes and evaluates.
struct Store {
    name: String,
    server: Server,
    _vmalert: Option<Server>,
}

impl Store {
    /// With an hour of samples that ended an hour ago, if it was down since.
    fn start(program: &Program, was_down: bool, page: &Page, rules: &Folder) -> Self {
        let port = super::servers::port();
        let folder = Folder::new("store");
        let interval = 15_000 / FASTER;
        let scrape = format!(
            "global: {{scrape_interval: {interval}ms, scrape_timeout: {interval}ms}}\nscrape_configs:\n  \
             - {{job_name: asterisk, static_configs: [{{targets: ['127.0.0.1:{}']}}]}}\n",
            page.port
        );
        let (server, vmalert) = match program {
            Program::Prometheus { server, promtool } => {
                if was_down {
                    let old = folder.file("old.txt", &(hour(1.0) + "# EOF\n"));
                    let mut create = Command::new(promtool);
                    create.args([
                        "tsdb",
                        "create-blocks-from",
                        "openmetrics",
                        &old,
                        &folder.path("data"),
                    ]);
                    let created = create.output().unwrap();
                    assert!(created.status.success(), "{created:?}");
                }
                let config = format!("rule_files: ['{}']\n{scrape}", rules.path("*.yml"));
                let mut command = Command::new(server);
                command.args([
                    format!("--config.file={}", folder.file("prometheus.yml", &config)),
                    format!("--storage.tsdb.path={}", folder.path("data")),
                    format!("--web.listen-address=127.0.0.1:{port}"),
                ]);
                (start("Prometheus", command, port, "/-/ready", folder), None)
            }
            Program::Victoria { server, vmalert } => {
                let mut command = Command::new(server);
                command.args([
                    format!("-promscrape.config={}", folder.file("scrape.yml", &scrape)),
                    format!("-storageDataPath={}", folder.path("data")),
                    format!("-httpListenAddr=127.0.0.1:{port}"),
                    format!("-search.latencyOffset={DELAY}ms"),
                    "-memory.allowedBytes=128MB".to_owned(),
                ]);
                let server = start("VictoriaMetrics", command, port, "/health", folder);
                if was_down {
                    post(port, "/api/v1/import/prometheus", &hour(1000.0));
                    until("the import can be queried", || {
                        match server.ask("max_over_time(asterisk_up[3h])").total() {
                            1.0 => Ok(()),
                            up => Err(format!("asterisk_up was {up}")),
                        }
                    });
                }
                (server, Some(evaluating(vmalert, port, rules)))
            }
        };

        let kind = match program {
            Program::Prometheus { server, .. } | Program::Victoria { server, .. } => {
                server.display()
            }
        };
        let name = format!("{kind}, {}", if was_down { "down for an hour" } else { "empty" });
        Self { name, server, _vmalert: vmalert }
    }

    /// The alerts that have fired since the start.
    fn fired(&self) -> Vec<String> {
        let fired = self
            .server
            .ask("count by (alertname) (count_over_time(ALERTS{alertstate=\"firing\"}[30m]))");
        fired.0.into_keys().map(|mut labels| labels.remove("alertname").unwrap()).collect()
    }

    fn has_fired(&self, expected: &[&str]) -> Result<(), String> {
        let fired = self.fired();
        if fired == expected { Ok(()) } else { Err(format!("{fired:?}")) }
    }
}

fn evaluating(vmalert: &Path, store: u16, rules: &Folder) -> Server {
    let port = super::servers::port();
    let mut command = Command::new(vmalert);
    command.args(FILES.map(|file| format!("-rule={}", rules.path(file))));
    for url in ["datasource", "remoteWrite", "remoteRead"] {
        command.arg(format!("-{url}.url=http://127.0.0.1:{store}"));
    }
    command.args(["-remoteWrite.flushInterval=1s", "-notifier.url=http://127.0.0.1:1"]);
    let known = Command::new(vmalert).arg("--help").output().unwrap().stdout;
    if String::from_utf8_lossy(&known).contains("-rule.evalDelay") {
        command.arg(format!("-rule.evalDelay={DELAY}ms"));
    }
    command.arg(format!("-httpListenAddr=127.0.0.1:{port}"));
    start("vmalert", command, port, "/health", Folder::new("vmalert"))
}

/// Samples of an hour that ended an hour ago, one a minute, with times in such fractions of a
/// second.
#[expect(clippy::disallowed_methods, reason = "the store reads the machine's clock too")]
fn hour(fraction: f64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let standing = format!("{STANDING}1");
    let lines = standing.lines().filter(|line| !line.is_empty()).flat_map(|line| {
        let times = (60..120).rev().map(move |minutes| (now - 60 * minutes) as f64 * fraction);
        times.map(move |time| format!("{line} {time:.0}\n"))
    });
    lines.collect()
}

pub(super) fn post(port: u16, path: &str, body: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = body.len();
    write!(stream, "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .unwrap();
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status).unwrap();
    assert!(status.contains(" 20"), "{status}");
}

/// A page of metrics that the test writes.
struct Page {
    port: u16,
    text: Arc<Mutex<Option<String>>>,
}

impl Page {
    /// One that answers nothing yet.
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let text = Arc::new(Mutex::new(None));
        let ours: Arc<Mutex<Option<String>>> = Arc::clone(&text);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut line = String::new();
                while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
                    line.clear();
                }
                let Some(body) = ours.lock().unwrap().clone() else { continue };
                // Whoever asked may be gone.
                let _ = write!(
                    stream.get_mut(),
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self { port, text }
    }

    /// From now on it is this, or a connection that is closed.
    fn answer(&self, text: Option<String>) {
        *self.text.lock().unwrap() = text;
    }
}

const FILES: [&str; 3] = ["rules.yml", "thresholds.yml", "alerts.yml"];
