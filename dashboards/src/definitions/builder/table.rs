//! Tables, which are the outer join of their queries.

use serde_json::{Map, Value, json};

use super::{Lights, Panel, Shape, by_name, none, numbered, target};

/// One column of a table.
pub(in super::super) struct Column {
    title: &'static str,
    unit: &'static str,
    expr: String,
    lights: Option<Value>,
    words: Option<Value>,
}

impl Panel {
    /// A table; `labels` identify its rows, each with the title of its column.
    pub(in super::super) fn table(
        title: &'static str,
        labels: &[(&'static str, &'static str)],
        description: &'static str,
        columns: Vec<Column>,
    ) -> Self {
        Self::rows_by(title, labels, description, columns, Shape::Table)
    }

    /// A table with one row for each half hour of the day so far, the last one first.
    ///
    /// Grafana puts the points of a query at multiples of its step, in the dashboard's time zone.
    pub(in super::super) fn half_hours(
        title: &'static str,
        description: &'static str,
        columns: Vec<Column>,
    ) -> Self {
        let from = [("Time", "From")];
        let mut panel = Self::rows_by(title, &from, description, columns, Shape::TableOverTime);
        panel.overrides.push(by_name("From", &[json!({ "id": "unit", "value": "time:HH:mm" })]));
        panel.options["sortBy"][0]["desc"] = json!(true);
        panel.transformations[1]["options"]["excludeByName"] = json!({});
        panel.at_least("30m").today()
    }

    fn rows_by(
        title: &'static str,
        labels: &[(&'static str, &'static str)],
        description: &'static str,
        columns: Vec<Column>,
        shape: Shape,
    ) -> Self {
        let options = json!({
            "showHeader": true, "cellHeight": "sm", "frameIndex": 0,
            "sortBy": [{ "displayName": labels[0].1, "desc": false }],
        });
        let mut panel = Self::new("table", title, "short", description, options).fixed("text");
        panel.defaults.insert(
            "custom".into(),
            // With Grafana's own minimum width of 150, half of a wide table would be invisible.
            json!({
                "align": "auto", "cellOptions": { "type": "auto" }, "inspect": false, "filterable": false, "minWidth": 60,
            }),
        );
        panel = panel.or_else("–");
        let (mut names, mut order) = (Map::new(), Map::new());
        for (label, title) in labels {
            order.insert((*label).into(), json!(order.len()));
            names.insert((*label).into(), json!(title));
        }
        let alone = columns.len() == 1;
        for (column, at) in columns.into_iter().zip('A'..='Z') {
            // Grafana numbers only the values of several queries.
            let value = if alone { "Value".to_owned() } else { format!("Value #{at}") };
            order.insert(value.clone(), json!(order.len()));
            names.insert(value, json!(column.title));
            panel.targets.push(target(at, &column.expr, "", shape));
            let mut properties = vec![json!({ "id": "unit", "value": column.unit })];
            if let Some(words) = column.words {
                let none = none("–", "transparent", 0);
                properties.push(json!({ "id": "mappings", "value": [none, words] }));
                properties.push(json!({
                    "id": "custom.cellOptions", "value": { "type": "color-background", "mode": "basic" },
                }));
            }
            if let Some(lights) = column.lights {
                properties.push(json!({ "id": "thresholds", "value": lights }));
                properties.push(json!({ "id": "color", "value": { "mode": "thresholds" } }));
                // Without this, Grafana gives a cell without a value the lowest threshold's colour.
                properties
                    .push(json!({ "id": "mappings", "value": [none("–", "transparent", 0)] }));
                properties.push(json!({
                    "id": "custom.cellOptions", "value": { "type": "color-background", "mode": "basic" },
                }));
            }
            panel.overrides.push(by_name(column.title, &properties));
        }
        panel.transformations = vec![
            json!({ "id": "merge", "options": {} }),
            json!({
                "id": "organize",
                "options": { "excludeByName": { "Time": true }, "indexByName": order, "renameByName": names },
            }),
        ];
        panel
    }

    /// Higher rows in a table, to be read from afar.
    pub(in super::super) fn high_rows(mut self) -> Self {
        self.options["cellHeight"] = json!("md");
        self
    }

    /// What a click on a column of a table opens: another of our dashboards, for what stands in
    /// that row.
    pub(in super::super) fn opens(
        mut self,
        column: &str,
        uid: &str,
        fields: &[(&str, &str)],
    ) -> Self {
        use std::fmt::Write as _;
        let mut url = format!("/d/{uid}?${{datasource:queryparam}}&${{__url_time_range}}");
        for (variable, field) in fields {
            write!(url, "&var-{variable}=${{__data.fields[\"{field}\"]:percentencode}}")
                .expect("a String takes all");
        }
        let links = json!({ "id": "links", "value": [{ "title": "Open", "url": url, "targetBlank": false }] });
        self.overrides.push(by_name(column, &[links]));
        self
    }
}

impl Column {
    pub(in super::super) fn new(
        title: &'static str,
        unit: &'static str,
        expr: impl Into<String>,
    ) -> Self {
        Self { title, unit, expr: expr.into(), lights: None, words: None }
    }

    /// Words with their colours for the numbers from 1.
    pub(in super::super) fn words(mut self, words: &[&str]) -> Self {
        self.words = Some(numbered(words));
        self
    }

    pub(in super::super) fn lights(mut self, lights: Lights) -> Self {
        self.lights = Some(lights.json());
        self
    }
}
