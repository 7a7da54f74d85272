//! Which format and coding a client wants, from its `Accept` and `Accept-Encoding`; pure.
//!
//! The rules are RFC 9110's: of the ranges that match a format the most specific gives its weight,
//! and the heaviest format wins.  A client that leaves the choice to us gets the classic text, which
//! every scraper reads; so does a client that accepts no format of ours or sends an `Accept` that
//! cannot be parsed.

use crate::metrics::{Exposition, Format};

/// What to answer to an `Accept` header, its lines joined by commas; `None` if there was none.
pub fn exposition(accept: Option<&str>) -> Exposition {
    let ranges = accept.and_then(parse).unwrap_or_default();
    let wished = OFFERS
        .iter()
        .filter_map(|offer| Some((wish(&ranges, offer)?, offer)))
        .filter(|(wish, _)| wish.weight > 0);
    let best = wished.max_by_key(|(wish, offer)| {
        // A draw goes to the richer format only if the client asked for it by name: `*/*` is no
        // request for it.
        let by_name = wish.closeness >= Closeness::Type;
        (wish.weight, if by_name { offer.richness } else { -offer.richness })
    });
    best.map_or(Exposition::Text(Format::Text), |(_, offer)| offer.exposition)
}

/// Whether an `Accept-Encoding` header, its lines joined by commas, allows gzip.
pub fn gzip(accept_encoding: Option<&str>) -> bool {
    let codings = accept_encoding.and_then(parse).unwrap_or_default();
    let weight = |coding: &str| {
        codings.iter().find(|e| e.name.eq_ignore_ascii_case(coding)).map(|e| e.weight)
    };
    weight("gzip")
        .or_else(|| weight("x-gzip"))
        .or_else(|| weight("*"))
        .is_some_and(|weight| weight > 0)
}

/// A format as clients ask for it.
struct Offer {
    exposition: Exposition,
    kind: &'static str,
    subtype: &'static str,
    /// Parameters that another format under the same name would have otherwise.
    parameters: &'static [(&'static str, &'static str)],
    richness: i8,
}

const OFFERS: &[Offer] = &[
    // Prometheus 3 also asks for version 1.0.0 of `text/plain`, which has quoted names and is
    // another format.
    Offer {
        exposition: Exposition::Text(Format::Text),
        kind: "text",
        subtype: "plain",
        parameters: &[("version", "0.0.4")],
        richness: 0,
    },
    Offer {
        exposition: Exposition::Text(Format::OpenMetrics),
        kind: "application",
        subtype: "openmetrics-text",
        parameters: &[("version", "1.0.0")],
        richness: 1,
    },
    Offer {
        exposition: Exposition::Protobuf,
        kind: "application",
        subtype: "vnd.google.protobuf",
        parameters: &[("proto", "io.prometheus.client.MetricFamily"), ("encoding", "delimited")],
        richness: 2,
    },
];

/// How closely a range describes a format.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Closeness {
    Anything,
    Kind,
    Type,
    Parameters,
}

/// How much a client wants a format.
struct Wish {
    closeness: Closeness,
    weight: u16,
}

fn wish(ranges: &[Element<'_>], offer: &Offer) -> Option<Wish> {
    ranges
        .iter()
        .filter_map(|range| Some(Wish { closeness: range.matches(offer)?, weight: range.weight }))
        .max_by_key(|wish| (wish.closeness, wish.weight))
}

/// One element of a weighted list: a media range or a coding.
struct Element<'a> {
    name: &'a str,
    /// Without the weight.
    parameters: Vec<(&'a str, &'a str)>,
    /// In thousandths.
    weight: u16,
}

impl Element<'_> {
    fn matches(&self, offer: &Offer) -> Option<Closeness> {
        let (kind, subtype) = self.name.split_once('/')?;
        if (kind, subtype) == ("*", "*") {
            return Some(Closeness::Anything);
        }
        if !kind.eq_ignore_ascii_case(offer.kind) {
            return None;
        }

        if subtype == "*" {
            return Some(Closeness::Kind);
        }
        if !subtype.eq_ignore_ascii_case(offer.subtype) {
            return None;
        }

        // A parameter that we do not set, such as a charset, excludes nothing.
        let mut closeness = Closeness::Type;
        for &(name, wanted) in &self.parameters {
            let Some((_, ours)) =
                offer.parameters.iter().find(|(own, _)| name.eq_ignore_ascii_case(own))
            else {
                continue;
            };
            if wanted != *ours {
                return None;
            }
            closeness = Closeness::Parameters;
        }
        Some(closeness)
    }
}

/// The elements of a list, or `None` if any of them is malformed.  Empty elements and parameters
/// are legal.
fn parse(list: &str) -> Option<Vec<Element<'_>>> {
    list.split(',').map(str::trim).filter(|element| !element.is_empty()).map(element).collect()
}

fn element(text: &str) -> Option<Element<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let mut element = Element { name: parts.next()?, parameters: Vec::new(), weight: 1000 };
    if element.name.is_empty() || element.name.contains(char::is_whitespace) {
        return None;
    }
    for parameter in parts.filter(|part| !part.is_empty()) {
        let (name, value) = parameter.split_once('=')?;
        if name.eq_ignore_ascii_case("q") {
            element.weight = thousandths(value)?;
        } else {
            element.parameters.push((name, value.trim_matches('"')));
        }
    }
    Some(element)
}

/// A weight: 0 to 1 with at most three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: Exposition = Exposition::Text(Format::Text);
    const OPEN_METRICS: Exposition = Exposition::Text(Format::OpenMetrics);
    const PROTOBUF: Exposition = Exposition::Protobuf;

    /// What the clients sent, word for word.
    const CLIENTS: &[(&str, &str, Exposition)] = &[
        (
            "Prometheus 2.42",
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            OPEN_METRICS,
        ),
        (
            "Prometheus 2.42 with native histograms",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
             application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            PROTOBUF,
        ),
        (
            "Prometheus 3.5",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            OPEN_METRICS,
        ),
        (
            "Prometheus 3.5 with native histograms",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
             application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
             application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
             text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
            PROTOBUF,
        ),
        ("VictoriaMetrics 1.79", "text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT),
        ("curl", "*/*", TEXT),
        (
            "a browser",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
            TEXT,
        ),
    ];

    #[test]
    fn each_client_gets_the_best_it_reads() {
        for (client, accept, expected) in CLIENTS {
            assert_eq!(exposition(Some(accept)), *expected, "{client}");
        }
        assert_eq!(exposition(None), TEXT);
    }

    #[test]
    fn protobuf_is_for_who_asks_for_it() {
        for other in [
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
            "application/vnd.google.protobuf;proto=other.Message;encoding=delimited",
            "application/vnd.google.protobuf;q=0",
            "*/*",
        ] {
            assert_eq!(exposition(Some(other)), TEXT, "{other}");
        }
        assert_eq!(exposition(Some("application/*")), OPEN_METRICS);
        assert_eq!(exposition(Some("application/vnd.google.protobuf, application/*")), PROTOBUF);
        assert_eq!(exposition(None), TEXT);
    }

    #[test]
    fn weights_decide_between_the_formats() {
        let cases = [
            ("application/openmetrics-text;q=0.3, text/plain;q=0.4", TEXT),
            ("application/openmetrics-text;q=0.4, text/plain;q=0.3", OPEN_METRICS),
            ("application/openmetrics-text, text/plain", OPEN_METRICS),
            ("text/plain, */*", TEXT),
            ("application/openmetrics-text;q=0, */*", TEXT),
            ("application/openmetrics-text;q=0.001", OPEN_METRICS),
            ("application/*, text/plain;q=0.9", OPEN_METRICS),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\"; Q=1.000", OPEN_METRICS),
        ];
        for (accept, expected) in cases {
            assert_eq!(exposition(Some(accept)), expected, "{accept}");
        }
    }

    #[test]
    fn a_version_we_do_not_write_is_another_format() {
        assert_eq!(exposition(Some("application/openmetrics-text;version=0.0.1")), TEXT);
        assert_eq!(
            exposition(Some("application/openmetrics-text;version=2.0.0, text/plain;q=0.1")),
            TEXT
        );
        let other_text =
            "text/plain;version=1.0.0;escaping=allow-utf-8, application/openmetrics-text;q=0.1";
        assert_eq!(exposition(Some(other_text)), OPEN_METRICS);
    }

    #[test]
    fn a_malformed_accept_gets_the_classic_text() {
        for accept in [
            "application/openmetrics-text;q=2",
            "application/openmetrics-text;q=",
            "application/openmetrics-text;q=0.1234",
            "application/openmetrics-text;q=-1",
            "application/openmetrics-text;q=1.5",
            "application/openmetrics-text;version",
            "application/openmetrics-text, ;",
            "application openmetrics-text",
            "application",
            "",
            ",,;;==",
        ] {
            assert_eq!(exposition(Some(accept)), TEXT, "{accept}");
        }
    }

    #[test]
    fn gzip_is_used_where_its_weight_is_not_zero() {
        for yes in ["gzip", "deflate, gzip;q=0.5, br", "GZIP", "x-gzip", "*", "*;q=0, gzip"] {
            assert!(gzip(Some(yes)), "{yes}");
        }
        for no in
            ["", "identity", "gzip;q=0", "gzip;q=0.000, *", "deflate, br", "gzip;q=x", "*;q=0"]
        {
            assert!(!gzip(Some(no)), "{no}");
        }
        assert!(!gzip(None));
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[ -~]{0,80}") {
            let _ = (exposition(Some(&text)), gzip(Some(&text)));
        }
    }
}
