//! Whether the numbers can be trusted: the exporter's own health.

use super::builder::{Dashboard, Lights, Panel, Row};
use super::palette::{BAD, GOOD};
use super::{INFO, PBX, connected, in_range, per_minute};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "asterisk-exporter",
        title: "Asterisk: Exporter",
        description: "Whether the numbers can be trusted: time without a synchronised session, lag, anomalies in the events, \
                      conservation of callers, and the exporter's use of resources.",
        from: "now-6h",
        refresh: "30s",
        shown: &["pbx"],
        rows: vec![now(), trust(), events(), anomalies(), sessions(), process()],
    }
}

fn now() -> Row {
    let unsynchronized = in_range("pbx", "asterisk_exporter_unsynchronized_seconds_total", PBX);
    let lag = format!("max by (pbx) (asterisk_exporter_event_lag_seconds{{{PBX}}})");
    let anomalies = in_range("pbx", "asterisk_exporter_anomalies_total", PBX);
    let not_conserved = format!("sum by (pbx) (abs({}) + abs({}))", waits(), talks());
    Row::new(
        4,
        vec![
            (
                4,
                Panel::stat("PBX connection", "short", "Whether the exporter is connected to and synchronised with each PBX.")
                    .now(&connected(), "{{pbx}}")
                    .words(&[("0", "disconnected", BAD), ("1", "connected", GOOD)]),
            ),
            (
                5,
                Panel::stat("PBX uptime", "dtdhms", "How long each Asterisk has been running.").now(
                    // -1 is none: each PBX keeps its place.
                    &format!(
                        "time() - asterisk_start_time_seconds{{{PBX}}} and on (pbx) asterisk_up == 1 \
                         or on (pbx) 0 * {} - 1",
                        connected()
                    ),
                    "{{pbx}}",
                ),
            ),
            (
                3,
                Panel::stat("Not synchronised", "s", "Time without a synchronised session in the selected time range.")
                    .now(&unsynchronized, "{{pbx}}")
                    .decimals(1)
                    .lights(Lights::Low(1.0, 60.0)),
            ),
            (
                3,
                Panel::stat("Event lag", "s", "Delay until events are read. Red from 2 s on, like the alert.")
                    .now(&lag, "{{pbx}}")
                    .decimals(3)
                    .lights(Lights::Low(1.0, 2.0)),
            ),
            (
                3,
                Panel::stat(
                    "Anomalies",
                    "short",
                    "Event sequences that should not occur, and drift that a list corrected, in the selected time range. \
                     Single ones are harmless.",
                )
                .now(&anomalies, "{{pbx}}")
                .decimals(0)
                .lights(Lights::Low(1.0, 20.0)),
            ),
            (
                3,
                Panel::stat(
                    "Not conserved",
                    "short",
                    "Callers who joined, less those who left and those still in the queue, over all queues. Any value other \
                     than 0 is a fault of the exporter: please report it.",
                )
                .now(&not_conserved, "{{pbx}}")
                .lights(Lights::Low(0.5, 1.0)),
            ),
            (
                3,
                Panel::stat("Version", "short", "The exporter's version.")
                    .now(&format!("count by (version) ({INFO})"), "{{version}}")
                    .names(),
            ),
        ],
    )
}

fn trust() -> Row {
    let unsynchronized = format!(
        "sum by (pbx) (rate(asterisk_exporter_unsynchronized_seconds_total{{{PBX}}}[$__rate_interval]))"
    );
    let lag = format!("max by (pbx) (asterisk_exporter_event_lag_seconds{{{PBX}}})");
    let missing = format!("max by (pbx, reason) (asterisk_exporter_degraded{{{PBX}}}) > 0");
    Row::titled(
        "Trust",
        7,
        vec![
            (
                6,
                Panel::steps(
                    "Never received",
                    "short",
                    "Classes, events and lists that the PBX does not send to the account, although it must; the exporter's \
                     landing page shows what corrects it.",
                )
                .over_time(&missing, "{{pbx}} {{reason}}")
                .or_else("Nothing is missing"),
            ),
            (
                6,
                Panel::lines("Time not synchronised", "percentunit", "Share of the time without a synchronised session.")
                    .over_time(&unsynchronized, "{{pbx}}")
                    .up_to(1.0),
            ),
            (
                6,
                Panel::lines(
                    "Event lag",
                    "s",
                    "Delay until events are read: the time of reading less the time stamp, less the smallest such difference \
                     of the session.",
                )
                .over_time(&lag, "{{pbx}}"),
            ),
            (
                6,
                Panel::steps(
                    "Conservation",
                    "short",
                    "Waits: entries and adopted, less exits and callers waiting. Talks: answered and adopted, less \
                     completions and callers talking. Both must always be 0.",
                )
                .over_time(&format!("sum by (pbx) ({})", waits()), "{{pbx}} waits")
                .over_time(&format!("sum by (pbx) ({})", talks()), "{{pbx}} talks"),
            ),
        ],
    )
}

fn events() -> Row {
    let rate =
        format!("sum by (event) (rate(asterisk_exporter_events_total{{{PBX}}}[$__rate_interval]))");
    let frequent = format!(
        "{rate} and on (event) topk(10, sum by (event) (increase(asterisk_exporter_events_total{{{PBX}}}[$__range] @ end())))"
    );
    let tracked = format!("sum by (pbx, kind) (asterisk_exporter_tracked_objects{{{PBX}}})");
    let series = format!("sum by (pbx) (asterisk_exporter_series{{{PBX}}})");
    let limit = format!("sum by (pbx) (asterisk_exporter_series_limit{{{PBX}}})");
    Row::titled(
        "Events",
        8,
        vec![
            (
                12,
                Panel::lines("Events read", "cps", "The ten most frequent events, per second.")
                    .over_time(&frequent, "{{event}}")
                    .legend_right(),
            ),
            (
                6,
                Panel::steps(
                    "Tracked objects",
                    "short",
                    "Channels, stays in queues and calls that the exporter keeps in memory.",
                )
                .over_time(&tracked, "{{pbx}} {{kind}}"),
            ),
            (
                6,
                Panel::steps(
                    "Series and their limit",
                    "short",
                    "Series that are exported for a PBX, and limits.series, beyond which they become `other`.",
                )
                .over_time(&series, "{{pbx}}")
                .over_time(&limit, "{{pbx}} limit"),
            ),
        ],
    )
}

fn anomalies() -> Row {
    let anomalies = per_minute("pbx, kind", "asterisk_exporter_anomalies_total", PBX);
    let rejected = per_minute("pbx, reason", "asterisk_exporter_frames_rejected_total", PBX);
    let overflow = per_minute("pbx, label", "asterisk_exporter_label_overflow_total", PBX);
    let given_up = per_minute("pbx", "asterisk_exporter_given_up_total", PBX);
    let adopted = per_minute("pbx, phase", "asterisk_queue_adopted_total", PBX);
    let repaired = per_minute("pbx, kind", "asterisk_exporter_repaired_total", PBX);
    let lost = per_minute("pbx", "asterisk_queue_exits_total", &format!("{PBX}, outcome=\"lost\""));
    Row::new(
        7,
        vec![
            (
                6,
                Panel::lines("Anomalies by kind", "cpm", "Anomalies in the events, per minute; METRICS.md has the kinds.")
                    .over_time(&format!("{anomalies} > 0"), "{{pbx}} {{kind}}")
                    .or_else("No anomalies"),
            ),
            (
                6,
                Panel::lines("Input rejected", "cpm", "Input that was skipped, per minute, by reason.")
                    .over_time(&rejected, "{{pbx}} {{reason}}"),
            ),
            (
                6,
                Panel::lines(
                    "Label overflow",
                    "cpm",
                    "Names that became `other` because a limit of the configuration was reached, per minute.",
                )
                .over_time(&overflow, "{{pbx}} {{label}}"),
            ),
            (
                6,
                Panel::lines(
                    "Adopted, lost and repaired",
                    "cpm",
                    "Stays whose beginning was not observed, stays whose end was not observed, what was counted from \
                     queue_log, and what was given up because a limit was reached, per minute.",
                )
                .over_time(&adopted, "{{pbx}} adopted {{phase}}")
                .over_time(&lost, "{{pbx}} lost")
                .over_time(&repaired, "{{pbx}} repaired {{kind}}")
                .over_time(&given_up, "{{pbx}} given up"),
            ),
        ],
    )
}

fn sessions() -> Row {
    let connects = in_range("pbx", "asterisk_exporter_connects_total", PBX);
    let connects = connects.replace("$__range", "$__rate_interval");
    let disconnects = in_range("pbx, reason", "asterisk_exporter_disconnects_total", PBX);
    let disconnects = disconnects.replace("$__range", "$__rate_interval");
    let refused = per_minute("instance, reason", "asterisk_exporter_http_refused_total", "");
    Row::titled(
        "Sessions and scrapes",
        7,
        vec![
            (
                5,
                Panel::lines("Sessions that began and ended", "short", "Logins, and ends of sessions by reason.")
                    .over_time(&connects, "{{pbx}} began")
                    .over_time(&disconnects, "{{pbx}} {{reason}}")
                    .drawn_as_bars(),
            ),
            (
                5,
                Panel::steps(
                    "Scrapes that succeeded",
                    "short",
                    "1 where Prometheus reached the exporter, 0 where not.",
                )
                .over_time(
                    "up and on (job, instance) last_over_time(asterisk_exporter_build_info[$__range])",
                    "{{instance}}",
                )
                .up_to(1.0),
            ),
            (
                4,
                Panel::lines("Time of a scrape", "s", "How long a scrape takes.")
                    .over_time(&own("scrape_duration_seconds"), "{{instance}}"),
            ),
            (
                4,
                Panel::lines(
                    "Connections and requests refused",
                    "cpm",
                    "What the exporter refused or ended early on its own pages, per minute, by reason; docs/web.md has the reasons.",
                )
                .over_time(&format!("{refused} > 0"), "{{instance}} {{reason}}")
                .or_else("Nothing refused"),
            ),
            (
                3,
                Panel::stat(
                    "Configuration",
                    "short",
                    "Whether the last reload was successful. If not, the configuration before it is in force, and the \
                     exporter's log has the reason.",
                )
                .now(&own("asterisk_exporter_config_last_reload_successful"), "{{instance}}")
                .words(&[("0", "refused", BAD), ("1", "in force", GOOD)]),
            ),
            (
                3,
                Panel::stat(
                    "Read",
                    "dtdhms",
                    "How long ago the configuration in force was read: at the start, or at a reload.",
                )
                .now(
                    &format!(
                        "time() - {}",
                        own("asterisk_exporter_config_last_reload_success_timestamp_seconds")
                    ),
                    "{{instance}}",
                ),
            ),
        ],
    )
}

fn process() -> Row {
    let cpu = own("rate(process_cpu_seconds_total[$__rate_interval])");
    Row::titled(
        "Process",
        7,
        vec![
            (
                6,
                Panel::lines("CPU", "percentunit", "Share of one core used by the exporter.")
                    .over_time(&cpu, "{{instance}}"),
            ),
            (
                6,
                Panel::lines("Memory", "bytes", "Resident memory.")
                    .over_time(&own("process_resident_memory_bytes"), "{{instance}}"),
            ),
            (
                6,
                Panel::lines(
                    "Series of a scrape",
                    "short",
                    "Samples in each scrape, which Prometheus has to store.",
                )
                .over_time(&own("scrape_samples_scraped"), "{{instance}}"),
            ),
            (
                6,
                Panel::lines(
                    "Open files",
                    "percentunit",
                    "File descriptors in use, of those allowed.",
                )
                .over_time(&own("process_open_fds / process_max_fds"), "{{instance}}"),
            ),
        ],
    )
}

/// A series of every program that Prometheus scrapes, for this exporter only.
fn own(expr: &str) -> String {
    format!("{expr} and on (job, instance) {INFO}")
}

/// What must be 0 for each queue: callers who joined, less those who left and those waiting.
fn waits() -> String {
    format!(
        "sum by (pbx, queue) (asterisk_queue_entries_total{{{PBX}}}) \
         + sum by (pbx, queue) (asterisk_queue_adopted_total{{{PBX}, phase=\"waiting\"}}) \
         - sum by (pbx, queue) (asterisk_queue_exits_total{{{PBX}}}) \
         - sum by (pbx, queue) (asterisk_queue_callers_waiting{{{PBX}}})"
    )
}

/// The same for talks.
fn talks() -> String {
    format!(
        "sum by (pbx, queue) (asterisk_queue_exits_total{{{PBX}, outcome=\"answered\"}}) \
         + sum by (pbx, queue) (asterisk_queue_adopted_total{{{PBX}, phase=\"talking\"}}) \
         - sum by (pbx, queue) (asterisk_queue_completions_total{{{PBX}}}) \
         - sum by (pbx, queue) (asterisk_queue_callers_talking{{{PBX}}})"
    )
}
