//! Since when agents are in a state, talk, are logged in, and when their last call ended.

use super::*;

const MEMBER: &str = "Queue=q Interface=SIP/201 MemberName=Ann Membership=dynamic";
const LISTED: &str = "QueueMember Queue=q Location=SIP/201 Name=Ann Membership=dynamic";
const TALK: &str =
    "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/201-2 Queue=q Interface=SIP/201 MemberName=Ann";

/// Ann's state, since when she is in it and talks: seconds of the test.
fn since(stage: &Stage) -> (&'static str, Option<f64>, Option<f64>) {
    let now = ann(stage);
    (now.state.word(), now.since.map(seconds), now.talk_since.map(seconds))
}

fn ann(stage: &Stage) -> AgentNow {
    let names = stage.correlator.names();
    let is_ann = |now: &&AgentNow| names.agents.name(now.agent) == "Ann";
    *stage.correlator.state(stage.now).agents.iter().find(is_ann).expect("Ann is known")
}

fn login(stage: &Stage) -> Option<f64> {
    ann(stage).login.map(seconds)
}

fn last_call(stage: &Stage) -> Option<f64> {
    ann(stage).last_call.map(seconds)
}

fn seconds(moment: Moment) -> f64 {
    (i128::from(moment.as_micros()) - i128::from(START.as_micros())) as f64 / 1e6
}

/// The same second by the clock of a PBX that is an hour and a quarter of a second behind ours.
fn theirs(second: f64) -> String {
    let behind = START.as_micros() as f64 / 1e6 - 3600.25;
    format!("{:.6}", behind + second)
}

/// The fields of a second of the test, as that PBX writes it: whole seconds.
fn field(second: f64) -> u64 {
    theirs(second).split('.').next().unwrap().parse().unwrap()
}

/// Lists of that PBX, now.
fn lists(stage: &mut Stage, items: &[&str]) -> Snapshot {
    let mut list = snapshot(&[&["QueueParams Queue=q"], items].concat());
    list.dated(stage.now.before(Duration::from_millis(3_600_250)));
    list
}

fn login_again(stage: &mut Stage, items: &[&str]) {
    let list = lists(stage, items);
    stage.correlator.resync(stage.now, &list, &mut stage.tally);
}

fn list_again(stage: &mut Stage, items: &[&str]) {
    stage.correlator.begin_listing();
    let list = lists(stage, items);
    stage.correlator.reconcile(stage.now, &list, &mut stage.tally);
}

/// Ann takes the call of channel 1.1 at that second.
fn talk(stage: &mut Stage, second: f64) {
    stage.at(second).event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    stage
        .event(&format!("AgentConnect {TALK}"))
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
}

#[test]
fn a_state_that_events_report_began_with_its_event() {
    let mut stage = Stage::live();
    stage.at(1.5).event(&format!("QueueMemberAdded {MEMBER} Status=1 Paused=0"));
    assert_eq!(since(&stage), ("available", Some(1.5), None));
    stage.at(2.0).event(&format!("QueueMemberStatus {MEMBER} Status=1 Paused=0"));
    assert_eq!(since(&stage), ("available", Some(1.5), None));

    stage.at(3.0).event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    stage.event(&format!("AgentCalled {TALK}"));
    assert_eq!(since(&stage), ("ringing", Some(3.0), None));
    talk(&mut stage, 5.0);
    assert_eq!(since(&stage), ("talking", Some(5.0), Some(5.0)));
    stage.at(9.0).event("Hold Uniqueid=1.2");
    assert_eq!(since(&stage), ("on_hold", Some(9.0), Some(5.0)));
    stage.at(11.0).event("Unhold Uniqueid=1.2");
    assert_eq!(since(&stage), ("talking", Some(11.0), Some(5.0)));
    stage.at(20.0).event(&format!("AgentComplete {TALK} Reason=caller"));
    assert_eq!(since(&stage), ("available", Some(20.0), None));
}

#[test]
fn a_pause_for_another_reason_is_another_and_the_same_again_is_not() {
    let mut stage = Stage::live();
    stage.event(&format!("QueueMemberAdded {MEMBER} Status=1 Paused=0"));
    let pause =
        |reason| format!("QueueMemberPause {MEMBER} Status=1 Paused=1 PausedReason={reason}");
    let reason =
        |stage: &Stage| stage.correlator.names().reasons.name(ann(stage).reason).to_owned();

    stage.at(10.0).event(&pause("lunch"));
    assert_eq!((since(&stage), reason(&stage).as_str()), (("paused", Some(10.0), None), "lunch"));
    stage.at(20.0).event(&pause("lunch"));
    assert_eq!((since(&stage), reason(&stage).as_str()), (("paused", Some(10.0), None), "lunch"));
    stage.at(30.0).event(&pause("training"));
    assert_eq!(
        (since(&stage), reason(&stage).as_str()),
        (("paused", Some(30.0), None), "training")
    );
    stage.at(40.0).event(&format!("QueueMemberPause {MEMBER} Status=1 Paused=0"));
    assert_eq!((since(&stage), reason(&stage).as_str()), (("available", Some(40.0), None), ""));
}

#[test]
fn an_agent_in_two_queues_is_paused_since_the_second_pause() {
    let mut stage = Stage::live();
    let other = MEMBER.replace("Queue=q", "Queue=r");
    for member in [MEMBER, &other] {
        stage.event(&format!("QueueMemberAdded {member} Status=1 Paused=0"));
    }
    stage.at(5.0).event(&format!("QueueMemberPause {MEMBER} Status=1 Paused=1"));
    assert_eq!(since(&stage), ("available", Some(0.0), None));
    stage.at(8.0).event(&format!("QueueMemberPause {other} Status=1 Paused=1"));
    assert_eq!(since(&stage), ("paused", Some(8.0), None));
    // Removed here, the agent is paused as before; without any place the agent is gone.
    stage.at(9.0).event(&format!("QueueMemberRemoved {other} Status=1 Paused=1"));
    assert_eq!(since(&stage), ("paused", Some(8.0), None));
    stage.at(12.0).event(&format!("QueueMemberRemoved {MEMBER} Status=1 Paused=1"));
    assert_eq!(since(&stage), ("unavailable", Some(12.0), None));
}

#[test]
fn what_a_list_shows_began_when_a_field_says_so_or_nobody_knows() {
    let mut stage = Stage::live();
    let paused = format!("{LISTED} Status=1 Paused=1 LastPause={}", field(-90.0));
    stage.at(100.0);
    login_again(&mut stage, &[&paused]);
    // Half a second before, for the field has whole seconds.
    assert_eq!(since(&stage), ("paused", Some(-90.75), None));

    // A call that was wrapped up for 10 s goes before the pause that began while it went on.
    let mut stage = Stage::live();
    stage.at(100.0);
    let called = format!("{paused} LastCall={} Wrapuptime=10", field(50.0));
    login_again(&mut stage, &[&called]);
    assert_eq!(since(&stage), ("paused", Some(59.25), None));
    assert_eq!(last_call(&stage), Some(49.25));

    // In wrap-up since the end of the call.
    let mut stage = Stage::live();
    stage.at(100.0);
    let wraps = format!("{LISTED} Status=1 Paused=0 LastCall={} Wrapuptime=10", field(95.0));
    login_again(&mut stage, &[&wraps]);
    assert_eq!(since(&stage), ("wrapup", Some(94.25), None));
    stage.at(104.25);
    assert_eq!(since(&stage), ("available", Some(104.25), None));

    for (fields, state) in [
        ("Status=1 Paused=1", "paused"),
        ("Status=1 Paused=1 LastPause=0", "paused"),
        ("Status=1 Paused=0", "available"),
        ("Status=5 Paused=0", "unavailable"),
        ("Status=2 Paused=0", "busy"),
        ("Status=6 Paused=0", "ringing"),
    ] {
        let mut stage = Stage::live();
        stage.at(100.0);
        login_again(&mut stage, &[&format!("{LISTED} {fields}")]);
        assert_eq!(since(&stage), (state, None, None), "{fields}");
    }
}

#[test]
fn a_number_of_the_pbx_that_cannot_be_true_tells_nothing() {
    for (fields, started) in [
        // The future, and before the PBX was started.
        (format!("LastPause={}", field(102.0)), 0),
        (format!("LastPause={}", field(50.0)), 40),
    ] {
        let mut stage = Stage::live();
        stage.at(100.0).event(&format!("FullyBooted Uptime={started}"));
        login_again(&mut stage, &[&format!("{LISTED} Status=1 Paused=1 {fields}")]);
        assert_eq!(since(&stage), ("paused", None, None), "{fields}");
    }
    let mut stage = Stage::live();
    stage.at(100.0).event("FullyBooted Uptime=60");
    login_again(&mut stage, &[&format!("{LISTED} Status=1 Paused=1 LastPause={}", field(50.0))]);
    assert_eq!(since(&stage), ("paused", Some(49.25), None));
}

#[test]
fn over_a_gap_a_pause_and_a_talk_go_on_and_the_rest_is_not_known() {
    // The link is lost from 20 to 30.
    let gap = |stage: &mut Stage, items: &[&str]| {
        stage.at(20.0).cut();
        assert_eq!(since(stage), ("unknown", Some(20.0), None));
        stage.at(30.0);
        login_again(stage, items);
    };
    let mut stage = Stage::live();
    stage.event(&format!("QueueMemberAdded {MEMBER} Status=1 Paused=0"));
    gap(&mut stage, &[&format!("{LISTED} Status=1 Paused=0")]);
    assert_eq!(since(&stage), ("available", None, None));

    let mut stage = Stage::live();
    stage.event(&format!("QueueMemberAdded {MEMBER} Status=1 Paused=0"));
    let fields = format!("LastPause={}", field(10.0));
    let stamp = theirs(10.0);
    stage
        .at(10.0)
        .event(&format!("QueueMemberPause {MEMBER} Status=1 Paused=1 Timestamp={stamp} {fields}"));
    gap(&mut stage, &[&format!("{LISTED} Status=1 Paused=1 {fields}")]);
    assert_eq!(since(&stage), ("paused", Some(9.25), None));

    // The talk, and whether it was on hold, as far as that is the same behind the gap.
    let channels = [
        "CoreShowChannel Uniqueid=1.1 Linkedid=1.1 Channel=SIP/trunk-1 Application=Queue ApplicationData=q BridgeId=b",
        "CoreShowChannel Uniqueid=1.2 Linkedid=1.1 Channel=SIP/201-2 Application=AppQueue BridgeId=b",
    ];
    let member = format!("{LISTED} Status=2 Paused=0");
    let mut stage = Stage::live();
    stage.event(&format!("QueueMemberAdded {MEMBER} Status=1 Paused=0"));
    stage.event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1");
    talk(&mut stage, 5.0);
    gap(&mut stage, &[&member, channels[0], channels[1]]);
    assert_eq!(since(&stage), ("talking", Some(5.0), Some(5.0)));

    // Another caller: the talk of before is over, and when this one began is hidden.
    let mut stage = Stage::live();
    stage.event(&format!("QueueMemberAdded {MEMBER} Status=1 Paused=0"));
    talk(&mut stage, 5.0);
    let others = channels.map(|channel| channel.replace("=1.", "=2."));
    gap(&mut stage, &[&member, &others[0], &others[1]]);
    stage.at(33.0);
    assert_eq!((since(&stage).0, since(&stage).2), ("talking", None));
}

#[test]
fn a_list_in_mid_session_shows_no_beginning() {
    let mut stage = Stage::live();
    stage.event(&format!("QueueMemberAdded {MEMBER} Status=1 Paused=0"));
    // Nothing differs.
    stage.at(10.0);
    list_again(&mut stage, &[&format!("{LISTED} Status=1 Paused=0")]);
    assert_eq!(since(&stage), ("available", Some(0.0), None));
    // A realtime member is paused without an event.
    stage.at(20.0);
    list_again(&mut stage, &[&format!("{LISTED} Status=1 Paused=1 LastPause={}", field(15.0))]);
    assert_eq!(since(&stage), ("paused", Some(14.25), None));
    stage.at(30.0);
    list_again(&mut stage, &[&format!("{LISTED} Status=1 Paused=0 LastPause={}", field(15.0))]);
    assert_eq!(since(&stage), ("available", None, None));
    // Events are seen again.
    stage.at(31.0).event(&format!("QueueMemberStatus {MEMBER} Status=5 Paused=0"));
    assert_eq!(since(&stage), ("unavailable", Some(31.0), None));
}

#[test]
fn the_first_event_of_a_member_that_no_list_had_shows_no_beginning() {
    let mut stage = Stage::live();
    stage.at(10.0).event(&format!("QueueMemberStatus {MEMBER} Status=5 Paused=0"));
    assert_eq!(since(&stage), ("unavailable", None, None));
    stage.at(11.0).event(&format!("QueueMemberStatus {MEMBER} Status=1 Paused=0"));
    assert_eq!(since(&stage), ("available", Some(11.0), None));

    let mut stage = Stage::live();
    let (stamp, paused, began) = (theirs(10.0), field(4.0), field(1.0));
    stage.at(10.0).event(&format!(
        "QueueMemberStatus {MEMBER} Status=1 Paused=1 Timestamp={stamp} LastPause={paused} LoginTime={began}"
    ));
    assert_eq!(since(&stage), ("paused", Some(3.25), None));
    assert_eq!(login(&stage), Some(0.25));
}

#[test]
fn the_first_place_is_a_login_and_the_last_a_logoff() {
    let mut stage = Stage::live();
    let other = MEMBER.replace("Queue=q", "Queue=r");
    let counts = |stage: &Stage| (stage.count("login Ann"), stage.count("logoff Ann"));

    stage.at(1.0).event(&format!("QueueMemberAdded {MEMBER} Status=1 Paused=0"));
    assert_eq!((counts(&stage), login(&stage)), ((1, 0), Some(1.0)));
    stage.at(2.0).event(&format!("QueueMemberAdded {other} Status=1 Paused=0"));
    assert_eq!((counts(&stage), login(&stage)), ((1, 0), Some(1.0)));
    // The place that was taken first is left first.
    stage.at(3.0).event(&format!("QueueMemberRemoved {MEMBER} Status=1 Paused=0"));
    assert_eq!((counts(&stage), login(&stage)), ((1, 0), Some(1.0)));
    stage.at(4.0).event(&format!("QueueMemberRemoved {other} Status=1 Paused=0"));
    assert_eq!((counts(&stage), login(&stage)), ((1, 1), None));
    stage.at(5.0).event(&format!("QueueMemberAdded {other} Status=1 Paused=0"));
    assert_eq!((counts(&stage), login(&stage)), ((2, 1), Some(5.0)));

    // Once more removed, as it is not there, and a configured place.
    stage.event(&format!("QueueMemberRemoved {MEMBER} Status=1 Paused=0"));
    let configured =
        MEMBER.replace("dynamic", "static").replace("Ann", "Ben").replace("201", "202");
    stage.event(&format!("QueueMemberStatus {configured} Status=1 Paused=0"));
    assert_eq!((counts(&stage), login(&stage)), ((2, 1), Some(5.0)));
    assert_eq!((stage.count("login Ben"), stage.count("logoff Ben")), (0, 0));
}

#[test]
fn a_list_is_no_login_but_shows_since_when_there_is_one() {
    let mut stage = Stage::live();
    let other = LISTED.replace("Queue=q", "Queue=r");
    let [first, second] = [field(-60.0), field(-30.0)];
    let both = [
        format!("{other} Status=1 Paused=0 LoginTime={first}"),
        format!("{LISTED} Status=1 Paused=0 LoginTime={second}"),
    ];
    login_again(&mut stage, &[&both[0], &both[1]]);
    assert_eq!(login(&stage), Some(-60.75));
    assert_eq!(stage.count("login Ann"), 0);

    // One place from before the gap: the agent was there all the time.
    stage.event(&format!("QueueMemberRemoved {} Status=1 Paused=0", MEMBER.replace("=q", "=r")));
    assert_eq!(login(&stage), Some(-60.75));
    stage.at(20.0).cut().at(30.0);
    login_again(&mut stage, &[&both[1]]);
    assert_eq!((login(&stage), stage.count("logoff Ann")), (Some(-60.75), 0));

    // Another place since the gap: a login that no event has reported.
    stage.at(40.0).cut().at(60.0);
    login_again(&mut stage, &[&format!("{LISTED} Status=1 Paused=0 LoginTime={}", field(50.0))]);
    assert_eq!((login(&stage), stage.count("login Ann")), (Some(49.25), 0));
    stage.event(&format!("QueueMemberRemoved {MEMBER} Status=1 Paused=0"));
    assert_eq!((login(&stage), stage.count("logoff Ann")), (None, 1));

    // Versions without the field.
    stage.at(70.0).cut().at(71.0);
    login_again(&mut stage, &[&format!("{LISTED} Status=1 Paused=0")]);
    assert_eq!(login(&stage), None);
}

#[test]
fn events_that_come_behind_the_list_that_shows_them_are_logins_and_logoffs() {
    let mut stage = Stage::live();
    stage.at(10.0);
    list_again(&mut stage, &[&format!("{LISTED} Status=1 Paused=0 LoginTime={}", field(9.9))]);
    assert_eq!((login(&stage), stage.count("login Ann")), (Some(9.25), 0));
    stage.at(10.1).event(&format!("QueueMemberAdded {MEMBER} Status=1 Paused=0"));
    assert_eq!((login(&stage), stage.count("login Ann")), (Some(10.1), 1));

    stage.at(20.0);
    list_again(&mut stage, &[]);
    assert_eq!((login(&stage), stage.count("logoff Ann")), (None, 0));
    stage.at(20.1).event(&format!("QueueMemberRemoved {MEMBER} Status=1 Paused=0"));
    stage.event(&format!("QueueMemberRemoved {MEMBER} Status=1 Paused=0"));
    assert_eq!(stage.count("logoff Ann"), 1);
}

#[test]
fn the_last_call_is_the_latest_of_all_queues() {
    let mut stage = Stage::live();
    let other = MEMBER.replace("Queue=q", "Queue=r");
    for (member, last) in [(MEMBER, 0), (&other, field(-30.0))] {
        let stamp = theirs(0.0);
        stage.event(&format!(
            "QueueMemberAdded {member} Status=1 Paused=0 Timestamp={stamp} LastCall={last}"
        ));
    }
    assert_eq!(last_call(&stage), Some(-30.75));
    talk(&mut stage, 5.0);
    stage.at(20.0).event(&format!("AgentComplete {TALK} Reason=caller"));
    assert_eq!(last_call(&stage), Some(20.0));
    // The same end as the field has it, and statistics that are reset.
    for last in [field(20.0), 0] {
        stage
            .at(21.0)
            .event(&format!("QueueMemberStatus {MEMBER} Status=1 Paused=0 LastCall={last}"));
        assert_eq!(last_call(&stage), Some(20.0));
    }
}

#[test]
fn another_place_in_the_same_state_changes_nothing() {
    let other = MEMBER.replace("Queue=q", "Queue=r");
    let listed = LISTED.replace("Queue=q", "Queue=s");
    for fields in ["Status=1 Paused=1", "Status=5 Paused=0"] {
        let mut stage = Stage::live();
        stage.event(&format!("QueueMemberAdded {MEMBER} Status=1 Paused=0"));
        stage.at(5.0).event(&format!("QueueMemberPause {MEMBER} {fields}"));
        let before = since(&stage);
        assert_eq!((before.1, before.2), (Some(5.0), None));

        stage.at(10.0).event(&format!("QueueMemberAdded {other} {fields}"));
        assert_eq!(since(&stage), before);
        let third = MEMBER.replace("Queue=q", "Queue=t");
        stage.at(15.0).event(&format!("QueueMemberStatus {third} {fields}"));
        assert_eq!(since(&stage), before);
        let all = [LISTED, &LISTED.replace("=q", "=r"), &LISTED.replace("=q", "=t"), &listed];
        let all = all.map(|member| format!("{member} {fields}"));
        stage.at(20.0);
        list_again(&mut stage, &all.each_ref().map(String::as_str));
        assert_eq!((since(&stage).0, login(&stage)), (before.0, Some(0.0)));
    }
}
