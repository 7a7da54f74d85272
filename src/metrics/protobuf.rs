//! The protobuf format, the only one with native histograms.
//!
//! A scrape is a row of `io.prometheus.client.MetricFamily`, each after its length.
//! prometheus-client's own protobuf would compile 22 crates more to write these few messages.

use super::catalogue::Kind;
use super::native::NativeBuckets;
use super::part::Chosen;
use super::snapshot::{Exemplar, HistogramValue, Samples, Series, Value};
use crate::clock::Moment;

/// A part of the families.
pub(super) fn write(families: &[Samples], part: &Chosen) -> Vec<u8> {
    let mut page = Message::default();
    for parts in families.chunk_by(|one, next| std::ptr::eq(one.entry, next.entry)) {
        // A family without series is left out.
        if parts.iter().any(|samples| samples.series(part).next().is_some()) {
            page.sized(|family| family.family(parts, part));
        }
    }
    page.0
}

/// The bytes of one message.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    /// A `MetricFamily`.
    fn family(&mut self, parts: &[Samples], part: &Chosen) {
        let entry = parts[0].entry;
        let (kind, field) = match entry.kind {
            Kind::Counter => (kind::COUNTER, metric::COUNTER),
            // An info is a gauge here.
            Kind::Gauge | Kind::Info => (kind::GAUGE, metric::GAUGE),
            Kind::Histogram => (kind::HISTOGRAM, metric::HISTOGRAM),
        };
        self.text(family::NAME, entry.name);
        self.text(family::HELP, &format!("{}.", entry.help));
        self.uint(family::TYPE, kind);

        for series in parts.iter().flat_map(|samples| samples.series(part)) {
            self.nested(family::METRIC, |metric| {
                for (name, text) in series.labels.iter() {
                    metric.label(metric::LABEL, name, &text);
                }
                metric.nested(field, |value| value.value_of(series));
            });
        }
        if let Some(unit) = entry.unit {
            self.text(family::UNIT, unit.word());
        }
    }

    /// The value of a series, and since when it is counted.
    fn value_of(&mut self, series: Series<'_>) {
        let created = match series.value {
            Value::Whole(value) => {
                self.double(VALUE, value as f64);
                counter::CREATED
            }
            Value::Real(value) => {
                self.double(VALUE, value);
                counter::CREATED
            }
            Value::Histogram(value) => {
                self.histogram(value);
                histogram::CREATED
            }
        };
        if let Some(start) = series.start {
            self.timestamp(created, start);
        }
    }

    fn histogram(&mut self, value: HistogramValue<'_>) {
        self.double(histogram::SUM, value.sum);
        self.uint(histogram::COUNT, value.count());
        for classic in value.buckets() {
            self.nested(histogram::BUCKET, |bucket| {
                bucket.uint(bucket::COUNT, classic.count);
                bucket.double(bucket::BOUND, classic.bound);
                if let Some(of) = classic.exemplar {
                    bucket.exemplar(bucket::EXEMPLAR, of);
                }
            });
        }

        if let Some(native) = value.native {
            self.native(native);
            // Those of a native histogram must have a time.
            let all = value.buckets().filter_map(|bucket| bucket.exemplar);
            for dated in all.filter(|exemplar| exemplar.at.is_some()) {
                self.exemplar(histogram::EXEMPLAR, dated);
            }
        }
    }

    /// The native part of a histogram.  By the width of the zero bucket Prometheus recognises it,
    /// even if it is empty.
    fn native(&mut self, native: &NativeBuckets) {
        self.sint(histogram::SCHEMA, i64::from(NativeBuckets::SCHEMA));
        self.double(histogram::ZERO_THRESHOLD, NativeBuckets::ZERO);
        self.uint(histogram::ZERO_COUNT, native.zero());
        let mut before = 0;
        for run in native.runs() {
            self.nested(histogram::POSITIVE_SPAN, |span| {
                span.sint(span::OFFSET, i64::from(run.gap));
                span.uint(span::LENGTH, run.counts.len() as u64);
            });
            for count in run.counts {
                self.sint(histogram::POSITIVE_DELTA, count as i64 - before);
                before = count as i64;
            }
        }
    }

    fn exemplar(&mut self, field: u32, of: &Exemplar) {
        self.nested(field, |message| {
            message.label(exemplar::LABEL, Exemplar::LABEL, &of.linkedid);
            message.double(exemplar::VALUE, of.value);
            if let Some(at) = of.at {
                message.timestamp(exemplar::TIMESTAMP, at);
            }
        });
    }

    /// A `LabelPair`.
    fn label(&mut self, field: u32, name: &str, value: &str) {
        self.nested(field, |pair| {
            pair.text(label::NAME, name);
            pair.text(label::VALUE, value);
        });
    }

    /// A `google.protobuf.Timestamp`.
    fn timestamp(&mut self, field: u32, moment: Moment) {
        let micros = moment.as_micros();
        self.nested(field, |message| {
            message.uint(timestamp::SECONDS, micros / 1_000_000);
            message.uint(timestamp::NANOS, micros % 1_000_000 * 1000);
        });
    }

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
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn text(&mut self, field: u32, text: &str) {
        varint(&mut self.0, u64::from(field) << 3 | 2);
        varint(&mut self.0, text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A message in this one.
    fn nested(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        varint(&mut self.0, u64::from(field) << 3 | 2);
        self.sized(write);
    }

    /// A message behind its length.  Most are shorter than 128 bytes, so that the length has one; a
    /// longer message moves, to make room for it.
    fn sized(&mut self, write: impl FnOnce(&mut Self)) {
        let at = self.0.len();
        self.0.push(0);
        write(self);

        let length = self.0.len() - at - 1;
        if length < 0x80 {
            self.0[at] = length as u8;
        } else {
            let mut size = Vec::new();
            varint(&mut size, length as u64);
            self.0.splice(at..=at, size);
        }
    }
}

#[inline]
fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Of counters and gauges.
const VALUE: u32 = 1;

/// The types of families.
mod kind {
    pub(super) const COUNTER: u64 = 0;
    pub(super) const GAUGE: u64 = 1;
    pub(super) const HISTOGRAM: u64 = 4;
}

/// The numbers of fields, from metrics.proto of github.com/prometheus/client_model.
mod family {
    pub(super) const NAME: u32 = 1;
    pub(super) const HELP: u32 = 2;
    pub(super) const TYPE: u32 = 3;
    pub(super) const METRIC: u32 = 4;
    pub(super) const UNIT: u32 = 5;
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

mod counter {
    pub(super) const CREATED: u32 = 3;
}

mod timestamp {
    pub(super) const SECONDS: u32 = 1;
    pub(super) const NANOS: u32 = 2;
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
    pub(super) const CREATED: u32 = 15;
    pub(super) const EXEMPLAR: u32 = 16;
}

mod bucket {
    pub(super) const COUNT: u32 = 1;
    pub(super) const BOUND: u32 = 2;
    pub(super) const EXEMPLAR: u32 = 3;
}

mod exemplar {
    pub(super) const LABEL: u32 = 1;
    pub(super) const VALUE: u32 = 2;
    pub(super) const TIMESTAMP: u32 = 3;
}

mod span {
    pub(super) const OFFSET: u32 = 1;
    pub(super) const LENGTH: u32 = 2;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::snapshot::Values;
    use crate::metrics::snapshot::tests::{family, histogram};

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
    fn a_counter_has_its_full_name_and_labels_as_they_are() {
        const LABELS: &[(&str, &str)] = &[("q", "a\"b\\c\nd,}"), ("r", "")];
        let page = write(&[family("asterisk_calls_total", LABELS, 3)], &Chosen::All);
        let [family] = &families(&page)[..] else { panic!("not one family") };
        assert_eq!(family[0], (1, b"asterisk_calls_total".to_vec()));
        assert!(family[1].1.ends_with(b"."), "help is a sentence");
        assert_eq!(family[2], (3, 0u64.to_le_bytes().to_vec()));
        let metric = fields(&family[3].1);
        assert_eq!(fields(&metric[0].1), [(1, b"q".to_vec()), (2, b"a\"b\\c\nd,}".to_vec())]);
        assert_eq!(fields(&metric[1].1), [(1, b"r".to_vec()), (2, Vec::new())]);
        assert_eq!(metric[2], (3, [&[9][..], &3f64.to_le_bytes()].concat()));
    }

    #[test]
    fn a_message_is_as_long_as_it_says() {
        for length in [0, 1, 121, 122, 123, 16_376, 16_377, 16_378] {
            let value = "x".repeat(length);
            let mut message = Message::default();
            message.label(metric::LABEL, "q", &value);
            message.uint(metric::GAUGE, 7);

            let read = fields(&message.0);
            assert_eq!(read[1..], [(2, 7_u64.to_le_bytes().to_vec())], "{length}");
            assert_eq!(fields(&read[0].1), [(1, b"q".to_vec()), (2, value.into_bytes())]);
        }
    }

    #[test]
    fn counters_and_histograms_have_a_start_and_families_a_unit() {
        // 1,764,000,000.25 s as a message of seconds and nanoseconds.
        let start = Moment::from_micros(1_764_000_000_250_000);
        let wanted = vec![
            (1, 1_764_000_000_u64.to_le_bytes().to_vec()),
            (2, 250_000_000_u64.to_le_bytes().to_vec()),
        ];
        let since = |mut samples: Samples| {
            samples.starts = vec![start];
            samples
        };
        let counter = since(family("asterisk_queue_wrapup_seconds_total", &[], 3));
        let histogram = since(histogram(&[], &[(5.0, &[1], None)]));
        let page = write(&[counter, histogram], &Chosen::All);
        for (family, (value, field)) in families(&page).iter().zip([(3, 3), (7, 15)]) {
            let (metric, unit) = (fields(&family[3].1), family.last().expect("a field"));
            assert_eq!(metric[0].0, value);
            let (number, created) = fields(&metric[0].1).pop().expect("a field");
            assert_eq!((number, fields(&created)), (field, wanted.clone()));
            assert_eq!(*unit, (5, b"seconds".to_vec()));
        }

        let undated = write(&[family("asterisk_calls_total", &[], 3)], &Chosen::All);
        let [family] = &families(&undated)[..] else { panic!("not one family") };
        assert_eq!(fields(&fields(&family[3].1)[0].1).len(), 1, "no start, no field");
        assert_eq!(family.len(), 4, "no unit, no field");
    }

    #[test]
    fn an_info_is_a_gauge() {
        let page = write(&[family("asterisk_exporter_build_info", &[("v", "1")], 1)], &Chosen::All);
        let [family] = &families(&page)[..] else { panic!("not one family") };
        assert_eq!(family[0], (1, b"asterisk_exporter_build_info".to_vec()));
        assert_eq!(family[2], (3, 1u64.to_le_bytes().to_vec()));
        assert_eq!(fields(&family[3].1)[1].0, 2);
    }

    #[test]
    fn a_histogram_has_both_kinds_of_buckets() {
        let mut native = NativeBuckets::default();
        for seconds in [0.0, 2.0, 2.0, 3.0] {
            native.observe(seconds);
        }
        let page = write(&[histogram(&[1.0], &[(5.0, &[1, 2], Some(native))])], &Chosen::All);
        let [family] = &families(&page)[..] else { panic!("not one family") };
        let metric = fields(&family[3].1);
        assert_eq!(metric[0].0, 7, "le is no label here");
        let histogram = fields(&metric[0].1);
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
    fn exemplars_are_in_the_classic_buckets_and_beside_the_native_ones_if_they_have_a_time() {
        let at = Some(Moment::from_micros(1_764_000_000_250_000));
        let call = |value, at| Some(Exemplar { linkedid: "1.1".into(), value, at });
        let mut native = NativeBuckets::default();
        native.observe(2.0);
        for (native, beside) in [(Some(native), 1), (None, 0)] {
            let mut samples = histogram(&[1.0, 2.0], &[(5.0, &[1, 1, 1], native)]);
            let Values::Histograms(histograms) = &mut samples.values else { panic!("no values") };
            histograms.exemplars = vec![call(0.5, None), None, call(3.0, at)];

            let page = write(&[samples], &Chosen::All);
            let [family] = &families(&page)[..] else { panic!("not one family") };
            let histogram = fields(&fields(&family[3].1)[0].1);
            let of = |number: u64| histogram.iter().filter(move |(field, _)| *field == number);
            let buckets: Vec<_> = of(3).map(|(_, bucket)| fields(bucket)).collect();
            assert_eq!(buckets[1].len(), 2, "no exemplar, no field");

            let label = || (1, [&[10, 8][..], b"linkedid", &[18, 3], b"1.1"].concat());
            let value = |value: f64| (2, value.to_le_bytes().to_vec());
            assert_eq!(fields(&buckets[0][2].1), [label(), value(0.5)]);
            let dated = fields(&buckets[2][2].1);
            assert_eq!(dated[..2], [label(), value(3.0)]);
            let time: Vec<_> = [(1, 1_764_000_000_u64), (2, 250_000_000)]
                .map(|(field, number)| (field, number.to_le_bytes().to_vec()))
                .into();
            assert_eq!((dated[2].0, fields(&dated[2].1)), (3, time));

            let own: Vec<_> = of(16).map(|(_, exemplar)| fields(exemplar)).collect();
            assert_eq!((own.len(), own.iter().all(|own| *own == dated)), (beside, true));
        }
    }

    #[test]
    fn a_native_histogram_belongs_to_its_series() {
        let mut native = NativeBuckets::default();
        native.observe(2.0);
        let both =
            [(0.0, &[0, 0][..], Some(NativeBuckets::default())), (2.0, &[0, 1], Some(native))];
        let page = write(&[histogram(&[1.0], &both)], &Chosen::All);
        let [family] = &families(&page)[..] else { panic!("not one family") };
        let spans: Vec<_> = family
            .iter()
            .filter(|(field, _)| *field == 4)
            .map(|(_, metric)| fields(&fields(metric)[0].1))
            .map(|histogram| histogram.iter().filter(|(field, _)| *field == 12).count())
            .collect();
        assert_eq!(spans, [0, 1]);
    }
}
