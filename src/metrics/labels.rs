//! Labels as types: what each metric is counted by, and the text that a series keeps of them.

use std::borrow::Cow;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use memchr::{memchr2, memchr3};
use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder};

use super::overflow::Limit;
use crate::correlator::{
    AgentId, AgentState, Anomaly, CallKind, CallResult, Cause, Direction, EndedBy, FlowBy, GivenUp,
    Leg, Missing, OTHER, Outcome, PauseChange, Penalty, Phase, PositionAt, QueueId, ReasonId,
    Refusal, Repair, RingResult, StreamOf, TransferBy, TransferKind, TransferTo, TrunkId, Word,
};
use crate::pbx::PbxName;

/// The labels of one series, in their order in the text, as they are written there:
/// `pbx="hq",queue="sales"`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct LabelSet<'a>(pub(super) &'a str);

impl<'a> LabelSet<'a> {
    /// Names and values.
    pub(super) fn iter(self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            // No name has the sign.
            let (name, value) = rest.split_once('=')?;
            let value = value.strip_prefix('"')?;
            let end = closing_quote(value);
            rest = value.get(end + 1..).unwrap_or_default();
            rest = rest.strip_prefix(',').unwrap_or(rest);
            Some((name, unescaped(&value[..end])))
        })
    }

    /// Whether the series is about one PBX, and not about the exporter as a whole.
    pub(super) fn has_pbx(self) -> bool {
        self.0.strip_prefix(PBX).is_some_and(|rest| rest.starts_with("=\""))
    }

    /// Whether the series is about the PBX whose label is written like `pbx`.
    pub(super) fn is_of(self, pbx: &str) -> bool {
        self.0.strip_prefix(pbx).is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
    }
}

/// For the registry's own encoder.
impl EncodeLabelSet for LabelSet<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        let mut all = self.iter();
        all.try_for_each(|(name, value)| (name, value.as_ref()).encode(encoder.encode_label()))
    }
}

/// Where the quote is that ends a value.
fn closing_quote(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found;
        if bytes[at] == b'"' {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(sign) = rest.next() {
        text.push(match sign {
            '\\' => match rest.next() {
                Some('n') => '\n',
                other => other.unwrap_or(sign),
            },
            _ => sign,
        });
    }
    Cow::Owned(text)
}

/// Labels that can be written.
pub(super) trait Labels {
    /// Appends the labels as both text formats write them.
    fn write_to(&self, text: &mut String);
}

/// Labels whose values are known when the exporter is built.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Fixed(pub(super) &'static [(&'static str, &'static str)]);

impl Labels for Fixed {
    fn write_to(&self, text: &mut String) {
        for &(name, value) in self.0 {
            write_label(text, name, value);
        }
    }
}

/// For the registry's own encoder.
impl EncodeLabelSet for Fixed {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|label| label.encode(encoder.encode_label()))
    }
}

/// Appends a label, and a comma in front of it.
fn write_label(text: &mut String, name: &str, value: &str) {
    begin_label(text, name);
    escape(text, value);
    text.push('"');
}

/// The same of a value that has nothing to escape, or is escaped.
fn write_escaped(text: &mut String, name: &str, value: &str) {
    begin_label(text, name);
    text.push_str(value);
    text.push('"');
}

fn begin_label(text: &mut String, name: &str) {
    text.push_str(if text.is_empty() { "" } else { "," });
    text.push_str(name);
    text.push_str("=\"");
}

/// Appends a value; few have anything to escape.
pub(super) fn escape(text: &mut String, value: &str) {
    let mut rest = value;
    while let Some(at) = memchr3(b'\\', b'"', b'\n', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        text.push_str(match rest.as_bytes()[at] {
            b'\\' => "\\\\",
            b'"' => "\\\"",
            _ => "\\n",
        });
        rest = &rest[at + 1..];
    }
    text.push_str(rest);
}

/// A field of a label set: one label, or several that belong together.
pub(super) trait Field {
    fn add(&self, name: &str, text: &mut String);
}

impl Field for &'static str {
    fn add(&self, name: &str, text: &mut String) {
        write_label(text, name, self);
    }
}

/// Words are lower-case letters and underscores.
impl<W: Word> Field for W {
    fn add(&self, name: &str, text: &mut String) {
        write_escaped(text, name, self.word());
    }
}

/// A name as a label has it, escaped once for all series; `I` is the id it belongs to.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Name<I>(Arc<str>, PhantomData<I>);

impl<I> Name<I> {
    pub(super) fn new(text: &str) -> Self {
        let mut escaped = String::with_capacity(text.len());
        escape(&mut escaped, text);
        Self(escaped.into(), PhantomData)
    }

    /// The name as it was.
    pub(super) fn text(&self) -> Cow<'_, str> {
        unescaped(&self.0)
    }
}

pub(super) type QueueName = Name<QueueId>;
pub(super) type AgentName = Name<AgentId>;
pub(super) type TrunkName = Name<TrunkId>;
pub(super) type ReasonName = Name<ReasonId>;
pub(super) type GroupName = Name<Group>;
pub(super) type TeamName = Name<Team>;

/// What several queues are together, by the configuration.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Group {}
/// What several agents are together, by the configuration.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Team {}

impl<I> Field for Name<I> {
    fn add(&self, name: &str, text: &mut String) {
        write_escaped(text, name, &self.0);
    }
}

impl Field for PbxName {
    fn add(&self, name: &str, text: &mut String) {
        write_label(text, name, self.as_str());
    }
}

/// A cause as two labels, its number and its name; causes Asterisk does not know are all `other`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct CauseLabels(Option<Cause>);

impl CauseLabels {
    /// How many there are.
    pub(super) const COUNT: usize = Cause::COUNT + 1;
}

impl From<Cause> for CauseLabels {
    fn from(cause: Cause) -> Self {
        Self(cause.text().map(|_| cause))
    }
}

impl Field for CauseLabels {
    fn add(&self, name: &str, text: &mut String) {
        let known = self.0.and_then(|cause| Some((cause, cause.text()?)));
        let mut number = itoa::Buffer::new();
        let (number, words) =
            known.map_or((OTHER, OTHER), |(Cause(cause), words)| (number.format(cause), words));
        write_escaped(text, name, number);
        write_escaped(text, "cause_text", words);
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

        impl Labels for $set {
            fn write_to(&self, text: &mut String) {
                self.pbx.add(PBX, text);
                $(self.$label.add(stringify!($label), text);)*
            }
        }
    )+ };
}

label_sets! {
    PbxLabels {}

    QueueLabels { queue: QueueName }
    QueueInfoLabels { queue: QueueName, group: GroupName }
    AdoptedLabels { queue: QueueName, phase: Phase }
    ExitLabels { queue: QueueName, outcome: Outcome }
    PositionLabels { queue: QueueName, at: PositionAt }
    PenaltyLabels { queue: QueueName, penalty: Penalty }
    ArrivalLabels { queue: QueueName, to: TransferTo }
    FlowLabels { queue: QueueName, to_queue: QueueName, by: FlowBy }
    RefusalLabels { queue: QueueName, reason: Refusal }
    QueueAgentsLabels { queue: QueueName, state: AgentState }

    MemberLabels { queue: QueueName, agent: AgentName }
    RingLabels { queue: QueueName, agent: AgentName, result: RingResult }
    CompletionLabels { queue: QueueName, agent: AgentName, ended_by: EndedBy }
    TransferLabels { queue: QueueName, agent: AgentName, kind: TransferKind, by: TransferBy }
    PauseLabels { queue: QueueName, agent: AgentName, change: PauseChange }
    QueueHangupLabels { queue: QueueName, agent: AgentName, leg: Leg, cause: CauseLabels }

    AgentLabels { agent: AgentName }
    AgentStreamLabels { agent: AgentName, stream: StreamOf }
    AgentInfoLabels { agent: AgentName, team: TeamName }
    AgentStateLabels { agent: AgentName, state: AgentState }
    AgentCallLabels { agent: AgentName, kind: CallKind }
    AgentPauseLabels { agent: AgentName, reason: ReasonName }
    AgentTimeLabels { agent: AgentName, state: AgentState, reason: ReasonName }

    CallLabels { direction: Direction, agent: AgentName, trunk: TrunkName, result: CallResult }
    CallRingLabels { direction: Direction, result: CallResult }
    CallTalkLabels { direction: Direction, agent: AgentName }
    CallHangupLabels {
        direction: Direction, agent: AgentName, trunk: TrunkName, cause: CauseLabels
    }
    DirectionLabels { direction: Direction }

    TrunkLabels { trunk: TrunkName }
    TrunkStreamLabels { trunk: TrunkName, stream: StreamOf }
    EndpointLabels { agent: AgentName, trunk: TrunkName }
    TrunkAttemptLabels { trunk: TrunkName, result: CallResult }
    TrunkHangupLabels { trunk: TrunkName, cause: CauseLabels }

    EventLabels { event: &'static str }
    ReasonLabels { reason: &'static str }
    AnomalyLabels { kind: Anomaly }
    GivenUpLabels { kind: GivenUp }
    RepairLabels { kind: Repair }
    TrackedLabels { kind: Tracked }
    DegradedLabels { reason: Missing }
    OverflowLabels { label: Limit }
}

/// The first label of everything that is about one PBX.
const PBX: &str = "pbx";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_are_escaped_and_come_back() {
        for (value, escaped) in [
            ("plain", "plain"),
            ("", ""),
            ("\"", r#"\""#),
            ("\\", r"\\"),
            ("\\n", r"\\n"),
            ("a\nb", r"a\nb"),
            ("\",b=\"", r#"\",b=\""#),
            ("é\"\\\n\"é", r#"é\"\\\n\"é"#),
        ] {
            let mut text = String::new();
            write_label(&mut text, "a", value);
            write_label(&mut text, "z", value);
            assert_eq!(text, format!("a=\"{escaped}\",z=\"{escaped}\""));
            let labels: Vec<_> = LabelSet(&text).iter().collect();
            assert_eq!(labels, [("a", value.into()), ("z", value.into())]);
        }
        assert_eq!(LabelSet("").iter().count(), 0);
    }

    #[test]
    fn a_series_is_of_the_pbx_that_it_names_and_of_no_other() {
        let hq = r#"pbx="hq""#;
        for (labels, has, is) in [
            (r#"pbx="hq""#, true, true),
            (r#"pbx="hq",queue="a""#, true, true),
            (r#"pbx="hq\"",queue="a""#, true, false),
            (r#"pbx="hq2""#, true, false),
            (r#"version="1""#, false, false),
            (r#"pbxs="hq""#, false, false),
            ("", false, false),
        ] {
            assert_eq!(
                (LabelSet(labels).has_pbx(), LabelSet(labels).is_of(hq)),
                (has, is),
                "{labels}"
            );
        }
    }
}
