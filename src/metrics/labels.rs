//! Labels as types: what each metric is counted by, and the label set that a series keeps of them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder};

use super::overflow::Limit;
use crate::correlator::{
    AgentId, AgentState, Anomaly, CallResult, Cause, Direction, EndedBy, Leg, Missing, OTHER,
    Outcome, PauseChange, Phase, QueueId, ReasonId, Refusal, RingResult, TransferBy, TransferKind,
    TrunkId, Word,
};
use crate::pbx::PbxName;

/// The labels of one series, in their order in the text.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct LabelSet(Arc<[Label]>);

/// One label: its name and its value.
type Label = (&'static str, LabelValue);

impl LabelSet {
    /// The labels of a metric that has one series.
    pub(super) fn none() -> Self {
        Self(Arc::new([]))
    }

    /// Labels whose values are known when the exporter is built.
    pub(super) fn fixed(labels: &[(&'static str, &'static str)]) -> Self {
        Self(labels.iter().map(|&(name, value)| (name, LabelValue::Fixed(value))).collect())
    }

    /// Names and values.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The PBX that the series is about; `None` if it is about the exporter as a whole.
    pub(super) fn pbx(&self) -> Option<&str> {
        self.iter().find(|(name, _)| *name == PBX).map(|(_, value)| value)
    }
}

/// For the registry's own encoder.
impl EncodeLabelSet for LabelSet {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        self.iter().try_for_each(|label| label.encode(encoder.encode_label()))
    }
}

/// A label's value: most are words, so only names are kept on the heap, and series share them.
#[derive(Clone, Debug)]
enum LabelValue {
    Fixed(&'static str),
    Shared(Arc<str>),
}

impl LabelValue {
    fn as_str(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Shared(text) => text,
        }
    }
}

impl PartialEq for LabelValue {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for LabelValue {}

impl Hash for LabelValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// A field of a label set: one label, or several that belong together.
trait Field {
    fn add(self, name: &'static str, labels: &mut Vec<Label>);
}

impl Field for &'static str {
    fn add(self, name: &'static str, labels: &mut Vec<Label>) {
        labels.push((name, LabelValue::Fixed(self)));
    }
}

impl<W: Word> Field for W {
    fn add(self, name: &'static str, labels: &mut Vec<Label>) {
        self.word().add(name, labels);
    }
}

/// A name as a label has it; `I` is the id it belongs to.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Name<I>(Arc<str>, PhantomData<I>);

impl<I> Name<I> {
    pub(super) fn new(text: &str) -> Self {
        Self(text.into(), PhantomData)
    }
}

pub(super) type QueueName = Name<QueueId>;
pub(super) type AgentName = Name<AgentId>;
pub(super) type TrunkName = Name<TrunkId>;
pub(super) type ReasonName = Name<ReasonId>;

impl<I> Field for Name<I> {
    fn add(self, name: &'static str, labels: &mut Vec<Label>) {
        labels.push((name, LabelValue::Shared(self.0)));
    }
}

impl Field for PbxName {
    fn add(self, name: &'static str, labels: &mut Vec<Label>) {
        labels.push((name, LabelValue::Shared(self.into())));
    }
}

/// A cause as two labels, its number and its name; causes Asterisk does not know are all `other`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct CauseLabels(Option<(Cause, &'static str)>);

impl CauseLabels {
    /// How many there are.
    pub(super) const COUNT: usize = Cause::COUNT + 1;
}

impl From<Cause> for CauseLabels {
    fn from(cause: Cause) -> Self {
        Self(cause.text().map(|text| (cause, text)))
    }
}

impl Field for CauseLabels {
    fn add(self, name: &'static str, labels: &mut Vec<Label>) {
        let (number, text) = match self.0 {
            Some((Cause(number), text)) => (LabelValue::Shared(number.to_string().into()), text),
            None => (LabelValue::Fixed(OTHER), OTHER),
        };
        labels.push((name, number));
        labels.push(("cause_text", LabelValue::Fixed(text)));
    }
}

/// What the exporter holds in memory.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Tracked {
    Channel,
    Stay,
    Call,
}

impl Word for Tracked {
    const ALL: &'static [Self] = &[Self::Channel, Self::Stay, Self::Call];

    fn word(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Stay => "stay",
            Self::Call => "call",
        }
    }
}

/// A label set: `pbx`, then the fields between the braces.
macro_rules! label_sets {
    ($($set:ident { $($label:ident: $value:ty),* })+) => { $(
        #[derive(Clone, Debug)]
        pub(super) struct $set {
            pub(super) pbx: PbxName,
            $(pub(super) $label: $value,)*
        }

        impl From<$set> for LabelSet {
            fn from(set: $set) -> Self {
                let mut labels = Vec::with_capacity(6);
                set.pbx.add(PBX, &mut labels);
                $(set.$label.add(stringify!($label), &mut labels);)*
                Self(labels.into())
            }
        }
    )+ };
}

label_sets! {
    PbxLabels {}

    QueueLabels { queue: QueueName }
    AdoptedLabels { queue: QueueName, phase: Phase }
    ExitLabels { queue: QueueName, outcome: Outcome }
    RefusalLabels { queue: QueueName, reason: Refusal }
    QueueAgentsLabels { queue: QueueName, state: AgentState }

    MemberLabels { queue: QueueName, agent: AgentName }
    RingLabels { queue: QueueName, agent: AgentName, result: RingResult }
    CompletionLabels { queue: QueueName, agent: AgentName, ended_by: EndedBy }
    TransferLabels { queue: QueueName, agent: AgentName, kind: TransferKind, by: TransferBy }
    PauseLabels { queue: QueueName, agent: AgentName, change: PauseChange }
    QueueHangupLabels { queue: QueueName, agent: AgentName, leg: Leg, cause: CauseLabels }

    AgentStateLabels { agent: AgentName, state: AgentState }
    AgentTimeLabels { agent: AgentName, state: AgentState, reason: ReasonName }

    CallLabels { direction: Direction, agent: AgentName, trunk: TrunkName, result: CallResult }
    CallRingLabels { direction: Direction, result: CallResult }
    CallTalkLabels { direction: Direction, agent: AgentName }
    CallHangupLabels {
        direction: Direction, agent: AgentName, trunk: TrunkName, cause: CauseLabels
    }
    DirectionLabels { direction: Direction }

    TrunkLabels { trunk: TrunkName }
    TrunkAttemptLabels { trunk: TrunkName, result: CallResult }
    TrunkHangupLabels { trunk: TrunkName, cause: CauseLabels }

    EventLabels { event: &'static str }
    ReasonLabels { reason: &'static str }
    AnomalyLabels { kind: Anomaly }
    TrackedLabels { kind: Tracked }
    DegradedLabels { reason: Missing }
    OverflowLabels { label: Limit }
}

/// The first label of everything that is about one PBX.
const PBX: &str = "pbx";
