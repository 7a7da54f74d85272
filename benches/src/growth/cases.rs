//! Every event that the correlator handles, in each of the ways it may take.

use std::time::Duration;

use asterisk_exporter::event::{
    AgentCall, AgentComplete, AgentConnect, AttendedTransfer, BlindTransfer, BridgeEnter,
    BridgeLeave, CallerAbandon, CallerJoin, CallerLeave, Channel, Dial, Hangup, Hint, IntoQueue,
    Kind, LocalBridge, MemberChange, NewExten, OriginateResponse, RingNoAnswer, Stream, VarSet,
    Voice, VoiceReport,
};

use super::world::{
    CROWD, Kinds, call, call_busy, carrier, channel, dial_end, enter, everywhere, joined, leg,
    member_of_crowd, ringing, run_queue, talk, text,
};

/// One event among `n` of everything.
pub(super) struct Case {
    pub name: &'static str,
    /// What comes before it; `id` is new, and `i` one of the objects that go on.
    pub before: fn(id: &str, i: usize) -> Kinds,
    pub event: fn(id: &str, i: usize) -> Kind<'static>,
}

const fn case(
    name: &'static str,
    before: fn(&str, usize) -> Kinds,
    event: fn(&str, usize) -> Kind<'static>,
) -> Case {
    Case { name, before, event }
}

pub(super) const CASES: &[Case] = &[
    // Channels.
    case("Newchannel of a trunk", nothing, |id, _| Kind::NewChannel(carrier(id))),
    case("Newchannel of an agent in many queues", nothing, |id, _| {
        Kind::NewChannel(channel("SIP/everywhere", id, id))
    }),
    case("Newchannel of nobody's phone", nothing, |id, _| {
        Kind::NewChannel(channel("SIP/new", id, id))
    }),
    case("Hangup of a call", born, |id, _| hangup(carrier(id))),
    case("Hangup of a caller who waits", |id, _| joined(id), |id, _| hangup(carrier(id))),
    case("Hangup of a caller who runs Queue", running_queue, |id, _| hangup(carrier(id))),
    case("Hangup of a caller who left", left, |id, _| hangup(carrier(id))),
    case("Hangup of a caller who talks", talking, |id, _| hangup(carrier(id))),
    case("Hangup of an agent's leg", talking, |id, i| hangup(leg_of(id, i))),
    case("Hangup of a leg that rings", ringing, |id, i| hangup(leg_of(id, i))),
    case("Hangup in a bridge of many", in_conference, |id, _| hangup(carrier(id))),
    case("HangupRequest", talking, |id, _| Kind::HangupRequest(carrier(id))),
    case("Newexten", born, |id, _| exten(id, b"Dial", b"")),
    case("Newexten of Queue", born, |id, _| run_queue(carrier(id))),
    case("Newexten of a caller who left", left, |id, _| exten(id, b"Playback", b"bye")),
    case("VarSet QUEUEPOSITION", left, |id, _| var(id, b"QUEUEPOSITION", b"1")),
    case("VarSet QUEUESTATUS of a caller who left", left, |id, _| {
        var(id, b"QUEUESTATUS", b"TIMEOUT")
    }),
    case("VarSet QUEUESTATUS of a caller who was refused", running_queue, |id, _| {
        var(id, b"QUEUESTATUS", b"FULL")
    }),
    case("VarSet RTPAUDIOQOS", talking, |id, _| voice(id)),
    case("Hangup of a trunk with RTPAUDIOQOS", measured, |id, _| hangup(carrier(id))),
    // Dialling.
    case("DialBegin to a trunk", born_phone, |id, _| dial(Some(phone(id)), trunk_leg(id))),
    case("DialBegin of an Originate", nothing, |id, _| dial(None, originated(id))),
    case("DialBegin of an agent's leg", called, |id, i| dial(Some(carrier(id)), leg_of(id, i))),
    case("DialBegin of where a ring attempt was forwarded to", forwarded, |id, _| {
        dial(Some(carrier(id)), channel("SIP/other", format_args!("{id}.f"), id))
    }),
    case("DialBegin behind a Local member", local_called, |id, i| {
        dial(Some(local(id, 2)), leg_of(id, i))
    }),
    case("DialEnd ANSWER of a trunk", dialled_out, |id, _| {
        dial_end(phone(id), trunk_leg(id), b"ANSWER", false)
    }),
    case("DialEnd ANSWER of an agent", ringing, |id, i| {
        dial_end(carrier(id), leg_of(id, i), b"ANSWER", false)
    }),
    case("DialEnd BUSY of an agent", ringing, |id, i| {
        dial_end(carrier(id), leg_of(id, i), b"BUSY", false)
    }),
    case("DialEnd CANCEL of an agent", ringing, |id, i| {
        dial_end(carrier(id), leg_of(id, i), b"CANCEL", false)
    }),
    case("DialEnd with a forward", ringing, |id, i| {
        dial_end(carrier(id), leg_of(id, i), b"BUSY", true)
    }),
    case("OriginateResponse with its channel", dialled_originate, |id, _| response(Some(id), b"")),
    case("OriginateResponse by dial string", nothing, |_, _| response(None, b"SIP/9@x")),
    case("OriginateResponse of nothing", nothing, |_, _| response(None, b"SIP/none")),
    case("LocalBridge", local_halves, |id, _| {
        Kind::LocalBridge(LocalBridge { one: local(id, 1).uid, two: local(id, 2).uid })
    }),
    // Bridges.
    case("BridgeEnter of a bridge of many", born, |id, _| enter(b"conference", carrier(id))),
    case("BridgeEnter of a caller who talks", talking, |id, _| enter(b"other", carrier(id))),
    case(
        "BridgeEnter of a caller who waits",
        |id, _| joined(id),
        |id, _| enter(b"taken", carrier(id)),
    ),
    case("BridgeEnter of a parking lot", talking, |id, _| parked(id)),
    case("BridgeEnter with a swap", talking, swapped),
    case("BridgeLeave of a bridge of many", in_conference, |id, _| leave_conference(id)),
    case("BridgeLeave of an agent", talking, |id, i| {
        Kind::BridgeLeave(BridgeLeave { bridge: bridge_of(id), channel: leg_of(id, i) })
    }),
    case("Hold", talking, |id, i| Kind::Hold(leg_of(id, i))),
    case("Unhold", held, |id, i| Kind::Unhold(leg_of(id, i))),
    case("BlindTransfer", talking, |id, i| {
        let (transferer, transferee) = (leg_of(id, i).uid, carrier(id).uid);
        let bridge = bridge_of(id);
        Kind::BlindTransfer(BlindTransfer { success: true, transferer, bridge, transferee })
    }),
    case("AttendedTransfer", talking, |id, i| transfer(id, i, None)),
    case("AttendedTransfer into a queue", consulting, |id, i| {
        let into = IntoQueue { from: second(id).uid, to: carrier(id) };
        transfer(id, i, Some(into))
    }),
    // Queues.
    case("QueueCallerJoin", born, |id, _| join(id)),
    case("QueueCallerJoin of a new channel", nothing, |id, _| join(id)),
    case("QueueCallerJoin, again", |id, _| joined(id), |id, _| join(id)),
    case("QueueCallerLeave", |id, _| joined(id), |id, _| caller_leaves(id)),
    case("QueueCallerLeave of an unknown caller", nothing, |id, _| caller_leaves(id)),
    case("QueueCallerAbandon", |id, _| joined(id), |id, _| abandon(id)),
    case("QueueCallerAbandon of who gave up", gave_up, |id, _| abandon(id)),
    case("AgentCalled", |id, _| joined(id), |id, i| Kind::AgentCalled(agent_call(id, i))),
    case(
        "AgentCalled of a member that is called all the time",
        |id, _| joined(id),
        |id, _| Kind::AgentCalled(call_busy(carrier(id), busy_leg(id))),
    ),
    case("AgentCalled of a Local member", local_halves_joined, |id, i| {
        Kind::AgentCalled(AgentCall { leg: local(id, 1), ..agent_call(id, i) })
    }),
    case("AgentConnect", ringing, |id, i| connect(agent_call(id, i))),
    case("AgentConnect of a leg that was not rung", ringing, |id, i| {
        let leg = channel("SIP/picker", format_args!("{id}.p"), id);
        connect(AgentCall { leg, ..agent_call(id, i) })
    }),
    case(
        "AgentConnect of a member that is called all the time",
        |id, _| joined(id),
        |id, _| connect(call_busy(carrier(id), busy_leg(id))),
    ),
    case("AgentComplete", talking, |id, i| complete(Some(carrier(id)), Some(leg_of(id, i)), i)),
    case("AgentComplete without Dest", talking, |id, i| complete(Some(carrier(id)), None, i)),
    case("AgentComplete without channels", talking, |_, i| complete(None, None, i)),
    case("AgentComplete of an unknown talk", nothing, |id, i| complete(Some(carrier(id)), None, i)),
    case("AgentDump", ringing, |id, i| Kind::AgentDump(agent_call(id, i))),
    case("AgentRingNoAnswer", ringing, no_answer),
    case("AgentRingNoAnswer of a leg that was not rung", |id, _| joined(id), no_answer),
    // Members.
    case("QueueMemberStatus in a queue of many", nothing, |_, i| {
        member_of_crowd(MemberChange::Present, i, 5)
    }),
    case("QueueMemberStatus of an agent in many queues", nothing, |_, i| {
        everywhere(MemberChange::Present, i, 2)
    }),
    case("QueueMemberPause of an agent in many queues", nothing, |_, i| {
        everywhere(MemberChange::Pause, i, 1)
    }),
    case("QueueMemberAdded to a queue of many", nothing, |id, _| {
        let name = text(format_args!("SIP/new{id}"));
        Kind::Member(super::world::member(MemberChange::Added, CROWD, name, name, 1))
    }),
    case("QueueMemberAdded of an agent in many queues", nothing, |id, _| {
        let queue = text(format_args!("new {id}"));
        Kind::Member(super::world::member(
            MemberChange::Added,
            queue,
            b"SIP/everywhere",
            b"Everywhere",
            1,
        ))
    }),
    case("QueueMemberRemoved of an agent in many queues", nothing, |_, i| {
        everywhere(MemberChange::Removed, i + 100, 1)
    }),
    case("QueueMemberRemoved in mid-call", talking, |_, i| {
        member_of_crowd(MemberChange::Removed, i, 2)
    }),
    case("ExtensionStatus", nothing, |id, _| {
        let (extension, watched) = (text(format_args!("2{id}")), text(format_args!("SIP/{id}")));
        Kind::Hint(Hint { extension, context: b"ext-local", watched })
    }),
    // Recordings, and the PBX itself.
    // The end of a file says nothing once a start was announced.
    case("MIXMONITOR_END", talking, |id, _| {
        Kind::RecordingEnd(text(format_args!("/spool/{id}.wav")))
    }),
    case("MIXMONITOR_END of nobody", nothing, |id, _| {
        Kind::RecordingEnd(text(format_args!("/spool/9.{}.wav", id.len())))
    }),
    case("MixMonitorStart", talking, |id, _| Kind::RecordingStart(carrier(id))),
    case("MixMonitorStop", recorded, |id, _| Kind::RecordingStop(carrier(id))),
    case("DeviceStateChange", nothing, |_, _| Kind::DeviceState),
    case("FullyBooted", nothing, |_, _| Kind::FullyBooted { uptime: None }),
];

fn nothing(_: &str, _: usize) -> Kinds {
    Vec::new()
}

fn born(id: &str, _: usize) -> Kinds {
    vec![Kind::NewChannel(carrier(id))]
}

fn talking(id: &str, i: usize) -> Kinds {
    talk(id, i)
}

fn leg_of(id: &str, i: usize) -> Channel<'static> {
    leg(format_args!("{id}.leg"), i, id)
}

fn bridge_of(id: &str) -> &'static [u8] {
    text(format_args!("bridge of {id}"))
}

fn hangup(channel: Channel<'static>) -> Kind<'static> {
    Kind::Hangup(Hangup { channel, cause: 16 })
}

fn exten(id: &str, application: &'static [u8], data: &'static [u8]) -> Kind<'static> {
    Kind::NewExten(NewExten { channel: carrier(id), extension: b"1", application, data })
}

fn var(id: &str, variable: &'static [u8], value: &'static [u8]) -> Kind<'static> {
    Kind::VarSet(VarSet { channel: carrier(id), variable, value })
}

fn voice(id: &str) -> Kind<'static> {
    let stream = Stream { jitter: Some(Duration::from_millis(4)), loss: Some(0.01) };
    let round_trip = Some(Duration::from_millis(80));
    let voice = Voice { received: stream, sent: stream, round_trip, score: Some(82.5) };
    Kind::Voice(VoiceReport { channel: carrier(id), voice })
}

fn measured(id: &str, i: usize) -> Kinds {
    let mut kinds = talking(id, i);
    kinds.push(voice(id));
    kinds
}

fn running_queue(id: &str, i: usize) -> Kinds {
    let mut kinds = born(id, i);
    kinds.push(run_queue(carrier(id)));
    kinds
}

fn left(id: &str, _: usize) -> Kinds {
    let mut kinds = joined(id);
    kinds.push(caller_leaves(id));
    kinds
}

fn gave_up(id: &str, _: usize) -> Kinds {
    let mut kinds = joined(id);
    kinds.push(Kind::HangupRequest(carrier(id)));
    kinds
}

fn join(id: &str) -> Kind<'static> {
    Kind::CallerJoin(CallerJoin { caller: carrier(id), queue: CROWD, position: Some(7) })
}

fn caller_leaves(id: &str) -> Kind<'static> {
    Kind::CallerLeave(CallerLeave { caller: carrier(id), queue: CROWD })
}

fn abandon(id: &str) -> Kind<'static> {
    let (caller, position) = (carrier(id), Some(7));
    Kind::CallerAbandon(CallerAbandon { caller, queue: CROWD, hold: None, position })
}

fn phone(id: &str) -> Channel<'static> {
    channel("SIP/phone", id, id)
}

fn born_phone(id: &str, _: usize) -> Kinds {
    vec![Kind::NewChannel(phone(id))]
}

fn trunk_leg(id: &str) -> Channel<'static> {
    channel("SIP/carrier", format_args!("{id}.leg"), id)
}

fn dial(caller: Option<Channel<'static>>, dest: Channel<'static>) -> Kind<'static> {
    Kind::DialBegin(Dial { caller, dest, dial_string: b"9@x" })
}

fn dialled_out(id: &str, i: usize) -> Kinds {
    let mut kinds = born_phone(id, i);
    kinds.push(dial(Some(phone(id)), trunk_leg(id)));
    kinds
}

fn originated(id: &str) -> Channel<'static> {
    Channel { state: Some(0), ..channel("SIP/x", id, id) }
}

fn dialled_originate(id: &str, _: usize) -> Kinds {
    vec![dial(None, originated(id))]
}

fn response(id: Option<&str>, channel: &'static [u8]) -> Kind<'static> {
    Kind::OriginateResponse(OriginateResponse { channel, uid: id.map(text), reason: Some(3) })
}

fn called(id: &str, i: usize) -> Kinds {
    let mut kinds = ringing(id, i);
    kinds.pop();
    kinds
}

fn forwarded(id: &str, i: usize) -> Kinds {
    let mut kinds = ringing(id, i);
    kinds.push(dial_end(carrier(id), leg_of(id, i), b"BUSY", true));
    kinds
}

fn local(id: &str, half: u8) -> Channel<'static> {
    let name = text(format_args!("Local/1@x-{id};{half}"));
    Channel { name, ..channel("", format_args!("{id}.l{half}"), id) }
}

fn local_halves(id: &str, _: usize) -> Kinds {
    vec![Kind::NewChannel(local(id, 1)), Kind::NewChannel(local(id, 2))]
}

fn local_halves_joined(id: &str, i: usize) -> Kinds {
    let mut kinds = joined(id);
    kinds.extend(local_halves(id, i));
    kinds
}

fn local_called(id: &str, i: usize) -> Kinds {
    let mut kinds = local_halves_joined(id, i);
    let leg = local(id, 1);
    kinds.extend([
        Kind::LocalBridge(LocalBridge { one: leg.uid, two: local(id, 2).uid }),
        Kind::AgentCalled(AgentCall { leg, ..agent_call(id, i) }),
        dial(Some(carrier(id)), leg),
    ]);
    kinds
}

fn agent_call(id: &str, i: usize) -> AgentCall<'static> {
    call(carrier(id), leg_of(id, i), i)
}

fn busy_leg(id: &str) -> Channel<'static> {
    channel("SIP/mbusy", format_args!("{id}.leg"), id)
}

fn connect(call: AgentCall<'static>) -> Kind<'static> {
    let hold = Some(Duration::from_secs(1));
    Kind::AgentConnect(AgentConnect { call, hold, ring: hold })
}

fn complete(
    caller: Option<Channel<'static>>,
    leg: Option<Channel<'static>>,
    i: usize,
) -> Kind<'static> {
    let of = call(carrier("none"), carrier("none"), i);
    let hold = Some(Duration::from_secs(1));
    Kind::AgentComplete(AgentComplete {
        caller,
        leg,
        queue: of.queue,
        interface: of.interface,
        member: of.member,
        hold,
        talk: hold,
        reason: b"agent",
    })
}

fn no_answer(id: &str, i: usize) -> Kind<'static> {
    Kind::RingNoAnswer(RingNoAnswer { call: agent_call(id, i), ring: None })
}

fn in_conference(id: &str, i: usize) -> Kinds {
    let mut kinds = born(id, i);
    kinds.push(enter(b"conference", carrier(id)));
    kinds
}

fn leave_conference(id: &str) -> Kind<'static> {
    Kind::BridgeLeave(BridgeLeave { bridge: b"conference", channel: carrier(id) })
}

fn parked(id: &str) -> Kind<'static> {
    let channel = carrier(id);
    Kind::BridgeEnter(BridgeEnter { bridge: b"lot", channel, swap: None, holding: true })
}

fn swapped(id: &str, i: usize) -> Kind<'static> {
    let swap = Some(leg_of(id, i).uid);
    let channel = channel("SIP/by", format_args!("{id}.by"), id);
    Kind::BridgeEnter(BridgeEnter { bridge: bridge_of(id), channel, swap, holding: false })
}

fn held(id: &str, i: usize) -> Kinds {
    let mut kinds = talk(id, i);
    kinds.push(Kind::Hold(leg_of(id, i)));
    kinds
}

fn recorded(id: &str, i: usize) -> Kinds {
    let mut kinds = talk(id, i);
    kinds.push(Kind::RecordingStart(carrier(id)));
    kinds
}

fn second(id: &str) -> Channel<'static> {
    let uid = format!("{id}.second");
    carrier(&*uid)
}

fn consulting(id: &str, i: usize) -> Kinds {
    let mut kinds = talk(id, i);
    kinds.extend(joined(&format!("{id}.second")));
    kinds
}

fn transfer(id: &str, i: usize, into_queue: Option<IntoQueue<'static>>) -> Kind<'static> {
    Kind::AttendedTransfer(AttendedTransfer {
        success: true,
        first: (leg_of(id, i).uid, bridge_of(id)),
        second: (second(id).uid, b""),
        parties: [carrier(id).uid, b""],
        into_queue,
    })
}
