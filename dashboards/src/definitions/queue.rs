//! One queue in detail.

mod half_hours;
mod handling;
mod talks;

use super::builder::{Column, Dashboard, Lights, Panel, Row};
use super::palette::{ENDED_BY, OUTCOMES, REFUSALS, STATES};
use super::shared::{causes, hint, lengths, missed, percentiles, rang};
use super::{
    NAMED, QUEUE, distribution, in_range, in_range_with_first, limits, longest_wait, most,
    per_minute, share, total, total_with_target, weighted,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "asterisk-queue",
        title: "Asterisk: Queue",
        description: "One queue in detail, or the sum of several: how callers joined and left, how long they waited and \
                      talked, the service level by six formulas, and the agents.",
        from: "now-6h",
        refresh: "30s",
        shown: &["pbx", "queue"],
        rows: vec![
            now(),
            half_hours::row(),
            arrivals(),
            at_the_moment(),
            service(),
            waits(),
            talks::row(),
            ends(),
            handling::row(),
            load(),
            members(),
        ],
    }
}

fn now() -> Row {
    let free = format!("sum(asterisk_queue_agents{{{QUEUE}, state=\"available\"}})");
    Row::new(
        4,
        vec![
            (
                2,
                Panel::stat("Waiting", "short", "Callers waiting now.")
                    .now(&format!("sum(asterisk_queue_callers_waiting{{{QUEUE}}})"), "waiting"),
            ),
            (
                2,
                Panel::stat("Longest wait", "dthms", "The longest current wait.")
                    .now(&format!("max({})", longest_wait()), "longest wait"),
            ),
            (
                2,
                Panel::stat(
                    "Wait if joining",
                    "dthms",
                    "How long a caller who joins now may expect to wait, of the selected queues the longest: callers who \
                     wait without a free agent, and the new one, times the average handle time, divided by the members \
                     who are logged in and not paused. An estimate: callers who give up make it too high, agents who \
                     have calls of other queues too low. Empty if nobody is there to answer.",
                )
                .now(&estimated_wait(), "estimate")
                .decimals(0),
            ),
            (
                2,
                Panel::stat("Talking", "short", "Callers talking to an agent now.")
                    .now(&format!("sum(asterisk_queue_callers_talking{{{QUEUE}}})"), "talking"),
            ),
            (
                3,
                Panel::stat("Members available", "short", "Members who could answer a call now. Red if there is none.")
                    .now(&free, "available")
                    .lights(Lights::High(1.0, 2.0)),
            ),
            (5, limits::with_targets(limits::service_level_now())),
            (4, limits::with_threshold(limits::abandoned_now())),
            (
                2,
                Panel::stat(
                    "ASA, 30 min",
                    "dthms",
                    "Average speed of answer: the average wait of the calls answered in the last 30 minutes.",
                )
                .now(&speed_of_answer(), "speed of answer")
                .decimals(0),
            ),
            (
                2,
                Panel::stat(
                    "AHT, 30 min",
                    "dthms",
                    "Average handle time: talk including hold, and wrap-up, in the last 30 minutes.",
                )
                .now(&handle_time(), "handle time")
                .decimals(0),
            ),
        ],
    )
}

fn arrivals() -> Row {
    Row::titled(
        "Entries and exits",
        9,
        vec![
            (
                12,
                Panel::lines(
                    "Waits that ended, by outcome",
                    "cpm",
                    "Callers per minute who left the queue, by outcome, stacked; the dashed line is callers who joined. \
                     Only `abandoned` callers hung up themselves: METRICS.md has the outcomes.",
                )
                .over_time(&per_minute("outcome", "asterisk_queue_exits_total", QUEUE), "{{outcome}}")
                .over_time(
                    &format!("60 * sum(rate(asterisk_queue_entries_total{{{QUEUE}}}[$__rate_interval]))"),
                    "entered",
                )
                .stacked()
                .colours(OUTCOMES)
                .dashed("entered")
                .at_least("1m"),
            ),
            (
                6,
                Panel::lines(
                    "Answers by penalty",
                    "cpm",
                    "Answered calls per minute, by the penalty of the member who answered, stacked. Members of a lower \
                     penalty are called first, so calls of a higher one have overflowed.",
                )
                .over_time(
                    &per_minute("penalty", "asterisk_queue_answered_by_penalty_total", QUEUE),
                    "penalty {{penalty}}",
                )
                .stacked()
                .at_least("1m"),
            ),
            (
                6,
                Panel::lines(
                    "Refused",
                    "cpm",
                    "Callers per minute who were refused, by reason: queue full, no agents. They are neither entries nor \
                     exits.",
                )
                .over_time(&per_minute("reason", "asterisk_queue_refusals_total", QUEUE), "{{reason}}")
                .stacked()
                .colours(REFUSALS)
                .at_least("1m"),
            ),
        ],
    )
}

fn at_the_moment() -> Row {
    Row::new(
        8,
        vec![
            (
                8,
                Panel::steps("Waiting and talking", "short", "Callers waiting in the queue, and callers talking to an agent.")
                    .over_time(&format!("sum(asterisk_queue_callers_waiting{{{QUEUE}}})"), "waiting")
                    .over_time(&format!("sum(asterisk_queue_callers_talking{{{QUEUE}}})"), "talking")
                    .colours(&["waiting", "talking"]),
            ),
            (
                8,
                Panel::steps(
                    "Longest wait and target",
                    "s",
                    "The longest wait at each point. Dashed: the target, the strictest of the selected queues.",
                )
                .over_time(&format!("max({})", longest_wait()), "waiting")
                .over_time(&format!("min(asterisk_queue_service_level_target_seconds{{{QUEUE}}})"), "target")
                .colours(&["waiting"])
                .dashed("target"),
            ),
            (
                8,
                Panel::steps("Members by state", "short", "Members of the queue by state.")
                    .over_time(&format!("sum by (state) (asterisk_queue_agents{{{QUEUE}}})"), "{{state}}")
                    .stacked()
                    .colours(STATES),
            ),
        ],
    )
}

fn service() -> Row {
    let count = |name: &str| total(&format!("pbx_queue:asterisk_queue_{name}:increase30m"));
    let (in_time, gone_in_time) = (count("answered_in_target"), count("abandoned_in_target"));
    let (answered, abandoned) = (count("answered"), count("abandoned"));
    let (short, ended) = (count("short_abandons"), count("ended"));
    let both = answered_and_abandoned();
    let level =
        |name: &str| total_with_target(&format!("pbx_queue:asterisk_queue_{name}:increase30m"));
    let after_short =
        format!("({} + {} - {})", level("answered"), level("abandoned"), level("short_abandons"));
    let after_target = format!("({} + {} - {gone_in_time})", level("answered"), level("abandoned"));
    Row::titled(
        "Service level",
        8,
        vec![
            (
                12,
                Panel::lines(
                    "Service level by six formulas, 30 min",
                    "percentunit",
                    "Calls answered within the target over the 30 minutes before each point, by six formulas in use; compare \
                     only values of the same formula. Answered only is Asterisk's ServicelevelPerf, fast abandons as \
                     success its ServicelevelPerf2.",
                )
                .over_time(&share(&in_time, &level("answered")), "answered only")
                .over_time(&share(&in_time, &after_short), "short abandons excluded")
                .over_time(&share(&format!("({in_time} + {gone_in_time})"), &both), "fast abandons as success")
                .over_time(&share(&in_time, &both), "all abandons")
                .over_time(&share(&in_time, &after_target), "abandons after target")
                .over_time(&share(&in_time, &level("ended")), "all exits")
                .up_to(1.0)
                .colours(&[
                    "answered only",
                    "short abandons excluded",
                    "fast abandons as success",
                    "all abandons",
                    "abandons after target",
                    "all exits",
                ])
                .legend_right(),
            ),
            (
                12,
                limits::line_of_abandons(Panel::lines(
                    "Abandoned and unanswered, 30 min",
                    "percentunit",
                    "Of all waits that ended in the 30 minutes before each point: abandoned calls; the same without short \
                     abandons; and all calls not answered by an agent. Dashed: the threshold of the abandon rate, the \
                     strictest of the selected queues.",
                ))
                .over_time(&share(&abandoned, &ended), "abandoned")
                .over_time(&share(&format!("({abandoned} - {short})"), &format!("({ended} - {short})")), "adjusted")
                .over_time(&share(&format!("({ended} - {answered})"), &ended), "unanswered")
                .colours(&["abandoned", "adjusted", "unanswered"]),
            ),
        ],
    )
}

fn waits() -> Row {
    let answered = format!("{QUEUE}, outcome=\"answered\"");
    let abandoned = format!("{QUEUE}, outcome=\"abandoned\"");
    Row::titled(
        "Waits",
        8,
        vec![
            (
                8,
                Panel::heatmap(
                    "Hold",
                    "s",
                    "How long callers waited, for all outcomes: brighter means more callers.",
                    &distribution("asterisk_queue_hold_seconds", QUEUE),
                )
                .or_else(hint("asterisk_queue_hold_seconds"))
                .at_least("5m"),
            ),
            (
                8,
                percentiles(
                    "Hold, answered calls",
                    "Wait of answered callers: median, 90th and 99th percentile.",
                    "asterisk_queue_hold_seconds",
                    &answered,
                ),
            ),
            (
                8,
                percentiles(
                    "Hold, abandoned calls",
                    "Wait of abandoned callers: median, 90th and 99th percentile.",
                    "asterisk_queue_hold_seconds",
                    &abandoned,
                ),
            ),
        ],
    )
}

fn ends() -> Row {
    let counts = |leg: &str| {
        let matchers = format!("{QUEUE}, leg=\"{leg}\"");
        most(8, &in_range_with_first("cause_text", "asterisk_queue_hangups_total", &matchers))
    };
    Row::titled(
        "Ends",
        8,
        vec![
            (
                6,
                Panel::lines(
                    "Completed calls by ending party",
                    "cpm",
                    "Connected calls per minute that ended, by the party that ended them.",
                )
                .over_time(
                    &per_minute("ended_by", "asterisk_queue_completions_total", QUEUE),
                    "{{ended_by}}",
                )
                .stacked()
                .colours(ENDED_BY)
                .at_least("1m"),
            ),
            (
                6,
                Panel::lines(
                    "Transfers",
                    "cpm",
                    "Connected calls per minute that were transferred, by kind and by transferring party.",
                )
                .over_time(
                    &per_minute("kind, by", "asterisk_queue_transfers_total", QUEUE),
                    "{{kind}} by {{by}}",
                )
                .stacked()
                .colours(&[
                    "blind by agent",
                    "attended by agent",
                    "blind by caller",
                    "attended by caller",
                ])
                .at_least("1m"),
            ),
            (
                6,
                causes(
                    "Causes, callers",
                    "Most frequent hangup causes of callers in the selected time range.",
                    &counts("caller"),
                    "{{cause_text}}",
                ),
            ),
            (
                6,
                causes(
                    "Causes, agents' phones",
                    "Most frequent hangup causes of agents' phones that were rung, in the selected time range.",
                    &counts("agent"),
                    "{{cause_text}}",
                ),
            ),
        ],
    )
}

fn load() -> Row {
    let recorded_share = share(
        &total("pbx_queue:asterisk_queue_recorded_calls:increase30m"),
        &total("pbx_queue:asterisk_queue_answered:increase30m"),
    );
    let abandoned_after = weighted(
        "pbx_queue:asterisk_queue_abandon_wait_seconds:mean_rate30m",
        "pbx_queue:asterisk_queue_abandoned:increase30m",
    );
    let talk = weighted(
        "pbx_queue:asterisk_queue_talk_seconds:mean_rate30m",
        "pbx_queue:asterisk_queue_handled:increase30m",
    );
    Row::titled(
        "Load",
        8,
        vec![
            (
                8,
                Panel::lines(
                    "Offered load and callers talking",
                    "short",
                    "Offered load in Erlangs: offered calls times handle time, over the 30 minutes before each point. It is \
                     the average number of busy agents if no caller waited or abandoned. For comparison, callers \
                     talking, and the agents that the half hour before needed for the target by Erlang C.",
                )
                .over_time(&total("pbx_queue:asterisk_queue_offered_load:erlangs_rate30m"), "offered load")
                .over_time(&format!("sum(asterisk_queue_callers_talking{{{QUEUE}}})"), "talking")
                .over_time(&format!("sum(asterisk_queue_agents_needed{{{QUEUE}}})"), "agents needed")
                .colours(&["offered load", "talking"]),
            ),
            (
                8,
                Panel::lines(
                    "Averages, 30 min",
                    "s",
                    "Over the 30 minutes before each point: average speed of answer (ASA), wait before abandon, talk, and \
                     handle time (AHT: talk and wrap-up).",
                )
                .over_time(&speed_of_answer(), "speed of answer")
                .over_time(&abandoned_after, "wait before abandon")
                .over_time(&talk, "talk")
                .over_time(&handle_time(), "handle time")
                .colours(&["speed of answer", "wait before abandon", "talk", "handle time"]),
            ),
            (
                8,
                Panel::lines(
                    "Recorded calls, 30 min",
                    "percentunit",
                    "Answered calls with a recording, of all answered calls, over the 30 minutes before each point.",
                )
                .over_time(&recorded_share, "recorded")
                .colours(&["recorded"])
                .up_to(1.0),
            ),
        ],
    )
}

fn members() -> Row {
    let by = "pbx, queue, agent";
    let answered = in_range(by, "asterisk_queue_completions_total", NAMED);
    let all = in_range("pbx, queue", "asterisk_queue_completions_total", QUEUE);
    let mut columns = vec![
        Column::new("Calls", "short", answered.clone()),
        Column::new(
            "Share",
            "percentunit",
            format!("{answered} / on (pbx, queue) group_left () ({all} > 0)"),
        ),
    ];
    columns.extend(missed(by));
    columns.push(Column::new("Busy or failed", "short", rang(by, "=~\"busy|failed\"")));
    columns.extend(lengths(by));
    columns.extend([
        Column::new(
            "Wrap-up",
            "dthms",
            share(
                &in_range(by, "asterisk_queue_wrapup_seconds_total", NAMED),
                &in_range(by, "asterisk_queue_completions_total", NAMED),
            ),
        ),
        Column::new("Transfers", "short", in_range(by, "asterisk_queue_transfers_total", NAMED)),
        Column::new("Dumps", "short", in_range(by, "asterisk_queue_agent_dumps_total", NAMED)),
        Column::new(
            "Pauses",
            "short",
            in_range(by, "asterisk_queue_pauses_total", &format!("{NAMED}, change=\"paused\"")),
        ),
    ]);
    Row::titled(
        "Agents",
        11,
        vec![(
            24,
            Panel::table(
                "Agents of the queue",
                &[("agent", "Agent"), ("queue", "Queue"), ("pbx", "PBX")],
                "One row per member, over the selected time range. RONA: ring attempts without an answer, of those with \
                 and without an answer. Share: of the queue's calls. Click a name to open the agent.",
                columns,
            )
            .decimals(0)
            .opens("Agent", "asterisk-agents", &[("agent", "Agent"), ("pbx", "PBX"), ("queue", "Queue")]),
        )],
    )
}

fn answered_and_abandoned() -> String {
    format!(
        "({} + {})",
        total_with_target("pbx_queue:asterisk_queue_answered:increase30m"),
        total_with_target("pbx_queue:asterisk_queue_abandoned:increase30m")
    )
}

fn estimated_wait() -> String {
    format!("max(pbx_queue:asterisk_queue_estimated_wait_seconds:now{{{QUEUE}}})")
}

fn speed_of_answer() -> String {
    weighted(
        "pbx_queue:asterisk_queue_speed_of_answer_seconds:mean_rate30m",
        "pbx_queue:asterisk_queue_answered:increase30m",
    )
}

fn handle_time() -> String {
    weighted(
        "pbx_queue:asterisk_queue_handle_seconds:mean_rate30m",
        "pbx_queue:asterisk_queue_handled:increase30m",
    )
}
