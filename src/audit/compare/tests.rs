use super::*;
use crate::audit::window::Place;
use crate::clock::Moment;
use crate::queue_log::{Line, Verb};

fn logged(verbs: &[Verb<'_>]) -> Logged {
    let mut logged = Logged::default();
    for &verb in verbs {
        assert!(logged.line(&line(100, verb), Place::Inside, true));
    }
    logged
}

fn line(second: u64, verb: Verb<'_>) -> Line<'_> {
    Line {
        at: Moment::from_secs(second),
        call: b"1.1",
        queue: b"q",
        agent: b"Ann",
        verb,
        waited: None,
        shifted: false,
    }
}

fn counted(counts: &[Subject], apart: &[Apart]) -> Counted {
    let mut counted = Counted::default();
    counts.iter().for_each(|&subject| counted.count_one(subject, Place::Inside));
    apart.iter().for_each(|&apart| counted.count_apart(apart, Place::Inside));
    counted
}

fn compare(logged: &Logged, counted: &Counted) -> Comparison {
    compare_queue(logged, counted, &mut Late::default(), false)
}

/// Missing, extra and explained of a subject.
fn found(compared: &Comparison, subject: Subject) -> [u64; 3] {
    let row = compared.counts[subject as usize];
    [row.missing, row.extra, row.explained.iter().sum()]
}

#[test]
fn an_explanation_is_used_up() {
    let log = logged(&[
        Verb::Abandoned { position: None },
        Verb::Abandoned { position: None },
        Verb::Abandoned { position: None },
        Verb::TimedOut,
    ]);
    let compared = compare(&log, &counted(&[], &[Apart::Redirected, Apart::Unserved]));
    assert_eq!(found(&compared, Subject::Abandoned), [1, 0, 2]);
    assert_eq!(found(&compared, Subject::Timeout), [1, 0, 0]);
    let compared = compare(
        &log,
        &counted(&[], &[Apart::Redirected, Apart::Unserved, Apart::WaitLost, Apart::WaitLost]),
    );
    assert_eq!(found(&compared, Subject::Abandoned), [0, 0, 3]);
    assert_eq!(found(&compared, Subject::Timeout), [0, 0, 1]);
}

#[test]
fn an_explanation_without_a_line_is_a_difference_unless_the_pbx_crashed() {
    let compared = compare(
        &logged(&[]),
        &counted(&[], &[Apart::Redirected, Apart::Unserved, Apart::WaitLost]),
    );
    let extra = [Apart::Redirected, Apart::Unserved, Apart::WaitLost]
        .map(|apart| compared.apart[apart as usize].extra);
    assert_eq!(extra, [1, 1, 0]);
    assert!(compared.apart[Apart::WaitLost as usize].explains());
}

#[test]
fn only_what_queue_log_has_more_of_can_be_explained() {
    let compared = compare(
        &logged(&[]),
        &counted(&[Subject::Abandoned, Subject::Entered], &[Apart::AdoptedWaiting]),
    );
    assert_eq!(found(&compared, Subject::Abandoned), [0, 1, 0]);
    assert_eq!(found(&compared, Subject::Entered), [0, 1, 0]);
    let compared = compare(
        &logged(&[Verb::Entered { position: None }; 2]),
        &counted(&[], &[Apart::AdoptedWaiting]),
    );
    assert_eq!(found(&compared, Subject::Entered), [1, 0, 1]);
}

#[test]
fn what_happened_while_synchronised_is_not_lost() {
    // The end was lost while the exporter was not synchronised, but its line was written while it
    // was.
    let mut log = Logged::default();
    log.line(
        &line(100, Verb::CompletedByCaller { talk: Duration::from_secs(45) }),
        Place::Inside,
        false,
    );
    let compared = compare(&log, &counted(&[], &[Apart::EndLost]));
    assert_eq!(found(&compared, Subject::ByCaller), [1, 0, 0]);
    assert_eq!(compared.apart[Apart::EndLost as usize].extra, 0);

    // It was lost while the exporter was synchronised: no line explains it, and it explains none.
    let log = logged(&[Verb::CompletedByCaller { talk: Duration::from_secs(45) }]);
    let mut ours = counted(&[], &[Apart::EndLost]);
    ours.add_lost_synchronised(Apart::EndLost, 1);
    for compared in [compare(&log, &ours), compare_call(&log, &ours, false)] {
        assert_eq!(found(&compared, Subject::ByCaller), [1, 0, 0]);
        assert_eq!(compared.apart[Apart::EndLost as usize].extra, 1);
        assert!(!compared.talk.explains());
    }
}

#[test]
fn an_entry_written_while_synchronised_was_not_missed() {
    for (hidden, expected) in [(false, [1, 0, 0]), (true, [0, 0, 1])] {
        let mut log = Logged::default();
        log.line(&line(100, Verb::Entered { position: None }), Place::Inside, hidden);
        let compared = compare_call(&log, &counted(&[], &[Apart::AdoptedWaiting]), false);
        assert_eq!(found(&compared, Subject::Entered), expected, "{hidden}");
    }
}

#[test]
fn an_unpause_that_nobody_asked_for_is_explained_and_explains_no_other() {
    let log = logged(&[Verb::AutoUnpaused, Verb::AutoUnpaused, Verb::Unpaused]);
    for (unpaused, [missing, extra]) in [(0, [1, 0]), (1, [0, 0]), (2, [0, 1])] {
        let compared = compare(&log, &counted(&vec![Subject::Unpaused; unpaused], &[]));
        assert_eq!(found(&compared, Subject::Unpaused), [missing, extra, 2], "{unpaused} counted");
        assert_eq!(compared.counts[Subject::Unpaused as usize].logged, 3);
    }
}

#[test]
fn a_late_complete_may_name_somebody_else_and_make_one_talk_longer() {
    let talk = Duration::from_secs(60);
    let log = logged(&[Verb::CompletedByCaller { talk }]);
    let mut ours = counted(&[Subject::ByAgent], &[]);
    ours.talked(Duration::from_secs(20));

    let mut late = Late::of(1);
    let first = compare_queue(&log, &ours, &mut late, false);
    assert_eq!(found(&first, Subject::ByCaller), [0, 0, 1]);
    assert_eq!(found(&first, Subject::ByAgent), [0, 0, 1]);
    assert!(!first.talk.differs() && first.talk.explains());

    let second = compare_queue(&log, &ours, &mut late, false);
    assert_eq!(
        (found(&second, Subject::ByCaller), found(&second, Subject::ByAgent)),
        ([1, 0, 0], [0, 1, 0])
    );
    assert!(second.talk.differs());
}

#[test]
fn a_talk_is_cut_only_if_the_agent_hung_up_that_long_before() {
    let log = logged(&[Verb::CompletedByCaller { talk: Duration::from_secs(60) }]);
    let mut ours = counted(&[Subject::ByCaller], &[]);
    ours.talked(Duration::from_secs(20));
    for (hung_up, cut) in [(None, false), (Some(61), true), (Some(99), false), (Some(40), false)] {
        ours.agent_gone = hung_up.map(Moment::from_secs);
        let compared = compare_call(&log, &ours, false);
        assert_eq!((compared.talk.explains(), compared.talk.differs()), (cut, !cut), "{hung_up:?}");
    }

    // The agent's phone may stay behind for a while.
    ours.agent_gone = Some(Moment::from_secs(99));
    ours.caller_parked = Some(Moment::from_secs(61));
    assert!(compare_call(&log, &ours, false).talk.explains());

    // queue_log never counts less than the talk.
    let shorter = logged(&[Verb::CompletedByCaller { talk: Duration::from_secs(10) }]);
    assert!(compare_call(&shorter, &ours, false).talk.differs());
}

#[test]
fn a_second_a_call_and_one_more_is_no_difference() {
    let hold = Duration::from_secs(4);
    let log = logged(&[Verb::Connected { hold, ring: None }; 2]);
    let mut ours = counted(&[Subject::Answered; 2], &[]);
    ours.held(Duration::from_millis(5400));
    ours.held(Duration::from_millis(5400));
    assert!(!compare(&log, &ours).hold.differs());
    ours.hold.sum += 0.5;
    assert!(compare(&log, &ours).hold.differs());
}

#[test]
fn what_lies_at_an_edge_counts_only_if_both_sides_have_it() {
    let mut log = logged(&[Verb::Entered { position: None }]);
    log.line(&line(1, Verb::Entered { position: None }), Place::Edge, false);
    log.line(&line(1, Verb::Entered { position: None }), Place::Edge, false);
    for (ours, [missing, extra], left_out) in
        [(0, [1, 0], 2), (1, [0, 0], 2), (2, [0, 0], 1), (3, [0, 0], 0), (4, [0, 1], 0)]
    {
        let compared = compare(&log, &counted(&vec![Subject::Entered; ours], &[]));
        assert_eq!(found(&compared, Subject::Entered), [missing, extra, 0], "{ours} counted");
        assert_eq!(compared.left_out, left_out, "{ours} counted");
    }
}

#[test]
fn an_end_that_is_logged_twice_is_one_end() {
    let talk = Duration::from_secs(5);
    let mut log = logged(&[Verb::CompletedByCaller { talk }]);
    log.add_duplicate_end(Subject::ByCaller, Subject::Transferred);
    let mut ours = counted(&[Subject::ByCaller], &[]);
    ours.talked(talk);
    for compared in [compare(&log, &ours), compare_call(&log, &ours, false)] {
        assert_eq!(found(&compared, Subject::ByCaller), [0, 0, 0]);
        assert_eq!(found(&compared, Subject::Transferred), [0, 0, 1]);
        assert_eq!(compared.counts[Subject::Transferred as usize].logged, 1);
        assert!(!compared.talk.differs());
    }
}

#[test]
fn of_two_ends_of_one_talk_either_may_be_counted() {
    let talk = Duration::from_secs(5);
    let agent = Verb::CompletedByAgent { talk };
    let transfer = Verb::Transferred { talk: Some(talk) };

    for (verb, first, then) in [
        (agent, Subject::ByAgent, Subject::Transferred),
        (transfer, Subject::Transferred, Subject::ByAgent),
    ] {
        let mut log = logged(&[verb]);
        log.add_duplicate_end(first, then);
        let of = |ends: &[Subject]| {
            let mut ours = counted(ends, &[]);
            ends.iter().for_each(|_| ours.talked(talk));
            [compare(&log, &ours), compare_call(&log, &ours, false)]
        };
        for compared in of(&[then]) {
            assert_eq!(
                (found(&compared, first), found(&compared, then)),
                ([0, 0, 1], [0, 0, 0]),
                "{verb:?}"
            );
        }

        // Both ends of one talk, or none, are wrong.
        for compared in of(&[first, then]) {
            assert_eq!(found(&compared, then), [0, 1, 1], "{verb:?}");
        }
        for compared in of(&[]) {
            assert_eq!(found(&compared, first), [1, 0, 0], "{verb:?}");
        }
    }

    // An excuse for one talk is none for two.
    let mut log = logged(&[agent, agent]);
    log.add_duplicate_end(Subject::ByAgent, Subject::Transferred);
    let compared = compare(&log, &counted(&[Subject::Transferred; 2], &[]));
    assert_eq!(
        (found(&compared, Subject::ByAgent), found(&compared, Subject::Transferred)),
        ([1, 0, 1], [0, 1, 0])
    );
}

/// queue_log has 100 talks of 100 s, the exporter as many completions; and as many lengths of one
/// second.
fn hundred(lengths: usize, apart: &[Apart]) -> (Logged, Counted) {
    let mut ours = counted(&[Subject::ByCaller; 100], apart);
    (0..lengths).for_each(|_| ours.talked(Duration::from_secs(1)));
    (logged(&[Verb::CompletedByCaller { talk: Duration::from_secs(100) }; 100]), ours)
}

#[test]
fn an_explanation_of_seconds_is_no_longer_than_the_longest_call() {
    for (lengths, apart, late) in [
        (99, &[][..], 0),
        (99, &[Apart::AdoptedTalking], 0),
        (100, &[], 1),
        (100, &[], 50),
        (0, &[], 0),
        (0, &[Apart::AdoptedTalking], 99),
    ] {
        let (log, ours) = hundred(lengths, apart);
        let compared = compare_queue(&log, &ours, &mut Late::of(late), true);
        assert!(compared.talk.differs(), "{lengths} {apart:?} {late}");
    }

    // A difference of 99 s is within what one late call can be.
    let (log, mut ours) = hundred(1, &[]);
    (0..99).for_each(|_| ours.talked(Duration::from_secs(100)));
    assert!(!compare_queue(&log, &ours, &mut Late::of(1), false).talk.differs());
}

#[test]
fn a_length_may_be_missing_only_of_what_was_not_seen_whole() {
    let log = logged(&[Verb::CompletedByCaller { talk: Duration::from_secs(9) }]);
    let of = |apart: &[Apart]| {
        let ours = counted(&[Subject::ByCaller], apart);
        [compare(&log, &ours).talk, compare_call(&log, &ours, false).talk]
            .map(|row| (row.differs(), row.explains()))
    };
    assert_eq!(of(&[]), [(true, false); 2]);
    assert_eq!(of(&[Apart::AdoptedTalking]), [(false, true); 2]);
}

#[test]
fn what_has_no_call_may_be_what_a_call_lacks() {
    let mut sum = Comparison::default();
    sum.add(&compare_call(
        &logged(&[Verb::CompletedByCaller { talk: Duration::ZERO }]),
        &Counted::default(),
        false,
    ));
    sum.add_whole(&compare(&logged(&[]), &counted(&[Subject::ByCaller], &[])));

    assert_eq!(found(&sum, Subject::ByCaller), [0, 0, 0]);
    assert_eq!(
        (
            sum.counts[Subject::ByCaller as usize].logged,
            sum.counts[Subject::ByCaller as usize].counted
        ),
        (1, 1)
    );
}

/// Lines with positions: of callers who entered, and of those who abandoned.
fn positions(entered: &[Option<u32>], abandoned: &[Option<u32>]) -> Logged {
    let entered = entered.iter().map(|&position| Verb::Entered { position });
    let abandoned = abandoned.iter().map(|&position| Verb::Abandoned { position });
    logged(&entered.chain(abandoned).collect::<Vec<_>>())
}

/// As many callers as there are positions, and those of which the position is known.
fn stood(entered: &[Option<u32>], abandoned: &[Option<u32>]) -> Counted {
    let counts = [vec![Subject::Entered; entered.len()], vec![Subject::Abandoned; abandoned.len()]];
    let mut counted = counted(&counts.concat(), &[]);
    counted.has_positions = true;
    for (at, positions) in [(Position::Entry, entered), (Position::Abandon, abandoned)] {
        positions.iter().flatten().for_each(|&position| counted.stood(at, position));
    }
    counted
}

/// Both sides of the positions, what is missing and extra, and what is explained.
fn sums(compared: &Comparison, at: Position) -> [u64; 5] {
    let row = compared.positions[at as usize];
    [row.logged, row.counted, row.missing, row.extra, row.explained.iter().sum()]
}

#[test]
fn positions_are_equal_or_one_difference() {
    let log = positions(&[Some(1), Some(4)], &[Some(3)]);
    let equal = stood(&[Some(4), Some(1)], &[Some(3)]);
    for compared in [compare(&log, &equal), compare_call(&log, &equal, false)] {
        assert_eq!(sums(&compared, Position::Entry), [5, 5, 0, 0, 0]);
        assert_eq!(sums(&compared, Position::Abandon), [3, 3, 0, 0, 0]);
        assert_eq!(compared.differences(), 0);
    }

    let wrong = stood(&[Some(4), Some(3)], &[Some(1)]);
    for compared in [compare(&log, &wrong), compare_call(&log, &wrong, false)] {
        assert_eq!(sums(&compared, Position::Entry), [5, 7, 0, 2, 0]);
        assert_eq!(sums(&compared, Position::Abandon), [3, 1, 2, 0, 0]);
        assert_eq!(compared.differences(), 2);
    }
}

#[test]
fn a_position_that_the_exporter_did_not_read_is_a_difference() {
    let log = positions(&[Some(2)], &[Some(1)]);
    let compared = compare_call(&log, &stood(&[None], &[None]), false);
    assert_eq!(sums(&compared, Position::Entry), [2, 0, 2, 0, 0]);
    assert_eq!(sums(&compared, Position::Abandon), [1, 0, 1, 0, 0]);

    // The metrics of an exporter that has no positions are no difference.
    let mut old = stood(&[None], &[None]);
    old.has_positions = false;
    assert_eq!(compare(&log, &old).differences(), 0);
}

#[test]
fn positions_of_lines_that_are_explained_or_missing_are_not_compared_with_nothing() {
    // A redirected caller: the line has a position, and nothing was counted.
    let log = positions(&[], &[Some(3), Some(2)]);
    let mut ours = stood(&[], &[Some(2)]);
    ours.count_apart(Apart::Redirected, Place::Inside);
    let compared = compare(&log, &ours);
    assert_eq!(sums(&compared, Position::Abandon), [5, 2, 0, 0, 3]);

    // What is left of it for that caller is no position.
    let mut ours = stood(&[], &[Some(5)]);
    ours.count_apart(Apart::Redirected, Place::Inside);
    assert_eq!(sums(&compare(&log, &ours), Position::Abandon), [5, 5, 0, 0, 0]);

    // A line without a count is a difference already, and so is the other way round.
    let compared = compare(&positions(&[Some(3), Some(9)], &[]), &stood(&[Some(3)], &[]));
    assert_eq!(sums(&compared, Position::Entry), [0; 5]);
    assert_eq!(compared.differences(), 1);
    let compared = compare(&positions(&[Some(3)], &[]), &stood(&[Some(3), Some(9)], &[]));
    assert_eq!(sums(&compared, Position::Entry), [0; 5]);

    // Lines of the dialplan's own have no position.
    let compared = compare(&positions(&[Some(3), None], &[]), &stood(&[Some(3), Some(9)], &[]));
    assert_eq!(sums(&compared, Position::Entry), [0; 5]);
}

#[test]
fn positions_at_an_edge_may_be_counted_or_not() {
    let mut log = positions(&[Some(2)], &[]);
    for position in [Some(7), Some(3)] {
        log.line(&line(1, Verb::Entered { position }), Place::Edge, false);
    }
    for (ours, expected) in [
        (vec![Some(2)], [2, 2, 0, 0, 0]),
        (vec![Some(2), Some(7)], [9, 9, 0, 0, 0]),
        (vec![Some(2), Some(7), Some(3)], [12, 12, 0, 0, 0]),
        (vec![Some(5)], [2, 5, 0, 3, 0]),
        (vec![Some(5), Some(8)], [12, 13, 0, 1, 0]),
        (vec![Some(1), Some(1)], [3, 2, 1, 0, 0]),
    ] {
        assert_eq!(sums(&compare(&log, &stood(&ours, &[])), Position::Entry), expected, "{ours:?}");
    }
}
