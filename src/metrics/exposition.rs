//! The formats of a scrape.

/// How a scrape is answered.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Exposition {
    /// A text.
    Text(Format),
    /// `MetricFamily` messages, each after its length: the only format with native histograms.
    Protobuf,
}

impl Exposition {
    /// The `Content-Type` of a reply; Prometheus 3 refuses one it does not know.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text(Format::OpenMetrics) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
            Self::Text(Format::Text) => "text/plain; version=0.0.4; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }
}

/// How a text is written.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The classic text format 0.0.4.
    #[default]
    Text,
}
