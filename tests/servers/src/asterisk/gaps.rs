//! What a gap hides, one case each, all at once on a real PBX: who waits or talks before the wire
//! is cut, what happens while nobody sees it, and exactly what must be counted afterwards
//! (METRICS.md, Over a gap).

use super::COLLEAGUE;
use super::phone::DeskPhone;
use super::scenarios::talking;
use super::sipp::Phone::{Answers, Desk, Rings};
use super::sipp::Sipp;
use super::stage::{Scenario, Stage};

const BASE: Scenario = Scenario::new("");

/// All of them.
pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: "waits-through",
        queues: &[("", "", &[])],
        drive: |s| {
            let mut call = waiting(s, 90_000);
            s.hidden(|| {});
            hang_up_waiting(s);
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE ABANDON")],
        after_gap: &[("asterisk_queue_callers_waiting", &[("queue", "@Q@")], 1.0)],
        wants: &[
            ("asterisk_queue_entries_total", &[("queue", "@Q@")], 1.0),
            ("asterisk_queue_exits_total", &[("queue", "@Q@"), ("outcome", "abandoned")], 1.0),
            ("asterisk_queue_exits_total", &[("queue", "@Q@")], 1.0),
        ],
        ..BASE
    },
    Scenario {
        name: "rings-through",
        queues: &[("", "timeout=90", &[Rings])],
        drive: |s| {
            let mut call = waiting(s, 90_000);
            s.wait("AgentCalled");
            s.hidden(|| {});
            hang_up_waiting(s);
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE RINGCANCELED ABANDON")],
        after_gap: &[
            ("asterisk_queue_callers_waiting", &[("queue", "@Q@")], 1.0),
            ("asterisk_queue_agents", &[("queue", "@Q@"), ("state", "ringing")], 1.0),
        ],
        wants: &[
            ("asterisk_queue_exits_total", &[("queue", "@Q@"), ("outcome", "abandoned")], 1.0),
            ("asterisk_queue_rings_total", &[("queue", "@Q@"), ("result", "canceled")], 1.0),
            ("asterisk_queue_rings_total", &[("queue", "@Q@")], 1.0),
        ],
        ..BASE
    },
    Scenario {
        name: "gives-up-unseen",
        queues: &[("", "", &[])],
        drive: |s| {
            let mut call = waiting(s, 90_000);
            s.hidden(|| {
                hang_up_waiting(s);
                call.wait();
            });
        },
        verbs: &[("", "ENTERQUEUE ABANDON")],
        after_gap: &[("asterisk_queue_callers_waiting", &[("queue", "@Q@")], 0.0)],
        wants: &[
            ("asterisk_queue_exits_total", &[("queue", "@Q@"), ("outcome", "lost")], 1.0),
            ("asterisk_queue_exits_total", &[("queue", "@Q@")], 1.0),
        ],
        ..BASE
    },
    Scenario {
        name: "connected-unseen",
        queues: &[("", "", &[])],
        phones: &[Answers],
        drive: |s| {
            let mut call = waiting(s, 90_000);
            s.hidden(|| {
                s.act(
                    "QueueAdd",
                    &[("Queue", "@Q@"), ("Interface", "@T@/a@D0@"), ("MemberName", "@M0@")],
                );
                talking(s);
            });
            hang_up_talking(s, &mut call);
        },
        verbs: &[("", "ENTERQUEUE ADDMEMBER CONNECT COMPLETECALLER|COMPLETEAGENT")],
        after_gap: &[
            ("asterisk_queue_callers_waiting", &[("queue", "@Q@")], 0.0),
            ("asterisk_queue_callers_talking", &[("queue", "@Q@")], 1.0),
            ("asterisk_queue_agents", &[("queue", "@Q@"), ("state", "talking")], 1.0),
        ],
        wants: &[
            ("asterisk_queue_exits_total", &[("queue", "@Q@"), ("outcome", "answered")], 1.0),
            ("asterisk_queue_completions_total", &[("queue", "@Q@"), ("ended_by", "lost")], 0.0),
            ("asterisk_queue_completions_total", &[("queue", "@Q@"), ("agent", "@M0@")], 1.0),
            ("asterisk_queue_adopted_total", &[("queue", "@Q@")], 0.0),
        ],
        ..BASE
    },
    Scenario {
        name: "served-unseen",
        queues: &[("", "", &[])],
        phones: &[Answers],
        drive: |s| {
            let mut call = waiting(s, 90_000);
            s.hidden(|| {
                s.act(
                    "QueueAdd",
                    &[("Queue", "@Q@"), ("Interface", "@T@/a@D0@"), ("MemberName", "@M0@")],
                );
                talking(s);
                hang_up_talking(s, &mut call);
            });
        },
        verbs: &[("", "ENTERQUEUE ADDMEMBER CONNECT COMPLETECALLER|COMPLETEAGENT")],
        wants: &[
            ("asterisk_queue_exits_total", &[("queue", "@Q@"), ("outcome", "lost")], 1.0),
            ("asterisk_queue_exits_total", &[("queue", "@Q@")], 1.0),
            ("asterisk_queue_completions_total", &[("queue", "@Q@")], 0.0),
        ],
        ..BASE
    },
    Scenario {
        name: "talks-through",
        drive: |s| {
            let mut call = waiting(s, 90_000);
            talking(s);
            s.hidden(|| {});
            hang_up_talking(s, &mut call);
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER|COMPLETEAGENT")],
        after_gap: &[("asterisk_queue_callers_talking", &[("queue", "@Q@")], 1.0)],
        wants: &[
            ("asterisk_queue_completions_total", &[("queue", "@Q@"), ("ended_by", "lost")], 0.0),
            ("asterisk_queue_completions_total", &[("queue", "@Q@")], 1.0),
            ("asterisk_queue_adopted_total", &[("queue", "@Q@")], 0.0),
        ],
        ..BASE
    },
    Scenario {
        name: "hangs-up-unseen",
        drive: |s| {
            let mut call = waiting(s, 90_000);
            talking(s);
            s.hidden(|| hang_up_talking(s, &mut call));
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER|COMPLETEAGENT")],
        after_gap: &[
            ("asterisk_queue_callers_talking", &[("queue", "@Q@")], 0.0),
            ("asterisk_queue_agents", &[("queue", "@Q@"), ("state", "available")], 1.0),
        ],
        wants: &[
            ("asterisk_queue_completions_total", &[("queue", "@Q@"), ("ended_by", "lost")], 1.0),
            ("asterisk_queue_completions_total", &[("queue", "@Q@")], 1.0),
        ],
        ..BASE
    },
    Scenario {
        name: "comes-unseen",
        queues: &[("", "", &[])],
        drive: |s| {
            let mut call = None;
            s.hidden(|| call = Some(waiting(s, 90_000)));
            hang_up_waiting(s);
            call.expect("a call").wait();
        },
        verbs: &[("", "ENTERQUEUE ABANDON")],
        after_gap: &[("asterisk_queue_callers_waiting", &[("queue", "@Q@")], 1.0)],
        wants: &[
            ("asterisk_queue_entries_total", &[("queue", "@Q@")], 0.0),
            ("asterisk_queue_adopted_total", &[("queue", "@Q@"), ("phase", "waiting")], 1.0),
            ("asterisk_queue_exits_total", &[("queue", "@Q@"), ("outcome", "abandoned")], 1.0),
        ],
        ..BASE
    },
    Scenario {
        name: "comes-and-talks-unseen",
        drive: |s| {
            let mut call = None;
            s.hidden(|| {
                call = Some(waiting(s, 90_000));
                talking(s);
            });
            hang_up_talking(s, &mut call.expect("a call"));
        },
        verbs: &[("", "ENTERQUEUE CONNECT COMPLETECALLER|COMPLETEAGENT")],
        after_gap: &[("asterisk_queue_callers_talking", &[("queue", "@Q@")], 1.0)],
        wants: &[
            ("asterisk_queue_entries_total", &[("queue", "@Q@")], 0.0),
            ("asterisk_queue_exits_total", &[("queue", "@Q@")], 0.0),
            ("asterisk_queue_adopted_total", &[("queue", "@Q@"), ("phase", "talking")], 1.0),
            ("asterisk_queue_completions_total", &[("queue", "@Q@"), ("agent", "@M0@")], 1.0),
        ],
        ..BASE
    },
    Scenario {
        name: "comes-and-goes-unseen",
        queues: &[("", "", &[])],
        drive: |s| {
            s.hidden(|| {
                let mut call = waiting(s, 90_000);
                hang_up_waiting(s);
                call.wait();
            });
        },
        verbs: &[("", "ENTERQUEUE ABANDON")],
        wants: &[
            ("asterisk_queue_entries_total", &[("queue", "@Q@")], 0.0),
            ("asterisk_queue_exits_total", &[("queue", "@Q@")], 0.0),
            ("asterisk_queue_adopted_total", &[("queue", "@Q@")], 0.0),
        ],
        ..BASE
    },
    Scenario {
        name: "pauses-unseen",
        drive: |s| {
            s.hidden(|| {
                s.act(
                    "QueuePause",
                    &[("Queue", "@Q@"), ("Interface", "@T@/a@D0@"), ("Paused", "true")],
                );
            });
        },
        verbs: &[("", "PAUSE")],
        after_gap: &[("asterisk_queue_agents", &[("queue", "@Q@"), ("state", "paused")], 1.0)],
        ..BASE
    },
    // transfers: the caller's channel goes on to run Queue long after the agent has passed it on.
    Scenario {
        name: "passed-on-before",
        queues: &[("", "", &[Desk])],
        drive: |s| {
            let _phone = desk(s);
            let mut call = waiting(s, 90_000);
            passed_on(s);
            s.hidden(|| {});
            s.act("Hangup", &[("Channel", &s.wait("QueueCallerJoin")["Channel"])]);
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT ATTENDEDTRANSFER|COMPLETEAGENT|COMPLETECALLER")],
        after_gap: &[("asterisk_queue_callers_talking", &[("queue", "@Q@")], 0.0)],
        wants: PASSED_ON_BEFORE,
        ..BASE
    },
    Scenario {
        name: "passed-on-unseen",
        queues: &[("", "", &[Desk])],
        drive: |s| {
            let _phone = desk(s);
            let mut call = waiting(s, 90_000);
            talking(s);
            s.hidden(|| passed_on(s));
            s.act("Hangup", &[("Channel", &s.wait("QueueCallerJoin")["Channel"])]);
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT ATTENDEDTRANSFER|COMPLETEAGENT|COMPLETECALLER")],
        after_gap: &[("asterisk_queue_callers_talking", &[("queue", "@Q@")], 0.0)],
        wants: &[
            ("asterisk_queue_completions_total", &[("queue", "@Q@"), ("ended_by", "lost")], 1.0),
            ("asterisk_queue_completions_total", &[("queue", "@Q@")], 1.0),
            ("asterisk_queue_adopted_total", &[("queue", "@Q@")], 0.0),
        ],
        ..BASE
    },
    Scenario {
        name: "comes-and-is-passed-on-unseen",
        queues: &[("", "", &[Desk])],
        drive: |s| {
            let _phone = desk(s);
            let mut call = None;
            s.hidden(|| {
                call = Some(waiting(s, 90_000));
                passed_on(s);
            });
            s.act("Hangup", &[("Channel", &s.wait("QueueCallerJoin")["Channel"])]);
            call.expect("a call").wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT ATTENDEDTRANSFER|COMPLETEAGENT|COMPLETECALLER")],
        after_gap: &[("asterisk_queue_callers_talking", &[("queue", "@Q@")], 0.0)],
        wants: &[
            ("asterisk_queue_completions_total", &[("queue", "@Q@")], 0.0),
            ("asterisk_queue_adopted_total", &[("queue", "@Q@")], 0.0),
        ],
        ..BASE
    },
    Scenario {
        name: "consults-through",
        queues: &[("", "", &[Desk])],
        drive: |s| {
            let _phone = desk(s);
            let mut call = waiting(s, 90_000);
            let agent = consults(s);
            s.hidden(|| {});
            s.act("Hangup", &[("Channel", &agent)]);
            s.wait("AgentComplete");
            s.act("Hangup", &[("Channel", &s.wait("QueueCallerJoin")["Channel"])]);
            call.wait();
        },
        verbs: &[("", "ENTERQUEUE CONNECT ATTENDEDTRANSFER|COMPLETEAGENT|COMPLETECALLER")],
        after_gap: &[("asterisk_queue_callers_talking", &[("queue", "@Q@")], 1.0)],
        wants: PASSED_ON_BEFORE,
        ..BASE
    },
];

/// Seen from beginning to end, so counted once and as nothing else.
const PASSED_ON_BEFORE: &[super::stage::Want] = &[
    ("asterisk_queue_completions_total", &[("queue", "@Q@"), ("ended_by", "lost")], 0.0),
    ("asterisk_queue_completions_total", &[("queue", "@Q@")], 1.0),
    ("asterisk_queue_adopted_total", &[("queue", "@Q@")], 0.0),
];

/// A caller who has joined.
fn waiting(s: &Stage<'_>, hold: u32) -> Sipp {
    let call = s.start(&s.caller(hold));
    s.wait("QueueCallerJoin");
    call
}

/// The waiting caller is hung up.
fn hang_up_waiting(s: &Stage<'_>) {
    s.act("Hangup", &[("Channel", &s.wait("QueueCallerJoin")["Channel"])]);
    s.wait("QueueCallerAbandon");
}

/// The talking caller is hung up.
fn hang_up_talking(s: &Stage<'_>, call: &mut Sipp) {
    s.act("Hangup", &[("Channel", &s.wait("AgentConnect")["Channel"])]);
    s.wait("AgentComplete");
    call.wait();
}

/// An agent whose phone sends audio: digits that the manager presses need some that comes in.
fn desk(s: &Stage<'_>) -> DeskPhone {
    DeskPhone::start(s.pbx, &s.text("a@D0@"), s.desk_port())
}

/// The agent has called a colleague, and the caller waits in the bridge.
fn consults(s: &Stage<'_>) -> String {
    let connect = talking(s);
    let from = s.pbx.ctl().here();
    s.act(
        "Atxfer",
        &[("Channel", &connect["DestChannel"]), ("Context", "from-agents"), ("Exten", COLLEAGUE)],
    );

    let agent = connect["DestUniqueid"].clone();

    // Out of the queue's bridge, and into one with the colleague.
    s.pbx.ctl().wait(from, "BridgeLeave", &[("Uniqueid", &agent)]);
    let entered = s.pbx.ctl().wait(from, "BridgeEnter", &[("Uniqueid", &agent)]);
    let bridge = entered["BridgeUniqueid"].clone();
    s.pbx.ctl().wait_for("the colleague", from, |m| {
        m["Event"] == "BridgeEnter"
            && m["BridgeUniqueid"] == bridge
            && m.get("BridgeNumChannels").is_some_and(|n| n == "2")
    });

    connect["DestChannel"].clone()
}

/// The agent has passed the caller on to a colleague.
fn passed_on(s: &Stage<'_>) {
    let from = s.pbx.ctl().here();
    let agent = consults(s);
    s.act("Hangup", &[("Channel", &agent)]);
    s.wait("AgentComplete");
    s.pbx.ctl().wait(from, "AttendedTransfer", &[("OrigTransfererChannel", &agent)]);
    // On a busy machine the agent's channel is listed for a while after that.
    s.pbx.ctl().wait(from, "Hangup", &[("Channel", &agent)]);
}
