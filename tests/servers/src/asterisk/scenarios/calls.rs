//! Calls that come twice, through Local channels, that the manager ends, that are recorded, and
//! those outside queues.

use super::{BASE, talking};
use crate::asterisk::ami::Message;
use crate::asterisk::phone::DeskPhone;
use crate::asterisk::sipp::Caller;
use crate::asterisk::sipp::Phone::{Answers, Busy, Desk, HangsUp, Rings};
use crate::asterisk::stage::{Scenario, Stage, Want};

/// All of them.
pub(crate) const ALL: &[Scenario] = &[
    // Several stays.
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
    // Local channels.
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
    // Hung up by the manager.
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
    // Special members.
    Scenario {
        name: "member-gosub",
        plan: "Answer()\nQueue(@Q@,t,,,90,@G@member-sub)\nHangup()",
        drive: |s| {
            let mut call = s.start(&s.caller(8000));
            let agent = s.wait("AgentCalled")["DestUniqueid"].clone();
            let runs = |m: &Message| {
                m["Event"] == "Newexten" && m["Uniqueid"] == agent && m["Context"] == "member-sub"
            };
            // In a place where Queue looks for something else nothing runs, and nothing else shows it.
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
    // Recordings.
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
    // Calls outside queues.
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

const OUT_ANSWERED: &[Want] = &[(
    "asterisk_calls_total",
    &[("direction", "outbound"), ("agent", "@T@/a@D0@"), ("result", "answered")],
    1.0,
)];

const OUT_BUSY: &[Want] = &[(
    "asterisk_calls_total",
    &[("direction", "outbound"), ("agent", "@T@/a@D0@"), ("result", "busy")],
    1.0,
)];

const OUT_FAILED: &[Want] = &[(
    "asterisk_calls_total",
    &[("direction", "outbound"), ("agent", "@T@/a@D0@"), ("result", "failed")],
    1.0,
)];

const OUT_CONGESTION: &[Want] = &[(
    "asterisk_calls_total",
    &[("direction", "outbound"), ("agent", "@T@/a@D0@"), ("result", "congestion")],
    1.0,
)];

const OUT_NO_ANSWER: &[Want] = &[(
    "asterisk_calls_total",
    &[("direction", "outbound"), ("agent", "@T@/a@D0@"), ("result", "no_answer")],
    1.0,
)];

const OUT_CANCELED: &[Want] = &[(
    "asterisk_calls_total",
    &[("direction", "outbound"), ("agent", "@T@/a@D0@"), ("result", "canceled")],
    1.0,
)];

const fn outbound(name: &'static str, drive: fn(&Stage<'_>), wants: &'static [Want]) -> Scenario {
    Scenario { name, queues: &[], phones: &[Answers], drive, wants, ..BASE }
}

fn hang_up_talking(s: &Stage<'_>, whose: &str) {
    let mut call = s.start(&s.caller(60_000));
    let channel = talking(s)[whose].clone();
    s.act("Hangup", &[("Channel", &channel), ("Cause", "16")]);
    call.wait();
}
