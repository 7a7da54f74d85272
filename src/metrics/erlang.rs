//! Erlang C: how many agents a queue needs for its service level.
//!
//! The formula takes calls to come at random at an even rate, agents who all take calls of the queue
//! only, and callers who wait for as long as it takes.  Real callers give up and come in waves, so the
//! result is a first estimate, usually a little high.

use std::time::Duration;

/// What there is to do, and how well it should be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Work {
    /// Calls a second.
    pub calls: f64,
    /// How long an agent has to do with one, in seconds: talk and wrap-up.
    pub handle: f64,
    /// Within which time callers should be answered,
    pub target: Duration,
    /// and which share of them, from 0 to 1.
    pub share: f64,
}

/// The fewest agents with whom the share of the callers is answered within the target; `None` if there
/// are too many for any queue, or the numbers make no sense.
pub(super) fn agents_needed(work: Work) -> Option<u32> {
    let Work { calls, handle, target, share } = work;
    let load = calls * handle;
    if !(0.0..=MOST_LOAD).contains(&load) || !(0.0..1.0).contains(&share) {
        return None;
    }
    if load == 0.0 {
        return Some(0);
    }

    // Fewer agents than the load never keep up.  Erlang B is calculated from one agent on, each step
    // from the one before, which stays exact where factorials would not fit into a number.
    let mut blocked = 1.0;
    let mut agents = 0.0;
    loop {
        agents += 1.0;
        blocked = load * blocked / (agents + load * blocked);
        if agents <= load {
            continue;
        }
        let waiting = agents * blocked / (agents - load * (1.0 - blocked));
        let within = 1.0 - waiting * (-(agents - load) * target.as_secs_f64() / handle).exp();
        if within >= share {
            return Some(agents as u32);
        }
    }
}

/// No queue has more agents.
const MOST_LOAD: f64 = 10_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls in half an hour.
    fn needed(calls: f64, handle: f64, target: u64, share: f64) -> Option<u32> {
        let target = Duration::from_secs(target);
        agents_needed(Work { calls: calls / 1800.0, handle, target, share })
    }

    /// The service levels of 100 calls of 3 minutes in half an hour within 20 s, which are those that
    /// the documentation of the packages ErlangC (CRAN) and pyworkforce (PyPI) prints: 0.3896138 with
    /// 11 agents, 0.8883500 with 14.  Between these, by the same formula, are 0.6401580 and 0.7955948.
    #[test]
    fn as_many_agents_as_published_reach_the_published_service_level() {
        for (share, agents) in [
            (0.0, 11),
            (0.389_613, 11),
            (0.389_614, 12),
            (0.640_158, 12),
            (0.640_159, 13),
            (0.795_594, 13),
            (0.795_595, 14),
            (0.8, 14),
            (0.888_350, 14),
            (0.888_351, 15),
        ] {
            assert_eq!(needed(100.0, 180.0, 20, share), Some(agents), "{share}");
        }
    }

    /// Without any wait it is the probability of delay: tables of Erlang C have 0.6821 for 11 agents and
    /// 10 Erlangs, 0.1741 for 14.
    #[test]
    fn with_a_target_of_nothing_it_is_the_probability_of_delay() {
        for (delayed, agents) in [(0.6822, 11), (0.6821, 12), (0.1742, 14), (0.1741, 15)] {
            assert_eq!(needed(100.0, 180.0, 0, 1.0 - delayed), Some(agents), "{delayed}");
        }
    }

    #[test]
    fn no_calls_need_nobody_and_what_makes_no_sense_gives_nothing() {
        assert_eq!(needed(0.0, 180.0, 20, 0.8), Some(0));
        assert_eq!(needed(1.0, 180.0, 20, 0.8), Some(1));
        for (calls, handle, share) in [
            (f64::NAN, 180.0, 0.8),
            (-1.0, 180.0, 0.8),
            (1e9, 180.0, 0.8),
            (100.0, f64::INFINITY, 0.8),
            (100.0, 180.0, 1.0),
            (100.0, 180.0, f64::NAN),
        ] {
            assert_eq!(needed(calls, handle, 20, share), None, "{calls} {handle} {share}");
        }
    }

    #[test]
    fn a_very_large_queue_is_calculated_in_time() {
        assert_eq!(needed(90_000.0, 180.0, 20, 0.8), Some(9013));
    }
}
