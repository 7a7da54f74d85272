//! Captures through the real path: the same frames, events, correlator and metrics as a live PBX.
//!
//! A capture is what the manager interface sent, byte for byte or with line feeds only, plain or
//! gzipped.  Its clock is its own `Timestamp` headers; without them Asterisk's fields give the
//! durations (METRICS.md, Where times come from). Lists are applied only where they answer
//! questions of our own, as in what `record` writes.

mod error;
#[cfg(test)]
mod live;
#[cfg(test)]
mod sequences;
mod time;
mod watch;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::time::Duration;

pub use error::{ReplayError, Sign, Stop};
use flate2::read::MultiGzDecoder;
use time::Time;
use watch::Both;
pub use watch::Watch;

use crate::ami::frame::{Decoder, Frame, Item, Kind, Limits, quoted};
use crate::ami::id::ActionId;
use crate::clock::Moment;
use crate::correlator::{Correlator, LATEST_END, Rules, Timing};
use crate::event;
use crate::intake::{self, Sink, Step, Stream};
use crate::metrics::{Exporter, Format, Metrics, Monitor};
use crate::pbx::PbxName;
use crate::progress::Progress;
use crate::version;

/// One PBX, played from captures one after the other; `W` watches.
pub struct Replay<W = ()> {
    exporter: Exporter,
    limits: Limits,
    pbx: PbxName,
    stream: Stream,
    /// Logins that `record` made.
    sessions: u64,
    /// The first time stamp, if there was one yet.
    begun: Option<Moment>,
    time: Time,
    /// The PBX is disconnected: nothing of the session that begins was synchronised yet.
    gap: Option<Gap>,
    progress: Progress,
    watch: W,
}

/// A time in which nothing was captured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Gap {
    /// Before the capture.
    Before,
    /// Something was captured before it.
    Between,
}

/// What a file held.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Played {
    /// Bytes after unpacking.
    pub bytes: u64,
    /// Events, needed or not.
    pub events: u64,
    /// The last frame, or the gzip stream, was cut: what came before it counts.
    pub cut: bool,
}

impl Replay {
    /// A PBX called `pbx` of which nothing is known yet.
    pub fn new(pbx: &PbxName, rules: Rules, metrics: Metrics, limits: Limits) -> Self {
        Self::watched(pbx, rules, metrics, limits, ())
    }

    /// Plays to the one PBX of an exporter that others go on with; its capture begins at `start`.
    pub fn at(exporter: Exporter, pbx: &PbxName, limits: Limits, start: Moment) -> Self {
        Self {
            exporter,
            limits,
            pbx: pbx.clone(),
            stream: Stream::of_others(pbx),
            sessions: 0,
            begun: None,
            time: Time::at(start),
            gap: None,
            progress: Progress::default(),
            watch: (),
        }
    }

    /// Gives the exporter back.
    pub fn into_exporter(self) -> Exporter {
        self.exporter
    }
}

impl<W: Watch> Replay<W> {
    /// The same, watched.
    pub fn watched(
        pbx: &PbxName,
        rules: Rules,
        metrics: Metrics,
        limits: Limits,
        watch: W,
    ) -> Self {
        let start = Moment::UNDATED;
        let mut self_metrics = metrics.self_metrics(pbx, event::KNOWN, start);
        self_metrics.connected();
        self_metrics.synchronised(start);
        let correlator = Correlator::new(rules, Timing::Recorded);
        let monitor = Monitor { correlator, recorder: metrics.recorder(pbx), self_metrics };
        let exporter = Exporter::new(metrics, vec![monitor]);
        Self {
            exporter,
            limits,
            pbx: pbx.clone(),
            stream: Stream::of_others(pbx),
            sessions: 0,
            begun: None,
            time: Time::default(),
            gap: None,
            progress: Progress::default(),
            watch,
        }
    }

    /// Tells `progress` how many bytes of the files were read, as they are on the disk.
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// Plays a file, gzipped or not.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, is no capture, or is of Asterisk 11 or older.  A file
    /// that was cut is none of these.
    pub fn play_file(&mut self, path: &Path) -> Result<Played, ReplayError> {
        let unreadable = |source| ReplayError::Unreadable { path: path.into(), source };
        let file = File::open(path).map_err(unreadable)?;
        let mut file = BufReader::new(self.progress.clone().of(file));
        let packed = starts_with_gzip(&mut file).map_err(unreadable)?;
        let played = if packed { self.play(MultiGzDecoder::new(file)) } else { self.play(file) };
        let (played, failed) = played;
        match failed {
            Some(Stop::TooOld(sign)) => {
                return Err(ReplayError::TooOld { path: path.into(), sign });
            }
            Some(Stop::Io(source)) if packed => {
                return Err(ReplayError::Damaged {
                    path: path.into(),
                    bytes: played.bytes,
                    source,
                });
            }
            Some(Stop::Io(source)) => return Err(unreadable(source)),
            None if played.events == 0 => {
                return Err(ReplayError::NotACapture { path: path.into(), bytes: played.bytes });
            }
            None => {}
        }
        Ok(played)
    }

    /// Plays everything `source` gives; reports what it held, and what stopped it before its
    /// end.
    pub fn play(&mut self, mut source: impl Read) -> (Played, Option<Stop>) {
        let mut decoder = Decoder::of_file(self.limits);
        let mut played = Played::default();
        // What lies between two captures, and before the first.
        self.disconnect();
        let mut chunk = vec![0; CHUNK];
        let failed = loop {
            match source.read(&mut chunk) {
                Ok(0) => break None,
                Ok(length) => {
                    played.bytes += length as u64;
                    decoder.feed(&chunk[..length]);
                    if let Err(sign) = self.take(&mut decoder, &mut played) {
                        break Some(Stop::TooOld(sign));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The recorder was stopped before it could finish the gzip stream.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    played.cut = true;
                    break None;
                }
                Err(error) => break Some(Stop::Io(error)),
            }
        };
        played.cut |= decoder.pending() > 0;
        (played, failed)
    }

    /// The exposition as it stands after the last event.
    pub fn exposition(&mut self, format: Format) -> String {
        self.exporter.scrape(self.time.now(), format)
    }

    /// What the metrics are made of.
    pub const fn exporter(&self) -> &Exporter {
        &self.exporter
    }

    /// The first and the last time stamp, if there are any.
    pub fn span(&self) -> Option<(Moment, Moment)> {
        Some((self.begun?, self.time.now()))
    }

    /// How often `record` logged in; what other programs recorded has none.
    pub const fn sessions(&self) -> u64 {
        self.sessions
    }

    /// Ends whatever still waits for more events, by what is known, and gives back the watcher.
    pub fn finish(mut self) -> W {
        let Monitor { correlator, recorder, .. } = &mut self.exporter.monitors[0];
        let now = self.time.now();
        let mut both = Both { at: now, recorder, watch: &mut self.watch };
        correlator.expire(now.after(PATIENCE), &mut both);
        self.watch
    }

    fn take(&mut self, decoder: &mut Decoder, played: &mut Played) -> Result<(), Sign> {
        loop {
            let byte = played.bytes - decoder.pending() as u64;
            let sign = |what: String| Err(Sign { what, byte });
            let Some(item) = decoder.next_item() else { return Ok(()) };

            match &item {
                Item::Frame(frame) if intake::is_event_of_old(frame) => {
                    return sign(format!("event {}", quoted(frame.name)));
                }
                Item::Frame(frame) if frame.kind == Kind::Event => {
                    self.event(frame, &item);
                    played.events += 1;
                }
                Item::Frame(frame) => self.response(frame, &item),
                // A session begins, whoever made the capture: what went before it is over.
                Item::Banner(ami) => {
                    let ami = quoted(ami.trim_ascii());
                    if version::is_too_old(&ami) {
                        return sign(format!("AMI {ami}"));
                    }
                    self.disconnect();
                    // A list that was on its way has no end in another session.
                    self.exporter.monitors[0].correlator.give_up_listing();
                    self.stream = Stream::of_others(&self.pbx);
                    self.flow(&item);
                }
                Item::Rejected(_) => self.flow(&item),
            }
        }
    }

    fn event(&mut self, frame: &Frame<'_>, item: &Item<'_>) {
        // The first and the last of what a PBX sends: calls that were open end with it.
        let ends = frame.is_event("FullyBooted") || frame.is_event("Shutdown");
        if ends {
            self.disconnect();
        }

        let stamped = event::timestamp(frame);
        self.take_time(stamped);
        if stamped.is_some() {
            self.pass_time(frame.is_event("SuccessfulAuth"));
        }
        self.flow(item);

        // While the snapshot is awaited nothing is synchronised, whatever comes.
        if !ends && stamped.is_some() && !self.stream.is_opening() {
            self.connect();
        }
    }

    fn response(&mut self, frame: &Frame<'_>, item: &Item<'_>) {
        if frame.is_accepted() && ActionId::of(frame).is_some_and(|id| id.word() == "Login") {
            self.begin_session();
        }

        // The answer to a Ping carries the PBX's time, on the clock of its events.
        let stamped = event::timestamp(frame);
        self.take_time(stamped);
        if stamped.is_some() && self.stream.is_opening() {
            self.pass_time(false);
        }
        self.flow(item);
    }

    /// `record` logged in: whatever was synchronised before was hidden in between.
    fn begin_session(&mut self) {
        self.sessions += 1;
        self.disconnect();
        self.stream = Stream::of_session(&self.pbx);
        let now = self.time.now();
        let Monitor { correlator, recorder, .. } = &mut self.exporter.monitors[0];
        let mut both = Both { at: now, recorder, watch: &mut self.watch };
        correlator.disconnected(now, &mut both);
        correlator.begin_session();
    }

    fn take_time(&mut self, stamped: Option<Moment>) {
        self.begun = self.begun.or(stamped);
        if let Some(stamp) = stamped {
            self.time.take(stamp);
        }
    }

    /// The clock has moved.  Behind a login, which anybody's may be, it dates the FullyBooted
    /// before it, which has no time of its own.
    fn pass_time(&mut self, logged_in: bool) {
        let now = self.time.now();
        let Monitor { correlator, recorder, .. } = &mut self.exporter.monitors[0];
        let mut both = Both { at: now, recorder, watch: &mut self.watch };
        if self.stream.is_opening() {
            correlator.logged_in(now, &mut both);
            return;
        }
        // Each at its own time, as in a live session: a wrap-up is over then, whenever the next event
        // comes.
        while let Some(deadline) = correlator.next_deadline().filter(|deadline| *deadline <= now) {
            both.at = deadline;
            correlator.expire(deadline, &mut both);
        }
        both.at = now;
        if logged_in {
            correlator.logged_in(now, &mut both);
        }
    }

    /// Lets an item flow into the correlator, as a live session does.
    fn flow(&mut self, item: &Item<'_>) {
        let now = self.time.now();
        self.exporter.pass(now);
        let Monitor { correlator, recorder, self_metrics } = &mut self.exporter.monitors[0];
        let mut both = Both { at: now, recorder, watch: &mut self.watch };
        let mut sink = Sink { correlator, self_metrics, out: &mut both };
        let step = self.stream.take(now, item, &mut sink);

        // A session without a snapshot ended there, and what came before it was of no use.
        if let Ok(Step::Synchronised(_)) | Err(_) = step {
            self.connect();
        }
    }

    fn disconnect(&mut self) {
        if self.gap.is_none() {
            self.gap = Some(if self.begun.is_some() { Gap::Between } else { Gap::Before });
            self.watch.disconnected(self.time.now());
        }
    }

    fn connect(&mut self) {
        let Some(gap) = self.gap.take() else { return };
        if gap == Gap::Between {
            self.exporter.monitors[0].self_metrics.connected();
        }
        self.watch.synchronised(self.time.now());
    }
}

fn starts_with_gzip(file: &mut impl BufRead) -> io::Result<bool> {
    Ok(file.fill_buf()?.starts_with(&[0x1f, 0x8b]))
}

const CHUNK: usize = 64 * 1024;
/// Longer than anything but late events is waited for after the last event (docs/design.md,
/// Deadlines).
const PATIENCE: Duration = LATEST_END.saturating_add(Duration::from_secs(1));

#[cfg(test)]
mod tests;
