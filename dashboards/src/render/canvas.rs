//! A picture in memory: rectangles, lines and text, written as PNG.

use std::collections::HashMap;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};

/// A place in the picture: left, top, width, height.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) w: i32,
    pub(super) h: i32,
}

impl Place {
    /// The same without these many pixels at each side.
    pub(super) fn inner(self, left: i32, top: i32, right: i32, bottom: i32) -> Self {
        Self {
            x: self.x + left,
            y: self.y + top,
            w: self.w - left - right,
            h: self.h - top - bottom,
        }
    }
}

pub(super) struct Canvas<'a> {
    area: DrawingArea<BitMapBackend<'a>, Shift>,
}

/// Which end of a text is at the point.
#[derive(Clone, Copy)]
pub(super) enum At {
    Left,
    Middle,
    Right,
}

impl Canvas<'_> {
    pub(super) fn fill(&self, place: Place, colour: RGBColor) {
        let style = colour.filled();
        let corner = (place.x + place.w, place.y + place.h);
        self.area
            .draw(&Rectangle::new([(place.x, place.y), corner], style))
            .expect("memory takes all");
    }

    pub(super) fn line(&self, points: Vec<(i32, i32)>, colour: RGBColor, width: u32) {
        self.area
            .draw(&PathElement::new(points, colour.stroke_width(width)))
            .expect("memory takes all");
    }

    /// A polygon, a little transparent.
    pub(super) fn polygon(&self, points: Vec<(i32, i32)>, colour: RGBColor) {
        self.area.draw(&Polygon::new(points, colour.mix(0.75).filled())).expect("memory takes all");
    }

    pub(super) fn text(&self, text: &str, x: i32, y: i32, size: i32, colour: RGBColor, at: At) {
        let hpos = match at {
            At::Left => HPos::Left,
            At::Middle => HPos::Center,
            At::Right => HPos::Right,
        };
        let style =
            ("sans-serif", size).into_font().color(&colour).pos(Pos::new(hpos, VPos::Center));
        self.area.draw(&Text::new(text.to_owned(), (x, y), style)).expect("memory takes all");
    }

    /// The text, cut so that it is not wider.
    pub(super) fn short(&self, text: &str, width: i32, size: i32) -> String {
        let mut text = text.to_owned();
        if self.width(&text, size) <= width {
            return text;
        }
        while !text.is_empty() && self.width(&format!("{text}…"), size) > width {
            text.pop();
        }
        text + "…"
    }

    pub(super) fn width(&self, text: &str, size: i32) -> i32 {
        let (width, _) = ("sans-serif", size).into_font().box_size(text).expect("a font");
        i32::try_from(width).expect("no text is so long")
    }
}

/// Draws and writes a picture.
pub(super) fn picture(file: &Path, width: u32, height: u32, draw: impl FnOnce(&Canvas<'_>)) {
    register_font("sans-serif", FontStyle::Normal, font()).ok().expect("a font that can be read");
    let mut pixels = vec![0; (width * height * 3) as usize];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        draw(&Canvas { area });
    }

    let out = std::fs::File::create(file).expect("a picture");
    let mut encoder = png::Encoder::new(std::io::BufWriter::new(out), width, height);
    let (palette, indices) = indexed(&pixels);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&indices))
        .expect("a picture is written");
}

/// The 256 most frequent colours, and for each pixel the nearest of them: a third of the bytes, and
/// nobody sees it.
fn indexed(pixels: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut counts: HashMap<[u8; 3], usize> = HashMap::new();
    let colours = || pixels.chunks_exact(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]);
    for colour in colours() {
        *counts.entry(colour).or_default() += 1;
    }
    let mut frequent: Vec<_> = counts.keys().copied().collect();
    frequent.sort_by_key(|colour| (std::cmp::Reverse(counts[colour]), *colour));
    frequent.truncate(256);
    let distance = |a: &[u8; 3], b: &[u8; 3]| {
        a.iter().zip(b).map(|(a, b)| i32::from(a.abs_diff(*b)).pow(2)).sum::<i32>()
    };
    let nearest = |colour: &[u8; 3]| {
        (0..=255_u8).zip(&frequent).min_by_key(|(_, known)| distance(colour, known))
    };
    let index: HashMap<_, _> =
        counts.keys().map(|colour| (*colour, nearest(colour).map_or(0, |(at, _)| at))).collect();
    (frequent.concat(), colours().map(|colour| index[&colour]).collect())
}

/// A font of this machine; `FONT` names another.
fn font() -> &'static [u8] {
    let chosen = std::env::var("FONT").ok();
    let known = [
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
        "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
        "/usr/share/fonts/TTF/DejaVuSans.ttf",
    ];
    let mut places = chosen.iter().map(String::as_str).chain(known);
    let bytes = places.find_map(|place| std::fs::read(place).ok());
    Box::leak(
        bytes
            .expect("a font: install fonts-dejavu-core, or name a file in FONT")
            .into_boxed_slice(),
    )
}
