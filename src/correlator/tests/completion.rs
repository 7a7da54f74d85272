//! Which talk an AgentComplete belongs to.

use super::Stage;
use super::moved::HAND_OVER;
use super::swap::{LOCAL, behind_local, talking};

#[test]
fn an_agent_complete_with_a_uniqueid_that_never_stayed_belongs_to_the_member_s_talk() {
    for channel in ["Uniqueid=2.1", "", "DestUniqueid=1.5"] {
        let mut stage = behind_local();
        stage.event("Newchannel Channel=SIP/201-8 Uniqueid=2.1 Linkedid=2.1");
        let complete = format!(
            "{channel} Queue=q Interface=SIP/201 MemberName=Ann HoldTime=3 TalkTime=4 Reason=caller"
        );
        stage.at(7.0).event(&format!("AgentComplete {complete}"));
        assert_eq!(
            (stage.count("q complete Ann caller"), stage.sum("q talk Ann")),
            (1, 4.0),
            "{channel}"
        );
        // It may come twice.
        stage
            .event(&format!("AgentComplete {}", complete.replace("=caller", "=transfer")))
            .at(100.0);
        assert_eq!(
            (stage.count("q complete Ann caller"), stage.count("q complete Ann transfer")),
            (1, 0),
            "{channel}"
        );
        assert_eq!(stage.count("q adopted talking"), 0, "{channel}");
    }
}

/// Ann (1.5) talks to a customer (1.1); her second line (2.1) waits in the same queue.
fn consulting_the_same_queue() -> Stage {
    let mut stage = Stage::live();
    stage
        .event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1")
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    stage.at(1.0).event("Newchannel Channel=SIP/201-5 Uniqueid=1.5 Linkedid=1.1");
    stage
        .event(&format!("AgentCalled Uniqueid=1.1 {LOCAL}"))
        .event("DialBegin Uniqueid=1.1 DestUniqueid=1.5");
    stage.at(2.0).event("DialEnd Uniqueid=1.1 DestUniqueid=1.5 DialStatus=ANSWER");
    stage
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event(&format!("AgentConnect Uniqueid=1.1 {LOCAL} HoldTime=2"));
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.5")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage.at(5.0).event("Newchannel Channel=SIP/201-6 Uniqueid=2.1 Linkedid=2.1");
    stage.event("QueueCallerJoin Uniqueid=2.1 Queue=q").at(12.0);
    stage
}

/// An AgentComplete that names the second line is the talk's, though that line waits in the same
/// queue.
#[test]
fn an_agent_complete_under_the_line_that_waits_answers_no_wait() {
    let handed_over = HAND_OVER.replace("1.2", "1.5");
    let complete = "AgentComplete Uniqueid=2.1 Queue=q Interface=SIP/201 MemberName=Ann HoldTime=2 TalkTime=10 Reason=transfer";
    for events in [[complete, &handed_over], [&handed_over, complete]] {
        let mut stage = consulting_the_same_queue();
        stage.event(events[0]).event(events[1]);
        stage
            .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.5")
            .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1");
        stage.event("Hangup Uniqueid=2.1 Cause=16").event("Hangup Uniqueid=1.5 Cause=16");
        assert_eq!(stage.at(20.0).inside(), (1, 0));
        stage
            .at(30.0)
            .event("HangupRequest Uniqueid=1.1")
            .event("QueueCallerAbandon Uniqueid=1.1 Queue=q HoldTime=25");
        stage
            .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
            .event("Hangup Uniqueid=1.1 Cause=0")
            .at(70.0);

        assert_eq!((stage.count("q entered"), stage.count("q complete Ann transfer")), (2, 1));
        assert_eq!((stage.count("q exit answered"), stage.sum("q talk Ann")), (1, 10.0));
        assert_eq!((stage.count("q exit abandoned"), stage.sum("q hold abandoned")), (1, 25.0));
        assert!(
            stage
                .tally
                .counts
                .keys()
                .all(|what| !what.contains("anomaly") && !what.contains("adopted"))
        );
    }
}

/// After a gap without a list of channels, the call of a Uniqueid that is not known is another one,
/// if it has a leg of its own.
#[test]
fn the_end_of_a_call_that_a_gap_hid_is_no_second_end_of_the_last_one() {
    let mut stage = talking();
    stage
        .at(20.0)
        .event(&format!("AgentComplete Uniqueid=1.1 {LOCAL} HoldTime=3 TalkTime=17 Reason=agent"));
    let hidden = LOCAL.replace("1.5", "8.5");
    stage
        .at(40.0)
        .event(&format!("AgentComplete Uniqueid=8.1 {hidden} HoldTime=3 TalkTime=9 Reason=agent"));
    assert_eq!((stage.count("q adopted talking"), stage.count("q complete Ann agent")), (1, 2));
}
