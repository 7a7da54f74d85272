//! What a fault did, as a line of the tables in docs/reliability.md.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use support::{Numbers, root};

/// What a fault did.  Nothing in it depends on how fast the machine is.
pub(super) struct Row {
    /// What is wrong, in words.
    pub(super) fault: &'static str,
    /// After how much time the exporter knew.
    pub(super) noticed: String,
    /// What it counted each time, by metric.
    pub(super) counted: Vec<String>,
    /// What was open and could not be observed to its end.
    pub(super) lost: String,
    /// How the numbers are right again.
    pub(super) back: String,
    /// What it logged, beside sessions that begin.
    pub(super) log: Vec<String>,
}

impl Row {
    fn render(&self, test: &str) -> String {
        let cell = |all: &[String]| {
            let all: Vec<_> =
                all.iter().map(|one| format!("`{}`", one.replace('|', "/"))).collect();
            if all.is_empty() { NOTHING.to_owned() } else { all.join("<br>") }
        };
        let Self { fault, noticed, lost, back, .. } = self;
        let mut line = format!("| {fault} | {noticed} | {} | {lost} ", cell(&self.counted));
        write!(line, "| {back} | {} | `{test}` |", cell(&self.log)).expect("memory");
        line
    }

    /// Compares it with the line in the documentation, or writes that line with `UPDATE_EXPECTED=1`.
    pub(super) fn check(&self, test: &str) {
        // Tests of one process write one after the other.
        static WRITING: Mutex<()> = Mutex::new(());
        let _one = WRITING.lock().unwrap_or_else(PoisonError::into_inner);

        let new = self.render(test);
        let text = documentation();
        let old = text.lines().find(|line| key(line) == Some(test));
        let old = old.unwrap_or_else(|| {
            panic!("docs/reliability.md has no line that ends with | `{test}` |")
        });
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(path(), text.replace(old, &new)).expect("a writable file");
        } else {
            assert_eq!(old, new, "docs/reliability.md: UPDATE_EXPECTED=1 writes the line anew");
        }
    }
}

/// The tests that the documentation has a line of, in its order.
pub(super) fn documented() -> Vec<String> {
    documentation().lines().filter_map(key).map(str::to_owned).collect()
}

/// The test of a line.
fn key(line: &str) -> Option<&str> {
    let (_, last) = line.strip_suffix("` |")?.rsplit_once("| `")?;
    (line.starts_with("| ") && !last.contains(' ')).then_some(last)
}

fn documentation() -> String {
    std::fs::read_to_string(path()).expect("docs/reliability.md")
}

fn path() -> PathBuf {
    root("docs/reliability.md")
}

/// The counters of `pbx` that a fault may move.  The anomalies of a call that is lost are told by that
/// column.
pub(super) fn counted(numbers: &Numbers, pbx: &str) -> Vec<(String, f64)> {
    let of_pbx = [("pbx", pbx)];
    let is_lost = lost(numbers, pbx) != (0.0, 0.0);
    let names = FAULTS.iter().filter(|name| !(is_lost && name.ends_with("_anomalies_total")));
    let series = names.flat_map(|name| numbers.series(name, &of_pbx));
    series.map(|(series, value)| (plain(series, pbx), value)).collect()
}

/// What a PBX does not send, as a gauge says.
pub(super) fn degraded(numbers: &Numbers, pbx: &str) -> Vec<(String, f64)> {
    let of_pbx = [("pbx", pbx)];
    let series = numbers.series("asterisk_exporter_degraded", &of_pbx);
    series.map(|(series, value)| (plain(series, pbx), value)).collect()
}

/// A series with its value, as the documentation has it.
pub(super) fn shown((series, value): &(String, f64)) -> String {
    format!("{series} {value}")
}

/// Without the name of the test's PBX.
fn plain(series: &str, pbx: &str) -> String {
    let pbx = format!("pbx=\"{pbx}\"");
    series.replace(&format!("{pbx},"), "").replace(&format!("{{{pbx}}}"), "")
}

/// Waits and talks that are counted as lost.
pub(super) fn lost(numbers: &Numbers, pbx: &str) -> (f64, f64) {
    let outcome = [("pbx", pbx), ("outcome", "lost")];
    let result = [("pbx", pbx), ("ended_by", "lost")];
    (
        numbers.sum("asterisk_queue_exits_total", &outcome),
        numbers.sum("asterisk_queue_completions_total", &result),
    )
}

/// The same in words.
pub(super) fn lost_words((waits, talks): (f64, f64)) -> String {
    let words = |count: f64, word| match count as u64 {
        0 => None,
        1 => Some(format!("1 {word}")),
        count => Some(format!("{count} {word}s")),
    };
    let all: Vec<_> = [words(waits, "wait"), words(talks, "talk")].into_iter().flatten().collect();
    if all.is_empty() { NOTHING.to_owned() } else { all.join(", ") }
}

pub(super) const NOTHING: &str = "–";

const FAULTS: &[&str] = &[
    "asterisk_exporter_disconnects_total",
    "asterisk_exporter_frames_rejected_total",
    "asterisk_exporter_anomalies_total",
    "asterisk_exporter_label_overflow_total",
];
