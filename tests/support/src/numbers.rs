//! Numbers out of an exposition.

use std::collections::BTreeMap;

/// The numbers of an exposition, by series as printed.
pub struct Numbers(BTreeMap<String, f64>);

impl Numbers {
    /// Reads the classic text format.
    pub fn read(exposition: &str) -> Self {
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
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.series(name, labels).fold(0.0, |sum, (_, value)| sum + value)
    }

    /// Every series of a metric that carries all these labels, and is not zero.
    pub fn series<'a>(
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
    pub fn values(&self, name: &str, label: &str) -> Vec<String> {
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
    pub fn assert_conserved(&self, what: &str) {
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
