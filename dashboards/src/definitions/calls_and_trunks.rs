//! All calls of the PBX, and its trunks.

use super::builder::{Column, Dashboard, Lights, Panel, Row};
use super::palette::{DIRECTIONS, RESULTS};
use super::shared::{self, percentiles};
use super::{
    AGENT, PBX, TRUNK, distribution, in_range_with_first, limits, most, observed, per_minute, share,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "asterisk-trunks",
        title: "Asterisk: Calls and trunks",
        description: "Every call of the PBX counted once, by direction and result, and each attempt on a trunk: \
                      answer-seizure ratio, hangup causes and concurrent calls.",
        from: "now-6h",
        refresh: "30s",
        shown: &["pbx", "trunk", "agent"],
        rows: vec![
            now(),
            results(),
            concurrent(),
            trunks(),
            endpoints(),
            shared::voice("trunk", TRUNK),
            causes(),
            lengths(),
            agents(),
        ],
    }
}

/// 1 is up.
const UP: Lights = Lights::High(0.5, 1.0);

/// The selected calls.  A call without a trunk has an empty label, and is in every selection.
const CALLS: &str = r#"pbx=~"$pbx", trunk=~"$trunk", agent=~"$agent""#;

fn now() -> Row {
    let active =
        |direction: &str| format!("sum(asterisk_calls_active{{{PBX}, direction=\"{direction}\"}})");
    let ended =
        |more: &str| in_range_with_first("", "asterisk_calls_total", &format!("{CALLS}{more}"));
    let answered = share(
        &ended(", direction=\"inbound\", result=\"answered\""),
        &ended(", direction=\"inbound\""),
    );
    let asr =
        trunk_share("pbx_trunk_result:asterisk_trunk_attempts:increase30m", "result=\"answered\"");
    let failing = trunk_share(
        "pbx_trunk_result:asterisk_trunk_attempts:increase30m",
        "result=\"congestion\"",
    );
    Row::new(
        4,
        vec![
            (3, Panel::stat("Inbound now", "short", "Inbound calls in progress.").now(&active("inbound"), "inbound")),
            (3, Panel::stat("Outbound now", "short", "Outbound calls in progress.").now(&active("outbound"), "outbound")),
            (3, Panel::stat("Internal now", "short", "Calls between agents in progress.").now(&active("internal"), "internal")),
            (3, Panel::stat("Calls", "short", "Calls that ended in the selected time range.").now(&ended(""), "calls").decimals(0)),
            (
                3,
                Panel::stat("Inbound answered", "percentunit", "Inbound calls that reached a person or an announcement, of all that ended in the selected time range.")
                    .now(&answered, "answered")
                    .decimals(1),
            ),
            (
                3,
                Panel::stat("ASR, 30 min", "percentunit", "Answer-seizure ratio: attempts on trunks that were answered, of all in the last 30 minutes.")
                    .now(&asr, "answered")
                    .decimals(1),
            ),
            (
                3,
                Panel::stat("Network failures, 30 min", "percentunit", "Attempts on trunks that the network refused (causes 34, 38, 41 to 44), of all in the last 30 minutes.")
                    .now(&failing, "failures")
                    .decimals(1),
            ),
            (3, limits::worst("Failures vs. threshold", limits::TRUNKS, &limits::failed())),
        ],
    )
}

fn results() -> Row {
    let panel = |title, description, direction: &str| {
        let matchers = format!("{CALLS}, direction=\"{direction}\"");
        Panel::lines(title, "cpm", description)
            .over_time(&per_minute("result", "asterisk_calls_total", &matchers), "{{result}}")
            .stacked()
            .colours(RESULTS)
            .at_least("1m")
    };
    Row::titled(
        "Results",
        8,
        vec![
            (
                8,
                panel(
                    "Inbound by result",
                    "Inbound calls that ended, per minute. Answered means by a person or an announcement.",
                    "inbound",
                ),
            ),
            (8, panel("Outbound by result", "Outbound calls that ended, per minute.", "outbound")),
            (
                8,
                panel(
                    "Internal by result",
                    "Calls between agents that ended, per minute.",
                    "internal",
                ),
            ),
        ],
    )
}

fn concurrent() -> Row {
    Row::titled(
        "Concurrent calls",
        8,
        vec![
            (
                12,
                Panel::steps("Active calls by direction", "short", "Calls in progress, by the direction known so far.")
                    .over_time(&format!("sum by (direction) (asterisk_calls_active{{{PBX}}})"), "{{direction}}")
                    .stacked()
                    .colours(DIRECTIONS),
            ),
            (
                12,
                Panel::steps("Active channels by trunk", "short", "Channels in use on each trunk. A call that enters and leaves over the same trunk counts twice.")
                    .over_time(&format!("sum by (pbx, trunk) (asterisk_trunk_calls_active{{{TRUNK}}})"), "{{pbx}} {{trunk}}"),
            ),
        ],
    )
}

fn trunks() -> Row {
    Row::titled(
        "Trunks",
        8,
        vec![
            (
                8,
                Panel::lines("Attempts by result", "cpm", "Legs dialled on trunks that ended, per minute. A failing carrier is visible here even if the next one completed the call.")
                    .over_time(&per_minute("result", "asterisk_trunk_attempts_total", TRUNK), "{{result}}")
                    .stacked()
                    .colours(RESULTS)
                    .at_least("1m"),
            ),
            (
                8,
                Panel::lines("Answer-seizure ratio, 30 min", "percentunit", "Attempts on each trunk that were answered, of all in the 30 minutes before each point.")
                    .over_time(&format!("pbx_trunk:asterisk_trunk_answer_seizure:ratio_rate30m{{{TRUNK}}}"), "{{pbx}} {{trunk}}")
                    .up_to(1.0),
            ),
            (
                8,
                limits::line_of_trunk_failures(
                    Panel::lines("Network failures, 30 min", "percentunit", "Attempts on each trunk that the network refused (causes 34, 38, 41 to 44), of all in the 30 minutes before each point. Dashed: the threshold above which there is an alert, the strictest of the selected trunks.")
                        .over_time(&format!("pbx_trunk:asterisk_trunk_network_failures:ratio_rate30m{{{TRUNK}}}"), "{{pbx}} {{trunk}}"),
                ),
            ),
        ],
    )
}

fn endpoints() -> Row {
    let trunk = |name: &str| format!("min by (pbx, trunk) ({name}{{{TRUNK}, trunk!=\"\"}})");
    let phone = |name: &str| format!("min by (pbx, agent) ({name}{{{AGENT}, agent!=\"\"}})");
    Row::titled(
        "Up or down",
        8,
        vec![
            (
                12,
                Panel::table(
                    "Trunks",
                    &[("trunk", "Trunk"), ("pbx", "PBX")],
                    "Whether the registrations of each trunk are in force, and whether the PBX would send it a call. Empty \
                     where the PBX does not say.",
                    vec![
                        Column::new(
                            "Registered",
                            "bool_yes_no",
                            trunk("asterisk_trunk_registered"),
                        )
                        .lights(UP),
                        Column::new(
                            "Reachable",
                            "bool_yes_no",
                            trunk("asterisk_endpoint_reachable"),
                        )
                        .lights(UP),
                        Column::new(
                            "Round trip",
                            "s",
                            trunk("asterisk_endpoint_round_trip_seconds"),
                        ),
                    ],
                ),
            ),
            (
                12,
                Panel::table(
                    "Agents' phones",
                    &[("agent", "Agent"), ("pbx", "PBX")],
                    "Whether the PBX would send a call to one of the agent's phones.",
                    vec![
                        Column::new(
                            "Reachable",
                            "bool_yes_no",
                            phone("asterisk_endpoint_reachable"),
                        )
                        .lights(UP),
                        Column::new(
                            "Round trip",
                            "s",
                            phone("asterisk_endpoint_round_trip_seconds"),
                        ),
                    ],
                ),
            ),
        ],
    )
}

fn causes() -> Row {
    let trunk = most(
        10,
        &in_range_with_first("trunk, cause_text", "asterisk_trunk_attempt_hangups_total", TRUNK),
    );
    let calls = |direction: &str| {
        let matchers = format!("{CALLS}, direction=\"{direction}\"");
        most(8, &in_range_with_first("cause_text", "asterisk_call_hangups_total", &matchers))
    };
    Row::titled(
        "Hangup causes",
        8,
        vec![
            (
                12,
                shared::causes(
                    "Causes by trunk",
                    "Most frequent hangup causes of attempts on trunks in the selected time range.",
                    &trunk,
                    "{{trunk}}: {{cause_text}}",
                ),
            ),
            (
                6,
                shared::causes(
                    "Causes, inbound",
                    "Most frequent hangup causes of inbound calls in the selected time range.",
                    &calls("inbound"),
                    "{{cause_text}}",
                ),
            ),
            (
                6,
                shared::causes(
                    "Causes, outbound",
                    "Most frequent hangup causes of outbound calls in the selected time range.",
                    &calls("outbound"),
                    "{{cause_text}}",
                ),
            ),
        ],
    )
}

fn lengths() -> Row {
    let (inbound, outbound) =
        (format!("{PBX}, direction=\"inbound\""), format!("{PBX}, direction=\"outbound\""));
    Row::titled(
        "Durations",
        8,
        vec![
            (
                8,
                Panel::heatmap(
                    "Talk, all calls",
                    "s",
                    "How long calls were bridged: brighter means more calls.",
                    &distribution("asterisk_call_talk_seconds", PBX),
                )
                .or_else(shared::hint("asterisk_call_talk_seconds"))
                .at_least("5m"),
            ),
            (
                8,
                percentiles(
                    "Ring, inbound",
                    "From the first dialling to the answer or the end: median, 90th and 99th percentile.",
                    "asterisk_call_ring_seconds",
                    &inbound,
                ),
            ),
            (
                8,
                percentiles(
                    "Ring, outbound",
                    "From the first dialling to the answer or the end: median, 90th and 99th percentile.",
                    "asterisk_call_ring_seconds",
                    &outbound,
                ),
            ),
        ],
    )
}

fn agents() -> Row {
    let by = "pbx, agent";
    let calls = |more: &str| {
        in_range_with_first(by, "asterisk_calls_total", &format!("{CALLS}, agent!=\"\"{more}"))
    };
    // Each known agent has series at zero; a row of zeros says nothing.
    let of_those_with_calls = |column: &str| format!("{column} and {} > 0", calls(""));
    let ended = |more: &str| of_those_with_calls(&calls(more));
    let talked = |direction: &str| {
        let matchers = format!("{AGENT}, agent!=\"\", direction=\"{direction}\"");
        let recorded = ("instance_pbx_agent_direction", matchers.as_str());
        of_those_with_calls(&observed(
            by,
            "sum",
            ("asterisk_call_talk_seconds", &matchers),
            recorded,
        ))
    };
    let recordings = per_minute("pbx", "asterisk_recordings_total", PBX);
    Row::titled(
        "Agents and recordings",
        12,
        vec![
            (
                16,
                Panel::table(
                    "Calls by agent",
                    &[("agent", "Agent"), ("pbx", "PBX")],
                    "One row per agent or device, over the selected time range: the agent who answered an inbound call, else \
                     the agent who made it. Click a name to open the agent.",
                    vec![
                        Column::new("Inbound", "short", ended(", direction=\"inbound\"")),
                        Column::new("Outbound", "short", ended(", direction=\"outbound\"")),
                        Column::new(
                            "Outbound answered",
                            "short",
                            ended(", direction=\"outbound\", result=\"answered\""),
                        ),
                        Column::new("Internal", "short", ended(", direction=\"internal\"")),
                        Column::new("Talked inbound", "dthms", talked("inbound")),
                        Column::new("Talked outbound", "dthms", talked("outbound")),
                    ],
                )
                .decimals(0)
                .opens("Agent", "asterisk-agents", &[("agent", "Agent"), ("pbx", "PBX")]),
            ),
            (
                8,
                Panel::lines("Recordings", "cpm", "Recordings that ended, per minute.")
                    .over_time(&recordings, "{{pbx}}")
                    .at_least("1m"),
            ),
        ],
    )
}

/// A part of the attempts on the chosen trunks.
fn trunk_share(recorded: &str, part: &str) -> String {
    share(&format!("sum({recorded}{{{TRUNK}, {part}}})"), &format!("sum({recorded}{{{TRUNK}}})"))
}
