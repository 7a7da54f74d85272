//! What the tests of recordings share: playing one, and reading numbers out of an exposition.

#![allow(dead_code, reason = "each test file uses a part of this")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asterisk_exporter::ami::frame::Limits;
use asterisk_exporter::correlator::{Patterns, Rules};
use asterisk_exporter::metrics::{Format, Metrics, Settings};
use asterisk_exporter::pbx::PbxName;
use asterisk_exporter::replay::Replay;
#[allow(unused_imports, reason = "each test file uses a part of this")]
pub(crate) use support::program;

/// The numbers of an exposition, by series as printed.
pub(crate) struct Numbers(BTreeMap<String, f64>);

/// A file or folder of `fixtures/`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// The rules the recordings of the lab are read by.
pub(crate) fn rules() -> Rules {
    let trunks =
        Patterns::new(["^(SIP|PJSIP)/(trunk|carrier|channel2)-"]).expect("a valid pattern");
    Rules { trunks, ..Rules::default() }
}

/// A replay of nothing yet.
pub(crate) fn replay(rules: Rules) -> Replay {
    Replay::new(&PbxName::new("lab"), rules, Metrics::new(Settings::default()), Limits::default())
}

/// Plays one file through the real path.
pub(crate) fn play(path: &Path) -> Numbers {
    let mut replay = replay(rules());
    replay.play_file(path).unwrap_or_else(|error| panic!("{error}"));
    Numbers::read(&replay.exposition(Format::Text))
}

impl Numbers {
    /// Reads the classic text format.
    pub(crate) fn read(exposition: &str) -> Self {
        let samples = exposition.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        Self(
            samples
                .map(|line| {
                    let (series, value) =
                        line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
                    (
                        series.to_owned(),
                        value.parse().unwrap_or_else(|_| panic!("no number: {line}")),
                    )
                })
                .collect(),
        )
    }

    /// The sum of a metric's series that carry all these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.series(name, labels).fold(0.0, |sum, (_, value)| sum + value)
    }

    /// Every series of a metric that carries all these labels, and is not zero.
    pub(crate) fn series<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&str, &str)],
    ) -> impl Iterator<Item = (&'a str, f64)> {
        let matches = move |series: &str| {
            let rest = series.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with('{')).then_some(())?;
            labels
                .iter()
                .all(|(key, value)| {
                    rest.contains(&format!("{{{key}=\"{value}\""))
                        || rest.contains(&format!(",{key}=\"{value}\""))
                })
                .then_some(())
        };
        self.0
            .iter()
            .filter(move |(series, value)| matches(series).is_some() && **value != 0.0)
            .map(|(s, v)| (s.as_str(), *v))
    }

    /// Every value a label has in a metric.
    pub(crate) fn values(&self, name: &str, label: &str) -> Vec<String> {
        let mark = format!("{label}=\"");
        let of = |series: &String| {
            let rest = series.strip_prefix(name)?.strip_prefix('{')?;
            let from = rest.find(&mark)? + mark.len();
            Some(rest[from..].split('"').next()?.to_owned())
        };
        let mut values: Vec<_> = self.0.keys().filter_map(of).collect();
        values.sort();
        values.dedup();
        values
    }

    /// METRICS.md's law, for every queue.
    pub(crate) fn assert_conserved(&self, what: &str) {
        for queue in self.values("asterisk_queue_entries_total", "queue") {
            let q = ("queue", queue.as_str());
            let begun = self.sum("asterisk_queue_entries_total", &[q])
                + self.sum("asterisk_queue_adopted_total", &[q, ("phase", "waiting")]);
            let ended = self.sum("asterisk_queue_exits_total", &[q])
                + self.sum("asterisk_queue_callers_waiting", &[q]);
            assert_eq!(begun, ended, "{what}: waits of {queue}");
            let connected = self.sum("asterisk_queue_exits_total", &[q, ("outcome", "answered")])
                + self.sum("asterisk_queue_adopted_total", &[q, ("phase", "talking")]);
            let completed = self.sum("asterisk_queue_completions_total", &[q])
                + self.sum("asterisk_queue_callers_talking", &[q]);
            assert_eq!(connected, completed, "{what}: talks of {queue}");
        }
    }
}
