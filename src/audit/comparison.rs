//! All figures of a queue, or of one call in it, side by side.

use super::row::{Row, SumRow};
use super::subject::{Apart, Position, Subject};

/// What a comparison came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Comparison {
    pub(super) counts: [Row; Subject::ALL.len()],
    /// What only the exporter has, and no line of queue_log fits.
    pub(super) apart: [Row; Apart::ALL.len()],
    pub(super) hold: SumRow,
    pub(super) talk: SumRow,
    /// Places in the queue, added up.
    pub(super) positions: [Row; Position::ALL.len()],
    /// Lines and counts at the window's edges that the other side does not have.
    pub(super) left_out: u64,
}

impl Comparison {
    pub(super) fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, row)| sum.add(row));
        self.apart.iter_mut().zip(&other.apart).for_each(|(sum, row)| sum.add(row));
        self.hold.add(&other.hold);
        self.talk.add(&other.talk);
        self.positions.iter_mut().zip(&other.positions).for_each(|(sum, row)| sum.add(row));
        self.left_out += other.left_out;
    }

    /// Adds what belongs to no call: what the exporter could not find the call of may be what a
    /// call lacks.
    pub(super) fn add_whole(&mut self, whole: &Self) {
        let lacking = self.counts.map(|row| row.missing);
        self.add(whole);
        for ((sum, row), lacking) in self.counts.iter_mut().zip(&whole.counts).zip(lacking) {
            let same = row.extra.min(lacking);
            sum.missing -= same;
            sum.extra -= same;
        }
    }

    /// How many things are on one side only, and how many lengths differ.
    pub(super) fn differences(&self) -> u64 {
        let rows = self.counts.iter().chain(&self.apart);
        let counts: u64 = rows.map(|row| row.missing + row.extra).sum();
        let positions = self.positions.iter().filter(|row| row.differs()).count() as u64;
        counts + u64::from(self.hold.differs()) + u64::from(self.talk.differs()) + positions
    }

    /// Whether the exporter has an end without a line, which a line may still fit.
    pub(super) fn lacks_lines(&self) -> bool {
        self.apart.iter().any(|row| row.counted > 0)
    }

    /// Some figures as one.
    pub(super) fn sum_of(&self, subjects: &[Subject]) -> Row {
        subjects.iter().fold(Row::default(), |mut sum, &subject| {
            sum.add(&self.counts[subject as usize]);
            sum
        })
    }
}
