//! The log of the exporter, line by line.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use asterisk_exporter::clock::{Clock, Moment};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

/// What is logged on this thread while it lives, with the moment of each line.
pub(super) struct Log {
    lines: Lines,
    _until: DefaultGuard,
}

#[derive(Clone)]
struct Lines {
    clock: Clock,
    all: Arc<Mutex<Vec<(Moment, String)>>>,
}

impl Log {
    /// Takes all lines of level info and above.
    pub(super) fn take(clock: &Clock) -> Self {
        let lines = Lines { clock: clock.clone(), all: Arc::default() };
        let layer = tracing_logfmt::builder().layer().with_writer(lines.clone());
        let subscriber = tracing_subscriber::registry().with(LevelFilter::INFO).with(layer);
        Self { lines, _until: set_default(subscriber) }
    }

    /// What was logged so far.
    pub(super) fn texts(&self) -> Vec<String> {
        self.lines.lock().iter().map(|(_, line)| line.clone()).collect()
    }

    /// Only the first two sessions may be told, and after the first minute no minute may have more
    /// than one line of what is wrong.
    pub(super) fn assert_quiet(&self) {
        let lines = self.lines.lock();
        let is = |line: &str, all: &[&str]| all.contains(&&*message(line));
        let begun = lines.iter().filter(|(_, line)| is(line, &["logged in"])).count();
        assert!(begun <= 2, "{begun} sessions are told: {lines:#?}");

        let Some((first, _)) = lines.first() else { return };
        let later: Vec<_> = lines
            .iter()
            .filter(|(at, line)| at.since(*first) >= MINUTE && !is(line, BEGINNINGS))
            .collect();
        for pair in later.windows(2) {
            assert!(pair[1].0.since(pair[0].0) >= MINUTE, "two lines in a minute: {pair:#?}");
        }
    }
}

impl Lines {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Moment, String)>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let now = self.clock.now();
        self.lock().push((now, String::from_utf8_lossy(bytes).trim_end().to_owned()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The lines in words, each once, without those of sessions that begin; `hidden` is what differs from
/// machine to machine, and what stands for it.
pub(super) fn words(lines: &[String], hidden: &[(String, &str)]) -> Vec<String> {
    let mut all = Vec::new();
    for line in lines {
        let message = message(line);
        if BEGINNINGS.contains(&message.as_str()) {
            continue;
        }
        let cause = ["error", "answer", "files"].into_iter().find_map(|key| field(line, key));
        let mut words = match cause {
            Some(cause) => format!("{message}: {cause}"),
            None => message,
        };
        for (text, stands) in hidden {
            words = words.replace(text, stands);
        }
        if !all.contains(&words) {
            all.push(words);
        }
    }
    all
}

fn message(line: &str) -> String {
    field(line, "message").unwrap_or_else(|| panic!("no message in {line}"))
}

/// The value of a field of a line in logfmt.
fn field(line: &str, key: &str) -> Option<String> {
    let start = line.find(&format!(" {key}=")).map(|at| at + key.len() + 2)?;
    let rest = &line[start..];
    let Some(quoted) = rest.strip_prefix('"') else {
        return Some(rest.split(' ').next()?.to_owned());
    };

    let mut value = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Some(value),
            '\\' => value.extend(letters.next()),
            _ => value.push(letter),
        }
    }
    None
}

const BEGINNINGS: &[&str] = &[
    "logged in",
    "synchronised",
    "synchronised, and for a minute by now",
    "logged off",
    "starting",
    "listening",
];
const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_field_may_be_quoted() {
    let line = r#"ts=1 level=warn pbx=hq error="no \"x\" within 5s" message=disconnected"#;
    assert_eq!(field(line, "error").as_deref(), Some("no \"x\" within 5s"));
    assert_eq!(field(line, "message").as_deref(), Some("disconnected"));
    assert_eq!(field(line, "answer"), None);
}
