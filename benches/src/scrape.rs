//! What a scrape costs: how long events wait for the copy of its numbers, and what is done behind
//! the lock.
//!
//! The copy is the only part under the lock that events are applied under.  One thread applies events
//! for as long as others scrape, and notes the longest time that it waited for the lock; the first
//! rows are without scrapes, since on a shared machine a thread is also made to wait by others.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asterisk_exporter::clock::Moment;
use asterisk_exporter::correlator::{
    CallResult, Correlator, Names, Observation, Observe, QueueId, RingResult, Rules, Timing,
};
use asterisk_exporter::metrics::{
    Exporter, Exposition, Format, LabelLimits, Metrics, Monitor, Part, Settings,
};
use asterisk_exporter::pbx::PbxName;
use cpu_time::ThreadTime;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::measure::{cpu_seconds, median, now};
use crate::table::Table;
use crate::{Context, Failure};

/// Prints what one scrape costs, and what many at once make events wait.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let mut alone = Table::new(
        "A scrape: milliseconds of CPU, and of them under the lock",
        &["series", "under the lock", "named", "text", "OpenMetrics", "protobuf", "gzip", "MB"],
    );
    let mut together = Table::new(
        "Scrapes at once: milliseconds that events waited for the lock at most (median of the runs)",
        &["series", "no scrape", "one", "two", "two with gzip"],
    );
    for wanted in [10_000, 100_000, 250_000, 1_000_000] {
        let mut exporter = exporter_of(wanted);
        let page = exporter.scrape(at(1), Format::Text);
        let series = page.lines().filter(|line| !line.starts_with('#')).count();
        alone.row(scrape_alone(context, &mut exporter, series, &page)?);

        let exporter = Arc::new(Mutex::new(exporter));
        let waits = [(0, false), (1, false), (2, false), (2, true)].map(|(scrapers, gzip)| {
            let once = |_| wait_at_most(&exporter, scrapers, gzip).as_secs_f64();
            millis(median((0..context.runs).map(once).collect()))
        });
        let [none, one, two, zipped] = waits;
        together.row([series.to_string(), none, one, two, zipped]);
    }
    println!("{alone}\n{together}");
    Ok(())
}

fn scrape_alone(
    context: &Context,
    exporter: &mut Exporter,
    series: usize,
    page: &str,
) -> Result<[String; 8], Failure> {
    let copied = cpu_seconds(context.runs, || exporter.snapshot(at(2)));
    let named = cpu_seconds(context.runs, || exporter.snapshot(at(2)).named()) - copied;
    let families = exporter.snapshot(at(2)).named();
    let write = |exposition| cpu_seconds(context.runs, || families.write(exposition, &Part::All));
    let zipped = cpu_seconds(context.runs, || compress(page.as_bytes()));
    Ok([
        series.to_string(),
        millis(copied),
        millis(named),
        millis(write(Exposition::Text(Format::Text))),
        millis(write(Exposition::Text(Format::OpenMetrics))),
        millis(write(Exposition::Protobuf)),
        millis(zipped),
        format!("{:.1}", page.len() as f64 / 1e6),
    ])
}

/// How long a thread that counts waited for the lock at most, while each scraper scraped `SCRAPES`
/// times.
///
/// As in the program, however many ask: one copies at a time, and no more than two write.
fn wait_at_most(exporter: &Arc<Mutex<Exporter>>, scrapers: usize, gzip: bool) -> Duration {
    let over = AtomicBool::new(false);
    let turn = Mutex::new(());
    std::thread::scope(|scope| {
        let counting = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            let begun = now();
            while !over.load(Ordering::Relaxed) || begun.elapsed() < SHORTEST {
                let asked = now();
                let mut held = exporter.lock().expect("no thread panics");
                longest = longest.max(asked.elapsed());
                count(&mut held);
                drop(held);
                std::thread::yield_now();
            }
            longest
        });
        let all: Vec<_> = (0..scrapers)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..SCRAPES {
                        let snapshot = {
                            let _turn = turn.lock().expect("no thread panics");
                            exporter.lock().expect("no thread panics").snapshot(at(3))
                        };
                        let page =
                            snapshot.named().write(Exposition::Text(Format::Text), &Part::All);
                        std::hint::black_box(if gzip { compress(&page) } else { page });
                    }
                })
            })
            .collect();
        for scraper in all {
            scraper.join().expect("no thread panics");
        }
        over.store(true, Ordering::Relaxed);
        counting.join().expect("no thread panics")
    })
}

/// About as much as a chunk of events changes.
fn count(exporter: &mut Exporter) {
    let names = Names::default();
    let begun = ThreadTime::now();
    while begun.elapsed() < CHUNK {
        let result = CallResult::Answered;
        let direction = asterisk_exporter::correlator::Direction::Inbound;
        let fact = Observation::CallRang { direction, result, length: Duration::from_secs(1) };
        exporter.monitors[0].recorder.observe(&names, fact, None);
    }
}

/// An exporter of about so many series: queues of 100 agents, each of whom was rung in each queue.
fn exporter_of(series: usize) -> Exporter {
    let limits = LabelLimits {
        queues: 10_000,
        members: 1_000_000,
        series: 2 * series + 50_000,
        ..LabelLimits::default()
    };
    let metrics = Metrics::new(Settings { limits, ..Settings::default() }).starting(at(0));
    let pbx = PbxName::new("pbx");
    let mut recorder = metrics.recorder(&pbx);

    let mut names = Names::default();
    for queue in 0..series.div_ceil(LINES * AGENTS) {
        let queue = names.queues.intern(format!("queue{queue}").as_bytes());
        see_queue(&mut recorder, &mut names, queue);
    }

    let self_metrics = metrics.self_metrics(&pbx, asterisk_exporter::event::KNOWN, at(0));
    let correlator = Correlator::new(Rules::default(), Timing::Live);
    Exporter::new(metrics, vec![Monitor { correlator, recorder, self_metrics }])
}

fn see_queue(recorder: &mut impl Observe, names: &mut Names, queue: QueueId) {
    let known = Observation::QueueKnown { queue, service_level: None };
    recorder.observe(names, known, None);
    for agent in 0..AGENTS {
        let agent = names.agents.intern(format!("PJSIP/{agent}").as_bytes());
        let (result, length) = (RingResult::Answered, Some(Duration::from_secs(7)));
        for fact in [
            Observation::MemberKnown { queue, agent },
            Observation::RingBegan { queue, agent },
            Observation::RingEnded { queue, agent, result, length },
        ] {
            recorder.observe(names, fact, None);
        }
    }
}

fn compress(page: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 8), Compression::fast());
    encoder.write_all(page).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

fn at(second: u64) -> Moment {
    Moment::from_secs(1_700_000_000 + second)
}

fn millis(seconds: f64) -> String {
    format!("{:.2}", seconds * 1e3)
}

const AGENTS: usize = 100;
/// Lines of a member who was rung, about.
const LINES: usize = 110;
/// Scrapes of each scraper in one run.
const SCRAPES: usize = 3;
/// The CPU time of a chunk of events.
const CHUNK: Duration = Duration::from_micros(100);
/// A run without scrapes lasts so long.
const SHORTEST: Duration = Duration::from_millis(300);
