//! Stays: one outcome each, whichever events show it.

use super::{AGENT, Observation, Stage, connected, joined};
use crate::version::Version;

#[test]
fn a_fact_of_a_stay_names_its_caller() {
    let mut stage = connected();
    stage
        .at(9.0)
        .event("MixMonitorStart Uniqueid=1.1")
        .event(&format!("AgentComplete {AGENT} Reason=caller"));
    stage.event("Hangup Uniqueid=1.2 Cause=16").event("Hangup Uniqueid=1.1 Cause=16");
    let facts = &stage.tally.whose["1.1 1.1"];
    let kinds: Vec<_> = facts
        .iter()
        .map(|fact| match fact {
            Observation::Entered { .. } => "entered",
            Observation::RingEnded { .. } => "rang",
            Observation::Exited { .. } => "exited",
            Observation::AnsweredBy { .. } => "answered by",
            Observation::RecordedCall { .. } => "recorded",
            Observation::Completed { .. } => "completed",
            Observation::QueueHangup { .. } => "hung up",
            _ => "other",
        })
        .collect();
    let expected =
        ["entered", "rang", "exited", "answered by", "recorded", "completed", "hung up", "hung up"];
    assert_eq!(kinds, expected);
    assert_eq!(stage.tally.whose.len(), 1);
}

/// What follows Abandon and Leave, and the outcome.
#[test]
fn an_abandon_is_decided_by_what_follows() {
    let leave = [
        "QueueCallerAbandon Uniqueid=1.1 Queue=q HoldTime=5",
        "QueueCallerLeave Uniqueid=1.1 Queue=q",
    ];
    let visible = "VarSet Uniqueid=1.1 Variable=QUEUEPOSITION Value=1";
    let status = |value| format!("VarSet Uniqueid=1.1 Variable=QUEUESTATUS Value={value}");
    let (timeout, empty, withdraw) = (status("TIMEOUT"), status("LEAVEEMPTY"), status("WITHDRAW"));
    let hangup = "Hangup Uniqueid=1.1 Cause=16";
    let cases: &[(&[&str], &str)] = &[
        (&[visible, &timeout, hangup], "timeout"),
        (&[visible, &empty, hangup], "leave_empty"),
        (&[visible, &withdraw, hangup], "withdrawn"),
        (&[&timeout], "timeout"),
        (&[visible, hangup], "abandoned"),
        (&[visible, "Newexten Uniqueid=1.1 Extension=h Application=NoOp", hangup], "abandoned"),
        (&[visible, "Newexten Uniqueid=1.1 Extension=800 Application=Wait"], "redirected"),
        (&[hangup], "unserved"),
        (&["Newexten Uniqueid=1.1 Extension=800 Application=Wait"], "unserved"),
        (&["QueueCallerJoin Uniqueid=1.1 Queue=other"], "unserved"),
        (&["Hangup Uniqueid=1.1 Cause=16 ChanVariable=QUEUESTATUS=TIMEOUT"], "timeout"),
    ];
    for (signs, outcome) in cases {
        let mut stage = joined();
        stage.at(5.0);
        for event in leave.iter().chain(*signs) {
            stage.event(event);
        }
        assert_eq!(
            stage.count(&format!("q exit {outcome}")),
            1,
            "{signs:?}: {:?}",
            stage.counted()
        );
        assert_eq!(stage.sum(&format!("q hold {outcome}")), 5.0, "{signs:?}");
        assert_eq!(stage.inside(), (0, 0));
    }
}

#[test]
fn a_lingering_channel_variable_is_no_outcome() {
    let mut stage = Stage::live();
    stage.event("QueueCallerJoin Uniqueid=1.1 Queue=q ChanVariable=QUEUESTATUS=TIMEOUT");
    stage
        .event("QueueCallerAbandon Uniqueid=1.1 Queue=q")
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q");
    stage.event("Hangup Uniqueid=1.1 ChanVariable=QUEUESTATUS=TIMEOUT");
    assert_eq!(stage.count("q exit unserved"), 1);
}

#[test]
fn a_request_before_the_abandon_means_the_caller_gave_up() {
    let mut stage = joined();
    stage
        .at(5.0)
        .event("HangupRequest Uniqueid=1.1")
        .event("QueueCallerAbandon Uniqueid=1.1 Queue=q");
    // A second Abandon changes nothing.
    stage
        .event("QueueCallerAbandon Uniqueid=1.1 Queue=q")
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q");
    stage.event("Hangup Uniqueid=1.1 Cause=0").at(60.0);
    assert_eq!(
        stage.counted(),
        [
            "1 call hangup inbound  SIP/trunk 0",
            "1 call inbound  SIP/trunk canceled",
            "1 q entered",
            "1 q exit abandoned",
            "1 q hangup  caller 0"
        ]
    );
}

#[test]
fn who_hangs_up_as_the_time_is_up_has_timed_out() {
    // On 16.28, where queue_log has EXITWITHTIMEOUT.
    let mut stage = joined();
    stage
        .at(45.0)
        .event("HangupRequest Uniqueid=1.1")
        .event("QueueCallerAbandon Uniqueid=1.1 Queue=q");
    stage.event("QueueCallerLeave Uniqueid=1.1 Queue=q");
    stage
        .event("VarSet Uniqueid=1.1 Variable=QUEUESTATUS Value=TIMEOUT")
        .event("Hangup Uniqueid=1.1 Cause=0");
    assert_eq!((stage.count("q exit timeout"), stage.count("q exit abandoned")), (1, 0));
}

#[test]
fn two_abandons_are_incompatible_codecs() {
    let mut stage = joined();
    stage
        .event("QueueCallerAbandon Uniqueid=1.1 Queue=q")
        .event("QueueCallerAbandon Uniqueid=1.1 Queue=q");
    stage.event("QueueCallerLeave Uniqueid=1.1 Queue=q").event("Hangup Uniqueid=1.1").at(60.0);
    assert_eq!(stage.count("q exit incompatible"), 1);
    assert_eq!(stage.count("q entered"), 1);
}

#[test]
fn a_leave_alone_is_an_exit_key_unless_the_version_says_nothing() {
    let leave = "QueueCallerLeave Uniqueid=1.1 Queue=q";
    for (version, visible, outcome) in [
        (None, false, "exit_key"),
        (Some((16, 28)), false, "exit_key"),
        (Some((16, 13)), false, "unserved"),
        (Some((16, 13)), true, "exit_key"),
    ] {
        let mut stage = joined();
        if let Some((major, minor)) = version {
            stage.correlator.set_version(Version::new(major, minor));
        }
        stage.event(leave);
        if visible {
            stage.event("VarSet Uniqueid=1.1 Variable=QUEUEPOSITION Value=1");
        }
        stage.event("Newexten Uniqueid=1.1 Extension=5 Application=NoOp");
        assert_eq!(
            stage.count(&format!("q exit {outcome}")),
            1,
            "{version:?} {visible}: {:?}",
            stage.counted()
        );
    }
}

#[test]
fn an_exit_key_is_proven_by_the_dialplan_or_by_agents_events() {
    let (leave, hangup) = ("QueueCallerLeave Uniqueid=1.1 Queue=q", "Hangup Uniqueid=1.1");
    let visible = "VarSet Uniqueid=1.1 Variable=QUEUEPOSITION Value=1";
    let (step, join) =
        ("Newexten Uniqueid=1.1 Extension=5", "QueueCallerJoin Uniqueid=1.1 Queue=q");
    let called = "AgentCalled Uniqueid=7.1 DestUniqueid=7.2 Queue=r Interface=SIP/9 MemberName=Zoe";
    for (events, outcome) in [
        (&[leave, step][..], "exit_key"),
        (&[called, leave, hangup], "exit_key"),
        (&[leave, hangup], "unserved"),
        (&[leave, visible, hangup], "unserved"),
        // Who was answered unseen may come back by a transfer.
        (&[leave, join], "unserved"),
        (&[leave], "unserved"),
    ] {
        let mut stage = joined();
        for event in events {
            stage.event(event);
        }
        stage.at(2.0);
        let exits: Vec<_> =
            stage.counted().into_iter().filter(|what| what.contains("q exit ")).collect();
        assert_eq!(exits, [format!("1 q exit {outcome}")], "{events:?}");
    }
}

#[test]
fn silence_after_leaving_is_unserved_after_two_seconds() {
    let mut stage = joined();
    stage
        .at(5.0)
        .event("QueueCallerAbandon Uniqueid=1.1 Queue=q")
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q");
    assert_eq!(stage.at(6.9).inside(), (1, 0));
    assert_eq!(stage.at(7.0).inside(), (0, 0));
    assert_eq!(stage.count("q exit unserved"), 1);
    assert_eq!(stage.sum("q hold unserved"), 5.0);
}

#[test]
fn a_refusal_names_the_queue_of_the_dialplan() {
    let mut stage = Stage::live();
    stage.event("Newexten Uniqueid=1.1 Application=Queue AppData=sales,t,,,30");
    stage.event("VarSet Uniqueid=1.1 Variable=QUEUESTATUS Value=JOINUNAVAIL");
    assert_eq!(stage.counted(), ["1 sales refused join_unavailable"]);
    stage.event("Newexten Uniqueid=1.1 Application=Queue AppData=nonsense");
    stage.event("VarSet Uniqueid=1.1 Variable=QUEUESTATUS Value=UNKNOWN");
    assert_eq!(stage.count(" refused unknown_queue"), 1);
    assert_eq!(stage.count("nonsense refused unknown_queue"), 0);
}

#[test]
fn one_caller_may_stay_twice_and_in_two_queues() {
    let mut stage = connected();
    stage.at(9.0).event("QueueCallerJoin Uniqueid=1.1 Queue=other");
    assert_eq!(stage.inside(), (0, 1));
    stage.event(
        "AgentComplete Uniqueid=1.1 Queue=q Interface=SIP/201 MemberName=Ann Reason=transfer",
    );
    stage
        .at(12.0)
        .event("HangupRequest Uniqueid=1.1")
        .event("QueueCallerAbandon Uniqueid=1.1 Queue=other");
    stage
        .event("QueueCallerLeave Uniqueid=1.1 Queue=other")
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    assert_eq!(
        (stage.count("q entered"), stage.count("other exit abandoned"), stage.inside()),
        (2, 1, (1, 0))
    );
}

#[test]
fn a_stay_whose_join_did_not_come_is_adopted_and_no_entry() {
    let mut stage = Stage::live();
    stage.event(&format!("AgentConnect {AGENT} HoldTime=7 RingTime=2"));
    stage.event("AgentComplete Queue=q Interface=SIP/201 MemberName=Ann HoldTime=7 Reason=agent");
    assert_eq!(
        (
            stage.count("q entered"),
            stage.count("q adopted waiting"),
            stage.count("q exit answered")
        ),
        (0, 1, 1)
    );
    stage
        .event("AgentComplete Uniqueid=9.9 Queue=q Interface=SIP/202 MemberName=Ben HoldTime=7 TalkTime=9 Reason=agent");
    assert_eq!(
        (
            stage.count("q adopted talking"),
            stage.count("q complete Ben agent"),
            stage.sum("q talk Ben")
        ),
        (1, 1, 0.0)
    );
}

/// An agent who hangs up in the announcement is reported by AgentDump, which an account may not receive.
#[test]
fn who_leaves_after_an_agent_left_in_the_announcement_is_waited_for_no_longer_than_others() {
    let mut stage = joined();
    stage
        .at(1.0)
        .event(&format!("AgentCalled {AGENT}"))
        .event("DialBegin Uniqueid=1.1 DestUniqueid=1.2");
    stage.at(2.0).event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=ANSWER");
    stage.at(3.0).event("Hangup Uniqueid=1.2 Cause=16");
    assert_eq!(stage.inside(), (1, 0));
    stage.at(9.0).event("QueueCallerLeave Uniqueid=1.1 Queue=q").at(11.1);
    assert_eq!((stage.count("q exit exit_key"), stage.inside()), (1, (0, 0)));
    assert_eq!((stage.count("q ring Ann answered"), stage.sum("q hold exit_key")), (1, 9.0));
}

#[test]
fn a_hangup_between_leave_and_connect_waits_for_the_connect() {
    let mut stage = joined();
    stage
        .event(&format!("AgentCalled {AGENT}"))
        .event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=ANSWER");
    stage.event("QueueCallerLeave Uniqueid=1.1 Queue=q").event("Hangup Uniqueid=1.1 Cause=16");
    stage.event(&format!("AgentConnect {AGENT} HoldTime=0"));
    assert_eq!(
        (
            stage.count("q exit answered"),
            stage.count("q exit unserved"),
            stage.count("q adopted waiting")
        ),
        (1, 0, 0)
    );
    let mut stage = joined();
    stage
        .event(&format!("AgentCalled {AGENT}"))
        .event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=ANSWER");
    stage
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event("Hangup Uniqueid=1.1 Cause=16")
        .at(60.0);
    assert_eq!((stage.count("q exit unserved"), stage.inside()), (1, (0, 0)));
}

#[test]
fn huge_numbers_do_no_harm() {
    let mut stage = joined();
    stage.event(&format!(
        "AgentConnect {AGENT} HoldTime=18446744073709551615 RingTime=18446744073709551615"
    ));
    stage.event(
        "AgentComplete Queue=q Interface=SIP/201 MemberName=Ann HoldTime=3 TalkTime=18446744073709551615 Reason=caller",
    );
    stage.event("FullyBooted Uptime=18446744073709551615");
    stage.event("QueueMemberStatus Queue=q Interface=SIP/201 MemberName=Ann Status=255 Wrapuptime=18446744073709551615");
    stage.event("TestEvent State=MIXMONITOR_END File=1-1-1-1-1-1-1-1");
    assert_eq!(stage.count("q complete Ann caller"), 1);
}
