//! How much of each counter a store does not see that takes the first sample of a series for its
//! beginning, as `increase()` does: half an hour of the simulated PBX, scraped every 15 s.

use std::collections::{BTreeMap, HashMap};

use asterisk_exporter::ami::frame::Limits;
use asterisk_exporter::ami::id::{ActionId, BARRIER};
use asterisk_exporter::correlator::{Patterns, Rules};
use asterisk_exporter::demo::{SessionIds, capture_of_two_sessions};
use asterisk_exporter::metrics::{Format, Metrics, Settings, ZeroSeries};
use asterisk_exporter::pbx::PbxName;
use asterisk_exporter::replay::Replay;

/// What was counted, and what of it was in the first sample of its series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counted {
    all: f64,
    unseen: f64,
}

/// What a store has of each series.
#[derive(Default)]
struct Store(HashMap<String, (f64, f64)>);

impl Store {
    fn scrape(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').expect("a sample ends with a number");
            let name = series.split('{').next().unwrap_or_default();
            if name.ends_with("_total") || name.ends_with("_count") {
                let value = value.parse().expect("a sample ends with a number");
                let seen = self.0.entry(series.to_owned()).or_insert((value, value));
                seen.1 = value;
            }
        }
    }

    /// By metric, those that count events.
    fn counted(&self) -> BTreeMap<&str, Counted> {
        let mut counted = BTreeMap::<_, Counted>::new();
        for (series, (first, last)) in &self.0 {
            let name = series.split('{').next().unwrap_or_default();
            if name.contains("_exporter_") || name.contains("_seconds_total") {
                continue;
            }
            let counted = counted.entry(name).or_default();
            counted.all += last;
            counted.unseen += first;
        }
        counted
    }
}

fn half_an_hour(zero_series: ZeroSeries) -> (Store, usize) {
    let id = |number, word| ActionId::new(number, word).as_str().to_owned();
    let ids = SessionIds {
        login: id(2, "Login"),
        version: id(3, "CoreSettings"),
        channels: id(5, "CoreShowChannels"),
        queues: id(6, "QueueStatus"),
        pings: [id(7, BARRIER), id(8, BARRIER)],
    };
    let (bytes, _, _) = capture_of_two_sessions(1, CALLS, &ids, usize::MAX);

    let trunks = Patterns::new(["^PJSIP/carrier-"]).expect("a valid pattern");
    let rules = Rules { trunks, ..Rules::default() };
    let settings = Settings { zero_series, ..Settings::default() };
    let (pbx, limits) = (PbxName::new("demo"), Limits::default());
    let mut replay = Replay::new(&pbx, rules, Metrics::new(settings), limits);

    let mut store = Store::default();
    let mut next = None;
    let mut end = None;
    let mut played = 0;
    let mut at = 0;
    while let Some(length) = memchr::memmem::find(&bytes[at..], b"\r\n\r\n") {
        let frame = &bytes[at..at + length + 4];
        if let Some(now) = stamp(frame) {
            // The lists of the PBX are read by then.
            let scrape = next.get_or_insert(now + 1.0);
            while now >= *scrape {
                store_scrape(&mut replay, &bytes[played..at], &mut store);
                played = at;
                *scrape += 15.0;
            }
            if now > *end.get_or_insert(now + 1800.0) {
                break;
            }
        }
        at += length + 4;
    }
    let series =
        replay.exposition(Format::Text).lines().filter(|line| !line.starts_with('#')).count();
    (store, series)
}

fn store_scrape(replay: &mut Replay, bytes: &[u8], store: &mut Store) {
    if !bytes.is_empty() {
        let (_, failed) = replay.play(bytes);
        assert!(failed.is_none());
    }
    store.scrape(&replay.exposition(Format::Text));
}

fn stamp(frame: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(frame).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Timestamp: "))?.parse().ok()
}

/// More than half an hour has.
const CALLS: usize = 2000;

/// The metrics of which something is not seen, with how many events that is.
fn unseen(store: &Store) -> Vec<(&str, f64)> {
    let counted = store.counted().into_iter();
    let unseen = counted.filter(|(_, counted)| counted.unseen > 0.0);
    unseen.map(|(name, counted)| (name, counted.unseen)).collect()
}

/// METRICS.md has these numbers.
#[test]
fn the_more_series_begin_at_zero_the_fewer_first_events_go_unseen() {
    let (store, series) = half_an_hour(ZeroSeries::Few);
    let few = [
        ("asterisk_call_hangups_total", 73.0),
        ("asterisk_call_ring_seconds_count", 16.0),
        ("asterisk_call_talk_seconds_count", 27.0),
        ("asterisk_calls_total", 77.0),
        ("asterisk_queue_flows_total", 1.0),
        ("asterisk_queue_hangups_total", 74.0),
        ("asterisk_queue_hold_seconds_count", 13.0),
        ("asterisk_queue_position_count", 8.0),
        ("asterisk_queue_ring_seconds_count", 58.0),
        ("asterisk_queue_talk_seconds_count", 17.0),
        ("asterisk_trunk_attempt_hangups_total", 8.0),
    ];
    assert_eq!((unseen(&store), series), (few.to_vec(), 3214));

    let all: Vec<_> = few.iter().map(|(name, _)| store.counted()[name].all).collect();
    let counted = [376.0, 334.0, 261.0, 376.0, 1.0, 583.0, 250.0, 285.0, 348.0, 198.0, 73.0];
    assert_eq!(all, counted);

    // What is left are calls and ring attempts that begin and end between two scrapes, and the first
    // caller on each way from queue to queue.
    let (store, series) = half_an_hour(ZeroSeries::Usual);
    let usual = [
        ("asterisk_call_hangups_total", 10.0),
        ("asterisk_call_talk_seconds_count", 2.0),
        ("asterisk_calls_total", 10.0),
        ("asterisk_queue_flows_total", 1.0),
        ("asterisk_queue_hangups_total", 9.0),
        ("asterisk_queue_ring_seconds_count", 15.0),
        ("asterisk_queue_talk_seconds_count", 1.0),
    ];
    assert_eq!((unseen(&store), series), (usual.to_vec(), 5301));

    let (store, series) = half_an_hour(ZeroSeries::All);
    assert_eq!((unseen(&store), series), (Vec::new(), 5590));
}
