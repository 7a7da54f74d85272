//! What agents do at a moment: state, reason, since when, logins and the last call, in captures of real
//! Asterisk that end where the moment is.

use std::io::Read as _;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use support::{Numbers, fixture};

use crate::lab::play;

/// A capture of a version, up to that number of events of that name.
fn up_to(version: &str, capture: &str, event: &str, count: usize) -> Numbers {
    let file = fixture(&format!("captures/{version}/{capture}.ami.gz"));
    let file = std::fs::File::open(file).expect("a capture");
    let mut text = Vec::new();
    GzDecoder::new(file).read_to_end(&mut text).expect("gzip");
    let text = String::from_utf8_lossy(&text).into_owned();

    let start = format!("Event: {event}\r\n");
    let (last, _) = text.match_indices(&start).nth(count - 1).expect("so many events");
    let end = text[last..].find("\r\n\r\n").map_or(text.len(), |end| last + end + 4);
    let name = format!("now-{}-{version}-{event}-{count}.ami", std::process::id());
    let cut = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&cut, &text[..end]).expect("a scratch file");
    play(&cut)
}

/// The moments of an agent: since when the state and the talk go on, the login, the last call.
fn moments(numbers: &Numbers, agent: &str) -> [Option<f64>; 4] {
    ["state_since", "talk_since", "login", "last_call"].map(|name| {
        let name = format!("asterisk_agent_{name}_timestamp_seconds");
        let labels = [("agent", agent)];
        numbers.series(&name, &labels).map(|(_, moment)| moment).next()
    })
}

/// The value of the label `key` of the one series of an agent that is 1.
fn label(numbers: &Numbers, name: &str, agent: &str, key: &str) -> Option<String> {
    let labels = [("agent", agent)];
    let mut on = numbers.series(name, &labels).filter(|(_, value)| *value == 1.0);
    let (series, _) = on.next()?;
    assert!(on.next().is_none(), "{name} of {agent}");
    let (_, rest) = series.split_once(&format!("{key}=\"")).expect("the label");
    rest.split('"').next().map(str::to_owned)
}

fn state(numbers: &Numbers, agent: &str) -> String {
    label(numbers, "asterisk_agent_state", agent, "state").expect("a state")
}

fn reason(numbers: &Numbers, agent: &str) -> Option<String> {
    label(numbers, "asterisk_agent_pause_reason", agent, "reason")
}

const ALICE: &str = "Alice Adams";

/// Alice is added to `sales`, and paused there for lunch, for coffee twice, and in all queues.
#[test]
fn an_agent_is_added_paused_for_two_reasons_and_removed() {
    for (version, second, micros, last_call) in [
        // Without LastPause and LoginTime: events are enough.
        ("13", 1_795_473_627.0, [0.384_415, 0.385_486, 0.385_643, 0.386_821], 1_795_473_625.0),
        ("16", 1_795_473_627.0, [0.384_415, 0.385_486, 0.385_643, 0.386_821], 1_795_473_625.0),
        ("22", 1_795_443_946.0, [0.841_155, 0.842_491, 0.842_771, 0.844_779], 1_795_443_945.0),
    ] {
        let [added, lunch, coffee, everywhere] = micros.map(|part| Some(second + part));
        let numbers = up_to(version, "08-members", "QueueMemberAdded", 1);
        assert_eq!((state(&numbers, ALICE), reason(&numbers, ALICE)), ("available".into(), None));
        assert_eq!(moments(&numbers, ALICE), [added, None, added, None], "{version}");

        // The same pause again is no other, and LastPause is the same second.
        for (pauses, why, since) in
            [(1, "lunch", lunch), (2, "coffee", coffee), (3, "coffee", coffee)]
        {
            let numbers = up_to(version, "08-members", "QueueMemberPause", pauses);
            assert_eq!(state(&numbers, ALICE), "paused");
            assert_eq!(reason(&numbers, ALICE), Some(why.into()), "{version}, {pauses}");
            assert_eq!(moments(&numbers, ALICE), [since, None, added, None], "{version}, {pauses}");
        }

        // The queue that was known goes last but one; the calls of the others are known by LastCall.
        let numbers = up_to(version, "08-members", "QueueMemberPause", 13);
        assert_eq!(reason(&numbers, ALICE), Some("all queues".into()), "{version}");
        let expected = [everywhere, None, added, Some(last_call)];
        assert_eq!(moments(&numbers, ALICE), expected, "{version}");

        let numbers = up_to(version, "08-members", "QueueMemberRemoved", 3);
        let counted = |name: &str| numbers.sum(&format!("asterisk_agent_{name}_total"), &[]);
        assert_eq!((counted("logins"), counted("logoffs")), (3.0, 3.0), "{version}");
        let logoffs = |agent| numbers.sum("asterisk_agent_logoffs_total", &[("agent", agent)]);
        assert_eq!([ALICE, "Carl Cole", "Nora North"].map(logoffs), [1.0; 3], "{version}");
        // Places in the configuration remain.
        assert_eq!(state(&numbers, ALICE), "available");
        assert_eq!(moments(&numbers, ALICE)[2], None);
    }
}

/// Dana talks, puts the caller on hold, and hands the caller over.
#[test]
fn an_agent_s_talk_goes_on_while_the_caller_is_on_hold() {
    const DANA: &str = "Dana Dale";
    for (version, second, [answered, held, done]) in [
        ("16", 1_795_473_600.0, [93.226_860, 94.973_976, 99.122_711]),
        ("22", 1_795_444_600.0, [22.654_054, 24.400_406, 28.555_843]),
    ] {
        let [answered, held, done] = [answered, held, done].map(|part| Some(second + part));
        let up_to = |event, count| up_to(version, "09c-attended-transfer", event, count);

        let numbers = up_to("AgentConnect", 1);
        assert_eq!(state(&numbers, DANA), "talking");
        assert_eq!(moments(&numbers, DANA), [answered, answered, None, None], "{version}");
        let numbers = up_to("Hold", 1);
        assert_eq!(state(&numbers, DANA), "on_hold");
        assert_eq!(moments(&numbers, DANA), [held, answered, None, None], "{version}");
        let numbers = up_to("AgentComplete", 1);
        assert_eq!(moments(&numbers, DANA)[3], done, "{version}");
    }
}

/// Carl is asked by a colleague, who then hands over a queue's caller.
#[test]
fn a_consultation_turns_into_the_call_of_the_queue_s_caller() {
    for version in ["16", "22"] {
        for (inside, kind) in [(4, "internal"), (5, "queue")] {
            let numbers = up_to(version, "09h-sip-refer-attended", "BridgeEnter", inside);
            let busy = label(&numbers, "asterisk_agent_busy_call", "Carl Cole", "kind");
            assert_eq!(state(&numbers, "Carl Cole"), "busy");
            assert_eq!(busy, Some(kind.into()), "{version}");
        }
    }
}
