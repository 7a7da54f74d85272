//! Channels that change under a stay: masquerades, swaps, bridges somebody else makes; and what
//! else a real PBX does to a queue from outside (docs/moves.md).

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use super::COLLEAGUE;
use super::ami::Message;
use super::phone::DeskPhone;
use super::scenarios::talking;
use super::sipp::Phone::{Answers, Desk, Forwards, HangsUp, Rings};
use super::sipp::{Caller, Sipp};
use super::stage::{Scenario, Stage};

const BASE: Scenario = Scenario::new("");

/// Those whose outcome queue_log calls something else on purpose (METRICS.md, Differences to
/// queue_log).
pub(crate) const REDIRECTED: &[&str] =
    &["bridge-takes-waiting", "bridge-takes-talking", "parked-and-back", "parked-and-fetched"];

/// Those whose talk ended before queue_log says so.
pub(crate) const CUT_SHORT: &[&str] =
    &["bridge-takes-talking", "parked-and-back", "parked-and-fetched"];

/// All of them.
pub(crate) const ALL: &[Scenario] = &[
    // The place of a waiting caller goes over to another channel.
    Scenario {
        name: "refer-into-waiting",
        queues: &[("", "", &[Desk]), ("-b", "", &[])],
        drive: |s| {
            let (_phone, mut call) = hand_over_to_waiting(s, 14_000);
            call.wait();
        },
        verbs: &[
            ("", "ENTERQUEUE CONNECT ATTENDEDTRANSFER|COMPLETECALLER"),
            ("-b", "ENTERQUEUE ABANDON"),
        ],
        wants: &[
            (
                "asterisk_queue_transfers_total",
                &[("queue", "@Q@"), ("kind", "attended"), ("by", "agent")],
                1.0,
            ),
            ("asterisk_queue_entries_total", &[("queue", "@Q@-b")], 1.0),
            ("asterisk_queue_exits_total", &[("queue", "@Q@-b"), ("outcome", "abandoned")], 1.0),
            ("asterisk_queue_exits_total", &[("queue", "@Q@-b")], 1.0),
            ("asterisk_queue_adopted_total", &[("queue", "@Q@-b")], 0.0),
        ],
        // From the consultation's Join on: two seconds longer than the caller himself was there.
        at_least: &[("asterisk_queue_hold_seconds_sum", &[("queue", "@Q@-b")], 5.0)],
        ..BASE
    },
    Scenario {
        name: "refer-into-waiting-answered",
        queues: &[("", "", &[Desk]), ("-b", "", &[Answers])],
        drive: |s| {
            pause(s, 1, true);
            let (_phone, mut call) = hand_over_to_waiting(s, 16_000);
            pause(s, 1, false);
            call.wait();
        },
        verbs: &[
            ("", "ENTERQUEUE CONNECT ATTENDEDTRANSFER|COMPLETECALLER"),
            ("-b", "PAUSE ENTERQUEUE UNPAUSE CONNECT COMPLETECALLER"),
        ],
        wants: &[
            (
                "asterisk_queue_transfers_total",
                &[("queue", "@Q@"), ("kind", "attended"), ("by", "agent")],
                1.0,
            ),
            ("asterisk_queue_entries_total", &[("queue", "@Q@-b")], 1.0),
            ("asterisk_queue_adopted_total", &[("queue", "@Q@-b")], 0.0),
            (
                "asterisk_queue_completions_total",
                &[("queue", "@Q@-b"), ("ended_by", "caller")],
                1.0,
            ),
        ],
        ..BASE
    },
    // The other way round: the line that waits is the first one, and whoever talks on the second
    // takes its place.
    Scenario {
        name: "waiting-line-handed-over",
        queues: &[("", "", &[Answers])],
        phones: &[Desk],
        drive: |s| {
            pause(s, 0, true);
            let phone = DeskPhone::start(s.pbx, &s.text("a@D1@"), s.desk_port());
            phone.call("first", &s.text("@Q@"));
            s.wait("QueueCallerJoin");
            phone.call("second", COLLEAGUE);
            sleep(Duration::from_secs(1));
            phone.join_own_calls("first", "second", COLLEAGUE);
            s.wait_any("AttendedTransfer", "OrigTransfererChannel", "@T@/a@D1@-");
            pause(s, 0, false);
            let connect = talking(s);
            s.act("Hangup", &[("Channel", &connect["Channel"]), ("Cause", "16")]);
        },
        verbs: &[("", "PAUSE ENTERQUEUE UNPAUSE CONNECT COMPLETECALLER|COMPLETEAGENT")],
        wants: &[
            ("asterisk_queue_entries_total", &[("queue", "@Q@")], 1.0),
            ("asterisk_queue_adopted_total", &[("queue", "@Q@")], 0.0),
            ("asterisk_queue_exits_total", &[("queue", "@Q@"), ("outcome", "answered")], 1.0),
            ("asterisk_queue_completions_total", &[("queue", "@Q@")], 1.0),
        ],
        ..BASE
    },
    // No event shows this but two Newexten that cross, and the Hangup of the line whose place was
    // taken.
    Scenario {
        name: "waiting-line-taken-over",
        queues: &[("", "", &[Answers])],
        phones: &[Desk],
        drive: |s| {
            pause(s, 0, true);
            let phone = DeskPhone::start(s.pbx, &s.text("a@D1@"), s.desk_port());
            let place = s.text("@Q@");
            phone.call("first", &place);
            s.wait("QueueCallerJoin");
            sleep(Duration::from_secs(2));
            phone.call_in_place_of("first", "second", &place);
            sleep(Duration::from_secs(1));
            pause(s, 0, false);
            talking(s);
            phone.end_own_call("second");
            s.wait("AgentComplete");
        },
        verbs: &[("", "PAUSE ENTERQUEUE UNPAUSE CONNECT COMPLETECALLER")],
        wants: &[
            ("asterisk_queue_entries_total", &[("queue", "@Q@")], 1.0),
            ("asterisk_queue_adopted_total", &[("queue", "@Q@")], 0.0),
            ("asterisk_queue_exits_total", &[("queue", "@Q@"), ("outcome", "answered")], 1.0),
            ("asterisk_queue_completions_total", &[("queue", "@Q@"), ("ended_by", "caller")], 1.0),
        ],
        ..BASE
    },
    Scenario {
        name: "refer-into-conference",
        queues: &[("", "", &[Desk])],
        drive: |s| {
            let phone = DeskPhone::start(s.pbx, &s.text("a@D0@"), s.desk_port());
            let mut call = s.start(&s.caller(14_000));
            talking(s);
            phone.consult("801");
            s.wait_any("ConfbridgeJoin", "Channel", "@T@/a@D0@-");
            phone.transfer_attended("801");
            s.wait("AgentComplete");
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT ATTENDEDTRANSFER|COMPLETECALLER|COMPLETEAGENT")],
        wants: &[
            (
                "asterisk_queue_transfers_total",
                &[("queue", "@Q@"), ("kind", "attended"), ("by", "agent")],
                1.0,
            ),
            ("asterisk_queue_completions_total", &[("queue", "@Q@")], 1.0),
            ("asterisk_queue_adopted_total", &[("queue", "@Q@")], 0.0),
        ],
        ..BASE
    },
    // A bridge that somebody else makes.
    Scenario {
        name: "bridge-takes-waiting",
        queues: &[("", "timeout=60", &[Rings])],
        phones: &[Answers],
        drive: |s| {
            let mut call = s.start(&s.caller(12_000));
            let caller = s.wait("AgentCalled")["Channel"].clone();
            bridge_with_phone(s, &caller, 1);
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE RINGCANCELED ABANDON")],
        wants: &[
            ("asterisk_queue_exits_total", &[("queue", "@Q@"), ("outcome", "redirected")], 1.0),
            ("asterisk_queue_rings_total", &[("queue", "@Q@"), ("result", "canceled")], 1.0),
            ("asterisk_queue_rings_total", &[("queue", "@Q@")], 1.0),
        ],
        ..BASE
    },
    Scenario {
        name: "bridge-takes-talking",
        phones: &[Answers],
        drive: |s| {
            let mut call = s.start(&s.caller(14_000));
            let caller = talking(s)["Channel"].clone();
            bridge_with_phone(s, &caller, 1);
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[("asterisk_queue_completions_total", &[("queue", "@Q@")], 1.0)],
        ..BASE
    },
    Scenario {
        name: "redirected-both",
        drive: |s| {
            let mut call = s.start(&s.caller(12_000));
            let connect = talking(s);
            let both = [
                ("Channel", &*connect["Channel"]),
                ("ExtraChannel", &*connect["DestChannel"]),
                ("Context", "from-agents"),
                ("Exten", "801"),
                ("Priority", "1"),
            ];
            s.act("Redirect", &both);
            call.wait();
            s.pbx.ctl().send("Hangup", &[("Channel", &connect["DestChannel"])]);
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        // The agent's leg is in a bridge all the time, if in another one: the talk goes on, as in
        // queue_log.
        wants: &[(
            "asterisk_queue_completions_total",
            &[("queue", "@Q@"), ("ended_by", "caller")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "kicked-out",
        drive: |s| {
            let mut call = s.start(&s.caller(60_000));
            let agent = talking(s)["DestChannel"].clone();
            s.act("BridgeKick", &[("Channel", &agent)]);
            call.wait();
        },
        // Nobody hangs up, but the caller's dialplan ends in the same instant.
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[(
            "asterisk_queue_completions_total",
            &[("queue", "@Q@"), ("ended_by", "caller")],
            1.0,
        )],
        ..BASE
    },
    // A parking lot.
    Scenario {
        name: "parked-and-back",
        queues: &[("", "", &[Answers])],
        drive: |s| {
            let mut call = s.start(&s.caller(18_000));
            park(s);
            s.wait_any("ParkedCallTimeOut", "ParkeeChannel", &s.wait("AgentConnect")["Channel"]);
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[("asterisk_queue_completions_total", &[("queue", "@Q@")], 1.0)],
        ..BASE
    },
    Scenario {
        name: "parked-and-fetched",
        queues: &[("", "", &[Answers])],
        phones: &[Answers],
        drive: |s| {
            let mut call = s.start(&s.caller(16_000));
            let space = park(s)["ParkingSpace"].clone();
            let mut other = s.start(&s.device_calls(1, &space, 60_000));
            s.wait_any("UnParkedCall", "ParkeeChannel", &s.wait("AgentConnect")["Channel"]);
            call.wait();
            other.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[("asterisk_queue_completions_total", &[("queue", "@Q@")], 1.0)],
        ..BASE
    },
    Scenario {
        name: "picked-up",
        queues: &[("", "timeout=60", &[Rings])],
        phones: &[Answers],
        drive: |s| {
            let mut call = s.start(&s.caller(12_000));
            s.wait("AgentCalled");
            sleep(Duration::from_secs(1));
            let mut picker = s.start(&s.device_calls(1, "8@D0@", 60_000));
            s.wait("AgentConnect");
            call.wait();
            picker.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[
            (
                "asterisk_queue_rings_total",
                &[("queue", "@Q@"), ("agent", "@M0@"), ("result", "answered")],
                1.0,
            ),
            ("asterisk_queue_rings_total", &[("queue", "@Q@")], 1.0),
            (
                "asterisk_queue_completions_total",
                &[("queue", "@Q@"), ("agent", "@M0@"), ("ended_by", "caller")],
                1.0,
            ),
        ],
        ..BASE
    },
    Scenario {
        name: "listened-in",
        phones: &[Answers],
        drive: |s| {
            let mut call = s.start(&s.caller(10_000));
            talking(s);
            s.play(&s.device_calls(1, "6@D0@", 2000));
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[(
            "asterisk_queue_completions_total",
            &[("queue", "@Q@"), ("ended_by", "caller")],
            1.0,
        )],
        ..BASE
    },
    // The caller comes through a Local channel that is optimised away.
    Scenario {
        name: "caller-optimised",
        queues: &[("", "", &[Desk])],
        plan: "Answer()\nDial(Local/@Q@@to-queue,90)\nHangup()",
        drive: |s| {
            let _phone = DeskPhone::start(s.pbx, &s.text("a@D0@"), s.desk_port());
            let mut call = s.start(&s.caller(14_000));
            s.wait_any("LocalOptimizationEnd", "LocalOneChannel", "Local/@Q@@");
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[
            ("asterisk_queue_exits_total", &[("queue", "@Q@"), ("outcome", "answered")], 1.0),
            ("asterisk_queue_completions_total", &[("queue", "@Q@"), ("ended_by", "caller")], 1.0),
            ("asterisk_queue_completions_total", &[("queue", "@Q@")], 1.0),
        ],
        at_least: &[("asterisk_queue_talk_seconds_sum", &[("queue", "@Q@")], 7.0)],
        ..BASE
    },
    Scenario {
        name: "caller-in-two-queues",
        queues: &[("", "", &[Desk]), ("-b", "", &[Rings])],
        plan: "Dial(Local/@Q@@to-queue&Local/@Q@-b@to-queue,90)\nHangup()",
        drive: |s| {
            let _phone = DeskPhone::start(s.pbx, &s.text("a@D0@"), s.desk_port());
            let mut call = s.start(&s.caller(10_000));
            s.wait_any("LocalOptimizationEnd", "LocalOneChannel", "Local/@Q@@");
            call.wait();
        },
        verbs: &[
            ("", "ENTERQUEUE CONNECT COMPLETECALLER"),
            ("-b", "ENTERQUEUE RINGCANCELED ABANDON"),
        ],
        wants: &[
            ("asterisk_queue_completions_total", &[("queue", "@Q@"), ("ended_by", "caller")], 1.0),
            ("asterisk_queue_completions_total", &[("queue", "@Q@")], 1.0),
            ("asterisk_queue_exits_total", &[("queue", "@Q@-b")], 1.0),
        ],
        ..BASE
    },
    // Made by the manager.
    Scenario {
        name: "originated-into-queue",
        phones: &[HangsUp],
        drive: |s| {
            let headers = [
                ("Channel", "@T@/a@D1@"),
                ("Application", "Queue"),
                ("Data", "@Q@,t,,,90"),
                ("Async", "true"),
                ("CallerID", "Test <12025550151>"),
            ];
            s.act("Originate", &headers);
            s.wait("AgentComplete");
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[(
            "asterisk_queue_completions_total",
            &[("queue", "@Q@"), ("ended_by", "caller")],
            1.0,
        )],
        ..BASE
    },
    // A phone that sends all its calls elsewhere.
    Scenario {
        name: "forward-refused",
        queues: &[("", "timeout=2", &[Forwards, Answers])],
        plan: "Answer()\nQueue(@Q@,ti,,,90)\nHangup()",
        drive: |s| s.call(12_000),
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[
            (
                "asterisk_queue_rings_total",
                &[("queue", "@Q@"), ("agent", "@M0@"), ("result", "canceled")],
                1.0,
            ),
            ("asterisk_queue_rings_total", &[("queue", "@Q@"), ("agent", "@M0@")], 1.0),
        ],
        ..BASE
    },
    Scenario {
        name: "forward-refused-ringall",
        queues: &[("", "strategy=ringall\ntimeout=2", &[Forwards, Forwards])],
        plan: "Answer()\nQueue(@Q@,ti,,,90)\nHangup()",
        drive: |s| s.call(8000),
        verbs: &[("", "ENTERQUEUE RINGCANCELED* ABANDON")],
        wants: &[
            ("asterisk_queue_rings_total", &[("queue", "@Q@"), ("result", "no_answer")], 0.0),
            ("asterisk_queue_rings_total", &[("queue", "@Q@"), ("result", "failed")], 0.0),
        ],
        at_least: &[(
            "asterisk_queue_rings_total",
            &[("queue", "@Q@"), ("result", "canceled")],
            2.0,
        )],
        ..BASE
    },
    Scenario {
        name: "forward-followed",
        queues: &[("", "", &[Forwards])],
        drive: |s| s.call(8000),
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[
            (
                "asterisk_queue_rings_total",
                &[("queue", "@Q@"), ("agent", "@M0@"), ("result", "answered")],
                1.0,
            ),
            ("asterisk_queue_rings_total", &[("queue", "@Q@")], 1.0),
        ],
        ..BASE
    },
    // What is asked of the queue in other words.
    Scenario {
        name: "other-case",
        plan: "Answer()\nQueue(Other-CASE,t,,,90)\nHangup()",
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[("asterisk_queue_entries_total", &[("queue", "@Q@")], 1.0)],
        ..BASE
    },
    Scenario {
        name: "pause-reason-changed",
        queues: &[("", "", &[Answers])],
        drive: |s| {
            for reason in ["lunch", "coffee", "coffee"] {
                s.act(
                    "QueuePause",
                    &[
                        ("Queue", "@Q@"),
                        ("Interface", "@T@/a@D0@"),
                        ("Paused", "true"),
                        ("Reason", reason),
                    ],
                );
            }
            pause(s, 0, false);
        },
        verbs: &[("", "PAUSE PAUSE PAUSE UNPAUSE")],
        wants: &[
            ("asterisk_queue_pauses_total", &[("queue", "@Q@"), ("change", "paused")], 3.0),
            ("asterisk_queue_pauses_total", &[("queue", "@Q@"), ("change", "unpaused")], 1.0),
        ],
        ..BASE
    },
    // Members whose state is a hint's.
    Scenario {
        name: "do-not-disturb",
        queues: &[("", "member => @T@/a@D0@,0,@M0@,hint:dnd@D0@@from-trunk", &[])],
        phones: &[Answers],
        drive: |s| {
            s.call(6000);
            s.act("Setvar", &[("Variable", "DEVICE_STATE(Custom:dnd@D0@)"), ("Value", "BUSY")]);
            s.wait_any("QueueMemberStatus", "Interface", "@T@/a@D0@");
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[("asterisk_queue_agents", &[("queue", "@Q@"), ("state", "dnd")], 1.0)],
        ..BASE
    },
    Scenario {
        name: "hint-member",
        queues: &[("", "member => Local/@D0@@from-queue/n,0,@M0@,hint:@D0@@from-trunk", &[])],
        phones: &[Answers],
        drive: |s| {
            s.call(8000);
            s.play(&s.device_calls(0, "9200", 3000));
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[
            (
                "asterisk_queue_completions_total",
                &[("queue", "@Q@"), ("agent", "@M0@"), ("ended_by", "caller")],
                1.0,
            ),
            (
                "asterisk_calls_total",
                &[("direction", "outbound"), ("agent", "@M0@"), ("result", "answered")],
                1.0,
            ),
        ],
        ..BASE
    },
    // The agent's phone leaves the caller with a key, and is back in the holding bridge at once.
    Scenario {
        name: "pool-agent-key",
        queues: &[("", "member => Local/starred@agent-pool/n,0,@M0@,Agent:starred", &[])],
        phones: &[Answers],
        drive: |s| {
            // app_agent_pool lets a new agent wait five seconds.
            let mut login =
                s.start(&Caller { keys: vec![(9000, '*')], ..s.device_calls(0, "701", 6000) });
            s.wait_any("AgentLogin", "Agent", "starred");
            s.call(60_000);
            login.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETEAGENT|COMPLETECALLER")],
        wants: &[("asterisk_queue_completions_total", &[("queue", "@Q@"), ("agent", "@M0@")], 1.0)],
        at_least: &[(
            "asterisk_agent_state_seconds_total",
            &[("agent", "@M0@"), ("state", "talking")],
            1.0,
        )],
        at_most: &[(
            "asterisk_agent_state_seconds_total",
            &[("agent", "@M0@"), ("state", "talking")],
            5.0,
        )],
        ..BASE
    },
];

/// A caller talks to the agent's desk phone, which calls another queue, waits there, and puts the
/// caller in its place.
fn hand_over_to_waiting(s: &Stage<'_>, hold: u32) -> (DeskPhone, Sipp) {
    let phone = DeskPhone::start(s.pbx, &s.text("a@D0@"), s.desk_port());
    let call = s.start(&s.caller(hold));
    talking(s);
    let place = s.text("@Q@-b");
    phone.consult(&place);
    s.wait_nth("QueueCallerJoin", "-b", 0);
    sleep(Duration::from_secs(2));
    phone.transfer_attended(&place);
    s.wait("AgentComplete");
    (phone, call)
}

/// The agent of that phone pauses, or comes back.
fn pause(s: &Stage<'_>, phone: usize, paused: bool) {
    let interface = format!("@T@/a@D{phone}@");
    let paused = if paused { "true" } else { "false" };
    s.act("QueuePause", &[("Interface", &interface), ("Paused", paused)]);
}

/// The manager calls a phone and bridges it with the channel.
fn bridge_with_phone(s: &Stage<'_>, channel: &str, phone: usize) {
    let device = format!("@T@/a@D{phone}@");
    let called =
        [("Channel", &*device), ("Application", "Wait"), ("Data", "60"), ("Async", "true")];
    s.act("Originate", &called);
    let answer = s.wait_any("OriginateResponse", "Channel", &format!("{device}-"));
    s.act("Bridge", &[("Channel1", channel), ("Channel2", &answer["Channel"])]);
}

/// The agent has talked, and the manager parks the caller; the ParkedCall.
fn park(s: &Stage<'_>) -> Arc<Message> {
    let connect = talking(s);
    let caller = &*connect["Channel"];
    let agent = &*connect["DestChannel"];
    s.act("Park", &[("Channel", caller), ("TimeoutChannel", agent)]);
    s.wait_any("ParkedCall", "ParkeeChannel", caller)
}
