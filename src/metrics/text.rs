//! The text formats: OpenMetrics 1.0, and the classic 0.0.4, which some scrapers and `promtool`
//! read alone.
//!
//! Both differ in few lines.  The classic format puts HELP and TYPE of a counter on the name with
//! `_total`, and has neither units, exemplars nor an end.  Numbers are written as prometheus-client
//! writes them, so `le="1.0"` is spelled alike in all exporters that use it.

use super::catalogue::{Entry, Kind};
use super::exposition::Format;
use super::labels::{LabelSet, escape};
use super::part::Chosen;
use super::snapshot::{Exemplar, HistogramValue, Samples, Series, Value, Values};
use crate::clock::Moment;

/// How a text is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) format: Format,
    /// Whether OpenMetrics has the start time of each series, as one more sample.
    pub(super) created_lines: bool,
}

/// A part of the families as text.
pub(super) fn write(families: &[Samples], part: &Chosen, style: Style) -> String {
    let Style { format, created_lines } = style;
    let created_lines = created_lines && format == Format::OpenMetrics;
    // A page of one PBX among many is small.
    let room = if matches!(part, Chosen::All) { families.iter().map(size).sum() } else { 0 };
    let text = String::with_capacity(room);
    let mut page = Page { text, bounds: Vec::new(), last: "", format, created_lines };
    match format {
        Format::Text => families.iter().for_each(|family| page.family(family, part)),
        Format::OpenMetrics => {
            // Prometheus 3.5 to 3.14 with type-and-unit labels give a family without a unit that of
            // the family before it, so those come first.
            for with_unit in [false, true] {
                let all = families.iter().filter(|family| family.entry.unit.is_some() == with_unit);
                all.for_each(|family| page.family(family, part));
            }
            page.text.push_str("# EOF\n");
        }
    }
    page.text
}

/// About how many bytes a family is: a page of many megabytes is allocated once.
fn size(family: &Samples) -> usize {
    let entry = family.entry;
    let lines = match &family.values {
        Values::Whole(_) | Values::Real(_) => 1,
        Values::Histograms(histograms) => histograms.bounds.len() + 2,
    };
    let frame = entry.name.len() + FRAME;
    2 * (entry.name.len() + entry.help.len())
        + lines * (family.labels.bytes() + family.labels.len() * frame)
}

struct Page {
    text: String,
    /// The label `le` of each bucket of the family.
    bounds: Vec<String>,
    /// The family that was written last: parts of one come one after the other.
    last: &'static str,
    format: Format,
    created_lines: bool,
}

impl Page {
    /// A family without series is left out, as it is by prometheus-client.
    fn family(&mut self, family: &Samples, part: &Chosen) {
        let mut all = family.series(part).peekable();
        if all.peek().is_none() {
            return;
        }

        if self.last != family.entry.name {
            head(&mut self.text, family.entry, self.format);
            self.last = family.entry.name;
        }
        if let Values::Histograms(histograms) = &family.values {
            self.bounds = histograms.bounds.iter().copied().map(bound).collect();
        }
        let name = family.entry.name;
        for Series { labels: LabelSet(labels), start, value } in all {
            match value {
                Value::Whole(value) => {
                    self.name(name, "", labels);
                    self.whole(value);
                }
                Value::Real(value) => {
                    self.name(name, "", labels);
                    self.real(value);
                }
                Value::Histogram(histogram) => self.histogram(name, labels, histogram),
            }

            // Behind the last line of its series: Prometheus looks ahead for it.
            if let (true, Some(start)) = (self.created_lines, start) {
                self.name(family.entry.family(), "_created", labels);
                self.line(&[&timestamp(start)]);
            }
        }
    }

    fn histogram(&mut self, name: &str, labels: &str, histogram: HistogramValue<'_>) {
        self.name(name, "_sum", labels);
        self.real(histogram.sum);
        self.name(name, "_count", labels);
        self.whole(histogram.count());

        let comma = if labels.is_empty() { "" } else { "," };
        for (at, bucket) in histogram.buckets().enumerate() {
            let bound = &self.bounds[at];
            for part in [name, "_bucket{", bound, comma, labels, "} "] {
                self.text.push_str(part);
            }
            self.text.push_str(itoa::Buffer::new().format(bucket.count));
            if let (Format::OpenMetrics, Some(exemplar)) = (self.format, bucket.exemplar) {
                self.exemplar(exemplar);
            }
            self.text.push('\n');
        }
    }

    /// Without a time of its own an exemplar gets that of each scrape which shows it.
    fn exemplar(&mut self, exemplar: &Exemplar) {
        self.push(&[" # {", Exemplar::LABEL, "=\""]);
        escape(&mut self.text, &exemplar.linkedid);
        self.push(&["\"} ", dtoa::Buffer::new().format(exemplar.value)]);
        if let Some(at) = exemplar.at {
            self.push(&[" ", &timestamp(at)]);
        }
    }

    /// The name and the labels of a sample.
    fn name(&mut self, name: &str, suffix: &str, labels: &str) {
        self.push(&[name, suffix]);
        if !labels.is_empty() {
            self.push(&["{", labels, "}"]);
        }
        self.text.push(' ');
    }

    fn whole(&mut self, value: u64) {
        self.line(&[itoa::Buffer::new().format(value)]);
    }

    fn real(&mut self, value: f64) {
        self.line(&[dtoa::Buffer::new().format(value)]);
    }

    fn line(&mut self, parts: &[&str]) {
        self.push(parts);
        self.text.push('\n');
    }

    fn push(&mut self, parts: &[&str]) {
        for part in parts {
            self.text.push_str(part);
        }
    }
}

/// What stands above the samples of a family.
pub(super) fn head(text: &mut String, entry: &Entry, format: Format) {
    let (name, kind) = match format {
        Format::OpenMetrics => (entry.family(), entry.kind),
        // The classic format has no infos.
        Format::Text if entry.kind == Kind::Info => (entry.name, Kind::Gauge),
        Format::Text => (entry.name, entry.kind),
    };
    let mut line = |parts: [&str; 5]| parts.iter().for_each(|part| text.push_str(part));
    line(["# HELP ", name, " ", entry.help, ".\n"]);
    line(["# TYPE ", name, " ", kind.word(), "\n"]);
    if let (Format::OpenMetrics, Some(unit)) = (format, entry.unit) {
        line(["# UNIT ", name, " ", unit.word(), "\n"]);
    }
}

/// The label of a bucket.
pub(super) fn bound(bound: f64) -> String {
    let mut buffer = dtoa::Buffer::new();
    let number = if bound == f64::INFINITY { "+Inf" } else { buffer.format(bound) };
    format!("le=\"{number}\"")
}

/// Seconds since the epoch, of which a float would lose the last digits.
fn timestamp(moment: Moment) -> String {
    let micros = moment.as_micros();
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    format!("{seconds}.{rest:06}")
}

/// What a line has besides its name and labels: suffix, `le`, and most values.
const FRAME: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Part;
    use crate::metrics::snapshot::tests::{family, histogram};
    use crate::pbx::PbxName;

    const CALLS: &str = "asterisk_exporter_connects_total";

    const fn plain(format: Format) -> Style {
        Style { format, created_lines: false }
    }

    fn both(families: &[Samples]) -> [String; 2] {
        [Format::OpenMetrics, Format::Text]
            .map(|format| write(families, &Chosen::All, plain(format)))
    }

    #[test]
    fn help_and_type_of_a_counter_are_on_the_name_with_total_in_the_classic_format() {
        let counter = family(CALLS, &[("pbx", "hq")], 3);
        let [open_metrics, classic] = both(&[counter]);
        let sample = "asterisk_exporter_connects_total{pbx=\"hq\"} 3\n";
        assert!(open_metrics.starts_with("# HELP asterisk_exporter_connects "), "{open_metrics}");
        assert!(
            open_metrics
                .ends_with(&format!("# TYPE asterisk_exporter_connects counter\n{sample}# EOF\n")),
            "{open_metrics}"
        );
        assert!(classic.starts_with("# HELP asterisk_exporter_connects_total "), "{classic}");
        assert!(
            classic
                .ends_with(&format!("# TYPE asterisk_exporter_connects_total counter\n{sample}")),
            "{classic}"
        );
    }

    #[test]
    fn units_are_in_open_metrics_only_and_bounds_are_spelled_alike() {
        let [open_metrics, classic] = both(&[histogram(&[1.0], &[(1.5, &[1, 1], None)])]);
        assert!(open_metrics.contains("\n# UNIT asterisk_queue_hold_seconds seconds\n"));
        assert!(!classic.contains("# UNIT"));
        let samples = "asterisk_queue_hold_seconds_sum 1.5\n\
                       asterisk_queue_hold_seconds_count 2\n\
                       asterisk_queue_hold_seconds_bucket{le=\"1.0\"} 1\n\
                       asterisk_queue_hold_seconds_bucket{le=\"+Inf\"} 2\n";
        assert!(classic.ends_with(samples), "{classic}");
        assert!(open_metrics.ends_with(&format!("{samples}# EOF\n")), "{open_metrics}");
    }

    #[test]
    fn an_info_is_a_gauge_in_the_classic_format() {
        let info = family("asterisk_exporter_build_info", &[("version", "1")], 1);
        let [open_metrics, classic] = both(&[info]);
        assert!(open_metrics.contains("# TYPE asterisk_exporter_build info\n"), "{open_metrics}");
        assert!(
            classic.ends_with(
                "# TYPE asterisk_exporter_build_info gauge\n\
                 asterisk_exporter_build_info{version=\"1\"} 1\n"
            ),
            "{classic}"
        );
    }

    #[test]
    fn a_page_takes_no_room_for_the_series_of_other_pbxs() {
        let families: Vec<_> = (0..100).map(|_| family(CALLS, &[("pbx", "hq")], 3)).collect();
        let page = write(&families, &of("branch"), plain(Format::Text));
        assert_eq!((page.as_str(), page.capacity()), ("", 0));
    }

    #[test]
    fn each_series_is_of_its_pbx_or_of_the_exporter() {
        let page = |part| {
            let families = [
                family(CALLS, &[("pbx", "hq")], 3),
                family(CALLS, &[("pbx", "branch")], 4),
                family("process_open_fds", &[], 5),
            ];
            write(&families, &part, plain(Format::Text))
        };
        let samples = |part| -> Vec<_> {
            page(part).lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
        };
        let (hq, branch) = (
            "asterisk_exporter_connects_total{pbx=\"hq\"} 3",
            "asterisk_exporter_connects_total{pbx=\"branch\"} 4",
        );
        assert_eq!(samples(of("hq")), [hq]);
        assert_eq!(samples(Chosen::Exporter), ["process_open_fds 5"]);
        assert_eq!(samples(Chosen::All), [hq, branch, "process_open_fds 5"]);
        assert_eq!(page(of("nowhere")), "", "a family without series has no HELP either");
    }

    fn of(pbx: &str) -> Chosen {
        Chosen::from(&Part::Pbx(PbxName::new(pbx)))
    }
}
