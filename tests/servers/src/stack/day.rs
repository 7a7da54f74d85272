//! A day of calls in runs of the exporter, as one store sees it, and what its `increase()` makes of
//! that day.
//!
//! A run ends with a scrape after its last event.  Each question is asked for the time of such a
//! scrape: between scrapes `increase()` extrapolates, and nothing could be exact.

use std::collections::BTreeSet;

use asterisk_exporter::clock::Clock;
use asterisk_exporter::metrics::{Kind, catalogue};

use super::calls::captured;
use super::exporter::Exporter;
use super::gate::Gate;
use super::pbx::Pbx;
use super::series::{Labels, Series, name};
use super::servers::{Server, encoded, port, until};

pub(crate) struct Day {
    pbx: Pbx,
    pub(crate) gate: Gate,
    /// The first is asked; what it needs besides comes after it.
    servers: Vec<Server>,
    /// Of the exporter's configuration.
    more: &'static str,
    port: u16,
    exporter: Option<Exporter>,
    /// How many events the exporter is to have received.
    due: f64,
    runs: Vec<Run>,
}

/// A run of the exporter that is over.
pub(crate) struct Run {
    /// When the gate had shut, in milliseconds.
    shut: i64,
    /// The last scrape before.
    pub(crate) last: i64,
    /// What it had: all counters and histograms.
    pub(crate) counted: Series,
    /// What the exporter itself said after it.
    own: Series,
}

impl Day {
    /// A day that has not begun: the servers that are made of the port to scrape get no answer yet.
    pub(crate) fn new(
        more: &'static str,
        servers: impl FnOnce(u16) -> Option<Vec<Server>>,
    ) -> Option<Self> {
        let port = port();
        let gate = Gate::new(port);
        let servers = servers(gate.port)?;
        Some(Self {
            pbx: Pbx::start(),
            gate,
            servers,
            more,
            port,
            exporter: None,
            due: 0.0,
            runs: Vec::new(),
        })
    }

    /// Starts the exporter.
    pub(crate) fn begin(&mut self) {
        let exporter = Exporter::start_at(self.port, &self.pbx, self.more);
        self.due = received(&exporter.series());
        self.exporter = Some(exporter);
    }

    /// Sends events.
    pub(crate) fn play(&mut self, events: &[&[u8]]) {
        self.due += events.len() as f64;
        self.pbx.say(&events.concat());
    }

    /// Waits until the exporter has counted them, while no scrape gets through.
    ///
    /// Not otherwise: a page that is read here is one more scrape for the exporter.  A series that
    /// begins after it starts later than a scrape of the store that is under way.
    pub(crate) fn counted(&self) {
        until("the exporter has counted the events", || self.has_all(&self.exporter().series()));
    }

    /// Waits until the store has the exporter's numbers.
    pub(crate) fn scraped(&self) {
        self.gate.open();
        until("the store has the events", || self.has_all(&self.store().ask(ALL)));
        until("the store has the exporter's numbers", || {
            at_rest(&self.exporter().series()).compare(&at_rest(&self.store().ask(ALL)), SLACK)
        });
    }

    fn has_all(&self, series: &Series) -> Result<(), String> {
        match received(series) {
            found if found >= self.due => Ok(()),
            found => Err(format!("{found} of {}", self.due)),
        }
    }

    /// Ends the run, after a scrape that has everything.
    pub(crate) fn end(&mut self) {
        let own = loop {
            self.scraped();
            let before = at_rest(&self.exporter().series());

            // As long as possible before the next scrape.
            let passed = self.gate.passed();
            until("a scrape", || match self.gate.passed() {
                now if now > passed => Ok(()),
                now => Err(format!("{now} until now")),
            });
            self.gate.shut();

            // A deadline that passed in between was counted after that scrape.
            let own = at_rest(&self.exporter().series());
            if own == before {
                break own;
            }
        };

        let shut = (Clock::start().now().as_micros() / 1000) as i64;
        self.exporter.take().expect("an exporter that runs").stop();
        self.runs.push(Run { shut, last: 0, counted: Series::default(), own });
    }

    /// Waits until the store has seen that the exporter is gone: its series are stale.
    pub(crate) fn missed(&self) {
        until("a scrape fails", || match self.store().ask("up") {
            up if up.0.values().eq([&0.0]) => Ok(()),
            up => Err(format!("{up:?}")),
        });
    }

    /// Ends the run and starts the exporter anew, so quickly that no scrape fails.
    ///
    /// Where one did, that was another run, without an event of ours; a machine that is too slow for
    /// this has one more restart like the others.
    pub(crate) fn restart_unmissed(&mut self) {
        for _ in 0..5 {
            self.end();
            let refused = self.gate.refused();
            self.begin();
            if self.gate.refused() == refused {
                return;
            }
        }
        self.end();
        self.missed();
        self.begin();
    }

    pub(crate) fn exporter(&self) -> &Exporter {
        self.exporter.as_ref().expect("an exporter that runs")
    }

    /// Asks the store for the last scrape of each run, and gives all runs.
    pub(crate) fn runs(&mut self) -> &[Run] {
        let ups = self.store().json(&format!("/api/v1/query?query={}", encoded("up[1h]")));
        let samples = ups["data"]["result"][0]["values"].as_array().expect("samples of up");
        let up: Vec<i64> = samples
            .iter()
            .filter(|sample| sample[1] == "1")
            .map(|sample| (sample[0].as_f64().expect("a time") * 1000.0).round() as i64)
            .collect();

        for at in 0..self.runs.len() {
            let before = |time: &&i64| **time <= self.runs[at].shut;
            let last = *up.iter().rfind(before).expect("a scrape in this run");
            let counted = counted(&self.ask_at(ALL, last));
            at_rest(&counted).compare(&self.runs[at].own, SLACK).expect("the run's last numbers");
            self.runs[at].last = last;
            self.runs[at].counted = counted;
        }
        &self.runs
    }

    /// `increase()` of everything that is counted, in each run by itself.
    pub(crate) fn increases(&self) -> Vec<Series> {
        let shuts = self.runs.iter().map(|run| run.shut);
        let from = [None].into_iter().chain(shuts.map(Some));
        let of = |(run, from): (&Run, Option<i64>)| {
            self.increase(run, from.map_or(HOUR, |from| run.last - from))
        };
        self.runs.iter().zip(from).map(of).collect()
    }

    /// And over the whole day, asked for the last scrape of all.
    pub(crate) fn increase_of_all(&self) -> Series {
        self.increase(self.runs.last().expect("a run"), HOUR)
    }

    fn increase(&self, run: &Run, range: i64) -> Series {
        let mut increases = Series::default();
        for name in names(&run.counted) {
            let query = format!("increase({name}{{job=\"asterisk\"}}[{range}ms])");
            for (mut labels, value) in self.ask_at(&query, run.last).0 {
                labels.insert("__name__".to_owned(), name.clone());
                increases.0.insert(labels, value);
            }
        }
        increases
    }

    /// The server that is asked.
    pub(crate) fn store(&self) -> &Server {
        &self.servers[0]
    }

    fn ask_at(&self, query: &str, millis: i64) -> Series {
        let time = millis as f64 / 1000.0;
        let path = format!("/api/v1/query?time={time:.3}&query={}", encoded(query));
        Series::of_answer(&self.store().json(&path))
    }
}

/// A capture, event by event.
pub(crate) fn events(calls: &[u8]) -> Vec<&[u8]> {
    let mut events = Vec::new();
    let mut rest = calls;
    while let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
        let (event, more) = rest.split_at(end + 4);
        events.push(event);
        rest = more;
    }
    events
}

/// Calls of every kind: those of the queues, and outbound ones by a trunk.
fn calls() -> Vec<u8> {
    [captured("22/12-outbound"), captured("22/bulk")].concat()
}

/// A day with restarts, of the calls of a real Asterisk 22.
pub(crate) fn with_restarts(day: &mut Day) {
    let calls = calls();
    let events = events(&calls);
    let (third, two_thirds) = (events.len() / 3, events.len() * 2 / 3);

    // In the first run, series begin between two scrapes.
    day.begin();
    for part in events[..third].chunks(third / 4 + 1) {
        day.play(part);
        day.scraped();
    }
    day.end();
    day.missed();

    // In the second, the first scrape has higher counts than the last one of the first run, so that
    // no count shows the restart.
    day.begin();
    day.play(&events[..two_thirds]);
    day.counted();
    day.scraped();

    // Before the last, no scrape fails.
    day.restart_unmissed();
    for part in events.chunks(events.len() / 3 + 1) {
        day.play(part);
        day.scraped();
    }
    day.end();
}

/// How many events the exporter has received.
fn received(series: &Series) -> f64 {
    series.named("asterisk_exporter_events_total").total()
}

/// What only rises: counters, and all series of histograms.
pub(crate) fn counted(series: &Series) -> Series {
    let names = names_of_all();
    series.only(|name, _| names.contains(name))
}

/// Those of them that stand still between events.
fn at_rest(series: &Series) -> Series {
    const MOVING: &[&str] = &[
        "asterisk_agent_state_seconds_total",
        "asterisk_queue_wrapup_seconds_total",
        "process_cpu_seconds_total",
    ];
    counted(series).only(|name, _| !MOVING.contains(&name))
}

/// The series names of every counter and histogram of the catalogue.
pub(crate) fn names_of_all() -> BTreeSet<String> {
    let of = |suffixes: &'static [&'static str], name: &'static str| {
        suffixes.iter().map(move |suffix| format!("{name}{suffix}"))
    };
    let names = catalogue().iter().flat_map(|entry| match entry.kind {
        Kind::Counter => of(&[""], entry.name),
        Kind::Histogram => of(&["_bucket", "_count", "_sum"], entry.name),
        Kind::Gauge | Kind::Info => of(&[], entry.name),
    });
    names.collect()
}

/// The names of these series.
pub(crate) fn names(series: &Series) -> BTreeSet<String> {
    series.0.keys().map(|labels: &Labels| name(labels).to_owned()).collect()
}

/// What all runs counted, by series.
pub(crate) fn sum<'a>(parts: impl IntoIterator<Item = &'a Series>) -> Series {
    let mut sum = Series::default();
    for (labels, value) in parts.into_iter().flat_map(|part| &part.0) {
        *sum.0.entry(labels.clone()).or_default() += value;
    }
    sum
}

const ALL: &str = "{job=\"asterisk\"}";
const HOUR: i64 = 3_600_000;
/// VictoriaMetrics stores decimals of some 15 digits.
const SLACK: f64 = 1e-14;
