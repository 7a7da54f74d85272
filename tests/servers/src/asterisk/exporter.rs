//! The exporter as a process beside the PBX, and a scraper that checks every scrape.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use asterisk_exporter::clock::Clock;
use flate2::read::MultiGzDecoder;
use support::Numbers;
use support::program::{self, Running, wait_until};

use super::configuration::SECRET;

/// A running exporter.
pub(crate) struct Exporter {
    running: Running,
    address: String,
    folder: PathBuf,
}

/// A recorder beside it.
pub(crate) struct Recording {
    running: Running,
    file: PathBuf,
    log: PathBuf,
}

/// Scrapes five times a second and checks each scrape, until it is stopped.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Exporter {
    /// Starts it for the manager interface at `manager` and waits until it is synchronised; it
    /// listens on `.9` of `net`.
    pub(crate) fn start(net: &str, manager: &str) -> Self {
        Self::start_with(net, manager, "")
    }

    /// The same, with more lines in the entry of the PBX.
    pub(crate) fn start_with(net: &str, manager: &str, more: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("exporter-{net}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let address = format!("{net}.9:15038");
        let file = folder.join("config.yml");
        let text = format!(
            "web:\n  listen_address: {address}\npbx:\n  - name: real\n    address: {manager}\n    username: exporter\n    \
             secret: {SECRET}\n    trunks: ['^(SIP|PJSIP)/(trunk|carrier)-']\n{more}"
        );
        fs::write(&file, text).expect("a configuration");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a file of our own");
        let running = launch("log", &["run", "--config", &file.display().to_string()], &folder);
        let exporter = Self { running, address, folder };
        exporter.wait_ready();
        exporter
    }

    /// Starts it again, with the same configuration; everything it counted is forgotten.
    pub(crate) fn restart(&mut self) {
        assert_eq!(self.running.stop(), Some(0), "the exporter's exit code");
        self.running =
            launch("log", &["run", "--config", &self.config().display().to_string()], &self.folder);
        self.wait_ready();
    }

    /// Records what the PBX sends from now on.
    pub(crate) fn record(&self) -> Recording {
        let (config, file) =
            (self.config().display().to_string(), self.folder.join("recording.ami.gz"));
        let args = ["record", "--config", &config, "--out", &file.display().to_string()];
        let running = launch("record.log", &args, &self.folder);
        let recording = Recording { running, file, log: self.folder.join("record.log") };
        recording.wait_sessions(1);
        recording
    }

    /// The exposition of a capture.
    pub(crate) fn replay(&self, recording: &Path) -> String {
        let config = self.config().display().to_string();
        let file = recording.display().to_string();
        let played = program::run(&["replay", "--config", &config, &file]);
        assert!(played.status.success(), "replay: {played:?}");
        String::from_utf8(played.stdout).expect("text")
    }

    /// Where a replay of a capture counts other than was counted live.
    pub(crate) fn differences_of(&self, recording: &Path, live: &str) -> Vec<String> {
        let played = self.replay(recording);
        let counts = |text: &str| {
            let is_count = |line: &&str| {
                let name = line.split(['{', ' ']).next().unwrap_or_default();
                !line.starts_with('#')
                    && COUNTED.iter().any(|prefix| name.starts_with(prefix))
                    && (name.ends_with("_total") || name.ends_with("_count"))
                    && !line.ends_with(" 0")
            };
            text.lines().filter(is_count).map(str::to_owned).collect::<BTreeSet<_>>()
        };
        let live = counts(live);
        let played = counts(&played);
        let only = |what: &str, ours: &BTreeSet<String>, others: &BTreeSet<String>| {
            ours.difference(others).map(|line| format!("only {what}: {line}")).collect::<Vec<_>>()
        };
        [only("live", &live, &played), only("in the replay", &played, &live)].concat()
    }

    /// Where it serves.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Its configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("config.yml")
    }

    /// Waits until it is synchronised.
    pub(crate) fn wait_ready(&self) {
        wait_until("the exporter to be synchronised", || {
            program::get_at(&self.address, "/-/ready", "*/*")
                .ok()
                .filter(|(status, _)| *status == 200)
        });
    }

    /// What it serves now.
    pub(crate) fn exposition(&self) -> String {
        exposition(&self.address).expect("an exporter that answers")
    }

    /// The same as numbers.
    pub(crate) fn numbers(&self) -> Numbers {
        Numbers::read(&self.exposition())
    }

    /// Waits until nothing is held any more, all events are in and every deadline is over; what
    /// it exports then.
    pub(crate) fn wait_idle(&self) -> String {
        wait_until("the exporter to come to rest", || {
            let text = self.exposition();
            let numbers = Numbers::read(&text);
            let held = numbers.sum("asterisk_exporter_tracked_objects", &[]);
            (held == 0.0 && numbers.sum("asterisk_up", &[]) == 1.0).then_some(text)
        })
    }

    /// Waits until it has more sessions behind it than `before`, and is synchronised.
    pub(crate) fn wait_back(&self, before: f64) {
        wait_until("the exporter to come back", || {
            let numbers = self.numbers();
            let back = numbers.sum("asterisk_exporter_connects_total", &[]) > before;
            (back && numbers.sum("asterisk_up", &[]) == 1.0).then_some(())
        });
    }

    /// Begins to scrape.
    pub(crate) fn watch(&self) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let address = self.address.clone();
        let thread = std::thread::spawn(move || {
            let clock = Clock::start();
            let mut scrapes = 0;
            let mut next = clock.now();
            while !stopped.load(Ordering::Relaxed) {
                // An exporter that was stopped or is being restarted does not answer.
                if let Ok((status, text)) = program::get_at(&address, "/metrics", TEXT) {
                    assert_eq!(status, 200, "{text}");
                    Numbers::read(&text).assert_conserved(&address);
                    scrapes += 1;
                }
                next = next.after(EVERY).max(clock.now());
                std::thread::sleep(next.since(clock.now()));
            }
            // How many is up to the machine: one that is busy with an Asterisk answers late.
            assert!(scrapes > 0, "no scrape was answered");
            scrapes
        });
        Watch { stop, thread: Some(thread) }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.running.0.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill").success());
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Recording {
    /// Waits until it has been synchronised that often.
    pub(crate) fn wait_sessions(&self, number: usize) {
        let begun = || {
            fs::read_to_string(&self.log)
                .unwrap_or_default()
                .matches("message=synchronised")
                .count()
        };
        wait_until("the recorder to be synchronised", || (begun() >= number).then_some(()));
    }

    /// What it has written so far.
    pub(crate) fn text(&self) -> String {
        let mut bytes = Vec::new();
        let file = fs::File::open(&self.file).expect("the recording");
        // The end is still to be written.
        let _ = MultiGzDecoder::new(file).read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Ends it, and gives the file; `ASTERISK_KEEP=FOLDER` keeps a copy there, such as for a
    /// fixture.
    pub(crate) fn stop(mut self, name: &str) -> PathBuf {
        assert_eq!(self.running.stop(), Some(0), "the recorder's exit code");
        if let Some(folder) = std::env::var_os("ASTERISK_KEEP") {
            fs::copy(&self.file, Path::new(&folder).join(name)).expect("a folder for recordings");
        }
        self.file
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the log of the exporter:\n{}", self.log());
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Watch {
    /// Ends it: how many scrapes were checked.
    pub(crate) fn stop(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("a watch is stopped once").join().expect("every scrape conserved")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

const TEXT: &str = "text/plain;version=0.0.4";
/// How often the exporter is scraped.
const EVERY: Duration = Duration::from_millis(200);
/// What calls and queues are counted by.
pub(crate) const COUNTED: [&str; 4] =
    ["asterisk_queue_", "asterisk_call", "asterisk_trunk_", "asterisk_recordings_"];

fn launch(log: &str, args: &[&str], folder: &Path) -> Running {
    let log = fs::File::options().create(true).append(true).open(folder.join(log)).expect("a log");
    Running(program::command(args).stderr(log).spawn().expect("the program starts"))
}

fn exposition(address: &str) -> std::io::Result<String> {
    let (status, text) = program::get_at(address, "/metrics", TEXT)?;
    if status == 200 { Ok(text) } else { Err(std::io::Error::other(format!("status {status}"))) }
}
