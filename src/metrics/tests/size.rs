//! How long a scrape of some 100,000 series takes.
//!
//! `cargo test --lib metrics::tests::size -- --ignored --nocapture` prints it.

use super::*;
use crate::clock::Clock;
use crate::correlator::{AgentState, EndedBy, Outcome, QueueState, RingResult, Word};

/// 20 queues with 75 agents each, who have all rung and talked.
fn large(detail: Detail) -> Bench {
    let mut bench = Bench::new(Settings { detail, ..Settings::default() });
    for number in 0..20 {
        let queue = bench.queue(&format!("queue-{number}"));
        bench.see(Observation::QueueKnown { queue, service_level: Some(secs(20)) });
        for &outcome in Outcome::ALL {
            bench.see(Observation::Exited { queue, outcome, hold: Some(secs(number)) });
        }
        let members = AgentState::ALL.iter().map(|&state| (state, number)).collect();
        let (waiting, talking, longest_wait) = (number, number, secs(number));
        bench.state.queues.push(QueueState { queue, waiting, talking, longest_wait, members });
        for place in 0..75 {
            let agent = bench.agent(&format!("PJSIP/{number}-{place}"));
            bench.see(Observation::MemberKnown { queue, agent });
            for result in [RingResult::Answered, RingResult::NoAnswer] {
                let length = Some(secs(place));
                bench.see(Observation::RingEnded { queue, agent, result, length });
            }
            for talk in 1..40 {
                let talk = Some(secs(talk * (place + 1)));
                let ended_by = EndedBy::Agent;
                bench.see(Observation::Completed { queue, agent, ended_by, talk });
            }
            bench.state.agents.push((agent, AgentState::ALL[0]));
        }
    }
    bench
}

#[test]
#[ignore = "measures"]
fn a_scrape_of_many_series() {
    let clock = Clock::start();
    let best = |work: &mut dyn FnMut() -> usize| {
        let times = (0..15).map(|_| {
            let before = clock.now();
            let size = work();
            (clock.now().since(before), size)
        });
        times.min().expect("it ran")
    };
    for native in [false, true] {
        let detail = Detail { native, ..Detail::default() };
        let mut bench = large(detail);
        let text = bench.text().0;
        let series = text.lines().filter(|line| !line.starts_with('#')).count();
        println!("{detail:?}: {series} series");
        let (time, _) = best(&mut || {
            std::hint::black_box(bench.snapshot());
            0
        });
        println!("  under the lock {time:?}");
        for format in [Format::Text, Format::OpenMetrics] {
            let (time, size) = best(&mut || bench.scrape(format).0.len());
            println!("  {format:?}: {time:?} in all, {size} bytes");
        }
        let (time, size) = best(&mut || bench.protobuf().len());
        println!("  protobuf: {time:?} in all, {size} bytes");
    }
}
