//! Gaps of which the PBX's log tells: what it hid is counted as its events would have been, once.

use super::{START, Stage, snapshot, with_event};
use crate::correlator::{EndedBy, Fact, Logged, Outcome, Past, PauseChange, Snapshot};
use std::time::Duration;

const QUEUE: &str = "QueueParams Queue=q ServiceLevel=20 ActionID=ae-1";
const MEMBER: &str =
    "QueueMember Queue=q Name=Ann Location=SIP/201 Status=1 Paused=0 Wrapuptime=0 ActionID=ae-1";
const CALLER: &str =
    "CoreShowChannel Uniqueid=1.1 Linkedid=1.1 Channel=SIP/trunk-1 ChannelState=6 ActionID=ae-1";
const LEG: &str = "CoreShowChannel Uniqueid=1.2 Linkedid=1.1 Channel=SIP/201-2 ChannelState=6 Application=AppQueue BridgeId=b ActionID=ae-1";
const TALKER: &str = "CoreShowChannel Uniqueid=1.1 Linkedid=1.1 Channel=SIP/trunk-1 ChannelState=6 Application=Queue ApplicationData=q,t BridgeId=b ActionID=ae-1";
const AGENT: &str =
    "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/201-2 Queue=q Interface=SIP/201 MemberName=Ann";

/// A line of caller 1.1, in that second.
fn line(second: u64, agent: &str, fact: Fact) -> Logged {
    of("1.1", second, agent, fact)
}

fn of(call: &str, second: u64, agent: &str, fact: Fact) -> Logged {
    let text = |text: &str| text.as_bytes().into();
    let at = START.after(Duration::from_secs(second));
    Logged { at, call: text(call), queue: text("q"), agent: text(agent), fact }
}

const ENTERED: Fact = Fact::Entered { position: Some(1) };

const fn connected(hold: u64) -> Fact {
    Fact::Connected { hold: Duration::from_secs(hold), ring: Some(Duration::from_secs(2)) }
}

const fn completed(talk: u64) -> Fact {
    Fact::Completed { ended_by: EndedBy::Caller, talk: Some(Duration::from_secs(talk)) }
}

const fn left(outcome: Outcome, hold: u64) -> Fact {
    Fact::Left { outcome, hold: Some(Duration::from_secs(hold)), position: Some(1) }
}

impl Stage {
    fn with_log() -> Self {
        let mut stage = Self::live();
        let dead_link = Some(Duration::from_secs(25));
        stage.correlator.change_rules(crate::correlator::Rules { dead_link, ..Default::default() });
        stage
    }

    /// Loses the link, after something was read at that second.
    fn lose(&mut self, heard: f64) -> &mut Self {
        let heard = self.at(heard).now;
        self.correlator.heard(heard);
        self.cut()
    }

    /// Logs in again a second ago, with the log and these lists.
    fn recall(&mut self, lines: &[Logged], items: &[&str]) -> &mut Self {
        self.recall_with(lines, snapshot(items))
    }

    fn recall_with(&mut self, lines: &[Logged], mut lists: Snapshot) -> &mut Self {
        let login = self.now.before(Duration::from_secs(1));
        lists.dated(self.now);
        lists.recall(Past { lines: lines.to_vec(), login });
        self.resync_to(&lists);
        let now = self.now.since(START).as_secs_f64();
        self.at(now + 40.0)
    }
}

/// A caller waits, and Ann is known.
fn waiting() -> Stage {
    let mut stage = Stage::with_log();
    stage.resync(&[QUEUE, MEMBER]);
    stage
        .at(1.0)
        .event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1")
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    stage
}

/// The caller talks to Ann.
fn talking() -> Stage {
    let mut stage = waiting();
    stage.at(4.0).event(&format!("AgentConnect {AGENT} HoldTime=3"));
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage
}

#[test]
fn a_wait_that_ended_in_the_gap_has_its_outcome_and_its_hold() {
    for (outcome, word) in [
        (Outcome::Abandoned, "abandoned"),
        (Outcome::Timeout, "timeout"),
        (Outcome::LeaveEmpty, "leave_empty"),
        (Outcome::ExitKey, "exit_key"),
        (Outcome::Withdrawn, "withdrawn"),
    ] {
        let mut stage = waiting();
        let lines = [line(1, "NONE", ENTERED), line(9, "NONE", left(outcome, 8))];
        stage.lose(5.0).at(30.0).recall(&lines, &[QUEUE, MEMBER]);
        assert_eq!(
            (stage.count("q entered"), stage.count(&format!("q exit {word}")), stage.inside()),
            (1, 1, (0, 0)),
            "{word}"
        );
        assert_eq!(stage.sum(&format!("q hold {word}")), 8.0);
        assert_eq!(stage.count("q exit lost"), 0);
        assert_eq!((stage.count("repaired entry"), stage.count("repaired exit")), (0, 1));
    }
}

#[test]
fn a_call_that_came_and_went_in_the_gap_is_counted_whole() {
    let mut stage = Stage::with_log();
    stage.resync(&[QUEUE, MEMBER]);
    let lines = [
        line(10, "NONE", ENTERED),
        line(12, "Ann", Fact::RingNoAnswer),
        line(20, "Ann", connected(10)),
        line(29, "Ann", completed(9)),
        of("1.9", 25, "NONE", ENTERED),
        of("1.9", 29, "NONE", left(Outcome::Abandoned, 4)),
    ];
    stage.lose(5.0).at(60.0).recall(&lines, &[QUEUE, MEMBER]);
    assert_eq!(
        stage.counted(),
        [
            "1 q complete Ann caller",
            "2 q entered",
            "1 q exit abandoned",
            "1 q exit answered",
            "1 q ring Ann answered",
            "1 q ring Ann no_answer",
            "1 repaired completion",
            "2 repaired entry",
            "2 repaired exit",
            "1 repaired ring",
        ]
    );
    assert_eq!((stage.sum("q hold answered"), stage.sum("q talk Ann")), (10.0, 9.0));
    assert_eq!(stage.inside(), (0, 0));
}

#[test]
fn a_talk_that_ended_in_the_gap_has_its_end_and_its_length() {
    let mut stage = talking();
    let lines =
        [line(1, "NONE", ENTERED), line(4, "Ann", connected(3)), line(31, "Ann", completed(27))];
    stage.lose(5.0).at(60.0).recall(&lines, &[QUEUE, MEMBER]);
    assert_eq!((stage.count("q complete Ann caller"), stage.count("q complete Ann lost")), (1, 0));
    assert_eq!((stage.sum("q talk Ann"), stage.count("q exit answered")), (27.0, 1));
}

#[test]
fn what_began_in_the_gap_and_goes_on_is_no_adopted_call() {
    let mut stage = Stage::with_log();
    stage.resync(&[QUEUE, MEMBER]);
    stage.lose(5.0).at(30.0);
    let lines = [line(10, "NONE", ENTERED), line(15, "Ann", connected(5))];
    let mut lists = snapshot(&[QUEUE, MEMBER, TALKER, LEG]);
    lists.dated(stage.now);
    lists.recall(Past { lines: lines.to_vec(), login: stage.now.before(Duration::from_secs(1)) });
    stage.resync_to(&lists);
    assert_eq!((stage.inside(), stage.count("q adopted talking")), ((0, 1), 0));

    // The length of the talk is from the line to the end that is seen.
    stage.at(40.0).event(&format!("AgentComplete {AGENT} HoldTime=5 TalkTime=25 Reason=agent"));
    assert_eq!((stage.count("q complete Ann agent"), stage.sum("q talk Ann")), (1, 25.0));
    assert_eq!((stage.count("q entered"), stage.sum("q hold answered")), (1, 5.0));
}

#[test]
fn a_line_whose_event_was_seen_changes_nothing() {
    let mut stage = talking();
    stage.at(5.0).event(&format!("AgentComplete {AGENT} HoldTime=3 TalkTime=1 Reason=caller"));
    stage.event("QueueMemberPause Queue=q Interface=SIP/201 MemberName=Ann Paused=1");
    let lines = [
        line(1, "NONE", ENTERED),
        line(4, "Ann", connected(3)),
        line(5, "Ann", completed(1)),
        of("NONE", 5, "Ann", Fact::Paused(PauseChange::Paused)),
        // In the same second, and not seen.
        of("NONE", 5, "Ann", Fact::Paused(PauseChange::Unpaused)),
    ];
    let before = stage.counted();
    stage.lose(5.2).at(60.0).recall(&lines, &[QUEUE, MEMBER]);
    let mut expected = before;
    let more = ["1 call unknown   answered", "1 q unpaused Ann", "1 repaired pause"];
    expected.extend(more.map(str::to_owned));
    expected.sort_by_key(|line| line.split_once(' ').map(|(_, what)| what.to_owned()));
    assert_eq!(stage.counted(), expected);
}

#[test]
fn an_event_that_comes_behind_its_line_is_no_second_one() {
    let mut stage = Stage::with_log();
    stage.resync(&[QUEUE, MEMBER]);
    stage.lose(5.0).at(30.0);
    let lines = [
        line(29, "NONE", ENTERED),
        line(29, "Ann", connected(0)),
        line(29, "Ann", completed(0)),
        of("NONE", 29, "Ann", Fact::Paused(PauseChange::Paused)),
        of("1.9", 29, "NONE", ENTERED),
        of("1.9", 29, "NONE", left(Outcome::Abandoned, 0)),
    ];
    let mut lists = snapshot(&[QUEUE, MEMBER]);
    lists.dated(stage.now);
    lists.recall(Past { lines: lines.to_vec(), login: stage.now.before(Duration::from_secs(1)) });
    stage.resync_to(&lists);
    let counted = stage.counted();

    stage.at(30.5);
    for event in [
        "QueueCallerJoin Uniqueid=1.1 Queue=q",
        "QueueCallerLeave Uniqueid=1.1 Queue=q",
        &format!("AgentConnect {AGENT} HoldTime=0"),
        &format!("AgentComplete {AGENT} HoldTime=0 TalkTime=0 Reason=caller"),
        "QueueMemberPause Queue=q Interface=SIP/201 MemberName=Ann Paused=1",
        "QueueCallerJoin Uniqueid=1.9 Queue=q",
        "QueueCallerAbandon Uniqueid=1.9 Queue=q",
        "QueueCallerLeave Uniqueid=1.9 Queue=q",
    ] {
        stage.event(event);
    }
    assert_eq!(stage.counted(), counted);
    assert_eq!(stage.inside(), (0, 0));
}

#[test]
fn an_event_that_is_held_back_says_it_better_than_its_line() {
    let mut stage = waiting();
    stage.lose(5.0).at(30.0);
    let mut lists = snapshot(&[QUEUE, MEMBER]);
    for event in
        ["QueueCallerAbandon Uniqueid=1.1 Queue=q", "QueueCallerLeave Uniqueid=1.1 Queue=q"]
    {
        with_event(event, |event| lists.foresee(stage.now, &event));
    }
    lists.dated(stage.now);
    let lines = vec![line(29, "NONE", left(Outcome::Abandoned, 28))];
    lists.recall(Past { lines, login: stage.now.before(Duration::from_secs(1)) });
    stage.resync_to(&lists);
    assert_eq!((stage.inside(), stage.count("repaired exit")), ((1, 0), 0));
}

#[test]
fn a_restart_ends_what_the_log_has_no_end_of() {
    let mut stage = waiting();
    stage
        .event("Newchannel Channel=SIP/trunk-3 Uniqueid=1.3 Linkedid=1.3")
        .event("QueueCallerJoin Uniqueid=1.3 Queue=q");
    stage.event("Shutdown Shutdown=Cleanly Restart=False");
    // Nothing is decided before the log was read.
    assert_eq!(stage.inside(), (2, 0));
    let lines = [
        of("1.3", 7, "NONE", left(Outcome::Abandoned, 6)),
        of("NONE", 20, "NONE", Fact::Started),
        of("1020.1", 21, "NONE", ENTERED),
        of("1020.1", 25, "NONE", left(Outcome::Timeout, 4)),
    ];
    stage.lose(5.0).at(30.0).recall(&lines, &[QUEUE, MEMBER]);
    assert_eq!(
        ["abandoned", "lost", "timeout"].map(|word| stage.count(&format!("q exit {word}"))),
        [1, 1, 1]
    );
    assert_eq!((stage.count("q entered"), stage.inside()), (3, (0, 0)));
}

#[test]
fn the_start_of_a_boot_that_was_seen_ends_nothing() {
    let mut stage = waiting();
    let entry = "QueueEntry Queue=q Uniqueid=1.1 Channel=SIP/trunk-1 Wait=29 ActionID=ae-1";
    let lines = [of("NONE", 1, "NONE", Fact::Started), line(1, "NONE", ENTERED)];
    stage.lose(1.5).at(30.0).recall(&lines, &[QUEUE, MEMBER, CALLER, entry]);
    assert_eq!(
        (stage.count("q entered"), stage.count("q exit lost"), stage.inside()),
        (1, 0, (1, 0))
    );
}

#[test]
fn a_restarted_pbx_that_has_written_nothing_yet_has_lost_what_is_open() {
    let mut stage = waiting();
    stage.event("Shutdown Shutdown=Cleanly Restart=False");
    stage.lose(5.0).at(30.0).recall(&[], &[QUEUE, MEMBER]);
    assert_eq!((stage.count("q exit lost"), stage.inside()), (1, (0, 0)));
}

#[test]
fn without_its_log_a_gap_is_as_before() {
    let mut stage = talking();
    stage.lose(5.0).at(30.0).resync(&[QUEUE, MEMBER]);
    stage.at(33.0);
    assert_eq!((stage.count("q complete Ann lost"), stage.inside()), (1, (0, 0)));
}

#[test]
fn what_was_due_in_the_gap_waits_for_the_log() {
    let mut stage = waiting();
    // Alone it would be an exit by key two seconds later.
    stage.at(4.0).event("QueueCallerLeave Uniqueid=1.1 Queue=q");
    stage.lose(4.5).at(20.0);
    assert_eq!(stage.inside(), (1, 0));
    let lines = [line(4, "Ann", connected(3))];
    stage.at(30.0);
    let mut lists = snapshot(&[QUEUE, MEMBER, TALKER, LEG]);
    lists.dated(stage.now);
    lists.recall(Past { lines: lines.to_vec(), login: stage.now.before(Duration::from_secs(1)) });
    stage.resync_to(&lists);
    assert_eq!((stage.inside(), stage.count("q exit answered")), ((0, 1), 1));
    assert_eq!(stage.sum("q hold answered"), 3.0);
}

#[test]
fn a_caller_who_waits_through_the_gap_goes_on() {
    let mut stage = waiting();
    let entry = "QueueEntry Queue=q Uniqueid=1.1 Channel=SIP/trunk-1 Wait=29 ActionID=ae-1";
    let lines = [line(1, "NONE", ENTERED)];
    stage.lose(5.0).at(30.0).recall(&lines, &[QUEUE, MEMBER, CALLER, entry]);
    assert_eq!((stage.count("q entered"), stage.inside()), (1, (1, 0)));
}
