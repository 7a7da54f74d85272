//! Labels and series near their limits: what is beyond becomes `other`.

use super::{Finding, Level};
use crate::metrics::LabelLimits;

/// How much there is of what is limited.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    pub(super) queues: usize,
    pub(super) agents: usize,
    pub(super) members: usize,
    pub(super) devices: usize,
    pub(super) trunks: usize,
    pub(super) series: usize,
}

/// One finding for each that is near its limit or beyond, or one for all.
pub(super) fn look(counts: Counts, limits: &LabelLimits) -> Vec<Finding> {
    let all = [
        ("queues", counts.queues, limits.queues),
        ("agents", counts.agents, limits.agents),
        ("members", counts.members, limits.members),
        ("devices", counts.devices, limits.devices),
        ("trunks", counts.trunks, limits.trunks),
        ("series", counts.series, limits.series),
    ];
    let near: Vec<_> =
        all.into_iter().filter(|(_, count, limit)| count * 5 > limit * 4).map(finding).collect();
    if near.is_empty() {
        let text = "no label is near its limit";
        return vec![Finding::new(Level::Ok, SUBJECT, text)];
    }
    near
}

fn finding((what, count, limit): (&str, usize, usize)) -> Finding {
    // Series are refused before there are too many of them.
    let level = if count > limit { Level::Problem } else { Level::Advice };
    let beyond = if count > limit { ": what is beyond is `other`" } else { "" };
    let text = format!("{count} of at most {limit} {what}{beyond}");
    let line = format!("{what}: {}", count.max(limit) * 2);
    Finding::new(level, SUBJECT, text).with("limits of the configuration", line)
}

const SUBJECT: &str = "limits";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_four_fifths_of_a_limit_is_near_it() {
        let limits = LabelLimits { queues: 10, members: 5, ..LabelLimits::default() };
        let looked = |queues, members| {
            let counts = Counts { queues, members, ..Counts::default() };
            let found = look(counts, &limits).into_iter();
            let line = |finding: &Finding| finding.remedies.first().map(|it| it.line.clone());
            found.map(|it| (it.level, it.text.clone(), line(&it))).collect::<Vec<_>>()
        };
        let fine = (Level::Ok, "no label is near its limit".to_owned(), None);
        assert_eq!(looked(8, 4), [fine]);
        let near =
            (Level::Advice, "9 of at most 10 queues".to_owned(), Some("queues: 20".to_owned()));
        let text = "6 of at most 5 members: what is beyond is `other`".to_owned();
        let beyond = (Level::Problem, text, Some("members: 12".to_owned()));
        assert_eq!(looked(9, 6), [near, beyond]);
    }
}
