//! Every way through a queue, and every kind of call, on a real PBX: what happens, and what must
//! come out.
//!
//! Times are wide: whoever is to do something first does it seconds before anything else could
//! happen.

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use super::COLLEAGUE;
use super::ami::Message;
use super::phone::DeskPhone;
use super::sipp::Caller;
use super::sipp::Phone::{
    Answers, AttendedTransfers, BlindTransfers, Busy, Desk, HangsUp, Holds, Rings, Unavailable,
    Unreachable,
};
use super::stage::{Scenario, Stage};

const BASE: Scenario = Scenario::new("");

/// All of them.
pub(crate) const ALL: &[Scenario] = &[
    // answered
    Scenario {
        name: "answered-caller-ends",
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        ..BASE
    },
    Scenario {
        name: "answered-agent-ends",
        queues: &[("", "", &[HangsUp])],
        drive: |s| s.call(60_000),
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETEAGENT")],
        ..BASE
    },
    Scenario {
        name: "answered-and-held",
        queues: &[("", "", &[Holds])],
        drive: |s| s.call(12_000),
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        at_least: &[(
            "asterisk_agent_state_seconds_total",
            &[("agent", "@M0@"), ("state", "on_hold")],
            1.0,
        )],
        ..BASE
    },
    // given up
    Scenario {
        name: "abandoned-nobody-there",
        queues: &[("", "", &[])],
        drive: |s| s.call(2000),
        verbs: &[("", "ENTERQUEUE ABANDON")],
        ..BASE
    },
    Scenario {
        name: "abandoned-ringing",
        queues: &[("", "", &[Rings])],
        drive: |s| s.call(4000),
        verbs: &[("", "ENTERQUEUE RINGCANCELED ABANDON")],
        wants: &[("asterisk_queue_rings_total", &[("queue", "@Q@"), ("result", "canceled")], 1.0)],
        ..BASE
    },
    Scenario {
        name: "abandoned-unanswered-line",
        queues: &[("", "", &[])],
        plan: "Queue(@Q@,t,,,90)\nHangup()",
        drive: |s| s.play(&Caller { cancel: Some(2500), ..s.caller(0) }),
        verbs: &[("", "ENTERQUEUE ABANDON")],
        ..BASE
    },
    Scenario {
        name: "abandoned-in-announcement",
        queues: &[("", "announce=demo-congrats", &[Answers])],
        drive: |s| s.call(6000),
        verbs: &[("", "ENTERQUEUE ABANDON")],
        ..BASE
    },
    Scenario {
        name: "agent-leaves-in-announcement",
        queues: &[("", "announce=demo-congrats", &[HangsUp])],
        drive: |s| s.call(8000),
        verbs: &[("", "ENTERQUEUE AGENTDUMP+ ABANDON RINGCANCELED*")],
        ..BASE
    },
    // let go
    Scenario {
        name: "timeout",
        queues: &[("", "", &[Rings])],
        plan: "Answer()\nQueue(@Q@,t,,,5)\nHangup()",
        drive: |s| s.call(90_000),
        verbs: &[("", "ENTERQUEUE RINGNOANSWER+ EXITWITHTIMEOUT")],
        ..BASE
    },
    Scenario {
        name: "one-pass",
        queues: &[("", "timeout=2", &[Rings])],
        plan: "Answer()\nQueue(@Q@,tn)\nHangup()",
        drive: |s| s.call(90_000),
        verbs: &[("", "ENTERQUEUE RINGNOANSWER+ EXITWITHTIMEOUT")],
        ..BASE
    },
    Scenario {
        name: "left-by-key",
        queues: &[("", "context=queue-exit", &[])],
        drive: |s| s.play(&Caller { keys: vec![(2000, '5')], ..s.caller(60_000) }),
        verbs: &[("", "ENTERQUEUE EXITWITHKEY")],
        ..BASE
    },
    Scenario {
        name: "left-by-key-ringing",
        queues: &[("", "context=queue-exit", &[Rings])],
        drive: |s| s.play(&Caller { keys: vec![(3000, '5')], ..s.caller(60_000) }),
        verbs: &[("", "ENTERQUEUE RINGCANCELED* EXITWITHKEY")],
        ..BASE
    },
    Scenario {
        name: "left-empty",
        queues: &[("", "leavewhenempty=paused,inuse,invalid,unavailable,unknown", &[Rings])],
        drive: |s| {
            let mut call = s.start(&s.caller(90_000));
            s.wait("AgentCalled");
            s.act(
                "QueuePause",
                &[
                    ("Queue", "@Q@"),
                    ("Interface", "@T@/a@D0@"),
                    ("Paused", "true"),
                    ("Reason", "meeting"),
                ],
            );
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE PAUSE RINGNOANSWER* RINGCANCELED* EXITEMPTY")],
        ..BASE
    },
    Scenario {
        name: "withdrawn",
        queues: &[("", "", &[])],
        drive: |s| {
            let mut call = s.start(&s.caller(90_000));
            let caller = s.wait("QueueCallerJoin")["Channel"].clone();
            s.act(
                "QueueWithdrawCaller",
                &[("Queue", "@Q@"), ("Caller", &caller), ("WithdrawInfo", "called back")],
            );
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE WITHDRAW")],
        ..BASE
    },
    // never let in
    Scenario {
        name: "refused-empty",
        queues: &[("", "joinempty=no", &[])],
        drive: |s| s.call(60_000),
        wants: &[(
            "asterisk_queue_refusals_total",
            &[("queue", "@Q@"), ("reason", "join_empty")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "refused-unavailable",
        queues: &[("", "joinempty=paused,inuse,invalid,unavailable", &[Answers])],
        drive: |s| {
            s.act(
                "QueuePause",
                &[
                    ("Queue", "@Q@"),
                    ("Interface", "@T@/a@D0@"),
                    ("Paused", "true"),
                    ("Reason", "meeting"),
                ],
            );
            s.call(60_000);
        },
        verbs: &[("", "PAUSE")],
        wants: &[("asterisk_queue_refusals_total", &[("queue", "@Q@")], 1.0)],
        ..BASE
    },
    Scenario {
        name: "refused-full",
        queues: &[("", "maxlen=1", &[])],
        drive: |s| {
            let mut first = s.start(&s.caller(10_000));
            s.wait("QueueCallerJoin");
            s.call(60_000);
            first.wait();
        },
        verbs: &[("", "ENTERQUEUE ABANDON")],
        wants: &[("asterisk_queue_refusals_total", &[("queue", "@Q@"), ("reason", "full")], 1.0)],
        ..BASE
    },
    Scenario {
        name: "refused-no-such-queue",
        queues: &[],
        drive: |s| s.call(60_000),
        wants: &[(
            "asterisk_queue_refusals_total",
            &[("queue", ""), ("reason", "unknown_queue")],
            1.0,
        )],
        ..BASE
    },
    // ringing in vain
    Scenario {
        name: "rona",
        queues: &[("", "timeout=2", &[Rings, Answers])],
        drive: |s| s.call(12_000),
        verbs: &[("", "ENTERQUEUE RINGNOANSWER+ CONNECT COMPLETECALLER")],
        ..BASE
    },
    Scenario {
        name: "rona-autopause",
        queues: &[("", "timeout=2\nautopause=yes", &[Rings, Answers])],
        drive: |s| s.call(12_000),
        verbs: &[("", "ENTERQUEUE RINGNOANSWER PAUSE CONNECT COMPLETECALLER")],
        wants: &[("asterisk_queue_agents", &[("queue", "@Q@"), ("state", "paused")], 1.0)],
        ..BASE
    },
    Scenario {
        name: "busy",
        queues: &[("", "", &[Busy, Answers])],
        drive: |s| s.call(12_000),
        verbs: &[("", "ENTERQUEUE RINGNOANSWER CONNECT COMPLETECALLER")],
        wants: &[(
            "asterisk_queue_rings_total",
            &[("queue", "@Q@"), ("agent", "@M0@"), ("result", "busy")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "unavailable",
        queues: &[("", "", &[Unavailable, Answers])],
        drive: |s| s.call(12_000),
        verbs: &[("", "ENTERQUEUE RINGNOANSWER CONNECT COMPLETECALLER")],
        wants: &[(
            "asterisk_queue_rings_total",
            &[("queue", "@Q@"), ("agent", "@M0@"), ("result", "failed")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "unreachable",
        queues: &[("", "", &[Unreachable, Answers])],
        drive: |s| s.call(12_000),
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[
            ("asterisk_queue_rings_total", &[("queue", "@Q@"), ("agent", "@M0@")], 0.0),
            ("asterisk_queue_agents", &[("queue", "@Q@"), ("state", "unavailable")], 1.0),
        ],
        ..BASE
    },
    // strategies
    Scenario {
        name: "ringall",
        queues: &[("", "strategy=ringall", &[Answers, Rings, Rings])],
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER RINGCANCELED*")],
        wants: &[
            ("asterisk_queue_rings_total", &[("queue", "@Q@"), ("result", "canceled")], 2.0),
            ("asterisk_queue_rings_total", &[("queue", "@Q@"), ("result", "answered")], 1.0),
        ],
        ..BASE
    },
    strategy("leastrecent", &[("", "strategy=leastrecent", &[Answers, Answers])]),
    strategy("fewestcalls", &[("", "strategy=fewestcalls", &[Answers, Answers])]),
    strategy("random", &[("", "strategy=random", &[Answers, Answers])]),
    strategy("rrmemory", &[("", "strategy=rrmemory", &[Answers, Answers])]),
    strategy("rrordered", &[("", "strategy=rrordered", &[Answers, Answers])]),
    strategy("wrandom", &[("", "strategy=wrandom", &[Answers, Answers])]),
    // members
    Scenario {
        name: "members",
        queues: &[("", "", &[])],
        phones: &[Answers, Answers],
        drive: members,
        verbs: &[(
            "",
            "ADDMEMBER ADDMEMBER PAUSE PAUSE PAUSE PAUSE UNPAUSE UNPAUSE UNPAUSE PENALTY REMOVEMEMBER REMOVEMEMBER",
        )],
        wants: &[("asterisk_queue_agents", &[("queue", "@Q@")], 0.0)],
        ..BASE
    },
    Scenario {
        name: "penalties",
        queues: &[("", "", &[Answers, Answers])],
        drive: |s| {
            s.act(
                "QueuePenalty",
                &[("Queue", "@Q@"), ("Interface", "@T@/a@D0@"), ("Penalty", "5")],
            );
            s.call(8000);
        },
        verbs: &[("", "PENALTY ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[("asterisk_queue_completions_total", &[("queue", "@Q@"), ("agent", "@M1@")], 1.0)],
        ..BASE
    },
    // transfers
    Scenario {
        name: "blind-by-agent",
        queues: &[("", "", &[BlindTransfers])],
        drive: |s| s.call(16_000),
        verbs: &[("", "ENTERQUEUE CONNECT BLINDTRANSFER")],
        wants: &[(
            "asterisk_queue_transfers_total",
            &[("queue", "@Q@"), ("kind", "blind"), ("by", "agent")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "blind-by-caller",
        plan: "Answer()\nSet(__TRANSFER_CONTEXT=from-agents)\nQueue(@Q@,T,,,90)\nHangup()",
        drive: |s| {
            let keys = keys_after(5000, &format!("#1{COLLEAGUE}"));
            s.play(&Caller { keys, ..s.caller(60_000) });
            hang_up_agent_after(s, "BlindTransfer", "TransfererUniqueid");
        },
        // 16 logs both: the caller is gone from the bridge, and the transfer succeeded
        verbs: &[("", "ENTERQUEUE CONNECT BLINDTRANSFER|COMPLETECALLER")],
        wants: &[(
            "asterisk_queue_transfers_total",
            &[("queue", "@Q@"), ("kind", "blind"), ("by", "caller")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "attended-by-agent",
        queues: &[("", "", &[AttendedTransfers])],
        drive: |s| s.call(25_000),
        // one race inside Asterisk decides the verb and AgentComplete says what queue_log says
        verbs: &[("", "ENTERQUEUE CONNECT ATTENDEDTRANSFER|COMPLETEAGENT|COMPLETECALLER")],
        wants: &[(
            "asterisk_queue_transfers_total",
            &[("queue", "@Q@"), ("kind", "attended"), ("by", "agent")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "attended-by-caller",
        plan: "Answer()\nSet(__TRANSFER_CONTEXT=from-agents)\nQueue(@Q@,T,,,90)\nHangup()",
        drive: |s| {
            let keys = keys_after(5000, &format!("*2{COLLEAGUE}"));
            s.play(&Caller { keys, ..s.caller(8000) });
            hang_up_agent_after(s, "AttendedTransfer", "OrigTransfererUniqueid");
        },
        verbs: &[("", "ENTERQUEUE CONNECT ATTENDEDTRANSFER|COMPLETECALLER|COMPLETEAGENT")],
        wants: &[(
            "asterisk_queue_transfers_total",
            &[("queue", "@Q@"), ("kind", "attended"), ("by", "caller")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "blind-by-refer",
        queues: &[("", "", &[Desk])],
        drive: |s| {
            let phone = DeskPhone::start(s.pbx, &s.text("a@D0@"), s.desk_port());
            let mut call = s.start(&s.caller(14_000));
            talking(s);
            phone.transfer_blind(COLLEAGUE);
            s.wait("AgentComplete");
            phone.hang_up();
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT BLINDTRANSFER")],
        wants: &[(
            "asterisk_queue_transfers_total",
            &[("queue", "@Q@"), ("kind", "blind"), ("by", "agent")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "attended-by-refer",
        queues: &[("", "", &[Desk])],
        drive: |s| {
            let phone = DeskPhone::start(s.pbx, &s.text("a@D0@"), s.desk_port());
            let mut call = s.start(&s.caller(16_000));
            talking(s);
            phone.consult(COLLEAGUE);
            sleep(Duration::from_secs(1));
            phone.transfer_attended(COLLEAGUE);
            s.wait("AgentComplete");
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT ATTENDEDTRANSFER")],
        wants: &[(
            "asterisk_queue_transfers_total",
            &[("queue", "@Q@"), ("kind", "attended"), ("by", "agent")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "blind-by-refer-of-caller",
        phones: &[Desk],
        drive: |s| {
            let phone = DeskPhone::start(s.pbx, &s.text("a@D1@"), s.desk_port());
            phone.call("first", &s.caller(0).to);
            talking(s);
            phone.transfer_own_call("first", COLLEAGUE);
            s.wait("AgentComplete");
            phone.end_own_call("first");
            hang_up_agent_after(s, "BlindTransfer", "TransfererUniqueid");
        },
        verbs: &[("", "ENTERQUEUE CONNECT BLINDTRANSFER|COMPLETECALLER")],
        wants: &[(
            "asterisk_queue_transfers_total",
            &[("queue", "@Q@"), ("kind", "blind"), ("by", "caller")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "attended-by-refer-of-caller",
        phones: &[Desk],
        drive: |s| {
            let phone = DeskPhone::start(s.pbx, &s.text("a@D1@"), s.desk_port());
            phone.call("first", &s.caller(0).to);
            talking(s);
            phone.call("second", COLLEAGUE);
            sleep(Duration::from_secs(1));
            phone.join_own_calls("first", "second", COLLEAGUE);
            s.wait("AgentComplete");
            hang_up_agent_after(s, "AttendedTransfer", "OrigTransfererUniqueid");
        },
        verbs: &[("", "ENTERQUEUE CONNECT ATTENDEDTRANSFER|COMPLETECALLER|COMPLETEAGENT")],
        wants: &[(
            "asterisk_queue_transfers_total",
            &[("queue", "@Q@"), ("kind", "attended"), ("by", "caller")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "into-another-queue",
        queues: &[("", "", &[Answers]), ("-b", "", &[Answers])],
        drive: |s| {
            let mut call = s.start(&s.caller(16_000));
            let agent = talking(s)["DestChannel"].clone();
            s.act(
                "BlindTransfer",
                &[("Channel", &agent), ("Context", "to-queue"), ("Exten", "@Q@-b")],
            );
            call.wait();
        },
        verbs: &[
            ("", "ENTERQUEUE CONNECT BLINDTRANSFER"),
            ("-b", "ENTERQUEUE CONNECT COMPLETECALLER"),
        ],
        wants: &[(
            "asterisk_queue_transfers_total",
            &[("queue", "@Q@"), ("kind", "blind"), ("by", "agent")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "redirected-waiting",
        queues: &[("", "", &[])],
        drive: |s| {
            let mut call = s.start(&s.caller(6000));
            let caller = s.wait("QueueCallerJoin")["Channel"].clone();
            s.act(
                "Redirect",
                &[
                    ("Channel", &caller),
                    ("Context", "from-agents"),
                    ("Exten", "800"),
                    ("Priority", "1"),
                ],
            );
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE ABANDON")],
        wants: &[(
            "asterisk_queue_exits_total",
            &[("queue", "@Q@"), ("outcome", "redirected")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "redirected-talking",
        drive: |s| {
            let mut call = s.start(&s.caller(10_000));
            let caller = talking(s)["Channel"].clone();
            s.act(
                "Redirect",
                &[
                    ("Channel", &caller),
                    ("Context", "from-agents"),
                    ("Exten", "800"),
                    ("Priority", "1"),
                ],
            );
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        // nobody asked to hang up when the talk ended, and queue_log waits for whoever does in the
        // end
        wants: &[(
            "asterisk_queue_completions_total",
            &[("queue", "@Q@"), ("ended_by", "unknown")],
            1.0,
        )],
        ..BASE
    },
    // several stays
    Scenario {
        name: "a-to-b",
        queues: &[("", "", &[]), ("-b", "", &[Answers])],
        plan: "Answer()\nQueue(@Q@,t,,,2)\nQueue(@Q@-b,t,,,90)\nHangup()",
        drive: |s| s.call(12_000),
        verbs: &[("", "ENTERQUEUE EXITWITHTIMEOUT"), ("-b", "ENTERQUEUE CONNECT COMPLETECALLER")],
        ..BASE
    },
    Scenario {
        name: "re-entry",
        queues: &[("", "", &[])],
        plan: "Answer()\nQueue(@Q@,t,,,2)\nWait(1)\nQueue(@Q@,t,,,2)\nQueue(@Q@,t,,,90)\nHangup()",
        drive: |s| s.call(10_000),
        verbs: &[("", "ENTERQUEUE EXITWITHTIMEOUT ENTERQUEUE EXITWITHTIMEOUT ENTERQUEUE ABANDON")],
        ..BASE
    },
    Scenario {
        name: "served-twice",
        queues: &[("", "", &[HangsUp])],
        plan: "Answer()\nQueue(@Q@,tc,,,90)\nQueue(@Q@,tc,,,90)\nHangup()",
        drive: |s| s.call(90_000),
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETEAGENT ENTERQUEUE CONNECT COMPLETEAGENT")],
        ..BASE
    },
    // Local channels
    Scenario {
        name: "local-members",
        queues: &[(
            "",
            "timeout=3\nmember => Local/@D0@@from-queue/n,0,@M0@,hint:@D0@@from-trunk\nmember => \
             Local/@D1@@from-queue/n,0,@M1@,hint:@D1@@from-trunk\nmember => \
             Local/@D2@@from-queue/n,0,@M2@,hint:@D2@@from-trunk",
            &[],
        )],
        phones: &[Busy, Rings, Answers],
        drive: |s| s.call(20_000),
        verbs: &[("", "ENTERQUEUE RINGNOANSWER+ CONNECT COMPLETECALLER")],
        wants: &[(
            "asterisk_queue_completions_total",
            &[("queue", "@Q@"), ("agent", "@M2@"), ("ended_by", "caller")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "local-optimised",
        queues: &[("", "member => Local/@D0@@from-queue,0,@M0@,hint:@D0@@from-trunk", &[])],
        phones: &[Desk],
        drive: |s| {
            let _phone = DeskPhone::start(s.pbx, &s.text("a@D0@"), s.desk_port());
            let mut call = s.start(&s.caller(12_000));
            s.wait_any("LocalOptimizationEnd", "LocalOneChannel", "Local/@D0@@");
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        ..BASE
    },
    Scenario {
        name: "local-caller",
        drive: |s| {
            let number = s.caller(0).to;
            let channel = format!("Local/{number}@from-trunk");
            s.act(
                "Originate",
                &[
                    ("Channel", &channel),
                    ("Application", "Wait"),
                    ("Data", "8"),
                    ("Async", "true"),
                    ("CallerID", "Test <12025550150>"),
                ],
            );
            s.wait("AgentComplete");
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER|COMPLETEAGENT")],
        ..BASE
    },
    // hung up by the manager
    Scenario {
        name: "waiting-caller-hung-up",
        queues: &[("", "", &[])],
        drive: |s| {
            let mut call = s.start(&s.caller(60_000));
            let caller = s.wait("QueueCallerJoin")["Channel"].clone();
            s.act("Hangup", &[("Channel", &caller), ("Cause", "16")]);
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE ABANDON")],
        ..BASE
    },
    Scenario {
        name: "talking-caller-hung-up",
        drive: |s| hang_up_talking(s, "Channel"),
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER|COMPLETEAGENT")],
        ..BASE
    },
    Scenario {
        name: "talking-agent-hung-up",
        drive: |s| hang_up_talking(s, "DestChannel"),
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER|COMPLETEAGENT")],
        ..BASE
    },
    // special members
    Scenario {
        name: "member-gosub",
        plan: "Answer()\nQueue(@Q@,t,,,90,@G@member-sub)\nHangup()",
        drive: |s| {
            let mut call = s.start(&s.caller(8000));
            let agent = s.wait("AgentCalled")["DestUniqueid"].clone();
            let runs = |m: &Message| {
                m["Event"] == "Newexten" && m["Uniqueid"] == agent && m["Context"] == "member-sub"
            };
            // in a place where Queue looks for something else nothing runs, and nothing else tells
            s.pbx.ctl().wait_for("the Gosub of the member", 0, runs);
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        ..BASE
    },
    Scenario {
        name: "agent-pool",
        queues: &[("", "member => Local/pooled@agent-pool/n,0,@M0@,Agent:pooled", &[])],
        phones: &[Answers],
        drive: |s| {
            let mut login = s.start(&s.device_calls(0, "700", 25_000));
            s.wait_any("AgentLogin", "Agent", "pooled");
            s.call(8000);
            login.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[(
            "asterisk_queue_completions_total",
            &[("queue", "@Q@"), ("agent", "@M0@"), ("ended_by", "caller")],
            1.0,
        )],
        ..BASE
    },
    // recordings
    Scenario {
        name: "recorded-by-queue",
        queues: &[("", "monitor-format=wav", &[Answers])],
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[("asterisk_queue_recorded_calls_total", &[("queue", "@Q@")], 1.0)],
        ..BASE
    },
    Scenario {
        name: "recorded-in-dialplan",
        plan: "Answer()\nMixMonitor(@Q@-${UNIQUEID}.wav)\nQueue(@Q@,t,,,90)\nHangup()",
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[("asterisk_queue_recorded_calls_total", &[("queue", "@Q@")], 1.0)],
        ..BASE
    },
    Scenario {
        name: "recorded-twice",
        queues: &[("", "monitor-format=wav", &[Answers])],
        drive: |s| {
            let mut call = s.start(&s.caller(14_000));
            let caller = s.wait("AgentConnect")["Channel"].clone();
            s.act("StopMixMonitor", &[("Channel", &caller)]);
            s.act("MixMonitor", &[("Channel", &caller), ("File", "@Q@-second.wav")]);
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[("asterisk_queue_recorded_calls_total", &[("queue", "@Q@")], 1.0)],
        ..BASE
    },
    // calls outside queues
    outbound("outbound-answered", |s| s.play(&s.device_calls(0, "9200", 3000)), OUT_ANSWERED),
    outbound(
        "outbound-carrier-hangs-up",
        |s| s.play(&s.device_calls(0, "9201", 60_000)),
        OUT_ANSWERED,
    ),
    outbound("outbound-busy", |s| s.play(&s.device_calls(0, "9486", 60_000)), OUT_BUSY),
    outbound("outbound-refused", |s| s.play(&s.device_calls(0, "9603", 60_000)), OUT_FAILED),
    outbound("outbound-unknown-number", |s| s.play(&s.device_calls(0, "9404", 60_000)), OUT_FAILED),
    outbound("outbound-congestion", |s| s.play(&s.device_calls(0, "9503", 60_000)), OUT_CONGESTION),
    outbound("outbound-unanswered", |s| s.play(&s.device_calls(0, "9180", 60_000)), OUT_NO_ANSWER),
    outbound(
        "outbound-canceled",
        |s| s.play(&Caller { cancel: Some(2000), ..s.device_calls(0, "9180", 0) }),
        OUT_CANCELED,
    ),
    outbound(
        "click-to-call",
        |s| {
            let headers = [
                ("Channel", "@T@/a@D0@"),
                ("Context", "from-agents"),
                ("Exten", "9201"),
                ("Priority", "1"),
                ("Async", "true"),
                ("CallerID", "Test <12025550199>"),
                ("Timeout", "30000"),
            ];
            s.act("Originate", &headers);
            s.wait_any("Hangup", "Channel", "@T@/a@D0@-");
        },
        OUT_ANSWERED,
    ),
    Scenario {
        name: "inbound-to-a-phone",
        queues: &[],
        phones: &[Answers],
        plan: "Dial(@T@/a@D0@,30)\nHangup()",
        drive: |s| s.call(3000),
        wants: &[(
            "asterisk_calls_total",
            &[("direction", "inbound"), ("agent", "@T@/a@D0@"), ("result", "answered")],
            1.0,
        )],
        ..BASE
    },
    Scenario {
        name: "internal",
        queues: &[],
        phones: &[Answers, Answers],
        drive: |s| s.play(&s.device_calls(0, "@D1@", 4000)),
        wants: &[(
            "asterisk_calls_total",
            &[("direction", "internal"), ("agent", "@T@/a@D0@"), ("result", "answered")],
            1.0,
        )],
        ..BASE
    },
];

/// Those whose outcome queue_log calls something else on purpose (METRICS.md, Differences to
/// queue_log).
pub(crate) const REDIRECTED: &[&str] = &["redirected-waiting", "redirected-talking"];

/// Those whose talk ended before queue_log says so.
pub(crate) const CUT_SHORT: &[&str] = &["redirected-talking"];

const OUT_ANSWERED: &[super::stage::Want] = &[(
    "asterisk_calls_total",
    &[("direction", "outbound"), ("agent", "@T@/a@D0@"), ("result", "answered")],
    1.0,
)];
const OUT_BUSY: &[super::stage::Want] = &[(
    "asterisk_calls_total",
    &[("direction", "outbound"), ("agent", "@T@/a@D0@"), ("result", "busy")],
    1.0,
)];
const OUT_FAILED: &[super::stage::Want] = &[(
    "asterisk_calls_total",
    &[("direction", "outbound"), ("agent", "@T@/a@D0@"), ("result", "failed")],
    1.0,
)];
const OUT_CONGESTION: &[super::stage::Want] = &[(
    "asterisk_calls_total",
    &[("direction", "outbound"), ("agent", "@T@/a@D0@"), ("result", "congestion")],
    1.0,
)];
const OUT_NO_ANSWER: &[super::stage::Want] = &[(
    "asterisk_calls_total",
    &[("direction", "outbound"), ("agent", "@T@/a@D0@"), ("result", "no_answer")],
    1.0,
)];
const OUT_CANCELED: &[super::stage::Want] = &[(
    "asterisk_calls_total",
    &[("direction", "outbound"), ("agent", "@T@/a@D0@"), ("result", "canceled")],
    1.0,
)];

const fn outbound(
    name: &'static str,
    drive: fn(&Stage<'_>),
    wants: &'static [super::stage::Want],
) -> Scenario {
    Scenario { name, queues: &[], phones: &[Answers], drive, wants, ..BASE }
}

const fn strategy(
    name: &'static str,
    queues: &'static [(&'static str, &'static str, &'static [super::sipp::Phone])],
) -> Scenario {
    Scenario {
        name,
        queues,
        drive: |s| {
            s.call(6000);
            s.call(6000);
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER ENTERQUEUE CONNECT COMPLETECALLER")],
        ..BASE
    }
}

/// The caller has transferred the agent to a colleague, and both would talk for ever.
fn hang_up_agent_after(s: &Stage<'_>, event: &str, by: &str) {
    let connect = s.wait("AgentConnect");
    s.wait_any(event, by, &connect["Uniqueid"]);
    sleep(Duration::from_secs(1));
    s.act("Hangup", &[("Channel", &connect["DestChannel"])]);
}

/// Members come, pause with reasons, and go; what changes nothing is told again by Asterisk, and
/// logged again.
fn members(s: &Stage<'_>) {
    let one = [("Queue", "@Q@"), ("Interface", "@T@/a@D0@")];
    let with = |more: &[(&'static str, &'static str)]| [&one[..], more].concat();
    s.act("QueueAdd", &with(&[("MemberName", "@M0@"), ("Penalty", "2")]));
    s.act(
        "QueueAdd",
        &[
            ("Queue", "@Q@"),
            ("Interface", "@T@/a@D1@"),
            ("MemberName", "@M1@"),
            ("Paused", "true"),
            ("Reason", "training"),
        ],
    );
    s.act("QueuePause", &with(&[("Paused", "true"), ("Reason", "lunch")]));
    s.act("QueuePause", &with(&[("Paused", "true"), ("Reason", "coffee")]));
    s.act("QueuePause", &with(&[("Paused", "true"), ("Reason", "coffee")]));
    s.act("QueuePause", &with(&[("Paused", "false")]));
    s.act("QueuePause", &with(&[("Paused", "false")]));
    // all queues of the phone at once
    s.act("QueuePause", &[("Interface", "@T@/a@D0@"), ("Paused", "true"), ("Reason", "all")]);
    s.act("QueuePause", &[("Interface", "@T@/a@D0@"), ("Paused", "false")]);
    s.act("QueuePenalty", &with(&[("Penalty", "5")]));
    s.act("QueueRemove", &one);
    s.act("QueueRemove", &[("Queue", "@Q@"), ("Interface", "@T@/a@D1@")]);
}

fn hang_up_talking(s: &Stage<'_>, whose: &str) {
    let mut call = s.start(&s.caller(60_000));
    let channel = talking(s)[whose].clone();
    s.act("Hangup", &[("Channel", &channel), ("Cause", "16")]);
    call.wait();
}

/// Waits until caller and agent have talked for a second; the AgentConnect.
pub(crate) fn talking(s: &Stage<'_>) -> Arc<Message> {
    let connect = s.wait("AgentConnect");
    for side in ["Channel", "DestChannel"] {
        s.wait_any("BridgeEnter", "Channel", &connect[side]);
    }
    sleep(Duration::from_secs(1));
    connect
}

/// Keys, one after the other, from that moment on.
fn keys_after(first: u32, keys: &str) -> Vec<(u32, char)> {
    keys.chars().enumerate().map(|(at, key)| (if at == 0 { first } else { 200 }, key)).collect()
}
