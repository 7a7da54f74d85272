//! All queues at a glance, for a screen on the wall.

use super::builder::{Column, Dashboard, Lights, Panel, Row};
use super::palette::{BAD, GOOD, STATES};
use super::shared::{DAY, handle_time, speed_of_answer};
use super::{QUEUE, all_in_range, connected, in_range, limits, longest_wait, share};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "asterisk-wallboard",
        title: "Asterisk: Wallboard",
        description: "All queues at a glance: waiting callers, available agents, and the results of the last half hour and the \
                      day. Service level is the share of calls answered within the target, of all answered and \
                      abandoned calls; the dashboard of a queue has the other formulas.",
        from: "now-6h",
        refresh: "10s",
        shown: &["pbx", "queue"],
        rows: vec![now(), today(), Row::new(9, vec![(24, queues())]), course(), day()],
    }
}

fn now() -> Row {
    let waiting = format!("sum(asterisk_queue_callers_waiting{{{QUEUE}}})");
    let longest = format!("max({})", longest_wait());
    let free = format!("sum(asterisk_queue_agents{{{QUEUE}, state=\"available\"}})");
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
    let abandoned_today = share(
        &all_in_range("asterisk_queue_exits_total", &format!("{QUEUE}, outcome=\"abandoned\"")),
        &all_in_range("asterisk_queue_exits_total", &format!("{QUEUE}, outcome!=\"lost\"")),
    );
    Row::new(
        4,
        vec![
            (
                2,
                Panel::stat(
                    "PBX connection",
                    "short",
                    "Whether the exporter is connected to and synchronised with all selected PBXs. While it is not, no \
                     calls are counted, the state of agents is unknown, so none is available, and the longest wait is \
                     not known.",
                )
                .now(&format!("min({})", connected()), "connected")
                .words(&[("0", "disconnected", BAD), ("1", "connected", GOOD)])
                .or_else("not scraped"),
            ),
            (
                2,
                Panel::stat("Waiting", "short", "Callers waiting now, in all selected queues.")
                    .now(&waiting, "waiting"),
            ),
            (
                2,
                Panel::stat("Longest wait", "dthms", "The longest current wait.")
                    .now(&longest, "longest wait"),
            ),
            (
                3,
                Panel::stat(
                    "Longest wait vs. target",
                    "percentunit",
                    "The longest wait in percent of the target of its queue; amber from 80 %, red from 100 %.",
                )
                .now(&format!("max({})", of_target()), "of target")
                .decimals(0)
                .lights(limits::LIGHTS),
            ),
            (
                3,
                Panel::stat(
                    "Members available",
                    "short",
                    "Members of the selected queues who could answer a call now; an agent in two of them counts twice. Red \
                     if there is none.",
                )
                .now(&free, "available")
                .lights(Lights::High(1.0, 2.0)),
            ),
            (
                7,
                limits::with_targets(limits::service_level_now().beside(&in_time_today, "today")).today(),
            ),
            (5, limits::with_threshold(limits::abandoned_now().beside(&abandoned_today, "today")).today()),
        ],
    )
}

fn today() -> Row {
    let exits = |outcome: &str| {
        all_in_range("asterisk_queue_exits_total", &format!("{QUEUE}, outcome=\"{outcome}\""))
    };
    let offered = all_in_range("asterisk_queue_entries_total", QUEUE);
    let longest =
        format!("max(max_over_time(asterisk_queue_longest_wait_seconds{{{QUEUE}}}[$__range]))");
    let stat = |title, unit, description, expr: &str| {
        Panel::stat(title, unit, description).now(expr, title).decimals(0).today()
    };
    Row::new(
        3,
        vec![
            (
                4,
                stat(
                    "Offered today",
                    "short",
                    "Callers who joined a queue since midnight.",
                    &offered,
                ),
            ),
            (
                4,
                stat(
                    "Answered today",
                    "short",
                    "Callers whom an agent answered since midnight.",
                    &exits("answered"),
                ),
            ),
            (
                4,
                stat(
                    "Abandoned today",
                    "short",
                    "Callers who hung up while waiting, since midnight.",
                    &exits("abandoned"),
                ),
            ),
            (
                4,
                stat(
                    "ASA today",
                    "dthms",
                    "Average speed of answer since midnight: the average wait of answered calls.",
                    &speed_of_answer(&DAY),
                ),
            ),
            (
                4,
                stat(
                    "AHT today",
                    "dthms",
                    "Average handle time since midnight: talk including hold, and wrap-up.",
                    &handle_time(&DAY),
                ),
            ),
            (
                4,
                stat(
                    "Longest wait today",
                    "dthms",
                    "The longest wait of any caller since midnight, as of the scrapes.",
                    &longest,
                ),
            ),
        ],
    )
}

fn queues() -> Panel {
    let gauge = |name: &str| format!("sum by (pbx, queue) ({name}{{{QUEUE}}})");
    let gauge_of = |name: &str| format!("max by (pbx, queue) ({name}{{{QUEUE}}})");
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
        "One row per queue. SL is the share of calls answered within the target, by the formula of the alerts, and \
         At least and In are its threshold and its target. Traffic lights: the longest wait in percent of the target, the \
         number of available members, and, over 30 minutes, late calls (not answered within the target) and abandoned calls \
         in percent of what the threshold of the queue allows; empty for few calls. Ab. is abandoned. Today, and \
         offered, is since midnight. \
         Click a queue to open it.",
        vec![
            Column::new("Waiting", "short", gauge("asterisk_queue_callers_waiting")),
            Column::new("Longest wait", "dthms", by_queue(&longest_wait())),
            Column::new("Wait/target", "percentunit", by_queue(&of_target())).lights(limits::LIGHTS),
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
                recorded("pbx_queue:asterisk_queue_service_level_alerted:ratio_rate30m"),
            ),
            Column::new("At least", "percentunit", recorded("pbx_queue:asterisk_threshold:service_level")),
            Column::new("In", "s", gauge_of("asterisk_queue_service_level_target_seconds")),
            Column::new("Late/limit", "percentunit", by_queue(&limits::too_late())).lights(limits::LIGHTS),
            Column::new(
                "SL today",
                "percentunit",
                format!(
                    "{} and on (pbx, queue) asterisk_queue_service_level_target_seconds",
                    share(&answered_today, &exits("=~\"answered|abandoned\""))
                ),
            ),
            Column::new("Ab. 30 m", "percentunit", recorded("pbx_queue:asterisk_queue_abandoned:ratio_rate30m")),
            Column::new("Ab./limit", "percentunit", by_queue(&limits::abandoned())).lights(limits::LIGHTS),
            Column::new("Ab. today", "percentunit", share(&exits("=\"abandoned\""), &exits("!=\"lost\""))),
            Column::new("Offered", "short", in_range("pbx, queue", "asterisk_queue_entries_total", QUEUE)),
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
            (8, Panel::steps("Callers waiting", "short", "Waiting callers by queue.").over_time(&waiting, "{{queue}}").stacked()),
            (
                8,
                Panel::steps(
                    "Longest wait vs. target",
                    "percentunit",
                    "The longest wait of each queue in percent of its target. Above 100 % a caller waits longer than the \
                     target.",
                )
                .over_time(&of_target, "{{queue}}")
                .lights(limits::LIGHTS),
            ),
            (
                8,
                Panel::steps(
                    "Members by state",
                    "short",
                    "Members of the selected queues by state. An agent in two of them is two members.",
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
    let abandoned = share(&recorded("abandoned"), &recorded("ended"));
    Row::new(
        6,
        vec![
            (
                12,
                limits::line_of_service_level(
                    Panel::lines(
                        "Service level, 30 min",
                        "percentunit",
                        "Calls answered within the target, of answered and abandoned calls, over the 30 minutes before each point. \
                         Dashed: the threshold below which there is an alert, the strictest of the selected queues.",
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
                        "Abandoned calls, of all waits that ended, over the 30 minutes before each point. Dashed: the \
                         threshold above which there is an alert, the strictest of the selected queues.",
                    )
                    .over_time(&abandoned, "{{queue}}"),
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
