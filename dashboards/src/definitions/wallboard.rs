//! All queues at a glance, for a screen on the wall.

use super::builder::{Column, Dashboard, Lights, Panel, Row};
use super::palette::{BAD, GOOD, STATES};
use super::{
    QUEUE, all_in_range, in_range, limits, longest_wait, seen, share, total, total_with_target,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "asterisk-wallboard",
        title: "Asterisk: Wallboard",
        description: "All queues at a glance: who waits, who is free, and how the last half hour and the day went. \
                      Service level is answered within the target, of all who were answered or gave up; the \
                      dashboard of a queue has the other formulas.",
        from: "now-6h",
        refresh: "10s",
        shown: &["pbx", "queue"],
        rows: vec![now(), Row::new(12, vec![(24, queues())]), course(), day()],
    }
}

fn now() -> Row {
    let waiting = format!("sum(asterisk_queue_callers_waiting{{{QUEUE}}})");
    let longest = format!("max({})", longest_wait());
    let free = format!("sum(asterisk_queue_agents{{{QUEUE}, state=\"available\"}})");
    let in_time = share(
        &total("pbx_queue:asterisk_queue_answered_in_target:increase30m"),
        &format!(
            "({} + {})",
            total_with_target("pbx_queue:asterisk_queue_answered:increase30m"),
            total_with_target("pbx_queue:asterisk_queue_abandoned:increase30m")
        ),
    );
    let gave_up = share(
        &total("pbx_queue:asterisk_queue_abandoned:increase30m"),
        &total("pbx_queue:asterisk_queue_ended:increase30m"),
    );
    let with_target = |counter: &str| {
        format!(
            "sum(increase({counter}[$__range]) and on (pbx, queue) asterisk_queue_service_level_target_seconds)"
        )
    };
    let in_time_today = share(
        &with_target(&format!("asterisk_queue_answered_in_target_total{{{QUEUE}}}")),
        &with_target(&format!(
            "asterisk_queue_exits_total{{{QUEUE}, outcome=~\"answered|abandoned\"}}"
        )),
    );
    let gave_up_today = share(
        &all_in_range("asterisk_queue_exits_total", &format!("{QUEUE}, outcome=\"abandoned\"")),
        &all_in_range("asterisk_queue_exits_total", &format!("{QUEUE}, outcome!=\"lost\"")),
    );
    Row::new(
        4,
        vec![
            (
                2,
                Panel::stat(
                    "In sight",
                    "short",
                    "Whether the exporter sees all chosen PBXs. While it is blind, no caller is counted, agents are \
                     unknown, so none is available, and the longest wait is not known.",
                )
                .now(&format!("min({})", seen()), "in sight")
                .words(&[("0", "blind", BAD), ("1", "in sight", GOOD)])
                .or_else("not scraped"),
            ),
            (
                2,
                Panel::stat("Waiting", "short", "Callers waiting now, in all chosen queues.")
                    .now(&waiting, "waiting"),
            ),
            (
                2,
                Panel::stat("Longest wait", "dthms", "How long the caller who waits longest has waited.")
                    .now(&longest, "longest wait"),
            ),
            (
                3,
                Panel::stat(
                    "Longest wait of target",
                    "percentunit",
                    "The longest wait as a share of its queue's target; amber from 80 %, red from 100 %.",
                )
                .now(&format!("max({})", of_target()), "of target")
                .decimals(0)
                .lights(limits::LIGHTS),
            ),
            (
                2,
                Panel::stat(
                    "Available",
                    "short",
                    "Members of the chosen queues who could take a call now; an agent in two of them is two. Red if there \
                     is none.",
                )
                .now(&free, "available")
                .lights(Lights::High(1.0, 2.0)),
            ),
            (
                4,
                Panel::stat(
                    "Service level",
                    "percentunit",
                    "Answered within the target, of all who were answered or gave up: in the last 30 minutes, and \
                     since midnight.",
                )
                .now(&in_time, "30 min")
                .now(&in_time_today, "today")
                .decimals(1)
                .today(),
            ),
            (3, limits::worst("Late, of limit", limits::SERVICE_LEVEL, &limits::too_late())),
            (
                3,
                Panel::stat(
                    "Abandon rate",
                    "percentunit",
                    "Callers who gave up, of all waits that ended: in the last 30 minutes, and since midnight.",
                )
                .now(&gave_up, "30 min")
                .now(&gave_up_today, "today")
                .decimals(1)
                .today(),
            ),
            (3, limits::worst("Abandoned, of limit", limits::ABANDONS, &limits::gave_up())),
        ],
    )
}

fn queues() -> Panel {
    let gauge = |name: &str| format!("sum by (pbx, queue) ({name}{{{QUEUE}}})");
    let agents = |states: &str| {
        format!("sum by (pbx, queue) (asterisk_queue_agents{{{QUEUE}, state=~\"{states}\"}})")
    };
    let recorded = |name: &str| by_queue(&format!("{name}{{{QUEUE}}}"));
    let exits = |outcomes: &str| {
        in_range("pbx, queue", "asterisk_queue_exits_total", &format!("{QUEUE}, outcome{outcomes}"))
    };
    let answered_today = in_range("pbx, queue", "asterisk_queue_answered_in_target_total", QUEUE);
    Panel::table(
        "Queues",
        &[("queue", "Queue"), ("pbx", "PBX")],
        "One row a queue. Lights: the longest wait as a share of the queue's target, somebody available or not, and \
         how much of what its thresholds allow it has used in 30 minutes: callers not answered within the target, and \
         callers who gave up (nothing for few calls), by the formulas of the alerts. Today is since midnight. A click on a queue opens it.",
        vec![
            Column::new("Waiting", "short", gauge("asterisk_queue_callers_waiting")),
            Column::new("Longest wait", "dthms", by_queue(&longest_wait())),
            Column::new("Wait of target", "percentunit", by_queue(&of_target())).lights(limits::LIGHTS),
            Column::new("Talking", "short", gauge("asterisk_queue_callers_talking")),
            Column::new("Available", "short", agents("available")).lights(Lights::High(1.0, 2.0)),
            Column::new("Ringing", "short", agents("ringing")),
            Column::new("On calls", "short", agents("talking|on_hold|busy")),
            Column::new("Wrap-up", "short", agents("wrapup")),
            Column::new("Paused", "short", agents("paused")),
            Column::new("Away", "short", agents("dnd|unavailable|unknown")),
            Column::new(
                "SL 30 m",
                "percentunit",
                recorded("pbx_queue:asterisk_queue_service_level_all_abandons:ratio_rate30m"),
            ),
            Column::new("Late of limit", "percentunit", by_queue(&limits::too_late())).lights(limits::LIGHTS),
            Column::new(
                "SL today",
                "percentunit",
                format!(
                    "{} and on (pbx, queue) asterisk_queue_service_level_target_seconds",
                    share(&answered_today, &exits("=~\"answered|abandoned\""))
                ),
            ),
            Column::new("Abandon 30 m", "percentunit", recorded("pbx_queue:asterisk_queue_abandoned:ratio_rate30m")),
            Column::new("Ab. of limit", "percentunit", by_queue(&limits::gave_up())).lights(limits::LIGHTS),
            Column::new("Abandon today", "percentunit", share(&exits("=\"abandoned\""), &exits("!=\"lost\""))),
            Column::new("Offered today", "short", in_range("pbx, queue", "asterisk_queue_entries_total", QUEUE)),
        ],
    )
    .decimals(0)
    .high_rows()
    .today()
    .opens("Queue", "asterisk-queue", &[("queue", "Queue"), ("pbx", "PBX")])
}

fn course() -> Row {
    let waiting = format!("sum by (queue) (asterisk_queue_callers_waiting{{{QUEUE}}})");
    let of_target = format!("max by (queue) ({})", of_target());
    let agents = format!("sum by (state) (asterisk_queue_agents{{{QUEUE}}})");
    Row::new(
        6,
        vec![
            (8, Panel::steps("Callers waiting", "short", "Callers waiting, by queue.").over_time(&waiting, "{{queue}}").stacked()),
            (
                8,
                Panel::steps(
                    "Longest wait of target",
                    "percentunit",
                    "The longest wait of each queue as a share of its target. Above 100 % a caller has waited too long.",
                )
                .over_time(&of_target, "{{queue}}")
                .lights(limits::LIGHTS),
            ),
            (
                8,
                Panel::steps(
                    "Agents by state",
                    "short",
                    "Members of the chosen queues by state. An agent in two of them is two members.",
                )
                .over_time(&agents, "{{state}}")
                .stacked()
                .colours(STATES),
            ),
        ],
    )
}

fn day() -> Row {
    let recorded = |name: &str| {
        format!("sum by (queue) (pbx_queue:asterisk_queue_{name}:increase30m{{{QUEUE}}})")
    };
    let with_target = |name: &str| {
        format!(
            "sum by (queue) (pbx_queue:asterisk_queue_{name}:increase30m{{{QUEUE}}} and on (pbx, queue) pbx_queue:asterisk_queue_answered_in_target:increase30m)"
        )
    };
    let in_time = share(
        &recorded("answered_in_target"),
        &format!("({} + {})", with_target("answered"), with_target("abandoned")),
    );
    let gave_up = share(&recorded("abandoned"), &recorded("ended"));
    Row::new(
        6,
        vec![
            (
                12,
                limits::line_of_service_level(
                    Panel::lines(
                        "Service level, 30 min",
                        "percentunit",
                        "Answered within the target, of answered and abandoned, over the 30 minutes before each point. \
                         Dashed: the threshold below which there is an alert, the strictest of the chosen queues.",
                    )
                    .over_time(&in_time, "{{queue}}"),
                )
                .up_to(1.0),
            ),
            (
                12,
                limits::line_of_abandons(
                    Panel::lines(
                        "Abandon rate, 30 min",
                        "percentunit",
                        "Callers who gave up, of all waits that ended, over the 30 minutes before each point. Dashed: \
                         the threshold above which there is an alert, the strictest of the chosen queues.",
                    )
                    .over_time(&gave_up, "{{queue}}"),
                ),
            ),
        ],
    )
}

/// With the labels of a row and no other: Grafana makes a row of its own for what has more of them,
/// or a name.
fn by_queue(expr: &str) -> String {
    format!("max by (pbx, queue) ({expr})")
}

/// The longest wait of each queue, 1 being the target; nothing for a queue without a target.
fn of_target() -> String {
    format!("{} / (asterisk_queue_service_level_target_seconds{{{QUEUE}}} > 0)", longest_wait())
}
