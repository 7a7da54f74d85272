//! Ring attempts that fail, strategies, and members who come and go.

use super::BASE;
use crate::asterisk::sipp::Phone;
use crate::asterisk::sipp::Phone::{Answers, Busy, Rings, Unavailable, Unreachable};
use crate::asterisk::stage::{Scenario, Stage};

/// All of them.
pub(crate) const ALL: &[Scenario] = &[
    // Ring attempts that fail.
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
    // Strategies.
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
    // Members.
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
];

const fn strategy(
    name: &'static str,
    queues: &'static [(&'static str, &'static str, &'static [Phone])],
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

/// Members come, pause with reasons, and go; what changes nothing is reported again by Asterisk, and
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

    // All queues of the phone at once.
    s.act("QueuePause", &[("Interface", "@T@/a@D0@"), ("Paused", "true"), ("Reason", "all")]);
    s.act("QueuePause", &[("Interface", "@T@/a@D0@"), ("Paused", "false")]);
    s.act("QueuePenalty", &with(&[("Penalty", "5")]));
    s.act("QueueRemove", &one);
    s.act("QueueRemove", &[("Queue", "@Q@"), ("Interface", "@T@/a@D1@")]);
}
