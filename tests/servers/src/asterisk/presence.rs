//! Agents' state seconds against the time that went by.

use asterisk_exporter::clock::{Clock, Moment};
use support::Numbers;

use super::exporter::Exporter;

/// A scrape, and between which moments it was made.
pub(crate) struct Scrape {
    from: Moment,
    to: Moment,
    pub(crate) numbers: Numbers,
}

impl Scrape {
    pub(crate) fn of(exporter: &Exporter, clock: &Clock) -> Self {
        let from = clock.now();
        let numbers = exporter.numbers();
        Self { from, to: clock.now(), numbers }
    }

    /// Time since this scrape.
    pub(crate) fn until(&self, later: Moment) -> std::time::Duration {
        later.since(self.to)
    }

    /// Agents of this scrape whose seconds until a later one are not the time between both, by more
    /// than a hundredth.
    pub(crate) fn amiss(&self, later: &Self) -> Vec<String> {
        let agents = self.numbers.values(SECONDS, "agent");
        assert!(!agents.is_empty(), "there are agents");
        let (least, most) =
            (later.from.since(self.to).as_secs_f64(), later.to.since(self.from).as_secs_f64());
        let spent = |agent: &str| {
            let of = |numbers: &Numbers| numbers.sum(SECONDS, &[("agent", agent)]);
            of(&later.numbers) - of(&self.numbers)
        };
        let wrong = agents.iter().map(|agent| (agent, spent(agent)));
        let wrong = wrong.filter(|(_, spent)| *spent < least * 0.99 || *spent > most * 1.01);
        wrong
            .map(|(agent, spent)| format!("{agent}: {spent} s of states in {least} to {most} s"))
            .collect()
    }
}

const SECONDS: &str = "asterisk_agent_state_seconds_total";
