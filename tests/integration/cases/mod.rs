//! Small inputs that were once counted wrongly, each with the right value.
//!
//! A folder of `fixtures/cases` holds what one PBX sent (`events.ami`, plain or gzipped), its
//! `queue_log` if there was one, and `config.yml` if the one for all cases does not fit.  They go
//! through the built program, as a user's would.

mod audit;
mod callers;
mod hostile;
mod identity;
mod logs;
mod meaning;
mod missing;
mod now;
mod robust;

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use support::program::run;
use support::{Numbers, fixture};

/// One case.
pub(crate) struct Case {
    folder: PathBuf,
}

#[allow(dead_code, reason = "each kind of case uses a part of this")]
/// What `audit` printed, and its exit code.
pub(crate) struct Audited {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

#[allow(dead_code, reason = "each kind of case uses a part of this")]
impl Case {
    pub(crate) fn open(name: &str) -> Self {
        let folder = fixture("cases").join(name);
        assert!(folder.is_dir(), "no such case: {name}");
        Self { folder }
    }

    /// The numbers after the last event, which must add up.
    pub(crate) fn numbers(&self) -> Numbers {
        self.play(&self.events())
    }

    /// The numbers as they are before the first event that has this Timestamp or a later one.
    pub(crate) fn numbers_until(&self, timestamp: f64) -> Numbers {
        let text = self.text();
        let mut end = text.len();
        let mut at = 0;

        for frame in text.split_inclusive("\r\n\r\n") {
            let stamp = frame.lines().find_map(|line| line.strip_prefix("Timestamp: "));
            if stamp
                .and_then(|stamp| stamp.parse::<f64>().ok())
                .is_some_and(|stamp| stamp >= timestamp)
            {
                end = at;
                break;
            }
            at += frame.len();
        }

        assert!(end < text.len(), "no event is as late as {timestamp}");
        self.play_text(&text[..end], timestamp)
    }

    /// The numbers as they are at a Timestamp after the last event, if nothing comes until then.
    pub(crate) fn numbers_at(&self, timestamp: f64) -> Numbers {
        let later =
            format!("Event: Reload\r\nPrivilege: system,all\r\nTimestamp: {timestamp:.6}\r\n\r\n");
        self.play_text(&(self.text().trim_end().to_owned() + "\r\n\r\n" + &later), timestamp)
    }

    fn play_text(&self, text: &str, timestamp: f64) -> Numbers {
        let mut file = tempfile(&self.folder, timestamp);
        file.1.write_all(text.as_bytes()).expect("a scratch file");
        self.play(&file.0)
    }

    /// The events compared with the queue_log beside them.
    pub(crate) fn audit(&self, more: &[&str]) -> Audited {
        let config = self.config();
        let events = self.events();
        let log = self.folder.join("queue_log");
        let mut args = vec!["audit", "--config", path(&config), "--recording", path(&events)];
        args.extend(["--queue-log", path(&log)]);
        args.extend(more);
        let output = run(&args);
        let text = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Audited { code: output.status.code(), text: text.concat() }
    }

    fn play(&self, events: &Path) -> Numbers {
        let config = self.config();
        let output = run(&["replay", "--format", "text", "--config", path(&config), path(events)]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let numbers = Numbers::read(&String::from_utf8_lossy(&output.stdout));
        numbers.assert_conserved(&self.folder.display().to_string());
        numbers
    }

    fn config(&self) -> PathBuf {
        let own = self.folder.join("config.yml");
        if own.exists() { own } else { fixture("cases/config.yml") }
    }

    fn events(&self) -> PathBuf {
        let plain = self.folder.join("events.ami");
        if plain.exists() { plain } else { self.folder.join("events.ami.gz") }
    }

    fn text(&self) -> String {
        let bytes = std::fs::read(self.events()).expect("the events of the case");
        let mut text = String::new();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzipped text");
        } else {
            text = String::from_utf8(bytes).expect("text");
        }
        // Some are stored with line feeds only.
        if text.contains("\r\n") { text } else { text.replace('\n', "\r\n") }
    }
}

#[test]
fn every_case_adds_up() {
    let folders = std::fs::read_dir(fixture("cases")).expect("the folder of cases");
    let folders = folders.map(|entry| entry.expect("an entry").path());
    let cases: Vec<_> =
        folders.map(|folder| Case { folder }).filter(|case| case.events().exists()).collect();
    assert!(cases.len() >= 21, "only {} cases found", cases.len());
    for case in cases {
        case.numbers();
    }
}

fn tempfile(folder: &Path, timestamp: f64) -> (PathBuf, std::fs::File) {
    let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{timestamp}.ami"));
    let file = std::fs::File::create(&path).expect("a scratch file");
    (path, file)
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}
