//! Logs as people have them: exported, compressed, of another day, with what diallers wrote, and
//! with a fault in them.

use std::io::Read as _;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use support::fixture;
use support::program::run;

use super::Audited;

const BULK: &str = "fixtures/captures/22/bulk.ami.gz";

/// A file for this test alone.
fn scratch(name: &str, content: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{}-logs-{name}", std::process::id()));
    std::fs::write(&path, content).expect("a scratch file");
    path.to_str().expect("a plain path").to_owned()
}

/// The queue_log of the 400 random calls.
fn bulk() -> String {
    let packed = std::fs::read(fixture("captures/22/bulk.queue_log.gz")).expect("a fixture");
    let mut text = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("gzipped text");
    text
}

fn audit(log: &str, more: &[&str]) -> Audited {
    let output = run(&[&["audit", "--queue-log", log][..], more].concat());
    let text = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat();
    let text = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n")
        .collect();
    Audited { code: output.status.code(), text }
}

/// Audits a log of the random calls, which must have this exit code and say all this.
fn audit_bulk(name: &str, log: &str, code: i32, says: &[&str]) {
    let audited = audit(&scratch(name, log.as_bytes()), &["--recording", BULK]);
    assert_eq!(audited.code, Some(code), "{name}: {}", audited.text);
    for text in says {
        assert!(audited.text.contains(text), "{name}: {text} is not in {}", audited.text);
    }
}

/// What the exporter counted of the three lines of `fixtures/cases/database-export`.
const EXPORTED: &str = "asterisk_queue_entries_total{pbx=\"hq\",queue=\"600\"} 1\n\
    asterisk_queue_exits_total{pbx=\"hq\",queue=\"600\",outcome=\"answered\"} 1\n\
    asterisk_queue_hold_seconds_sum{pbx=\"hq\",queue=\"600\",outcome=\"answered\"} 3\n\
    asterisk_queue_hold_seconds_count{pbx=\"hq\",queue=\"600\",outcome=\"answered\"} 1\n\
    asterisk_queue_completions_total{pbx=\"hq\",queue=\"600\",agent=\"Ada Alt\",ended_by=\"caller\"} 1\n\
    asterisk_queue_talk_seconds_sum{pbx=\"hq\",queue=\"600\",agent=\"Ada Alt\"} 10\n\
    asterisk_queue_talk_seconds_count{pbx=\"hq\",queue=\"600\",agent=\"Ada Alt\"} 1\n\
    asterisk_up{pbx=\"hq\"} 1\n\
    asterisk_exporter_connects_total{pbx=\"hq\"} 1\n\
    process_start_time_seconds 1790000000\n";

/// Holds an export against it, in the minutes around those lines.
fn audit_export(name: &str, log: &str, more: &[&str]) -> Audited {
    let metrics = scratch(&format!("{name}.prom"), EXPORTED.as_bytes());
    let log = scratch(name, log.as_bytes());
    audit(&log, &[&["--metrics", &metrics, "--until", "1790000100"][..], more].concat())
}

/// The same rows in another form: cells joined by something, with dates of a zone so many hours
/// east.
fn rows(between: &str, hours: u32) -> String {
    let hour = 14 + hours;
    let rows = [
        format!("{hour}:13:30.001230 1790000010.1 NONE ENTERQUEUE  2025550100 1  "),
        format!("{hour}:13:33.002270 1790000010.1 Ada_Alt CONNECT 3 1790000010.2 3  "),
        format!("{hour}:13:43.000810 1790000010.1 Ada_Alt COMPLETECALLER 3 10 1  "),
    ];

    let row = |(number, row): (usize, &String)| {
        let mut cells: Vec<_> = row.split(' ').map(|cell| cell.replace('_', " ")).collect();
        cells[0] = format!("2026-09-21 {}", cells[0]);
        cells.insert(2, "600".to_owned());
        format!("{number}{between}{}\n", cells.join(between))
    };
    rows.iter().enumerate().map(row).collect()
}

fn header(between: &str) -> String {
    let names = "id time callid queuename agent event data1 data2 data3 data4 data5";
    format!("{}\n", names.replace(' ', between))
}

#[test]
fn an_export_of_a_database_is_read_in_the_local_time_of_its_pbx() {
    let file = std::fs::read_to_string(fixture("cases/database-export/queue_log")).expect("a log");
    let audited = audit_export("plain-export", &file, &[]);
    assert_eq!(audited.code, Some(0), "{}", audited.text);
    assert!(audited.text.contains("queue_log 3 lines in it, 0 outside\n"), "{}", audited.text);
    assert!(
        audited.text.contains("its local times are UTC+00:00, according to its Uniqueids\n"),
        "{}",
        audited.text
    );

    for (name, between) in
        [("commas.csv", ","), ("semicolons.csv", ";"), ("mysql-batch", "\t"), ("psql", "|")]
    {
        let audited = audit_export(name, &(header(between) + &rows(between, 2)), &[]);
        assert_eq!(audited.code, Some(0), "{name}: {}", audited.text);
        assert!(
            audited.text.contains("queue_log 3 lines in it, 0 outside\n"),
            "{name}: {}",
            audited.text
        );
        assert!(
            audited.text.contains("its local times are UTC+02:00, according to its Uniqueids\n"),
            "{name}: {}",
            audited.text
        );
    }
    // Drawn by mysql, newest first, and in seconds of the epoch.
    let drawn: String = rows(" | ", 2).lines().rev().map(|row| format!("| {row} |\n")).collect();
    let drawn =
        format!("+---+---+\n| {} |\n+---+---+\n{drawn}+---+---+\n", header(" | ").trim_end());
    assert_eq!(audit_export("mysql-table", &drawn, &[]).code, Some(0));
    let csv = "event,agent,queuename,callid,time,data\n\
        ENTERQUEUE,NONE,600,1790000010.1,1790000010,|2025550100|1\n\
        \"CONNECT\",\"Ada Alt\",600,1790000010.1,1790000013,3|1790000010.2|3\n\
        \"COMPLETECALLER\",\"Ada Alt\",600,1790000010.1,1790000023,3|10|1\n";
    let audited = audit_export("epochs.csv", csv, &[]);
    assert_eq!(audited.code, Some(0), "{}", audited.text);
    assert!(!audited.text.contains("local times"), "{}", audited.text);
}

#[test]
fn the_zone_may_be_given_and_must_be_if_no_call_shows_it() {
    // All that is known of the calls is a name: nothing says when they began.
    let nameless = (header(",") + &rows(",", 2)).replace("1790000010.", "call-");
    let audited = audit_export("nameless.csv", &nameless, &[]);
    assert_eq!(audited.code, Some(2), "{}", audited.text);
    let message = "nameless.csv: has local times (2026-09-21 16:13:30), and no call's Uniqueid in it shows their zone: \
                   give their zone with --log-offset, such as +02:00\n";
    assert!(audited.text.ends_with(message), "{}", audited.text);

    for (offset, code) in [("+02:00", 0), ("+0200", 0), ("UTC", 2), ("-02:30", 2)] {
        let audited = audit_export("nameless.csv", &nameless, &["--log-offset", offset]);
        assert_eq!(audited.code, Some(code), "{offset}: {}", audited.text);
        let unreached = "queue_log begins at 2026-09-21T";
        assert_eq!(audited.text.contains(unreached), code == 2, "{offset}: {}", audited.text);
    }

    let audited = audit_export("nameless.csv", &nameless, &["--log-offset", "Vienna"]);
    assert_eq!(audited.code, Some(2));

    assert!(
        audited.text.contains("`Vienna` is no zone such as +02:00, -0330 or UTC"),
        "{}",
        audited.text
    );
}

#[test]
fn what_is_no_log_is_no_difference() {
    let sql = "INSERT INTO `queue_log` VALUES (1,'2026-09-21 14:13:30','1790000010.1','600','NONE','ENTERQUEUE');\n";
    let headless = rows(",", 0);
    let json = "[\n{\"time\": \"2026-09-21 14:13:30\", \"event\": \"ENTERQUEUE\"}\n]\n";
    let utf16: String = "1790000010|1790000010.1|600|NONE|ENTERQUEUE|\n"
        .chars()
        .map(|c| format!("{c}\0"))
        .collect();

    for (name, content) in
        [("dump.sql", sql), ("headless.csv", &headless), ("rows.json", json), ("utf16", &utf16)]
    {
        let audited = audit_export(name, content, &[]);
        assert_eq!(audited.code, Some(2), "{name}: {}", audited.text);
        assert!(
            audited.text.contains(&format!("{name}: not a queue_log: ")),
            "{name}: {}",
            audited.text
        );
    }

    for (name, content, what) in [
        ("log.zip", &b"PK\x03\x04"[..], "a zip archive"),
        ("log.7z", b"7z\xbc\xaf\x27\x1c", "a 7z"),
    ] {
        let audited = audit(&scratch(name, content), &["--recording", BULK]);
        assert_eq!(audited.code, Some(2), "{name}: {}", audited.text);
        assert!(
            audited.text.contains(&format!("{name}: cannot be read: it is {what}")),
            "{name}: {}",
            audited.text
        );
    }
}

#[test]
fn a_compressed_log_is_read_however_it_was_compressed() {
    let recording = "fixtures/captures/22/09e-redirect-waiting-caller.ami.gz";
    for (name, damage) in [("two-streams.xz", 60), ("two-streams.bz2", 60), ("two-frames.zst", 90)]
    {
        let audited = audit(&format!("fixtures/queue_log/{name}"), &["--recording", recording]);
        assert_eq!(audited.code, Some(0), "{name}: {}", audited.text);
        assert!(
            audited.text.contains("queue_log 2 lines in it, 0 outside\n"),
            "{name}: {}",
            audited.text
        );
        // Cut, and with a byte that was turned round.
        let mut whole = std::fs::read(fixture("queue_log").join(name)).expect("a fixture");
        let cut = audit(
            &scratch(&format!("cut-{name}"), &whole[..whole.len() - 20]),
            &["--recording", recording],
        );
        whole[damage] ^= 0x55;
        let damaged =
            audit(&scratch(&format!("damaged-{name}"), &whole), &["--recording", recording]);
        for audited in [cut, damaged] {
            assert_eq!(audited.code, Some(2), "{name}: {}", audited.text);
            assert!(
                audited.text.contains(&format!("{name}: cannot be read")),
                "{name}: {}",
                audited.text
            );
        }
    }
}

#[test]
fn lines_of_queues_that_the_pbx_does_not_have_are_set_apart() {
    let dialler = "1795474208|d1|OUTBOUND|NONE|ENTERQUEUE||2025550190|1\n\
        1795474209|d1|OUTBOUND|Ann|CONNECT|1|d2|1\n1795474300|d1|OUTBOUND|Ann|COMPLETEAGENT|1|91|1\n\
        1795474209|s1|survey|NONE|ABANDON|1|1|1\n";
    let apart = "set apart queues that the PBX does not have: OUTBOUND 3, survey 1\n";
    audit_bulk(
        "dialler",
        &(bulk() + dialler),
        0,
        &[apart, "queue_log 2135 lines in it", "50 figures are equal"],
    );

    // A real difference is one beside them.
    let log = bulk().replacen("|ABANDON|", "|NOTHING|", 1) + dialler;
    audit_bulk("dialler-and-fault", &log, 1, &[apart, "1 only counted", "DIFFER in 1 figure"]);

    // The same against metrics, which name every queue of the PBX.
    let played = run(&["replay", "--format", "text", BULK]);
    let metrics = scratch("bulk.prom", &played.stdout);
    let log = scratch("dialler-metrics", (bulk() + dialler).as_bytes());
    let audited = audit(&log, &["--metrics", &metrics, "--until", "2030-01-01T00:00:00Z"]);
    assert_eq!(audited.code, Some(0), "{}", audited.text);
    assert!(audited.text.contains(apart), "{}", audited.text);

    // Nothing but them is nothing to compare.
    let quiet = "asterisk_queue_entries_total{pbx=\"hq\",queue=\"600\"} 0\nprocess_start_time_seconds 1795474000\n";
    let (quiet, alone) =
        (scratch("quiet.prom", quiet.as_bytes()), scratch("dialler-alone", dialler.as_bytes()));
    let audited = audit(&alone, &["--metrics", &quiet, "--until", "1795474400"]);
    assert_eq!(audited.code, Some(2), "{}", audited.text);

    assert!(
        audited.text.contains("the PBX does not have its queues OUTBOUND 3, survey 1"),
        "{}",
        audited.text
    );
}

#[test]
fn a_log_of_another_time_has_no_verdict() {
    let window =
        "it does not reach into the time from 2026-11-23T22:50:06Z to 2026-11-23T22:52:31Z";
    let shifted = |seconds: i64| -> String {
        let line = |line: &str| {
            let (at, rest) = line.split_once('|').expect("a line");
            format!("{}|{rest}\n", at.parse::<u64>().expect("seconds").strict_add_signed(seconds))
        };
        bulk().lines().map(line).collect()
    };

    let yesterday = "queue_log begins at 2026-11-22T22:50:08Z and ends at 2026-11-22T22:52:31Z: ";
    audit_bulk("yesterday", &shifted(-86_400), 2, &[yesterday, window]);
    audit_bulk("tomorrow", &shifted(86_400), 2, &[window]);
    audit_bulk("rotated-just-now", "", 2, &["queue_log has no line that can be read", window]);
}

#[test]
fn members_with_a_bar_in_their_name_are_found_further_right() {
    let log = bulk().replace("|Agent 201|", "|Agent|201|").replace("|Agent 204|", "|AGENT|2|04|");
    assert_eq!(bulk().lines().count(), log.lines().count());
    audit_bulk(
        "bars",
        &log,
        0,
        &["625 lines name a member with a bar in the name", "50 figures are equal"],
    );
}

#[test]
fn what_newer_versions_and_databases_add_disturbs_nothing() {
    // log-caller-id-name (20.14, 22.4), members of a database, what the dialplan writes.
    let mut log = String::new();
    for line in bulk().lines() {
        let more = if line.contains("|ENTERQUEUE|") { "|Lab | Caller" } else { "" };
        log += &format!("{line}{more}\n");
    }

    for verb in [
        "ADDMEMBER|REALTIME",
        "REMOVEMEMBER|REALTIME",
        "PENALTY|3",
        "RINGINUSE|1",
        "LABNOTE|CONNECT|soon",
    ] {
        log += &format!(
            "1795474210|NONE|bulk-fpbx|PJSIP/201|{verb}\n1795474210|REALTIME|bulk-fpbx|PJSIP/201|{verb}\n"
        );
    }

    let named = "not compared ADDMEMBER 2, LABNOTE 2, PAUSEALL 58, PENALTY 2, REMOVEMEMBER 2, RINGCANCELED 86, RINGINUSE 2";
    audit_bulk("additions", &log, 0, &["50 figures are equal", named]);
}

/// Lines of one connected call of the random ones, from its COMPLETECALLER on under another
/// Uniqueid.
fn moved(log: &str, call: &str, from: &str) -> String {
    let mut gone = false;
    let line = |line: &str| {
        gone |= line.contains(&format!("|{call}|")) && line.contains(from);
        if gone {
            line.replacen(&format!("|{call}|"), "|1795474999.9|", 1) + "\n"
        } else {
            format!("{line}\n")
        }
    };
    log.lines().map(line).collect()
}

#[test]
fn a_place_that_another_channel_took_is_followed() {
    let log = bulk();
    let note =
        "1 call is in queue_log under two Uniqueids, since another channel took the caller's place";
    for verb in ["|CONNECT|", "|COMPLETECALLER|", "|ABANDON|", "|RINGNOANSWER|", "|COMPLETEAGENT|"]
    {
        let line = log.lines().find(|line| line.contains(verb)).expect("one of each");
        let call = line.split('|').nth(1).expect("a call");
        audit_bulk(
            &format!("moved-{}", verb.trim_matches('|')),
            &moved(&log, call, verb),
            0,
            &[note, "50 figures"],
        );
    }

    // An end that is 45 s longer, or of another agent, is no other name of this call.
    let end = log
        .lines()
        .find(|line| line.contains("|COMPLETECALLER|") && line.contains("|Agent 207|"))
        .expect("one");
    let fields: Vec<_> = end.split('|').collect();
    let call = fields[1];
    let talk = fields[6].parse::<u64>().expect("seconds");
    let elsewhere = end.replacen(call, "1795474999.9", 1);
    let longer = elsewhere
        .replace(&format!("R|{}|{talk}|", fields[5]), &format!("R|{}|{}|", fields[5], talk + 45));
    assert_ne!(longer, elsewhere);
    for (name, line) in
        [("longer", longer), ("stranger", elsewhere.replace("Agent 207", "Agent 201"))]
    {
        audit_bulk(
            name,
            &log.replace(end, &line),
            1,
            &["1 only in queue_log; 1 only counted", "call 1795474999.9"],
        );
    }
}

/// A caller who is connected at 1001 and of whose end nothing comes; what comes instead is reported.
fn recording(instead: &str) -> String {
    let caller = ("PJSIP/trunk-1", "1000.1");
    let agent = ("PJSIP/201-2", "1000.2");
    let channel = |prefix: &str, (name, uniqueid): (&str, &str)| {
        format!(
            "{prefix}Channel: {name}\n{prefix}ChannelState: 6\n{prefix}Uniqueid: {uniqueid}\n{prefix}Linkedid: 1000.1\n"
        )
    };

    let (of_caller, of_agent, to_agent) =
        (channel("", caller), channel("", agent), channel("Dest", agent));
    let member = "Queue: q\nInterface: PJSIP/201\nMemberName: Ann\n";
    let events = [
        (1000, "Newchannel", of_caller.clone()),
        (1000, "QueueCallerJoin", format!("{of_caller}Queue: q\nPosition: 1\nCount: 1\n")),
        (1000, "Newchannel", of_agent.clone()),
        (1000, "AgentCalled", format!("{of_caller}{to_agent}{member}")),
        (1001, "DialEnd", format!("{of_caller}{to_agent}DialStatus: ANSWER\n")),
        (1001, "QueueCallerLeave", format!("{of_caller}Queue: q\nPosition: 1\nCount: 0\n")),
        (1001, "AgentConnect", format!("{of_caller}{to_agent}{member}HoldTime: 1\nRingTime: 1\n")),
        (
            1001,
            "BridgeEnter",
            format!("BridgeUniqueid: b\nBridgeTechnology: simple_bridge\n{of_agent}"),
        ),
        (
            1001,
            "BridgeEnter",
            format!("BridgeUniqueid: b\nBridgeTechnology: simple_bridge\n{of_caller}"),
        ),
    ];

    let event = |(at, name, headers): (u64, &str, String)| {
        format!("Event: {name}\nTimestamp: {at}.5\n{headers}\n")
    };
    let text = events.map(event).concat() + instead;
    text.replace('\n', "\r\n")
}

/// What queue_log has of it: 45 s of talk.
fn log(ended: u64) -> String {
    format!(
        "1000|1000.1|q|NONE|ENTERQUEUE||2025550100|1\n1001|1000.1|q|Ann|CONNECT|1|1000.2|1\n\
         {ended}|1000.1|q|Ann|COMPLETECALLER|1|45|1\n"
    )
}

#[test]
fn an_end_in_plain_sight_is_not_explained_as_lost() {
    // After two days nothing is left of the call: lost, and the exporter was synchronised all the time.
    let later = 1001 + 49 * 3600;
    let reload = format!("Event: Reload\nTimestamp: {later}.5\nModule: All\nStatus: 0\n\n");

    // One stamp alone so far ahead is taken for a mistake of the clock.
    let two_days = recording(&reload.repeat(2));
    let seen = scratch("in-sight.ami", two_days.as_bytes());
    let audited = audit(&scratch("in-sight", log(1046).as_bytes()), &["--recording", &seen]);
    assert_eq!(audited.code, Some(1), "{}", audited.text);

    for row in [
        "differs q COMPLETECALLER completions caller 1 0 1 only in queue_log\ncall 1000.1\n",
        "differs q – completions lost 0 1 1 only counted\ncall 1000.1\n",
    ] {
        assert!(audited.text.contains(row), "{row} is not in {}", audited.text);
    }

    // The same in the sums of a scrape whose exporter was always synchronised.
    let lost = EXPORTED.replace("ended_by=\"caller\"", "ended_by=\"lost\"");
    let lost: String = lost
        .lines()
        .filter(|line| !line.contains("_talk_"))
        .map(|line| format!("{line}\n"))
        .collect();

    let file = std::fs::read_to_string(fixture("cases/database-export/queue_log")).expect("a log");
    let log = scratch("lost-export", file.as_bytes());

    for (connects, code, row) in [
        ("1", 1, "differs 600 COMPLETECALLER completions caller 1 0 1 only in queue_log\n"),
        (
            "2",
            0,
            "explained 600 COMPLETECALLER completions caller 1 0 1 lost: ended while the exporter was not synchronised\n",
        ),
    ] {
        let metrics = lost.replace(
            "connects_total{pbx=\"hq\"} 1",
            &format!("connects_total{{pbx=\"hq\"}} {connects}"),
        );
        let metrics = scratch(&format!("lost-{connects}.prom"), metrics.as_bytes());
        let audited = audit(&log, &["--metrics", &metrics, "--until", "1790000100"]);
        assert_eq!(audited.code, Some(code), "{}", audited.text);
        assert!(audited.text.contains(row), "{}", audited.text);
    }
}

#[test]
fn an_end_out_of_sight_is_explained_if_its_line_is_of_that_time() {
    // The PBX starts anew, and the capture goes on at 1060.
    let again = "Asterisk Call Manager/11.0.0\nEvent: FullyBooted\nTimestamp: 1060.5\nUptime: 5\nLastReload: 5\n\n\
        Event: Reload\nTimestamp: 1061.5\nModule: All\nStatus: 0\n\nEvent: Reload\nTimestamp: 1200.5\nModule: All\nStatus: 0\n\n";
    let first = "Event: FullyBooted\nTimestamp: 999.5\nUptime: 500\nLastReload: 500\n\n"
        .replace('\n', "\r\n");
    let seen = scratch("crash.ami", (first + &recording(again)).as_bytes());

    for (ended, code, row) in [
        (
            1046,
            0,
            "explained q COMPLETECALLER completions caller 1 0 1 lost: ended while the exporter was not synchronised\n",
        ),
        (1150, 1, "differs q COMPLETECALLER completions caller 1 0 1 only in queue_log\n"),
    ] {
        let audited = audit(
            &scratch(&format!("crash-{ended}"), log(ended).as_bytes()),
            &["--recording", &seen],
        );
        assert_eq!(audited.code, Some(code), "{}", audited.text);
        assert!(audited.text.contains(row), "{row} is not in {}", audited.text);
    }
}

/// The queue_log of `fixtures/gaps/22.ami.gz`, whose link was cut from 57.8 to 61.6.
const OVER_A_GAP: &str = "56|5.3|connected-unseen|NONE|ENTERQUEUE|\n56|5.0|waits-through|NONE|ENTERQUEUE|\n\
    56|5.5|talks-through|NONE|ENTERQUEUE|\n56|5.4|served-unseen|NONE|ENTERQUEUE|\n\
    56|5.7|hangs-up-unseen|NONE|ENTERQUEUE|\n56|5.2|gives-up-unseen|NONE|ENTERQUEUE|\n\
    56|5.6|passed-on-unseen|NONE|ENTERQUEUE|\n56|5.1|rings-through|NONE|ENTERQUEUE|\n\
    56|5.8|passed-on-before|NONE|ENTERQUEUE|\n56|5.9|consults-through|NONE|ENTERQUEUE|\n\
    56|5.8|passed-on-before|B|CONNECT|0|6.12|0\n56|5.6|passed-on-unseen|U|CONNECT|0|6.11|0\n\
    56|5.9|consults-through|C|CONNECT|0|6.14|0\n57|5.5|talks-through|T|CONNECT|1|6.10|1\n\
    57|5.7|hangs-up-unseen|H|CONNECT|1|6.15|1\n57|5.8|passed-on-before|B|ATTENDEDTRANSFER|BRIDGE|x|0|1|1\n\
    58|5.4|served-unseen|S|CONNECT|2|8.26|1\n59|8.24|comes-and-talks-unseen|D|ENTERQUEUE|\n\
    59|8.25|comes-unseen|NONE|ENTERQUEUE|\n59|5.2|gives-up-unseen|NONE|ABANDON|1|1|3\n\
    59|5.7|hangs-up-unseen|H|COMPLETECALLER|1|2|1\n59|5.6|passed-on-unseen|U|ATTENDEDTRANSFER|BRIDGE|x|0|3|1\n\
    60|5.4|served-unseen|S|COMPLETECALLER|2|2|1\n60|8.24|comes-and-talks-unseen|D|CONNECT|1|9.27|1\n\
    60|5.3|connected-unseen|N|CONNECT|4|9.28|1\n65|5.0|waits-through|NONE|ABANDON|1|1|9\n\
    65|8.24|comes-and-talks-unseen|D|COMPLETECALLER|1|5|1\n65|5.9|consults-through|C|ATTENDEDTRANSFER|BRIDGE|x|0|9|1\n\
    65|5.1|rings-through|NONE|ABANDON|1|1|9\n65|5.5|talks-through|T|COMPLETECALLER|1|8|1\n\
    65|8.25|comes-unseen|NONE|ABANDON|1|1|6\n65|5.3|connected-unseen|N|COMPLETECALLER|4|5|1\n";

#[test]
fn a_gap_excuses_what_it_hid_and_nothing_else() {
    let long = |log: &str| -> String {
        let line = |line: &str| {
            let fields: Vec<_> = line.splitn(3, '|').collect();
            format!("17956150{}|179561505{}|{}\n", fields[0], fields[1], fields[2])
        };
        log.lines().map(line).collect()
    };

    // The capture ends with its calls, and its edge has no verdict: so it goes on for half a
    // minute.
    let packed = std::fs::read(fixture("gaps/22.ami.gz")).expect("a fixture");
    let mut events = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut events).expect("gzipped text");
    events.extend(b"Event: Reload\r\nTimestamp: 1795615095.5\r\nModule: All\r\nStatus: 0\r\n\r\n");
    let longer = scratch("gap.ami", &events);
    let recording = ["--recording", &longer];
    let audited = audit(&scratch("gap", long(OVER_A_GAP).as_bytes()), &recording);
    assert_eq!(audited.code, Some(0), "{}", audited.text);

    for (queue, what, why) in [
        (
            "gives-up-unseen",
            "ABANDON exits abandoned",
            "lost: ended while the exporter was not synchronised",
        ),
        (
            "served-unseen",
            "CONNECT exits answered",
            "lost: ended while the exporter was not synchronised",
        ),
        (
            "hangs-up-unseen",
            "COMPLETECALLER completions caller",
            "lost: ended while the exporter was not synchronised",
        ),
        (
            "passed-on-unseen",
            "*TRANSFER completions transfer",
            "lost: ended while the exporter was not synchronised",
        ),
        (
            "comes-unseen",
            "ENTERQUEUE entries",
            "adopted: began while the exporter was not synchronised",
        ),
        (
            "comes-and-talks-unseen",
            "CONNECT exits answered",
            "adopted: began while the exporter was not synchronised",
        ),
    ] {
        let row = format!("explained {queue} {what} 1 0 1 {why}\n");
        assert!(audited.text.contains(&row), "{row} is not in {}", audited.text);
    }

    // The same lines, written when the exporter could see again.
    for (line, row) in [
        ("59|5.2|gives-up-unseen|NONE|ABANDON", "gives-up-unseen ABANDON exits abandoned"),
        (
            "59|5.7|hangs-up-unseen|H|COMPLETECALLER",
            "hangs-up-unseen COMPLETECALLER completions caller",
        ),
        ("59|8.25|comes-unseen|NONE|ENTERQUEUE", "comes-unseen ENTERQUEUE entries"),
    ] {
        assert!(OVER_A_GAP.contains(line));
        let moved = OVER_A_GAP.replace(line, &format!("80{}", &line[2..]));
        let audited = audit(&scratch("gap-moved", long(&moved).as_bytes()), &recording);
        assert_eq!(audited.code, Some(1), "{line}: {}", audited.text);
        let row = format!("differs {row} 1 0 1 only in queue_log\n");
        assert!(audited.text.contains(&row), "{row} is not in {}", audited.text);
    }
}

/// A pipe has no second look, so the zone must be given.
#[cfg(unix)]
#[test]
fn local_times_out_of_a_pipe_need_their_zone() {
    let file = std::fs::read_to_string(fixture("cases/database-export/queue_log")).expect("a log");
    let metrics = scratch("piped.prom", EXPORTED.as_bytes());

    for (more, code, says) in [
        (
            vec![],
            2,
            "only a file can be searched for Uniqueids that show their zone: give their zone with --log-offset",
        ),
        (vec!["--log-offset", "+00:00"], 0, "queue_log 3 lines in it, 0 outside\n"),
    ] {
        let pipe = scratch(&format!("pipe-{code}"), b"");
        std::fs::remove_file(&pipe).expect("the file");
        assert!(
            std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success()
        );
        let writer = pipe.clone();
        let text = file.clone();
        let writer = std::thread::spawn(move || std::fs::write(writer, text));
        let args = [&["--metrics", &metrics, "--until", "1790000100"][..], &more].concat();
        let audited = audit(&pipe, &args);
        assert_eq!(audited.code, Some(code), "{}", audited.text);
        assert!(audited.text.contains(says), "{}", audited.text);
        writer.join().expect("a writer").expect("a reader");
    }
}
