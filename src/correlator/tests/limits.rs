//! What happens where more goes on than is followed: the oldest is given up, once, and lost.

use super::*;

/// So much of everything that no limit is reached.
const PLENTY: TrackedLimits =
    TrackedLimits { channels: 1000, stays: 1000, members: 1000, recordings: 1000 };

/// That many callers wait in the queue `q`, one second after the other.
fn waiting(stage: &mut Stage, callers: std::ops::Range<u32>) {
    for caller in callers {
        stage
            .at(f64::from(caller))
            .event(&format!(
                "Newchannel Channel=SIP/trunk-{caller} Uniqueid=1.{caller} Linkedid=1.{caller}"
            ))
            .event(&format!("QueueCallerJoin Uniqueid=1.{caller} Queue=q"));
    }
}

/// The caller is served by Ann, hangs up after that, and is counted.
fn served(stage: &mut Stage, caller: u32) {
    let agent = format!(
        "Uniqueid=1.{caller} DestUniqueid=2.{caller} DestChannel=SIP/201-{caller} Queue=q Interface=SIP/201 MemberName=Ann"
    );
    stage
        .event(&format!("AgentCalled {agent}"))
        .event(&format!("QueueCallerLeave Uniqueid=1.{caller} Queue=q"))
        .event(&format!("AgentConnect {agent} HoldTime=3 RingTime=2"))
        .event(&format!("AgentComplete {agent} HoldTime=3 TalkTime=4 Reason=caller"));
}

#[test]
fn one_channel_too_many_gives_up_the_oldest_with_all_that_it_took_part_in() {
    let mut stage = Stage::within(TrackedLimits { channels: 3, ..PLENTY });
    waiting(&mut stage, 1..4);
    assert_eq!(stage.counted(), ["3 q entered"]);
    assert_eq!(stage.inside(), (3, 0));

    waiting(&mut stage, 4..5);
    assert_eq!(stage.counted(), ["1 given up channel", "4 q entered", "1 q exit lost"]);
    assert_eq!((stage.inside(), stage.count("anomaly call_lost")), ((3, 0), 1));
    assert_eq!(
        stage.correlator.state(stage.now).tracked,
        Tracked { channels: 3, stays: 3, calls: 3 }
    );

    // The others are counted as ever.
    stage
        .event("QueueCallerAbandon Uniqueid=1.2 Queue=q HoldTime=2")
        .event("QueueCallerLeave Uniqueid=1.2 Queue=q")
        .event("VarSet Uniqueid=1.2 Variable=QUEUEPOSITION Value=1")
        .event("Hangup Uniqueid=1.2 Cause=16");
    assert_eq!((stage.count("q exit abandoned"), stage.inside()), (1, (2, 0)));
}

#[test]
fn many_channels_too_many_cost_one_loss_each_and_no_more_are_kept() {
    let mut stage = Stage::within(TrackedLimits { channels: 10, ..PLENTY });
    waiting(&mut stage, 0..500);
    assert_eq!(stage.counted(), ["490 given up channel", "500 q entered", "490 q exit lost"]);
    assert_eq!((stage.inside(), stage.correlator.channels.all.len()), ((10, 0), 10));
}

#[test]
fn a_channel_that_has_ended_is_given_up_before_one_that_goes_on() {
    let mut stage = Stage::within(TrackedLimits { channels: 3, ..PLENTY });
    waiting(&mut stage, 1..4);
    stage.event("Hangup Uniqueid=1.3 Cause=16").at(20.0);
    waiting(&mut stage, 4..5);
    // Its wait was decided two seconds after the Hangup: nothing of it was left to lose.
    assert_eq!(
        stage.counted(),
        ["1 call hangup inbound  SIP/trunk 16", "1 call inbound  SIP/trunk failed"]
            .into_iter()
            .chain([
                "1 given up channel",
                "4 q entered",
                "1 q exit unserved",
                "1 q hangup  caller 16"
            ])
            .collect::<Vec<_>>()
    );
    assert_eq!(stage.inside(), (3, 0));
}

#[test]
fn a_ring_attempt_and_a_talk_of_a_channel_that_is_given_up_are_lost_once() {
    let mut stage = Stage::within(TrackedLimits { channels: 2, ..PLENTY });
    stage
        .event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1")
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q")
        .event(&format!("AgentCalled {AGENT}"));
    // The caller, whose ring attempt goes on, and then the leg.
    stage.event("Newchannel Channel=SIP/trunk-8 Uniqueid=1.8 Linkedid=1.8");
    assert_eq!((stage.count("q exit lost"), stage.count("q ring Ann lost")), (1, 0));
    stage.event("Newchannel Channel=SIP/trunk-9 Uniqueid=1.9 Linkedid=1.9");
    assert_eq!((stage.count("q exit lost"), stage.count("q ring Ann lost")), (1, 1));

    let mut stage = connected();
    stage.correlator.rules.tracked.channels = 2;
    stage.event("Newchannel Channel=SIP/trunk-9 Uniqueid=1.9 Linkedid=1.9");
    assert_eq!((stage.count("q complete Ann lost"), stage.count("q ring Ann answered")), (1, 1));
    assert_eq!((stage.inside(), stage.count("given up channel")), ((0, 0), 1));
}

#[test]
fn the_talk_of_an_agents_leg_that_is_given_up_is_lost_though_the_caller_is_there() {
    // The leg was there first, as that of an agent who has logged in for good.
    let mut stage = Stage::within(TrackedLimits { channels: 2, ..PLENTY });
    stage.event("Newchannel Channel=SIP/201-2 Uniqueid=1.2 Linkedid=1.2").at(1.0);
    waiting(&mut stage, 1..2);
    stage
        .event(&format!("AgentCalled {AGENT}"))
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event(&format!("AgentConnect {AGENT} HoldTime=3 RingTime=2"))
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    assert_eq!((stage.inside(), stage.count("given up channel")), ((0, 1), 0));

    stage.event("Newchannel Channel=SIP/trunk-9 Uniqueid=1.9 Linkedid=1.9");
    assert_eq!((stage.inside(), stage.count("given up channel")), ((0, 0), 1));
    assert_eq!(stage.count("q complete Ann lost"), 1);
}

#[test]
fn an_event_of_a_channel_that_was_given_up_is_that_of_an_unknown_one() {
    let mut stage = Stage::within(TrackedLimits { channels: 1, ..PLENTY });
    waiting(&mut stage, 1..3);
    stage
        .event("QueueCallerAbandon Uniqueid=1.1 Queue=q HoldTime=2")
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event("Hangup Uniqueid=1.1 Cause=16")
        .at(100.0);
    // Caller 2 made room for it.
    assert_eq!((stage.count("q entered"), stage.count("q exit lost")), (2, 2));
    assert_eq!((stage.count("q adopted waiting"), stage.count("q exit unserved")), (1, 1));
    assert_eq!(stage.inside(), (0, 0));
}

#[test]
fn one_stay_too_many_and_many_give_up_the_oldest() {
    let mut stage = Stage::within(TrackedLimits { stays: 3, ..PLENTY });
    waiting(&mut stage, 1..4);
    assert_eq!(stage.counted(), ["3 q entered"]);
    waiting(&mut stage, 4..5);
    assert_eq!(stage.counted(), ["1 given up stay", "4 q entered", "1 q exit lost"]);
    waiting(&mut stage, 5..500);
    assert_eq!(stage.counted(), ["496 given up stay", "499 q entered", "496 q exit lost"]);
    assert_eq!((stage.inside(), stage.correlator.stays.len()), ((3, 0), 3));

    // The caller is there all the same, and may join again.
    stage.event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    assert_eq!((stage.count("q entered"), stage.count("q exit lost")), (500, 497));
}

#[test]
fn a_stay_that_is_counted_is_given_up_without_a_loss() {
    let mut stage = Stage::within(TrackedLimits { stays: 1, ..PLENTY });
    waiting(&mut stage, 1..2);
    served(&mut stage, 1);
    waiting(&mut stage, 2..3);
    assert_eq!((stage.count("given up stay"), stage.count("q exit lost")), (1, 0));
    assert_eq!((stage.count("q exit answered"), stage.count("q complete Ann caller")), (1, 1));
}

#[test]
fn nobody_is_in_more_than_sixteen_queues_at_once() {
    let mut stage = Stage::live();
    stage.event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1");
    for queue in 0..100 {
        stage.event(&format!("QueueCallerJoin Uniqueid=1.1 Queue=q{queue}"));
    }
    assert_eq!((stage.count("given up stay"), stage.correlator.stays.len()), (84, 16));
    assert_eq!((stage.count("q83 exit lost"), stage.count("q84 exit lost")), (1, 0));

    // A place that is handed over counts as well.
    for caller in 2..30 {
        waiting(&mut stage, caller..caller + 1);
        stage.event(&format!(
            "AttendedTransfer Result=Success DestType=App DestApp=Queue OrigTransfererUniqueid=1.99 \
             SecondTransfererUniqueid=1.{caller} TransfereeUniqueid=1.1 TransfereeChannel=SIP/trunk-1"
        ));
    }
    assert_eq!((stage.count("given up stay"), stage.count("q exit lost")), (112, 12));
    assert!(stage.correlator.channels.all.values().all(|one| one.as_caller.stays.len() <= 16));
}

#[test]
fn one_member_too_many_gives_up_the_oldest_and_its_calls_go_on() {
    let mut stage = connected();
    stage.correlator.rules.tracked = TrackedLimits { members: 3, ..PLENTY };
    let add = |stage: &mut Stage, number: u32| {
        stage.event(&format!(
            "QueueMemberAdded Queue=q Interface=SIP/{number} MemberName=M{number} Status=1 Paused=0"
        ));
    };
    (300..302).for_each(|number| add(&mut stage, number));
    assert_eq!(stage.count("given up member"), 0);
    add(&mut stage, 302);
    assert_eq!((stage.count("given up member"), stage.correlator.members.count()), (1, 3));

    // It was Ann's place.
    stage.event(&format!("AgentComplete {AGENT} HoldTime=3 TalkTime=4 Reason=agent"));
    assert_eq!((stage.count("q complete Ann agent"), stage.inside()), (1, (0, 0)));
    (303..800).for_each(|number| add(&mut stage, number));
    assert_eq!((stage.count("given up member"), stage.correlator.members.count()), (498, 3));
    let present: Vec<_> = stage
        .correlator
        .members
        .present()
        .map(crate::correlator::member::Member::interface)
        .collect();
    assert_eq!(present.len(), 3);
    assert!(present.contains(&&b"SIP/799"[..]) && present.contains(&&b"SIP/797"[..]));
}

#[test]
fn one_recording_too_many_gives_up_the_oldest_which_is_not_counted_as_ended() {
    let mut stage = Stage::within(TrackedLimits { recordings: 3, ..PLENTY });
    stage
        .event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1")
        .event("Newchannel Channel=SIP/trunk-2 Uniqueid=1.2 Linkedid=1.2");
    // One is over before, and is not the oldest any more.
    for event in ["Start", "Stop", "Start", "Start"] {
        stage.event(&format!("MixMonitor{event} Uniqueid=1.1"));
    }
    stage.event("MixMonitorStart Uniqueid=1.2");
    assert_eq!(stage.counted(), ["1 recording"]);
    stage.event("MixMonitorStart Uniqueid=1.2");
    assert_eq!(stage.counted(), ["1 given up recording", "1 recording"]);

    stage.event("Hangup Uniqueid=1.1 Cause=16");
    assert_eq!(stage.count("recording"), 2);
    for _ in 0..500 {
        stage.event("MixMonitorStart Uniqueid=1.2");
    }
    // Two of three have room, as one had ended.
    assert_eq!((stage.count("given up recording"), stage.correlator.recordings.len()), (500, 3));
    stage.event("Hangup Uniqueid=1.2 Cause=16");
    assert_eq!((stage.count("recording"), stage.correlator.recordings.len()), (5, 0));
}

#[test]
fn a_list_of_more_than_is_followed_is_cut_to_the_limit() {
    let mut stage =
        Stage::within(TrackedLimits { channels: 5, stays: 3, members: 2, recordings: 1 });
    let mut items = vec!["QueueParams Queue=q ServiceLevel=20".to_owned()];
    for number in 1..=20 {
        items.push(format!(
            "CoreShowChannel Uniqueid=1.{number} Linkedid=1.{number} Channel=SIP/trunk-{number} ChannelState=6"
        ));
        items.push(format!(
            "QueueEntry Queue=q Uniqueid=1.{number} Channel=SIP/trunk-{number} Wait=5"
        ));
        items.push(format!(
            "QueueMember Queue=q Location=SIP/{number} Name=M{number} Status=1 Paused=0"
        ));
    }
    stage.resync(&items.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((stage.count("q adopted waiting"), stage.count("q exit lost")), (20, 17));
    let given_up =
        ["channel", "stay", "member"].map(|kind| stage.count(&format!("given up {kind}")));
    assert_eq!((given_up, stage.inside()), ([15, 2, 18], (3, 0)));
}

#[test]
fn ends_of_wrap_up_that_are_none_any_more_are_not_kept() {
    let mut stage = joined();
    stage.event(
        "QueueMemberStatus Queue=q Interface=SIP/201 MemberName=Ann Status=1 Paused=0 Wrapuptime=86400",
    );
    for second in 1..20_000 {
        let caller = "Uniqueid=3.1 DestUniqueid=3.2 DestChannel=SIP/201-2 Queue=q Interface=SIP/201 MemberName=Ann";
        stage.at(f64::from(second)).event(&format!("AgentConnect {caller} HoldTime=3 RingTime=2"));
        stage.event(&format!("AgentComplete {caller} HoldTime=3 TalkTime=4 Reason=caller"));
    }
    assert!(
        stage.correlator.deadlines.waiting() < 2100,
        "{}",
        stage.correlator.deadlines.waiting()
    );
}
