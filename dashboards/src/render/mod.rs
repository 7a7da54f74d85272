//! Draws the dashboards from a real Prometheus, so that layout, scale, legends and empty panels can
//! be seen.
//!
//! Each text with its unit, the order of rows and series, and the colour of each cell, number, bar
//! and line are those of Grafana's own code (`grafana::shown`); the grid is that of the dashboards.
//! No Grafana is imitated otherwise: fonts, spacing and axes are ours.
//!
//! `make pictures` takes six minutes of the demo at eight times its pace and writes to
//! `docs/pictures`. The environment changes that: `PROMETHEUS=9090` takes one that runs already,
//! `PBX=hq` one of its PBXs, `MINUTES=30` the time to draw, `PICTURES=folder` where to.

mod canvas;
mod chart;
mod format;
mod panels;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use support::program::demo;
use support::root;

use crate::prometheus::{Prometheus, Series, Span, choose_all, expand};
use crate::{grafana, shipped};
use canvas::{At, Canvas, Place, picture};

/// A panel and what Grafana shows of the answers to its queries.
struct Drawn<'a> {
    panel: &'a Value,
    shown: &'a Value,
    span: Span,
    /// Annotations: moments with their colours.
    marks: &'a [(f64, String)],
}

/// Draws every dashboard into `docs/pictures`, or where the environment says; `false` if Grafana's
/// code cannot be had.
pub fn pictures() -> bool {
    let Some(grafana) = grafana::installed() else {
        eprintln!("no pictures: their texts and colours are those of Grafana's @grafana/data");
        return false;
    };
    let minutes: f64 = env("MINUTES").map_or(6.0, |minutes| minutes.parse().expect("minutes"));
    let folder = env("PICTURES").map_or_else(|| root("docs/pictures"), Into::into);
    std::fs::create_dir_all(&folder).expect("a folder");
    let running = env("PROMETHEUS").is_none().then(|| demo(&["--speed", "8"]));
    let prometheus = match &running {
        None => {
            Prometheus::at(env("PROMETHEUS").and_then(|port| port.parse().ok()).expect("a port"))
        }
        Some((_, target)) => {
            let Some(prometheus) =
                Prometheus::start(*target, &["rules.yml", "thresholds.yml"], &[])
            else {
                return false;
            };
            std::thread::sleep(Duration::from_secs_f64(minutes * 60.0));
            prometheus
        }
    };

    let scrape = if running.is_some() { 1.0 } else { 5.0 };
    let to = prometheus.now();

    for (name, board) in shipped() {
        let mut chosen = choose_all(&prometheus, &board);
        if let Some(pbx) = env("PBX") {
            chosen.insert("pbx".into(), pbx);
        }
        let answers =
            Asked { prometheus: &prometheus, chosen, from: to - minutes * 60.0, to, scrape };
        draw(&folder.join(format!("{name}.png")), &board, &answers, &grafana);
    }
    true
}

/// What is asked, and for which time.
struct Asked<'a> {
    prometheus: &'a Prometheus,
    chosen: BTreeMap<String, String>,
    from: f64,
    to: f64,
    scrape: f64,
}

impl Asked<'_> {
    fn panel(&self, panel: &Value) -> (Vec<Vec<Series>>, Span) {
        let width = panel["gridPos"]["w"].as_f64().unwrap_or(24.0) * f64::from(COLUMN);
        let least = panel["interval"].as_str().map_or(self.scrape, seconds);

        // The steps are meant for six hours; a short picture of a fast day has shorter ones.
        let least = (least * ((self.to - self.from) / 21_600.0).min(1.0)).max(2.0 * self.scrape);
        let step = match panel["type"].as_str() {
            // A row for each point: the times are what they are.
            Some("table") => panel["interval"].as_str().map_or(least, seconds),
            _ => ((self.to - self.from) / width * 2.0).max(least).ceil(),
        };
        let span = Span { from: (self.from / step).floor() * step, to: self.to, step };
        let ask = |target: &Value| {
            let window = (step + self.scrape).max(4.0 * self.scrape);
            let expr = target["expr"].as_str().expect("an expression");
            let expr = expand(
                expr,
                &self.chosen,
                &format!("{window}s"),
                &format!("{}s", self.to - self.from),
            );
            let instant = target["instant"] == true;
            self.prometheus
                .query(&expr, instant, span)
                .unwrap_or_else(|error| panic!("{error}: {expr}"))
        };
        (panel["targets"].as_array().into_iter().flatten().map(ask).collect(), span)
    }

    /// Where annotations are above zero; a run of points is one mark.
    fn marks(&self, board: &Value) -> Vec<(f64, String)> {
        let notes = board["annotations"]["list"].as_array().into_iter().flatten();
        let mut marks = Vec::new();

        for note in notes {
            let Some(expr) = note["expr"].as_str() else { continue };
            let step = (self.to - self.from) / 240.0;
            let window = format!("{:.0}s", (4.0 * self.scrape).max(step * 1.2));
            let expr = expand(expr, &self.chosen, &window, "1m");
            let span = Span { from: self.from, to: self.to, step };
            for series in self.prometheus.query(&expr, false, span).expect("an annotation") {
                let mut before = f64::MIN;
                for (moment, _) in series.points.iter().filter(|(_, value)| *value > 0.0) {
                    if moment - before > 1.5 * step {
                        marks.push((
                            *moment,
                            note["iconColor"].as_str().unwrap_or_default().to_owned(),
                        ));
                    }
                    before = *moment;
                }
            }
        }

        marks
    }
}

fn draw(file: &Path, board: &Value, asked: &Asked<'_>, grafana: &Path) {
    let all = board["panels"].as_array().expect("panels");
    let queried: Vec<_> = all.iter().filter(|panel| panel["type"] != "row").collect();
    let answers: Vec<_> = queried.iter().map(|panel| asked.panel(panel)).collect();
    let requests = queried.iter().zip(&answers);
    let requests: Vec<_> =
        requests.map(|(panel, (answers, _))| grafana::asked(panel, answers)).collect();
    let shown = grafana::shown(grafana, &requests);
    let mut results = shown.iter().zip(&answers);

    let bottom = |panel: &Value| {
        panel["gridPos"]["y"].as_i64().unwrap_or(0) + panel["gridPos"]["h"].as_i64().unwrap_or(0)
    };
    let rows = i32::try_from(all.iter().map(bottom).max().unwrap_or(1)).expect("a few rows");
    let width = 24 * COLUMN;
    let height = HEAD + rows * ROW;
    let marks = asked.marks(board);
    let size = |pixels: i32| u32::try_from(pixels).expect("a positive size");
    picture(file, size(width), size(height), |canvas| {
        canvas.fill(Place { x: 0, y: 0, w: width, h: height }, format::BACK);
        head(canvas, board, asked, width);
        for panel in all {
            let side = |side: &str| {
                i32::try_from(panel["gridPos"][side].as_i64().unwrap_or(0)).expect("small")
            };
            let place = Place {
                x: side("x") * COLUMN,
                y: HEAD + side("y") * ROW,
                w: side("w") * COLUMN,
                h: side("h") * ROW,
            };
            if panel["type"] == "row" {
                let title = format!("▾ {}", panel["title"].as_str().unwrap_or_default());
                canvas.text(
                    &title,
                    place.x + 12,
                    place.y + place.h / 2,
                    17,
                    format::TEXT,
                    At::Left,
                );
                continue;
            }
            let (shown, (_, span)) = results.next().expect("one for each panel");
            let drawn = Drawn { panel, shown, span: *span, marks: &marks };
            panels::draw(canvas, place.inner(4, 4, 4, 4), &drawn);
        }
    });

    let bytes = std::fs::metadata(file).expect("the picture").len();
    println!("{}: {width} x {height}, {} KB", file.display(), bytes / 1024);
}

fn head(canvas: &Canvas<'_>, board: &Value, asked: &Asked<'_>, width: i32) {
    let mut text = board["title"].as_str().unwrap_or_default().to_owned();
    for variable in board["templating"]["list"].as_array().into_iter().flatten() {
        let name = variable["name"].as_str().unwrap_or_default();
        if variable["hide"] == 0 && name != "datasource" {
            let value = asked.chosen.get(name).filter(|value| value.len() < 12 && *value != ".*");
            text += &format!(
                "     {}: {}",
                variable["label"].as_str().unwrap_or_default(),
                value.map_or("All", |v| v)
            );
        }
    }

    canvas.text(&text, 12, HEAD / 2, 18, format::TEXT, At::Left);
    let time = format!(
        "{} to {} UTC · drawn by the exporter's test tool, not by Grafana",
        format::clock(asked.from),
        format::clock(asked.to)
    );
    canvas.text(&time, width - 12, HEAD / 2, 15, format::DIM, At::Right);
}

/// `5m` as seconds.
fn seconds(text: &str) -> f64 {
    let (number, unit) = text.split_at(text.len() - 1);
    number.parse::<f64>().expect("a number") * if unit == "m" { 60.0 } else { 1.0 }
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Pixels of a column on a screen 1920 wide, and of a row with its gap; 34 for the line above.
const COLUMN: i32 = 80;
const ROW: i32 = 38;
const HEAD: i32 = 34;
