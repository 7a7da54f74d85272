//! Synthetic captures, of versions of Asterisk that could not be captured: that they are what the
//! generator writes, show what is special about their version, and count as the real ones they are
//! generated from.

mod generator;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;

use asterisk_exporter::metrics::Format;
use flate2::Compression;
use flate2::write::GzEncoder;
use support::fixture;

use crate::lab::{play, replay, rules};
use generator::{REPORTS_EMPTY, Synthetic, UPTIME, VERSIONS, Version, unpack};

/// Where a synthetic capture and its queue_log are kept.
fn places(version: &Version, synthetic: &Synthetic) -> [PathBuf; 2] {
    let folder = fixture("captures").join(version.folder);
    ["ami.gz", "queue_log"].map(|end| folder.join(format!("{}.{end}", synthetic.name)))
}

/// `UPDATE_EXPECTED=1 cargo test --test integration versions` writes them.
#[test]
fn what_is_kept_is_what_the_maker_makes() {
    for version in VERSIONS {
        let mut kept = BTreeSet::new();
        for synthetic in version.generate() {
            let [capture, log] = places(version, &synthetic);
            let has_log = !synthetic.name.ends_with(".queries");
            if std::env::var_os("UPDATE_EXPECTED").is_some() {
                std::fs::create_dir_all(capture.parent().expect("a folder"))
                    .expect("a writable folder");
                let mut packed = GzEncoder::new(Vec::new(), Compression::best());
                packed.write_all(&synthetic.events).expect("memory");
                std::fs::write(&capture, packed.finish().expect("memory"))
                    .expect("a writable fixture");
                if has_log {
                    std::fs::write(&log, &synthetic.queue_log).expect("a writable fixture");
                }
            }
            assert!(unpack(&capture) == synthetic.events, "{}", capture.display());
            if has_log {
                let text = std::fs::read_to_string(&log)
                    .unwrap_or_else(|error| panic!("{}: {error}", log.display()));
                assert_eq!(text, synthetic.queue_log, "{}", log.display());
                kept.insert(log);
            }
            kept.insert(capture);
        }
        let folder = std::fs::read_dir(fixture("captures").join(version.folder)).expect("a folder");
        let found: BTreeSet<_> = folder.map(|entry| entry.expect("an entry").path()).collect();
        assert_eq!(found, kept, "{}: nothing else", version.folder);
    }
}

/// The classic exposition of captured bytes, without counts of events, which differ by
/// design.
fn samples(events: &[u8]) -> BTreeSet<String> {
    let mut replay = replay(rules());
    let (played, stopped) = replay.play(events);
    assert!(stopped.is_none() && !played.cut, "{stopped:?}");
    let exposition = replay.exposition(Format::Text);
    let lines = exposition
        .lines()
        .filter(|line| !line.starts_with('#') && !line.contains("_events_total{"));
    lines.map(str::to_owned).collect()
}

fn real(base: &str, name: &str) -> Vec<u8> {
    unpack(&fixture("captures").join(base).join(format!("{name}.ami.gz")))
}

/// What a version shows other than the capture it is generated from: 13 has no Uptime, so nobody
/// knows its start.
fn differences(version: &Version, synthetic: &[u8], of: &[u8]) -> Vec<String> {
    let here = samples(synthetic);
    let mut there = samples(of);
    if !version.has(UPTIME) {
        there.retain(|sample| !sample.starts_with("asterisk_start_time_seconds{"));
    }
    here.symmetric_difference(&there).cloned().collect()
}

/// The calls are the same, so every number must be: also those that queue_log knows nothing of.
#[test]
fn a_version_gives_the_numbers_of_the_capture_it_is_generated_from() {
    for version in VERSIONS {
        // A caller behind the head instead of at it is another call.
        let synthetics = version
            .generate()
            .filter(|synthetic| !synthetic.name.starts_with("11c-") || version.has(REPORTS_EMPTY));
        for synthetic in synthetics {
            let differs =
                differences(version, &synthetic.events, &real(synthetic.base, synthetic.name));
            assert!(
                differs.is_empty(),
                "{}/{} and {}: {differs:#?}",
                version.folder,
                synthetic.name,
                synthetic.base
            );
        }
    }
}

/// The same for 400 random calls.
#[test]
fn so_do_400_random_calls() {
    for version in VERSIONS {
        let base = if version.release < (18, 0) { "16" } else { "22" };
        let differs =
            differences(version, &version.generate_from(base, "bulk").events, &real(base, "bulk"));
        assert!(differs.is_empty(), "{}: {differs:#?}", version.folder);
    }
}

/// A kept capture as text.
struct Kept(String);

impl Kept {
    fn of(folder: &str, name: &str) -> Self {
        Self(String::from_utf8(real(folder, name)).expect("text"))
    }

    fn frames<'a>(&'a self, first: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.split("\r\n\r\n").filter(move |frame| frame.lines().any(|line| line == first))
    }

    /// How many frames have that line, and how many headers of that key are in them.
    fn count(&self, first: &str, key: &str) -> (usize, usize) {
        let headers =
            |frame: &str| frame.lines().filter(|line| line.split(':').next() == Some(key)).count();
        (self.frames(first).count(), self.frames(first).map(headers).sum())
    }
}

#[test]
fn each_shows_its_greeting() {
    for (folder, ami) in [("13.4", "2.7.0"), ("13", "2.10.6"), ("18", "7.0.1"), ("20", "9.0.0")] {
        let kept = Kept::of(folder, "01-answered-caller-hangs-up");
        let begins = format!("Asterisk Call Manager/{ami}\r\nEvent: FullyBooted\r\n");
        assert!(kept.0.starts_with(&begins), "{folder}");
        let again = Kept::of(folder, "16-reconnect-mid-call");
        assert_eq!(again.0.matches(&begins).count(), 2, "{folder}: a greeting for each session");
    }
    let settings = |folder| {
        Kept::of(folder, "08b-status-replies.queries").count("AMIversion: 2.7.0", "AsteriskVersion")
    };
    assert_eq!((settings("13.4"), settings("13")), ((1, 1), (0, 0)));
}

#[test]
fn linkedid_is_reported_since_13_5() {
    let linked = |folder, key| Kept::of(folder, "14-local-members").count("Event: DialBegin", key);
    assert_eq!(linked("13.4", "Linkedid"), (6, 0));
    assert_eq!(linked("13.4", "DestLinkedid"), (6, 0));
    assert_eq!((linked("13", "Linkedid"), linked("13", "DestLinkedid")), ((6, 6), (6, 6)));
    assert!(!Kept::of("13.4", "08b-status-replies.queries").0.contains("inkedid"));
}

#[test]
fn why_a_member_pauses_is_in_the_pause_alone_before_13_8_and_in_two_headers_until_17() {
    let pause =
        |folder, key| Kept::of(folder, "05b-rona-autopause").count("Event: QueueMemberPause", key);
    let status = |folder, key| {
        Kept::of(folder, "05b-rona-autopause").count("Event: QueueMemberStatus", key).1 > 0
    };
    assert_eq!((pause("13.4", "Reason"), pause("13.4", "PausedReason")), ((7, 1), (7, 0)));
    assert_eq!((pause("13", "Reason"), pause("13", "PausedReason")), ((7, 1), (7, 7)));
    assert_eq!((pause("18", "Reason"), pause("18", "PausedReason")), ((7, 0), (7, 7)));
    let reports = |key| ["13.4", "13", "18", "20"].map(|folder| status(folder, key));
    assert_eq!(
        (reports("PausedReason"), reports("InCall")),
        ([false, true, true, true], [false, true, true, true])
    );
    assert_eq!(reports("LastPause"), [false, false, true, true]);
    assert_eq!(reports("Wrapuptime"), [false, false, true, true]);
    assert_eq!(reports("LoginTime"), [false, false, true, true]);
}

#[test]
fn a_member_s_status_comes_twice_as_often_before_16_18() {
    let count = |folder| {
        Kept::of(folder, "05b-rona-autopause").count("Event: QueueMemberStatus", "Status").0
    };
    assert_eq!(count("13"), 2 * count("16"));
    assert_eq!((count("18"), count("20")), (count("22"), count("22")));
}

#[test]
fn events_of_later_versions_are_not_there() {
    let count = |folder, event| Kept::of(folder, "15-recorded").count(event, "Event").0;
    let counts = |event| ["13.4", "13", "18", "20"].map(|folder| count(folder, event));
    assert_eq!(counts("Event: DialState"), [0, 0, 1, 1]);
    assert_eq!(counts("Event: MixMonitorStart"), [0, 0, 1, 1]);
    // A build with the test framework, as Debian has it, reports the end of a recording all the same.
    assert_eq!(counts("State: MIXMONITOR_END"), [1, 1, 1, 1]);
}

#[test]
fn causes_tenants_and_uptime_come_with_their_versions() {
    let first =
        |folder, event, key| Kept::of(folder, "01-answered-caller-hangs-up").count(event, key);
    let headers =
        |event, key| ["13.4", "13", "18", "20", "22"].map(|folder| first(folder, event, key).1);
    assert_eq!(headers("Event: FullyBooted", "Uptime"), [0, 0, 1, 1, 1]);
    assert_eq!(headers("Event: Hangup", "Tenantid"), [0, 0, 0, 2, 0]);
    assert_eq!(headers("Event: AgentConnect", "DestTenantid"), [0, 0, 0, 1, 0]);
    let sip = |folder| Kept::of(folder, "12-outbound").0.matches("\nTechCause: ").count();
    assert_eq!((sip("20"), sip("22")), (0, 41));
}

#[test]
fn a_busy_phone_is_busy_with_chan_sip_and_unanswered_with_pjsip() {
    let busy =
        |folder| Kept::of(folder, "06-busy-unavailable").count("DialStatus: BUSY", "DialStatus").0;
    assert_eq!(["13.4", "13", "18", "20"].map(busy), [2, 2, 2, 0]);
    for folder in ["13.4", "13", "18", "20"] {
        let numbers = play(&fixture(&format!("captures/{folder}/06-busy-unavailable.ami.gz")));
        assert_eq!(
            numbers.sum("asterisk_queue_rings_total", &[("result", "busy")]),
            1.0,
            "{folder}"
        );
    }
}

#[test]
fn a_caller_behind_the_head_leaves_an_empty_queue_silently_before_13_37() {
    let abandons = |folder| {
        Kept::of(folder, "11c-leavewhenempty").count("Event: QueueCallerAbandon", "Event").0
    };
    assert_eq!(["13.4", "13", "18", "20"].map(abandons), [0, 1, 1, 1]);
    let whole = Kept::of("13.4", "11c-leavewhenempty").0;
    let blind: String = whole
        .split_inclusive("\r\n\r\n")
        .filter(|frame| !frame.contains("Event: VarSet"))
        .collect();

    let greeting = "Asterisk Call Manager/2.7.0\r\n";
    let settings = "Response: Success\r\nActionID: x-1\r\nAsteriskVersion: 13.4.0\r\n\r\n";

    for (events, outcome) in [
        (whole.clone(), "leave_empty"),
        // Without VarSet a key would look the same: only the version shows that it need not have
        // been one.
        (blind.clone(), "unserved"),
        (blind.replacen(greeting, settings, 1), "unserved"),
        (blind.replacen(greeting, "", 1), "exit_key"),
        (blind.replacen(greeting, "Asterisk Call Manager/5.0.4\r\n", 1), "exit_key"),
    ] {
        let exits = format!(
            "asterisk_queue_exits_total{{pbx=\"lab\",queue=\"leaveempty\",outcome=\"{outcome}\"}} 1"
        );
        assert!(samples(events.as_bytes()).contains(&exits), "{outcome}");
    }
}
