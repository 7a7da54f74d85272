//! Streams of complete calls, drawn from a seed: as many at once as wanted, each from its first
//! event to its last.
//!
//! The calls are those of the project's captures with names, numbers and ids of their own, so the
//! shares of the events are what the captures have.  What has to be counted in the end is known
//! exactly.

mod flow;
mod mix;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use flow::{Event, Flow, Part};
pub(crate) use mix::Mix;

use super::Failure;
use super::exporter::sum;

/// What a stream should be like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) mix: Mix,
    /// Calls at once.
    pub(crate) live: usize,
    /// No call begins behind so many bytes.
    pub(crate) bytes: u64,
    /// Whether recordings report their end, by TestEvents.
    pub(crate) recordings: bool,
    pub(crate) agents: u32,
    pub(crate) queues: u32,
    pub(crate) seed: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            mix: Mix::Transcript,
            live: 1_000,
            bytes: 20_000_000,
            recordings: false,
            agents: 200,
            queues: 20,
            seed: 1,
        }
    }
}

/// What a stream has, and so what must be counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Sent {
    pub(crate) bytes: u64,
    pub(crate) events: u64,
    pub(crate) calls: u64,
    /// Callers who joined a queue.
    pub(crate) entries: u64,
    /// Those whom an agent answered.
    pub(crate) answered: u64,
}

impl Sent {
    /// Compares with what the exporter counted, on a page of the classic format.
    ///
    /// # Errors
    /// A counter is not exact.
    pub(crate) fn check(&self, page: &str) -> Result<(), Failure> {
        let expected = [
            ("asterisk_calls_total", "", self.calls),
            ("asterisk_queue_entries_total", "", self.entries),
            ("asterisk_queue_exits_total", "", self.entries),
            ("asterisk_queue_exits_total", "outcome=\"answered\"", self.answered),
        ];
        for (name, label, expected) in expected {
            let counted = sum(page, name, label);
            if counted != expected as f64 {
                return Err(format!("{name}{{{label}}} is {counted} instead of {expected}").into());
            }
        }
        Ok(())
    }
}

/// A stream that is made while it is read; ends when the last call has ended.
pub(crate) struct Source {
    calls: Calls,
    sent: Sent,
    /// Not read yet.
    text: String,
}

impl Source {
    /// A stream from its beginning.
    pub(crate) fn new(shape: &Shape) -> Self {
        Self { calls: Calls::new(shape), sent: Sent::default(), text: String::new() }
    }

    /// What was made so far.
    pub(crate) const fn sent(&self) -> Sent {
        self.sent
    }
}

impl io::Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.text.len() < buffer.len() {
            let before = self.text.len();
            let more = self.sent.bytes < self.calls.shape.bytes;
            if !self.calls.write_next(more, &mut self.text, &mut self.sent) {
                break;
            }
            self.sent.bytes += (self.text.len() - before) as u64;
            self.sent.events += 1;
        }

        let length = buffer.len().min(self.text.len());
        buffer[..length].copy_from_slice(&self.text.as_bytes()[..length]);
        self.text.drain(..length);
        Ok(length)
    }
}

/// Writes a stream.
///
/// # Errors
/// `out` does not take it.
pub(crate) fn write(shape: &Shape, out: &mut impl io::Write) -> io::Result<Sent> {
    let mut source = Source::new(shape);
    io::copy(&mut source, out)?;
    Ok(source.sent())
}

/// The same into memory.
pub(crate) fn generate(shape: &Shape) -> (Vec<u8>, Sent) {
    let mut bytes = Vec::new();
    let sent = write(shape, &mut bytes).expect("memory takes it");
    (bytes, sent)
}

/// Which share of a mix's events each name has.
pub(crate) fn shares(mix: Mix, recordings: bool) -> BTreeMap<String, f64> {
    let mut counts = BTreeMap::new();
    for (flow, weight) in mix.flows(recordings).iter().zip(mix.weights()) {
        for event in &flow.events {
            *counts.entry(event.name.clone()).or_default() += weight;
        }
    }
    let all: f64 = counts.values().sum();
    counts.into_iter().map(|(name, count)| (name, count / all)).collect()
}

/// The calls that are under way.
struct Calls {
    shape: Shape,
    flows: Vec<Flow>,
    random: fastrand::Rng,
    live: Vec<Call>,
    next_uid: u32,
    next_channel: u32,
    /// Microseconds since the epoch, and how far each event moves it.
    now: f64,
    step: f64,
}

/// One of them.
struct Call {
    flow: usize,
    /// Events that were written.
    written: usize,
    uid: u32,
    channel: u32,
    agent: u32,
    trunk: u32,
    queue: u32,
    seed: u64,
}

impl Calls {
    fn new(shape: &Shape) -> Self {
        let flows = shape.mix.flows(shape.recordings);
        let weights = shape.mix.weights();
        let events: f64 =
            flows.iter().zip(weights).map(|(flow, share)| flow.events.len() as f64 * share).sum();
        let mean = events / weights.iter().sum::<f64>();
        Self {
            shape: *shape,
            flows,
            random: fastrand::Rng::with_seed(shape.seed),
            live: Vec::with_capacity(shape.live),
            next_uid: 1000,
            next_channel: 0x37,
            now: BEGIN,
            step: LENGTH / (shape.live as f64 * mean),
        }
    }

    /// Writes the next event of one of the calls; false if there is none.
    fn write_next(&mut self, more: bool, text: &mut String, sent: &mut Sent) -> bool {
        while more && self.live.len() < self.shape.live {
            let call = self.begin();
            let counts = self.shape.mix.counts(call.flow);
            sent.calls += 1;
            sent.entries += u64::from(counts.entries);
            sent.answered += u64::from(counts.answered);
            self.live.push(call);
        }
        if self.live.is_empty() {
            return false;
        }

        let at = self.random.usize(..self.live.len());
        let call = &mut self.live[at];
        let flow = &self.flows[call.flow];
        self.now += self.step;
        call.write(&flow.events[call.written], self.now, &self.shape, text);
        call.written += 1;
        if call.written == flow.events.len() {
            self.live.swap_remove(at);
        }
        true
    }

    fn begin(&mut self) -> Call {
        let random = &mut self.random;
        let weights = self.shape.mix.weights();
        let mut drawn = random.f64() * weights.iter().sum::<f64>();
        let mut flow = 0;
        while flow + 1 < weights.len() && drawn >= weights[flow] {
            drawn -= weights[flow];
            flow += 1;
        }

        let (uid, channel) = (self.next_uid, self.next_channel);
        self.next_uid += self.flows[flow].uids;
        self.next_channel += self.flows[flow].channels;
        let agent = random.u32(..self.shape.agents);
        let trunk = random.u32(..8);
        let queue = self.shape.mix.queue(agent, random, self.shape.queues);
        Call { flow, written: 0, uid, channel, agent, trunk, queue, seed: random.u64(..) }
    }
}

impl Call {
    fn write(&self, event: &Event, now: f64, shape: &Shape, text: &mut String) {
        for part in &event.parts {
            match part {
                Part::Text(same) => {
                    text.push_str(same);
                    Ok(())
                }
                Part::Timestamp => write!(text, "{:.6}", now / 1e6),
                Part::Uid(at) => {
                    let uid = self.uid + at;
                    write!(text, "{}.{uid}", (BEGIN / 1e6) as u64 + u64::from(uid / 50))
                }
                Part::Channel(at) => write!(text, "{:08x}", self.channel + at),
                Part::Bridge(at) => self.write_bridge(*at, text),
                Part::Agent(at) => write!(text, "{}", 200 + (self.agent + at) % shape.agents),
                Part::Trunk => write!(text, "{}", self.trunk),
                Part::Queue(at) => write!(text, "queue{:02}", (self.queue + at) % shape.queues),
                Part::Number(at) => {
                    write!(text, "380{:09}", self.mixed(u64::from(*at)) % 1_000_000_000)
                }
            }
            .expect("text has room");
        }
    }

    fn write_bridge(&self, at: u32, text: &mut String) -> std::fmt::Result {
        let [high, low] = [0x100, 0x200].map(|salt| self.mixed(u64::from(at) + salt));
        write!(
            text,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    /// A number of the call's own for everything that needs one.
    fn mixed(&self, salt: u64) -> u64 {
        fastrand::Rng::with_seed(self.seed ^ (salt << 32)).u64(..)
    }
}

/// The trunks of all mixes.
pub(crate) const TRUNKS: &str = "^(SIP/channel|PJSIP/(trunk|carrier))[0-9]";

/// When streams begin: the first call of the transcript.
const BEGIN: f64 = 1_606_403_878e6;

/// The mean length of a call in microseconds, from which the time stamps follow.
const LENGTH: f64 = 180e6;

#[cfg(test)]
mod tests;
