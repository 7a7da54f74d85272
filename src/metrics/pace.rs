//! At which seconds the series of a past exporter have samples.
//!
//! A queue with calls has one at each step, as a scrape would.  Prometheus extrapolates what it sees
//! in a window to its edges, so with samples at changes alone the increase of five minutes would be
//! as much as twice what happened, or nothing.  A quiet queue has few: what does not change has an
//! increase of zero however often it is sampled.

/// When there are samples.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    step: u64,
    begin: u64,
}

/// The time that is written at once: seconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// From here on.
    pub begin: u64,
    /// Up to here, exclusive.
    pub end: u64,
    /// It is the last: all series have a sample at this second.
    pub last: Option<u64>,
    /// After that, whoever goes on begins at zero, and may be seen for the first time with more.
    pub restarts: bool,
}

impl Pace {
    /// Samples from the second `begin` on, all others at multiples of `step`.
    pub const fn new(step: u64, begin: u64) -> Self {
        Self { step, begin }
    }

    /// How exact the times are.
    pub const fn step(self) -> u64 {
        self.step
    }

    /// Where everything is zero.
    pub const fn begin(self) -> u64 {
        self.begin
    }

    /// The first sample after a second.
    pub const fn after(self, second: u64) -> u64 {
        (second / self.step + 1) * self.step
    }

    /// So long before and after a change each step has a sample.
    pub const fn lead(self) -> u64 {
        WINDOW / self.step * self.step
    }

    /// A sample comes at least so often.
    pub const fn beat(self) -> u64 {
        BEAT / self.step * self.step
    }

    /// From when on a series has samples whose first value is seen at `at`.
    pub(super) fn birth(self, at: u64) -> u64 {
        at.saturating_sub(self.lead()).max(self.begin)
    }

    /// The seconds of a span, for a queue with these changes in their order.
    pub(super) fn times(self, changes: &[u64], span: Span) -> Vec<u64> {
        let (lead, beat) = (self.lead(), self.beat());
        let mut changes = changes.iter().copied().peekable();
        let mut times = Vec::new();

        let first = self.begin.max(span.begin);
        let end = span.last.unwrap_or(span.end).min(span.end);
        if first == self.begin && first < end && !first.is_multiple_of(self.step) {
            times.push(first);
        }
        let mut at = first.next_multiple_of(self.step);
        while at < end {
            while changes.next_if(|change| change + lead < at).is_some() {}
            let is_near = changes.peek().is_some_and(|change| *change <= at + lead);
            if is_near || at.is_multiple_of(beat) || at == self.begin {
                times.push(at);
            }
            at += self.step;
        }
        times.extend(span.last.filter(|last| (first..span.end).contains(last)));
        times
    }
}

/// A store forgets a series that has no sample for five minutes.
const BEAT: u64 = 240;
/// The shortest window of the rules and dashboards.
const WINDOW: u64 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Span = Span { begin: 86_400, end: 172_800, last: None, restarts: false };

    #[test]
    fn a_quiet_queue_has_a_sample_every_four_minutes() {
        let times = Pace::new(60, 0).times(&[], DAY);
        assert_eq!((times.len(), times[0], times[359]), (360, 86_400, 172_560));
        // A step that does not divide them: as often as it can be without being more.
        let times = Pace::new(7, 0).times(&[], DAY);
        assert_eq!((times.len(), times[0], times[1]), (363, 86_632, 86_870));
    }

    #[test]
    fn five_minutes_around_a_change_each_step_has_one() {
        let span = Span { end: 86_400 + 1800, ..DAY };
        let at = |changes: &[u64]| {
            let times = Pace::new(60, 0).times(changes, span);
            times.iter().map(|time| (time - 86_400) / 60).collect::<Vec<_>>()
        };
        assert_eq!(
            at(&[86_400 + 900]),
            [0, 4, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 24, 28]
        );
        // A change of the day before or of the next one counts, too.
        assert_eq!(at(&[86_340]), [0, 1, 2, 3, 4, 8, 12, 16, 20, 24, 28]);
        assert_eq!(at(&[86_400 + 1860]), [0, 4, 8, 12, 16, 20, 24, 26, 27, 28, 29]);
    }

    #[test]
    fn it_begins_and_ends_where_it_is_told_to() {
        let pace = Pace::new(60, 86_421);
        assert_eq!((pace.birth(86_460), pace.birth(90_000)), (86_421, 89_700));
        let span = Span { end: 172_800, last: Some(86_999), ..DAY };
        assert_eq!(pace.times(&[86_460], span)[..3], [86_421, 86_460, 86_520]);
        assert_eq!(pace.times(&[86_460], span)[6..], [86_760, 86_880, 86_999]);
        // Of the end there is one sample, also where a step is.
        let span = Span { last: Some(86_880), ..span };
        assert_eq!(pace.times(&[86_460], span)[6..], [86_760, 86_880]);
    }
}
