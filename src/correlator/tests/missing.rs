//! What never comes is named once it is proven, and a PBX on which nothing happens lacks nothing.

use super::*;

impl Stage {
    /// A list of queues in mid-session, behind its barrier.
    fn list(&mut self, items: &[&str]) -> &mut Self {
        self.correlator.begin_listing();
        self.correlator.reconcile(self.now, &snapshot(items), &mut self.tally);
        self
    }

    /// What is missing now, by its words.
    fn missing(&self) -> Vec<&'static str> {
        self.correlator.missing(self.now).iter().map(Word::word).collect()
    }

    /// A live PBX whose account reads every class, as far as a login shows.
    fn logged_in() -> Self {
        let mut stage = Self::live();
        stage.correlator.begin_session();
        stage.event("FullyBooted Uptime=7").resync(&[IDLE, MEMBER]);
        stage
    }
}

const NOTHING: [&str; 0] = [];
const IDLE: &str = "QueueParams Queue=q Holdtime=4 Completed=9 Abandoned=2";
const MEMBER: &str =
    "QueueMember Queue=q Name=Ann Location=SIP/201 Membership=static Status=1 Paused=0";

#[test]
fn a_pbx_on_which_nothing_happens_lacks_nothing() {
    let mut stage = Stage::logged_in();
    for minute in 1..=1440 {
        stage.at(f64::from(minute) * 60.0).list(&[IDLE, MEMBER]);
        assert_eq!(stage.missing(), NOTHING);
    }
}

#[test]
fn a_caller_who_came_in_this_session_and_waits_in_two_lists_had_a_join() {
    let mut stage = Stage::logged_in();
    stage.at(60.0).list(&[
        IDLE,
        MEMBER,
        "QueueEntry Queue=q Uniqueid=1.1 Channel=SIP/trunk-1 Wait=20",
    ]);
    stage.at(100.0);
    assert_eq!(stage.missing(), NOTHING);
    stage.at(120.0).list(&[
        IDLE,
        MEMBER,
        "QueueEntry Queue=q Uniqueid=1.1 Channel=SIP/trunk-1 Wait=80",
    ]);
    assert_eq!(stage.missing(), ["class_call", "class_agent"]);
}

#[test]
fn a_caller_who_waits_since_before_the_session_proves_nothing() {
    let mut stage = Stage::logged_in();
    for minute in 1..=10_u32 {
        let wait = 300 + minute * 60;
        let entry = format!("QueueEntry Queue=q Uniqueid=1.1 Channel=SIP/trunk-1 Wait={wait}");
        stage.at(f64::from(minute) * 60.0).list(&[IDLE, MEMBER, &entry]);
        assert_eq!(stage.missing(), NOTHING);
    }
}

#[test]
fn an_answered_caller_moves_the_average_hold_time() {
    let mut stage = Stage::logged_in();
    stage.at(60.0).list(&["QueueParams Queue=q Holdtime=5", MEMBER]);
    assert_eq!(stage.missing(), NOTHING);
    stage.at(120.0).list(&["QueueParams Queue=q Holdtime=7", MEMBER]);
    assert_eq!(stage.missing(), ["class_call", "class_agent", "class_dialplan"]);
}

#[test]
fn counters_that_queue_update_raises_and_a_reset_prove_nothing() {
    let mut stage = Stage::logged_in();
    for (minute, hold) in [(1, 0), (2, 4), (3, 0)] {
        let params =
            format!("QueueParams Queue=q Holdtime={hold} Completed={minute} Abandoned={minute}");
        stage.at(f64::from(minute) * 60.0).list(&[&params, MEMBER]);
    }
    // From 0 to 4 is one answered caller, and one list is no proof.
    assert_eq!(stage.at(300.0).missing(), NOTHING);
}

#[test]
fn members_whose_state_changes_from_list_to_list_have_events() {
    let mut stage = Stage::logged_in();
    stage.at(60.0).list(&[IDLE, "QueueMember Queue=q Name=Ann Location=SIP/201 Status=2 Paused=0"]);
    assert_eq!(stage.missing(), NOTHING);
    stage.at(120.0).list(&[IDLE, MEMBER]);
    assert_eq!(stage.missing(), ["class_agent"]);
    // Any other event of the class, and only this one is missing.
    stage.event("QueueCallerAbandon Queue=q Uniqueid=1.1 Channel=SIP/trunk-1");
    assert_eq!(stage.missing(), ["event_queue_member_status"]);
    stage.event("QueueMemberStatus Queue=q MemberName=Ann Interface=SIP/201 Status=2 Paused=0");
    assert_eq!(stage.missing(), NOTHING);
}

#[test]
fn pauses_and_seats_of_dynamic_members_have_events_too() {
    let status = "QueueMemberStatus Queue=q MemberName=Ann Interface=SIP/201 Status=1 Paused=0";
    let dynamic = |paused| {
        format!(
            "QueueMember Queue=q Name=Bob Location=SIP/202 Membership=dynamic Status=1 Paused={paused}"
        )
    };
    let mut stage = Stage::logged_in();
    stage.event(status).at(60.0).list(&[IDLE, MEMBER, &dynamic(0)]);
    stage.at(120.0).list(&[IDLE, MEMBER, &dynamic(1)]);
    stage.at(180.0).list(&[IDLE, MEMBER, &dynamic(0)]);
    assert_eq!(stage.missing(), ["event_queue_member_pause"]);
    stage.at(240.0).list(&[IDLE, MEMBER]);
    stage.at(300.0).list(&[IDLE, MEMBER, &dynamic(0)]);
    assert_eq!(stage.missing(), ["event_queue_member_pause", "event_queue_member_added"]);
    stage.at(360.0).list(&[IDLE, MEMBER]);
    let all =
        ["event_queue_member_pause", "event_queue_member_added", "event_queue_member_removed"];
    assert_eq!(stage.missing(), all);
}

#[test]
fn pauses_of_a_realtime_member_may_be_written_into_the_database() {
    let paused =
        "QueueMember Queue=q Name=Ann Location=SIP/201 Membership=static Status=1 Paused=1";
    let mut stage = Stage::logged_in();
    for minute in 1..=10 {
        let member = if minute % 2 == 0 { MEMBER } else { paused };
        stage.at(f64::from(minute) * 60.0).list(&[IDLE, member]);
        assert_eq!(stage.missing(), NOTHING);
    }
}

#[test]
fn members_of_a_queue_that_a_reload_took_away_go_without_an_event() {
    let other = "QueueParams Queue=r";
    let dynamic =
        "QueueMember Queue=r Name=Bob Location=SIP/202 Membership=dynamic Status=1 Paused=0";
    let mut stage = Stage::logged_in();
    stage.event("QueueMemberStatus Queue=q MemberName=Ann Interface=SIP/201 Status=1 Paused=0");
    stage.event("QueueMemberAdded Queue=r MemberName=Bob Interface=SIP/202 Membership=dynamic Status=1 Paused=0");
    for minute in 1..=6 {
        let items: &[&str] =
            if minute % 2 == 0 { &[IDLE, MEMBER] } else { &[IDLE, MEMBER, other, dynamic] };
        stage.at(f64::from(minute) * 60.0).list(items);
        assert_eq!(stage.missing(), NOTHING);
    }
}

#[test]
fn a_login_without_fully_booted_is_of_an_account_without_class_system() {
    let mut stage = Stage::live();
    stage.correlator.begin_session();
    stage.resync(&[IDLE, MEMBER]).at(60.0).list(&[IDLE, MEMBER]);
    assert_eq!(stage.missing(), NOTHING);
    stage.at(120.0).list(&[IDLE, MEMBER]);
    assert_eq!(stage.missing(), ["class_system"]);
    // It was still starting.
    stage.event("FullyBooted Uptime=130");
    assert_eq!(stage.missing(), NOTHING);
}

#[test]
fn events_without_time_stamps_are_noticed_and_those_that_never_have_one_are_not_asked_for() {
    let mut stage = Stage::logged_in();
    for call in 1..=9 {
        stage.event(&format!("Newchannel Uniqueid=1.{call} Channel=SIP/trunk-{call}"));
        stage
            .event("FullyBooted Uptime=8")
            .event("OriginateResponse Channel=SIP/1 Uniqueid=<unknown> Reason=0");
        // An item of ExtensionStateList.
        stage.event(&format!(
            "ExtensionStatus Exten=20{call} Context=ext-local Hint=SIP/20{call} Status=0"
        ));
    }
    assert_eq!(stage.missing(), NOTHING);
    stage.event("Newchannel Uniqueid=1.10 Channel=SIP/trunk-10");
    assert_eq!(stage.missing(), ["timestamps"]);
    stage.event("Newchannel Uniqueid=1.11 Channel=SIP/trunk-11 Timestamp=1000000.100000");
    assert_eq!(stage.missing(), NOTHING);
}

#[test]
fn channelvars_stand_in_for_var_set() {
    let mut stage = Stage::logged_in();
    for call in 1..=9 {
        let caller = format!("Uniqueid=1.{call} Channel=SIP/trunk-{call} Timestamp=1000001.000000");
        stage.event(&format!("Newchannel {caller} ChanVariable=QUEUESTATUS="));
        stage.event(&format!("QueueCallerJoin Queue=q {caller} ChanVariable=QUEUESTATUS="));
        stage.event(&format!("QueueCallerLeave Queue=q {caller} ChanVariable=QUEUESTATUS="));
    }
    assert_eq!(stage.at(60.0).missing(), NOTHING);
}

#[test]
fn callers_who_were_up_before_the_session_prove_nothing() {
    let mut stage = Stage::live();
    stage.correlator.begin_session();
    let ups: Vec<_> = (1..=5)
        .map(|call| {
            format!(
                "CoreShowChannel Uniqueid=1.{call} Channel=SIP/trunk-{call} Application=Playback"
            )
        })
        .collect();
    let items: Vec<_> = ups.iter().map(String::as_str).chain([IDLE, MEMBER]).collect();
    stage.event("FullyBooted Uptime=7").resync(&items);
    for call in 1..=5 {
        stage.at(f64::from(call) * 30.0);
        stage.event(&format!(
            "QueueCallerJoin Queue=q Uniqueid=1.{call} Channel=SIP/trunk-{call} Timestamp=1000001.000000"
        ));
    }
    assert_eq!(stage.at(600.0).missing(), NOTHING);
}

#[test]
fn a_new_login_begins_with_nothing_proven() {
    let mut stage = Stage::logged_in();
    for call in 1..=3 {
        stage.event(&format!(
            "QueueCallerJoin Queue=q Uniqueid=1.{call} Channel=SIP/trunk-{call} Timestamp=1000001.000000"
        ));
    }
    assert_eq!(stage.at(30.0).missing(), ["class_call"]);
    stage.cut();
    assert_eq!(stage.missing(), ["class_call"]);
    stage.correlator.begin_session();
    assert_eq!(stage.missing(), NOTHING);
}

#[test]
fn transfers_have_events() {
    let mut stage = Stage::logged_in();
    for call in 1..=3 {
        let caller = format!("Uniqueid=1.{call} Channel=SIP/trunk-{call}");
        stage
            .event(&format!("Newchannel {caller} Timestamp=1000001.000000"))
            .event(&format!("QueueCallerJoin Queue=q {caller}"));
        stage
            .event(&format!("BridgeLeave BridgeUniqueid=b {caller}"))
            .event(&format!("QueueCallerLeave Queue=q {caller} ChanVariable=QUEUESTATUS="));
        let agent = format!(
            "DestUniqueid=2.{call} DestChannel=SIP/201-{call} Interface=SIP/201 MemberName=Ann"
        );
        stage
            .event(&format!("AgentConnect Queue=q {caller} {agent}"))
            .event(&format!("BridgeEnter BridgeUniqueid=b {caller}"));
        stage.event(&format!("AgentComplete Queue=q {caller} {agent} Reason=transfer"));
    }
    assert_eq!(stage.at(31.0).missing(), ["event_transfer"]);
}
