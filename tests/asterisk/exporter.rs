//! The exporter as a process beside the PBX, and a scraper that checks every scrape.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::common::Numbers;
use crate::common::program::{self, Running, wait_until};
use crate::pbx::SECRET;

/// A running exporter.
pub(crate) struct Exporter {
    running: Running,
    address: String,
    folder: PathBuf,
}

/// Scrapes five times a second and checks each scrape, until it is told to stop.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Exporter {
    /// Starts it for the manager interface at `manager` and waits until it is synchronised; it listens on `.9` of `net`.
    pub(crate) fn start(net: &str, manager: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("exporter-{net}"));
        fs::create_dir_all(&folder).expect("a folder");
        let address = format!("{net}.9:15038");
        let file = folder.join("config.yml");
        let text = format!(
            "web:\n  listen_address: {address}\npbx:\n  - name: real\n    address: {manager}\n    username: exporter\n    \
             secret: {SECRET}\n    trunks: ['^(SIP|PJSIP)/(trunk|carrier)-']\n"
        );
        fs::write(&file, text).expect("a configuration");
        let log = fs::File::options().create(true).append(true).open(folder.join("log")).expect("a log");
        let file = file.display().to_string();
        let mut command = program::command(&["run", "--config", &file]);
        let child = command.stderr(log).spawn().expect("the program starts");
        let exporter = Self { running: Running(child), address, folder };
        exporter.wait_ready();
        exporter
    }

    /// Waits until it is synchronised.
    pub(crate) fn wait_ready(&self) {
        wait_until("the exporter to be synchronised", || {
            program::get_at(&self.address, "/-/ready", "*/*").ok().filter(|(status, _)| *status == 200)
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

    /// Waits until nothing is held any more, all events are in and every deadline is over; what stands then.
    pub(crate) fn wait_idle(&self) -> String {
        wait_until("the exporter to come to rest", || {
            let text = self.exposition();
            let numbers = Numbers::read(&text);
            let held = numbers.sum("asterisk_exporter_tracked", &[]);
            (held == 0.0 && numbers.sum("asterisk_up", &[]) == 1.0).then_some(text)
        })
    }

    /// Begins to scrape.
    pub(crate) fn watch(&self) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, address) = (Arc::clone(&stop), self.address.clone());
        let thread = std::thread::spawn(move || {
            let mut scrapes = 0;
            while !told.load(Ordering::Relaxed) {
                // an exporter that was stopped or is being restarted does not answer
                if let Ok(text) = exposition(&address) {
                    Numbers::read(&text).assert_conserved(&address);
                    scrapes += 1;
                }
                std::thread::sleep(Duration::from_millis(200));
            }
            scrapes
        });
        Watch { stop, thread: Some(thread) }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.running.0.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill").success());
    }

    /// Ends it as systemd would.
    pub(crate) fn stop(&mut self) {
        assert_eq!(self.running.stop(), Some(0), "the exporter's exit code");
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the exporter said:\n{}", self.log());
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

fn exposition(address: &str) -> std::io::Result<String> {
    let (status, text) = program::get_at(address, "/metrics", "text/plain;version=0.0.4")?;
    if status == 200 { Ok(text) } else { Err(std::io::Error::other(format!("status {status}"))) }
}
