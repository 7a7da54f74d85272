//! Stays: one outcome each, whatever tells it.

use super::{Observation, Stage};
use crate::correlator::Word as _;
use crate::version::Version;

const AGENT: &str =
    "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/201-2 Queue=q Interface=SIP/201 MemberName=Ann";

fn joined() -> Stage {
    let mut stage = Stage::live();
    stage
        .event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1")
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    stage
}

fn connected() -> Stage {
    let mut stage = joined();
    stage
        .at(1.0)
        .event(&format!("AgentCalled {AGENT}"))
        .event("DialBegin Uniqueid=1.1 DestUniqueid=1.2");
    stage.at(3.0).event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=ANSWER");
    stage
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event(&format!("AgentConnect {AGENT} HoldTime=3 RingTime=2"));
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage
}

#[test]
fn a_fact_of_a_stay_says_whose_it_is() {
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
            Observation::RecordedCall { .. } => "recorded",
            Observation::Completed { .. } => "completed",
            Observation::QueueHangup { .. } => "hung up",
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["entered", "rang", "exited", "recorded", "completed", "hung up", "hung up"]);
    assert_eq!(stage.tally.whose.len(), 1);
}

/// What tells the outcome after Abandon and Leave, and the outcome.
#[test]
fn an_abandon_is_told_apart_by_what_follows() {
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
    // a second Abandon changes nothing
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
    // seen on 16.28: queue_log has EXITWITHTIMEOUT
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
        // who was answered unseen may come back by a transfer
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
fn talk_runs_from_the_bridge_to_its_end() {
    let mut stage = connected();
    assert_eq!(stage.inside(), (0, 1));
    stage
        .at(10.0)
        .event("HangupRequest Uniqueid=1.1")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1");
    stage
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2")
        .event("Hangup Uniqueid=1.2 Cause=16")
        .event("Hangup Uniqueid=1.1 Cause=16");
    // after both Hangups and without either id
    stage.at(10.5).event("AgentComplete Queue=q Interface=SIP/201 MemberName=Ann HoldTime=3 TalkTime=7 Reason=caller");
    assert_eq!(stage.count("q complete Ann caller"), 1);
    assert_eq!(stage.sum("q talk Ann"), 7.0);
    assert_eq!(stage.sum("q ring Ann answered"), 2.0);
    assert_eq!(stage.inside(), (0, 0));
}

#[test]
fn without_an_agent_complete_the_first_request_tells_after_five_seconds() {
    let mut stage = connected();
    stage
        .at(10.0)
        .event("HangupRequest Uniqueid=1.2")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2");
    stage
        .event("HangupRequest Uniqueid=1.1")
        .event("Hangup Uniqueid=1.2")
        .event("Hangup Uniqueid=1.1");
    assert_eq!(stage.at(14.9).inside(), (0, 1));
    assert_eq!(stage.at(15.0).inside(), (0, 0));
    // the event that comes after all changes nothing
    stage
        .at(20.0)
        .event("AgentComplete Uniqueid=1.1 Queue=q Interface=SIP/201 MemberName=Ann TalkTime=17 Reason=caller");
    stage.event("AgentComplete Queue=q Interface=SIP/201 MemberName=Ann HoldTime=9 TalkTime=17 Reason=caller").at(90.0);
    assert_eq!(stage.count("q complete Ann agent"), 1);
    assert_eq!(stage.sum("q talk Ann"), 7.0);
}

#[test]
fn a_consultation_belongs_to_the_talk() {
    let mut stage = connected();
    stage
        .at(8.0)
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=c Uniqueid=1.2");
    stage.at(20.0).event("BridgeLeave BridgeUniqueid=c Uniqueid=1.2");
    stage.at(21.0).event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2");
    stage
        .at(33.0)
        .event("AgentComplete Uniqueid=1.1 DestUniqueid=1.2 Queue=q Interface=SIP/201 MemberName=Ann Reason=agent");
    assert_eq!(stage.sum("q talk Ann"), 30.0);
    assert_eq!(stage.count("anomaly complete_missing"), 0);
}

#[test]
fn an_optimised_local_channel_is_followed_to_the_phone() {
    let mut stage = Stage::live();
    let call = "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=Local/9@x-0;1 Queue=q Interface=Local/9@x MemberName=Ann";
    stage
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q")
        .event("Newchannel Channel=Local/9@x-0;1 Uniqueid=1.2 Linkedid=1.1");
    stage
        .event("Newchannel Channel=Local/9@x-0;2 Uniqueid=1.3 Linkedid=1.1")
        .event("LocalBridge LocalOneUniqueid=1.2 LocalTwoUniqueid=1.3");
    stage.event(&format!("AgentCalled {call}")).event("DialBegin Uniqueid=1.1 DestUniqueid=1.2");
    stage.event("DialBegin Uniqueid=1.3 DestUniqueid=1.4 DestChannel=SIP/201-4");
    stage
        .at(2.0)
        .event("DialEnd Uniqueid=1.3 DestUniqueid=1.4 DialStatus=ANSWER")
        .event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=ANSWER");
    stage
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event(&format!("AgentConnect {call} HoldTime=2 RingTime=2"));
    stage
        .event("BridgeEnter BridgeUniqueid=far Uniqueid=1.4")
        .event("BridgeEnter BridgeUniqueid=far Uniqueid=1.3");
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage
        .at(3.0)
        .event("BridgeLeave BridgeUniqueid=far Uniqueid=1.4")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2");
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.4 SwapUniqueid=1.2")
        .event("Hangup Uniqueid=1.3 Cause=16")
        .event("Hangup Uniqueid=1.2 Cause=16");
    // long after the Local halves are forgotten
    stage.at(100.0).event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1");
    stage.event("AgentComplete Uniqueid=1.1 DestUniqueid=1.4 Queue=q Interface=Local/9@x MemberName=Ann Reason=caller");
    stage.event("Hangup Uniqueid=1.4 Cause=16").event("Hangup Uniqueid=1.1 Cause=16");
    assert_eq!(stage.sum("q talk Ann"), 98.0);
    assert_eq!(stage.count("q hangup Ann agent 16"), 1);
    assert_eq!(stage.count("q hangup Ann caller 16"), 1);
}

/// Ann talks behind an unoptimised Local channel since second 0: her phone is 1.4, in the bridge
/// `far`.
fn behind_local() -> Stage {
    let mut stage = Stage::live();
    let call = "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=Local/9@x-0;1 Queue=q Interface=Local/9@x/n MemberName=Ann";
    stage
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q")
        .event("Newchannel Channel=Local/9@x-0;1 Uniqueid=1.2 Linkedid=1.1");
    stage
        .event("Newchannel Channel=Local/9@x-0;2 Uniqueid=1.3 Linkedid=1.1")
        .event("LocalBridge LocalOneUniqueid=1.2 LocalTwoUniqueid=1.3");
    stage
        .event(&format!("AgentCalled {call}"))
        .event("DialBegin Uniqueid=1.3 DestUniqueid=1.4 DestChannel=SIP/201-4");
    stage
        .event("DialEnd Uniqueid=1.3 DestUniqueid=1.4 DialStatus=ANSWER")
        .event(&format!("AgentConnect {call}"));
    stage
        .event("BridgeEnter BridgeUniqueid=far Uniqueid=1.4")
        .event("BridgeEnter BridgeUniqueid=far Uniqueid=1.3");
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage
}

const LATE_COMPLETE: &str = "AgentComplete Uniqueid=1.1 Queue=q Interface=Local/9@x/n MemberName=Ann TalkTime=60 Reason=caller";

#[test]
fn a_transfer_in_the_bridge_behind_a_local_channel_ends_the_talk() {
    // the agent transfers in the far bridge; the caller talks on with somebody else through the
    // same Local channel
    let blind = "BlindTransfer Result=Success TransfererUniqueid=1.4 BridgeUniqueid=far";
    let attended = "AttendedTransfer Result=Success DestType=Bridge DestBridgeUniqueid=far OrigTransfererUniqueid=1.4 \
                    OrigBridgeUniqueid=far SecondTransfererUniqueid=1.5 SecondBridgeUniqueid=c";
    for (transfer, kind) in [(blind, "blind"), (attended, "attended")] {
        let mut stage = behind_local();
        stage.at(9.0).event(transfer).event("BridgeLeave BridgeUniqueid=far Uniqueid=1.4");
        stage.event("HangupRequest Uniqueid=1.4").event("Hangup Uniqueid=1.4 Cause=16");
        assert_eq!(stage.at(13.9).inside(), (0, 1), "{kind}");
        assert_eq!(stage.at(14.0).count("q complete Ann transfer"), 1, "{kind}");
        stage.at(60.0).event(LATE_COMPLETE);
        assert_eq!(stage.sum("q talk Ann"), 9.0, "{kind}");
        let counted: Vec<_> =
            stage.counted().into_iter().filter(|what| what.contains("q complete")).collect();
        assert_eq!(counted, ["1 q complete Ann transfer"], "{kind}");
        assert_eq!(stage.count(&format!("q transfer Ann {kind} agent")), 1, "{kind}");
    }
}

#[test]
fn a_transfer_that_failed_or_was_anothers_is_no_end_by_transfer() {
    for transfer in [
        "BlindTransfer Result=Fail TransfererUniqueid=1.4 BridgeUniqueid=far",
        "BlindTransfer Result=Success TransfererUniqueid=1.9 BridgeUniqueid=far",
    ] {
        let mut stage = behind_local();
        stage.at(9.0).event(transfer).event("BridgeLeave BridgeUniqueid=far Uniqueid=1.4");
        stage.event("Hangup Uniqueid=1.4 Cause=16").at(60.0).event(LATE_COMPLETE);
        assert_eq!(
            (stage.count("q complete Ann unknown"), stage.sum("q talk Ann")),
            (1, 9.0),
            "{transfer}"
        );
    }
}

#[test]
fn a_transfer_seen_before_a_gap_is_the_end_that_is_counted_in_it() {
    let mut stage = behind_local();
    stage.at(9.0).event("BlindTransfer Result=Success TransfererUniqueid=1.4 BridgeUniqueid=far");
    stage
        .event("BridgeLeave BridgeUniqueid=far Uniqueid=1.4")
        .event("Hangup Uniqueid=1.4 Cause=16");
    stage.at(10.0).cut().at(12.0).resync(&["QueueParams Queue=q ServiceLevel=0"]).at(30.0);
    assert_eq!((stage.count("q complete Ann transfer"), stage.sum("q talk Ann")), (1, 9.0));
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
fn a_stay_first_seen_late_is_adopted_and_no_entry() {
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

#[test]
fn every_ringing_has_one_result() {
    let called = format!("AgentCalled {AGENT}");
    let missed = |time| format!("AgentRingNoAnswer {AGENT} RingTime={time}");
    let ended = |status: &str| format!("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus={status}");
    let hangup = |cause: u16| format!("Hangup Uniqueid=1.2 Cause={cause}");
    let cases = [
        // as recorded: time-out, then refusals on 16 and 22, then ring-all losers
        (vec![missed(4000), ended("NOANSWER"), ended("CANCEL"), hangup(16)], "no_answer"),
        (vec![missed(4000), ended("NOANSWER"), ended("CANCEL"), hangup(19)], "no_answer"),
        (vec![ended("BUSY"), missed(0), hangup(17)], "busy"),
        (vec![ended("NOANSWER"), missed(0), hangup(17)], "busy"),
        (vec![ended("NOANSWER"), missed(0), hangup(19)], "failed"),
        (vec![ended("NOANSWER"), missed(0), hangup(0)], "no_answer"),
        (vec![hangup(21), ended("NOANSWER"), missed(0)], "failed"),
        // the account sees no DialEnd
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
fn a_forwarded_leg_is_the_same_ringing() {
    // app_queue dials the other number before it hangs up the phone (13 to 23)
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
fn a_forward_of_a_forward_is_the_same_ringing() {
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
    // 13.38 sends no DialEnd for it, and the legs live until the caller leaves
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
fn a_completion_without_a_connect_was_answered_all_the_same() {
    let mut stage = joined();
    stage.at(30.0).event(
        "AgentComplete Uniqueid=1.1 Queue=q Interface=SIP/201 MemberName=Ann HoldTime=4 TalkTime=26 Reason=caller",
    );
    assert_eq!((stage.count("q exit answered"), stage.sum("q hold answered")), (1, 4.0));
    assert_eq!(
        (stage.count("q complete Ann caller"), stage.sum("q talk Ann"), stage.inside()),
        (1, 0.0, (0, 0))
    );
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
fn a_pick_up_counts_the_member_s_ringing_once() {
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
    let ann = |stage: &Stage| stage.correlator.state(stage.now).agents[0].1.word();
    assert_eq!(ann(&stage), "available");
    stage.at(60.0);
    assert_eq!(stage.count("q ring Ann canceled"), 1);
}

/// An agent who hangs up in the announcement is told by AgentDump, which an account may not see.
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

#[test]
fn a_caller_s_transfer_of_a_later_bridge_is_not_the_queue_s() {
    let mut stage = connected();
    stage
        .at(10.0)
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2")
        .event("Hangup Uniqueid=1.2 Cause=16");
    stage.event("AgentComplete Uniqueid=1.1 Queue=q Interface=SIP/201 MemberName=Ann Reason=agent");
    stage
        .at(20.0)
        .event("BlindTransfer Result=Success TransfererUniqueid=1.1 BridgeUniqueid=later");
    assert_eq!(stage.count("q transfer Ann blind caller"), 0);
    stage.event("BlindTransfer Result=Success TransfererUniqueid=1.1 BridgeUniqueid=b");
    assert_eq!(stage.count("q transfer Ann blind caller"), 1);
}

#[test]
fn an_agent_who_is_passed_on_into_a_queue_is_a_caller_there() {
    let mut stage = Stage::live();
    stage
        .event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1")
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    let agent = "DestUniqueid=1.2 DestChannel=SIP/201-2 Queue=q Interface=SIP/201 MemberName=Ann";
    stage.event(&format!("AgentConnect Uniqueid=1.1 {agent}"));
    stage
        .event("BridgeEnter BridgeUniqueid=a Uniqueid=1.1")
        .event("BridgeEnter BridgeUniqueid=a Uniqueid=1.2");
    stage
        .at(5.0)
        .event(&format!("AgentComplete Uniqueid=1.1 {agent} Reason=transfer"))
        .event("Hangup Uniqueid=1.1 Cause=16");
    // the first caller is forgotten by then
    stage.at(60.0).event("QueueCallerJoin Uniqueid=1.2 Queue=p");
    let other = "DestUniqueid=1.3 DestChannel=SIP/202-3 Queue=p Interface=SIP/202 MemberName=Ben";
    stage.event(&format!("AgentConnect Uniqueid=1.2 {other}"));
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.3");
    stage.at(70.0).event("MixMonitorStart Uniqueid=1.2").event("HangupRequest Uniqueid=1.2");
    for uid in ["1.2", "1.3"] {
        stage
            .event(&format!("BridgeLeave BridgeUniqueid=b Uniqueid={uid}"))
            .event(&format!("Hangup Uniqueid={uid} Cause=16"));
    }
    stage.at(80.0);
    assert_eq!(
        (stage.count("p recorded Ben"), stage.count("p complete Ben caller")),
        (1, 1),
        "{:?}",
        stage.counted()
    );
}

#[test]
fn a_pick_up_at_the_second_try_answers_the_second_ringing() {
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
