//! Numbers as Grafana writes them, near enough, and colours.

use plotters::style::RGBColor;
use serde_json::Value;

pub(super) const BACK: RGBColor = RGBColor(17, 18, 23);
pub(super) const PANEL: RGBColor = RGBColor(24, 27, 31);
pub(super) const GRID: RGBColor = RGBColor(46, 49, 55);
pub(super) const TEXT: RGBColor = RGBColor(215, 216, 226);
pub(super) const DIM: RGBColor = RGBColor(150, 152, 162);

/// A value with its unit.
pub(super) fn value(number: f64, unit: &str, decimals: Option<usize>) -> String {
    let digits = |number: f64| {
        decimals.unwrap_or(if number.abs() >= 100.0 || number == number.trunc() { 0 } else { 2 })
    };
    let scaled = |number: f64, word: &str| format!("{number:.*}{word}", digits(number));

    match unit {
        "s" if number.abs() >= 5400.0 => format!("{:.1} h", number / 3600.0),
        "s" if number.abs() >= 90.0 => format!("{:.1} min", number / 60.0),
        "s" if number != 0.0 && number.abs() < 0.1 => format!("{:.0} ms", number * 1000.0),
        "s" => scaled(number, " s"),
        "dtdhms" if number >= 86_400.0 => {
            format!("{} d {}", (number / 86_400.0) as u64, value(number % 86_400.0, "dthms", None))
        }
        "dthms" | "dtdhms" => {
            let seconds = number.max(0.0) as u64;
            format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
        }
        "percentunit" => {
            format!(
                "{:.*}%",
                decimals.unwrap_or(usize::from(number != 0.0 && number < 0.1)),
                number * 100.0
            )
        }
        "bool_yes_no" => if number == 0.0 { "No" } else { "Yes" }.to_owned(),
        "bytes" => format!("{:.1} MiB", number / f64::from(1 << 20)),
        "cps" => scaled(number, " c/s"),
        "cpm" => scaled(number, " c/m"),
        _ if number.abs() >= 10_000.0 => format!("{:.1} K", number / 1000.0),
        _ => scaled(number, ""),
    }
}

/// Hours and minutes of a moment, UTC.
pub(super) fn clock(moment: f64) -> String {
    let minutes = (moment / 60.0).floor() as i64;
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

/// `#rrggbb`, or one of the names that the dashboards use.
pub(super) fn colour(name: &str) -> RGBColor {
    let Some(digits) = name.strip_prefix('#') else { return TEXT };
    let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("a colour");
    RGBColor(part(0), part(2), part(4))
}

/// Black or white, whichever can be read on it.
pub(super) fn readable_on(colour: RGBColor) -> RGBColor {
    let light = 299 * u32::from(colour.0) + 587 * u32::from(colour.1) + 114 * u32::from(colour.2);
    if light > 128_000 { RGBColor(10, 10, 10) } else { RGBColor(255, 255, 255) }
}

/// A colour that depends on nothing but the name, as Grafana's palette by name does it.
pub(super) fn by_name(name: &str) -> RGBColor {
    let hash =
        name.bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    colour(CLASSIC[hash as usize % CLASSIC.len()])
}

/// The colour of the last threshold that is not above the value.
pub(super) fn threshold(of: &Value, number: f64) -> RGBColor {
    let mut steps = of["steps"].as_array().into_iter().flatten();
    let reached = steps.rfind(|step| step["value"].as_f64().is_none_or(|bound| number >= bound));
    reached.and_then(|step| step["color"].as_str()).map_or(TEXT, colour)
}

/// From dark blue to yellow.
pub(super) fn cividis(share: f64) -> RGBColor {
    let at = share.clamp(0.0, 1.0) * (CIVIDIS.len() - 1) as f64;
    let low = at.floor() as usize;
    let high = at.ceil() as usize;
    let mix =
        |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * at.fract()).round() as u8;
    let a = CIVIDIS[low];
    let b = CIVIDIS[high];
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

const CIVIDIS: &[RGBColor] = &[
    RGBColor(0, 34, 78),
    RGBColor(53, 69, 108),
    RGBColor(102, 105, 112),
    RGBColor(148, 142, 119),
    RGBColor(200, 184, 102),
    RGBColor(254, 232, 56),
];
const CLASSIC: &[&str] = &[
    "#7EB26D", "#EAB839", "#6ED0E0", "#EF843C", "#E24D42", "#1F78C1", "#BA43A9", "#705DA0",
    "#508642", "#CCA300", "#447EBC", "#C15C17", "#890F02", "#0A437C", "#6D1F62", "#584477",
];
