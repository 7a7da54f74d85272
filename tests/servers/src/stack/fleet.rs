//! Thirty PBXs, each with an exporter of its own, and one exporter of them all: two ways to the
//! same numbers.

use regex::Regex;
use support::root;

use super::calls::{abandoned, answered, rung_and_answered};
use super::exporter::Exporter;
use super::pbx::Pbx;
use super::series::Series;
use super::servers::{Server, port, until};

pub(crate) struct Fleet {
    sites: Vec<Site>,
    all: Exporter,
    /// Rounds of calls until now.
    rounds: u32,
}

/// A PBX, as its own exporter sees it and as the one of all does.
struct Site {
    exporter: Exporter,
    pbx: Pbx,
    for_all: Pbx,
}

impl Fleet {
    /// With one round of calls, so that every series is there.
    pub(crate) fn start() -> Self {
        let names: Vec<_> = (0..SITES).map(|number| format!("pbx-{number:02}")).collect();
        let sites = names.iter().map(|name| {
            let pbx = Pbx::start();
            let exporter = Exporter::of(port(), &[(name.as_str(), &pbx)], FEW);
            Site { exporter, pbx, for_all: Pbx::start() }
        });
        let sites: Vec<_> = sites.collect();
        let pbxs: Vec<_> =
            names.iter().zip(&sites).map(|(name, site)| (name.as_str(), &site.for_all)).collect();
        let all = Exporter::of(port(), &pbxs, FEW);

        let mut fleet = Self { sites, all, rounds: 0 };
        fleet.call();
        fleet
    }

    /// The targets of a scrape configuration: an exporter for each PBX.
    pub(crate) fn targets(&self) -> String {
        let targets = self.sites.iter().map(|site| format!("'127.0.0.1:{}'", site.exporter.port));
        targets.collect::<Vec<_>>().join(", ")
    }

    /// The exporter of all PBXs as a target.
    pub(crate) fn target_of_all(&self) -> String {
        format!("'127.0.0.1:{}'", self.all.port)
    }

    /// A round of calls on every PBX, on no two with the same times; all exporters have counted it
    /// afterwards.
    pub(crate) fn call(&mut self) {
        let first = self.rounds * CALLS;
        for (number, site) in (0..).zip(&self.sites) {
            let mut calls = abandoned(first, f64::from(number + 1));
            calls.extend(rung_and_answered(first + 1, f64::from(30 + number)).concat());
            if number % 2 == 1 {
                calls.extend(answered(first + 2, f64::from(5 + number)));
            }
            for pbx in [&site.pbx, &site.for_all] {
                pbx.say(&calls);
            }
        }
        self.rounds += 1;

        let expected = f64::from(self.callers());
        until("the exporters have counted the calls", || {
            let ended = |series: &Series| series.named("asterisk_queue_exits_total").total();
            let apart: f64 = self.sites.iter().map(|site| ended(&site.exporter.series())).sum();
            let together = ended(&self.all.series());
            if apart == expected && together == expected {
                Ok(())
            } else {
                Err(format!("{apart} callers and {together}, not {expected}"))
            }
        });
    }

    /// The callers of all rounds: two at each PBX, and a third one at every other.
    pub(crate) fn callers(&self) -> u32 {
        self.rounds * CALLERS_OF_ROUND
    }

    /// What the exporter of all PBXs has counted of their calls.
    pub(crate) fn counted(&self) -> Series {
        counted(&self.all.series())
    }
}

/// Series of calls, without buckets, of which there are too many to compare.  Agents' times go on,
/// and what exporters count of themselves differs.
pub(crate) fn counted(series: &Series) -> Series {
    const OF_CALLS: [&str; 3] = ["asterisk_queue_", "asterisk_call", "asterisk_trunk_"];
    const MOVING: &str = "asterisk_queue_wrapup_seconds_total";
    series.only(|name, labels| {
        let is_of_calls = OF_CALLS.iter().any(|start| name.starts_with(start));
        is_of_calls && name != MOVING && !labels.contains_key("le")
    })
}

/// What a server has of these series, without the labels of those that scraped it.
pub(crate) fn stored(server: &Server) -> Series {
    let stored = counted(&server.ask("{job=\"asterisk\", le=\"\"}")).0.into_iter().map(
        |(mut labels, value)| {
            labels.remove("shard");
            labels.remove("replica");
            (labels, value)
        },
    );
    Series(stored.collect())
}

/// The first group of the shipped rules, with windows that contain the whole test, evaluated every
/// so many seconds.
pub(crate) fn rules(interval: u32) -> String {
    let shipped = std::fs::read_to_string(root("alerts/rules.yml")).unwrap();
    let (first, _) = shipped.split_once("  - name: asterisk_30m").expect("a second group");
    let window = Regex::new(r"\[5m\]").unwrap();
    window.replace_all(first, "[1h]").replace("interval: 1m", &format!("interval: {interval}s"))
}

/// What these rules record of all PBXs together, without what depends on agents' times.
pub(crate) fn recorded(server: &Server, kind: Kind) -> Series {
    const MOVING: [&str; 5] =
        ["agent_state", "occupancy", "wrapup", "handle_seconds", "offered_load"];
    server.ask(r#"{__name__=~".+:.+:.+5m", pbx=""}"#).only(|name, _| {
        let found = if name.contains(":increase") { Kind::Count } else { Kind::Ratio };
        found == kind && !MOVING.iter().any(|part| name.contains(part))
    })
}

/// What a rule records.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// An increase.
    Count,
    /// A ratio or an average; many divide rates, which depend on when their samples are.
    Ratio,
}

const SITES: u32 = 30;
/// The series that calls make: thirty times all others would only cost time.
const FEW: &str = "metrics: {zero_series: few}";
/// Numbers of calls that a round takes.
const CALLS: u32 = 3;
const CALLERS_OF_ROUND: u32 = 2 * SITES + SITES / 2;
