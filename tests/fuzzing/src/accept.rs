//! Accept headers: a format that was not asked for is never sent, and the order of ranges is of no
//! meaning.

use asterisk_exporter::http::negotiate;
use asterisk_exporter::metrics::{Exposition, Format};

/// The input is the header's value.
pub(crate) fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let answer = negotiate::exposition(Some(&text));
    let lower = text.to_ascii_lowercase();
    let asked = match answer {
        Exposition::Text(Format::Text) => None,
        Exposition::Text(Format::OpenMetrics) => Some("application/openmetrics-text"),
        Exposition::Protobuf => Some("application/vnd.google.protobuf"),
    };
    if let Some(asked) = asked {
        // Others may be what is left where the text was refused.
        let ranges = [asked, "application/*", "*/*"];
        assert!(ranges.iter().any(|range| lower.contains(range)), "{answer:?} for {text:?}");
    }

    let mut ranges: Vec<_> = text.split(',').collect();
    ranges.reverse();
    let turned = negotiate::exposition(Some(&ranges.join(" , ")));
    assert_eq!(answer, turned, "the order of {text:?}");

    if negotiate::gzip(Some(&text)) {
        assert!(lower.contains("gzip") || lower.contains('*'), "gzip for {text:?}");
    }
}
