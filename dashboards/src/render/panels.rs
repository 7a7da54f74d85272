//! One panel of each kind, with the texts and colours that Grafana's code gave.

use serde_json::Value;

use super::canvas::{At, Canvas, Place};
use super::{Drawn, chart, format};

pub(super) fn draw(canvas: &Canvas<'_>, place: Place, drawn: &Drawn<'_>) {
    canvas.fill(place, format::PANEL);
    let title = canvas.short(text(&drawn.panel["title"]), place.w - 16, 15);
    canvas.text(&title, place.x + 8, place.y + 14, 15, format::TEXT, At::Left);

    let inner = place.inner(8, 28, 8, 6);
    if all(&drawn.shown["numbers"]).is_empty() && all(&drawn.shown["rows"]).is_empty() {
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

fn stat(canvas: &Canvas<'_>, place: Place, drawn: &Drawn<'_>) {
    let numbers = all(&drawn.shown["numbers"]);
    let options = &drawn.panel["options"];
    let count = whole(numbers.len());
    let named = count > 1 || options["textMode"] == "value_and_name";

    for (at, number) in (0..).zip(numbers) {
        let tile = Place { x: place.x + at * place.w / count, w: place.w / count - 3, ..place };
        let (name, value) = (text(&number[0]), text(&number[1]));
        let lit = format::colour(text(&number[2])).unwrap_or(format::TEXT);
        let solid = options["colorMode"] == "background_solid";
        let ink = if solid { format::readable_on(lit) } else { lit };
        if solid {
            canvas.fill(tile, lit);
        }

        let value = if options["textMode"] == "name" { name } else { value };
        let size = (tile.h / 2).min(44);
        let fits = |size: &i32| canvas.width(value, *size) <= tile.w - 10;
        let size = (10..=size).rev().find(fits).unwrap_or(10);
        canvas.text(value, tile.x + tile.w / 2, tile.y + tile.h * 9 / 20, size, ink, At::Middle);
        if named {
            let name = canvas.short(name, tile.w, 13);
            canvas.text(&name, tile.x + tile.w / 2, tile.y + 8, 13, ink, At::Middle);
        }
    }
}

fn table(canvas: &Canvas<'_>, place: Place, drawn: &Drawn<'_>) {
    let columns = all(&drawn.shown["columns"]);
    let rows = all(&drawn.shown["rows"]);
    let high = if drawn.panel["options"]["cellHeight"] == "md" { 42 } else { 36 };
    let width = place.w / whole(columns.len());
    let shown = (place.h - 26) / high;

    for (at, title) in columns.iter().enumerate() {
        let left = place.x + whole(at) * width;
        let numeric = drawn.shown["numeric"][at] == true;
        let (x, side) = if numeric { (left + width - 10, At::Right) } else { (left + 4, At::Left) };
        let title = canvas.short(text(title), width - 8, 14);
        canvas.text(&title, x, place.y + 12, 14, format::HEAD, side);

        for (row, cells) in (0..shown).zip(rows) {
            let y = place.y + 26 + row * high;
            let lit = cells[at][1].as_str().and_then(format::colour);
            if let Some(lit) = lit {
                canvas.fill(Place { x: left, y, w: width - 2, h: high - 2 }, lit);
            }
            let ink = lit.map_or(format::TEXT, format::readable_on);
            let cell = canvas.short(text(&cells[at][0]), width - 8, 15);
            canvas.text(&cell, x, y + high / 2, 15, ink, side);
        }
    }

    if whole(rows.len()) > shown {
        let more = format!("{} rows, {shown} shown", rows.len());
        canvas.text(&more, place.x + place.w, place.y - 14, 13, format::DIM, At::Right);
    }
}

fn heatmap(canvas: &Canvas<'_>, place: Place, drawn: &Drawn<'_>) {
    let labels = all(&drawn.shown["labels"]);
    let area = place.inner(64, 2, 6, 24);
    let count = whole(labels.len()).max(1);

    for (at, label) in (0..).zip(labels) {
        let y = area.y + area.h - (2 * at + 1) * area.h / count / 2;
        if at % 2 == 0 || count < 10 {
            canvas.text(text(label), area.x - 6, y, 12, format::DIM, At::Right);
        }
    }

    let frame = chart::Frame { area, span: drawn.span, high: 1.0 };
    for cell in all(&drawn.shown["cells"]) {
        let (moment, row) = (number(&cell[0]), number(&cell[1]) as i32);
        let left = frame.x(moment - drawn.span.step).max(area.x);
        let right = frame.x(moment);
        let (top, bottom) =
            (area.y + area.h - (row + 1) * area.h / count, area.y + area.h - row * area.h / count);
        let place = Place { x: left, y: top, w: (right - left - 1).max(1), h: bottom - top - 1 };
        canvas.fill(place, format::colour(text(&cell[2])).unwrap_or(format::PANEL));
    }

    frame.times(canvas);
}

fn bars(canvas: &Canvas<'_>, place: Place, drawn: &Drawn<'_>) {
    let numbers = all(&drawn.shown["numbers"]);
    let height = (place.h / whole(numbers.len())).clamp(16, 32);
    let names = numbers.iter().map(|number| canvas.width(text(&number[0]), 14));
    let names = names.max().unwrap_or(0).min(place.w * 2 / 5);

    for (at, bar) in numbers.iter().enumerate() {
        let y = place.y + whole(at) * height;
        if y + height > place.y + place.h + 2 {
            let right = place.x + place.w;
            canvas.text("… more below", right, place.y - 14, 13, format::DIM, At::Right);
            break;
        }
        let name = canvas.short(text(&bar[0]), names, 14);
        canvas.text(&name, place.x, y + height / 2, 14, format::TEXT, At::Left);

        let room = f64::from(place.w - names - 90);
        let long = (number(&drawn.shown["shares"][at]) * room).round() as i32;
        let colour = format::colour(text(&bar[2])).unwrap_or(format::TEXT);
        let bar_place = Place { x: place.x + names + 8, y: y + 3, w: long.max(1), h: height - 6 };
        canvas.fill(bar_place, colour);
        canvas.text(text(&bar[1]), place.x + place.w - 2, y + height / 2, 14, colour, At::Right);
    }
}

fn timeline(canvas: &Canvas<'_>, place: Place, drawn: &Drawn<'_>) {
    let rows = all(&drawn.shown["rows"]);
    let area = place.inner(150, 2, 6, 46);
    let count = whole(rows.len());
    let frame = chart::Frame { area, span: drawn.span, high: 1.0 };

    for (at, row) in (0..).zip(rows) {
        let top = area.y + at * area.h / count;
        let bottom = area.y + (at + 1) * area.h / count;
        let name = canvas.short(text(&row["name"]), 140, 14);
        canvas.text(&name, area.x - 8, (top + bottom) / 2, 14, format::TEXT, At::Right);
        for point in all(&row["points"]) {
            let Some(colour) = format::colour(text(&point[1])) else { continue };
            let moment = number(&point[0]);
            let left = frame.x(moment);
            let right = frame.x(moment + drawn.span.step).min(area.x + area.w);
            let bar = Place { x: left, y: top + 2, w: right - left, h: bottom - top - 4 };
            canvas.fill(bar, colour);
        }
    }

    frame.times(canvas);
    let names = all(&drawn.shown["legend"]).iter().map(|state| {
        (text(&state[0]).to_owned(), format::colour(text(&state[1])).unwrap_or(format::TEXT))
    });
    chart::legend(canvas, place.inner(0, place.h - 20, 0, 0), names.collect());
}

pub(super) fn all(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

fn whole(count: usize) -> i32 {
    i32::try_from(count).expect("a few")
}
