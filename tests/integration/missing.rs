//! What never comes is named, and nothing else ever is: captures of real servers, whole and with
//! events taken out.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use asterisk_exporter::correlator::Word;
use asterisk_exporter::replay::Replay;
use flate2::read::GzDecoder;
use support::fixture;

use crate::lab::{replay, rules};

/// What was missing at any time of a capture, and at its end.
struct Course {
    ever: BTreeSet<&'static str>,
    last: Vec<&'static str>,
}

/// Plays a capture in small pieces, without the frames that `unseen` takes out.
fn course(path: &Path, unseen: impl Fn(&str) -> bool) -> Course {
    let mut text = String::new();
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    GzDecoder::new(file).read_to_string(&mut text).expect("gzipped text");
    let mut replay = replay(rules());
    let mut ever = BTreeSet::new();
    let frames: Vec<_> = text.split_inclusive("\r\n\r\n").filter(|frame| !unseen(frame)).collect();

    for piece in frames.chunks(PIECE) {
        let (_, failed) = replay.play(piece.concat().as_bytes());
        assert!(failed.is_none(), "{}: {failed:?}", path.display());
        ever.extend(missing(&replay));
    }

    Course { ever, last: missing(&replay) }
}

fn missing(replay: &Replay) -> Vec<&'static str> {
    let now = replay.span().map(|(_, last)| last).unwrap_or_default();
    replay.exporter().monitors[0].correlator.missing(now).iter().map(Word::word).collect()
}

fn captures() -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for folder in [
        "captures/13.4",
        "captures/13",
        "captures/16",
        "captures/18",
        "captures/20",
        "captures/22",
        "gaps",
    ] {
        let entries = std::fs::read_dir(fixture(folder)).expect("a folder of captures");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        found.extend(paths.filter(|path| path.to_string_lossy().ends_with(".ami.gz")));
    }

    found.sort();
    found
}

#[test]
fn nothing_is_ever_missing_in_a_capture_of_a_full_account() {
    let captures = captures();
    assert!(captures.len() >= 195, "only {} captures found", captures.len());
    let mut wrong = Vec::new();

    for path in captures {
        let ever: Vec<_> = course(&path, |_| false).ever.into_iter().collect();
        // The account of these reads no class dialplan.
        let lacking = path.to_string_lossy().ends_with("bulk.exporter.ami.gz");
        if ever != lacking.then_some("class_dialplan").into_iter().collect::<Vec<_>>() {
            wrong.push(format!("{}: {ever:?}", path.display()));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

fn is_event(frame: &str, names: &[&str]) -> bool {
    let name = frame.lines().find_map(|line| line.strip_prefix("Event: "));
    name.is_some_and(|name| names.contains(&name))
}

/// What 400 random calls show at its end, if events of these names do not come.
fn without(version: &str, names: &[&str]) -> Vec<&'static str> {
    let path = fixture(&format!("captures/{version}/bulk.ami.gz"));
    course(&path, |frame| is_event(frame, names) && !frame.contains("\r\nActionID: ")).last
}

#[test]
fn an_event_that_never_comes_is_named() {
    let found = |version: &'static str| {
        EVENTS.iter().map(move |(names, word)| (version, *word, without(version, names)))
    };
    let wrong: Vec<_> = ["16", "22"]
        .into_iter()
        .flat_map(found)
        .filter(|(_, word, found)| *found != [*word])
        .collect();
    assert_eq!(wrong, []);
}

#[test]
fn a_class_that_never_comes_is_named() {
    for (names, word) in
        [(CALL, "class_call"), (AGENT, "class_agent"), (DIALPLAN, "class_dialplan")]
    {
        for version in ["16", "22"] {
            assert_eq!(without(version, names), [word], "{version}");
        }
    }
}

const EVENTS: &[(&[&str], &str)] = &[
    (&["Newchannel"], "event_newchannel"),
    (&["Hangup"], "event_hangup"),
    (&["HangupRequest"], "event_hangup_request"),
    (&["DialBegin"], "event_dial_begin"),
    (&["DialEnd"], "event_dial_end"),
    (&["BridgeEnter"], "event_bridge_enter"),
    (&["BridgeLeave"], "event_bridge_leave"),
    (&["LocalBridge"], "event_local_bridge"),
    (&["QueueCallerJoin"], "event_queue_caller_join"),
    (&["QueueCallerLeave"], "event_queue_caller_leave"),
    (&["AgentCalled"], "event_agent_called"),
    (&["AgentConnect"], "event_agent_connect"),
    (&["AgentComplete"], "event_agent_complete"),
    (&["AgentRingNoAnswer"], "event_agent_ring_no_answer"),
    (&["VarSet"], "event_var_set"),
];

const CALL: &[&str] = &[
    "Newchannel",
    "Hangup",
    "HangupRequest",
    "DialBegin",
    "DialEnd",
    "BridgeEnter",
    "BridgeLeave",
    "LocalBridge",
    "Hold",
    "Unhold",
    "BlindTransfer",
    "AttendedTransfer",
    "OriginateResponse",
    "DeviceStateChange",
    "MixMonitorStart",
    "MixMonitorStop",
];

const AGENT: &[&str] = &[
    "QueueCallerJoin",
    "QueueCallerLeave",
    "QueueCallerAbandon",
    "AgentCalled",
    "AgentConnect",
    "AgentComplete",
    "AgentDump",
    "AgentRingNoAnswer",
    "QueueMemberAdded",
    "QueueMemberRemoved",
    "QueueMemberPause",
    "QueueMemberPenalty",
    "QueueMemberRinginuse",
    "QueueMemberStatus",
];

const DIALPLAN: &[&str] = &["Newexten", "VarSet"];

/// Few enough frames that no list and no login fits between two looks.
const PIECE: usize = 20;
