use super::*;
use crate::audit::window::Place;
use crate::clock::Moment;
use crate::queue_log::{Line, Verb};

fn said(verbs: &[Verb<'_>]) -> Said {
    let mut said = Said::default();
    for &verb in verbs {
        assert!(said.line(&line(100, verb), Place::Inside, true));
    }
    said
}

fn line(second: u64, verb: Verb<'_>) -> Line<'_> {
    Line {
        at: Moment::from_secs(second),
        call: b"1.1",
        queue: b"q",
        agent: b"Ann",
        verb,
        shifted: false,
    }
}

fn counted(counts: &[Subject], apart: &[Apart]) -> Counted {
    let mut counted = Counted::default();
    counts.iter().for_each(|&subject| counted.saw(subject, Place::Inside));
    apart.iter().for_each(|&apart| counted.saw_apart(apart, Place::Inside));
    counted
}

fn weigh(said: &Said, counted: &Counted) -> Weighed {
    weigh_queue(said, counted, &mut Late::default(), false)
}

/// Missing, extra and explained of a subject.
fn found(weighed: &Weighed, subject: Subject) -> [u64; 3] {
    let row = weighed.counts[subject as usize];
    [row.missing, row.extra, row.explained.iter().sum()]
}

#[test]
fn an_excuse_is_used_up() {
    let log = said(&[Verb::Abandoned, Verb::Abandoned, Verb::Abandoned, Verb::TimedOut]);
    let weighed = weigh(&log, &counted(&[], &[Apart::Redirected, Apart::Unserved]));
    assert_eq!(found(&weighed, Subject::Abandoned), [1, 0, 2]);
    assert_eq!(found(&weighed, Subject::Timeout), [1, 0, 0]);
    let weighed = weigh(
        &log,
        &counted(&[], &[Apart::Redirected, Apart::Unserved, Apart::WaitLost, Apart::WaitLost]),
    );
    assert_eq!(found(&weighed, Subject::Abandoned), [0, 0, 3]);
    assert_eq!(found(&weighed, Subject::Timeout), [0, 0, 1]);
}

#[test]
fn an_excuse_without_a_line_is_a_difference_unless_the_pbx_crashed() {
    let weighed =
        weigh(&said(&[]), &counted(&[], &[Apart::Redirected, Apart::Unserved, Apart::WaitLost]));
    let extra = [Apart::Redirected, Apart::Unserved, Apart::WaitLost]
        .map(|apart| weighed.apart[apart as usize].extra);
    assert_eq!(extra, [1, 1, 0]);
    assert!(weighed.apart[Apart::WaitLost as usize].explains());
}

#[test]
fn only_what_queue_log_has_more_of_can_be_excused() {
    let weighed = weigh(
        &said(&[]),
        &counted(&[Subject::Abandoned, Subject::Entered], &[Apart::AdoptedWaiting]),
    );
    assert_eq!(found(&weighed, Subject::Abandoned), [0, 1, 0]);
    assert_eq!(found(&weighed, Subject::Entered), [0, 1, 0]);
    let weighed = weigh(&said(&[Verb::Entered; 2]), &counted(&[], &[Apart::AdoptedWaiting]));
    assert_eq!(found(&weighed, Subject::Entered), [1, 0, 1]);
}

#[test]
fn what_was_in_sight_all_the_time_is_not_lost() {
    // the end was lost out of sight, but its line was written in sight
    let mut log = Said::default();
    log.line(
        &line(100, Verb::CompletedByCaller { talk: Duration::from_secs(45) }),
        Place::Inside,
        false,
    );
    let weighed = weigh(&log, &counted(&[], &[Apart::EndLost]));
    assert_eq!(found(&weighed, Subject::ByCaller), [1, 0, 0]);
    assert_eq!(weighed.apart[Apart::EndLost as usize].extra, 0);
    // it was lost in sight: no line explains it, and it explains none
    let log = said(&[Verb::CompletedByCaller { talk: Duration::from_secs(45) }]);
    let mut ours = counted(&[], &[Apart::EndLost]);
    ours.lose_in_sight(Apart::EndLost, 1);
    for weighed in [weigh(&log, &ours), weigh_call(&log, &ours, false)] {
        assert_eq!(found(&weighed, Subject::ByCaller), [1, 0, 0]);
        assert_eq!(weighed.apart[Apart::EndLost as usize].extra, 1);
        assert!(!weighed.talk.explains());
    }
}

#[test]
fn an_entry_written_in_sight_was_not_missed() {
    for (hidden, expected) in [(false, [1, 0, 0]), (true, [0, 0, 1])] {
        let mut log = Said::default();
        log.line(&line(100, Verb::Entered), Place::Inside, hidden);
        let weighed = weigh_call(&log, &counted(&[], &[Apart::AdoptedWaiting]), false);
        assert_eq!(found(&weighed, Subject::Entered), expected, "{hidden}");
    }
}

#[test]
fn an_unpause_that_nobody_asked_for_is_explained_and_excuses_no_other() {
    let log = said(&[Verb::AutoUnpaused, Verb::AutoUnpaused, Verb::Unpaused]);
    for (unpaused, [missing, extra]) in [(0, [1, 0]), (1, [0, 0]), (2, [0, 1])] {
        let weighed = weigh(&log, &counted(&vec![Subject::Unpaused; unpaused], &[]));
        assert_eq!(found(&weighed, Subject::Unpaused), [missing, extra, 2], "{unpaused} counted");
        assert_eq!(weighed.counts[Subject::Unpaused as usize].said, 3);
    }
}

#[test]
fn a_late_complete_may_name_somebody_else_and_make_one_talk_longer() {
    let talk = Duration::from_secs(60);
    let log = said(&[Verb::CompletedByCaller { talk }]);
    let mut ours = counted(&[Subject::ByAgent], &[]);
    ours.talked(Duration::from_secs(20));
    let mut late = Late::of(1);
    let first = weigh_queue(&log, &ours, &mut late, false);
    assert_eq!(found(&first, Subject::ByCaller), [0, 0, 1]);
    assert_eq!(found(&first, Subject::ByAgent), [0, 0, 1]);
    assert!(!first.talk.differs() && first.talk.explains());
    let second = weigh_queue(&log, &ours, &mut late, false);
    assert_eq!(
        (found(&second, Subject::ByCaller), found(&second, Subject::ByAgent)),
        ([1, 0, 0], [0, 1, 0])
    );
    assert!(second.talk.differs());
}

#[test]
fn a_talk_is_cut_only_if_the_agent_hung_up_that_long_before() {
    let log = said(&[Verb::CompletedByCaller { talk: Duration::from_secs(60) }]);
    let mut ours = counted(&[Subject::ByCaller], &[]);
    ours.talked(Duration::from_secs(20));
    for (hung_up, cut) in [(None, false), (Some(61), true), (Some(99), false), (Some(40), false)] {
        ours.agent_gone = hung_up.map(Moment::from_secs);
        let weighed = weigh_call(&log, &ours, false);
        assert_eq!((weighed.talk.explains(), weighed.talk.differs()), (cut, !cut), "{hung_up:?}");
    }
    // the agent's phone may stay behind for a while
    (ours.agent_gone, ours.caller_parked) =
        (Some(Moment::from_secs(99)), Some(Moment::from_secs(61)));
    assert!(weigh_call(&log, &ours, false).talk.explains());

    // queue_log never counts less than the talk
    let shorter = said(&[Verb::CompletedByCaller { talk: Duration::from_secs(10) }]);
    assert!(weigh_call(&shorter, &ours, false).talk.differs());
}

#[test]
fn a_second_a_call_and_one_more_is_no_difference() {
    let hold = Duration::from_secs(4);
    let log = said(&[Verb::Connected { hold, ring: None }; 2]);
    let mut ours = counted(&[Subject::Answered; 2], &[]);
    ours.held(Duration::from_millis(5400));
    ours.held(Duration::from_millis(5400));
    assert!(!weigh(&log, &ours).hold.differs());
    ours.hold.sum += 0.5;
    assert!(weigh(&log, &ours).hold.differs());
}

#[test]
fn what_lies_at_an_edge_counts_only_if_both_sides_have_it() {
    let mut log = said(&[Verb::Entered]);
    log.line(&line(1, Verb::Entered), Place::Edge, false);
    log.line(&line(1, Verb::Entered), Place::Edge, false);
    for (ours, [missing, extra], left_out) in
        [(0, [1, 0], 2), (1, [0, 0], 2), (2, [0, 0], 1), (3, [0, 0], 0), (4, [0, 1], 0)]
    {
        let weighed = weigh(&log, &counted(&vec![Subject::Entered; ours], &[]));
        assert_eq!(found(&weighed, Subject::Entered), [missing, extra, 0], "{ours} counted");
        assert_eq!(weighed.left_out, left_out, "{ours} counted");
    }
}

#[test]
fn an_end_that_is_logged_twice_is_one_end() {
    let talk = Duration::from_secs(5);
    let mut log = said(&[Verb::CompletedByCaller { talk }]);
    log.end_again(Subject::ByCaller, Subject::Transferred);
    let mut ours = counted(&[Subject::ByCaller], &[]);
    ours.talked(talk);
    for weighed in [weigh(&log, &ours), weigh_call(&log, &ours, false)] {
        assert_eq!(found(&weighed, Subject::ByCaller), [0, 0, 0]);
        assert_eq!(found(&weighed, Subject::Transferred), [0, 0, 1]);
        assert_eq!(weighed.counts[Subject::Transferred as usize].said, 1);
        assert!(!weighed.talk.differs());
    }
}

#[test]
fn of_two_ends_of_one_talk_either_may_be_counted() {
    let talk = Duration::from_secs(5);
    let (agent, transfer) = (Verb::CompletedByAgent { talk }, Verb::Transferred { talk });
    for (verb, first, then) in [
        (agent, Subject::ByAgent, Subject::Transferred),
        (transfer, Subject::Transferred, Subject::ByAgent),
    ] {
        let mut log = said(&[verb]);
        log.end_again(first, then);
        let of = |ends: &[Subject]| {
            let mut ours = counted(ends, &[]);
            ends.iter().for_each(|_| ours.talked(talk));
            [weigh(&log, &ours), weigh_call(&log, &ours, false)]
        };
        for weighed in of(&[then]) {
            assert_eq!(
                (found(&weighed, first), found(&weighed, then)),
                ([0, 0, 1], [0, 0, 0]),
                "{verb:?}"
            );
        }
        // one end of both, or none, is wrong
        for weighed in of(&[first, then]) {
            assert_eq!(found(&weighed, then), [0, 1, 1], "{verb:?}");
        }
        for weighed in of(&[]) {
            assert_eq!(found(&weighed, first), [1, 0, 0], "{verb:?}");
        }
    }
    // an excuse of one talk is none for two
    let mut log = said(&[agent, agent]);
    log.end_again(Subject::ByAgent, Subject::Transferred);
    let weighed = weigh(&log, &counted(&[Subject::Transferred; 2], &[]));
    assert_eq!(
        (found(&weighed, Subject::ByAgent), found(&weighed, Subject::Transferred)),
        ([1, 0, 1], [0, 1, 0])
    );
}

/// queue_log has 100 talks of 100 s, the exporter as many completions; and as many lengths of one
/// second.
fn hundred(lengths: usize, apart: &[Apart]) -> (Said, Counted) {
    let mut ours = counted(&[Subject::ByCaller; 100], apart);
    (0..lengths).for_each(|_| ours.talked(Duration::from_secs(1)));
    (said(&[Verb::CompletedByCaller { talk: Duration::from_secs(100) }; 100]), ours)
}

#[test]
fn an_excuse_of_seconds_is_no_longer_than_the_longest_call() {
    for (lengths, apart, late) in [
        (99, &[][..], 0),
        (99, &[Apart::AdoptedTalking], 0),
        (100, &[], 1),
        (100, &[], 50),
        (0, &[], 0),
        (0, &[Apart::AdoptedTalking], 99),
    ] {
        let (log, ours) = hundred(lengths, apart);
        let weighed = weigh_queue(&log, &ours, &mut Late::of(late), true);
        assert!(weighed.talk.differs(), "{lengths} {apart:?} {late}");
    }
    // one of 99 s is within what one late call can be
    let (log, mut ours) = hundred(1, &[]);
    (0..99).for_each(|_| ours.talked(Duration::from_secs(100)));
    assert!(!weigh_queue(&log, &ours, &mut Late::of(1), false).talk.differs());
}

#[test]
fn a_length_may_be_missing_only_of_what_was_not_seen_whole() {
    let log = said(&[Verb::CompletedByCaller { talk: Duration::from_secs(9) }]);
    let of = |apart: &[Apart]| {
        let ours = counted(&[Subject::ByCaller], apart);
        [weigh(&log, &ours).talk, weigh_call(&log, &ours, false).talk]
            .map(|row| (row.differs(), row.explains()))
    };
    assert_eq!(of(&[]), [(true, false); 2]);
    assert_eq!(of(&[Apart::AdoptedTalking]), [(false, true); 2]);
}

#[test]
fn what_has_no_call_may_be_what_a_call_lacks() {
    let mut sum = Weighed::default();
    sum.add(&weigh_call(
        &said(&[Verb::CompletedByCaller { talk: Duration::ZERO }]),
        &Counted::default(),
        false,
    ));
    sum.add_whole(&weigh(&said(&[]), &counted(&[Subject::ByCaller], &[])));
    assert_eq!(found(&sum, Subject::ByCaller), [0, 0, 0]);
    assert_eq!(
        (
            sum.counts[Subject::ByCaller as usize].said,
            sum.counts[Subject::ByCaller as usize].counted
        ),
        (1, 1)
    );
}
