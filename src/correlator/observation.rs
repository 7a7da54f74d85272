//! Observations: facts about calls, queues and agents, in ids, counts and durations.
//!
//! An observation says what happened and knows nothing of how it is counted.  Sets of values are
//! enums whose [`Word::word`] is the label value the contract (METRICS.md) names.

use std::time::Duration;

use super::cause::Cause;
use super::names::{AgentId, Names, QueueId, ReasonId, TrunkId};

/// Takes the correlator's observations, at once and in order.
pub trait Observe {
    /// One fact; `names` resolves its ids.  `of` is whose it is, for facts of a stay whose caller
    /// is known.
    fn observe(&mut self, names: &Names, fact: Observation, of: Option<Caller<'_>>);
}

/// Whose stay a fact is about: never a label, but what finds the call again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caller<'a> {
    /// Uniqueid of the caller's channel; queue_log names calls by it.
    pub uniqueid: &'a [u8],
    /// What all channels of the call have in common now.
    pub linkedid: &'a [u8],
}

/// One fact.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are called by their types, or documented at their variant")]
pub enum Observation {
    /// A queue is known now, or its own `servicelevel` changed (`None`: not known yet, or 0).
    QueueKnown { queue: QueueId, service_level: Option<Duration> },
    /// An agent is a member of a queue.
    MemberKnown { queue: QueueId, agent: AgentId },
    /// A trunk is known now.
    TrunkKnown { trunk: TrunkId },
    /// A caller joined.
    Entered { queue: QueueId },
    /// A stay was found already going on.
    Adopted { queue: QueueId, phase: Phase },
    /// A caller's wait ended; `hold` is unknown for [`Outcome::Lost`] and where neither clock nor
    /// field gives it.
    Exited { queue: QueueId, outcome: Outcome, hold: Option<Duration> },
    /// A member whose penalty is this one ended a wait: follows an [`Outcome::Answered`].
    AnsweredBy { queue: QueueId, penalty: Penalty },
    /// In which place, from 1, a caller joined or abandoned.
    Positioned { queue: QueueId, at: PositionAt, position: u32 },
    /// A caller was never let in.
    Refused { queue: QueueId, reason: Refusal },
    /// A ring attempt began: not counted, but its series begin.
    RingBegan { queue: QueueId, agent: AgentId },
    /// A ring attempt ended.
    RingEnded { queue: QueueId, agent: AgentId, result: RingResult, length: Option<Duration> },
    /// A connected call ended.
    Completed { queue: QueueId, agent: AgentId, ended_by: EndedBy, talk: Option<Duration> },
    /// The agent of a connected call that ended had put the caller on hold; `spent` is unknown where
    /// the length of the talk is.  `hung_up` if the caller ended the call meanwhile.
    Held { queue: QueueId, agent: AgentId, times: u32, spent: Option<Duration>, hung_up: bool },
    /// The queue's bridge was transferred.
    Transferred { queue: QueueId, agent: AgentId, kind: TransferKind, by: TransferBy },
    /// Where a transferred call of a queue went.
    TransferArrived { queue: QueueId, to: TransferTo },
    /// A caller of a queue joined another one, or the same once more.
    Flowed { queue: QueueId, to: QueueId, by: FlowBy },
    /// The agent hung up during the announcement.
    AgentDumped { queue: QueueId, agent: AgentId },
    /// A member was paused or unpaused, maybe once more.
    MemberPaused { queue: QueueId, agent: AgentId, change: PauseChange },
    /// Time spent in wrap-up since the last such observation.
    WrappedUp { queue: QueueId, agent: AgentId, spent: Duration },
    /// A leg of a stay hung up.
    QueueHangup { queue: QueueId, agent: AgentId, leg: Leg, cause: Cause },
    /// A connected caller was put into a holding bridge, such as a parking lot: not counted,
    /// `audit` uses it.
    CallerParked { queue: QueueId },
    /// A connected stay was recorded (once a stay).
    RecordedCall { queue: QueueId, agent: AgentId },
    /// Time an agent spent in a state since the last such observation.
    AgentTime { agent: AgentId, state: AgentState, reason: ReasonId, spent: Duration },
    /// An agent took the first place in a queue, or left the last one.
    AgentLogin { agent: AgentId, change: LoginChange },
    /// Somebody is called; what the call will be counted under if this is answered, or ends it.  Not
    /// counted, but its series begin.
    CallBegan { direction: Direction, agent: AgentId, trunk: TrunkId },
    /// A call ended.
    CallEnded { direction: Direction, agent: AgentId, trunk: TrunkId, result: CallResult },
    /// How long a call's first dial rang until its answer or end.
    CallRang { direction: Direction, result: CallResult, length: Duration },
    /// How long a call was bridged.
    CallTalked { direction: Direction, agent: AgentId, length: Duration },
    /// The one cause of a call.
    CallHangup { direction: Direction, agent: AgentId, trunk: TrunkId, cause: Cause },
    /// A dialled trunk leg ended.
    TrunkAttempt { trunk: TrunkId, result: CallResult },
    /// Its cause.
    TrunkHangup { trunk: TrunkId, cause: Cause },
    /// A recording ended.
    RecordingEnded,
    /// Something was measured of the sound of a channel that ended; each of a channel's once.
    VoiceMeasured { of: EndpointOf, measure: VoiceMeasure },
    /// Something that should not happen, or drift that a snapshot mended.
    Anomaly(Anomaly),
    /// The log of the PBX told something that a gap had hidden, and it was counted.
    Repaired(Repair),
    /// There were more than the limit, so the oldest of them is followed no longer.
    GivenUp(GivenUp),
}

/// Whose an endpoint is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndpointOf {
    /// A carrier's.
    Trunk(TrunkId),
    /// An agent's.
    Agent(AgentId),
}

/// What was measured of a channel's sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum VoiceMeasure {
    /// Interarrival jitter.
    Jitter(StreamOf, Duration),
    /// The share of packets that were lost.
    Loss(StreamOf, f64),
    /// Asterisk's Media Experience Score of what it received, from 0 to 100.
    Score(f64),
    /// From the PBX to the far end and back.
    RoundTrip(Duration),
}

impl PauseChange {
    /// What makes a member paused, or not.
    pub const fn of(paused: bool) -> Self {
        if paused { Self::Paused } else { Self::Unpaused }
    }
}

/// A closed set of label values.
pub trait Word: Copy + Sized + 'static {
    /// Every value, in the order of the contract.
    const ALL: &'static [Self];
    /// The label value.
    fn word(self) -> &'static str;
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];
            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

pub(super) use words;

words! {
    /// What the log of the PBX told of a gap.
    Repair {
        /// A caller joined.
        Entry = "entry",
        /// A wait ended.
        Exit = "exit",
        /// A talk ended.
        Completion = "completion",
        /// A ring attempt ended.
        Ring = "ring",
        /// A member was paused or unpaused.
        Pause = "pause",
    }
}

words! {
    /// In what phase a stay was adopted.
    Phase {
        /// Still waiting for an agent.
        Waiting = "waiting",
        /// Already connected to one.
        Talking = "talking",
    }
}

words! {
    /// How a caller's wait ended.
    Outcome {
        /// Connected to an agent.
        Answered = "answered",
        /// The caller gave up.
        Abandoned = "abandoned",
        /// The queue's time limit, or one pass through the agents, was over.
        Timeout = "timeout",
        /// `leavewhenempty` sent the caller out.
        LeaveEmpty = "leave_empty",
        /// QueueWithdrawCaller took the caller out.
        Withdrawn = "withdrawn",
        /// Somebody redirected the waiting caller elsewhere; ABANDON in queue_log.
        Redirected = "redirected",
        /// The caller pressed the exit key.
        ExitKey = "exit_key",
        /// Caller and agent have no codec in common (queue_log: SYSCOMPAT).
        Incompatible = "incompatible",
        /// Left without an agent, and the PBX did not show why.
        Unserved = "unserved",
        /// Ended while the exporter was not synchronised.
        Lost = "lost",
    }
}

words! {
    /// The penalty of a member in its queue: members with a lower one are called first.
    Penalty {
        /// Penalty 0, the default.
        P0 = "0",
        /// Penalty 1.
        P1 = "1",
        /// Penalty 2.
        P2 = "2",
        /// Penalty 3.
        P3 = "3",
        /// Penalty 4.
        P4 = "4",
        /// Penalty 5.
        P5 = "5",
        /// Penalty 6.
        P6 = "6",
        /// Penalty 7.
        P7 = "7",
        /// Penalty 8.
        P8 = "8",
        /// Penalty 9.
        P9 = "9",
        /// All that are higher.
        Higher = "10+",
        /// No event or list has described the member.
        Unknown = "unknown",
    }
}

impl Penalty {
    /// Of the number that events and lists have.
    pub(super) fn of(number: Option<u32>) -> Self {
        let Some(number) = number else { return Self::Unknown };
        let exact = Self::ALL.iter().take(10).nth(number as usize);
        exact.copied().unwrap_or(Self::Higher)
    }
}

words! {
    /// When a caller was in a place of the queue.
    PositionAt {
        /// On joining (queue_log: ENTERQUEUE).
        Entry = "entry",
        /// On giving up (queue_log: ABANDON).
        Abandon = "abandon",
    }
}

words! {
    /// Why a caller was never let in.
    Refusal {
        /// `maxlen` reached.
        Full = "full",
        /// `joinempty` and nobody there.
        JoinEmpty = "join_empty",
        /// `joinempty` and nobody available.
        JoinUnavailable = "join_unavailable",
        /// No queue of that name.
        UnknownQueue = "unknown_queue",
    }
}

words! {
    /// How a ring attempt ended.
    RingResult {
        /// The agent took the call.
        Answered = "answered",
        /// Nobody took it (RONA).
        NoAnswer = "no_answer",
        /// The phone was busy.
        Busy = "busy",
        /// The phone could not be reached or refused.
        Failed = "failed",
        /// Another agent took the call, or the caller left.
        Canceled = "canceled",
        /// Ended while the exporter was not synchronised.
        Lost = "lost",
    }
}

words! {
    /// Who ended a connected call.
    EndedBy {
        /// AgentComplete's Reason, or the first HangupRequest.
        Caller = "caller",
        /// AgentComplete's Reason, or the first HangupRequest.
        Agent = "agent",
        /// AgentComplete's Reason.
        Transfer = "transfer",
        /// No event reports it.
        Unknown = "unknown",
        /// Ended while the exporter was not synchronised.
        Lost = "lost",
    }
}

words! {
    /// A kind of transfer.
    TransferKind {
        /// Without asking first.
        Blind = "blind",
        /// After a consultation.
        Attended = "attended",
    }
}

words! {
    /// Who transferred.
    TransferBy {
        /// The agent.
        Agent = "agent",
        /// The caller.
        Caller = "caller",
    }
}

words! {
    /// Where a transferred call went.
    TransferTo {
        /// Into a queue.
        Queue = "queue",
        /// To the device of an agent.
        Agent = "agent",
        /// To a trunk.
        Trunk = "trunk",
        /// Anywhere else, or nowhere.
        Other = "other",
    }
}

words! {
    /// What brought a caller from one queue into another.
    FlowBy {
        /// A transfer.
        Transfer = "transfer",
        /// The dialplan, or a redirect.
        Dialplan = "dialplan",
    }
}

words! {
    /// What a pause event changed.
    PauseChange {
        /// Paused (queue_log: PAUSE).
        Paused = "paused",
        /// Unpaused (queue_log: UNPAUSE).
        Unpaused = "unpaused",
    }
}

words! {
    /// Whether an agent came or went.
    LoginChange {
        /// The first place in any queue was taken.
        In = "login",
        /// The last place was left.
        Off = "logoff",
    }
}

words! {
    /// Which leg hung up.
    Leg {
        /// The caller's.
        Caller = "caller",
        /// A rung agent's.
        Agent = "agent",
    }
}

words! {
    /// What an agent, or a member of a queue, is doing; first match counts, in this order.
    AgentState {
        /// Connected by this queue.
        Talking = "talking",
        /// Connected by this queue, and the agent pressed hold.
        OnHold = "on_hold",
        /// Being called.
        Ringing = "ringing",
        /// In any other call.
        Busy = "busy",
        /// Within the wrap-up time after a queue's call.
        WrapUp = "wrapup",
        /// The device is in use, and its phone is in no call: do-not-disturb.
        Dnd = "dnd",
        /// The phone is unreachable or invalid.
        Unavailable = "unavailable",
        /// Paused.
        Paused = "paused",
        /// Could take a call.
        Available = "available",
        /// No synchronised session.
        Unknown = "unknown",
    }
}

words! {
    /// Where a call came from and went to.
    Direction {
        /// From a trunk.
        Inbound = "inbound",
        /// To a trunk.
        Outbound = "outbound",
        /// Agent to agent.
        Internal = "internal",
        /// The configuration does not decide it.
        Unknown = "unknown",
    }
}

words! {
    /// What kind of call an agent is in who is busy.
    CallKind {
        /// With a caller whom a queue had connected, to somebody else or by another name.
        Queue = "queue",
        /// From a trunk.
        Inbound = "inbound",
        /// To a trunk.
        Outbound = "outbound",
        /// With a colleague.
        Internal = "internal",
        /// Neither events nor the configuration show it.
        Unknown = "unknown",
    }
}

words! {
    /// How a call, or the dialling of a trunk, ended.
    CallResult {
        /// Somebody, or an application alone, answered.
        Answered = "answered",
        /// It rang out.
        NoAnswer = "no_answer",
        /// Busy.
        Busy = "busy",
        /// The network had no room.
        Congestion = "congestion",
        /// The caller gave up.
        Canceled = "canceled",
        /// Anything else.
        Failed = "failed",
    }
}

words! {
    /// Which of the two streams of a channel's sound.
    StreamOf {
        /// What the PBX received.
        Received = "received",
        /// What the PBX sent, as the far end reported it.
        Sent = "sent",
    }
}

words! {
    /// What should not happen, but does.
    Anomaly {
        /// The first event of a stay was not its Join.
        StayWithoutJoin = "stay_without_join",
        /// A Join for a stay that is already open.
        DuplicateJoin = "duplicate_join",
        /// An AgentComplete that fits no connected call.
        CompleteWithoutCall = "complete_without_call",
        /// A connected call ended without an AgentComplete within five seconds.
        CompleteMissing = "complete_missing",
        /// The end of a ring attempt that fits none.
        RingWithoutCall = "ring_without_call",
        /// A caller's channel ended while the stay was still open.
        StayOutlivedChannel = "stay_outlived_channel",
        /// A refusal on a channel whose queue is not known.
        RefusalWithoutQueue = "refusal_without_queue",
        /// QueueStatus lists a caller whose Join did not come.
        CallerAppeared = "caller_appeared",
        /// A waiting caller is not in QueueStatus any more, and no event reported it.
        CallerVanished = "caller_vanished",
        /// A member appeared without an event (realtime, or a reload).
        MemberAppeared = "member_appeared",
        /// A member vanished without an event.
        MemberVanished = "member_vanished",
        /// A member's pause, status or penalty changed without an event.
        MemberDrifted = "member_drifted",
        /// A channel vanished without a Hangup.
        ChannelVanished = "channel_vanished",
        /// A call whose end was hidden, and whose result nobody can know.
        CallLost = "call_lost",
        /// Something was still open past its last deadline.
        Expired = "expired",
    }
}

words! {
    /// What is followed no longer, since there were too many of its kind.
    GivenUp {
        /// A channel, with all that it took part in.
        Channel = "channel",
        /// One passage of a caller through a queue.
        Stay = "stay",
        /// An agent's place in a queue.
        Member = "member",
        /// A recording.
        Recording = "recording",
    }
}
