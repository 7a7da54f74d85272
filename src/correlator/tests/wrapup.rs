//! Wrap-up: whose time counts, in which queues, and from when.

use super::*;

const MEMBER: &str = "QueueMemberStatus Interface=SIP/201 MemberName=Ann Status=1 Paused=0";

/// A PBX whose queue `q` has 20 s, and all others 5 s; Ann is a member of `q` and `r`.
fn wrapped(shared: bool) -> Stage {
    let wrap_up =
        WrapUp::new(Duration::from_secs(5), [("Q".to_owned(), Duration::from_secs(20))], shared);
    let mut stage = Stage::live();
    stage.correlator = Correlator::new(Rules { wrap_up, ..Rules::default() }, Timing::Live);
    stage.resync(&[]);
    stage.event(&format!("{MEMBER} Queue=q")).event(&format!("{MEMBER} Queue=r"));
    stage
}

/// A call of Ann's, by the number of its channels, from one second to another.
fn call(stage: &mut Stage, queue: &str, number: u32, from: f64, to: f64) {
    let (caller, leg) = (format!("Uniqueid={number}.1"), format!("Uniqueid={number}.2"));
    let talk = format!(
        "{caller} Dest{leg} DestChannel=SIP/201-{number} Queue={queue} Interface=SIP/201 MemberName=Ann"
    );
    stage
        .at(from)
        .event(&format!("QueueCallerJoin {caller} Queue={queue}"))
        .event(&format!("AgentConnect {talk}"));
    for channel in [&leg, &caller] {
        stage.event(&format!("BridgeEnter BridgeUniqueid={number} {channel}"));
    }
    stage.at(to).event(&format!("AgentComplete {talk} Reason=caller"));
    for channel in [&caller, &leg] {
        stage
            .event(&format!("BridgeLeave BridgeUniqueid={number} {channel}"))
            .event(&format!("Hangup {channel}"));
    }
}

/// The state of Ann in `q` and in `r`.
fn states(stage: &Stage) -> [&'static str; 2] {
    ["q", "r"].map(|queue| {
        let state = stage.correlator.state(stage.now);
        let names = stage.correlator.names();
        let queue = state.queues.into_iter().find(|state| names.queues.name(state.queue) == queue);
        let members = queue.expect("the queue").members;
        members.into_iter().find(|(_, count)| *count == 1).expect("one member").0.word()
    })
}

/// Wrap-up reported up to now, by queue.
fn reported(stage: &mut Stage) -> BTreeMap<String, f64> {
    #[derive(Default)]
    struct Reported(BTreeMap<String, f64>);
    impl Observe for Reported {
        fn observe(&mut self, names: &Names, fact: Observation, _of: Option<Caller<'_>>) {
            if let Observation::WrappedUp { queue, spent, .. } = fact {
                *self.0.entry(names.queues.name(queue).to_owned()).or_default() +=
                    spent.as_secs_f64();
            }
        }
    }
    let mut reported = Reported::default();
    stage.correlator.flush(stage.now, &mut reported);
    reported.0
}

#[test]
fn the_queue_s_time_counts_where_the_member_has_none() {
    let mut stage = wrapped(false);
    call(&mut stage, "q", 1, 0.0, 10.0);
    assert_eq!(states(&stage), ["wrapup", "available"]);
    assert_eq!(states(stage.at(29.9)), ["wrapup", "available"]);
    assert_eq!(reported(&mut stage), BTreeMap::from([("q".to_owned(), 19.9)]));
    assert_eq!(states(stage.at(30.0)), ["available", "available"]);
    call(&mut stage, "r", 2, 40.0, 50.0);
    assert_eq!(states(stage.at(54.9)), ["available", "wrapup"]);
    assert_eq!(states(stage.at(55.0)), ["available", "available"]);
}

#[test]
fn the_member_s_own_time_goes_first() {
    let mut stage = wrapped(true);
    stage.event(&format!("{MEMBER} Queue=q Wrapuptime=10"));
    call(&mut stage, "q", 1, 0.0, 10.0);
    // Each place has its own, and where there is none the queue of the call decides.
    assert_eq!(states(stage.at(19.9)), ["wrapup", "wrapup"]);
    assert_eq!(states(stage.at(20.0)), ["available", "wrapup"]);
    assert_eq!(states(stage.at(30.0)), ["available", "available"]);
}

#[test]
fn a_shared_last_call_is_wrapped_up_in_all_queues_and_counted_in_one() {
    let mut stage = wrapped(true);
    call(&mut stage, "q", 1, 0.0, 10.0);
    assert_eq!(states(stage.at(29.9)), ["wrapup", "wrapup"]);
    assert_eq!(states(stage.at(30.0)), ["available", "available"]);
    // The time of the queue of the last call, also where another queue has more.
    call(&mut stage, "r", 2, 40.0, 50.0);
    assert_eq!(states(stage.at(54.9)), ["wrapup", "wrapup"]);
    assert_eq!(states(stage.at(55.0)), ["available", "available"]);
    assert_eq!(reported(&mut stage), BTreeMap::new());

    call(&mut stage, "q", 3, 60.0, 70.0);
    stage.at(75.0);
    assert_eq!(reported(&mut stage), BTreeMap::from([("q".to_owned(), 5.0)]));
}

#[test]
fn another_s_seat_is_not_shared() {
    let mut stage = wrapped(true);
    stage.event("QueueMemberRemoved Interface=SIP/201 MemberName=Ann Queue=r");
    stage.event("QueueMemberAdded Interface=SIP/202 MemberName=Ann Status=1 Paused=0 Queue=r");
    call(&mut stage, "q", 1, 0.0, 10.0);
    assert_eq!(states(&stage), ["wrapup", "available"]);
}

#[test]
fn a_call_of_the_queue_ends_wrap_up() {
    let mut stage = wrapped(false);
    call(&mut stage, "q", 1, 0.0, 10.0);
    // The PBX counts seconds of its clock, so it may call a little sooner.
    stage.at(29.4).event(
        "AgentCalled Uniqueid=2.1 DestUniqueid=2.2 Queue=q Interface=SIP/201 MemberName=Ann",
    );
    assert_eq!(states(&stage), ["ringing", "available"]);
    stage.event("DialEnd Uniqueid=2.1 DestUniqueid=2.2 DialStatus=CANCEL");
    assert_eq!(states(&stage), ["available", "available"]);
}

#[test]
fn a_list_without_a_last_call_ends_wrap_up() {
    // `queue reset stats` and QueueReset.
    let member = "QueueMember Queue=q Location=SIP/201 Name=Ann Status=1 Paused=0";
    for (last_call, state) in
        [("", "wrapup"), ("LastCall=1000010", "wrapup"), ("LastCall=0", "available")]
    {
        let mut stage = wrapped(false);
        call(&mut stage, "q", 1, 0.0, 10.0);
        stage.at(12.0);
        stage.correlator.begin_listing();
        let list = snapshot(&[
            "QueueParams Queue=q",
            "QueueParams Queue=r",
            &format!("{member} {last_call}"),
        ]);
        stage.correlator.reconcile(stage.now, &list, &mut stage.tally);
        let members = stage.correlator.state(stage.now).queues[0].members.clone();
        let found = members.into_iter().find(|(_, count)| *count == 1).expect("one member");
        assert_eq!(found.0.word(), state, "{last_call}");
    }
}

#[test]
fn the_list_after_a_login_shows_who_is_in_wrap_up() {
    let mut stage = wrapped(false);
    stage.cut().at(100.0);
    // By the PBX's clock the call ended 8 s ago; its clock is an hour behind ours.
    let sent = START.after(Duration::from_secs(100)).before(Duration::from_secs(3600));
    let last = sent.before(Duration::from_secs(8)).as_micros() / 1_000_000;
    let member = |queue| {
        format!(
            "QueueMember Queue={queue} Location=SIP/201 Name=Ann Status=1 Paused=0 LastCall={last} Wrapuptime=0"
        )
    };
    let mut list =
        snapshot(&["QueueParams Queue=q", "QueueParams Queue=r", &member("q"), &member("r")]);
    list.dated(sent);
    stage.correlator.resync(stage.now, &list, &mut stage.tally);
    assert_eq!(states(&stage), ["wrapup", "available"]);
    assert_eq!(states(stage.at(111.9)), ["wrapup", "available"]);
    assert_eq!(states(stage.at(112.0)), ["available", "available"]);
    // Its beginning was not reported, so nothing of it is counted.
    assert_eq!(reported(&mut stage), BTreeMap::new());
}

#[test]
fn a_device_that_is_free_ends_the_call_for_the_queue() {
    // The agent hung up, and the caller was put somewhere else: AgentComplete comes when the caller
    // leaves there.
    let mut stage = wrapped(false);
    let talk = "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/201-1 Queue=q Interface=SIP/201 MemberName=Ann";
    stage.event("QueueCallerJoin Uniqueid=1.1 Queue=q").event(&format!("AgentConnect {talk}"));
    stage
        .event("BridgeEnter BridgeUniqueid=1 Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=1 Uniqueid=1.1");
    stage.event(&format!("{} Queue=q", MEMBER.replace("Status=1", "Status=2")));
    stage.at(10.0).event("BridgeLeave BridgeUniqueid=1 Uniqueid=1.2").event("Hangup Uniqueid=1.2");
    assert_eq!((states(&stage)[0], stage.inside()), ("talking", (0, 1)));
    stage.at(10.2).event(&format!("{MEMBER} Queue=q"));
    assert_eq!((states(&stage)[0], stage.inside()), ("wrapup", (0, 1)));
    assert_eq!(states(stage.at(30.1))[0], "wrapup");
    assert_eq!(states(stage.at(30.2))[0], "available");
    stage.at(60.0).event(&format!("AgentComplete {talk} Reason=caller"));
    assert_eq!((states(&stage)[0], stage.inside()), ("available", (0, 0)));
    assert_eq!(stage.sum("q talk Ann"), 10.0);
}

/// QueueReset shows by a LastCall of zero in the next list, and so does the first call of a member
/// in a list older than it.
#[test]
fn a_list_older_than_the_end_of_the_first_call_ends_no_wrap_up() {
    let mut stage = wrapped(true);
    let member = |queue| {
        format!("QueueMember Queue={queue} Name=Ann Location=SIP/201 Status=1 Paused=0 LastCall=0")
    };
    let list =
        snapshot(&["QueueParams Queue=q", "QueueParams Queue=r", &member("q"), &member("r")]);
    stage.at(9.0);
    stage.correlator.begin_listing();
    call(&mut stage, "q", 1, 9.1, 9.5);
    stage.correlator.reconcile(stage.now, &list, &mut stage.tally);
    assert_eq!(states(&stage), ["wrapup"; 2]);

    // The next one knows of that call, if it was not reset.
    stage.at(12.0);
    stage.correlator.begin_listing();
    stage.correlator.reconcile(stage.now, &list, &mut stage.tally);
    assert_eq!(states(&stage), ["available"; 2]);
}
