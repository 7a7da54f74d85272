//! One byte stream through both: a live session and a replay count alike.
//!
//! The session is one without a socket.  Durations come from the same source in both, for where
//! they come from is another subject (METRICS.md, Where times come from).

use std::io::Read as _;

use flate2::read::MultiGzDecoder;

use super::*;
use crate::correlator::Patterns;
use crate::event::KNOWN;
use crate::metrics::Settings;

/// Captures of sessions of our own, lists and all.
const CAPTURES: [&str; 3] =
    ["gaps/16.ami.gz", "gaps/22.ami.gz", "cases/login-in-load-23/events.ami.gz"];

#[test]
fn a_live_session_and_a_replay_count_alike() {
    for name in CAPTURES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
        let mut bytes = Vec::new();
        let file = File::open(path).expect("a capture");
        MultiGzDecoder::new(file).read_to_end(&mut bytes).expect("its text");

        let pbx = PbxName::new("test");
        let metrics = Metrics::new(Settings::default());
        let mut replay = Replay::new(&pbx, rules(), metrics, Limits::default());
        assert!(replay.play(&*bytes).1.is_none());

        let mut live = Live::new(&pbx);
        live.play(&bytes);
        let lived = live.counters();
        let replayed = counters(&replay.exposition(Format::Text));
        assert!(lived.len() > 100, "{name}: {lived:#?}");
        let differ: Vec<_> = lived
            .iter()
            .filter(|line| !replayed.contains(line))
            .map(|line| format!("live   {line}"))
            .chain(
                replayed
                    .iter()
                    .filter(|line| !lived.contains(line))
                    .map(|line| format!("replay {line}")),
            )
            .collect();
        assert!(differ.is_empty(), "{name}: {differ:#?}");
    }
}

/// What a live session does with a stream, at the moments of the capture.
struct Live {
    pbx: PbxName,
    exporter: Exporter,
    stream: Stream,
    now: Moment,
    greeted: bool,
}

impl Live {
    fn new(pbx: &PbxName) -> Self {
        let metrics = Metrics::new(Settings::default());
        let correlator = Correlator::new(rules(), Timing::Recorded);
        let self_metrics = metrics.self_metrics(pbx, KNOWN, Moment::UNDATED);
        let monitor = Monitor { correlator, recorder: metrics.recorder(pbx), self_metrics };
        Self {
            pbx: pbx.clone(),
            exporter: Exporter::new(metrics, vec![monitor]),
            stream: Stream::of_session(pbx),
            now: Moment::UNDATED,
            greeted: false,
        }
    }

    fn play(&mut self, bytes: &[u8]) {
        let mut moments = moments(bytes).into_iter();
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(bytes);
        while let Some(item) = decoder.next_item() {
            let now = moments.next().expect("a moment for each item");
            if matches!(item, Item::Banner(_)) && std::mem::replace(&mut self.greeted, true) {
                self.end();
            }
            self.now = now;

            let Monitor { correlator, recorder, self_metrics } = &mut self.exporter.monitors[0];
            // By the timer of a live session.
            while let Some(deadline) = correlator.next_deadline().filter(|due| *due <= now)
                && !self.stream.is_opening()
            {
                correlator.expire(deadline, recorder);
            }
            let mut sink = Sink { correlator, self_metrics, out: recorder };
            if let Step::Answer(answer) = self.stream.take(now, &item, &mut sink).expect("lists")
                && answer.id().word() == "Login"
            {
                self_metrics.connected();
                correlator.begin_session();
            }
        }
    }

    /// The PBX closed; the next session begins.
    fn end(&mut self) {
        let now = self.now;
        let Monitor { correlator, recorder, self_metrics } = &mut self.exporter.monitors[0];
        correlator.disconnected(now, recorder);
        self_metrics.disconnected("closed", now);
        self.stream = Stream::of_session(&self.pbx);
    }

    fn counters(&mut self) -> Vec<String> {
        counters(&self.exporter.scrape(self.now, Format::Text))
    }
}

/// When each item was read: at its own time stamp, or at the next one of what comes behind it.
fn moments(bytes: &[u8]) -> Vec<Moment> {
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(bytes);
    let mut stamps = Vec::new();
    while let Some(item) = decoder.next_item() {
        stamps.push(match &item {
            Item::Frame(frame) => event::timestamp(frame),
            Item::Banner(_) | Item::Rejected(_) => None,
        });
    }

    let last = stamps.iter().flatten().max().copied().expect("a time stamp");
    let mut next = last;
    for stamp in stamps.iter_mut().rev() {
        next = *stamp.get_or_insert(next);
    }
    let mut time = Time::default();
    stamps
        .into_iter()
        .flatten()
        .map(|stamp| {
            time.take(stamp);
            time.now()
        })
        .collect()
}

fn rules() -> Rules {
    let trunks = Patterns::new(["^(SIP|PJSIP)/(trunk|carrier|channel2)-"]).expect("a pattern");
    Rules { trunks, ..Rules::default() }
}

/// Every series, but what is about the link: a capture has no link.
fn counters(exposition: &str) -> Vec<String> {
    let link = ["disconnects_total", "seconds_total{pbx=\"test\"}", "build_info"];
    let of_us = |line: &str| {
        line.starts_with("asterisk_exporter_") && link.iter().any(|name| line.contains(name))
    };
    let series = exposition.lines().filter(|line| !line.starts_with('#') && !of_us(line));
    series.map(str::to_owned).collect()
}
