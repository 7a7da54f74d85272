//! Who is who: names that Asterisk compares without case.

use super::*;

/// Members of a queue, by the sum of all their states.
fn members(stage: &Stage, queue: &str) -> u64 {
    let state = stage.correlator.state(stage.now);
    let names = stage.correlator.names();
    let of = |state: &&QueueState| names.queues.name(state.queue) == queue;
    state.queues.iter().find(of).map_or(0, |queue| queue.members.iter().map(|(_, count)| count).sum())
}

#[test]
fn a_refusal_is_of_the_listed_queue_however_it_was_dialled() {
    let mut stage = Stage::live();
    stage.resync(&["QueueParams Queue=Support ServiceLevel=0"]);
    stage.tell("Newchannel Uniqueid=c Channel=SIP/trunk-1 Linkedid=c ChannelState=4");
    stage.tell("Newexten Uniqueid=c Channel=SIP/trunk-1 Linkedid=c Application=Queue AppData=SUPPORT,t,,,20");
    stage.tell("VarSet Uniqueid=c Channel=SIP/trunk-1 Linkedid=c Variable=QUEUESTATUS Value=FULL");
    assert_eq!(stage.seen(), ["1 Support refused full"]);
}

#[test]
fn what_was_dialled_makes_no_name_before_the_queue_tells_its_own() {
    let mut stage = Stage::live();
    stage.tell("Newchannel Uniqueid=c Channel=SIP/trunk-1 Linkedid=c ChannelState=4");
    stage.tell("Newexten Uniqueid=c Channel=SIP/trunk-1 Linkedid=c Application=Queue AppData=SUPPORT,t,,,20");
    assert_eq!(stage.correlator.names().queues.count(), 1);
    stage.tell("QueueCallerJoin Uniqueid=c Channel=SIP/trunk-1 Linkedid=c Queue=Support Position=1 Count=1");
    assert_eq!(stage.seen(), ["1 Support entered"]);
}

#[test]
fn a_queue_whose_case_a_reload_changed_goes_on_over_a_gap() {
    let mut stage = Stage::live();
    stage.resync(&["QueueParams Queue=q ServiceLevel=0"]);
    stage.tell("Newchannel Uniqueid=c Channel=SIP/trunk-1 Linkedid=c ChannelState=4");
    stage.tell("QueueCallerJoin Uniqueid=c Channel=SIP/trunk-1 Linkedid=c Queue=q Position=1 Count=1");
    stage.at(5.0).cut().at(9.0).resync(&[
        "QueueParams Queue=Q ServiceLevel=0",
        "QueueEntry Queue=Q Uniqueid=c Channel=SIP/trunk-1 Wait=9",
        "CoreShowChannel Uniqueid=c Linkedid=c Channel=SIP/trunk-1 ChannelState=6 Application=Queue \
         ApplicationData=Q,t",
    ]);
    stage.at(30.0);
    assert_eq!(stage.seen(), ["1 q entered"]);
    assert_eq!(stage.inside(), (1, 0));
}

#[test]
fn an_interface_is_one_member_in_any_case() {
    let mut stage = Stage::live();
    let listed = "QueueMember Queue=q Location=sip/997 Name=Tea StateInterface=sip/997 Status=1 Paused=0";
    stage.resync(&["QueueParams Queue=q ServiceLevel=0", listed]);
    stage.tell("QueueMemberPause Queue=q Interface=SIP/997 MemberName=Tea StateInterface=SIP/997 Status=1 Paused=1");
    assert_eq!(members(&stage, "q"), 1);
    assert_eq!(stage.seen(), ["1 q paused Tea"]);

    // a list in mid-session finds the very member, and so does the end of it
    stage.correlator.begin_listing(stage.now);
    let list = snapshot(&[
        "QueueParams Queue=q ServiceLevel=0",
        "QueueMember Queue=q Location=SIP/997 Name=Tea StateInterface=SIP/997 Status=1 Paused=1",
    ]);
    stage.correlator.reconcile(stage.now, &list, &mut stage.tally);
    assert_eq!((members(&stage, "q"), stage.count("anomaly member_vanished")), (1, 0));
    stage.tell("QueueMemberRemoved Queue=q Interface=Sip/997 MemberName=Tea Status=1 Paused=1");
    assert_eq!(members(&stage, "q"), 0);
}
