//! Faults in mid-load, and the times in which the exporter could not see.

use std::thread::sleep;
use std::time::Duration;

use asterisk_exporter::clock::{Clock, Moment};
use support::Numbers;

use super::exporter::Exporter;
use super::load::Progress;
use super::outages::{Cause, Outage};
use super::pbx::Pbx;
use super::presence::Scrape;
use super::proxy::Proxy;

/// What goes wrong, in this order, spread over the load.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Cut,
    ReloadCore,
    CutForLong,
    RestartExporter,
    ReloadQueues,
    Stop,
    CutAgain,
    RestartPbx,
    Crash,
}

pub(crate) const ALL: &[Fault] = &[
    Fault::Cut,
    Fault::ReloadCore,
    Fault::CutForLong,
    Fault::RestartExporter,
    Fault::ReloadQueues,
    Fault::Stop,
    Fault::CutAgain,
    Fault::RestartPbx,
    Fault::Crash,
];

/// Those that the exporter itself lives through.
pub(crate) const OF_OTHERS: &[Fault] = &[
    Fault::Cut,
    Fault::CutForLong,
    Fault::ReloadQueues,
    Fault::Stop,
    Fault::CutAgain,
    Fault::RestartPbx,
    Fault::CutForLong,
    Fault::Crash,
    Fault::Cut,
];

/// What is needed to break things.
pub(crate) struct Breaker<'a> {
    pub(crate) pbx: &'a Pbx,
    pub(crate) exporter: &'a mut Exporter,
    pub(crate) proxy: &'a Proxy,
    pub(crate) clock: &'a Clock,
}

/// What was broken.
#[derive(Default)]
pub(crate) struct Broken {
    pub(crate) outages: Vec<Outage>,
    /// The last scrape of each exporter that was ended.
    pub(crate) lives: Vec<Numbers>,
    /// Agents whose seconds were not the time that went by, in an exporter that was ended.
    pub(crate) amiss: Vec<String>,
    /// The first scrape of the exporter that runs.
    pub(crate) first: Option<Scrape>,
}

impl Breaker<'_> {
    /// Breaks everything, one after the other, while a load goes on.
    pub(crate) fn run(mut self, faults: &[Fault], progress: &Progress) -> Broken {
        let mut broken =
            Broken { first: Some(Scrape::of(self.exporter, self.clock)), ..Broken::default() };
        for &fault in faults {
            progress.wait(BETWEEN);
            println!("    after {} calls: {fault:?}", progress.ended());
            self.apply(fault, &mut broken);
            sleep(SETTLED);
        }
        progress.wait(BETWEEN);
        progress.enough();
        broken
    }

    fn apply(&mut self, fault: Fault, broken: &mut Broken) {
        match fault {
            Fault::Cut | Fault::CutAgain => broken.outages.push(self.cut(Duration::ZERO)),
            Fault::CutForLong => broken.outages.push(self.cut(Duration::from_secs(3))),
            Fault::ReloadCore => drop(self.pbx.cli("core reload")),
            Fault::ReloadQueues => drop(self.pbx.cli("queue reload all")),
            Fault::RestartExporter => {
                let from = self.clock.now();
                let last = Scrape::of(self.exporter, self.clock);
                let begins = [from, self.clock.now()];
                broken.amiss.extend(
                    broken.first.as_ref().map(|first| first.amiss(&last)).unwrap_or_default(),
                );
                broken.lives.push(last.numbers);
                self.exporter.restart();
                broken.outages.push(Outage {
                    cause: Cause::Exporter,
                    begins,
                    ends: self.synchronised(),
                });
                broken.first = Some(Scrape::of(self.exporter, self.clock));
            }
            Fault::Stop => {
                let before = self.sessions();
                let from = self.clock.now();
                self.exporter.signal("-STOP");
                sleep(Duration::from_secs(5));
                self.exporter.signal("-CONT");
                // Whether the PBX cut it off is known once a Ping was answered: what it read is
                // counted by then.
                self.exporter.wait_ready();
                if self.sessions() != before {
                    let ends = self.synchronised();
                    broken.outages.push(Outage {
                        cause: Cause::Cut,
                        begins: [from, ends[0]],
                        ends,
                    });
                }
            }
            Fault::RestartPbx => {
                let (before, started, from) =
                    (self.sessions(), self.pbx_started(), self.clock.now());
                self.pbx.restart();
                broken.outages.push(self.after(before, Cause::Pbx, [from, self.clock.now()]));
                self.expect_started_since(started, from);
            }
            Fault::Crash => {
                let (before, started, from) =
                    (self.sessions(), self.pbx_started(), self.clock.now());
                self.pbx.crash();
                let begins = [from, self.clock.now()];
                self.pbx.start_again();
                broken.outages.push(self.after(before, Cause::Pbx, begins));
                self.expect_started_since(started, from);
            }
        }
    }

    fn cut(&self, length: Duration) -> Outage {
        let before = self.sessions();
        let started = self.pbx_started();
        let from = self.clock.now();
        self.proxy.cut();
        let begins = [from, self.clock.now()];
        sleep(length);
        self.proxy.open();
        let outage = self.after(before, Cause::Cut, begins);

        assert_eq!(
            self.pbx_started().to_bits(),
            started.to_bits(),
            "a lost link is no start of the PBX"
        );

        outage
    }

    /// When the PBX was started, as the exporter has it.
    fn pbx_started(&self) -> f64 {
        self.exporter.numbers().sum("asterisk_start_time_seconds", &[])
    }

    /// It was started anew, and the moment is right up to the second that Uptime has and
    /// what else it takes.
    fn expect_started_since(&self, before: f64, from: Moment) {
        let started = self.pbx_started();
        let from = from.since(Moment::EPOCH).as_secs_f64();
        let now = self.clock.now().since(Moment::EPOCH).as_secs_f64();
        assert!(
            started > before && (from - 1.0..now).contains(&started),
            "{before}, {from}, {started}, {now}"
        );
    }

    fn after(&self, before: f64, cause: Cause, begins: [Moment; 2]) -> Outage {
        self.exporter.wait_back(before);
        Outage { cause, begins, ends: self.synchronised() }
    }

    /// From when the exporter is connected until now, at some time, it was synchronised.
    fn synchronised(&self) -> [Moment; 2] {
        [self.proxy.since().expect("a connected exporter"), self.clock.now()]
    }

    fn sessions(&self) -> f64 {
        self.exporter.numbers().sum("asterisk_exporter_connects_total", &[])
    }
}

/// Calls that end between a fault and the next.
const BETWEEN: usize = 20;
/// What a list of the PBX lacks is gone after two seconds (METRICS.md, Over a gap): before that,
/// nothing is decided.
pub(crate) const SETTLED: Duration = Duration::from_secs(3);
