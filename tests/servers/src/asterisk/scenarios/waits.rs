//! How a wait ends: answered, given up, let go, or never begun.

use super::BASE;
use crate::asterisk::sipp::Caller;
use crate::asterisk::sipp::Phone::{Answers, HangsUp, Holds, Rings};
use crate::asterisk::stage::Scenario;

/// All of them.
pub(crate) const ALL: &[Scenario] = &[
    // Answered.
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
        wants: &[("asterisk_queue_talk_holds_total", &[("agent", "@M0@")], 1.0)],
        at_least: &[
            ("asterisk_agent_state_seconds_total", &[("agent", "@M0@"), ("state", "on_hold")], 1.0),
            ("asterisk_queue_talk_hold_seconds_total", &[("agent", "@M0@")], 1.9),
        ],
        ..BASE
    },
    Scenario {
        name: "left-on-hold",
        queues: &[("", "", &[Holds])],
        drive: |s| s.call(3500),
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER")],
        wants: &[
            ("asterisk_queue_talk_holds_total", &[("agent", "@M0@")], 1.0),
            ("asterisk_queue_talk_hold_hangups_total", &[("agent", "@M0@")], 1.0),
        ],
        ..BASE
    },
    // Given up.
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
    // Let go.
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
    // Never let in.
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
];
