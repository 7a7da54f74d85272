//! Which label value a name gets: as it is, hashed, folded into `other`, or none because it is not
//! exported.
//!
//! `None` means the last; only queues can be left out.  It is decided once for each name, at its
//! first use, so that a name never moves from one series to another.

use std::fmt::Write;
use std::sync::Arc;

use md5::{Digest, Md5};
use prometheus_client::metrics::counter::Counter;

use super::family::Family;
use super::labels::{AgentName, Name, OverflowLabels, QueueName, ReasonName, TrunkName};
use super::settings::{AgentLabel, Settings};
use crate::correlator::{AgentId, Id, Names, OTHER, QueueId, ReasonId, TrunkId};
use crate::pbx::PbxName;

/// The label values of one PBX's names.
#[derive(Debug)]
pub(super) struct Naming {
    pbx: PbxName,
    settings: Arc<Settings>,
    queues: Values<QueueId>,
    agents: Values<AgentId>,
    /// Devices that are no member's, with a limit of their own: they never use up the members' limit.
    devices: Values<AgentId>,
    trunks: Values<TrunkId>,
    reasons: Values<ReasonId>,
}

impl Naming {
    /// `overflows` counts the values folded into `other`.
    pub(super) fn new(
        settings: Arc<Settings>,
        pbx: &PbxName,
        overflows: &Family<OverflowLabels, Counter>,
    ) -> Self {
        let folded = |label| overflows.ensure(OverflowLabels { pbx: pbx.clone(), label });
        let limits = settings.limits;
        Self {
            pbx: pbx.clone(),
            queues: Values::new(limits.queues, folded("queue")),
            agents: Values::new(limits.agents, folded("agent")),
            devices: Values::new(limits.devices, folded("device")),
            trunks: Values::new(limits.trunks, folded("trunk")),
            reasons: Values::new(limits.reasons, folded("reason")),
            settings,
        }
    }

    /// The queue's label, `None` if the queue is not exported.
    pub(super) fn queue(&mut self, names: &Names, id: QueueId) -> Option<Labelled<QueueId>> {
        let (settings, pbx) = (&self.settings, &self.pbx);
        self.queues.of(id, || {
            let name = names.queues.name(id);
            match settings.queue_aliases.of(pbx, name) {
                _ if !settings.shows_queue(name) => Choice::Hidden,
                Some(label) if settings.queue_aliases.sharers(pbx, label) > 1 => {
                    Choice::Shared(QueueName::new(label))
                }
                Some(label) => Choice::Limited(QueueName::new(label)),
                None => Choice::Limited(QueueName::new(name)),
            }
        })
    }

    /// The agent's label: a person's or a device's.
    pub(super) fn agent(&mut self, names: &Names, id: AgentId) -> Option<Labelled<AgentId>> {
        let settings = &self.settings;
        let values = if names.agents.is_device(id) { &mut self.devices } else { &mut self.agents };
        values.of(id, || match &settings.agent_label {
            AgentLabel::Name => Choice::Limited(AgentName::new(names.agents.name(id))),
            AgentLabel::Hash { salt } => {
                Choice::Limited(AgentName::new(&hashed(salt, names.agents.name(id))))
            }
            AgentLabel::None => Choice::Free(AgentName::new("")),
        })
    }

    /// The trunk's label.
    pub(super) fn trunk(&mut self, names: &Names, id: TrunkId) -> Option<Labelled<TrunkId>> {
        self.trunks.of(id, || Choice::Limited(TrunkName::new(names.trunks.name(id))))
    }

    /// The pause reason's label: a free text, so a list, or the first that come.
    pub(super) fn reason(&mut self, names: &Names, id: ReasonId) -> Option<Labelled<ReasonId>> {
        let listed = &self.settings.pause_reasons;
        self.reasons.of(id, || {
            let name = names.reasons.name(id);
            match listed.is_empty() {
                true => Choice::Limited(ReasonName::new(name)),
                false if listed.iter().any(|reason| reason == name) => {
                    Choice::Free(ReasonName::new(name))
                }
                false => Choice::Free(ReasonName::new(OTHER)),
            }
        })
    }
}

/// A name with its label.
#[derive(Clone, Debug)]
pub(super) struct Labelled<I> {
    pub(super) id: I,
    pub(super) name: Name<I>,
    /// Whether others share the label: a limit was reached, or the configuration has it for several.
    pub(super) folded: bool,
}

impl<K> Labelled<Id<K>> {
    /// Nobody and nothing, whose label is empty.
    pub(super) fn none() -> Self {
        Self { id: Id::NONE, name: Name::new(""), folded: false }
    }
}

/// What is decided about a name before its place is counted.
enum Choice<I> {
    /// It gets this label if there is room.
    Limited(Name<I>),
    /// It gets this label, which is one of few.
    Free(Name<I>),
    /// It gets this label with others.
    Shared(Name<I>),
    /// It is not exported.
    Hidden,
}

/// The labels of one kind of names, by id.
#[derive(Debug)]
struct Values<I> {
    decided: Vec<Option<Decision<I>>>,
    room: usize,
    overflow: Counter,
}

#[derive(Clone, Debug)]
enum Decision<I> {
    Alone(Name<I>),
    Folded(Name<I>),
    Hidden,
}

impl<K: Clone> Values<Id<K>> {
    fn new(limit: usize, overflow: Counter) -> Self {
        Self { decided: Vec::new(), room: limit, overflow }
    }

    fn of(&mut self, id: Id<K>, choose: impl FnOnce() -> Choice<Id<K>>) -> Option<Labelled<Id<K>>> {
        let at = id.index();
        if at >= self.decided.len() {
            self.decided.resize(at + 1, None);
        }

        let decision = match self.decided[at].take() {
            Some(decision) => decision,
            None if id.is_none() => Decision::Alone(Name::new("")),
            None => self.decide(choose()),
        };
        let decision = self.decided[at].insert(decision);

        match decision {
            Decision::Alone(name) => Some(Labelled { id, name: name.clone(), folded: false }),
            Decision::Folded(name) => Some(Labelled { id, name: name.clone(), folded: true }),
            Decision::Hidden => None,
        }
    }

    fn decide(&mut self, choice: Choice<Id<K>>) -> Decision<Id<K>> {
        match choice {
            Choice::Hidden => Decision::Hidden,
            Choice::Free(name) => Decision::Alone(name),
            Choice::Shared(name) => Decision::Folded(name),
            Choice::Limited(name) if self.room > 0 => {
                self.room -= 1;
                Decision::Alone(name)
            }
            Choice::Limited(_) => {
                self.overflow.inc();
                Decision::Folded(Name::new(OTHER))
            }
        }
    }
}

/// Twelve hex digits are enough to distinguish some millions of agents.
fn hashed(salt: &str, name: &str) -> String {
    let digest = Md5::new().chain_update(salt).chain_update(name).finalize();
    digest.iter().take(6).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_first_twelve_digits_of_md5_over_salt_and_name() {
        assert_eq!(hashed("", ""), "d41d8cd98f00");
        assert_eq!(hashed("a", "bc"), "900150983cd2");
    }
}
