//! The protobuf format, the only one with native histograms, made from our OpenMetrics text and the
//! sparse buckets.
//!
//! A scrape is a row of `io.prometheus.client.MetricFamily`, each after its length.  The encoder's
//! own protobuf would compile 22 crates more to write these few messages.

use super::sparse::Sparse;

/// Turns what the OpenMetrics encoder wrote into the protobuf format; `sparse` are the buckets of
/// its histograms.
pub(super) fn delimited(open_metrics: &str, sparse: Vec<Option<Sparse>>) -> Vec<u8> {
    let mut page = Page {
        bytes: Vec::with_capacity(open_metrics.len() / 2),
        family: None,
        sparse: sparse.into_iter(),
    };
    // HELP comes before TYPE, which tells under which name it stands.
    let mut help = "";
    for line in open_metrics.split_terminator('\n') {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').map_or("", |(_, text)| text);
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            page.begin(name, kind, std::mem::take(&mut help));
        } else if let Some(sample) = Sample::read(line) {
            page.put(&sample);
        }
    }
    page.end();
    page.bytes
}

/// What was written so far, and the family that is being written.
struct Page {
    bytes: Vec<u8>,
    family: Option<Family>,
    sparse: std::vec::IntoIter<Option<Sparse>>,
}

struct Family {
    name: String,
    kind: Kind,
    message: Message,
    /// The histogram whose lines are being read.
    open: Message,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    /// Its number as a type of families.
    const fn number(self) -> u64 {
        match self {
            Self::Counter => 0,
            Self::Gauge => 1,
            Self::Histogram => 4,
        }
    }
}

impl Page {
    fn begin(&mut self, name: &str, kind: &str, help: &str) {
        self.end();
        let (suffix, kind) = match kind {
            "counter" => ("_total", Kind::Counter),
            "info" => ("_info", Kind::Gauge),
            "histogram" => ("", Kind::Histogram),
            _ => ("", Kind::Gauge),
        };
        let mut message = Message::default();
        message.text(family::NAME, &format!("{name}{suffix}"));
        message.text(family::HELP, help);
        message.uint(family::TYPE, kind.number());
        self.family =
            Some(Family { name: name.to_owned(), kind, message, open: Message::default() });
    }

    fn end(&mut self) {
        let Some(family) = self.family.take() else { return };
        varint(&mut self.bytes, family.message.0.len() as u64);
        self.bytes.extend(family.message.0);
    }

    fn put(&mut self, sample: &Sample<'_>) {
        let Some(family) = &mut self.family else { return };
        match (family.kind, sample.name.strip_prefix(family.name.as_str())) {
            (Kind::Counter, _) => family.single(sample, metric::COUNTER),
            (Kind::Gauge, _) => family.single(sample, metric::GAUGE),
            (Kind::Histogram, Some("_sum")) => family.open.double(histogram::SUM, sample.value),
            (Kind::Histogram, Some("_count")) => {
                family.open.uint(histogram::COUNT, sample.value as u64);
            }
            (Kind::Histogram, Some("_bucket")) if family.bucket(sample) => {
                // The last bucket ends the histogram.
                if let Some(sparse) = self.sparse.next().flatten() {
                    family.open.sparse(&sparse);
                }
                let histogram = std::mem::take(&mut family.open);
                family.metric(sample, metric::HISTOGRAM, &histogram);
            }
            (Kind::Histogram, _) => {}
        }
    }
}

impl Family {
    /// A metric of one value, which counters and gauges both have in their field 1.
    fn single(&mut self, sample: &Sample<'_>, field: u32) {
        let mut value = Message::default();
        value.double(VALUE, sample.value);
        self.metric(sample, field, &value);
    }

    fn metric(&mut self, sample: &Sample<'_>, field: u32, value: &Message) {
        let mut metric = Message::default();
        for (name, value) in sample.labels.iter().filter(|(name, _)| *name != "le") {
            let mut label = Message::default();
            label.text(label::NAME, name);
            label.text(label::VALUE, value);
            metric.nested(metric::LABEL, &label);
        }
        metric.nested(field, value);
        self.message.nested(family::METRIC, &metric);
    }

    /// One classic bucket; tells whether it is the last.
    fn bucket(&mut self, sample: &Sample<'_>) -> bool {
        let bound = sample
            .labels
            .iter()
            .find(|(name, _)| *name == "le")
            .and_then(|(_, bound)| bound.parse().ok());
        let bound: f64 = bound.unwrap_or(f64::INFINITY);
        let mut bucket = Message::default();
        bucket.uint(bucket::COUNT, sample.value as u64);
        bucket.double(bucket::BOUND, bound);
        self.open.nested(histogram::BUCKET, &bucket);
        bound == f64::INFINITY
    }
}

/// A line of samples, without its exemplar.
struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, String)>,
    value: f64,
}

impl<'a> Sample<'a> {
    /// `None` for what is no sample.
    fn read(line: &'a str) -> Option<Self> {
        if line.starts_with('#') {
            return None;
        }
        let (name, mut rest) = line.split_at(line.find(['{', ' '])?);
        let mut labels = Vec::new();
        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside;
            while !rest.starts_with('}') {
                let (label, tail) = rest.split_once("=\"")?;
                let (value, tail) = unescaped(tail)?;
                labels.push((label.trim_start_matches(','), value));
                rest = tail;
            }
            rest = &rest[1..];
        }
        let value = rest.trim_start().split(' ').next()?.parse().ok()?;
        Some(Self { name, labels, value })
    }
}

/// A label's value and what follows its closing quote.
fn unescaped(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    loop {
        match letters.next()? {
            (at, '"') => return Some((value, &text[at + 1..])),
            (_, '\\') => value.push(match letters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            (_, letter) => value.push(letter),
        }
    }
}

/// The bytes of one message.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn uint(&mut self, field: u32, value: u64) {
        varint(&mut self.0, u64::from(field) << 3);
        varint(&mut self.0, value);
    }

    /// A `sint`: small numbers of either sign are short.
    fn sint(&mut self, field: u32, value: i64) {
        self.uint(field, ((value << 1) ^ (value >> 63)) as u64);
    }

    fn double(&mut self, field: u32, value: f64) {
        varint(&mut self.0, u64::from(field) << 3 | 1);
        self.0.extend(value.to_le_bytes());
    }

    fn text(&mut self, field: u32, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn nested(&mut self, field: u32, message: &Self) {
        self.bytes(field, &message.0);
    }

    fn bytes(&mut self, field: u32, bytes: &[u8]) {
        varint(&mut self.0, u64::from(field) << 3 | 2);
        varint(&mut self.0, bytes.len() as u64);
        self.0.extend(bytes);
    }

    /// The native part of a histogram.  The width of the zero bucket tells that there is one, even
    /// if it is empty.
    fn sparse(&mut self, sparse: &Sparse) {
        self.sint(histogram::SCHEMA, i64::from(Sparse::SCHEMA));
        self.double(histogram::ZERO_THRESHOLD, Sparse::ZERO);
        self.uint(histogram::ZERO_COUNT, sparse.zero());
        let mut before = 0;
        for run in sparse.runs() {
            let mut span = Self::default();
            span.sint(span::OFFSET, i64::from(run.gap));
            span.uint(span::LENGTH, run.counts.len() as u64);
            self.nested(histogram::POSITIVE_SPAN, &span);
            for count in run.counts {
                self.sint(histogram::POSITIVE_DELTA, count as i64 - before);
                before = count as i64;
            }
        }
    }
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Of counters and gauges.
const VALUE: u32 = 1;

/// The numbers of fields, from metrics.proto of github.com/prometheus/client_model.
mod family {
    pub(super) const NAME: u32 = 1;
    pub(super) const HELP: u32 = 2;
    pub(super) const TYPE: u32 = 3;
    pub(super) const METRIC: u32 = 4;
}

mod metric {
    pub(super) const LABEL: u32 = 1;
    pub(super) const GAUGE: u32 = 2;
    pub(super) const COUNTER: u32 = 3;
    pub(super) const HISTOGRAM: u32 = 7;
}

mod label {
    pub(super) const NAME: u32 = 1;
    pub(super) const VALUE: u32 = 2;
}

mod histogram {
    pub(super) const COUNT: u32 = 1;
    pub(super) const SUM: u32 = 2;
    pub(super) const BUCKET: u32 = 3;
    pub(super) const SCHEMA: u32 = 5;
    pub(super) const ZERO_THRESHOLD: u32 = 6;
    pub(super) const ZERO_COUNT: u32 = 7;
    pub(super) const POSITIVE_SPAN: u32 = 12;
    pub(super) const POSITIVE_DELTA: u32 = 13;
}

mod bucket {
    pub(super) const COUNT: u32 = 1;
    pub(super) const BOUND: u32 = 2;
}

mod span {
    pub(super) const OFFSET: u32 = 1;
    pub(super) const LENGTH: u32 = 2;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message's fields, by number, each as its bytes; numbers in little-endian.
    fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let tag = take_varint(&mut bytes);
            let value = match tag & 7 {
                0 => take_varint(&mut bytes).to_le_bytes().to_vec(),
                1 => take(&mut bytes, 8),
                2 => {
                    let length = take_varint(&mut bytes);
                    take(&mut bytes, length as usize)
                }
                other => panic!("wire type {other}"),
            };
            fields.push((tag >> 3, value));
        }
        fields
    }

    fn take(bytes: &mut &[u8], length: usize) -> Vec<u8> {
        let (taken, rest) = bytes.split_at(length);
        *bytes = rest;
        taken.to_vec()
    }

    fn take_varint(bytes: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = take(bytes, 1)[0];
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }

    fn families(mut page: &[u8]) -> Vec<Vec<(u64, Vec<u8>)>> {
        let mut families = Vec::new();
        while !page.is_empty() {
            let length = take_varint(&mut page) as usize;
            families.push(fields(&take(&mut page, length)));
        }
        families
    }

    #[test]
    fn a_counter_has_its_full_name_and_labels_as_they_were() {
        let text = "# HELP calls Calls.\n# TYPE calls counter\ncalls_total{q=\"a\\\"b\\\\c\\nd,}\",r=\"\"} 3 # {x=\"1\"} 2.0\n\
                    # EOF\n";
        let page = delimited(text, Vec::new());
        let [family] = &families(&page)[..] else { panic!("not one family") };
        assert_eq!(family[0], (1, b"calls_total".to_vec()));
        assert_eq!(family[1], (2, b"Calls.".to_vec()));
        assert_eq!(family[2], (3, 0u64.to_le_bytes().to_vec()));
        let metric = fields(&family[3].1);
        assert_eq!(fields(&metric[0].1), [(1, b"q".to_vec()), (2, b"a\"b\\c\nd,}".to_vec())]);
        assert_eq!(fields(&metric[1].1), [(1, b"r".to_vec()), (2, Vec::new())]);
        assert_eq!(metric[2], (3, [&[9][..], &3f64.to_le_bytes()].concat()));
    }

    #[test]
    fn an_info_is_a_gauge() {
        let page = delimited("# HELP b B.\n# TYPE b info\nb_info{v=\"1\"} 1\n# EOF\n", Vec::new());
        let [family] = &families(&page)[..] else { panic!("not one family") };
        assert_eq!(family[0], (1, b"b_info".to_vec()));
        assert_eq!(family[2], (3, 1u64.to_le_bytes().to_vec()));
        assert_eq!(fields(&family[3].1)[1].0, 2);
    }

    #[test]
    fn a_histogram_has_both_kinds_of_buckets() {
        let text = "# HELP h H.\n# TYPE h histogram\nh_sum{q=\"a\"} 5.0\nh_count{q=\"a\"} 3\n\
                    h_bucket{le=\"1.0\",q=\"a\"} 1\nh_bucket{le=\"+Inf\",q=\"a\"} 3\n# EOF\n";
        let mut sparse = Sparse::default();
        for seconds in [0.0, 2.0, 2.0, 3.0] {
            sparse.observe(seconds);
        }
        let page = delimited(text, vec![Some(sparse)]);
        let [family] = &families(&page)[..] else { panic!("not one family") };
        let metric = fields(&family[3].1);
        assert_eq!(
            fields(&metric[0].1),
            [(1, b"q".to_vec()), (2, b"a".to_vec())],
            "le is no label here"
        );
        assert_eq!(metric[1].0, 7);
        let histogram = fields(&metric[1].1);
        let of = |number: u64| -> Vec<_> {
            histogram
                .iter()
                .filter(|(field, _)| *field == number)
                .map(|(_, value)| value.clone())
                .collect()
        };
        let number = |value: u64| value.to_le_bytes().to_vec();
        assert_eq!(of(1), [number(3)]);
        assert_eq!(of(2), [5f64.to_le_bytes().to_vec()]);
        let bucket =
            |count: u64, bound: f64| vec![(1, number(count)), (2, bound.to_le_bytes().to_vec())];
        assert_eq!(
            of(3).iter().map(|bucket| fields(bucket)).collect::<Vec<_>>(),
            [bucket(1, 1.0), bucket(3, f64::INFINITY)]
        );
        assert_eq!(
            (of(5), of(7)),
            (vec![number(6)], vec![number(1)]),
            "schema 3 in zigzag, one zero"
        );
        // 2 s is bucket 8, 3 s bucket 13: two spans, at 8 and four further on, of one bucket each.
        let span = |offset: u64| vec![(1, number(offset)), (2, number(1))];
        assert_eq!(of(12).iter().map(|span| fields(span)).collect::<Vec<_>>(), [span(16), span(8)]);
        assert_eq!(of(13), [number(4), number(1)], "2, then one less, in zigzag");
    }

    #[test]
    fn text_that_is_cut_short_is_no_reason_to_panic() {
        for text in [
            "",
            "# TYPE",
            "# TYPE x",
            "x{",
            "x{a=\"",
            "x{a=\"\\",
            "x{a",
            "x{}",
            "x",
            "# TYPE x counter\nx{é\n",
        ] {
            delimited(text, Vec::new());
        }
    }
}
