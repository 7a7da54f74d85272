//! Whether the colours of one panel can be distinguished, also by people with each kind of colour
//! blindness.

use std::collections::BTreeMap;

use dashboards::shipped;

use crate::lint::{colours, panels};

#[test]
fn colours_of_a_panel_can_be_distinguished() {
    let mut pairs = 0;
    for (name, board) in shipped() {
        for panel in panels(&board) {
            let colours: BTreeMap<_, _> = colours(&panel).into_iter().collect();
            for (a, first) in &colours {
                for (b, second) in colours.iter().filter(|(b, _)| *b > a) {
                    let (kind, distance) = nearest(first, second);
                    assert!(
                        distance > 14.0,
                        "{name}: {}: {a} and {b}: {distance:.1} for {kind}",
                        panel["title"]
                    );
                    pairs += 1;
                }
            }
        }
    }
    assert!(pairs > 100, "{pairs} pairs only");
}

#[test]
fn red_and_green_are_alike_to_some() {
    assert!(nearest("#00AA00", "#BB8800").1 < 14.0, "{:?}", nearest("#00AA00", "#BB8800"));
    assert!(nearest("#000000", "#FFFFFF").1 > 90.0);
}

/// The distance of two colours for the kind of colour blindness that distinguishes them least.
fn nearest(a: &str, b: &str) -> (&'static str, f64) {
    let distance = |matrix| {
        let (a, b) = (lab(perceived(a, matrix)), lab(perceived(b, matrix)));
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    };
    let all = KINDS.iter().map(|(kind, matrix)| (*kind, distance(matrix)));
    all.min_by(|a, b| a.1.total_cmp(&b.1)).expect("some kinds")
}

/// `#rrggbb` as linear light, as a person sees it.
fn perceived(colour: &str, matrix: &[[f64; 3]; 3]) -> [f64; 3] {
    let light = [1, 3, 5].map(|at| {
        let part =
            f64::from(u8::from_str_radix(&colour[at..at + 2], 16).expect("a colour")) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    matrix.map(|row| {
        row.iter().zip(light).map(|(factor, part)| factor * part).sum::<f64>().clamp(0.0, 1.0)
    })
}

/// CIE L*a*b*, in which equal distances look equally far.
fn lab([r, g, b]: [f64; 3]) -> [f64; 3] {
    let bend = |part: f64| if part > 0.008_856 { part.cbrt() } else { 7.787 * part + 16.0 / 116.0 };
    let x = bend((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
    let y = bend(0.2126 * r + 0.7152 * g + 0.0722 * b);
    let z = bend((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// Machado, Oliveira and Fernandes (2009), at full severity.
const KINDS: &[(&str, [[f64; 3]; 3])] = &[
    ("everybody", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ),
];
