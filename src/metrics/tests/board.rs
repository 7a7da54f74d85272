//! What the wallboard shows, beside what a scrape shows of the same moment.

use super::*;
use crate::correlator::{CallKind, Outcome, QueueState, Word};
use crate::metrics::board::PbxCut;

/// Monday, 24 November 2025, 16:00 UTC: the beginning of a quarter.
const T: u64 = 1_764_000_000;

fn bench(settings: Settings) -> Bench {
    Bench::of(Metrics::new(settings).starting(Moment::from_secs(T)).with_recent())
}

/// A bench whose queues have a target of 20 s.
fn with_target() -> Bench {
    bench(Settings { service_level: Some(secs(20)), ..Settings::default() })
}

fn exits(bench: &mut Bench, at: u64, queue: QueueId, outcome: Outcome, hold: u64) {
    bench.metrics.registrar.timeline().pass(Moment::from_secs(T + at));
    bench.see(Observation::Entered { queue });
    bench.see(Observation::Exited { queue, outcome, hold: Some(secs(hold)) });
}

fn board(bench: &mut Bench, at: u64, wanted: Quarters) -> Board {
    let state = PbxState::new(bench.state.clone(), &bench.names, &mut bench.recorder);
    let at = Moment::from_secs(T + at);
    let pbxs = vec![PbxCut::new(at, wanted, state, &bench.recorder)];
    BoardCut { at, pbxs }.named()
}

fn waiting(queue: QueueId, waiting: u64, longest: u64) -> QueueState {
    let members = AgentState::ALL.iter().map(|&state| (state, waiting)).collect();
    QueueState { queue, waiting, talking: 2, longest_wait: secs(longest), members }
}

fn agent(agent: AgentId, state: AgentState) -> AgentNow {
    AgentNow {
        agent,
        state,
        reason: ReasonId::NONE,
        busy: None,
        since: Some(Moment::from_secs(T + 7)),
        talk_since: None,
        login: None,
        last_call: None,
    }
}

fn counts([entered, answered, in_target, abandoned, others]: [u32; 5]) -> RecentCounts {
    RecentCounts { entered, answered, in_target, abandoned, others }
}

#[test]
fn the_last_half_hour_and_the_quarters_of_the_day_have_exact_counts() {
    let mut bench = with_target();
    let queue = bench.queue("sales");
    bench.state.queues.push(waiting(queue, 0, 0));
    exits(&mut bench, 10, queue, Outcome::Answered, 20);
    exits(&mut bench, 59, queue, Outcome::Answered, 21);
    exits(&mut bench, 60, queue, Outcome::Abandoned, 3);
    exits(&mut bench, 899, queue, Outcome::Timeout, 60);
    // What a gap hid is in no share; that its caller came is known.
    exits(&mut bench, 900, queue, Outcome::Lost, 1);
    exits(&mut bench, 1000, queue, Outcome::ExitKey, 4);

    let mut at = |at| board(&mut bench, at, Quarters::Ended).pbxs.remove(0);
    let lately = |rows: &PbxRows| rows.queues[0].counts;
    let rows = at(1000);
    assert_eq!(rows.counted, Some(Moment::from_secs(T)));
    assert_eq!(lately(&rows).half_hour, counts([6, 2, 1, 1, 2]));
    assert_eq!(lately(&rows).quarter, counts([2, 0, 0, 0, 1]));
    let quarters = |rows: &PbxRows| rows.quarters["sales"].clone();
    assert_eq!(quarters(&rows), [(T / 900, counts([4, 2, 1, 1, 1]))]);

    // The minute that goes on, and thirty before it.
    assert_eq!(lately(&at(30 * 60 + 59)).half_hour, counts([6, 2, 1, 1, 2]));
    assert_eq!(lately(&at(31 * 60)).half_hour, counts([4, 0, 0, 1, 2]));
    assert_eq!(lately(&at(48 * 60)).half_hour, counts([0; 5]));
    let both = [(T / 900, counts([4, 2, 1, 1, 1])), (T / 900 + 1, counts([2, 0, 0, 0, 1]))];
    assert_eq!(quarters(&at(25 * 3600)), both);
    assert_eq!(quarters(&at(26 * 3600)), both[1..]);
}

#[test]
fn quarters_are_copied_only_if_they_are_wanted() {
    let mut bench = with_target();
    let queue = bench.queue("sales");
    bench.state.queues.push(waiting(queue, 0, 0));
    exits(&mut bench, 10, queue, Outcome::Answered, 20);
    let none = board(&mut bench, 5000, Quarters::None);
    assert_eq!(none.quarter, T / 900 + 5);
    assert!(none.pbxs[0].quarters.is_empty());
    assert_eq!(board(&mut bench, 5000, Quarters::Ended).pbxs[0].quarters.len(), 1);
}

#[test]
fn nothing_is_kept_without_a_wallboard() {
    let mut bench = Bench::of(Metrics::new(Settings::default()).starting(Moment::from_secs(T)));
    let queue = bench.queue("sales");
    bench.state.queues.push(waiting(queue, 0, 0));
    exits(&mut bench, 10, queue, Outcome::Answered, 20);
    assert!(bench.recorder.recent.is_none());
    let rows = board(&mut bench, 20, Quarters::Ended).pbxs.remove(0);
    assert_eq!((rows.counted, rows.queues[0].counts), (None, QueueCounts::default()));
}

#[test]
fn what_is_shown_of_a_queue_is_what_a_scrape_shows() {
    let mut bench = with_target();
    // A name that a label has to escape.
    let queue = bench.queue("sa\"les\\");
    bench.state.queues.push(waiting(queue, 3, 12));
    let rows = board(&mut bench, 20, Quarters::None).pbxs.remove(0);
    let text = bench.text();
    let [shown] = &rows.queues[..] else { panic!("{rows:?}") };
    assert_eq!(shown.name, "sa\"les\\");

    let of = |name: &str, more: &str| {
        text.of(&format!("asterisk_queue_{name}{{queue=\"sa\\\"les\\\\\"{more}}}"))
    };
    assert_eq!(Some(shown.waiting as f64), of("callers_waiting", ""));
    assert_eq!(Some(shown.talking as f64), of("callers_talking", ""));
    assert_eq!(Some(shown.longest_wait.as_secs_f64()), of("longest_wait_seconds", ""));
    let target = shown.target.map(|target| target.as_secs_f64());
    assert_eq!((target, target), (Some(20.0), of("service_level_target_seconds", "")));
    for (state, count) in &shown.members {
        let state = format!(",state=\"{}\"", state.word());
        assert_eq!((*count, Some(*count as f64)), (3, of("agents", &state)), "{state}");
    }
}

#[test]
fn queues_that_share_a_label_are_one() {
    let mut aliases = QueueAliases::default();
    let names = ["600", "601"].map(|queue| (queue.to_owned(), "Support".to_owned()));
    aliases.add(&PbxName::new("hq"), names);
    let mut bench = bench(Settings {
        service_level: Some(secs(20)),
        queue_aliases: aliases,
        ..Settings::default()
    });
    for (name, callers, longest) in [("600", 2, 5), ("601", 1, 9)] {
        let queue = bench.queue(name);
        bench.state.queues.push(waiting(queue, callers, longest));
        exits(&mut bench, 10, queue, Outcome::Answered, 20);
    }

    let rows = board(&mut bench, 20, Quarters::Ended).pbxs.remove(0);
    let [shown] = &rows.queues[..] else { panic!("{rows:?}") };
    assert_eq!((&*shown.name, shown.target), ("Support", None));
    assert_eq!((shown.waiting, shown.talking, shown.longest_wait), (3, 4, secs(9)));
    assert_eq!(shown.members, AgentState::ALL.iter().map(|&s| (s, 3)).collect::<Vec<_>>());
    assert_eq!(shown.counts.half_hour, counts([2, 2, 2, 0, 0]));
}

#[test]
fn an_agent_is_shown_by_label_state_reason_and_call() {
    let mut bench = with_target();
    let [ben, ann, eve] = ["Ben", "Ann", "Eve"].map(|name| bench.agent(name));
    let lunch = bench.names.reasons.intern(b"lunch");
    bench.state.agents = vec![
        AgentNow { reason: lunch, ..agent(ben, AgentState::Paused) },
        AgentNow { busy: Some(CallKind::Outbound), ..agent(ann, AgentState::Busy) },
        AgentNow {
            since: None,
            talk_since: Some(Moment::from_secs(T)),
            ..agent(eve, AgentState::OnHold)
        },
    ];
    let rows = board(&mut bench, 20, Quarters::None).pbxs.remove(0);
    let row = |name: &str, state| AgentRow {
        name: name.to_owned(),
        state,
        since: Some(Moment::from_secs(T + 7)),
        talk_since: None,
        pause: None,
        busy: None,
    };
    let expected = [
        AgentRow { busy: Some(CallKind::Outbound), ..row("Ann", AgentState::Busy) },
        AgentRow { pause: Some("lunch".to_owned()), ..row("Ben", AgentState::Paused) },
        AgentRow {
            since: None,
            talk_since: Some(Moment::from_secs(T)),
            ..row("Eve", AgentState::OnHold)
        },
    ];
    assert_eq!(rows.agents, expected);
    assert!(rows.more_agents.iter().all(|(_, count)| *count == 0));
}

#[test]
fn agents_without_a_label_of_their_own_are_counted_and_not_named() {
    for (settings, named) in [
        (Settings { agent_label: AgentLabel::None, ..Settings::default() }, vec![]),
        (
            Settings {
                limits: LabelLimits { agents: 1, ..LabelLimits::default() },
                ..Settings::default()
            },
            vec!["Ann"],
        ),
        (
            Settings {
                agent_label: AgentLabel::Hash { salt: String::new() },
                ..Settings::default()
            },
            vec!["092f2ba9f39f", "82e335f7ac0e"],
        ),
    ] {
        let mut bench = bench(settings);
        for name in ["Ann", "Ben"] {
            let id = bench.agent(name);
            bench.state.agents.push(agent(id, AgentState::Available));
        }
        let rows = board(&mut bench, 20, Quarters::None).pbxs.remove(0);
        let names: Vec<_> = rows.agents.iter().map(|agent| &*agent.name).collect();
        assert_eq!(names, named);
        let more: u64 = rows.more_agents.iter().map(|(_, count)| count).sum();
        assert_eq!(more, 2 - named.len() as u64);
    }
}
