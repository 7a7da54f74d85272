//! Lines over time.

use plotters::style::RGBColor;
use serde_json::Value;

use super::canvas::{At, Canvas, Place};
use super::panels::{decimals, named, unit};
use super::{Drawn, format};
use crate::prometheus::{Series, Span};

/// Positions of moments and values.
pub(super) struct Frame {
    pub(super) area: Place,
    pub(super) span: Span,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Frame {
    pub(super) fn x(&self, moment: f64) -> i32 {
        let share = (moment - self.span.from) / (self.span.to - self.span.from);
        self.area.x + (share * f64::from(self.area.w)).round() as i32
    }

    fn y(&self, value: f64) -> i32 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.area.y + self.area.h - (share * f64::from(self.area.h)).round() as i32
    }

    /// The time axis.
    pub(super) fn times(&self, canvas: &Canvas<'_>) {
        let length = self.span.to - self.span.from;
        let most = f64::from(self.area.w / 90).max(2.0);
        let steps = [60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0];
        let step = steps.into_iter().find(|step| length / step <= most).unwrap_or(28_800.0);
        let mut at = (self.span.from / step).ceil() * step;

        while at <= self.span.to {
            let x = self.x(at);
            canvas.text(
                &format::clock(at),
                x,
                self.area.y + self.area.h + 11,
                12,
                format::DIM,
                At::Middle,
            );
            at += step;
        }
    }
}

/// One line of the picture.
struct Line {
    name: String,
    colour: RGBColor,
    stacked: bool,
    dashed: bool,
    series: Series,
}

pub(super) fn lines(canvas: &Canvas<'_>, place: Place, drawn: &Drawn<'_>) {
    let config = &drawn.panel["fieldConfig"];
    let (defaults, custom) = (&config["defaults"], &config["defaults"]["custom"]);
    let lines: Vec<_> =
        named(drawn).into_iter().map(|(name, series)| line(config, name, series)).collect();
    let right = drawn.panel["options"]["legend"]["placement"] == "right";
    let legend_rows = if right { 0 } else { rows(canvas, place.w, &lines) };
    let side = if right { place.w * 2 / 5 } else { 8 };
    let area = place.inner(62, 4, side, 22 + legend_rows * 18);
    let tops = stack(&lines);
    let most = lines.iter().zip(&tops).flat_map(|(line, tops)| {
        line.series
            .points
            .iter()
            .zip(tops)
            .map(|((_, value), top)| if line.stacked { *top } else { *value })
    });
    let most = most.fold(0.0, f64::max);
    let high = defaults["max"].as_f64().unwrap_or_else(|| nice(most));
    let frame = Frame { area, span: drawn.span, low: 0.0, high };
    let ticks = (0..).map(|tick| f64::from(tick) * nice_step(high));

    for value in ticks.take_while(|value| *value <= high * 1.001) {
        let y = frame.y(value);
        canvas.line(vec![(area.x, y), (area.x + area.w, y)], format::GRID, 1);
        let digits =
            decimals(defaults).or((unit(defaults) == "percentunit" && high <= 0.1).then_some(1));
        canvas.text(
            &format::value(value, unit(defaults), digits),
            area.x - 6,
            y,
            12,
            format::DIM,
            At::Right,
        );
    }

    frame.times(canvas);
    if custom["thresholdsStyle"]["mode"] == "dashed" {
        for step in defaults["thresholds"]["steps"].as_array().into_iter().flatten() {
            let bound = step["value"].as_f64().filter(|bound| *bound <= high);
            let colour = format::colour(step["color"].as_str().unwrap_or_default());
            if let Some(bound) = bound {
                dashes(
                    canvas,
                    &[(area.x, frame.y(bound)), (area.x + area.w, frame.y(bound))],
                    colour,
                );
            }
        }
    }

    let steps = custom["lineInterpolation"] == "stepAfter";
    let bars = custom["drawStyle"] == "bars";

    for (line, tops) in lines.iter().zip(&tops).rev() {
        for run in runs(line, tops, drawn.span.step) {
            one(canvas, &frame, line, &run, steps, bars);
        }
    }

    for (moment, colour) in drawn.marks {
        let x = frame.x(*moment);
        dashes(canvas, &[(x, area.y), (x, area.y + area.h)], format::colour(colour));
    }

    if right {
        beside(canvas, place.inner(place.w - side + 12, 0, 0, 0), &lines, defaults);
    } else {
        let names = lines.iter().map(|line| (line.name.clone(), line.colour)).collect();
        legend(canvas, place.inner(0, place.h - legend_rows * 18, 0, 0), names);
    }
}

/// Names with their colours, in as many rows as they need.
pub(super) fn legend(canvas: &Canvas<'_>, place: Place, names: Vec<(String, RGBColor)>) {
    let mut x = place.x;
    let mut y = place.y + 9;
    for (name, colour) in names {
        let width = canvas.width(&name, 13) + 30;
        if x > place.x && x + width > place.x + place.w {
            (x, y) = (place.x, y + 18);
        }
        canvas.fill(Place { x, y: y - 2, w: 12, h: 4 }, colour);
        canvas.text(&name, x + 16, y, 13, format::TEXT, At::Left);
        x += width;
    }
}

fn line(config: &Value, name: String, series: Series) -> Line {
    let changes = config["overrides"].as_array().into_iter().flatten();
    let own: Vec<_> = changes.filter(|change| change["matcher"]["options"] == *name).collect();
    let property = |id: &str| {
        let all =
            own.iter().flat_map(|change| change["properties"].as_array().into_iter().flatten());
        all.filter(|property| property["id"] == id).map(|property| &property["value"]).next_back()
    };
    let fixed = property("color")
        .or(Some(&config["defaults"]["color"]))
        .and_then(|colour| colour["fixedColor"].as_str());
    let stacking = property("custom.stacking").unwrap_or(&config["defaults"]["custom"]["stacking"]);
    Line {
        colour: fixed.map_or_else(|| format::by_name(&name), format::colour),
        stacked: stacking["mode"] == "normal",
        dashed: property("custom.lineStyle").is_some(),
        name,
        series,
    }
}

/// The upper edge of each point of each line.
fn stack(lines: &[Line]) -> Vec<Vec<f64>> {
    let mut sums = std::collections::BTreeMap::<u64, f64>::new();
    let mut tops = Vec::new();

    for line in lines {
        let points = line.series.points.iter().map(|(moment, value)| {
            if !line.stacked {
                return *value;
            }
            let sum = sums.entry(moment.to_bits()).or_default();
            *sum += value;
            *sum
        });
        tops.push(points.collect());
    }

    tops
}

/// A point: moment, lower edge, upper edge.
type Point = (f64, f64, f64);

/// The pieces of a line between gaps.
fn runs(line: &Line, tops: &[f64], step: f64) -> Vec<Vec<Point>> {
    let mut runs: Vec<Vec<Point>> = Vec::new();
    let mut before = f64::MIN;

    for ((moment, value), top) in line.series.points.iter().zip(tops) {
        if moment - before > 1.5 * step {
            runs.push(Vec::new());
        }
        runs.last_mut().expect("a run").push((
            *moment,
            if line.stacked { top - value } else { 0.0 },
            *top,
        ));
        before = *moment;
    }

    runs
}

fn one(canvas: &Canvas<'_>, frame: &Frame, line: &Line, run: &[Point], steps: bool, bars: bool) {
    let bottom = frame.area.y + frame.area.h;
    if bars {
        for (moment, _, top) in run.iter().filter(|(_, low, top)| top > low) {
            let x = frame.x(*moment);
            let y = frame.y(*top);
            canvas.fill(Place { x: x - 2, y, w: 4, h: bottom - y }, line.colour);
        }
        return;
    }

    let edge = |pick: fn(&Point) -> f64| {
        let mut points: Vec<(i32, i32)> = Vec::new();
        for point in run {
            let at = (frame.x(point.0), frame.y(pick(point)));
            if let (true, Some(last)) = (steps, points.last()) {
                points.push((at.0, last.1));
            }
            points.push(at);
        }
        points
    };
    let upper = edge(|point| point.2);

    if line.stacked && run.iter().any(|(_, low, top)| top > low) {
        let lower = edge(|point| point.1);
        let around: Vec<_> = upper.iter().copied().chain(lower.into_iter().rev()).collect();
        canvas.polygon(around, line.colour);
    } else if line.dashed {
        dashes(canvas, &upper, line.colour);
    } else if !line.stacked {
        if let [(x, y)] = upper[..] {
            canvas.fill(Place { x: x - 2, y: y - 2, w: 4, h: 4 }, line.colour);
        }
        canvas.line(upper, line.colour, 2);
    }
}

/// A dashed line.
fn dashes(canvas: &Canvas<'_>, points: &[(i32, i32)], colour: RGBColor) {
    let mut walked = 0.0;
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = f64::from(x1 - x0).hypot(f64::from(y1 - y0));
        let mut at = 0.0;
        while at < length {
            let next = (at + 4.0_f64).min(length);
            let point = |at: f64| {
                let share = at / length;
                let between = |a: i32, b: i32| a + (f64::from(b - a) * share).round() as i32;
                (between(x0, x1), between(y0, y1))
            };
            if ((walked + at) / 8.0) as i64 % 2 == 0 {
                canvas.line(vec![point(at), point(next)], colour, 2);
            }
            at = next;
        }
        walked += length;
    }
}

/// How many rows a legend below takes.
fn rows(canvas: &Canvas<'_>, width: i32, lines: &[Line]) -> i32 {
    let mut rows = 1;
    let mut x = 0;
    for line in lines {
        let wide = canvas.width(&line.name, 13) + 30;
        if x > 0 && x + wide > width {
            (rows, x) = (rows + 1, 0);
        }
        x += wide;
    }
    rows
}

/// The legend as a table: name, last value, highest value.
fn beside(canvas: &Canvas<'_>, place: Place, lines: &[Line], defaults: &Value) {
    let last_at = place.x + place.w - 74;
    let most_at = place.x + place.w - 2;
    canvas.text("last", last_at, place.y + 8, 12, format::DIM, At::Right);
    canvas.text("max", most_at, place.y + 8, 12, format::DIM, At::Right);

    for (at, line) in (1..).zip(lines) {
        let y = place.y + 8 + at * 18;
        if y + 9 > place.y + place.h {
            canvas.text("… more below", place.x, y - 12, 11, format::DIM, At::Left);
            break;
        }
        canvas.fill(Place { x: place.x, y: y - 2, w: 12, h: 4 }, line.colour);
        let name = canvas.short(&line.name, place.w - 160, 13);
        canvas.text(&name, place.x + 16, y, 13, format::TEXT, At::Left);
        let values = line.series.points.iter().map(|(_, value)| *value);
        let text = |value: f64| format::value(value, unit(defaults), decimals(defaults));
        canvas.text(
            &text(values.clone().next_back().unwrap_or(0.0)),
            last_at,
            y,
            13,
            format::TEXT,
            At::Right,
        );
        canvas.text(
            &text(values.fold(f64::MIN, f64::max)),
            most_at,
            y,
            13,
            format::TEXT,
            At::Right,
        );
    }
}

/// The next multiple of a round step.
fn nice(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let step = nice_step(most);
    (most / step).ceil() * step
}

/// A round number of which a few make up the whole.
fn nice_step(whole: f64) -> f64 {
    let size = 10_f64.powf((whole / 5.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * size)
        .find(|step| whole / step <= 5.001)
        .unwrap_or(size)
}
