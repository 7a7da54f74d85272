//! Grafana's classic dashboard model, as far as these dashboards use it.

mod table;

use serde_json::{Map, Value, json};

use super::frame::{TAG, annotations, link_to_the_others, variables};
use super::palette::{BAD, GOOD, NONE, PLAIN, WARN, colour};
pub(super) use table::Column;

/// One dashboard.
pub(super) struct Dashboard {
    pub(super) uid: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    /// The beginning of the time that is shown when it is opened.
    pub(super) from: &'static str,
    pub(super) refresh: &'static str,
    /// The variables that are shown; the others are kept, hidden, so that a selection survives a
    /// visit.
    pub(super) shown: &'static [&'static str],
    pub(super) rows: Vec<Row>,
}

/// Panels side by side, all of one height.
pub(super) struct Row {
    title: Option<&'static str>,
    height: u64,
    panels: Vec<(u64, Panel)>,
}

/// One panel.
pub(super) struct Panel {
    kind: &'static str,
    title: &'static str,
    description: &'static str,
    defaults: Map<String, Value>,
    options: Value,
    overrides: Vec<Value>,
    targets: Vec<Value>,
    transformations: Vec<Value>,
    interval: Option<&'static str>,
    time_from: Option<&'static str>,
}

/// A number by what it is: good, bad, or neither, as for few calls; `other` also keeps the place.
pub(super) struct Graded {
    pub(super) good: String,
    pub(super) bad: String,
    pub(super) other: String,
}

/// Bounds of a traffic light.
#[derive(Clone, Copy)]
pub(super) enum Lights {
    /// Good below the first bound, bad from the second on.
    Low(f64, f64),
    /// Bad below the first bound, good from the second on.
    High(f64, f64),
}

impl Dashboard {
    pub(super) fn json(self) -> Value {
        let mut panels = Vec::new();
        let mut top = 0;
        for row in self.rows {
            if let Some(title) = row.title {
                panels.push(json!({
                    "type": "row", "id": panels.len() + 1, "title": title, "collapsed": false, "panels": [],
                    "gridPos": { "h": 1, "w": 24, "x": 0, "y": top },
                }));
                top += 1;
            }
            let mut left = 0;
            for (width, panel) in row.panels {
                let place = json!({ "h": row.height, "w": width, "x": left, "y": top });
                panels.push(panel.json(panels.len() + 1, &place));
                left += width;
            }
            top += row.height;
        }
        json!({
            "uid": self.uid, "id": null, "title": self.title, "description": self.description,
            "tags": [TAG], "schemaVersion": 42, "version": 1, "editable": true, "graphTooltip": 1,
            // No time zone of its own: that of the user, the organisation or the server.
            "time": { "from": self.from, "to": "now" }, "timezone": "", "refresh": self.refresh,
            "timepicker": {}, "fiscalYearStartMonth": 0, "weekStart": "",
            "links": [link_to_the_others()],
            "annotations": { "list": annotations() },
            "templating": { "list": variables(self.shown) },
            "panels": panels,
        })
    }
}

impl Row {
    /// Panels with their widths, of which a row has 24.
    pub(super) fn new(height: u64, panels: Vec<(u64, Panel)>) -> Self {
        Self { title: None, height, panels }
    }

    /// The same under a heading.
    pub(super) fn titled(title: &'static str, height: u64, panels: Vec<(u64, Panel)>) -> Self {
        Self { title: Some(title), height, panels }
    }
}

impl Panel {
    /// One big number, as it is at the end of the time that is shown.
    ///
    /// Instant, without a course: of a range Grafana takes the last value there is, and that may be
    /// hours old.
    pub(super) fn stat(title: &'static str, unit: &'static str, description: &'static str) -> Self {
        let options = json!({
            "graphMode": "none", "colorMode": "value", "justifyMode": "center", "textMode": "auto",
            "wideLayout": true, "showPercentChange": false, "percentChangeColorMode": "standard",
            "orientation": "auto", "reduceOptions": last_value(),
        });
        Self::new("stat", title, unit, description, options).fixed(PLAIN).or_else("–")
    }

    /// Lines over time.
    pub(super) fn lines(
        title: &'static str,
        unit: &'static str,
        description: &'static str,
    ) -> Self {
        let options = json!({ "legend": legend(), "tooltip": { "mode": "multi", "sort": "desc" } });
        let mut panel = Self::new("timeseries", title, unit, description, options);
        panel.defaults.insert("color".into(), json!({ "mode": "palette-classic-by-name" }));
        panel.defaults.insert("min".into(), json!(0));
        panel.defaults.insert(
            "custom".into(),
            json!({
                "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 2, "fillOpacity": 0,
                "showPoints": "never", "pointSize": 5, "spanNulls": false,
                "stacking": { "mode": "none", "group": "A" }, "axisPlacement": "auto", "axisLabel": "",
                "thresholdsStyle": { "mode": "off" },
            }),
        );
        panel
    }

    /// Lines that keep a value until the next one.
    pub(super) fn steps(
        title: &'static str,
        unit: &'static str,
        description: &'static str,
    ) -> Self {
        let mut panel = Self::lines(title, unit, description);
        panel.defaults["custom"]["lineInterpolation"] = json!("stepAfter");
        panel
    }

    /// A distribution over time; `expr` has the label `le`, or is a native histogram.
    pub(super) fn heatmap(
        title: &'static str,
        unit: &'static str,
        description: &'static str,
        expr: &str,
    ) -> Self {
        let options = json!({
            "calculate": false, "cellGap": 1, "showValue": "never",
            "color": {
                "mode": "scheme", "scheme": "Cividis", "scale": "exponential", "exponent": 0.5, "steps": 64,
                "fill": GOOD, "reverse": false,
            },
            "cellValues": { "unit": "short", "decimals": 1 },
            "yAxis": { "unit": unit, "axisPlacement": "left", "reverse": false },
            "rowsFrame": { "layout": "auto" },
            "filterValues": { "le": 1e-9 },
            "legend": { "show": true },
            "tooltip": { "mode": "single", "yHistogram": true, "showColorScale": true },
            "exemplars": { "color": BAD },
        });
        let mut panel = Self::new("heatmap", title, unit, description, options);
        panel.targets.push(target('A', expr, "{{le}}", Shape::Heatmap));
        panel
    }

    /// One horizontal bar a series, at the end of the time that is shown.
    pub(super) fn bars(title: &'static str, unit: &'static str, description: &'static str) -> Self {
        let options = json!({
            "displayMode": "basic", "valueMode": "color", "namePlacement": "left", "showUnfilled": false,
            "sizing": "auto", "minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 32,
            "orientation": "horizontal", "legend": { "showLegend": false, "displayMode": "list", "placement": "bottom", "calcs": [] },
            "reduceOptions": last_value(),
        });
        let mut panel = Self::new("bargauge", title, unit, description, options).fixed(PLAIN);
        panel.defaults.insert("min".into(), json!(0));
        panel
    }

    /// What each series was when: `states` are numbered from 1.
    pub(super) fn timeline(
        title: &'static str,
        description: &'static str,
        states: &[&str],
    ) -> Self {
        let options = json!({
            "showValue": "never", "rowHeight": 0.85, "mergeValues": true, "alignValue": "left", "perPage": 25,
            "legend": legend(), "tooltip": { "mode": "single", "sort": "none" },
        });
        let mut panel =
            Self::new("state-timeline", title, "short", description, options).fixed(PLAIN);
        panel.defaults.insert(
            "custom".into(),
            json!({ "fillOpacity": 90, "lineWidth": 0, "spanNulls": false }),
        );
        panel.defaults.insert("mappings".into(), json!([numbered(states)]));
        panel
    }

    /// A query over the time that is shown, and how its series are called.
    pub(super) fn over_time(mut self, expr: &str, legend: &str) -> Self {
        assert!(self.kind != "stat", "{}: what is now is no range", self.title);
        self.targets.push(target(self.next_id(), expr, legend, Shape::Range));
        self
    }

    /// One of several numbers side by side, of one series without labels.
    ///
    /// It keeps its place where there is none: Grafana shows only series that exist, and a number
    /// alone without its name.  VictoriaMetrics drops NaN, and -1 is no ratio.
    pub(super) fn beside(self, expr: &str, legend: &str) -> Self {
        self.now(&format!("{expr} or vector(-1)"), legend)
    }

    /// The first number of several, coloured by a threshold of its own query: by `good`, `bad` and
    /// `other` at most one gives a series.
    ///
    /// Grafana's thresholds are constants of a panel.  A colour by the query is always that of the
    /// number beside it, since both are of one sample.
    pub(super) fn graded(mut self, grades: Graded, legend: &str) -> Self {
        assert!(self.targets.is_empty(), "{}: a graded number is the first", self.title);
        let Graded { good, bad, other } = grades;
        for (expr, colour) in [(good, Some(GOOD)), (bad, Some(BAD)), (other, None)] {
            if let Some(colour) = colour {
                let query = self.next_id().to_string();
                let fixed =
                    json!({ "id": "color", "value": { "mode": "fixed", "fixedColor": colour } });
                self.overrides.push(json!({
                    "matcher": { "id": "byFrameRefID", "options": query }, "properties": [fixed],
                }));
            }
            self = self.now(&expr, legend);
        }
        self
    }

    /// The unit of the whole number with this name.
    pub(super) fn unit_of(mut self, name: &str, unit: &str) -> Self {
        let unit = json!({ "id": "unit", "value": unit });
        self.overrides.push(by_name(name, &[unit, json!({ "id": "decimals", "value": 0 })]));
        self
    }

    /// A query at the end of that time.
    pub(super) fn now(mut self, expr: &str, legend: &str) -> Self {
        self.targets.push(target(self.next_id(), expr, legend, Shape::Instant));
        self
    }

    /// The colours of these names.
    pub(super) fn colours(mut self, names: &[&str]) -> Self {
        for name in names {
            let fixed =
                json!({ "id": "color", "value": { "mode": "fixed", "fixedColor": colour(name) } });
            self.overrides.push(by_name(name, &[fixed]));
        }
        self
    }

    /// One colour for everything.
    pub(super) fn fixed(mut self, colour: &str) -> Self {
        self.defaults.insert("color".into(), json!({ "mode": "fixed", "fixedColor": colour }));
        self
    }

    /// A traffic light.
    pub(super) fn lights(mut self, lights: Lights) -> Self {
        self.defaults.insert("color".into(), json!({ "mode": "thresholds" }));
        self.defaults.insert("thresholds".into(), lights.json());
        match self.kind {
            "stat" => self.options["colorMode"] = json!("background_solid"),
            "timeseries" => {
                self.defaults["custom"]["thresholdsStyle"]["mode"] = json!("dashed");
                self.defaults.insert("color".into(), json!({ "mode": "palette-classic-by-name" }));
            }
            _ => {}
        }
        self
    }

    /// Areas on top of each other.
    pub(super) fn stacked(mut self) -> Self {
        self.defaults["custom"]["stacking"]["mode"] = json!("normal");
        self.defaults["custom"]["fillOpacity"] = json!(70);
        self.defaults["custom"]["lineWidth"] = json!(1);
        self
    }

    /// Bars instead of lines.
    pub(super) fn drawn_as_bars(mut self) -> Self {
        self.defaults["custom"]["drawStyle"] = json!("bars");
        self.defaults["custom"]["fillOpacity"] = json!(80);
        self
    }

    /// The series of this name dashed, not filled and not stacked.
    pub(super) fn dashed(mut self, name: &str) -> Self {
        let properties = [
            json!({ "id": "color", "value": { "mode": "fixed", "fixedColor": colour(name) } }),
            json!({ "id": "custom.lineStyle", "value": { "fill": "dash", "dash": [10, 10] } }),
            json!({ "id": "custom.fillOpacity", "value": 0 }),
            json!({ "id": "custom.stacking", "value": { "mode": "none", "group": "A" } }),
            json!({ "id": "custom.drawStyle", "value": "line" }),
        ];
        self.overrides.push(by_name(name, &properties));
        self
    }

    /// The legend as a table at the right, for many series.
    pub(super) fn legend_right(mut self) -> Self {
        self.options["legend"] = json!({
            "displayMode": "table", "placement": "right", "showLegend": true, "calcs": ["lastNotNull", "max"],
        });
        self
    }

    /// No smaller step than this: calls are rare, and a rate of one call is noise.
    pub(super) fn at_least(mut self, step: &'static str) -> Self {
        self.interval = Some(step);
        self
    }

    /// The day so far, whatever relative time is chosen; of an absolute one Grafana overrides nothing.
    pub(super) fn today(mut self) -> Self {
        self.time_from = Some("now/d");
        self
    }

    /// The upper end of the axis or bar.
    pub(super) fn up_to(mut self, max: f64) -> Self {
        self.defaults.insert("max".into(), json!(max));
        self
    }

    pub(super) fn decimals(mut self, digits: u64) -> Self {
        self.defaults.insert("decimals".into(), json!(digits));
        self
    }

    /// The name of each series instead of its number.
    pub(super) fn names(mut self) -> Self {
        self.options["textMode"] = json!("name");
        self
    }

    /// The text if a query gives nothing.
    pub(super) fn or_else(mut self, text: &str) -> Self {
        self.defaults.insert("noValue".into(), json!(text));
        self
    }

    /// Words for numbers, with their colours.
    pub(super) fn words(mut self, words: &[(&str, &str, &str)]) -> Self {
        let mut mapping = Map::new();
        for (at, (value, text, colour)) in words.iter().enumerate() {
            mapping.insert((*value).into(), json!({ "text": text, "color": colour, "index": at }));
        }
        self.defaults.insert("mappings".into(), json!([{ "type": "value", "options": mapping }]));
        self.options["colorMode"] = json!("background_solid");
        self
    }

    fn new(
        kind: &'static str,
        title: &'static str,
        unit: &'static str,
        description: &'static str,
        options: Value,
    ) -> Self {
        let mut defaults = Map::new();
        defaults.insert("unit".into(), json!(unit));
        let steps = json!([{ "color": PLAIN, "value": null }]);
        defaults.insert("thresholds".into(), json!({ "mode": "absolute", "steps": steps }));
        defaults.insert("mappings".into(), json!([]));
        Self {
            kind,
            title,
            description,
            defaults,
            options,
            overrides: Vec::new(),
            targets: Vec::new(),
            transformations: Vec::new(),
            interval: None,
            time_from: None,
        }
    }

    fn next_id(&self) -> char {
        ('A'..='Z').nth(self.targets.len()).expect("a panel has few queries")
    }

    /// What a stat shows where there is no number, or -1, which its queries give for none.
    ///
    /// Without it, Grafana gives what is missing the colour of the lowest threshold, often green.
    fn without_a_number(&mut self) {
        let text = self.defaults["noValue"].as_str().unwrap_or("–").to_owned();
        let mappings = self.defaults["mappings"].as_array_mut().expect("a list");
        let at: usize =
            mappings.iter().map(|mapping| mapping["options"].as_object().map_or(0, Map::len)).sum();
        let mut expressions = self.targets.iter().filter_map(|target| target["expr"].as_str());
        if expressions.any(|expr| expr.contains("vector(-1)") || expr.ends_with("- 1")) {
            let shown = json!({ "text": text, "color": NONE, "index": at });
            mappings.push(json!({ "type": "value", "options": { "-1": shown } }));
        }
        mappings.push(none(&text, NONE, at + 1));

        // Alone, a number has no name, and nobody sees whose it is.
        let labelled = self.targets.iter().any(|target| {
            target["legendFormat"].as_str().is_some_and(|legend| legend.contains("{{"))
        });
        if labelled && self.options["textMode"] == "auto" {
            self.options["textMode"] = json!("value_and_name");
        }
    }

    fn json(mut self, id: usize, place: &Value) -> Value {
        if self.kind == "stat" {
            self.without_a_number();
        }
        let mut panel = json!({
            "type": self.kind, "id": id, "title": self.title, "description": self.description,
            // Without it, Grafana migrates a panel as one of Grafana 6.
            "pluginVersion": "12.0.0",
            "datasource": datasource(), "gridPos": place, "targets": self.targets, "options": self.options,
            "fieldConfig": { "defaults": self.defaults, "overrides": self.overrides },
        });
        if !self.transformations.is_empty() {
            panel["transformations"] = json!(self.transformations);
        }
        if let Some(step) = self.interval {
            panel["interval"] = json!(step);
        }
        if let Some(from) = self.time_from {
            panel["timeFrom"] = json!(from);
            panel["hideTimeOverride"] = json!(true);
        }
        panel
    }
}

impl Lights {
    fn json(self) -> Value {
        let (colours, first, second) = match self {
            Self::Low(first, second) => ([GOOD, WARN, BAD], first, second),
            Self::High(first, second) => ([BAD, WARN, GOOD], first, second),
        };
        json!({ "mode": "absolute", "steps": [
            { "color": colours[0], "value": null },
            { "color": colours[1], "value": first },
            { "color": colours[2], "value": second },
        ] })
    }
}

/// What a query is asked for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Shape {
    Range,
    Instant,
    Table,
    TableOverTime,
    Heatmap,
}

fn target(id: char, expr: &str, legend: &str, shape: Shape) -> Value {
    let format = match shape {
        Shape::Range | Shape::Instant => "time_series",
        Shape::Table | Shape::TableOverTime => "table",
        Shape::Heatmap => "heatmap",
    };
    let instant = matches!(shape, Shape::Instant | Shape::Table);
    json!({
        "refId": id.to_string(), "datasource": datasource(), "editorMode": "code", "expr": expr,
        "legendFormat": legend, "format": format, "instant": instant, "range": !instant,
    })
}

pub(super) fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

fn by_name(name: &str, properties: &[Value]) -> Value {
    json!({ "matcher": { "id": "byName", "options": name }, "properties": properties })
}

/// A mapping of the numbers from 1 to these names, with their colours.
fn numbered(names: &[&str]) -> Value {
    let mut mapping = Map::new();
    for (at, name) in names.iter().enumerate() {
        let shown = json!({ "text": name, "color": colour(name), "index": at });
        mapping.insert((at + 1).to_string(), shown);
    }
    json!({ "type": "value", "options": mapping })
}

/// What is shown in place of a missing number.
fn none(text: &str, colour: &str, at: usize) -> Value {
    json!({
        "type": "special",
        "options": { "match": "null+nan", "result": { "text": text, "color": colour, "index": at } },
    })
}

fn last_value() -> Value {
    json!({ "values": false, "calcs": ["lastNotNull"], "fields": "" })
}

fn legend() -> Value {
    json!({ "displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": [] })
}
