//! Ring attempts: one result each.

use super::{AGENT, Stage, joined};
use crate::correlator::Word as _;

#[test]
fn every_ring_attempt_has_one_result() {
    let called = format!("AgentCalled {AGENT}");
    let missed = |time| format!("AgentRingNoAnswer {AGENT} RingTime={time}");
    let ended = |status: &str| format!("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus={status}");
    let hangup = |cause: u16| format!("Hangup Uniqueid=1.2 Cause={cause}");
    let cases = [
        // As recorded: time-out, then refusals on 16 and 22, then ring-all losers.
        (vec![missed(4000), ended("NOANSWER"), ended("CANCEL"), hangup(16)], "no_answer"),
        (vec![missed(4000), ended("NOANSWER"), ended("CANCEL"), hangup(19)], "no_answer"),
        (vec![ended("BUSY"), missed(0), hangup(17)], "busy"),
        (vec![ended("NOANSWER"), missed(0), hangup(17)], "busy"),
        (vec![ended("NOANSWER"), missed(0), hangup(19)], "failed"),
        (vec![ended("NOANSWER"), missed(0), hangup(0)], "no_answer"),
        (vec![hangup(21), ended("NOANSWER"), missed(0)], "failed"),
        // The account receives no DialEnd.
        (vec![missed(0), hangup(17)], "busy"),
        (vec![missed(0), hangup(19)], "failed"),
        (vec![ended("CANCEL"), ended("CANCEL"), hangup(26)], "canceled"),
        (
            vec![ended("ANSWER"), format!("AgentDump {AGENT}"), ended("NOANSWER"), hangup(16)],
            "answered",
        ),
    ];
    for (events, result) in cases {
        let mut stage = joined();
        stage.event(&called);
        for event in &events {
            stage.event(event);
        }
        stage.at(200.0);
        let rings: Vec<_> =
            stage.counted().into_iter().filter(|what| what.contains(" ring ")).collect();
        assert_eq!(rings, [format!("1 q ring Ann {result}")], "{events:?}");
    }
}

/// The phone at `leg` answers 302, and the queue does not dial what it says: option i, or a number
/// that is none.
fn refuse_forward(stage: &mut Stage, leg: &str) {
    let called = AGENT.replace("1.2", leg);
    stage
        .event(&format!("AgentCalled {called}"))
        .event(&format!("DialBegin Uniqueid=1.1 DestUniqueid={leg}"));
    let second = stage.now.since(super::START).as_secs_f64();
    stage
        .at(second + 0.5)
        .event(&format!("DialEnd Uniqueid=1.1 DestUniqueid={leg} DialStatus=CANCEL Forward=300"));
    stage.event(&format!("Hangup Uniqueid={leg} Cause=0"));
}

fn rings(stage: &Stage) -> Vec<String> {
    stage.counted().into_iter().filter(|what| what.contains(" ring ")).collect()
}

#[test]
fn a_forwarded_leg_is_the_same_attempt() {
    // app_queue dials the other number before it hangs up the phone (13 to 23).
    let forwarded = "DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=CANCEL Forward=Local/300@x";
    let instead = "DialBegin Uniqueid=1.1 DestUniqueid=1.3 DestChannel=SIP/300-3";
    let mut stage = joined();
    stage.event(&format!("AgentCalled {AGENT}")).event("DialBegin Uniqueid=1.1 DestUniqueid=1.2");
    stage.at(1.0).event(forwarded).event(instead).event("Hangup Uniqueid=1.2 Cause=0");
    stage.at(4.0).event("DialEnd Uniqueid=1.1 DestUniqueid=1.3 DialStatus=ANSWER");
    stage.event(&format!("AgentConnect {}", AGENT.replace("1.2", "1.3")));
    assert_eq!(rings(&stage), ["1 q ring Ann answered"]);
    assert_eq!(stage.sum("q ring Ann answered"), 4.0);
}

#[test]
fn a_forward_of_a_forward_is_the_same_attempt() {
    let mut stage = joined();
    stage.event(&format!("AgentCalled {AGENT}")).event("DialBegin Uniqueid=1.1 DestUniqueid=1.2");
    for (from, to) in [("1.2", "1.3"), ("1.3", "1.4")] {
        stage.event(&format!(
            "DialEnd Uniqueid=1.1 DestUniqueid={from} DialStatus=CANCEL Forward=300"
        ));
        stage.event(&format!("DialBegin Uniqueid=1.1 DestUniqueid={to} DestChannel=SIP/300-3"));
        stage.event(&format!("Hangup Uniqueid={from} Cause=0"));
    }
    stage
        .at(9.0)
        .event(&format!("AgentRingNoAnswer {} RingTime=9000", AGENT.replace("1.2", "1.4")));
    assert_eq!(rings(&stage), ["1 q ring Ann no_answer"]);
}

#[test]
fn a_forward_the_queue_does_not_follow_is_canceled_each_time() {
    let mut stage = joined();
    for (second, leg) in [(0.0, "1.2"), (2.0, "1.3"), (4.0, "1.4")] {
        refuse_forward(stage.at(second), leg);
        assert_eq!(stage.count("q ring Ann canceled"), second as u64 / 2 + 1);
    }
    stage.at(60.0);
    assert_eq!(rings(&stage), ["3 q ring Ann canceled"]);
    assert_eq!(stage.sum("q ring Ann canceled"), 1.5);
    assert_eq!(stage.count("q hangup Ann agent 0"), 3);
}

#[test]
fn a_forward_refused_beside_others_that_ring_leaves_them_ringing() {
    let other = "Uniqueid=1.1 DestUniqueid=1.9 Queue=q Interface=SIP/202 MemberName=Bob";
    let mut stage = joined();
    stage.event(&format!("AgentCalled {other}")).event("DialBegin Uniqueid=1.1 DestUniqueid=1.9");
    refuse_forward(&mut stage, "1.2");
    assert_eq!(rings(&stage), ["1 q ring Ann canceled"]);
    stage.at(6.0).event("DialEnd Uniqueid=1.1 DestUniqueid=1.9 DialStatus=ANSWER");
    stage.event(&format!("AgentConnect {other}"));
    assert_eq!(rings(&stage), ["1 q ring Ann canceled", "1 q ring Bob answered"]);
}

#[test]
fn a_refused_forward_without_an_end_ends_as_the_member_is_called_again() {
    // 13.38 sends no DialEnd for it, and the legs live until the caller leaves.
    let mut stage = joined();
    for (second, leg) in [(0.0, "1.2"), (1.0, "1.3"), (2.0, "1.4")] {
        let called = AGENT.replace("1.2", leg);
        stage.at(second).event(&format!("AgentCalled {called}"));
        stage.event(&format!("DialBegin Uniqueid=1.1 DestUniqueid={leg}"));
    }
    assert_eq!(rings(&stage), ["2 q ring Ann canceled"]);
    stage
        .at(3.0)
        .event("HangupRequest Uniqueid=1.1")
        .event("QueueCallerAbandon Uniqueid=1.1 Queue=q");
    for leg in ["1.2", "1.3", "1.4"] {
        stage.event(&format!("Hangup Uniqueid={leg} Cause=0"));
    }
    stage.event("QueueCallerLeave Uniqueid=1.1 Queue=q").event("Hangup Uniqueid=1.1").at(60.0);
    assert_eq!(rings(&stage), ["3 q ring Ann canceled"]);
    assert_eq!(stage.count("q exit abandoned"), 1);
}

#[test]
fn the_agent_s_cause_is_the_answered_phone_s_of_a_group() {
    let mut stage = Stage::live();
    let call = "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=Local/600@grp-0;1 Queue=q Interface=Local/600@grp/n MemberName=Ann";
    stage
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q")
        .event("Newchannel Channel=Local/600@grp-0;1 Uniqueid=1.2 Linkedid=1.1");
    stage
        .event("Newchannel Channel=Local/600@grp-0;2 Uniqueid=1.3 Linkedid=1.1")
        .event("LocalBridge LocalOneUniqueid=1.2 LocalTwoUniqueid=1.3");
    stage.event(&format!("AgentCalled {call}"));
    stage.event("DialBegin Uniqueid=1.3 DestUniqueid=1.4 DestChannel=SIP/201-4");
    stage.event("DialBegin Uniqueid=1.3 DestUniqueid=1.5 DestChannel=SIP/202-5");
    stage
        .event("DialEnd Uniqueid=1.3 DestUniqueid=1.5 DialStatus=CANCEL")
        .event("Hangup Uniqueid=1.5 Cause=26");
    stage
        .event("DialEnd Uniqueid=1.3 DestUniqueid=1.4 DialStatus=ANSWER")
        .event(&format!("AgentConnect {call}"));
    stage.event("MixMonitorStart Uniqueid=1.3");
    stage
        .event("Hangup Uniqueid=1.2 Cause=16")
        .event("Hangup Uniqueid=1.3 Cause=16")
        .event("Hangup Uniqueid=1.4 Cause=16")
        .at(90.0);
    let hangups: Vec<_> = stage
        .counted()
        .into_iter()
        .filter(|what| what.contains(" agent ") && what.contains("hangup"))
        .collect();
    assert_eq!(hangups, ["1 q hangup Ann agent 16"]);
    assert_eq!((stage.count("q recorded Ann"), stage.count("recording")), (1, 1));
}

#[test]
fn a_pick_up_counts_the_member_s_attempt_once() {
    let mut stage = joined();
    stage.event(&format!("AgentCalled {AGENT}")).event("DialBegin Uniqueid=1.1 DestUniqueid=1.2");
    stage
        .event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=CANCEL")
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q");
    stage.event(&format!(
        "AgentConnect {}",
        AGENT.replace("1.2", "1.9").replace("SIP/201-2", "SIP/300-9")
    ));
    stage.event("Hangup Uniqueid=1.2 Cause=26").event("Hangup Uniqueid=1.9 Cause=16");
    assert_eq!(
        (
            stage.count("q ring Ann canceled"),
            stage.count("q ring Ann answered"),
            stage.count("q exit answered")
        ),
        (1, 0, 1)
    );
    assert_eq!(
        (stage.count("q hangup Ann agent 26"), stage.count("q hangup Ann agent 16")),
        (1, 0)
    );
}

/// The phone that was rung is hung up before AgentConnect on 22.10, and after it on 16.28.
#[test]
fn a_picked_up_phone_may_be_hung_up_before_the_connect() {
    let mut stage = joined();
    stage
        .at(1.0)
        .event(&format!("AgentCalled {AGENT}"))
        .event("DialBegin Uniqueid=1.1 DestUniqueid=1.2");
    stage.event("Newchannel Channel=SIP/205-9 Uniqueid=1.9 Linkedid=1.9");
    stage
        .at(4.0)
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event("Hangup Uniqueid=1.2 Cause=26");
    let picked = AGENT.replace("1.2 DestChannel=SIP/201-2", "1.9 DestChannel=SIP/205-9");
    stage.event(&format!("AgentConnect {picked} HoldTime=4 RingTime=3"));
    stage.at(14.0).event(&format!("AgentComplete {picked} HoldTime=4 TalkTime=10 Reason=caller"));
    stage.event("Hangup Uniqueid=1.9 Cause=16").event("Hangup Uniqueid=1.1 Cause=16").at(60.0);
    assert_eq!((stage.count("q ring Ann answered"), stage.count("q ring Ann canceled")), (1, 0));
    assert_eq!(stage.count("q complete Ann caller"), 1);
}

/// Nobody was connected: the phone was called off, and does not ring while nothing is known of it.
#[test]
fn a_phone_that_is_hung_up_behind_a_leave_alone_rings_no_more() {
    let mut stage = joined();
    stage.event("QueueMemberAdded Queue=q Interface=SIP/201 MemberName=Ann Status=1 Paused=0");
    stage
        .at(1.0)
        .event(&format!("AgentCalled {AGENT}"))
        .event("DialBegin Uniqueid=1.1 DestUniqueid=1.2");
    stage
        .at(4.0)
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event("Hangup Uniqueid=1.2 Cause=26");
    let ann = |stage: &Stage| stage.correlator.state(stage.now).agents[0].state.word();
    assert_eq!(ann(&stage), "available");
    stage.at(60.0);
    assert_eq!(stage.count("q ring Ann canceled"), 1);
}

#[test]
fn a_pick_up_at_the_second_try_answers_the_second_attempt() {
    let mut stage = joined();
    let called = |stage: &mut Stage, leg: &str| {
        let leg = format!("DestUniqueid={leg} DestChannel=SIP/201-2");
        stage
            .event(&format!("Newchannel Channel=SIP/201-2 Linkedid=1.1 Uniqueid={}", &leg[13..16]));
        stage.event(&format!(
            "AgentCalled Uniqueid=1.1 {leg} Queue=q Interface=SIP/201 MemberName=Ann"
        ));
        stage.event(&format!("DialBegin Uniqueid=1.1 {leg}"));
    };
    called(stage.at(1.0), "1.2");
    stage.at(16.0).event(
        "AgentRingNoAnswer Uniqueid=1.1 DestUniqueid=1.2 Queue=q Interface=SIP/201 MemberName=Ann RingTime=15000",
    );
    stage
        .event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=NOANSWER")
        .event("Hangup Uniqueid=1.2 Cause=16");
    called(stage.at(17.0), "1.3");
    stage
        .at(20.0)
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event("Hangup Uniqueid=1.3 Cause=26");
    stage.event(
        "AgentConnect Uniqueid=1.1 DestUniqueid=1.9 DestChannel=SIP/205-9 Queue=q Interface=SIP/201 MemberName=Ann \
         HoldTime=20 RingTime=3",
    );
    stage.at(40.0);
    assert_eq!((stage.count("q ring Ann no_answer"), stage.sum("q ring Ann no_answer")), (1, 15.0));
    assert_eq!((stage.count("q ring Ann answered"), stage.sum("q ring Ann answered")), (1, 3.0));
    assert_eq!(stage.count("q ring Ann canceled"), 0);
}
