//! Recorded events as no PBX sends them: dropped, repeated, delayed, swapped, and those of several
//! captures spliced.
//!
//! Noise is refused by the decoder; what breaks a state machine are whole events at the wrong moment.  So
//! each sequence is made of real captures by a seed, with cuts of the link, lists and long waits
//! thrown in, and after every event the books must add up.  `SEQUENCES=5000` plays more of them,
//! `SEQUENCE_FROM=5000` those from that seed on, `SEQUENCE_SEED=17` only that one.  Millions take
//! less time with `SEQUENCE_EVENTS=60`, the most of one capture, and `SEQUENCE_CHECKS=16`, which looks
//! at the books after one event in 16, each sequence at others.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::LazyLock;

use fastrand::Rng;
use flate2::read::MultiGzDecoder;

use super::*;
use crate::version::Version;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// An event, as it stands on the wire.
    Event(Rc<str>),
    /// Nothing, for so many milliseconds.
    Wait(u64),
    /// The link is lost.
    Cut,
    /// The link is back, and the lists are dealt from this seed.
    Resync(u64),
    /// A list of queues is asked for.
    AskForList,
    /// It is there.
    List(u64),
    /// It was refused.
    RefuseList,
}

/// The events of one capture.
struct Capture {
    frames: Vec<Rc<str>>,
    uids: Vec<Rc<str>>,
}

#[test]
fn recorded_events_in_any_order_add_up_and_end() {
    let captures = captures();
    assert!(captures.len() > 100, "only {} captures", captures.len());
    let (first, last) = seeds();
    let longest = number("SEQUENCE_EVENTS").map_or(LONGEST_STRAND, |events| events as usize);
    for seed in first..last {
        let steps = deal(&mut Rng::with_seed(seed), &captures, longest);
        if let Err(why) = attempt(&steps, seed) {
            let short = shorten(steps, seed);
            let why = attempt(&short, seed).err().unwrap_or(why);
            panic!("SEQUENCE_SEED={seed}: {why}\nin {} steps:\n{}", short.len(), listing(&short));
        }
    }
}

fn seeds() -> (u64, u64) {
    if let Some(seed) = number("SEQUENCE_SEED") {
        return (seed, seed + 1);
    }
    let first = number("SEQUENCE_FROM").unwrap_or(0);
    (first, first + number("SEQUENCES").unwrap_or(SEQUENCES))
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// Every capture of the fixtures that holds events.
fn captures() -> Vec<Capture> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files = Vec::new();
    collect(&fixtures, &mut files);
    files.sort();
    files
        .iter()
        .map(|file| Capture::read(file))
        .filter(|capture| capture.frames.len() > 1)
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of fixtures") {
        let path = entry.expect("an entry").path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, files);
        } else if name.ends_with(".ami") || name.ends_with(".ami.gz") {
            files.push(path);
        }
    }
}

impl Capture {
    fn read(file: &Path) -> Self {
        let mut bytes = std::fs::read(file).expect("a capture");
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let packed = std::mem::take(&mut bytes);
            MultiGzDecoder::new(&packed[..]).read_to_end(&mut bytes).expect("gzipped text");
        }
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        let frames = text.split("\n\n").filter(|frame| frame.starts_with("Event: "));
        let needed = frames.filter(|frame| {
            let name = frame.lines().next().unwrap_or_default().trim_start_matches("Event: ");
            Name::find(name.as_bytes()).is_some_and(|(_, name)| name.is_needed())
        });
        let frames: Vec<Rc<str>> =
            needed.map(|frame| (frame.replace('\n', "\r\n") + "\r\n\r\n").into()).collect();
        let mut uids: Vec<Rc<str>> = Vec::new();
        let mut known = HashSet::new();
        for line in frames.iter().flat_map(|frame| frame.lines()) {
            let Some(uid) =
                line.strip_prefix("Uniqueid: ").or_else(|| line.strip_prefix("DestUniqueid: "))
            else {
                continue;
            };
            if known.insert(uid.to_owned()) {
                uids.push(uid.into());
            }
        }
        Self { frames, uids }
    }
}

/// Makes a sequence of up to three captures.
fn deal(rng: &mut Rng, captures: &[Capture], longest: usize) -> Vec<Step> {
    let mut strands = Vec::new();
    let first = rng.choice(captures).expect("captures");
    strands.push(window(rng, &first.frames, longest));
    for _ in 0..rng.usize(0..3) {
        let other = rng.choice(captures).expect("captures");
        let strand = window(rng, &other.frames, longest);
        // Events of one scenario on the channels of another.
        let same_channels = rng.bool();
        strands.push(if same_channels { moved(&strand, &other.uids, &first.uids) } else { strand });
    }
    let frames = splice(rng, strands);
    disturb(rng, frames)
}

fn window(rng: &mut Rng, frames: &[Rc<str>], longest: usize) -> Vec<Rc<str>> {
    let length = rng.usize(1..=frames.len().min(longest));
    let from = rng.usize(0..=frames.len() - length);
    frames[from..from + length].to_vec()
}

/// The same events with the Uniqueids of another capture.
fn moved(frames: &[Rc<str>], from: &[Rc<str>], to: &[Rc<str>]) -> Vec<Rc<str>> {
    let pairs: BTreeMap<&str, &str> =
        from.iter().map(|uid| &**uid).zip(to.iter().map(|uid| &**uid)).collect();
    let moved = |line: &str| match line.split_once(": ") {
        Some((key, value)) => format!("{key}: {}\r\n", pairs.get(value).unwrap_or(&value)),
        None => format!("{line}\r\n"),
    };
    frames.iter().map(|frame| frame.lines().map(moved).collect::<String>().into()).collect()
}

/// Strands into one, each in its own order.
fn splice(rng: &mut Rng, strands: Vec<Vec<Rc<str>>>) -> Vec<Rc<str>> {
    let mut strands: Vec<_> = strands.into_iter().map(Vec::into_iter).collect();
    let mut spliced = Vec::new();
    while !strands.is_empty() {
        let at = rng.usize(0..strands.len());
        let run = rng.usize(1..12);
        let before = spliced.len();
        spliced.extend(strands[at].by_ref().take(run));
        if spliced.len() - before < run {
            strands.swap_remove(at);
        }
    }
    spliced
}

/// Drops, repeats, delays and swaps, and throws in what happens to a link.
fn disturb(rng: &mut Rng, frames: Vec<Rc<str>>) -> Vec<Step> {
    let each = 1.0 / rng.choice([5.0, 20.0, 80.0]).expect("a rate");
    let mut steps: Vec<Step> = Vec::new();
    let mut delayed: Vec<(usize, Rc<str>)> = Vec::new();
    for frame in frames {
        let fate = if rng.f64() < each { rng.u8(0..5) } else { u8::MAX };
        match fate {
            0 => {}
            1 => steps.extend([Step::Event(frame.clone()), Step::Event(frame)]),
            2 | 3 => {
                delayed.push((steps.len() + rng.usize(1..60), frame.clone()));
                if fate == 3 {
                    steps.push(Step::Event(frame));
                }
            }
            4 => {
                steps.push(Step::Event(frame));
                let last = steps.len() - 1;
                steps.swap(last, last.saturating_sub(1));
            }
            _ => steps.push(Step::Event(frame)),
        }
        let due = delayed.iter().position(|(at, _)| *at <= steps.len());
        if let Some(due) = due {
            steps.push(Step::Event(delayed.swap_remove(due).1));
        }
        match rng.u16(0..1000) {
            0..=4 => steps.extend([Step::Cut, Step::Wait(wait(rng)), Step::Resync(rng.u64(..))]),
            5..=9 => steps.push(Step::AskForList),
            10..=17 => steps.push(Step::List(rng.u64(..))),
            18 => steps.push(Step::RefuseList),
            19..=300 => steps.push(Step::Wait(wait(rng))),
            _ => {}
        }
    }
    steps.extend(delayed.into_iter().map(|(_, frame)| Step::Event(frame)));
    steps
}

fn wait(rng: &mut Rng) -> u64 {
    match rng.u8(0..100) {
        0..=69 => rng.u64(0..300),
        70..=96 => rng.u64(300..10_000),
        97 | 98 => rng.u64(10_000..90_000),
        _ => rng.u64(0..300_000_000),
    }
}

thread_local! {
    static STEP: Cell<usize> = const { Cell::new(0) };
}

fn attempt(steps: &[Step], seed: u64) -> Result<(), String> {
    let played = catch_unwind(AssertUnwindSafe(|| play(steps, seed)));
    played.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        format!("step {}: {}", STEP.get(), text.unwrap_or_default())
    })
}

/// Takes away what the failure does not need.
fn shorten(mut steps: Vec<Step>, seed: u64) -> Vec<Step> {
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            if attempt(&fewer, seed).is_err() {
                steps = fewer;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    steps
}

fn listing(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Event(frame) => text.push_str(frame),
            other => writeln!(text, "-- {other:?}\n").expect("text has room"),
        }
    }
    text
}

fn play(steps: &[Step], seed: u64) {
    let mut table = Table::new(&mut Rng::with_seed(seed));
    let checks = number("SEQUENCE_CHECKS").unwrap_or(1);
    for (at, step) in steps.iter().enumerate() {
        STEP.set(at);
        table.take(step);
        if at as u64 % checks == seed % checks {
            table.check();
        }
    }
    table.check();
    table.end();
}

/// A correlator and what must be true of it.
struct Table {
    now: Moment,
    correlator: Correlator,
    books: Books,
    decoder: Decoder,
}

/// What was observed, by queue: entries, adopted waiting, exits, adopted talking, answered,
/// completions; and by member talks, of them ended by the caller, and left on hold.
#[derive(Default)]
struct Books {
    queues: BTreeMap<QueueId, [u64; 6]>,
    talks: BTreeMap<(QueueId, AgentId), Talks>,
    /// By queue: answers whose member's penalty was said.
    tiers: BTreeMap<QueueId, u64>,
    /// By queue: calls that were transferred, and those that arrived.
    transfers: BTreeMap<QueueId, [u64; 2]>,
    rings_begun: u64,
    rings: u64,
}

#[derive(Default)]
struct Talks {
    talk: Duration,
    hold: Duration,
    ended_by_caller: u64,
    left_on_hold: u64,
}

impl Observe for Books {
    fn observe(&mut self, _names: &Names, fact: Observation, _of: Option<Caller<'_>>) {
        let mut book = |queue, at: usize| self.queues.entry(queue).or_default()[at] += 1;
        match fact {
            Observation::Entered { queue } => book(queue, 0),
            Observation::Adopted { queue, phase: Phase::Waiting } => book(queue, 1),
            Observation::Adopted { queue, phase: Phase::Talking } => book(queue, 3),
            Observation::Exited { queue, outcome, hold } => {
                book(queue, 2);
                if outcome == Outcome::Answered {
                    book(queue, 4);
                }
                assert!(hold.is_none_or(|hold| hold <= LONGEST), "{hold:?} of hold");
            }
            Observation::Completed { queue, agent, ended_by, talk } => {
                book(queue, 5);
                let talks = self.talks.entry((queue, agent)).or_default();
                talks.talk += talk.unwrap_or_default();
                talks.ended_by_caller += u64::from(ended_by == EndedBy::Caller);
                assert!(talk.is_none_or(|talk| talk <= LONGEST), "{talk:?} of talk");
            }
            Observation::AnsweredBy { queue, .. } => *self.tiers.entry(queue).or_default() += 1,
            Observation::Held { queue, agent, times, spent, hung_up } => {
                assert!(times > 0, "no hold");
                let talks = self.talks.entry((queue, agent)).or_default();
                talks.hold += spent.unwrap_or_default();
                talks.left_on_hold += u64::from(hung_up);
            }
            Observation::Transferred { queue, .. } => {
                self.transfers.entry(queue).or_default()[0] += 1;
            }
            Observation::TransferArrived { queue, .. } => {
                self.transfers.entry(queue).or_default()[1] += 1;
            }
            Observation::RingBegan { .. } => self.rings_begun += 1,
            Observation::RingEnded { .. } => self.rings += 1,
            _ => {}
        }
    }
}

impl Table {
    fn new(rng: &mut Rng) -> Self {
        let timing = if rng.bool() { Timing::Live } else { Timing::Recorded };
        // A pattern takes more time to build than a sequence to play.
        static RULES: LazyLock<Rules> = LazyLock::new(Rules::default);
        static TRUNKS: LazyLock<Patterns> = LazyLock::new(|| {
            Patterns::new(["^(SIP|PJSIP)/(trunk|carrier|channel2)-"]).expect("a pattern")
        });
        let trunks = if rng.bool() { TRUNKS.clone() } else { RULES.trunks.clone() };
        let identity = if rng.u8(0..4) == 0 { Identity::Interface } else { Identity::MemberName };
        // Every fourth PBX has more of everything than is followed.
        let tracked = match rng.u8(0..4) {
            0 => TrackedLimits {
                channels: rng.usize(1..20),
                stays: rng.usize(1..8),
                members: rng.usize(1..4),
                recordings: rng.usize(1..3),
            },
            _ => TrackedLimits::default(),
        };
        let mut correlator =
            Correlator::new(Rules { trunks, identity, tracked, ..RULES.clone() }, timing);
        if rng.bool() {
            correlator.set_version(Version::new(rng.u16(12..24), rng.u16(0..40)));
        }
        let mut books = Books::default();
        if timing == Timing::Live {
            correlator.resync(START, &Snapshot::default(), &mut books);
        }
        Self { now: START, correlator, books, decoder: Decoder::new(Limits::default()) }
    }

    fn take(&mut self, step: &Step) {
        let (now, books) = (self.now, &mut self.books);
        match step {
            Step::Event(frame) => {
                self.decoder.feed(frame.as_bytes());
                while let Some(item) = self.decoder.next_item() {
                    let Item::Frame(frame) = item else { continue };
                    let Some((_, name)) = Name::find(frame.name) else { continue };
                    if let Ok(Some(event)) = Event::parse(name, &frame) {
                        self.correlator.handle(now, &event, books);
                    }
                }
                self.now = now.after(Duration::from_micros(300));
            }
            Step::Wait(millis) => {
                self.now = now.after(Duration::from_millis(*millis));
                self.correlator.expire(self.now, books);
                self.correlator.flush(self.now, books);
            }
            Step::Cut => self.correlator.disconnected(now, books),
            Step::Resync(seed) => {
                let lists = lists(&self.correlator, &mut Rng::with_seed(*seed), true);
                self.correlator.resync(now, &lists, books);
            }
            Step::AskForList => self.correlator.begin_listing(),
            Step::List(seed) => {
                let lists = lists(&self.correlator, &mut Rng::with_seed(*seed), false);
                self.correlator.reconcile(now, &lists, books);
            }
            Step::RefuseList => self.correlator.give_up_listing(),
        }
    }

    /// Nobody is lost and nobody counted twice; each ring attempt has one result at most.
    fn check(&mut self) {
        let state = self.correlator.state(self.now);
        for queue in &state.queues {
            let [entries, waiting, exits, talking, answered, completions] =
                self.books.queues.get(&queue.queue).copied().unwrap_or_default();
            let name = self.correlator.names().queues.name(queue.queue);
            assert_eq!(entries + waiting, exits + queue.waiting, "waits of {name}");
            assert_eq!(answered + talking, completions + queue.talking, "talks of {name}");
            let tiers = self.books.tiers.get(&queue.queue).copied().unwrap_or_default();
            assert_eq!(tiers, answered, "penalties of {name}");
        }
        for talks in self.books.talks.values() {
            assert!(talks.hold <= talks.talk, "{:?} on hold of {:?}", talks.hold, talks.talk);
            assert!(talks.left_on_hold <= talks.ended_by_caller, "left on hold");
        }
        for [transferred, arrived] in self.books.transfers.values() {
            assert!(arrived <= transferred, "{arrived} of {transferred} transfers arrived");
        }
        let open = self.correlator.rings.open();
        assert_eq!(self.books.rings + open as u64, self.books.rings_begun, "ring attempts");

        let Correlator { channels, stays, members, recordings, rules, .. } = &self.correlator;
        let TrackedLimits { channels: most, stays: most_stays, .. } = rules.tracked;
        assert!(channels.all.len() <= most && stays.len() <= most_stays, "too much is kept");
        let (most, most_recordings) = (rules.tracked.members, rules.tracked.recordings);
        assert!(members.count() <= most && recordings.len() <= most_recordings, "too much is kept");
        let recorded = channels.all.values().map(|channel| channel.rare().recordings.count());
        assert_eq!(recorded.sum::<u32>() as usize, recordings.len(), "recordings");
    }

    /// Whatever is held has an end.
    fn end(&mut self) {
        for _ in 0..4 {
            self.now = self.now.after(Duration::from_secs(3 * 24 * 3600));
            self.correlator.expire(self.now, &mut self.books);
            self.check();
        }
        let state = self.correlator.state(self.now);
        assert_eq!(state.tracked, Tracked::default());
        assert!(self.correlator.voices.is_empty());
        assert!(state.queues.iter().all(|queue| queue.waiting == 0 && queue.talking == 0));
        let Correlator { channels, stays, rings, calls, members, .. } = &self.correlator;
        assert_eq!(
            (channels.all.len(), stays.len(), rings.len(), calls.len()),
            (0, 0, 0, 0),
            "held at the end"
        );
        let counts = members.all().map(|member| member.activity().counts());
        assert_eq!(
            counts.filter(|counts| *counts != (0, 0, 0)).count(),
            0,
            "members in calls at the end"
        );
        assert_eq!(self.correlator.next_deadline(), None);
    }
}

/// What the PBX might list: mostly what is known, some of it missing, some of it strange.
fn lists(known: &Correlator, rng: &mut Rng, channels: bool) -> Snapshot {
    let mut text = String::new();
    let often = |rng: &mut Rng| rng.u8(0..10) > 0;
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for queue in known.queues.ids().filter(|queue| !queue.is_none()) {
        let name = known.names().queues.name(queue);
        if often(rng) {
            let _ = write!(text, "Event: QueueParams\r\nQueue: {name}\r\nServiceLevel: 20\r\n\r\n");
        }
    }
    for member in known.members.present() {
        let (queue, status) = (known.names().queues.name(member.queue()), rng.u8(0..9));
        let (interface, name) =
            (lossy(member.interface()), known.names().agents.name(member.agent()));
        if often(rng) {
            let _ = write!(
                text,
                "Event: QueueMember\r\nQueue: {queue}\r\nLocation: {interface}\r\nName: {name}\r\nStatus: {status}\r\n\
                 Penalty: {status}\r\nPaused: 0\r\nWrapuptime: 3\r\n\r\n"
            );
        }
    }
    for stay in known.stays.values() {
        let Some(caller) = known.channels.all.get(stay.caller) else { continue };
        let listed = if stay.is_waiting() { often(rng) } else { !often(rng) };
        if listed {
            let [uid, _] = ids(known, caller);
            let (queue, wait) = (known.names().queues.name(stay.queue), rng.u8(..));
            let name = &caller.identity.origin.device;
            let _ = write!(
                text,
                "Event: QueueEntry\r\nQueue: {queue}\r\nUniqueid: {uid}\r\nChannel: {name}-7\r\nWait: {wait}\r\n\r\n"
            );
        }
    }
    for channel in known.channels.all.values().filter(|_| channels) {
        if channel.is_live() == often(rng) {
            list_channel(known, channel, rng, &mut text);
        }
    }
    let mut snapshot = Snapshot::default();
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(text.as_bytes());
    while let Some(item) = decoder.next_item() {
        let Item::Frame(frame) = item else { continue };
        let (_, name) = Name::find(frame.name).expect("an item of a list");
        if let Ok(Some(Event { kind: Kind::Listed { item, .. }, .. })) = Event::parse(name, &frame)
        {
            snapshot.add(&item);
        }
    }
    match rng.u8(0..20) {
        0 => snapshot.without_channels(),
        1 => snapshot.without_queues(),
        _ => {}
    }
    snapshot
}

/// Uniqueid and Linkedid.
fn ids(known: &Correlator, channel: &channel::Channel) -> [String; 2] {
    let mut rooms = [uid::EMPTY; 2];
    known.channels.ids(channel, rooms.each_mut()).map(|id| String::from_utf8_lossy(id).into_owned())
}

fn list_channel(known: &Correlator, channel: &channel::Channel, rng: &mut Rng, text: &mut String) {
    let queue = channel
        .as_caller
        .stays
        .last()
        .and_then(|&stay| known.stays.get(stay))
        .map(|stay| stay.queue);
    let application = match rng.u8(0..10) {
        0 => {
            *rng.choice(&["Queue", "AppQueue", "AppDial", "AppDial2", "Echo"]).expect("one of five")
        }
        _ if queue.is_some() => "Queue",
        _ if channel.as_agent.ring.is_some() || channel.as_agent.talk.is_some() => "AppQueue",
        _ if channel.dialled.as_ref().is_some_and(|dialled| dialled.by.is_none()) => "AppDial2",
        _ if channel.dialled.is_some() => "AppDial",
        _ => "Dial",
    };
    let queue = queue.or_else(|| known.queues.ids().next()).unwrap_or_default();
    let bridge = channel.bridge.id().map(|bridge| format!("{bridge:?}")).unwrap_or_default();
    let [uid, linkedid] = ids(known, channel);
    let state = if channel.life.up { 6 } else { *rng.choice(&[0, 4, 5]).expect("one of three") };
    let _ = write!(
        text,
        "Event: CoreShowChannel\r\nUniqueid: {uid}\r\nLinkedid: {linkedid}\r\nChannel: {}-7\r\nChannelState: {state}\r\n\
         Context: in\r\nApplication: {application}\r\nApplicationData: {},t\r\nBridgeId: {bridge}\r\n\r\n",
        channel.identity.origin.device,
        known.names().queues.name(queue),
    );
}

/// A few seconds' worth.
const SEQUENCES: u64 = 300;
/// Events of one capture in a sequence, at most.
const LONGEST_STRAND: usize = 300;
/// Longer than anything a caller or an agent does (`event::LONGEST`).
const LONGEST: Duration = crate::event::LONGEST;
