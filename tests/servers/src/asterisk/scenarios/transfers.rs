//! Transfers by keys, by REFER and by the manager.

use std::thread::sleep;
use std::time::Duration;

use super::{BASE, talking};
use crate::asterisk::COLLEAGUE;
use crate::asterisk::phone::DeskPhone;
use crate::asterisk::sipp::Caller;
use crate::asterisk::sipp::Phone::{Answers, AttendedTransfers, BlindTransfers, Desk};
use crate::asterisk::stage::{Scenario, Stage};

/// All of them.
pub(crate) const ALL: &[Scenario] = &[
    // Transfers.
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
        // 16 logs both: the caller is gone from the bridge, and the transfer succeeded.
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
        // One race inside Asterisk decides the verb, and AgentComplete has what queue_log has.
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
        // Nobody asked to hang up when the talk ended, and queue_log waits for whoever does in the
        // end.
        wants: &[(
            "asterisk_queue_completions_total",
            &[("queue", "@Q@"), ("ended_by", "unknown")],
            1.0,
        )],
        ..BASE
    },
];

/// The caller has transferred the agent to a colleague, and both would talk for ever.
fn hang_up_agent_after(s: &Stage<'_>, event: &str, by: &str) {
    let connect = s.wait("AgentConnect");
    s.wait_any(event, by, &connect["Uniqueid"]);
    sleep(Duration::from_secs(1));
    s.act("Hangup", &[("Channel", &connect["DestChannel"])]);
}

/// Keys, one after the other, from that moment on.
fn keys_after(first: u32, keys: &str) -> Vec<(u32, char)> {
    keys.chars().enumerate().map(|(at, key)| (if at == 0 { first } else { 200 }, key)).collect()
}
