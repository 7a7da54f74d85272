//! The lines of a series with their times.  The same numbers come many times, so the text is made
//! once, and only the times in it are written again.

use super::snapshot::Value;

/// The value of a series.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Point {
    Whole(u64),
    Real(f64),
    /// The sum, and the buckets, each with what is below it.
    Histogram(f64, Box<[u64]>),
}

/// The lines of one series.
#[derive(Debug)]
pub(super) struct Dated {
    /// What stands before each number.
    names: Vec<String>,
    text: Vec<u8>,
    /// Where the times are in it.
    places: Vec<usize>,
    /// A time has so many digits.
    digits: usize,
}

impl Point {
    pub(super) fn of(value: Value<'_>) -> Self {
        match value {
            Value::Whole(value) => Self::Whole(value),
            Value::Real(value) => Self::Real(value),
            Value::Histogram(histogram) => Self::Histogram(
                histogram.sum,
                histogram.buckets().map(|bucket| bucket.count).collect(),
            ),
        }
    }

    /// Nothing any more of such a value.
    pub(super) fn zeroed(&self) -> Self {
        match self {
            Self::Whole(_) => Self::Whole(0),
            Self::Real(_) => Self::Real(0.0),
            Self::Histogram(_, buckets) => {
                Self::Histogram(0.0, vec![0; buckets.len()].into_boxed_slice())
            }
        }
    }

    /// Nothing yet of such a value.
    pub(super) fn zero(value: Value<'_>) -> Self {
        match value {
            Value::Whole(_) => Self::Whole(0),
            Value::Real(_) => Self::Real(0.0),
            Value::Histogram(histogram) => {
                Self::Histogram(0.0, histogram.buckets().map(|_| 0).collect())
            }
        }
    }

    pub(super) fn is(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Whole(one), Value::Whole(other)) => *one == other,
            (Self::Real(one), Value::Real(other)) => one.to_bits() == other.to_bits(),
            // The last bucket has all.
            (Self::Histogram(_, buckets), Value::Histogram(histogram)) => {
                buckets.last() == Some(&histogram.count())
            }
            _ => false,
        }
    }
}

impl Dated {
    pub(super) const fn new(names: Vec<String>) -> Self {
        Self { names, text: Vec::new(), places: Vec::new(), digits: 0 }
    }

    /// Has these numbers from now on.
    pub(super) fn set(&mut self, point: &Point) {
        self.text.clear();
        self.places.clear();
        match point {
            Point::Whole(value) => self.line(0, itoa::Buffer::new().format(*value)),
            Point::Real(value) => self.line(0, dtoa::Buffer::new().format(*value)),
            Point::Histogram(sum, buckets) => {
                self.line(0, dtoa::Buffer::new().format(*sum));
                let count = buckets.last().copied().unwrap_or_default();
                self.line(1, itoa::Buffer::new().format(count));
                for (at, bucket) in buckets.iter().enumerate() {
                    self.line(at + 2, itoa::Buffer::new().format(*bucket));
                }
            }
        }
    }

    fn line(&mut self, name: usize, number: &str) {
        for part in [&self.names[name], number, " "] {
            self.text.extend_from_slice(part.as_bytes());
        }
        self.places.push(self.text.len());
        self.text.resize(self.text.len() + self.digits, b'0');
        self.text.push(b'\n');
    }

    /// Appends the lines as of a second; how many they are.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, point: &Point, time: &[u8]) -> u64 {
        if time.len() != self.digits {
            self.digits = time.len();
            self.set(point);
        }
        for &place in &self.places {
            self.text[place..place + time.len()].copy_from_slice(time);
        }
        out.extend_from_slice(&self.text);
        self.places.len() as u64
    }
}
