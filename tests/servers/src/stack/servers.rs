//! Prometheus, VictoriaMetrics and Alertmanager as processes on loopback.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::series::Series;
pub(crate) use support::program::prometheus_3;
use support::program::{Running, get, tool};

/// A server that answers.
pub(crate) struct Server {
    pub(crate) port: u16,
    what: &'static str,
    command: Command,
    ready: String,
    // The process goes before its folder.
    running: Running,
    folder: Folder,
}

/// The Prometheus 2 of Debian 12.
pub(crate) fn prometheus_2() -> Option<PathBuf> {
    tool("prometheus")
}

/// Starts a Prometheus with this configuration.
pub(crate) fn prometheus(program: &Path, config: &str, more: &[&str]) -> Server {
    let folder = Folder::new("prometheus");
    let file = folder.file("prometheus.yml", config);
    let port = port();
    let mut command = Command::new(program);
    command
        .arg(format!("--config.file={file}"))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .args(more);

    // An agent stores nothing that can be asked for.
    let storage = if more.iter().any(|flag| AGENT.contains(flag)) { "agent" } else { "tsdb" };
    command.arg(format!("--storage.{storage}.path={}", folder.path("data")));
    start("Prometheus", command, port, "/-/ready", folder)
}

/// Starts the VictoriaMetrics of Debian 12, which scrapes by this configuration, if there is any.
pub(crate) fn victoria_metrics(config: Option<&str>) -> Option<Server> {
    Some(victoria_metrics_of(&tool("victoria-metrics")?, config))
}

/// The same of any version.
pub(crate) fn victoria_metrics_of(program: &Path, config: Option<&str>) -> Server {
    let folder = Folder::new("victoria");
    let port = port();
    let mut command = Command::new(program);
    command
        .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
        .arg(format!("-storageDataPath={}", folder.path("data")))
        // What is a second old is taken for complete.
        .args(["-search.latencyOffset=1s", "-memory.allowedBytes=256MB", "-loggerLevel=WARN"]);

    if let Some(config) = config {
        command.arg(format!("-promscrape.config={}", folder.file("scrape.yml", config)));
    }
    start("VictoriaMetrics", command, port, "/health", folder)
}

/// Starts an Alertmanager of its own.
pub(crate) fn alertmanager(config: &str) -> Option<Server> {
    alertmanager_of(&tool("prometheus-alertmanager")?, config, &["--cluster.listen-address="])
}

/// The same of any version, with these arguments.
pub(crate) fn alertmanager_of(program: &Path, config: &str, more: &[&str]) -> Option<Server> {
    let folder = Folder::new("alertmanager");
    let port = port();
    let mut command = with_templates(program)?;
    command
        .arg(format!("--config.file={}", folder.file("alertmanager.yml", config)))
        .arg(format!("--storage.path={}", folder.path("data")))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .args(more);
    Some(start("Alertmanager", command, port, "/-/ready", folder))
}

/// A program of Alertmanager's package.
///
/// Debian's reads its templates from /usr/share, and does not run without.  Where the package is
/// not installed but unpacked, its own /usr/share is laid over the machine's, for this process
/// alone; `None` where that is forbidden, as in many containers.
fn with_templates(program: &Path) -> Option<Command> {
    if Path::new("/usr/share/prometheus/alertmanager/default.tmpl").exists() {
        return Some(Command::new(program));
    }

    let usr = program.ancestors().nth(2).expect("a program in usr/bin");
    let over = |program: &Path| {
        let mut command = Command::new("unshare");
        command.args([
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            "mount --bind \"$0\" /usr/share && exec \"$@\"",
        ]);
        command.arg(usr.join("share")).arg(program);
        command
    };
    let allowed = over(Path::new("true")).output().is_ok_and(|tried| tried.status.success());

    if !allowed {
        println!(
            "skipped: the alert in a real Alertmanager, which finds no templates: this machine forbids `unshare \
             --mount`; installing the package prometheus-alertmanager helps"
        );
    }

    allowed.then(|| over(program))
}

pub(crate) fn start(
    what: &'static str,
    mut command: Command,
    port: u16,
    ready: &str,
    folder: Folder,
) -> Server {
    let out = File::create(folder.path("log")).unwrap();
    command.current_dir(&folder.0).stdout(out.try_clone().unwrap()).stderr(out);
    let running = spawn(&mut command, what);
    let mut server = Server { port, what, command, ready: ready.to_owned(), running, folder };
    server.await_ready();

    server
}

fn spawn(command: &mut Command, what: &str) -> Running {
    Running(command.spawn().unwrap_or_else(|error| panic!("{what} does not start: {error}")))
}

impl Server {
    fn await_ready(&mut self) {
        until(&format!("{} is ready", self.what), || {
            if let Some(status) = self.running.0.try_wait().unwrap() {
                panic!("{} ended with {status}:\n{}", self.what, self.log());
            }
            match get(self.port, &self.ready, "*/*") {
                Ok((200, _)) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
    }

    /// Ends it at once, as a power failure does.
    pub(crate) fn kill(&mut self) {
        self.running.0.kill().unwrap();
        self.running.0.wait().unwrap();
    }

    /// Starts it again after that, with what it has stored.
    pub(crate) fn start_again(&mut self) {
        self.running = spawn(&mut self.command, self.what);
        self.await_ready();
    }

    /// The series an instant query gives now.
    pub(crate) fn ask(&self, query: &str) -> Series {
        Series::of_answer(&self.json(&format!("/api/v1/query?query={}", encoded(query))))
    }

    /// The same at a time in the past.
    pub(crate) fn ask_at(&self, query: &str, seconds: u64) -> Series {
        let query = encoded(query);
        Series::of_answer(&self.json(&format!("/api/v1/query?time={seconds}&query={query}")))
    }

    /// A file or folder of its own.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path(name)
    }

    /// The JSON at a path.
    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, body) =
            get(self.port, path, "*/*").unwrap_or_else(|error| panic!("{}: {error}", self.what));
        assert_eq!(status, 200, "{}: {path}: {body}", self.what);
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{}: {error}: {body}", self.what))
    }

    pub(crate) fn what(&self) -> &'static str {
        self.what
    }

    /// What it has logged until now.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path("log")).unwrap()
    }
}

/// A free port that nothing else will get: another for each server, and none of those the system
/// gives to clients.
pub(crate) fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // More than all tests together need: whoever got one may not have opened it yet.
    let base = 10_000 + (std::process::id() % 10) as u16 * 1000;
    let ports = (0..1000).map(|_| base + NEXT.fetch_add(1, Ordering::Relaxed) % 1000);
    let mut free = ports.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().expect("a free port among a thousand")
}

/// A text as part of a query string.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A scrape configuration of one exporter.
pub(crate) fn scraping(port: u16, more: &str) -> String {
    format!(
        "global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}\nscrape_configs:\n  - job_name: asterisk\n    \
         static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n{more}"
    )
}

/// A folder that goes when the test ends.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path that is text").to_owned()
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        std::fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Asks again and again until it is so; if it never is, the last answer shows what is wrong.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let mut last = String::new();
    for _ in 0..PATIENCE.as_millis() / STEP.as_millis() {
        match ask() {
            Ok(answer) => return answer,
            Err(why) => last = why,
        }
        std::thread::sleep(STEP);
    }
    panic!("waited in vain until {what}: {last}");
}

/// How Prometheus 2 and 3 are told to be an agent.
const AGENT: [&str; 2] = ["--enable-feature=agent", "--agent"];
/// Far more than anything takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);
const STEP: Duration = Duration::from_millis(200);
