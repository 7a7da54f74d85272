use super::*;
use crate::metrics::Settings;

fn replay() -> Replay {
    let metrics = Metrics::new(Settings::default());
    Replay::new(&PbxName::new("test"), Rules::default(), metrics, Limits::default())
}

const JOIN: &[u8] = b"Event: QueueCallerJoin\r\nUniqueid: 1.1\r\nQueue: q\r\n\r\n";

#[test]
fn a_capture_cut_in_mid_frame_counts_up_to_there() {
    let mut replay = replay();
    let (played, failed) = replay.play(&[JOIN, &JOIN[..20]].concat()[..]);
    assert!(failed.is_none());
    assert_eq!(played, Played { bytes: 71, events: 1, cut: true });
    assert!(
        replay
            .exposition(Format::Text)
            .contains("asterisk_queue_entries_total{pbx=\"test\",queue=\"q\"} 1\n")
    );
}

#[test]
fn what_is_no_capture_is_refused_by_name() {
    let path =
        std::env::temp_dir().join(format!("asterisk_exporter-no-capture-{}", std::process::id()));
    std::fs::write(&path, b"just text\n").unwrap();
    let error = replay().play_file(&path).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert!(
        error.to_string().ends_with(": not a capture of a manager interface: no event in 10 bytes")
    );
    let missing = replay().play_file(&path).unwrap_err();
    assert!(matches!(missing, ReplayError::Unreadable { .. }), "{missing}");
}

/// What comes before the lists of a session that began at `second`, the PBX being up since second
/// 1000.
fn login(second: u64) -> String {
    format!(
        "Asterisk Call Manager/11.0.0\n\
         Response: Success\nActionID: ae-2-Login\nMessage: Authentication accepted\n\n\
         Event: FullyBooted\nUptime: {}\n\n\
         Response: Success\nActionID: ae-3-CoreSettings\nAsteriskVersion: 22.10.0\n\n",
        second - 1000
    )
}

/// Both lists, with these items; `behind` comes before the end of the barrier.
fn lists(second: u64, channels: &[&str], queues: &[&str], behind: &str) -> String {
    let list = |id: &str, done: &str, items: &[&str]| {
        let items: String =
            items.iter().map(|item| format!("Event: {item}\nActionID: {id}\n\n")).collect();
        format!(
            "Response: Success\nActionID: {id}\nEventList: start\n\n{items}\
             Event: {done}\nActionID: {id}\nEventList: Complete\n\n"
        )
    };
    let pong = |id: &str| {
        format!("Response: Success\nActionID: {id}\nPing: Pong\nTimestamp: {second}.000000\n\n")
    };
    [
        list("ae-5-CoreShowChannels", "CoreShowChannelsComplete", channels),
        list("ae-6-QueueStatus", "QueueStatusComplete", queues),
        pong("ae-7-Barrier"),
        behind.to_owned(),
        pong("ae-8-Barrier"),
    ]
    .concat()
}

/// Plays text with plain line ends, and gives the exposition.
fn played(text: &str) -> String {
    let mut replay = replay();
    let (held, failed) = replay.play(text.replace('\n', "\r\n").as_bytes());
    assert!(failed.is_none() && !held.cut, "{held:?}");
    replay.exposition(Format::Text)
}

fn assert_samples(exposition: &str, samples: &[(&str, u32)]) {
    for (series, value) in samples {
        let (name, labels) = series.split_once('{').expect("a series");
        let series = format!("{name}{{pbx=\"test\",{labels} ");
        let found = exposition.lines().find_map(|line| line.strip_prefix(&*series)?.parse().ok());
        assert_eq!(found, Some(f64::from(*value)), "{series}: {exposition}");
    }
}

const QUEUE: &str = "QueueParams\nQueue: q\nServiceLevel: 20";
const MEMBER: &str =
    "QueueMember\nQueue: q\nName: Amelia\nLocation: PJSIP/101\nStatus: 1\nPaused: 0";
const CALLER: &str = "CoreShowChannel\nChannel: PJSIP/t-1\nUniqueid: 1.1\nLinkedid: 1.1\nApplication: Queue\nApplicationData: q";
const ENTRY: &str = "QueueEntry\nQueue: q\nPosition: 1\nChannel: PJSIP/t-1\nUniqueid: 1.1\nWait: 5";

#[test]
fn our_own_lists_have_queues_members_and_waiting_callers() {
    let text = login(2000) + &lists(2000, &[CALLER], &[QUEUE, MEMBER, ENTRY], "");
    assert_samples(
        &played(&text),
        &[
            ("asterisk_queue_adopted_total{queue=\"q\",phase=\"waiting\"}", 1),
            ("asterisk_queue_callers_waiting{queue=\"q\"}", 1),
            ("asterisk_queue_longest_wait_seconds{queue=\"q\"}", 5),
            ("asterisk_queue_service_level_target_seconds{queue=\"q\"}", 20),
            ("asterisk_queue_agents{queue=\"q\",state=\"available\"}", 1),
            ("asterisk_agent_state{agent=\"Amelia\",state=\"available\"}", 1),
        ],
    );
}

#[test]
fn events_behind_our_lists_know_better_than_the_lists() {
    let leaves = "Event: HangupRequest\nTimestamp: 1999.5\nUniqueid: 1.1\nChannel: PJSIP/t-1\n\n\
        Event: QueueCallerAbandon\nTimestamp: 1999.6\nQueue: q\nUniqueid: 1.1\nHoldTime: 5\n\n\
        Event: QueueCallerLeave\nTimestamp: 1999.6\nQueue: q\nUniqueid: 1.1\n\n\
        Event: Hangup\nTimestamp: 1999.6\nUniqueid: 1.1\nCause: 16\n\n";
    let text = login(2000) + &lists(2000, &[CALLER], &[QUEUE, ENTRY], leaves);
    let exits = "asterisk_queue_exits_total{queue=\"q\",outcome=\"abandoned\"}";
    assert_samples(
        &played(&text),
        &[(exits, 1), ("asterisk_queue_callers_waiting{queue=\"q\"}", 0)],
    );
}

#[test]
fn a_caller_not_in_the_list_of_the_next_session_was_lost_in_the_gap() {
    let later = "Event: Newstate\nTimestamp: 2110.000000\nUniqueid: 9.9\n\n";
    let first = login(2000) + &lists(2000, &[CALLER], &[QUEUE, ENTRY], "");
    let second = login(2100) + &lists(2100, &[], &[QUEUE], "") + later;
    let exits =
        |outcome| format!("asterisk_queue_exits_total{{queue=\"q\",outcome=\"{outcome}\"}}");
    let gone = played(&[&*first, &second].concat());
    assert_samples(
        &gone,
        &[(&exits("lost"), 1), ("asterisk_queue_callers_waiting{queue=\"q\"}", 0)],
    );
    let waited = ENTRY.replace("Wait: 5", "Wait: 105");
    let third = login(2100) + &lists(2100, &[CALLER], &[QUEUE, &waited], "") + later;
    let still = played(&[&*first, &third].concat());
    assert_samples(&still, &[("asterisk_queue_callers_waiting{queue=\"q\"}", 1)]);
    assert!(!still.contains("outcome=\"lost\"} 1"), "{still}");
}

#[test]
fn a_restart_in_the_gap_is_recognised_by_the_answer_to_our_ping() {
    let first = login(2000) + &lists(2000, &[CALLER], &[QUEUE, ENTRY], "");
    // Up since 4000, for longer than it was at the first login: only a dated login shows it.
    let second =
        login(6500).replace("Uptime: 5500", "Uptime: 2500") + &lists(6500, &[], &[QUEUE], "");
    let exits = "asterisk_queue_exits_total{queue=\"q\",outcome=\"lost\"}";
    assert_samples(&played(&[first, second].concat()), &[(exits, 1)]);
}

#[test]
fn a_session_that_broke_before_its_snapshot_changes_nothing() {
    let half = lists(2000, &[CALLER], &[QUEUE, ENTRY], "");
    let half = half.split("Event: QueueStatusComplete").next().expect("the beginning");
    let text = login(2000) + half + &login(2010) + &lists(2010, &[], &[QUEUE], "");
    assert_samples(&played(&text), &[("asterisk_queue_callers_waiting{queue=\"q\"}", 0)]);
    assert!(!played(&text).contains("phase=\"waiting\"} 1"));
}

#[test]
fn refused_lists_leave_what_is_known() {
    let refused = "Response: Error\nActionID: ae-5-CoreShowChannels\nMessage: Permission denied\n\n\
        Response: Error\nActionID: ae-6-QueueStatus\nMessage: Permission denied\n\n\
        Response: Success\nActionID: ae-7-Barrier\nTimestamp: 2100.0\n\n\
        Response: Success\nActionID: ae-8-Barrier\nTimestamp: 2100.0\n\n\
        Event: Newstate\nTimestamp: 2110.0\nUniqueid: 9.9\n\n";
    let text =
        login(2000) + &lists(2000, &[CALLER], &[QUEUE, MEMBER, ENTRY], "") + &login(2100) + refused;
    let waiting = "asterisk_queue_callers_waiting{queue=\"q\"}";
    assert_samples(
        &played(&text),
        &[(waiting, 1), ("asterisk_queue_agents{queue=\"q\",state=\"available\"}", 1)],
    );
}

#[test]
fn a_list_in_mid_session_mends_drift_and_one_of_others_does_nothing() {
    let paused = MEMBER.replace("Paused: 0", "Paused: 1");
    let list = |id: &str| {
        format!(
            "Response: Success\nActionID: {id}\nEventList: start\n\nEvent: {QUEUE}\nActionID: {id}\n\n\
             Event: {paused}\nActionID: {id}\n\nEvent: QueueStatusComplete\nActionID: {id}\n\n\
             Response: Success\nActionID: ae-10-Barrier\n\nResponse: Success\nActionID: ae-11-Barrier\n\n"
        )
    };
    let begin = login(2000) + &lists(2000, &[], &[QUEUE, MEMBER], "");
    let agents = |state| format!("asterisk_queue_agents{{queue=\"q\",state=\"{state}\"}}");
    assert_samples(
        &played(&(begin.clone() + &list("ae-9-QueueStatus"))),
        &[(&agents("paused"), 1)],
    );
    assert_samples(&played(&(begin + &list("lab-9"))), &[(&agents("available"), 1)]);
}

/// Plays text up to what stops it, and gives that.
fn stopped(text: &str) -> Option<(String, u64)> {
    let (_, stop) = replay().play(text.replace('\n', "\r\n").as_bytes());
    match stop? {
        Stop::TooOld(sign) => Some((sign.what, sign.byte)),
        Stop::Io(error) => panic!("{error}"),
    }
}

#[test]
fn asterisk_11_is_recognised_by_its_greeting_or_by_any_event_that_went_with_it() {
    assert_eq!(
        stopped("Asterisk Call Manager/1.3\nEvent: FullyBooted\n\n"),
        Some(("AMI 1.3".into(), 0))
    );
    let channel = "Event: Newchannel\nUniqueid: 1.1\n\n";
    let at = channel.replace('\n', "\r\n").len() as u64;
    for (event, headers) in [
        ("Join", "Queue: q\nUniqueid: 1.1"),
        ("Leave", "Queue: q\nUniqueid: 1.1"),
        ("Dial", "SubEvent: Begin\nUniqueID: 1.1"),
        ("Bridge", "Bridgestate: Link\nUniqueid1: 1.1"),
        ("QueueMemberPaused", "Queue: q\nLocation: SIP/1\nPaused: 1"),
    ] {
        let text = format!("{channel}Event: {event}\n{headers}\n\n");
        assert_eq!(stopped(&text), Some((format!("event {event}"), at)), "{event}");
    }
    // A module may call an event of its own like one of these.
    assert_eq!(stopped("Event: Dial\nNumber: 5\n\nEvent: Join\nRoom: x\n\n"), None);
    assert_eq!(stopped("Asterisk Call Manager/2.5.0\nEvent: FullyBooted\n\n"), None);
}

/// 12 and 13 report no Uptime: the lists of the next session show what a restart ended.
#[test]
fn a_restart_without_uptime_is_recognised_by_the_lists() {
    let old = |second| {
        login(second)
            .replace(&format!("Uptime: {}\n", second - 1000), "")
            .replace("22.10.0", "13.38.3")
    };
    let first = old(2000) + &lists(2000, &[CALLER], &[QUEUE, ENTRY], "");
    let later = "Event: Newstate\nTimestamp: 2110.000000\nUniqueid: 9.9\n\n";
    let second = old(2100) + &lists(2100, &[], &[QUEUE], "") + later;
    let exits = "asterisk_queue_exits_total{queue=\"q\",outcome=\"lost\"}";
    let waiting = "asterisk_queue_callers_waiting{queue=\"q\"}";
    assert_samples(&played(&[first, second].concat()), &[(exits, 1), (waiting, 0)]);
}

#[test]
fn hints_of_a_captured_session_show_whose_a_phone_is() {
    let member = "QueueMember\nQueue: q\nName: Ann\nLocation: Local/201@from-queue/n\n\
                  StateInterface: hint:201@ext-local\nStatus: 1";
    // They are asked for behind the snapshot; what is asked in the middle of a list on its way is
    // no part of it.
    let hints = "Response: Success\nActionID: ae-9-ExtensionStateList\nEventList: start\n\n\
                 Event: ExtensionStatus\nActionID: ae-9-ExtensionStateList\nExten: 201\nContext: ext-local\n\
                 Hint: PJSIP/desk&Custom:DND201\nStatus: 0\n\n\
                 Event: ExtensionStateListComplete\nActionID: ae-9-ExtensionStateList\nEventList: Complete\n\n";
    let refused =
        "Response: Error\nActionID: ae-9-ExtensionStateList\nMessage: Permission denied\n\n";
    for (answer, agent) in [(hints, "Ann"), (refused, "")] {
        let call = "Channel: PJSIP/desk-1\nUniqueid: 1.1\nLinkedid: 1.1\n";
        let call = format!(
            "Event: Newchannel\n{call}ChannelState: 4\n\nEvent: Hangup\n{call}Cause: 16\n\n"
        );
        let text = [
            login(5000),
            lists(5000, &[], &["QueueParams\nQueue: q", member], ""),
            answer.to_owned(),
            call,
        ];
        let mut replay = replay();
        replay.play(text.concat().replace('\n', "\r\n").as_bytes());
        let counted = format!(
            "asterisk_calls_total{{pbx=\"test\",direction=\"unknown\",agent=\"{agent}\",trunk=\"\",result=\"failed\"}} 1\n"
        );
        let exposition = replay.exposition(Format::Text);
        assert!(exposition.contains(&counted), "{agent}: {exposition}");
    }
}
