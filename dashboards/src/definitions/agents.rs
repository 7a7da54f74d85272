//! The work of agents.

use super::builder::{Column, Dashboard, Panel, Row};
use super::palette::{BUSY, RESULTS, STATES};
use super::shared::{self, percentiles};
use super::{AGENT, MEMBER, NAMED, in_range, in_range_with_first, most, per_minute, share};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "asterisk-agents",
        title: "Asterisk: Agents",
        description: "The work of agents: state, occupancy, calls, missed calls, pauses and hangup causes. All means all \
                      agents of the selected queues.",
        from: "now-6h",
        refresh: "30s",
        shown: &["pbx", "queue", "agent"],
        rows: vec![
            timeline(),
            now(),
            teams(),
            table(),
            work(),
            calls(),
            lengths(),
            pauses(),
            attendance(),
            shared::voice("agent", AGENT),
            causes(),
        ],
    }
}

/// The state of each of these agents as its number in `STATES`.
fn state(of: &str) -> String {
    let numbered: Vec<_> = STATES
        .iter()
        .zip(1..)
        .map(|(state, number)| {
            format!("{number} * (asterisk_agent_state{{{of}, state=\"{state}\"}} > bool 0)")
        })
        .collect();
    format!("max by (pbx, agent) ({})", numbered.join(" or "))
}

fn timeline() -> Row {
    Row::new(
        11,
        vec![(
            24,
            Panel::timeline(
                "State",
                "State of each agent over time. Busy is a call outside the queues, dnd do-not-disturb at the phone; an \
                 agent is paused only if paused in every queue.",
                STATES,
            )
            .over_time(&state(AGENT), "{{agent}}"),
        )],
    )
}

fn now() -> Row {
    let named = format!("{AGENT}, agent!=\"\"");
    let since = |moment: &str| {
        with_reason(&format!(
            "max by (pbx, agent) (time() - asterisk_agent_{moment}_timestamp_seconds{{{named}}})"
        ))
    };
    let calls = in_range("pbx, agent", "asterisk_queue_completions_total", NAMED);
    let wrapup = in_range("pbx, agent", "asterisk_queue_wrapup_seconds_total", NAMED);
    let talk = shared::talked("pbx, agent", "sum");
    let handled = share(&format!("({talk} + {wrapup})"), &shared::talked("pbx, agent", "count"));
    Row::titled(
        "Now",
        14,
        vec![(
            24,
            Panel::table(
                "Agents now",
                &[("agent", "Agent"), ("pbx", "PBX"), ("reason", "Pause reason")],
                "One row per agent: the state, for how long, and, of an agent who is paused, the reason; for how long the agent \
                 has been in the present talk, hold included, and logged in, and how long ago the last call from a queue \
                 ended. Empty where the beginning was not seen. Calls, AHT (average of talk and wrap-up) and missed calls \
                 are of today.",
                vec![
                    Column::new("State", "short", with_reason(&format!("({} > 0)", state(&named)))).words(STATES),
                    Column::new("For", "dthms", since("state_since")),
                    Column::new("Talking for", "dthms", since("talk_since")),
                    Column::new("Logged in for", "dthms", since("login")),
                    Column::new("Last call ago", "dthms", since("last_call")),
                    Column::new("Calls today", "short", with_reason(&calls)),
                    Column::new("AHT today", "dthms", with_reason(&handled)),
                    Column::new("Missed today", "short", with_reason(&shared::rang("pbx, agent", "=\"no_answer\""))),
                ],
            )
            .decimals(0)
            .today()
            .opens("Agent", "asterisk-agents", &[("agent", "Agent"), ("pbx", "PBX")]),
        )],
    )
}

/// The same with the reason of the pause that is on as a label, a dash if there is none: what has other
/// labels would be a row of its own.  Of agents who share a label, one reason is shown.
fn with_reason(of_agents: &str) -> String {
    let paused = format!(
        "topk by (pbx, agent) (1, asterisk_agent_pause_reason{{{AGENT}, agent!=\"\"}} > 0)"
    );
    format!(
        "label_replace({of_agents} * on (pbx, agent) group_left (reason) ({paused} > bool 0) \
         or on (pbx, agent) {of_agents}, \"reason\", \"–\", \"reason\", \"\")"
    )
}

fn teams() -> Row {
    let of_team = |state: &str| {
        format!(
            "label_replace(sum by (team) (asterisk_agent_state{{{AGENT}, state{state}}} * on (pbx, agent) \
             group_left (team) max by (pbx, agent, team) (asterisk_agent_info{{{AGENT}}})), \
             \"team\", \"–\", \"team\", \"\")"
        )
    };
    Row::titled(
        "Teams",
        6,
        vec![(
            24,
            Panel::table(
                "Teams now",
                &[("team", "Team")],
                "Agents now, by the teams in the exporter's configuration; agents without a team are in the row with a \
                 dash.",
                vec![
                    Column::new("Available", "short", of_team("=\"available\"")),
                    Column::new("On calls", "short", of_team("=~\"talking|on_hold|busy\"")),
                    Column::new("Wrap-up", "short", of_team("=\"wrapup\"")),
                    Column::new("Paused", "short", of_team("=\"paused\"")),
                ],
            )
            .decimals(0),
        )],
    )
}

fn table() -> Row {
    let by = "pbx, agent";
    let seconds = |states: &str| {
        in_range(
            by,
            "asterisk_agent_state_seconds_total",
            &format!("{AGENT}, agent!=\"\", state=~\"{states}\""),
        )
    };
    let mut columns = vec![
        Column::new("Calls", "short", in_range(by, "asterisk_queue_completions_total", NAMED)),
        Column::new(
            "Occupancy",
            "percentunit",
            share(&seconds(AT_WORK), &seconds(AT_WORK_OR_FREE)),
        ),
    ];
    columns.extend(shared::missed(by));
    columns.extend(shared::lengths(by));
    columns.extend([
        Column::new("On calls", "dthms", seconds("talking|on_hold|busy")),
        Column::new("Wrap-up", "dthms", seconds("wrapup")),
        Column::new("Available", "dthms", seconds("available")),
        Column::new("Paused", "dthms", seconds("paused")),
        Column::new("DND", "dthms", seconds("dnd")),
        Column::new("Away", "dthms", seconds("unavailable")),
        Column::new("Transfers", "short", in_range(by, "asterisk_queue_transfers_total", NAMED)),
    ]);
    Row::new(
        14,
        vec![(
            24,
            Panel::table(
                "Agents",
                &[("agent", "Agent"), ("pbx", "PBX")],
                "One row per agent, over the selected time range. Occupancy: time on calls, ringing and in wrap-up, of \
                 that and the time available. RONA: ring attempts without an answer, of those with and without an \
                 answer.",
                columns,
            )
            .decimals(0)
            .opens("Agent", "asterisk-agents", &[("agent", "Agent"), ("pbx", "PBX")]),
        )],
    )
}

fn work() -> Row {
    Row::titled(
        "Work",
        8,
        vec![
            (
                8,
                Panel::steps("Agents by state", "short", "Number of agents in each state, each agent counted once.")
                    .over_time(&format!("sum by (state) (asterisk_agent_state{{{AGENT}}})"), "{{state}}")
                    .stacked()
                    .colours(STATES),
            ),
            (
                8,
                Panel::lines(
                    "Occupancy, 30 min",
                    "percentunit",
                    "Time on calls, ringing and in wrap-up, of that and the time available, over the 30 minutes before \
                     each point.",
                )
                .over_time(&format!("pbx_agent:asterisk_agent_occupancy:ratio_rate30m{{{AGENT}}}"), "{{agent}}")
                .up_to(1.0)
                .legend_right(),
            ),
            (
                8,
                Panel::lines(
                    "RONA, 30 min",
                    "percentunit",
                    "Ring attempts without an answer, of those with and without an answer, over the 30 minutes before each point.",
                )
                .over_time(&format!("pbx_agent:asterisk_queue_rona:ratio_rate30m{{{AGENT}}}"), "{{agent}}")
                .up_to(1.0)
                .legend_right(),
            ),
        ],
    )
}

fn calls() -> Row {
    let by_agent = "sum by (agent) (pbx_queue_agent:asterisk_queue_handled:increase30m{pbx=~\"$pbx\", queue=~\"$queue\", agent=~\"$agent\"})";
    let shares =
        format!("sort_desc(pbx_queue_agent:asterisk_queue_handled:ratio_rate30m{{{MEMBER}}} > 0)");
    Row::titled(
        "Calls",
        8,
        vec![
            (
                8,
                Panel::lines(
                    "Calls, 30 min",
                    "short",
                    "Queue calls of each agent that ended in the 30 minutes before each point.",
                )
                .over_time(by_agent, "{{agent}}")
                .legend_right(),
            ),
            (
                8,
                Panel::lines(
                    "Ring attempts by result",
                    "cpm",
                    "Ring attempts per minute by result. Canceled: another agent answered the call, or the caller left.",
                )
                .over_time(&per_minute("result", "asterisk_queue_rings_total", MEMBER), "{{result}}")
                .stacked()
                .colours(RESULTS)
                .at_least("1m"),
            ),
            (
                8,
                Panel::bars(
                    "Share of the queue's calls, 30 min",
                    "percentunit",
                    "Share of a queue's calls that each agent answered in the last 30 minutes.",
                )
                .now(&shares, "{{agent}}, {{queue}}")
                .up_to(1.0),
            ),
        ],
    )
}

fn lengths() -> Row {
    let answered = format!("{MEMBER}, result=\"answered\"");
    let missed = format!("{MEMBER}, result=\"no_answer\"");
    Row::new(
        8,
        vec![
            (
                8,
                percentiles(
                    "Ring, answered calls",
                    "How long phones rang until the agent answered: median, 90th and 99th percentile.",
                    "asterisk_queue_ring_seconds",
                    &answered,
                ),
            ),
            (
                8,
                percentiles(
                    "Ring, missed calls",
                    "How long phones rang without an answer: median, 90th and 99th percentile.",
                    "asterisk_queue_ring_seconds",
                    &missed,
                ),
            ),
            (
                8,
                percentiles(
                    "Talk",
                    "Duration of talks: median, 90th and 99th percentile.",
                    "asterisk_queue_talk_seconds",
                    MEMBER,
                ),
            ),
        ],
    )
}

fn pauses() -> Row {
    let reasons = format!(
        "label_replace(sum by (reason) (rate(asterisk_agent_state_seconds_total{{{AGENT}, state=\"paused\"}}[$__rate_interval])), \"reason\", \"no reason\", \"reason\", \"\")"
    );
    let seconds = format!(
        "sort_desc(sum by (agent) (increase(asterisk_agent_state_seconds_total{{{AGENT}, state=\"paused\"}}[$__range])) > 0)"
    );
    Row::titled(
        "Pauses",
        8,
        vec![
            (
                8,
                Panel::lines(
                    "Agents paused, by reason",
                    "short",
                    "Number of paused agents by reason.",
                )
                .over_time(&reasons, "{{reason}}")
                .stacked()
                .at_least("1m"),
            ),
            (
                8,
                Panel::bars(
                    "Time paused",
                    "dthms",
                    "Time each agent was paused in the selected time range.",
                )
                .now(&seconds, "{{agent}}"),
            ),
            (
                8,
                Panel::lines(
                    "Pauses and unpauses",
                    "cpm",
                    "Pauses and unpauses per minute, one for each queue.",
                )
                .over_time(
                    &per_minute("change", "asterisk_queue_pauses_total", MEMBER),
                    "{{change}}",
                )
                .colours(&["paused", "unpaused"])
                .at_least("1m"),
            ),
        ],
    )
}

fn attendance() -> Row {
    let log = |counter: &str| {
        format!("60 * sum(rate(asterisk_agent_{counter}_total{{{AGENT}}}[$__rate_interval]))")
    };
    Row::titled(
        "Other calls and logins",
        8,
        vec![
            (
                12,
                Panel::steps(
                    "Busy agents, by kind of call",
                    "short",
                    "Agents on a call outside the selected queues: a call of another queue, an inbound, outbound or \
                     internal one.",
                )
                .over_time(&format!("sum by (kind) (asterisk_agent_busy_call{{{AGENT}}})"), "{{kind}}")
                .stacked()
                .colours(BUSY),
            ),
            (
                12,
                Panel::lines(
                    "Logins and logoffs",
                    "cpm",
                    "Logins and logoffs per minute: first places in a queue that were taken, and last ones that were left.",
                )
                .over_time(&log("logins"), "logins")
                .over_time(&log("logoffs"), "logoffs")
                .at_least("1m"),
            ),
        ],
    )
}

fn causes() -> Row {
    let hangups = format!("asterisk_queue_hangups_total{{{MEMBER}, leg=\"agent\"}}");
    let seen = format!("sum by (cause_text) (increase({hangups}[$__range] @ end())) > 0");
    let unusual = format!("{MEMBER}, leg=\"agent\", cause!~\"16|26\"");
    let unusual = most(
        12,
        &in_range_with_first("agent, cause_text", "asterisk_queue_hangups_total", &unusual),
    );
    Row::titled(
        "Hangup causes",
        9,
        vec![
            (
                12,
                Panel::lines(
                    "Causes of agents' phones",
                    "cpm",
                    "Hangups per minute of agents' phones that were rung, by cause.",
                )
                .over_time(
                    &format!("60 * sum by (cause_text) (rate({hangups}[$__rate_interval])) and on (cause_text) {seen}"),
                    "{{cause_text}}",
                )
                .stacked()
                .legend_right()
                .at_least("1m"),
            ),
            (
                12,
                shared::causes(
                    "Unusual causes, by agent",
                    "Most frequent hangup causes of each agent's phone in the selected time range, except normal clearing \
                     and calls answered elsewhere. A phone that fails repeatedly is at the top.",
                    &unusual,
                    "{{agent}}: {{cause_text}}",
                ),
            ),
        ],
    )
}

/// The states of occupancy, as the recording rules have them.
const AT_WORK: &str = "talking|on_hold|ringing|busy|wrapup";
const AT_WORK_OR_FREE: &str = "talking|on_hold|ringing|busy|wrapup|available";
