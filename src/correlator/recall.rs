//! What a gap hid, as queue_log tells it.
//!
//! Asterisk writes its log whether somebody listens or not, each line beside the event that would
//! have said the same.  So behind a gap every line is held against what is known: a line whose
//! event was seen changes nothing, any other is counted as its event would have been.  Whatever
//! the log does not say (causes, why a phone was not answered) stays unknown.
//!
//! The log has whole seconds.  In the second in which the link was lost an event may have been seen
//! or not, and in that of the login it may still come: there the state decides, and what comes late
//! finds its stay and adds nothing.

mod lines;
mod seen;
mod talks;

use hashbrown::{HashMap, HashSet};
use std::time::Duration;

use super::Correlator;
use super::channel::Ended;
use super::deadline::{DOUBT, Task};
use super::key::ChannelKey;
use super::logged::{Fact, Logged};
use super::member::Place;
use super::names::QueueId;
use super::observation::{Observation, Observe, Repair};
use super::snapshot::Snapshot;
use super::stay::Phase;
use super::time::Stamp;
use crate::clock::Moment;
use seen::Seen;

/// What is kept over a gap that a log will tell of.
#[derive(Debug, Default)]
pub(super) struct Recall {
    /// When something was read for the last time before the gap; none if there is no gap, or no log.
    heard: Option<Moment>,
    /// The latest time stamp of the PBX among events.
    stamped: Option<Moment>,
    /// Asterisk was started anew in the gap.
    restarted: bool,
    /// What was due in the gap, and the log may know better.
    postponed: Vec<Task>,
    /// Events of which nothing is left, for their lines.
    seen: Seen,
    /// Lines that were counted, and whose events may still come.
    counted: Seen,
}

/// The lines that are held against the state, and what finds their members.
struct Lines<'a> {
    /// RINGNOANSWER of members who took that call after all.
    answered: HashSet<usize>,
    /// Up to this second of the PBX's clock, events may have been seen.
    seen: u64,
    now: Moment,
    /// Interfaces of listed members by queue and name.
    interfaces: HashMap<(QueueId, &'a [u8]), &'a [u8]>,
    /// Channels that only lines have named.
    made: Vec<ChannelKey>,
    /// Members who are none any more.
    former: Vec<Place>,
    /// Lines that the next gap may have once more, if it follows soon.
    late: Vec<(Stamp, seen::BriefFact)>,
}

/// A line, and when it was written.
struct At<'a> {
    line: &'a Logged,
    stamp: Stamp,
    /// Its event may have been seen.
    may_be_seen: bool,
    /// Its event may be still to come.
    may_be_late: bool,
}

impl Correlator {
    /// The last moment at which something was read of a session that was lost.  Called before
    /// [`Self::disconnected`] where a log can tell of the gap.
    pub const fn heard(&mut self, last: Moment) {
        self.recall.heard = Some(last);
    }

    /// An event came that the PBX had stamped.
    pub(super) const fn note_stamped(&mut self, at: Stamp) {
        if at.wire.is_some() {
            self.recall.stamped = at.wire;
        }
    }

    /// From which second of the PBX's clock on its log is wanted; `None` if nothing was hidden.
    pub fn wants_log_since(&self) -> Option<u64> {
        self.surely_seen(self.recall.heard?)
    }

    /// The second of the PBX's clock before which every event was seen.
    ///
    /// What was read last may have been on its way for long, if the exporter stood still; an event
    /// says itself when it was sent.  Where none came for long, nothing was on its way.
    fn surely_seen(&self, heard: Moment) -> Option<u64> {
        let read = self.pbx_clock.theirs(heard)?;
        let sent = self.recall.stamped.filter(|&sent| sent < read);
        let seen = sent.map_or(read, |sent| sent.max(read.before(STOOD_STILL)));
        Some(second(seen).saturating_sub(MARGIN))
    }

    /// Whether a log will decide what is open.
    pub(super) const fn awaits_log(&self) -> bool {
        self.recall.heard.is_some() && !self.synchronised
    }

    /// A task is due that the log may know better of.
    pub(super) fn postpone(&mut self, task: Task) {
        self.recall.postponed.push(task);
    }

    /// Asterisk was started anew: what is open ends once the log has told of it.
    pub(super) const fn postpone_restart(&mut self) {
        self.recall.restarted = true;
    }

    /// The first of two steps, before the lists: what the log has of boots that are over.  Gives the
    /// lines that are left.
    pub(super) fn recall_boots<'a>(
        &mut self,
        at: Stamp,
        snapshot: &'a Snapshot,
        out: &mut dyn Observe,
    ) -> Recalled<'a> {
        // The nearer the clocks are known, the fewer lines are at an edge.
        self.pbx_clock.sharpen(&snapshot.foreseen.clock);
        let heard = self.recall.heard.take();
        let mut recalled = self.lines_of(heard, at.read, snapshot);
        // That of the boot that was seen may stand among the first lines, if the link was lost soon.
        let seen = recalled.seen;
        let starts = |line: &Logged| line.fact == Fact::Started && second(line.at) > seen;
        while let Some(start) = recalled.lines.iter().position(starts) {
            let (before, behind) = recalled.lines.split_at(start);
            self.recall(Recalled { lines: before, ..recalled }, at, snapshot, out);
            recalled.lines = &behind[1..];
            self.recall.restarted = false;
            self.lose_all(at, out);
        }
        // A PBX that has written nothing since it was started: all lines are of the boot before.
        if std::mem::take(&mut self.recall.restarted) {
            self.recall(recalled, at, snapshot, out);
            recalled.lines = &[];
            self.lose_all(at, out);
        }
        recalled
    }

    /// The lines that may tell of the gap.
    fn lines_of<'a>(
        &self,
        heard: Option<Moment>,
        now: Moment,
        snapshot: &'a Snapshot,
    ) -> Recalled<'a> {
        let nothing = Recalled { lines: &[], seen: 0, late: 0 };
        let Some((past, heard)) = snapshot.past.as_ref().zip(heard) else { return nothing };
        let theirs = |moment| self.pbx_clock.theirs(moment);
        let Some(((first, seen), login)) = self
            .surely_seen(heard)
            .zip(theirs(heard.after(SLACK)))
            .zip(theirs(past.login.min(now)))
        else {
            return nothing;
        };

        // The log is in the order of its seconds, but for lines of several threads within one.
        let begin = past.lines.partition_point(|line| second(line.at) < first);
        let last = second(login.after(SLACK));
        let end = past.lines.partition_point(|line| second(line.at) <= last);
        let late = second(login.before(SLACK));
        Recalled { lines: &past.lines[begin.min(end)..end], seen: second(seen), late }
    }

    /// The second step, behind the lists of channels and members: what the log has of this boot.
    pub(super) fn recall_boot(
        &mut self,
        recalled: Recalled<'_>,
        at: Stamp,
        snapshot: &Snapshot,
        out: &mut dyn Observe,
    ) {
        if !recalled.lines.is_empty() {
            self.foresee_brief(snapshot, out);
            self.recall(recalled, at, snapshot, out);
        }
    }

    /// Holds lines against the state.
    fn recall(
        &mut self,
        recalled: Recalled<'_>,
        at: Stamp,
        snapshot: &Snapshot,
        out: &mut dyn Observe,
    ) {
        let mut lines = Lines {
            answered: answered_after_all(recalled.lines),
            seen: recalled.seen,
            now: at.read,
            interfaces: self.listed_interfaces(snapshot),
            made: Vec::new(),
            former: Vec::new(),
            late: Vec::new(),
        };

        for (number, line) in recalled.lines.iter().enumerate() {
            let may_be_seen = second(line.at) <= lines.seen;
            let read = self.pbx_clock.ours(line.at, at.read).unwrap_or(at.read);
            let stamp = Stamp { read, wire: Some(line.at) };
            let may_be_late = second(line.at) >= recalled.late;
            let at = At { line, stamp, may_be_seen, may_be_late };
            self.recall_line(number, &at, &mut lines, snapshot, out);
        }

        let Lines { made, former, late, .. } = lines;
        for (at, what) in late {
            self.recall.seen.add(at, what);
        }
        self.end_recalled_channels(&made, at, snapshot);
        for (queue, interface) in former {
            self.remove_member(queue, &interface, at.read, out);
        }
    }

    /// What was due in the gap is looked at again, once events behind the lists have had their say.
    pub(super) fn resume(&mut self, now: Moment) {
        for task in std::mem::take(&mut self.recall.postponed) {
            match task {
                Task::Forget(key) => self.deadlines.add_forget(now, key),
                task => self.deadlines.add(now.after(DOUBT), task),
            }
        }
    }

    /// Channels that only the log has named: those that are in no list have ended.
    fn end_recalled_channels(&mut self, made: &[ChannelKey], at: Stamp, snapshot: &Snapshot) {
        let listed: HashSet<ChannelKey> =
            snapshot.channels.iter().filter_map(|listed| self.channels.find(&listed.uid)).collect();
        for &key in made.iter().filter(|key| !listed.contains(*key)) {
            let Some(channel) = self.channels.all.get(key) else { continue };
            let is_open = |stay| !matches!(self.stays[stay].phase, Phase::Closed(_));

            // Of a caller who left no line at the end, as one who was redirected, an event may come.
            if channel.as_caller.stays.iter().copied().any(is_open) {
                self.channels.all[key].life.doubted = true;
                self.deadlines.add(at.read.after(DOUBT), Task::Vanish(key));
            } else {
                self.channels.end(key, Ended::Lost);
                self.deadlines.add_forget(at.read, key);
            }
        }
    }

    fn listed_interfaces<'a>(
        &mut self,
        snapshot: &'a Snapshot,
    ) -> HashMap<(QueueId, &'a [u8]), &'a [u8]> {
        let members = snapshot.members.iter();
        let named = members.map(|member| {
            let name = if member.name.is_empty() { &member.interface } else { &member.name };
            let queue = self.names.queues.intern(&member.queue);
            ((queue, &**name), &*member.interface)
        });
        named.collect()
    }

    fn emit_repaired(&self, kind: Repair, out: &mut dyn Observe) {
        self.emit(Observation::Repaired(kind), out);
    }
}

/// Lines that are still to be held against the state.
#[derive(Clone, Copy)]
pub(super) struct Recalled<'a> {
    lines: &'a [Logged],
    /// The second in which something was heard last.
    seen: u64,
    /// From this second on, an event may come behind the login.
    late: u64,
}

/// The numbers of those RINGNOANSWER whose member answered at the very moment: the ring attempt of
/// the CONNECT had begun before.
fn answered_after_all(lines: &[Logged]) -> HashSet<usize> {
    let mut rang = HashMap::new();
    let mut answered = HashSet::new();
    for (number, line) in lines.iter().enumerate() {
        let whose = (&line.call, &line.queue, &line.agent);
        match line.fact {
            Fact::RingNoAnswer => {
                rang.insert(whose, number);
            }
            Fact::Connected { ring: Some(ring), .. } => {
                let missed = rang.remove(&whose);
                answered.extend(missed.filter(|&missed| ring > line.at.since(lines[missed].at)));
            }
            _ => {}
        }
    }
    answered
}

fn second(moment: Moment) -> u64 {
    moment.as_micros() / 1_000_000
}

/// The two clocks are compared by what a busy machine may have read so late.
const SLACK: Duration = Duration::from_millis(500);
/// For how long the exporter may stand still, and find itself cut off as it goes on.
const STOOD_STILL: Duration = Duration::from_secs(20);
/// Seconds before the last thing read in which Asterisk may have written a line and not yet sent its
/// event: under load 112 ms were measured (18.26 and 23.5).
const MARGIN: u64 = 1;
