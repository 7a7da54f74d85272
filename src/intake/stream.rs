//! One session's stream into the correlator: the opening, the list in mid-session and the barrier.
//!
//! A live session and a replay of what `record` wrote both go through this machine, item by item.
//! It knows what was asked by the answers alone, whose ActionIDs name the action: so both see the
//! same, and nothing depends on when something was sent.  It has never heard of sockets or waiting;
//! the moment it is given with an item is the caller's affair.
//!
//! What it rests on (docs/design.md, Snapshot and barrier): a list is made in one go and is newer
//! than every event in front of its answer, while events behind it may be older.  So everything from the
//! login to the end of the barrier waits for the lists, and events from the answer to the end of
//! the barrier know better than a list in mid-session.

use tracing::{debug, trace};

use super::answer::Answer;
use super::beside::Beside;
use super::held::Held;
use super::list::{Lists, QUEUES, Refused};
use crate::ami::frame::{Frame, Item, Kind as FrameKind, Rejection, quoted};
use crate::clock::Moment;
use crate::correlator::{Correlator, EndpointList, Observe, Past};
use crate::event::{Event, KNOWN, Kind, Name, Reader};
use crate::metrics::SelfMetrics;
use crate::pbx::PbxName;
use crate::version::Version;

/// The stream of one session.
#[derive(Debug)]
pub struct Stream {
    pbx: PbxName,
    /// Whether the greeting has come; a second one is no greeting.
    greeted: bool,
    reader: Reader,
    phase: Phase,
    beside: Beside,
    /// What the PBX's log has of the gap before the session.
    past: Option<Past>,
}

#[derive(Debug)]
enum Phase {
    /// Everything waits for the snapshot.
    Opening { lists: Lists, held: Held },
    /// Events are applied as they come.
    Following,
    /// So they are, and a list of queues is on its way.
    Listing(Lists),
}

/// Where the stream ends.
pub struct Sink<'a, O> {
    /// The state.
    pub correlator: &'a mut Correlator,
    /// Our own health.
    pub self_metrics: &'a mut SelfMetrics,
    /// Takes the observations.
    pub out: &'a mut O,
}

/// What a session has to know of an item.
#[derive(Debug)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// An event was applied that the PBX had stamped.
    Stamped(Moment),
    /// One of our actions was answered.
    Answer(Answer),
    /// The snapshot was applied; these lists were refused.
    Synchronised(Vec<Refused>),
    /// The list in mid-session was given up: no PBX has so many queues.
    ListTooLong,
    /// A list of trunks or phones has ended.
    EndpointsListed(EndpointList),
    /// Asterisk is up: what was not loaded before may be now.
    FullyBooted,
}

/// Why there will be no snapshot.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoSnapshot {
    /// More came before its end than is kept.
    #[error("more than {} MiB came before the snapshot was complete", KEPT >> 20)]
    Overflow,
    /// A list was cut off.
    #[error("the list of {0} has no end")]
    Unended(&'static str),
}

impl Stream {
    /// The stream of a session of ours, which begins with a login and its lists.
    pub fn of_session(pbx: &PbxName) -> Self {
        let opening = Phase::Opening { lists: Lists::of_login(), held: Held::default() };
        Self::in_phase(pbx, opening)
    }

    /// A stream that began before anybody looked: events are applied as they come.
    pub fn of_others(pbx: &PbxName) -> Self {
        Self::in_phase(pbx, Phase::Following)
    }

    fn in_phase(pbx: &PbxName, phase: Phase) -> Self {
        let (reader, beside) = (Reader::default(), Beside::default());
        Self { pbx: pbx.clone(), greeted: false, reader, phase, beside, past: None }
    }

    /// Whether the snapshot is still to come.
    pub const fn is_opening(&self) -> bool {
        matches!(self.phase, Phase::Opening { .. })
    }

    /// Whether a list of queues is on its way: its last item applies it.
    pub const fn is_listing(&self) -> bool {
        matches!(self.phase, Phase::Listing(_))
    }

    /// The PBX's log has this of the gap before the session; to be read before the lists are asked for.
    pub fn recall(&mut self, past: Past) {
        self.past = Some(past);
    }

    /// Takes the next item, read at `now`.
    ///
    /// # Errors
    /// There will be no snapshot: the session is of no use.
    pub fn take<O: Observe>(
        &mut self,
        now: Moment,
        item: &Item<'_>,
        sink: &mut Sink<'_, O>,
    ) -> Result<Step, NoSnapshot> {
        match item {
            Item::Frame(frame) if frame.kind == FrameKind::Event => self.event(now, frame, sink),
            Item::Frame(frame) => self.response(now, frame, sink),
            Item::Banner(ami) if !self.greeted => {
                self.greeted = true;
                learn(Version::of_ami(&quoted(ami.trim_ascii())), sink.correlator);
                Ok(Step::Nothing)
            }
            Item::Banner(_) => Ok(self.reject(Rejection::UnknownType, sink.self_metrics)),
            Item::Rejected(rejection) => Ok(self.reject(*rejection, sink.self_metrics)),
        }
    }

    fn event<O: Observe>(
        &mut self,
        now: Moment,
        frame: &Frame<'_>,
        sink: &mut Sink<'_, O>,
    ) -> Result<Step, NoSnapshot> {
        let found = Name::find(frame.name);
        sink.self_metrics.event(found.map(|(index, _)| index));

        if let Some((index, _)) = found {
            trace!(pbx = %self.pbx, event = KNOWN[index], "event");
        }

        // What ends a list is of no other use.
        let Some((_, name)) = found.filter(|(_, name)| name.is_needed()) else {
            if let Some(lists) = self.lists() {
                lists.event(frame);
            }
            let Some(list) = self.beside.end(frame) else { return Ok(Step::Nothing) };
            sink.correlator.end_endpoint_list(list);
            return Ok(Step::EndpointsListed(list));
        };
        if is_item_beside(name, frame) {
            self.take_beside(name, frame, sink);
            return Ok(Step::Nothing);
        }

        // An item is no event of a call, and is of no use without its list.
        if is_item(name) && !self.owns(frame) {
            return Ok(Step::Nothing);
        }
        let parsed = self.reader.read(name, frame);
        let event = match &parsed {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(Step::Nothing),
            Err(error) => {
                debug!(pbx = %self.pbx, %error, "event left out");
                sink.self_metrics.rejected(error.word());
                return Ok(Step::Nothing);
            }
        };

        if let Kind::Listed { item, .. } = &event.kind {
            if let Some(lists) = self.lists() {
                lists.add(item, frame);
            }
            return self.check_size(sink.correlator);
        }
        match &mut self.phase {
            // What a restart ended must be known before the snapshot.
            Phase::Opening { held, .. }
                if !matches!(event.kind, Kind::FullyBooted { .. } | Kind::Shutdown) =>
            {
                held.push(now, frame);
                self.check_size(sink.correlator)
            }
            Phase::Opening { .. } | Phase::Following | Phase::Listing(_) => {
                sink.correlator.handle(now, event, sink.out);
                if matches!(event.kind, Kind::FullyBooted { .. }) {
                    return Ok(Step::FullyBooted);
                }
                Ok(event.at.map_or(Step::Nothing, Step::Stamped))
            }
        }
    }

    /// An item of a list of trunks or phones; one of a list that is not ours is of no use.
    fn take_beside<O: Observe>(&mut self, name: Name, frame: &Frame<'_>, sink: &mut Sink<'_, O>) {
        let Some(list) = self.beside.list_of(frame) else { return };
        match self.reader.read(name, frame) {
            Ok(Some(Event { kind: Kind::Listed { item, .. }, .. })) => {
                sink.correlator.list_endpoint(list, &item);
            }
            Ok(_) => {}
            Err(error) => {
                debug!(pbx = %self.pbx, %error, "item left out");
                sink.self_metrics.rejected(error.word());
            }
        }
    }

    fn response<O: Observe>(
        &mut self,
        now: Moment,
        frame: &Frame<'_>,
        sink: &mut Sink<'_, O>,
    ) -> Result<Step, NoSnapshot> {
        // CoreSettings, whoever asked: the greeting has the branch only, and this the release.
        if frame.is_accepted()
            && let Some(version) = frame.header("AsteriskVersion")
        {
            learn(String::from_utf8_lossy(version).parse().ok(), sink.correlator);
        }
        let Some(answer) = Answer::of(frame) else { return Ok(Step::Nothing) };
        if let Some(list) = self.beside.begin(&answer) {
            sink.correlator.begin_endpoint_list(list);
        }

        match &mut self.phase {
            Phase::Opening { lists, .. } => {
                lists.answer(&answer);
                lists.dated(&answer);
                if lists.is_behind(&answer) {
                    return self.synchronise(now, sink);
                }
            }
            Phase::Following | Phase::Listing(_) if answer.id().word() == QUEUES => {
                self.begin_list(&answer, sink.correlator);
            }
            Phase::Listing(lists) => {
                lists.dated(&answer);
                if lists.is_behind(&answer) {
                    self.end_list(now, sink);
                }
            }
            Phase::Following => {}
        }
        Ok(Step::Answer(answer))
    }

    /// Applies the snapshot, then what was held back, which knows better in places.
    fn synchronise<O: Observe>(
        &mut self,
        now: Moment,
        sink: &mut Sink<'_, O>,
    ) -> Result<Step, NoSnapshot> {
        let opening = std::mem::replace(&mut self.phase, Phase::Following);
        let Phase::Opening { lists, held } = opening else { return Ok(Step::Nothing) };
        let (mut snapshot, refused) = lists.finish().map_err(NoSnapshot::Unended)?;

        held.each(|read, event| snapshot.foresee(read, event));
        if let Some(past) = self.past.take() {
            snapshot.recall(past);
        }
        sink.correlator.resync(now, &snapshot, sink.out);
        held.each(|read, event| sink.correlator.handle(read, event, sink.out));
        sink.self_metrics.synchronised(now);
        Ok(Step::Synchronised(refused))
    }

    /// A list of queues was granted.  From its answer on, not from its sending, events know better
    /// than the list: what is in front of the answer is older, and in a capture no sending shows.
    fn begin_list(&mut self, answer: &Answer, correlator: &mut Correlator) {
        if matches!(self.phase, Phase::Listing(_)) {
            self.give_up_list(correlator);
        }
        if answer.is_accepted() {
            let mut lists = Lists::of_queues();
            lists.answer(answer);
            correlator.begin_listing();
            self.phase = Phase::Listing(lists);
        }
    }

    /// The barrier behind a list has passed: mends what drifted.
    fn end_list<O: Observe>(&mut self, now: Moment, sink: &mut Sink<'_, O>) {
        let listing = std::mem::replace(&mut self.phase, Phase::Following);
        let Phase::Listing(lists) = listing else { return };
        match lists.finish() {
            Ok((snapshot, _)) => sink.correlator.reconcile(now, &snapshot, sink.out),
            Err(_) => self.give_up_list(sink.correlator),
        }
    }

    fn give_up_list(&mut self, correlator: &mut Correlator) {
        debug!(pbx = %self.pbx, "the list of queues has no end");
        correlator.give_up_listing();
        self.phase = Phase::Following;
    }

    /// Memory has a bound, whatever a PBX sends.
    fn check_size(&mut self, correlator: &mut Correlator) -> Result<Step, NoSnapshot> {
        match &self.phase {
            Phase::Opening { lists, held } if lists.size() + held.size() > KEPT => {
                self.phase = Phase::Following;
                Err(NoSnapshot::Overflow)
            }
            Phase::Listing(lists) if lists.size() > KEPT => {
                self.give_up_list(correlator);
                Ok(Step::ListTooLong)
            }
            Phase::Opening { .. } | Phase::Following | Phase::Listing(_) => Ok(Step::Nothing),
        }
    }

    fn owns(&mut self, frame: &Frame<'_>) -> bool {
        let id = frame.header("ActionID").unwrap_or_default();
        self.lists().is_some_and(|lists| lists.own(id))
    }

    const fn lists(&mut self) -> Option<&mut Lists> {
        match &mut self.phase {
            Phase::Opening { lists, .. } | Phase::Listing(lists) => Some(lists),
            Phase::Following => None,
        }
    }

    fn reject(&self, rejection: Rejection, self_metrics: &mut SelfMetrics) -> Step {
        debug!(pbx = %self.pbx, reason = rejection.word(), "input left out");
        self_metrics.rejected(rejection.word());
        Step::Nothing
    }
}

/// Whether an event of that name is an item of a list.
const fn is_item(name: Name) -> bool {
    matches!(name, Name::QueueParams | Name::QueueMember | Name::QueueEntry | Name::CoreShowChannel)
}

/// Whether an event is an item of a list of trunks or phones.
fn is_item_beside(name: Name, frame: &Frame<'_>) -> bool {
    match name {
        Name::RegistryEntry | Name::PeerEntry | Name::OutboundRegistrationDetail => true,
        // Without an id it is an event.
        Name::DeviceStateChange => frame.header("ActionID").is_some(),
        _ => false,
    }
}

fn learn(version: Option<Version>, correlator: &mut Correlator) {
    if let Some(version) = version {
        correlator.set_version(version);
    }
}

/// The most that is kept of lists and of what comes while they do: 10,000 channels and 1,000 queues
/// are 10 MiB.
const KEPT: usize = 64 << 20;

#[cfg(test)]
mod tests;
