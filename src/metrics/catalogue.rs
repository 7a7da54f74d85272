//! THE table of metrics: name, kind, unit, labels and help of everything `/metrics` may show.
//!
//! Registration, METRICS.md and the dashboard check all read it.  Renaming a metric is a breaking
//! change.

use prometheus_client::registry;

/// Everything that may be exported.
pub fn catalogue() -> &'static [Entry] {
    CATALOGUE
}

/// One metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The name as a scrape shows it; a histogram's series add `_bucket`, `_sum` and `_count`.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// The unit, which is part of the name.
    pub unit: Option<Unit>,
    /// The labels; a bucket has `le` besides.
    pub labels: &'static [&'static str],
    /// What it means, without the full stop that the encoder adds.
    pub help: &'static str,
}

impl Entry {
    /// The name of the family, as OpenMetrics has it: without `_total` and `_info`.
    pub(super) fn family(&self) -> &'static str {
        let suffix = match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        self.name.strip_suffix(suffix).unwrap_or(self.name)
    }

    /// The name to register: the unit is given besides.
    pub(super) fn stem(&self) -> &'static str {
        let name = self.family();
        let Some(unit) = self.unit else { return name };
        name.strip_suffix(unit.word()).and_then(|name| name.strip_suffix('_')).unwrap_or(name)
    }
}

/// What kind of metric it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Only rises, but for a restart of the exporter.
    Counter,
    /// What is now.
    Gauge,
    /// A distribution.
    Histogram,
    /// Always 1; what it says is in the labels.
    Info,
}

impl Kind {
    /// Its name in METRICS.md.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }

    /// Whether it adds up what happens, from zero on.
    pub(super) const fn counts(self) -> bool {
        matches!(self, Self::Counter | Self::Histogram)
    }
}

/// A base unit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// Its name as metrics carry it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
        }
    }
}

impl From<Unit> for registry::Unit {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Seconds => Self::Seconds,
            Unit::Bytes => Self::Bytes,
        }
    }
}

/// The entry of `name`.  To be called in a `const` block: a name that is not in the table does not
/// compile.
pub(super) const fn entry(name: &str) -> &'static Entry {
    let mut at = 0;
    while at < CATALOGUE.len() {
        if same(CATALOGUE[at].name.as_bytes(), name.as_bytes()) {
            return &CATALOGUE[at];
        }
        at += 1;
    }
    panic!("this metric is not in the catalogue")
}

/// `==` for `const fn`, which has none.
const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

const CATALOGUE: &[Entry] = &[
    // Queues.
    Entry {
        name: "asterisk_queue_entries_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue"],
        help: "Callers who joined the queue",
    },
    Entry {
        name: "asterisk_queue_adopted_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue", "phase"],
        help: "Stays already in progress when they became known, by phase",
    },
    Entry {
        name: "asterisk_queue_exits_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue", "outcome"],
        help: "Callers whose wait in the queue ended, by outcome",
    },
    Entry {
        name: "asterisk_queue_refusals_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue", "reason"],
        help: "Callers refused by the queue, by reason; an unknown queue has an empty name",
    },
    Entry {
        name: "asterisk_queue_hold_seconds",
        kind: Kind::Histogram,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "queue", "outcome"],
        help: "Time from joining the queue until an agent was connected or the caller left",
    },
    Entry {
        name: "asterisk_queue_position",
        kind: Kind::Histogram,
        unit: None,
        labels: &["pbx", "queue", "at"],
        help: "Place in the queue in which callers joined or abandoned, from 1",
    },
    Entry {
        name: "asterisk_queue_answered_in_target_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue"],
        help: "Callers answered within the service level target",
    },
    Entry {
        name: "asterisk_queue_abandoned_in_target_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue"],
        help: "Callers who abandoned within the service level target",
    },
    Entry {
        name: "asterisk_queue_short_abandons_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue"],
        help: "Callers who abandoned within the short-abandon threshold",
    },
    Entry {
        name: "asterisk_queue_service_level_target_seconds",
        kind: Kind::Gauge,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "queue"],
        help: "Service level target in effect: the configured one, else the queue's own",
    },
    Entry {
        name: "asterisk_queue_rings_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue", "agent", "result"],
        help: "Ring attempts of an agent that ended, by result",
    },
    Entry {
        name: "asterisk_queue_ring_seconds",
        kind: Kind::Histogram,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "queue", "agent", "result"],
        help: "Duration of the ring attempts of an agent, where known",
    },
    Entry {
        name: "asterisk_queue_talk_seconds",
        kind: Kind::Histogram,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "queue", "agent"],
        help: "Time caller and agent talked",
    },
    Entry {
        name: "asterisk_queue_talk_holds_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue", "agent"],
        help: "Times the agent put the caller on hold, in connected calls that ended",
    },
    Entry {
        name: "asterisk_queue_talk_hold_seconds_total",
        kind: Kind::Counter,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "queue", "agent"],
        help: "Time callers were on hold within the talk",
    },
    Entry {
        name: "asterisk_queue_talk_hold_hangups_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue", "agent"],
        help: "Connected calls that the caller ended while on hold",
    },
    Entry {
        name: "asterisk_queue_completions_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue", "agent", "ended_by"],
        help: "Connected calls that ended, by the side that ended them",
    },
    Entry {
        name: "asterisk_queue_transfers_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue", "agent", "kind", "by"],
        help: "Successful transfers of connected calls, by kind and by transferring side",
    },
    Entry {
        name: "asterisk_queue_answered_by_penalty_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue", "penalty"],
        help: "Waits that an agent ended, by the penalty of the member who answered",
    },
    Entry {
        name: "asterisk_queue_transfer_arrivals_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue", "to"],
        help: "Where transferred calls of the queue went",
    },
    Entry {
        name: "asterisk_queue_flows_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue", "to_queue", "by"],
        help: "Callers of the queue who joined another one, or the same once more",
    },
    Entry {
        name: "asterisk_queue_agent_dumps_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue", "agent"],
        help: "Agents who hung up during the announcement, while the caller continued to wait",
    },
    Entry {
        name: "asterisk_queue_pauses_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue", "agent", "change"],
        help: "Pauses and unpauses of an agent in the queue, even if nothing changed",
    },
    Entry {
        name: "asterisk_queue_wrapup_seconds_total",
        kind: Kind::Counter,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "queue", "agent"],
        help: "Time agents spent in wrap-up after calls of the queue",
    },
    Entry {
        name: "asterisk_queue_hangups_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue", "agent", "leg", "cause", "cause_text"],
        help: "Hangups of callers and of rung agents, by cause",
    },
    Entry {
        name: "asterisk_queue_recorded_calls_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "queue"],
        help: "Connected calls of the queue with a recording",
    },
    Entry {
        name: "asterisk_queue_callers_waiting",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx", "queue"],
        help: "Callers waiting now",
    },
    Entry {
        name: "asterisk_queue_callers_talking",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx", "queue"],
        help: "Callers connected to an agent now",
    },
    Entry {
        name: "asterisk_queue_longest_wait_seconds",
        kind: Kind::Gauge,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "queue"],
        help: "Longest current wait, 0 if no caller is waiting",
    },
    Entry {
        name: "asterisk_queue_agents",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx", "queue", "state"],
        help: "Members of the queue, by state",
    },
    Entry {
        name: "asterisk_queue_agents_needed",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx", "queue"],
        help: "Agents that the calls of the last half hour needed for the service level target, by Erlang C",
    },
    Entry {
        name: "asterisk_queue_info",
        kind: Kind::Info,
        unit: None,
        labels: &["pbx", "queue", "group"],
        help: "Always 1; the group of the queue, by the configuration",
    },
    // Agents.
    Entry {
        name: "asterisk_agent_info",
        kind: Kind::Info,
        unit: None,
        labels: &["pbx", "agent", "team"],
        help: "Always 1; the team of the agent, by the configuration",
    },
    Entry {
        name: "asterisk_agent_state",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx", "agent", "state"],
        help: "1 for the state the agent is in, 0 for the others; agents who share a label are added up",
    },
    Entry {
        name: "asterisk_agent_state_since_timestamp_seconds",
        kind: Kind::Gauge,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "agent"],
        help: "When the agent's state began, in seconds since the Unix epoch; absent if it is not known",
    },
    Entry {
        name: "asterisk_agent_talk_since_timestamp_seconds",
        kind: Kind::Gauge,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "agent"],
        help: "When the agent's current talk began, hold included, in seconds since the Unix epoch",
    },
    Entry {
        name: "asterisk_agent_pause_reason",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx", "agent", "reason"],
        help: "1 for the reason of an agent who is paused; agents who share a label are added up",
    },
    Entry {
        name: "asterisk_agent_busy_call",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx", "agent", "kind"],
        help: "1 for the kind of call of an agent who is busy; agents who share a label are added up",
    },
    Entry {
        name: "asterisk_agent_login_timestamp_seconds",
        kind: Kind::Gauge,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "agent"],
        help: "When the agent took the first of the current places in queues, in seconds since the Unix epoch",
    },
    Entry {
        name: "asterisk_agent_last_call_timestamp_seconds",
        kind: Kind::Gauge,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "agent"],
        help: "When the agent's last call from a queue ended, in seconds since the Unix epoch",
    },
    Entry {
        name: "asterisk_agent_logins_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "agent"],
        help: "First places in queues that the agent took",
    },
    Entry {
        name: "asterisk_agent_logoffs_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "agent"],
        help: "Last places in queues that the agent left",
    },
    Entry {
        name: "asterisk_agent_state_seconds_total",
        kind: Kind::Counter,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "agent", "state", "reason"],
        help: "Time agents spent in each state; reason is the pause reason, empty unless paused",
    },
    // Calls.
    Entry {
        name: "asterisk_calls_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "direction", "agent", "trunk", "result"],
        help: "Calls that ended, by direction and result",
    },
    Entry {
        name: "asterisk_call_ring_seconds",
        kind: Kind::Histogram,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "direction", "result"],
        help: "Time from the first dialling until the answer or the end",
    },
    Entry {
        name: "asterisk_call_talk_seconds",
        kind: Kind::Histogram,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "direction", "agent"],
        help: "Time calls were bridged",
    },
    Entry {
        name: "asterisk_call_hangups_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "direction", "agent", "trunk", "cause", "cause_text"],
        help: "Causes of the dialled leg, or of the calling leg if none was dialled",
    },
    Entry {
        name: "asterisk_trunk_attempts_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "trunk", "result"],
        help: "Dialled trunk legs that ended, by result",
    },
    Entry {
        name: "asterisk_trunk_attempt_hangups_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "trunk", "cause", "cause_text"],
        help: "Dialled trunk legs that ended, by hangup cause",
    },
    Entry {
        name: "asterisk_calls_active",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx", "direction"],
        help: "Calls in progress",
    },
    Entry {
        name: "asterisk_trunk_calls_active",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx", "trunk"],
        help: "Channels of the trunk that are up",
    },
    Entry {
        name: "asterisk_trunk_registered",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx", "trunk"],
        help: "1 if all outbound registrations of the trunk are in force, else 0",
    },
    Entry {
        name: "asterisk_endpoint_reachable",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx", "agent", "trunk"],
        help: "1 if the PBX would send a call to the trunk, or to a phone of the agent, else 0",
    },
    Entry {
        name: "asterisk_endpoint_round_trip_seconds",
        kind: Kind::Gauge,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "agent", "trunk"],
        help: "How long the last known answer to a qualify of the trunk, or of a phone of the agent, took",
    },
    Entry {
        name: "asterisk_trunk_voice_jitter_seconds",
        kind: Kind::Histogram,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "trunk", "stream"],
        help: "Interarrival jitter of the sound of trunks' channels that ended, by stream",
    },
    Entry {
        name: "asterisk_trunk_voice_loss_ratio",
        kind: Kind::Histogram,
        unit: None,
        labels: &["pbx", "trunk", "stream"],
        help: "Share of lost packets of the sound of trunks' channels that ended, by stream",
    },
    Entry {
        name: "asterisk_trunk_voice_score",
        kind: Kind::Histogram,
        unit: None,
        labels: &["pbx", "trunk"],
        help: "Asterisk's Media Experience Score, from 0 to 100, of what it received on trunks' channels that ended",
    },
    Entry {
        name: "asterisk_trunk_voice_round_trip_seconds",
        kind: Kind::Histogram,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "trunk"],
        help: "Round trip of RTCP of trunks' channels that ended",
    },
    Entry {
        name: "asterisk_agent_voice_jitter_seconds",
        kind: Kind::Histogram,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "agent", "stream"],
        help: "Interarrival jitter of the sound of agents' channels that ended, by stream",
    },
    Entry {
        name: "asterisk_agent_voice_loss_ratio",
        kind: Kind::Histogram,
        unit: None,
        labels: &["pbx", "agent", "stream"],
        help: "Share of lost packets of the sound of agents' channels that ended, by stream",
    },
    Entry {
        name: "asterisk_agent_voice_score",
        kind: Kind::Histogram,
        unit: None,
        labels: &["pbx", "agent"],
        help: "Asterisk's Media Experience Score, from 0 to 100, of what it received on agents' channels that ended",
    },
    Entry {
        name: "asterisk_agent_voice_round_trip_seconds",
        kind: Kind::Histogram,
        unit: Some(Unit::Seconds),
        labels: &["pbx", "agent"],
        help: "Round trip of RTCP of agents' channels that ended",
    },
    Entry {
        name: "asterisk_recordings_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx"],
        help: "Recordings that ended",
    },
    // The exporter.
    Entry {
        name: "asterisk_up",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx"],
        help: "1 while connected and synchronised, with each event that is sent counted, else 0; \
               asterisk_exporter_degraded reports what is not sent",
    },
    Entry {
        name: "asterisk_start_time_seconds",
        kind: Kind::Gauge,
        unit: Some(Unit::Seconds),
        labels: &["pbx"],
        help: "When Asterisk was started, in seconds since the Unix epoch, by its uptime at the latest login",
    },
    Entry {
        name: "asterisk_exporter_connects_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx"],
        help: "Sessions with the PBX that began",
    },
    Entry {
        name: "asterisk_exporter_disconnects_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "reason"],
        help: "Sessions with the PBX that ended, by reason",
    },
    Entry {
        name: "asterisk_exporter_unsynchronized_seconds_total",
        kind: Kind::Counter,
        unit: Some(Unit::Seconds),
        labels: &["pbx"],
        help: "Time without a synchronised session",
    },
    Entry {
        name: "asterisk_exporter_events_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "event"],
        help: "Events read from the PBX; names outside the known set are counted as other",
    },
    Entry {
        name: "asterisk_exporter_frames_rejected_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "reason"],
        help: "Malformed or oversized input that was skipped, by reason",
    },
    Entry {
        name: "asterisk_exporter_anomalies_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "kind"],
        help: "Event sequences that should not occur, and drift that a list corrected",
    },
    Entry {
        name: "asterisk_exporter_repaired_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "kind"],
        help: "What queue_log told of times without synchronisation, and was counted, by kind",
    },
    Entry {
        name: "asterisk_exporter_tracked_objects",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx", "kind"],
        help: "Channels, stays and calls in memory",
    },
    Entry {
        name: "asterisk_exporter_given_up_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "kind"],
        help: "Channels, stays, members and recordings that are followed no longer because a limit was reached",
    },
    Entry {
        name: "asterisk_exporter_degraded",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx", "reason"],
        help: "1 for each class, event or list that the PBX never sends in this session although it must, else 0",
    },
    Entry {
        name: "asterisk_exporter_event_lag_seconds",
        kind: Kind::Gauge,
        unit: Some(Unit::Seconds),
        labels: &["pbx"],
        help: "Delay of the last event behind its time stamp, less the offset of the two clocks",
    },
    Entry {
        name: "asterisk_exporter_label_overflow_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["pbx", "label"],
        help: "Names and series that became other because a limit was reached",
    },
    Entry {
        name: "asterisk_exporter_series",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx"],
        help: "Series that are exported, or kept for what may come",
    },
    Entry {
        name: "asterisk_exporter_series_limit",
        kind: Kind::Gauge,
        unit: None,
        labels: &["pbx"],
        help: "The most series that there can be, as configured by limits.series",
    },
    Entry {
        name: "asterisk_exporter_http_refused_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["reason"],
        help: "Connections and requests that were refused or ended early, by reason",
    },
    Entry {
        name: "asterisk_exporter_config_last_reload_successful",
        kind: Kind::Gauge,
        unit: None,
        labels: &[],
        help: "1 if the last attempt to read the configuration was successful, else 0",
    },
    Entry {
        name: "asterisk_exporter_config_last_reload_success_timestamp_seconds",
        kind: Kind::Gauge,
        unit: Some(Unit::Seconds),
        labels: &[],
        help: "When the configuration was last read successfully, in seconds since the Unix epoch",
    },
    Entry {
        name: "asterisk_exporter_build_info",
        kind: Kind::Info,
        unit: None,
        labels: &["version", "revision", "build_date"],
        help: "The exporter's version, source revision and build date",
    },
    // The process.
    Entry {
        name: "process_cpu_seconds_total",
        kind: Kind::Counter,
        unit: Some(Unit::Seconds),
        labels: &[],
        help: "CPU time used by the process",
    },
    Entry {
        name: "process_resident_memory_bytes",
        kind: Kind::Gauge,
        unit: Some(Unit::Bytes),
        labels: &[],
        help: "Resident memory of the process",
    },
    Entry {
        name: "process_virtual_memory_bytes",
        kind: Kind::Gauge,
        unit: Some(Unit::Bytes),
        labels: &[],
        help: "Virtual address space of the process",
    },
    Entry {
        name: "process_open_fds",
        kind: Kind::Gauge,
        unit: None,
        labels: &[],
        help: "Open file descriptors of the process",
    },
    Entry {
        name: "process_max_fds",
        kind: Kind::Gauge,
        unit: None,
        labels: &[],
        help: "Maximum number of open file descriptors",
    },
    Entry {
        name: "process_start_time_seconds",
        kind: Kind::Gauge,
        unit: Some(Unit::Seconds),
        labels: &[],
        help: "Start time of the process, in seconds since the Unix epoch",
    },
    Entry {
        name: "process_threads",
        kind: Kind::Gauge,
        unit: None,
        labels: &[],
        help: "Threads of the process",
    },
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_name_stands_once_and_ends_as_its_kind_and_unit_ask() {
        let mut seen = HashSet::new();
        for entry in catalogue() {
            assert!(seen.insert(entry.name), "{} stands twice", entry.name);
            assert_eq!(
                entry.kind == Kind::Counter,
                entry.name.ends_with("_total"),
                "{}",
                entry.name
            );
            assert_eq!(entry.kind == Kind::Info, entry.name.ends_with("_info"), "{}", entry.name);
            let unit = [Unit::Seconds, Unit::Bytes].into_iter().find(|unit| {
                entry.name.trim_end_matches("_total").ends_with(&format!("_{}", unit.word()))
            });
            assert_eq!(entry.unit, unit, "{}", entry.name);
        }
    }

    #[test]
    fn a_help_needs_no_escape_and_gets_its_full_stop_from_the_encoder() {
        for entry in catalogue() {
            assert!(!entry.help.contains(['\\', '\n', '"']), "{}", entry.name);
            assert!(!entry.help.ends_with('.') && !entry.help.is_empty(), "{}", entry.name);
        }
    }

    #[test]
    fn the_stem_lacks_what_the_encoder_appends() {
        let stem = |name| catalogue().iter().find(|entry| entry.name == name).map(Entry::stem);
        assert_eq!(stem("asterisk_queue_entries_total"), Some("asterisk_queue_entries"));
        assert_eq!(stem("asterisk_queue_wrapup_seconds_total"), Some("asterisk_queue_wrapup"));
        assert_eq!(stem("asterisk_queue_hold_seconds"), Some("asterisk_queue_hold"));
        assert_eq!(stem("asterisk_exporter_build_info"), Some("asterisk_exporter_build"));
        assert_eq!(stem("asterisk_up"), Some("asterisk_up"));
    }
}
