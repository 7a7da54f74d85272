//! A real Prometheus, and what it answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::program::{Running, free_port, get, tool, wait_until};
use support::{root, scratch};

/// A Prometheus that answers on a port of this machine.
pub struct Prometheus {
    /// The port.
    pub port: u16,
    running: Option<(Running, PathBuf)>,
}

/// Labels and points of one series: moment in seconds and value, without those that are no number.
#[derive(Clone, Debug)]
pub struct Series {
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// Its points, the oldest first.
    pub points: Vec<(f64, f64)>,
    /// A native histogram: the points are how many it has observed.
    pub native: bool,
}

/// The time a query is for.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The first moment, in seconds since 1970.
    pub from: f64,
    /// The last moment.
    pub to: f64,
    /// Seconds between two points.
    pub step: f64,
}

impl Prometheus {
    /// One that scrapes this exporter each second, and evaluates these rules as often; `None` if it
    /// is not installed.
    ///
    /// `more` are its flags.
    pub fn start(target: u16, rules: &[&str], more: &[&str]) -> Option<Self> {
        Some(Self::of(&tool("prometheus")?, target, rules, more, ""))
    }

    /// The same of this program, and with more in its configuration.
    pub fn of(program: &Path, target: u16, rules: &[&str], more: &[&str], config: &str) -> Self {
        let (port, folder) = place();
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
             rule_files: ['rules/*.yml']\nscrape_configs:\n  - job_name: asterisk\n    \
             static_configs: [{{targets: ['127.0.0.1:{target}']}}]\n{config}"
        );
        std::fs::write(folder.join("prometheus.yml"), config).expect("a configuration");
        std::fs::create_dir_all(folder.join("rules")).expect("a folder");

        for file in rules {
            // The rules' own intervals are minutes; what a panel shows then is not right, but
            // there.  What ends 90 seconds ago, for vmalert's sake, would be there that much later.
            let rules = std::fs::read_to_string(root("alerts").join(file)).expect("rules");
            let rules: Vec<_> =
                rules.lines().filter(|line| !line.trim().starts_with("interval:")).collect();
            let rules = rules.join("\n").replace("offset 90s", "offset 2s");
            std::fs::write(folder.join("rules").join(file), rules).expect("rules");
        }

        let child = Command::new(program)
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=warn")
            .args(more)
            .spawn()
            .expect("prometheus starts");
        let prometheus = Self { port, running: Some((Running(child), folder)) };
        wait_until("prometheus", || {
            get(port, "/-/ready", "*/*").ok().filter(|(status, _)| *status == 200)
        });
        prometheus
    }

    /// A VictoriaMetrics, which answers in the same way, and what a Prometheus needs in its
    /// configuration to write to it.
    pub fn victoria_metrics() -> Option<(Self, String)> {
        let program = tool("victoria-metrics")?;
        let (port, folder) = place();
        let child = Command::new(program)
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            .arg(format!("-storageDataPath={}", folder.join("data").display()))
            .args(["-memory.allowedBytes=256MB", "-loggerLevel=ERROR"])
            .spawn()
            .expect("victoria-metrics starts");
        let server = Self { port, running: Some((Running(child), folder)) };
        wait_until("victoria-metrics", || {
            get(port, "/health", "*/*").ok().filter(|(status, _)| *status == 200)
        });
        Some((server, format!("remote_write: [{{url: 'http://127.0.0.1:{port}/api/v1/write'}}]\n")))
    }

    /// One that is already running.
    pub fn at(port: u16) -> Self {
        Self { port, running: None }
    }

    /// The moment now, in seconds since 1970.
    pub fn now(&self) -> f64 {
        let answer = self.ask("query", &[("query", "vector(time())".into())]).expect("the time");
        number(&answer["result"][0]["value"][1])
    }

    /// What a query gives at the end of the span, or over it.
    pub fn query(&self, expr: &str, instant: bool, span: Span) -> Result<Vec<Series>, String> {
        let expr = ("query", expr.to_owned());
        let data = if instant {
            self.ask("query", &[expr, ("time", span.to.to_string())])?
        } else {
            let [from, to, step] = [span.from, span.to, span.step].map(|number| number.to_string());
            self.ask("query_range", &[expr, ("start", from), ("end", to), ("step", step)])?
        };
        let series = data["result"].as_array().into_iter().flatten().map(|series| {
            let points = |many: &str, one: &str| {
                let one = || series.get(one).cloned().into_iter().collect();
                series[many].as_array().cloned().unwrap_or_else(one)
            };
            let (floats, histograms) =
                (points("values", "value"), points("histograms", "histogram"));
            let native = floats.is_empty();
            let moment = |point: &Value| point[0].as_f64().unwrap_or(0.0);
            let floats = floats.iter().map(|point| (moment(point), number(&point[1])));
            let histograms =
                histograms.iter().map(|point| (moment(point), number(&point[1]["count"])));
            let points = floats.chain(histograms).filter(|(_, value)| value.is_finite()).collect();
            let labels = series["metric"].as_object().into_iter().flatten();
            let labels = labels
                .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
            Series { labels: labels.collect(), points, native }
        });
        Ok(series.filter(|series| !series.points.is_empty()).collect())
    }

    /// The values of a label, as `label_values(selector, label)` asks for them.
    pub fn label_values(&self, query: &str) -> Vec<String> {
        let inner = query
            .strip_prefix("label_values(")
            .and_then(|rest| rest.strip_suffix(')'))
            .expect("label_values");
        let (selector, label) = inner.rsplit_once(", ").expect("a selector and a label");
        let data = self
            .ask(&format!("label/{label}/values"), &[("match[]", selector.to_owned())])
            .expect("values");
        data.as_array()
            .into_iter()
            .flatten()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect()
    }

    fn ask(&self, what: &str, parameters: &[(&str, String)]) -> Result<Value, String> {
        let encode =
            |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        let (_, body) = get(self.port, &format!("/api/v1/{what}?{}", parameters.join("&")), "*/*")
            .map_err(|error| error.to_string())?;
        let mut answer: Value =
            serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))?;

        if answer["status"] == "success" {
            Ok(answer["data"].take())
        } else {
            Err(answer["error"].to_string())
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        if let Some((running, folder)) = self.running.take() {
            drop(running);
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// A port and a folder for a server.
fn place() -> (u16, PathBuf) {
    let port = free_port();
    let folder = scratch().join(format!("dashboards-{port}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    (port, folder)
}

/// A query with the variables and Grafana's own words filled in.
pub fn expand(expr: &str, chosen: &BTreeMap<String, String>, window: &str, range: &str) -> String {
    let mut expr = expr.replace("$__rate_interval", window).replace("$__range", range);
    for (name, value) in chosen {
        expr =
            expr.replace(&format!("\"${name}\""), &format!("\"{}\"", value.replace('\\', "\\\\")));
    }
    expr
}

/// What Grafana puts in for "All": `allValue`, else all values, each of which means only itself.
pub fn choose_all(prometheus: &Prometheus, board: &Value) -> BTreeMap<String, String> {
    let mut chosen = BTreeMap::new();
    for variable in board["templating"]["list"].as_array().into_iter().flatten() {
        let Some(query) = variable["query"]["query"].as_str() else { continue };
        let values = prometheus.label_values(&expand(query, &chosen, "1m", "1m"));
        let all = variable["allValue"].as_str().map(str::to_owned);
        let all = all.unwrap_or_else(|| {
            let escaped: Vec<_> = values.iter().map(|value| regex::escape(value)).collect();
            escaped.join("|")
        });
        chosen.insert(variable["name"].as_str().expect("a name").to_owned(), all);
    }

    chosen
}

/// A number as Prometheus writes it.
fn number(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}
