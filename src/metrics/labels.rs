//! Labels as types: what each metric is counted by.

use std::fmt::{self, Write};
use std::marker::PhantomData;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

use crate::correlator::{
    AgentId, AgentState, Anomaly, CallResult, Cause, Direction, EndedBy, Leg, Missing, OTHER,
    Outcome, PauseChange, Phase, QueueId, ReasonId, Refusal, RingResult, TransferBy, TransferKind,
    TrunkId, Word,
};
use crate::pbx::PbxName;

/// A name as it stands in a label; `I` is the id it belongs to.
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

impl<I> EncodeLabelValue for Name<I> {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(&self.0)
    }
}

impl EncodeLabelValue for PbxName {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.as_str())
    }
}

/// A cause as two labels, its number and its name; causes Asterisk does not know are all `other`.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub(super) struct CauseLabels {
    cause: CauseNumber,
    cause_text: &'static str,
}

impl From<Cause> for CauseLabels {
    fn from(cause: Cause) -> Self {
        match cause.text() {
            Some(text) => Self { cause: CauseNumber(Some(cause)), cause_text: text },
            None => Self { cause: CauseNumber(None), cause_text: OTHER },
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct CauseNumber(Option<Cause>);

impl EncodeLabelValue for CauseNumber {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self.0 {
            Some(Cause(number)) => write!(encoder, "{number}"),
            None => encoder.write_str(OTHER),
        }
    }
}

/// What the exporter holds in memory.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Held {
    Channel,
    Stay,
    Call,
}

impl Word for Held {
    const ALL: &'static [Self] = &[Self::Channel, Self::Stay, Self::Call];

    fn word(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Stay => "stay",
            Self::Call => "call",
        }
    }
}

macro_rules! words_are_label_values {
    ($($set:ty),+ $(,)?) => { $(
        impl EncodeLabelValue for $set {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
                encoder.write_str(self.word())
            }
        }
    )+ };
}

words_are_label_values!(
    AgentState,
    Anomaly,
    CallResult,
    Direction,
    EndedBy,
    Held,
    Leg,
    Missing,
    Outcome,
    PauseChange,
    Phase,
    Refusal,
    RingResult,
    TransferBy,
    TransferKind,
);

/// A label set: `pbx`, then what stands between the braces.
macro_rules! label_sets {
    ($($set:ident { $($(#[$how:meta])* $label:ident: $value:ty),* })+) => { $(
        #[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
        pub(super) struct $set {
            pub(super) pbx: PbxName,
            $($(#[$how])* pub(super) $label: $value,)*
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
    QueueHangupLabels { queue: QueueName, agent: AgentName, leg: Leg, #[prometheus(flatten)] cause: CauseLabels }

    AgentStateLabels { agent: AgentName, state: AgentState }
    AgentTimeLabels { agent: AgentName, state: AgentState, reason: ReasonName }

    CallLabels { direction: Direction, agent: AgentName, trunk: TrunkName, result: CallResult }
    CallRingLabels { direction: Direction, result: CallResult }
    CallTalkLabels { direction: Direction, agent: AgentName }
    CallHangupLabels {
        direction: Direction, agent: AgentName, trunk: TrunkName, #[prometheus(flatten)] cause: CauseLabels
    }
    DirectionLabels { direction: Direction }

    TrunkLabels { trunk: TrunkName }
    TrunkAttemptLabels { trunk: TrunkName, result: CallResult }
    TrunkHangupLabels { trunk: TrunkName, #[prometheus(flatten)] cause: CauseLabels }

    EventLabels { event: &'static str }
    WhyLabels { reason: &'static str }
    AnomalyLabels { kind: Anomaly }
    HeldLabels { kind: Held }
    DegradedLabels { reason: Missing }
    OverflowLabels { label: &'static str }
}
