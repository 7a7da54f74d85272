//! A real Prometheus that scrapes the exporter beside a real Asterisk.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use support::program::{self, Running, wait_until};

use super::exporter::{COUNTED, Exporter};

/// The server.
pub(crate) struct Prometheus {
    address: String,
    folder: PathBuf,
    _running: Running,
}

impl Prometheus {
    /// Starts it, on `.10` of `net`; nothing where it is not installed.
    pub(crate) fn start(net: &str, exporter: &Exporter) -> Option<Self> {
        let program = program::tool("prometheus")?;
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("prometheus-{net}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("prometheus.yml");
        let text = format!(
            "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: asterisk\n    static_configs:\n      - targets: \
             ['{}']\n",
            exporter.address()
        );
        fs::write(&file, text).expect("a configuration");
        let address = format!("{net}.10:9090");
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());

        let running = Running(command.spawn().expect("prometheus starts"));
        wait_until("Prometheus", || {
            program::get_at(&address, "/-/ready", "*/*").ok().filter(|(status, _)| *status == 200)
        });
        Some(Self { address, folder, _running: running })
    }

    /// Waits until it has every counter of calls and queues as this exposition has them; how many
    /// these are.
    pub(crate) fn wait_for(&self, exposition: &str) -> usize {
        let is_count = |line: &&str| {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            let is_zero = line.rsplit(' ').next().and_then(|value| value.parse().ok()) == Some(0.0);
            COUNTED.iter().any(|prefix| name.starts_with(prefix))
                && name.ends_with("_total")
                && !is_zero
        };
        let mut wanted: Vec<_> = exposition.lines().filter(is_count).map(sample).collect();
        wanted.sort();
        wait_until("Prometheus to have the same numbers", || {
            (self.counters() == wanted).then_some(wanted.len())
        })
    }

    fn counters(&self) -> Vec<String> {
        let query = "/api/v1/query?query=%7B__name__%3D~%22asterisk_(queue|call|trunk|recordings)_%3F.*_total%22%7D%20%21%3D%200";
        let Ok((200, body)) = program::get_at(&self.address, query, "*/*") else {
            return Vec::new();
        };
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        let mut found: Vec<_> = answer["data"]["result"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|series| {
                let metric = series["metric"].as_object().expect("labels");
                let own = metric.iter().filter(|(key, value)| {
                    !["__name__", "job", "instance"].contains(&key.as_str()) && *value != ""
                });
                let labels: Vec<_> = own.map(|(key, value)| format!("{key}={value}")).collect();
                let value: f64 =
                    series["value"][1].as_str().expect("a value").parse().expect("a number");
                line(metric["__name__"].as_str().expect("a name"), labels, value)
            })
            .collect();
        found.sort();
        found
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A line of the exposition in the form that both sides are compared in.  No name here has a comma
/// or a quote in it.
fn sample(text: &str) -> String {
    let (series, value) = text.rsplit_once(' ').expect("a sample");
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let labels = labels.trim_end_matches('}').split("\",").map(|pair| pair.trim_end_matches('"'));
    let labels =
        labels.filter_map(|pair| pair.split_once("=\"")).filter(|(_, value)| !value.is_empty());
    let labels = labels.map(|(key, value)| format!("{key}=\"{value}\"")).collect();
    line(name, labels, value.parse().expect("a number"))
}

fn line(name: &str, mut labels: Vec<String>, value: f64) -> String {
    labels.sort();
    format!("{name} {} {value}", labels.join(" "))
}
