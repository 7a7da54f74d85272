//! By which penalty calls are answered: that of the member, as it was said last.

use super::{AGENT, Stage, connected, joined};

/// Answers in `q`, by penalty.
fn tiers(stage: &Stage) -> Vec<(&str, u64)> {
    stage.tally.tiers.iter().map(|(tier, count)| (&tier[2..], *count)).collect()
}

fn described(event: &str, queue: &str, penalty: &str) -> String {
    format!("{event} Queue={queue} Interface=SIP/201 MemberName=Ann Status=1 {penalty}")
}

fn connect(stage: &mut Stage) {
    stage.event(&format!("AgentConnect {AGENT} HoldTime=3"));
}

#[test]
fn an_answer_counts_for_the_penalty_that_the_member_has_then() {
    for (penalty, tier) in [
        ("Penalty=0", "0"),
        ("Penalty=9", "9"),
        ("Penalty=10", "10+"),
        ("Penalty=4294967295", "10+"),
        ("Penalty=-1", "unknown"),
        ("", "unknown"),
    ] {
        let mut stage = joined();
        stage.event(&described("QueueMemberAdded", "q", "Penalty=3"));
        // The same agent may have another penalty in another queue.
        stage.event(&described("QueueMemberAdded", "other", "Penalty=5"));
        stage.event(&described("QueueMemberPenalty", "q", penalty));
        connect(&mut stage);
        assert_eq!(tiers(&stage), [(tier, 1)], "{penalty}");

        // What comes behind the answer changes nothing.
        stage.event(&described("QueueMemberStatus", "q", "Penalty=7"));
        assert_eq!(tiers(&stage), [(tier, 1)], "{penalty}");
    }
}

#[test]
fn a_member_that_nothing_has_described_has_no_known_penalty() {
    assert_eq!(tiers(&connected()), [("unknown", 1)]);
}

#[test]
fn a_missed_answer_counts_once_for_the_member_of_the_completion() {
    let mut stage = joined();
    stage.event(&described("QueueMemberStatus", "q", "Penalty=2"));
    let complete = format!("AgentComplete {AGENT} HoldTime=3 TalkTime=4 Reason=caller");
    stage.at(7.0).event(&complete);
    assert_eq!((tiers(&stage), stage.count("q exit answered")), (vec![("2", 1)], 1));
}

#[test]
fn who_answered_in_a_gap_has_the_penalty_of_the_list() {
    let mut stage = joined();
    let member = "QueueMember Queue=q Name=Ann Location=SIP/201 Status=2 Penalty=4 ActionID=ae-1";
    let caller = "CoreShowChannel Uniqueid=1.1 Linkedid=1.1 Channel=SIP/trunk-1 ChannelState=6 ActionID=ae-1 \
                  Application=Queue ApplicationData=q,t BridgeId=b";
    let leg = "CoreShowChannel Uniqueid=1.2 Linkedid=1.1 Channel=SIP/201-2 ChannelState=6 Application=AppQueue \
               BridgeId=b ActionID=ae-1";
    stage.at(5.0).cut().at(9.0).resync(&["QueueParams Queue=q ActionID=ae-1", member, caller, leg]);
    assert_eq!((tiers(&stage), stage.count("q exit answered")), (vec![("4", 1)], 1));
}

#[test]
fn who_was_found_talking_has_answered_nothing() {
    let mut stage = Stage::live();
    stage.event(&described("QueueMemberStatus", "q", "Penalty=2"));
    let complete = format!("AgentComplete {AGENT} HoldTime=3 TalkTime=4 Reason=caller");
    stage.event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1").event(&complete);
    assert_eq!((tiers(&stage), stage.count("q adopted talking")), (vec![], 1));
}
