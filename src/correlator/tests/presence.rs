//! What Status means: a call of the phone, or do-not-disturb.

use super::*;
use crate::version::Version;

const HINT: &str = "QueueMemberStatus Queue=q MemberName=Ann Paused=0 Interface=Local/201@from-queue/n \
                    StateInterface=hint:201@ext-local";
const DEVICE: &str = "QueueMemberStatus Queue=q MemberName=Ann Paused=0 Interface=PJSIP/201 StateInterface=PJSIP/201";

/// The state of the only member of `q`, which is the agent's, too.
fn state(stage: &Stage) -> &'static str {
    let state = stage.correlator.state(stage.now);
    let queue =
        state.queues.iter().find(|queue| stage.correlator.names().queues.name(queue.queue) == "q");
    let members = queue.map(|queue| queue.members.clone()).unwrap_or_default();
    let member = members
        .into_iter()
        .find(|(_, count)| *count == 1)
        .map_or("nobody", |(state, _)| state.word());
    let agent = state.agents.first().map_or("nobody", |agent| agent.state.word());
    assert_eq!(member, agent);
    member
}

/// A PBX that has shown events of class call, and a member whose device is free.
fn free(member: &str) -> Stage {
    let mut stage = Stage::live();
    stage
        .event("DeviceStateChange Device=Custom:x State=NOT_INUSE")
        .event(&format!("{member} Status=1"));
    stage
}

fn channel(name: &str, number: u32) -> String {
    format!("Newchannel Channel={name} Uniqueid={number} Linkedid={number} ChannelState=4")
}

#[test]
fn a_device_in_use_without_a_channel_is_on_do_not_disturb() {
    for member in [HINT, DEVICE] {
        for status in [2, 3, 7, 8] {
            let mut stage = free(member);
            assert_eq!(
                state(stage.event(&format!("{member} Status={status}"))),
                "dnd",
                "{member} {status}"
            );
            assert_eq!(state(stage.at(600.0)), "dnd");
            assert_eq!(state(stage.event(&format!("{member} Status=1"))), "available");
        }
    }
}

/// Asterisk asks no phone behind it, only whether such a channel is up.
#[test]
fn a_local_channel_in_use_is_a_call() {
    const LOCAL: &str =
        "QueueMemberStatus Queue=q MemberName=Ann Paused=0 Interface=Local/201@agents/n";
    for state_interface in ["", " StateInterface=Local/201@agents/n"] {
        let member = format!("{LOCAL}{state_interface}");
        let mut stage = free(&member);
        assert_eq!(state(stage.event(&format!("{member} Status=2"))), "busy", "{state_interface}");
        assert_eq!(state(stage.at(600.0)), "busy");
        assert_eq!(state(stage.event(&format!("{member} Status=1"))), "available");
    }
}

#[test]
fn a_channel_of_the_phone_makes_it_a_call_in_any_case() {
    for (member, name) in [
        (HINT, "PJSIP/201-00000001"),
        (DEVICE, "PJSIP/201-00000001"),
        (DEVICE, "pjsip/201-00000001"),
    ] {
        let mut stage = free(member);
        // chan_sip reports the device's state before the channel.
        assert_eq!(state(stage.event(&format!("{member} Status=2"))), "dnd");
        assert_eq!(state(stage.event(&channel(name, 7))), "busy", "{name}");
        assert_eq!(state(stage.at(60.0).event(&channel("SIP/trunk-2", 8))), "busy");
        // Status follows the Hangup.
        assert_eq!(state(stage.at(90.0).event("Hangup Uniqueid=7 Cause=16")), "busy");
        assert_eq!(state(stage.at(91.9)), "busy");
        assert_eq!(state(stage.event(&format!("{member} Status=1"))), "available");
        assert_eq!(state(stage.at(120.0)), "available");
    }
}

#[test]
fn a_status_that_stays_after_the_last_hangup_is_do_not_disturb_at_last() {
    let mut stage = free(HINT);
    stage
        .event(&channel("PJSIP/201-1", 7))
        .event(&channel("PJSIP/201-2", 8))
        .event(&format!("{HINT} Status=2"));
    stage.at(10.0).event("Hangup Uniqueid=7");
    assert_eq!(state(stage.at(19.0)), "busy");
    stage.at(20.0).event("Hangup Uniqueid=8");
    assert_eq!(state(stage.at(21.9)), "busy");
    assert_eq!(state(stage.at(22.0)), "dnd");
    assert_eq!(state(stage.event(&channel("PJSIP/201-3", 9))), "busy");
}

#[test]
fn nobody_knows_where_no_calls_are_seen() {
    for member in [HINT, DEVICE] {
        let mut stage = Stage::live();
        stage.event(&format!("{member} Status=1"));
        assert_eq!(state(stage.event(&format!("{member} Status=2"))), "busy");
        // The first event of class call, of a trunk, shows that a channel would be reported.
        stage.at(9.0).event(&channel("SIP/trunk-2", 8));
        assert_eq!(state(stage.at(11.0)), "dnd");
    }
}

#[test]
fn nobody_knows_of_calls_from_before_where_channels_are_not_listed() {
    let mut stage = Stage::live();
    stage.event("DeviceStateChange Device=Custom:x State=NOT_INUSE").cut();
    let mut list = snapshot(&[
        "QueueParams Queue=q",
        &HINT.replace("Status ", " ").replace("Interface=Local", "Location=Local"),
    ]);
    list.without_channels();
    stage.correlator.resync(stage.now, &list, &mut stage.tally);
    stage.event(&format!("{HINT} Status=2"));
    assert_eq!(state(stage.at(60.0)), "busy");
    stage.event(&format!("{HINT} Status=1")).event(&format!("{HINT} Status=3"));
    assert_eq!(state(&stage), "dnd");
}

#[test]
fn a_list_of_channels_shows_calls_from_before() {
    let listed = "CoreShowChannel Channel=PJSIP/201-00000007 Uniqueid=7 Linkedid=7 ChannelState=6";
    let member = "QueueMember Queue=q Location=Local/201@from-queue/n Name=Ann StateInterface=hint:201@ext-local Paused=0";
    for (channels, found) in [(&[listed][..], "busy"), (&[], "dnd")] {
        let mut stage = free(HINT);
        stage.cut();
        assert_eq!(state(&stage), "unknown");
        let member = format!("{member} Status=2");
        let items: Vec<_> =
            ["QueueParams Queue=q", &member].into_iter().chain(channels.iter().copied()).collect();
        assert_eq!(state(stage.resync(&items)), found);
    }
}

#[test]
fn a_phone_called_otherwise_than_its_extension_may_be_any_until_one_is_called_so() {
    let mut stage = free(HINT);
    stage.event(&format!("{HINT} Status=2"));
    assert_eq!(state(&stage), "dnd");
    assert_eq!(state(stage.event(&channel("PJSIP/a201-1", 7))), "busy");
    stage.event("Hangup Uniqueid=7");
    assert_eq!(state(stage.at(2.0)), "dnd");

    // A PBX on which phones are called like their extensions.
    let other = HINT.replace("201", "202").replace("Ann", "Bob").replace("Queue=q", "Queue=r");
    stage
        .event(&format!("{other} Status=1"))
        .event(&channel("PJSIP/202-1", 8))
        .event(&format!("{other} Status=2"));
    stage.at(10.0).event("Hangup Uniqueid=8").event(&format!("{other} Status=1"));
    assert_eq!(state(stage.at(20.0).event(&channel("PJSIP/300-1", 9))), "dnd");
}

#[test]
fn a_call_of_a_trunk_that_showed_itself_leaves_no_phone_up() {
    let mut stage = free(HINT);
    stage.event("Newchannel Channel=PJSIP/carrier-1 Uniqueid=7 Linkedid=7 ChannelState=4 Context=from-trunk");
    stage.event("Hangup Uniqueid=7 Cause=16");
    assert_eq!(state(stage.at(9.0).event(&format!("{HINT} Status=2"))), "dnd");
}

#[test]
fn a_device_that_is_known_to_be_the_agent_s_goes_before_the_extension() {
    let mut stage = free(HINT);
    stage.event(&format!(
        "{} Status=1",
        DEVICE.replace("201", "a201").replace("Queue=q", "Queue=r")
    ));
    stage.event(&format!("{HINT} Status=2"));
    let agent = |stage: &Stage| stage.correlator.state(stage.now).agents[0].state.word();
    assert_eq!(agent(&stage), "dnd");
    assert_eq!(agent(stage.event(&channel("PJSIP/300-1", 7))), "dnd");
    assert_eq!(agent(stage.event(&channel("PJSIP/a201-1", 8))), "busy");
}

#[test]
fn a_custom_state_beside_a_device_is_do_not_disturb() {
    let member = DEVICE.replace("StateInterface=PJSIP/201", "StateInterface=Custom:DND201");
    let mut stage = free(&member);
    assert_eq!(state(stage.event(&format!("{member} Status=3"))), "dnd");
    assert_eq!(state(stage.event(&channel("PJSIP/300-1", 6))), "dnd");
    assert_eq!(state(stage.event(&channel("PJSIP/201-1", 7))), "busy");
}

#[test]
fn a_pool_agent_in_use_is_in_a_call_or_in_the_pool_s_wrap_up() {
    let member = HINT.replace("hint:201@ext-local", "Agent:1001");
    let mut stage = free(&member);
    assert_eq!(state(stage.event(&format!("{member} Status=2"))), "busy");
}

#[test]
fn wrap_up_goes_before_do_not_disturb_and_that_before_a_pause() {
    let wrapped = format!("{DEVICE} Wrapuptime=10");
    let mut stage = free(&wrapped);
    let talk = "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=PJSIP/201-1 Queue=q Interface=PJSIP/201 MemberName=Ann";
    stage
        .event(&format!("AgentConnect {talk}"))
        .at(5.0)
        .event(&format!("AgentComplete {talk} Reason=agent"));
    stage
        .event("Hangup Uniqueid=1.2")
        .event("Hangup Uniqueid=1.1")
        .event(&format!("{wrapped} Status=1"));
    assert_eq!(state(stage.event(&format!("{wrapped} Status=3"))), "wrapup");
    assert_eq!(state(stage.at(15.0)), "dnd");
    stage.event(&format!("{} Status=3", wrapped.replace("Paused=0", "Paused=1")));
    assert_eq!(state(&stage), "dnd");
}

#[test]
fn a_hint_in_use_whose_second_line_rings_is_reported_as_invalid_by_old_versions() {
    for (version, found) in [
        (Some((13, 38)), "busy"),
        (Some((16, 16)), "busy"),
        (Some((16, 17)), "unavailable"),
        (Some((18, 2)), "busy"),
        (Some((18, 3)), "unavailable"),
        (Some((22, 0)), "unavailable"),
        (None, "busy"),
    ] {
        let mut stage = Stage::live();
        if let Some((major, minor)) = version {
            stage.correlator.set_version(Version::new(major, minor));
        }
        stage
            .event(&format!("{HINT} Status=1"))
            .event(&format!("{HINT} Status=2"))
            .event(&format!("{HINT} Status=4"));
        assert_eq!(state(&stage), found, "{version:?}");
        // A pause in between repeats it.
        assert_eq!(state(stage.event(&format!("{HINT} Status=4"))), found, "{version:?}");
        assert_eq!(state(stage.event(&format!("{HINT} Status=2"))), "busy");
    }
}

#[test]
fn an_invalid_device_is_unavailable_all_the_same() {
    for (member, before) in [(HINT, 1), (HINT, 5), (DEVICE, 2), (DEVICE, 6)] {
        let mut stage = Stage::live();
        stage.event(&format!("{member} Status={before}"));
        assert_eq!(
            state(stage.event(&format!("{member} Status=4"))),
            "unavailable",
            "{member} {before}"
        );
    }
}

#[test]
fn a_pool_agent_who_leaves_the_caller_is_free_at_once() {
    // The Local channel to the agent was optimised away; the agent presses `*` and waits in the
    // pool again.
    let member = "QueueMemberStatus Queue=q MemberName=Ann Paused=0 Interface=Local/1001@pool StateInterface=Agent:1001";
    let talk = "Uniqueid=1 DestUniqueid=2 DestChannel=Local/1001@pool-1;1 Queue=q Interface=Local/1001@pool MemberName=Ann";
    let (talks, waits) = (
        "BridgeUniqueid=t BridgeTechnology=simple_bridge",
        "BridgeUniqueid=h BridgeTechnology=holding_bridge",
    );
    let mut stage = free(member);
    stage
        .event("Newchannel Uniqueid=9 Linkedid=9 Channel=PJSIP/106-1")
        .event(&format!("BridgeEnter {waits} Uniqueid=9"));
    stage.event("QueueCallerJoin Uniqueid=1 Queue=q").event(&format!("AgentConnect {talk}"));
    stage
        .event(&format!("BridgeEnter {talks} Uniqueid=2"))
        .event(&format!("BridgeEnter {talks} Uniqueid=1"));
    stage
        .event(&format!("BridgeEnter {talks} Uniqueid=9 SwapUniqueid=2"))
        .event("Hangup Uniqueid=2");
    stage.event(&format!("{member} Status=2"));
    assert_eq!(state(stage.at(4.0)), "talking");

    stage
        .at(10.0)
        .event(&format!("BridgeLeave {talks} Uniqueid=9"))
        .event(&format!("BridgeEnter {waits} Uniqueid=9"));
    stage.event(&format!("{member} Status=1"));
    assert_eq!((state(&stage), stage.inside()), ("available", (0, 1)));
    assert_eq!((state(stage.at(15.0)), stage.inside()), ("available", (0, 0)));
    assert_eq!((stage.count("q complete Ann unknown"), stage.sum("q talk Ann")), (1, 10.0));
}

#[test]
fn who_waits_together_in_a_holding_bridge_does_not_talk() {
    let waits = "BridgeUniqueid=h BridgeTechnology=holding_bridge";
    let listed = "BridgeId=h Application=AgentLogin ChannelState=6 Linkedid=7";
    let mut stage = Stage::live();
    for number in [7, 8] {
        stage
            .event(&channel("PJSIP/106-1", number))
            .event(&format!("BridgeEnter {waits} Uniqueid={number}"));
    }
    stage.at(30.0);
    // Nor after a list, which does not say what a bridge is for.
    let items = ["7", "8"]
        .map(|number| format!("CoreShowChannel Channel=PJSIP/106-1 Uniqueid={number} {listed}"));
    stage.resync(&items.each_ref().map(String::as_str));
    stage
        .at(60.0)
        .event("Hangup Uniqueid=7 Cause=16")
        .event("Hangup Uniqueid=8 Cause=16")
        .at(120.0);
    let talked: Vec<_> =
        stage.tally.sums.keys().filter(|what| what.starts_with("call talk")).collect();
    assert!(talked.is_empty(), "{talked:?}");
}

#[test]
fn a_waiting_caller_who_is_parked_is_out_of_the_queue() {
    let mut stage = Stage::live();
    stage.event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    stage.event("BridgeEnter BridgeUniqueid=lot BridgeTechnology=holding_bridge Uniqueid=1.1");
    assert_eq!((stage.count("q exit redirected"), stage.inside()), (1, (0, 0)));
}

#[test]
fn a_talk_is_over_when_the_caller_is_parked() {
    // The agent's leg hears the number of the space, alone in the bridge, and then hangs up.
    let talk = "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=PJSIP/201-1 Queue=q Interface=PJSIP/201 MemberName=Ann";
    let mut stage = free(DEVICE);
    stage.event("QueueCallerJoin Uniqueid=1.1 Queue=q").event(&format!("AgentConnect {talk}"));
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage.at(4.0).event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1");
    stage.event("BridgeEnter BridgeUniqueid=lot BridgeType=parking BridgeTechnology=holding_bridge Uniqueid=1.1");
    stage.at(7.0).event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2").event("Hangup Uniqueid=1.2");
    stage.at(9.0);
    assert_eq!(
        (stage.count("q complete Ann unknown"), stage.sum("q talk Ann"), stage.inside()),
        (1, 4.0, (0, 0))
    );
}

#[test]
fn a_phone_that_the_member_s_local_channel_dialled_is_the_member_s() {
    let talk = "Uniqueid=1 DestUniqueid=2 DestChannel=Local/201@from-queue-1;1 Queue=q \
                Interface=Local/201@from-queue/n MemberName=Ann";
    let dial = "DialBegin Uniqueid=3 Channel=Local/201@from-queue-1;2 DestUniqueid=4 DestChannel=PJSIP/desk-1";
    let mut stage = free(HINT);
    stage.event("QueueCallerJoin Uniqueid=1 Queue=q").event(&format!("AgentCalled {talk}"));
    stage.event("Newchannel Uniqueid=3 Linkedid=1 Channel=Local/201@from-queue-1;2");
    stage.event("LocalBridge LocalOneUniqueid=2 LocalTwoUniqueid=3");
    stage.event("Newchannel Uniqueid=4 Linkedid=1 Channel=PJSIP/desk-1").event(dial);
    stage
        .event(&format!("AgentConnect {talk}"))
        .at(5.0)
        .event(&format!("AgentComplete {talk} Reason=caller"));
    for number in [4, 3, 2, 1] {
        stage.event(&format!("Hangup Uniqueid={number}"));
    }

    // From now on it is known, so nobody else's call is taken for hers.
    stage.at(60.0).event(&format!("{HINT} Status=2")).event(&channel("PJSIP/other-1", 8));
    assert_eq!(state(&stage), "dnd");
    assert_eq!(state(stage.event(&channel("PJSIP/desk-2", 9))), "busy");
}
