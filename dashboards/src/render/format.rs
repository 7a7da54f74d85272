//! Colours, and times of the axis.

use plotters::style::RGBColor;

pub(super) const BACK: RGBColor = RGBColor(17, 18, 23);
pub(super) const PANEL: RGBColor = RGBColor(24, 27, 31);
pub(super) const GRID: RGBColor = RGBColor(46, 49, 55);
pub(super) const TEXT: RGBColor = RGBColor(215, 216, 226);
pub(super) const DIM: RGBColor = RGBColor(150, 152, 162);
/// Titles of columns.
pub(super) const HEAD: RGBColor = RGBColor(110, 159, 255);

/// Hours and minutes of a moment, UTC.
pub(super) fn clock(moment: f64) -> String {
    let minutes = (moment / 60.0).floor() as i64;
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

/// A colour as Grafana's code gives it: `#rrggbb`, `#rrggbbaa`, `rgb(r, g, b)`; `None` if it cannot
/// be seen.
pub(super) fn colour(text: &str) -> Option<RGBColor> {
    let parts: Vec<u8> = if let Some(digits) = text.strip_prefix('#') {
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        (0..digits.len() / 2).filter_map(|at| part(2 * at)).collect()
    } else {
        let numbers = text.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')'));
        let numbers = numbers.into_iter().flat_map(|numbers| numbers.split(','));
        numbers.filter_map(|number| number.trim().parse().ok()).collect()
    };
    match parts[..] {
        [_, _, _, 0] => None,
        [red, green, blue, ..] => Some(RGBColor(red, green, blue)),
        _ => panic!("the colour {text}"),
    }
}

/// Black or white, whichever can be read on it.
pub(super) fn readable_on(colour: RGBColor) -> RGBColor {
    let light = 299 * u32::from(colour.0) + 587 * u32::from(colour.1) + 114 * u32::from(colour.2);
    if light > 128_000 { RGBColor(10, 10, 10) } else { RGBColor(255, 255, 255) }
}
