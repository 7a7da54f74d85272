//! Lines over time.

use plotters::style::RGBColor;
use serde_json::Value;

use super::canvas::{At, Canvas, Place};
use super::panels::{all, number, text};
use super::{Drawn, format};
use crate::prometheus::Span;

/// Positions of moments and values.
pub(super) struct Frame {
    pub(super) area: Place,
    pub(super) span: Span,
    /// The value at the upper edge; that at the lower one is 0.
    pub(super) high: f64,
}

impl Frame {
    pub(super) fn x(&self, moment: f64) -> i32 {
        let share = (moment - self.span.from) / (self.span.to - self.span.from);
        self.area.x + (share * f64::from(self.area.w)).round() as i32
    }

    fn y(&self, value: f64) -> i32 {
        let share = (value / self.high).clamp(0.0, 1.0);
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
    bars: bool,
    steps: bool,
    points: Vec<(f64, f64)>,
    /// The last and the highest value in the legend, if it has them.
    calcs: Vec<String>,
}

pub(super) fn lines(canvas: &Canvas<'_>, place: Place, drawn: &Drawn<'_>) {
    let shown = drawn.shown;
    let lines: Vec<_> = all(&shown["lines"]).iter().map(Line::new).collect();
    let right = drawn.panel["options"]["legend"]["placement"] == "right";
    let legend_rows = if right { 0 } else { rows(canvas, place.w, &lines) };
    let side = if right { place.w * 2 / 5 } else { 8 };
    let area = place.inner(62, 4, side, 22 + legend_rows * 18);
    let frame = Frame { area, span: drawn.span, high: number(&shown["high"]) };

    for tick in all(&shown["ticks"]) {
        let y = frame.y(number(&tick[0]));
        canvas.line(vec![(area.x, y), (area.x + area.w, y)], format::GRID, 1);
        canvas.text(text(&tick[1]), area.x - 6, y, 12, format::DIM, At::Right);
    }

    frame.times(canvas);
    for threshold in all(&shown["thresholds"]) {
        let bound = number(&threshold[0]);
        let colour = format::colour(text(&threshold[1]));
        if let (Some(colour), true) = (colour, bound <= frame.high) {
            let y = frame.y(bound);
            dashes(canvas, &[(area.x, y), (area.x + area.w, y)], colour);
        }
    }

    for (line, tops) in lines.iter().zip(&stack(&lines)).rev() {
        for run in runs(line, tops, drawn.span.step) {
            one(canvas, &frame, line, &run);
        }
    }

    for (moment, colour) in drawn.marks {
        let x = frame.x(*moment);
        if let Some(colour) = format::colour(colour) {
            dashes(canvas, &[(x, area.y), (x, area.y + area.h)], colour);
        }
    }

    if right {
        beside(canvas, place.inner(place.w - side + 12, 0, 0, 0), &lines);
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

impl Line {
    fn new(shown: &Value) -> Self {
        let points = all(&shown["points"]).iter();
        Self {
            name: text(&shown["name"]).to_owned(),
            colour: format::colour(text(&shown["colour"])).unwrap_or(format::TEXT),
            stacked: shown["stacked"] == true,
            dashed: shown["dashed"] == true,
            bars: shown["bars"] == true,
            steps: shown["steps"] == true,
            points: points.map(|point| (number(&point[0]), number(&point[1]))).collect(),
            calcs: all(&shown["calcs"]).iter().map(|calc| text(calc).to_owned()).collect(),
        }
    }
}

/// The upper edge of each point of each line.
fn stack(lines: &[Line]) -> Vec<Vec<f64>> {
    let mut sums = std::collections::BTreeMap::<u64, f64>::new();
    let mut tops = Vec::new();

    for line in lines {
        let points = line.points.iter().map(|(moment, value)| {
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

    for ((moment, value), top) in line.points.iter().zip(tops) {
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

fn one(canvas: &Canvas<'_>, frame: &Frame, line: &Line, run: &[Point]) {
    let bottom = frame.area.y + frame.area.h;
    if line.bars {
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
            if let (true, Some(last)) = (line.steps, points.last()) {
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
fn beside(canvas: &Canvas<'_>, place: Place, lines: &[Line]) {
    let right = place.x + place.w;
    let columns = [("last", right - 74), ("max", right - 2)];
    for (title, x) in columns {
        canvas.text(title, x, place.y + 8, 12, format::DIM, At::Right);
    }

    for (at, line) in (1..).zip(lines) {
        let y = place.y + 8 + at * 18;
        if y + 9 > place.y + place.h {
            canvas.text("… more below", place.x, y - 12, 11, format::DIM, At::Left);
            break;
        }
        canvas.fill(Place { x: place.x, y: y - 2, w: 12, h: 4 }, line.colour);
        let name = canvas.short(&line.name, place.w - 160, 13);
        canvas.text(&name, place.x + 16, y, 13, format::TEXT, At::Left);
        for ((_, x), calc) in columns.iter().zip(&line.calcs) {
            canvas.text(calc, *x, y, 13, format::TEXT, At::Right);
        }
    }
}
