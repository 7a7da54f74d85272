//! All calls of the PBX, and its lines to carriers.

use super::builder::{Column, Dashboard, Panel, Row};
use super::palette::{DIRECTIONS, RESULTS};
use super::shared::{self, percentiles};
use super::{
    AGENT, PBX, TRUNK, distribution, in_range_with_first, limits, most, per_minute, share,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "asterisk-trunks",
        title: "Asterisk: Calls and trunks",
        description: "Every call of the PBX once, by direction and result, and each attempt on a trunk: answer-seizure \
                      ratio, hangup causes and concurrent calls.",
        from: "now-6h",
        refresh: "30s",
        shown: &["pbx", "trunk", "agent"],
        rows: vec![now(), results(), concurrent(), trunks(), causes(), lengths(), agents()],
    }
}

/// The calls that the selection leaves.  A call that saw no trunk has an empty one, and belongs to
/// all.
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
            (3, Panel::stat("Inbound now", "short", "Calls from outside that go on now.").now(&active("inbound"), "inbound")),
            (3, Panel::stat("Outbound now", "short", "Calls to the outside that go on now.").now(&active("outbound"), "outbound")),
            (3, Panel::stat("Internal now", "short", "Calls between agents that go on now.").now(&active("internal"), "internal")),
            (3, Panel::stat("Calls", "short", "Calls that ended in the time that is shown.").now(&ended(""), "calls").decimals(0)),
            (
                3,
                Panel::stat("Inbound answered", "percentunit", "Calls from outside that reached a person or an announcement, of all that ended in the time that is shown.")
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
            (3, limits::worst("Failures, of limit", limits::TRUNKS, &limits::failed())),
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
                    "Calls from outside that ended, a minute. Answered means that a person or an announcement was.",
                    "inbound",
                ),
            ),
            (
                8,
                panel(
                    "Outbound by result",
                    "Calls to the outside that ended, a minute.",
                    "outbound",
                ),
            ),
            (
                8,
                panel(
                    "Internal by result",
                    "Calls between agents that ended, a minute.",
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
                Panel::steps("Calls going on, by direction", "short", "Calls that go on, by what is known of their direction so far.")
                    .over_time(&format!("sum by (direction) (asterisk_calls_active{{{PBX}}})"), "{{direction}}")
                    .stacked()
                    .colours(DIRECTIONS),
            ),
            (
                12,
                Panel::steps("Channels of trunks that are up", "short", "Channels in use on each trunk. A call that comes in and goes out over the same trunk counts twice.")
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
                Panel::lines("Attempts by result", "cpm", "Legs dialled on trunks that ended, a minute. A failing carrier shows here even if the next one took the call.")
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
                    Panel::lines("Network failures, 30 min", "percentunit", "Attempts on each trunk that the network refused (causes 34, 38, 41 to 44), of all in the 30 minutes before each point. Dashed: the threshold above which there is an alert, the strictest of the chosen trunks.")
                        .over_time(&format!("pbx_trunk:asterisk_trunk_network_failures:ratio_rate30m{{{TRUNK}}}"), "{{pbx}} {{trunk}}"),
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
                    "Hangup causes of attempts on trunks, in the time that is shown: the most frequent.",
                    &trunk,
                    "{{trunk}}: {{cause_text}}",
                ),
            ),
            (
                6,
                shared::causes(
                    "Causes, inbound",
                    "Hangup causes of calls from outside, in the time that is shown: the most frequent.",
                    &calls("inbound"),
                    "{{cause_text}}",
                ),
            ),
            (
                6,
                shared::causes(
                    "Causes, outbound",
                    "Hangup causes of calls to the outside, in the time that is shown: the most frequent.",
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
        "Lengths",
        8,
        vec![
            (
                8,
                Panel::heatmap(
                    "Talk, all calls",
                    "s",
                    "How long calls were bridged: the brighter, the more calls.",
                    &distribution("asterisk_call_talk_seconds", PBX),
                )
                .at_least("5m"),
            ),
            (
                8,
                percentiles(
                    "Ring, inbound",
                    "From the first dialling to the answer or the end: median, 90 % and 99 %.",
                    "asterisk_call_ring_seconds",
                    &inbound,
                ),
            ),
            (
                8,
                percentiles(
                    "Ring, outbound",
                    "From the first dialling to the answer or the end: median, 90 % and 99 %.",
                    "asterisk_call_ring_seconds",
                    &outbound,
                ),
            ),
        ],
    )
}

fn agents() -> Row {
    let by = "pbx, agent";
    let ended = |more: &str| {
        in_range_with_first(by, "asterisk_calls_total", &format!("{CALLS}, agent!=\"\"{more}"))
    };
    let talked = |direction: &str| {
        in_range_with_first(
            by,
            "asterisk_call_talk_seconds_sum",
            &format!("{AGENT}, agent!=\"\", direction=\"{direction}\""),
        )
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
                    "One row an agent or device, over the time that is shown: who answered an inbound call, else who \
                     made it. A click on a name opens the agent.",
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
                Panel::lines("Recordings", "cpm", "Recordings that ended, a minute.")
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
