//! What all dashboards have around their panels: links, annotations and variables.

use serde_json::{Value, json};

use super::builder::datasource;
use super::palette::{BAD, WARN};

/// All dashboards with our tag, with variables and time.
pub(super) fn link_to_the_others() -> Value {
    json!({
        "type": "dashboards", "title": "Asterisk", "tags": [TAG], "asDropdown": false, "icon": "external link",
        "includeVars": true, "keepTime": true, "targetBlank": false, "tooltip": "", "url": "",
    })
}

/// Grafana's own, and events that make the numbers of that time unreliable.  A mark is drawn where the
/// value is above 0.
pub(super) fn annotations() -> Vec<Value> {
    let marks = [
        (
            "PBX restarts",
            BAD,
            "max by (pbx) (max_over_time(asterisk_start_time_seconds{pbx=~\"$pbx\"}[$__rate_interval])) - \
             min by (pbx) (min_over_time(asterisk_start_time_seconds{pbx=~\"$pbx\"}[$__rate_interval])) > bool 5",
            "{{pbx}}: the PBX was restarted, its open calls are lost",
            "pbx",
        ),
        (
            "Lost sessions",
            WARN,
            "sum by (pbx, reason) (increase(asterisk_exporter_disconnects_total{pbx=~\"$pbx\"}[$__rate_interval]))",
            "{{pbx}}: session ended ({{reason}}); a PBX that stops gives `closed`",
            "pbx,reason",
        ),
        (
            "Not synchronised",
            "#DDDDDD",
            "1 - asterisk_up{pbx=~\"$pbx\"}",
            "{{pbx}}: not synchronised, the numbers of this time are incomplete",
            "pbx",
        ),
        (
            "Exporter restarts",
            "#56B4E9",
            "changes(process_start_time_seconds[$__rate_interval]) and on (job, instance) asterisk_exporter_build_info",
            "{{instance}}: the exporter was restarted, its counters start at zero",
            "instance",
        ),
    ];
    let own = json!({
        "builtIn": 1, "datasource": { "type": "grafana", "uid": "-- Grafana --" }, "enable": true, "hide": true,
        "iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts", "type": "dashboard",
    });
    let marks = marks.map(|(name, colour, expr, text, tags)| {
        json!({
            "name": name, "datasource": datasource(), "enable": true, "hide": false, "iconColor": colour,
            "expr": expr, "step": "60s", "titleFormat": name, "textFormat": text, "tagKeys": tags,
            "useValueForTime": false,
        })
    });
    std::iter::once(own).chain(marks).collect()
}

/// Each depends on those before it.  Where nothing is selected, an empty label matches as well.
pub(super) fn variables(shown: &[&str]) -> Vec<Value> {
    let source = json!({
        "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "regex": "",
        "hide": 0, "multi": false, "includeAll": false, "refresh": 1, "options": [],
        "current": { "selected": false, "text": "default", "value": "default" },
        "description": "The Prometheus, or a compatible server, that has the metrics.",
    });
    let queries = [
        ("pbx", "PBX", "The Asterisk servers.", "label_values(asterisk_up, pbx)"),
        (
            "queue",
            "Queue",
            "Queues of those PBXs.",
            "label_values(asterisk_queue_entries_total{pbx=~\"$pbx\"}, queue)",
        ),
        (
            "agent",
            "Agent",
            "Members of those queues.",
            "label_values(asterisk_queue_pauses_total{pbx=~\"$pbx\", queue=~\"$queue\"}, agent)",
        ),
        (
            "trunk",
            "Trunk",
            "Trunks of those PBXs.",
            "label_values(asterisk_trunk_attempts_total{pbx=~\"$pbx\"}, trunk)",
        ),
    ];
    let queries = queries.map(|(name, label, description, query)| {
        let mut variable = json!({
            "name": name, "label": label, "description": description, "type": "query", "datasource": datasource(),
            "query": { "query": query, "refId": "StandardVariableQuery" }, "definition": query, "regex": "",
            "multi": true, "includeAll": true, "allValue": ".*", "refresh": 2, "sort": 1,
            "hide": if shown.contains(&name) { 0 } else { 2 }, "options": [],
            "current": { "selected": true, "text": ["All"], "value": ["$__all"] },
        });
        if name == "agent" && shown.contains(&"queue") {
            // All means all agents of the selected queues, which only the list of their names gives.
            variable.as_object_mut().expect("it is one").remove("allValue");
        }
        variable
    });
    std::iter::once(source).chain(queries).collect()
}

/// The tag by which our dashboards link to each other.
pub(super) const TAG: &str = "asterisk-exporter";
