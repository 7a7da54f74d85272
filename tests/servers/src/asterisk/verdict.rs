//! What `asterisk_exporter audit` finds in queue_log and the exporter, or a capture.

use std::path::Path;

use serde_json::Value;
use support::program;

use super::exporter::Exporter;
use super::pbx::Pbx;

/// The report of an audit.
pub(crate) struct Verdict {
    report: Value,
}

/// A documented difference: queue, figure, reason, and how often.
pub(crate) type Explained = (String, String, String, u64);

impl Verdict {
    /// Compares a running exporter, which has counted everything in queue_log.
    pub(crate) fn of(pbx: &Pbx, exporter: &Exporter) -> Self {
        let url = format!("http://{}/metrics", exporter.address());
        // Nothing is at an edge: every line counts.
        Self::run(
            pbx,
            &["--metrics", &url, "--since", "2000-01-01 00:00", "--until", "2100-01-01 00:00"],
        )
    }

    /// Compares a capture.
    pub(crate) fn of_recording(pbx: &Pbx, config: &Path, recording: &Path) -> Self {
        let config = config.display().to_string();
        let recording = recording.display().to_string();
        Self::run(pbx, &["--config", &config, "--recording", &recording])
    }

    fn run(pbx: &Pbx, side: &[&str]) -> Self {
        let log = pbx.queue_log().display().to_string();
        let output = program::run(&[&["audit", "--json", "--queue-log", &log], side].concat());
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("audit: {error}: {}", String::from_utf8_lossy(&output.stderr));
        });
        let verdict = Self { report };
        let code = if verdict.report["agrees"] == true { 0 } else { 1 };
        assert_eq!(output.status.code(), Some(code), "the exit code is the verdict");
        verdict
    }

    /// Figures that differ, and lines that could not be read.
    pub(crate) fn differences(&self) -> Vec<String> {
        let malformed = self.list("malformed").iter().map(ToString::to_string);
        let rows = self
            .list("rows")
            .iter()
            .filter(|row| row["state"] == "differs")
            .map(ToString::to_string);
        malformed.chain(rows).collect()
    }

    /// The same without those that differ by no more than that.
    pub(crate) fn differences_but(&self, nearly: &[(&str, f64)]) -> Vec<String> {
        let malformed = self.list("malformed").iter().map(ToString::to_string);
        let is_near = |row: &Value| {
            let side = |side| row[side].as_f64().unwrap_or(f64::NAN);
            let by = (side("exporter") - side("queue_log")).abs();
            nearly.iter().any(|(what, most)| row["what"] == *what && by <= *most)
        };
        let rows = self.list("rows").iter();
        let rows = rows.filter(|row| row["state"] == "differs" && !is_near(row));
        malformed.chain(rows.map(ToString::to_string)).collect()
    }

    /// Figures that differ as is documented.
    pub(crate) fn explained(&self) -> Vec<Explained> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut found = Vec::new();
        for row in self.list("rows") {
            for one in row["explained"].as_array().into_iter().flatten() {
                let number = one["number"].as_u64().unwrap_or_default();
                found.push((text(&row["queue"]), text(&row["what"]), text(&one["reason"]), number));
            }
        }
        found
    }

    /// The same, of counts alone.
    pub(crate) fn differences_in_count(&self) -> Vec<String> {
        let mut found = self.differences();
        found.retain(|row| !row.contains("_seconds\""));
        found
    }

    /// Figures that are equal.
    pub(crate) fn equal(&self) -> usize {
        self.list("rows").iter().filter(|row| row["state"] == "equal").count()
    }

    /// Lines that were compared.
    pub(crate) fn compared(&self) -> u64 {
        self.report["lines"]["compared"].as_u64().unwrap_or_default()
    }

    fn list(&self, name: &str) -> &[Value] {
        self.report[name].as_array().map_or(&[], Vec::as_slice)
    }
}
