//! One panel of each kind.

use std::collections::BTreeMap;

use serde_json::Value;

use super::canvas::{At, Canvas, Place};
use super::{Drawn, chart, format};
use crate::prometheus::Series;

pub(super) fn draw(canvas: &Canvas<'_>, place: Place, drawn: &Drawn<'_>) {
    canvas.fill(place, format::PANEL);
    let title = drawn.panel["title"].as_str().unwrap_or_default();
    canvas.text(
        &canvas.short(title, place.w - 16, 15),
        place.x + 8,
        place.y + 14,
        15,
        format::TEXT,
        At::Left,
    );

    let inner = place.inner(8, 28, 8, 6);
    if drawn.answers.iter().all(Vec::is_empty) {
        let middle = (inner.x + inner.w / 2, inner.y + inner.h / 2);
        let text = drawn.panel["fieldConfig"]["defaults"]["noValue"].as_str().unwrap_or("No data");
        canvas.text(text, middle.0, middle.1, 18, format::DIM, At::Middle);
        return;
    }

    match drawn.panel["type"].as_str() {
        Some("stat") => stat(canvas, inner, drawn),
        Some("timeseries") => chart::lines(canvas, inner, drawn),
        Some("table") => table(canvas, inner, drawn),
        Some("heatmap") => heatmap(canvas, inner, drawn),
        Some("bargauge") => bars(canvas, inner, drawn),
        Some("state-timeline") => timeline(canvas, inner, drawn),
        other => panic!("no drawing for {other:?}"),
    }
}

/// The series of a panel with their names.
pub(super) fn named(drawn: &Drawn<'_>) -> Vec<(String, Series)> {
    let targets = drawn.panel["targets"].as_array().into_iter().flatten();
    let pairs = targets.zip(&drawn.answers);
    let each = pairs.flat_map(|(target, answer)| {
        let legend = target["legendFormat"].as_str().unwrap_or_default();
        answer.iter().map(|series| (fill(legend, &series.labels), series.clone()))
    });
    each.collect()
}

fn fill(legend: &str, labels: &BTreeMap<String, String>) -> String {
    let mut name = legend.to_owned();
    while let Some((before, rest)) = name.split_once("{{") {
        let (label, after) = rest.split_once("}}").expect("the end of a label");
        name = format!("{before}{}{after}", labels.get(label).map_or("", String::as_str));
    }
    name
}

fn stat(canvas: &Canvas<'_>, place: Place, drawn: &Drawn<'_>) {
    let mut series = Vec::new();
    for (query, answer) in drawn.answers.iter().enumerate() {
        let legend = drawn.panel["targets"][query]["legendFormat"].as_str().unwrap_or_default();
        series.extend(answer.iter().map(|one| (query, fill(legend, &one.labels), one)));
    }
    let defaults = &drawn.panel["fieldConfig"]["defaults"];
    let count = i32::try_from(series.len()).expect("a few");

    for (at, (query, name, series)) in (0..).zip(&series) {
        let tile = Place { x: place.x + at * place.w / count, w: place.w / count - 3, ..place };
        let last = series.points.last().map_or(0.0, |(_, value)| *value);
        let mapped = mapped(&defaults["mappings"], last);
        let lit = if let Some(colour) = mapped["color"].as_str() {
            format::colour(colour)
        } else if let Some(fixed) = property(drawn.panel, *query, name, "color") {
            format::colour(fixed["fixedColor"].as_str().unwrap_or_default())
        } else if defaults["color"]["mode"] == "thresholds" {
            format::threshold(&defaults["thresholds"], last)
        } else {
            format::colour(defaults["color"]["fixedColor"].as_str().unwrap_or_default())
        };
        let solid = drawn.panel["options"]["colorMode"] == "background_solid";
        let ink = if solid { format::readable_on(lit) } else { lit };
        if solid {
            canvas.fill(tile, lit);
        }
        let text = if drawn.panel["options"]["textMode"] == "name" {
            name.clone()
        } else if let Some(text) = mapped["text"].as_str() {
            text.to_owned()
        } else {
            let own = property(drawn.panel, *query, name, "unit").and_then(Value::as_str);
            let digits = property(drawn.panel, *query, name, "decimals").and_then(Value::as_u64);
            let digits = digits.map(|digits| digits as usize).or_else(|| decimals(defaults));
            format::value(last, own.unwrap_or_else(|| unit(defaults)), digits)
        };
        let size = (tile.h / 2).min(44);
        let size =
            (10..=size).rev().find(|size| canvas.width(&text, *size) <= tile.w - 10).unwrap_or(10);
        canvas.text(&text, tile.x + tile.w / 2, tile.y + tile.h * 9 / 20, size, ink, At::Middle);
        if count > 1 || drawn.panel["options"]["textMode"] == "value_and_name" {
            canvas.text(
                &canvas.short(name, tile.w, 13),
                tile.x + tile.w / 2,
                tile.y + 8,
                13,
                ink,
                At::Middle,
            );
        }
    }
}

/// What an override says of a number, which is chosen by its query or by its name.
fn property<'a>(panel: &'a Value, query: usize, name: &str, id: &str) -> Option<&'a Value> {
    let query = &panel["targets"][query]["refId"];
    let overrides = panel["fieldConfig"]["overrides"].as_array().into_iter().flatten();
    let chosen = overrides.filter(|one| {
        let matcher = &one["matcher"];
        match matcher["id"].as_str() {
            Some("byFrameRefID") => matcher["options"] == *query,
            _ => matcher["options"] == name,
        }
    });
    let properties = chosen.flat_map(|one| one["properties"].as_array().into_iter().flatten());
    properties.filter(|one| one["id"] == id).map(|one| &one["value"]).next_back()
}

/// The text and colour for a value, `Null` if it is shown as a number.
fn mapped(mappings: &Value, value: f64) -> &Value {
    let all = mappings.as_array().into_iter().flatten();
    let found = all
        .filter(|mapping| mapping["type"] == "value")
        .filter_map(|mapping| mapping["options"].get(format!("{value}")));
    found.into_iter().next().unwrap_or(&Value::Null)
}

fn table(canvas: &Canvas<'_>, place: Place, drawn: &Drawn<'_>) {
    let organize = &drawn.panel["transformations"][1]["options"];
    let mut columns: Vec<(u64, &str, &str)> = organize["indexByName"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(source, at)| {
            let title = organize["renameByName"][source].as_str().unwrap_or(source);
            (at.as_u64().unwrap_or(0), source.as_str(), title)
        })
        .collect();
    columns.sort_unstable();
    let labels: Vec<_> =
        columns.iter().filter(|(_, source, _)| !source.starts_with("Value")).collect();
    let mut rows: BTreeMap<Vec<String>, BTreeMap<String, f64>> = BTreeMap::new();
    let targets = drawn.panel["targets"].as_array().into_iter().flatten();

    for (target, answer) in targets.zip(&drawn.answers) {
        for series in answer {
            let column = match drawn.answers.len() {
                1 => "Value".to_owned(),
                _ => format!("Value #{}", target["refId"].as_str().unwrap_or_default()),
            };
            let points =
                if target["range"] == true { &series.points[..] } else { &series.points[..1] };
            for (time, value) in points {
                let known = labels.iter().map(|(_, label, _)| match *label {
                    "Time" => format::clock(*time),
                    label => series.labels.get(label).cloned().unwrap_or_default(),
                });
                rows.entry(known.collect()).or_default().insert(column.clone(), *value);
            }
        }
    }

    let overrides = drawn.panel["fieldConfig"]["overrides"].as_array().cloned().unwrap_or_default();
    let defaults = &drawn.panel["fieldConfig"]["defaults"];
    let high = if drawn.panel["options"]["cellHeight"] == "md" { 42 } else { 36 };
    let width = place.w / i32::try_from(columns.len()).expect("a few");

    for (at, (_, source, title)) in (0..).zip(&columns) {
        let numbers = source.starts_with("Value");
        let (x, side) = if numbers {
            (place.x + (at + 1) * width - 10, At::Right)
        } else {
            (place.x + at * width + 4, At::Left)
        };
        canvas.text(
            &canvas.short(title, width - 8, 14),
            x,
            place.y + 12,
            14,
            format::colour("#6E9FFF"),
            side,
        );
        let changes = overrides.iter().filter(|change| change["matcher"]["options"] == *title);
        let properties: Vec<_> = changes
            .flat_map(|change| change["properties"].as_array().cloned().unwrap_or_default())
            .collect();
        let property = |id: &str| {
            properties
                .iter()
                .find(|property| property["id"] == id)
                .map(|property| &property["value"])
        };
        for (row, (key, values)) in (0..).zip(&rows) {
            let y = place.y + 26 + row * high;
            if y + high > place.y + place.h {
                break;
            }
            let cell = Place { x: place.x + at * width, y, w: width - 2, h: high - 2 };
            if !numbers {
                let position =
                    labels.iter().position(|(_, label, _)| label == source).expect("a label");
                canvas.text(
                    &canvas.short(&key[position], width - 8, 15),
                    cell.x + 4,
                    y + high / 2,
                    15,
                    format::TEXT,
                    At::Left,
                );
                continue;
            }
            let value = values.get(*source);
            let mut ink = format::TEXT;
            if let (Some(value), Some(_), Some(steps)) =
                (value, property("custom.cellOptions"), property("thresholds"))
            {
                let lit = format::threshold(steps, *value);
                canvas.fill(cell, lit);
                ink = format::readable_on(lit);
            }
            let mapped = match (value, property("mappings")) {
                (Some(value), Some(mappings)) => mapped(mappings, *value),
                _ => &Value::Null,
            };
            if let Some(colour) = mapped["color"].as_str() {
                let lit = format::colour(colour);
                canvas.fill(cell, lit);
                ink = format::readable_on(lit);
            }
            let unit = property("unit").and_then(Value::as_str).unwrap_or("short");
            let text = mapped["text"].as_str().map(str::to_owned).unwrap_or_else(|| {
                value.map_or("–".to_owned(), |value| {
                    format::value(*value, unit, decimals(defaults))
                })
            });
            canvas.text(&text, cell.x + cell.w - 8, y + high / 2, 15, ink, At::Right);
        }
    }

    let shown = (place.h - 26) / high;
    if i32::try_from(rows.len()).expect("a few") > shown {
        let more = format!("{} rows, {shown} shown", rows.len());
        canvas.text(&more, place.x + place.w, place.y - 14, 13, format::DIM, At::Right);
    }
}

fn heatmap(canvas: &Canvas<'_>, place: Place, drawn: &Drawn<'_>) {
    let bound = |series: &Series| {
        series.labels.get("le").and_then(|le| le.parse::<f64>().ok()).unwrap_or(f64::INFINITY)
    };
    let mut buckets: Vec<_> = drawn.answers[0].iter().collect();
    buckets.sort_by(|a, b| bound(a).total_cmp(&bound(b)));
    let area = place.inner(64, 2, 6, 24);
    let count = i32::try_from(buckets.len()).expect("a few");
    let mut before: BTreeMap<u64, f64> = BTreeMap::new();
    let mut cells = Vec::new();

    for (at, series) in (0..).zip(&buckets) {
        for (moment, value) in &series.points {
            let below = before.insert(moment.to_bits(), *value).unwrap_or(0.0);
            cells.push((*moment, at, value - below));
        }
        let label = format::value(bound(series), "s", None);
        let y = area.y + area.h - (2 * at + 1) * area.h / count / 2;
        let label = if bound(series).is_finite() { label } else { "+Inf".into() };
        if at % 2 == 0 || count < 10 {
            canvas.text(&label, area.x - 6, y, 12, format::DIM, At::Right);
        }
    }

    let most = cells.iter().map(|(_, _, value)| *value).fold(0.0, f64::max).max(1e-9);
    let frame = chart::Frame { area, span: drawn.span, low: 0.0, high: 1.0 };

    for (moment, at, value) in cells.into_iter().filter(|(_, _, value)| *value > 1e-9) {
        let left = frame.x(moment - drawn.span.step).max(area.x);
        let right = frame.x(moment);
        let (top, bottom) =
            (area.y + area.h - (at + 1) * area.h / count, area.y + area.h - at * area.h / count);
        let cell = Place { x: left, y: top, w: (right - left - 1).max(1), h: bottom - top - 1 };
        canvas.fill(cell, format::cividis((value / most).sqrt()));
    }

    frame.times(canvas);
}

fn bars(canvas: &Canvas<'_>, place: Place, drawn: &Drawn<'_>) {
    let series = named(drawn);
    let defaults = &drawn.panel["fieldConfig"]["defaults"];
    let last = |series: &Series| series.points.last().map_or(0.0, |(_, value)| *value);
    let most = series.iter().map(|(_, series)| last(series)).fold(0.0, f64::max).max(1e-9);
    let most = defaults["max"].as_f64().unwrap_or(most);
    let height = (place.h / i32::try_from(series.len()).expect("a few").max(1)).clamp(16, 32);
    let names = series
        .iter()
        .map(|(name, _)| canvas.width(name, 14))
        .max()
        .unwrap_or(0)
        .min(place.w * 2 / 5);

    let colour = format::colour(defaults["color"]["fixedColor"].as_str().unwrap_or_default());
    for (at, (name, series)) in (0..).zip(&series) {
        let y = place.y + at * height;
        if y + height > place.y + place.h + 2 {
            canvas.text(
                "… more below",
                place.x + place.w,
                place.y - 14,
                13,
                format::DIM,
                At::Right,
            );
            break;
        }
        canvas.text(
            &canvas.short(name, names, 14),
            place.x,
            y + height / 2,
            14,
            format::TEXT,
            At::Left,
        );
        let room = place.w - names - 90;
        let long = (last(series) / most * f64::from(room)).round() as i32;
        canvas.fill(
            Place { x: place.x + names + 8, y: y + 3, w: long.max(1), h: height - 6 },
            colour,
        );
        let text = format::value(last(series), unit(defaults), decimals(defaults));
        canvas.text(&text, place.x + place.w - 2, y + height / 2, 14, colour, At::Right);
    }
}

fn timeline(canvas: &Canvas<'_>, place: Place, drawn: &Drawn<'_>) {
    let series = named(drawn);
    let area = place.inner(150, 2, 6, 46);
    let count = i32::try_from(series.len()).expect("a few").max(1);
    let mapping = &drawn.panel["fieldConfig"]["defaults"]["mappings"][0]["options"];
    let frame = chart::Frame { area, span: drawn.span, low: 0.0, high: 1.0 };

    for (at, (name, series)) in (0..).zip(&series) {
        let top = area.y + at * area.h / count;
        let bottom = area.y + (at + 1) * area.h / count;
        canvas.text(
            &canvas.short(name, 140, 14),
            area.x - 8,
            (top + bottom) / 2,
            14,
            format::TEXT,
            At::Right,
        );
        for (moment, value) in &series.points {
            let shown =
                format::colour(mapping[format!("{value}")]["color"].as_str().unwrap_or("#FFFFFF"));
            let (left, right) =
                (frame.x(*moment), frame.x(moment + drawn.span.step).min(area.x + area.w));
            let bar = Place { x: left, y: top + 2, w: right - left, h: bottom - top - 4 };
            canvas.fill(bar, shown);
        }
    }

    frame.times(canvas);
    let mut shown: Vec<_> =
        mapping.as_object().into_iter().flatten().map(|(_, state)| state).collect();
    shown.sort_by_key(|state| state["index"].as_u64());
    let names = shown.iter().map(|state| {
        let name = state["text"].as_str().unwrap_or_default().to_owned();
        (name, format::colour(state["color"].as_str().unwrap_or_default()))
    });
    chart::legend(canvas, place.inner(0, place.h - 20, 0, 0), names.collect());
}

pub(super) fn unit(defaults: &Value) -> &str {
    defaults["unit"].as_str().unwrap_or("short")
}

pub(super) fn decimals(defaults: &Value) -> Option<usize> {
    defaults["decimals"].as_u64().map(|digits| usize::try_from(digits).expect("a few digits"))
}
