//! What cannot be compared is reported, and never counts as agreement.

use support::program::run;

use super::{BULK, STARTED, audit, bulk, gzipped, lines, printed, scratch, text};

#[test]
fn queues_that_are_not_exported_are_not_compared() {
    let config = scratch("deny.yml", b"pbx:\n  - name: hq\nqueues: {deny: ['^bulk-fpbx$']}\n");
    let log = scratch("deny", bulk().as_bytes());
    let output =
        audit(&[&log], &["--capture", BULK, "--config", config.to_str().expect("a plain path")]);
    let text = printed(&output, 0);
    assert!(text.contains("note          not exported, so not compared: bulk-fpbx\n"), "{text}");
}

#[test]
fn what_cannot_be_compared_is_told_and_no_verdict() {
    let log = scratch("whole", bulk().as_bytes());
    let name = log.to_str().expect("a plain path");
    let nowhere = "fixtures/nothing";
    let packed = gzipped(&bulk());
    let cut = scratch("cut.gz", &packed[..packed.len() / 2]);
    for (args, message) in [
        (
            vec!["--queue-log", nowhere, "--capture", BULK],
            "fixtures/nothing: cannot be read: No such file or directory",
        ),
        (
            vec!["--queue-log", name, "--queue-log", name, "--capture", BULK],
            ": given more than once\n",
        ),
        (
            vec!["--queue-log", cut.to_str().expect("a plain path"), "--capture", BULK],
            "cut.gz: cannot be read: ",
        ),
        (vec!["--queue-log", name, "--capture", nowhere], "fixtures/nothing: cannot be read"),
        (vec!["--queue-log", name, "--metrics", nowhere], "fixtures/nothing: cannot be read"),
        (vec!["--queue-log", name, "--metrics", "README.md"], "of the metrics is no sample"),
        (
            vec!["--queue-log", name, "--metrics", "http://me:secret@pbx/metrics"],
            "save the page, and name the file\n",
        ),
        (
            vec!["--queue-log", name, "--capture", BULK, "--config", nowhere],
            "fixtures/nothing: no such file",
        ),
        (vec!["--queue-log", name], "--capture"),
        (vec!["--capture", BULK], "--queue-log"),
    ] {
        let output = run(&[&["audit"], &args[..]].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
        assert!(text(&output.stderr).contains(message), "{args:?}: {}", text(&output.stderr));
    }
}

#[test]
fn where_nothing_is_compared_nothing_agrees() {
    let nothing = STARTED.replace("\"} 2\n", "\"} 0\n");
    assert_ne!(nothing, STARTED);
    let scrape = scratch("zeroes.prom", nothing.as_bytes());
    let counted = scratch("counted.prom", STARTED.as_bytes());
    let (scrape, counted) =
        (scrape.to_str().expect("a plain path"), counted.to_str().expect("a plain path"));
    let (empty, garbage) =
        (scratch("empty", b""), scratch("garbage", b"\x00\xff\x1b[31m\nnot a line\n"));
    let other_day =
        scratch("other-day", b"500|0.1|q|NONE|ENTERQUEUE|\n501|0.1|q|NONE|ABANDON|1|1|1\n");
    let noted = scratch("noted", b"1050|1.1|q|NONE|LABNOTE|x\n");
    let whole = scratch("forward", bulk().as_bytes());
    let quiet = ["--capture", BULK, "--since", "2026-11-23 20:00", "--until", "2026-11-23 21:00"];
    for (log, more, message) in [
        (
            &empty,
            vec!["--metrics", scrape, "--until", "1100"],
            "queue_log has no line that can be read",
        ),
        (
            &garbage,
            vec!["--metrics", scrape, "--until", "1100"],
            "garbage: not a queue_log: 2 of 2 lines cannot be read",
        ),
        (
            &other_day,
            vec!["--metrics", scrape, "--until", "1100"],
            "queue_log begins at 1970-01-01T00:08:20Z and ends at 1970-01-01T00:08:21Z: it does not reach into the time \
             from 1970-01-01T00:16:40Z to 1970-01-01T00:18:20Z",
        ),
        (
            &whole,
            quiet.to_vec(),
            "it does not reach into the time from 2026-11-23T20:00:00Z to 2026-11-23T21:00:00Z",
        ),
        (
            &noted,
            vec!["--metrics", scrape, "--until", "1100"],
            "nothing to compare from 1970-01-01T00:16:40Z to 1970-01-01T00:18:20Z",
        ),
        (
            &whole,
            vec!["--metrics", scrape, "--since", "1100", "--until", "1050"],
            "there is no time to compare: ",
        ),
        (
            &whole,
            vec!["--metrics", scrape, "--since", "1100", "--until", "1100"],
            "there is no time to compare: ",
        ),
        (&whole, vec!["--metrics", scrape, "--until", "900"], "there is no time to compare: "),
        (
            &whole,
            vec!["--capture", "fixtures/nothing", "--since", "9", "--until", "8"],
            "there is no time to compare: ",
        ),
    ] {
        for json in [&[][..], &["--json"]] {
            let output = audit(&[log], &[&more[..], json].concat());
            assert_eq!(printed(&output, 2), "", "{more:?}");
            assert!(text(&output.stderr).contains(message), "{more:?}: {}", text(&output.stderr));
        }
    }
    // A log of another time has nothing of what was counted, and neither does an empty one.
    for log in [&empty, &other_day] {
        let output = audit(&[log], &["--metrics", counted, "--until", "1100"]);
        assert_eq!(printed(&output, 2), "", "{}", log.display());
    }
    // What was counted, and is not in a log of this time, is a difference.
    let shown = printed(&audit(&[&noted], &["--metrics", counted, "--until", "1100"]), 1);
    assert!(shown.contains("2 only counted"), "{shown}");
}

#[test]
fn a_completion_without_a_length_never_agrees_by_itself() {
    let log: String = (0..100)
        .map(|call| format!("1010|1.{call}|q|Ann|CONNECT|0|2.{call}|0\n1120|1.{call}|q|Ann|COMPLETECALLER|0|100|1\n"))
        .collect();
    let log = scratch("lengths", log.as_bytes());
    let scrape = |talks: u32, late: u32| {
        let series = format!(
            "asterisk_queue_exits_total{{pbx=\"hq\",queue=\"q\",outcome=\"answered\"}} 100\n\
             asterisk_queue_hold_seconds_sum{{pbx=\"hq\",queue=\"q\",outcome=\"answered\"}} 0\n\
             asterisk_queue_hold_seconds_count{{pbx=\"hq\",queue=\"q\",outcome=\"answered\"}} 100\n\
             asterisk_queue_completions_total{{pbx=\"hq\",queue=\"q\",agent=\"Ann\",ended_by=\"caller\"}} 100\n\
             asterisk_exporter_anomalies_total{{pbx=\"hq\",kind=\"complete_missing\"}} {late}\n"
        );
        let talk = format!(
            "asterisk_queue_talk_seconds_sum{{pbx=\"hq\",queue=\"q\",agent=\"Ann\"}} {talks}\n\
             asterisk_queue_talk_seconds_count{{pbx=\"hq\",queue=\"q\",agent=\"Ann\"}} {talks}\n"
        );
        scratch(
            &format!("lengths-{talks}-{late}.prom"),
            format!("{series}{}", if talks > 0 { &talk } else { "" }).as_bytes(),
        )
    };
    for (talks, late, why) in [
        (99, 0, "1 call counted without its length"),
        (100, 1, "100.0 s of 1 call"),
        (0, 0, "100 calls counted without"),
    ] {
        let scrape = scrape(talks, late);
        let args = [
            "--metrics",
            scrape.to_str().expect("a plain path"),
            "--since",
            "1000",
            "--until",
            "1200",
        ];
        let shown = printed(&audit(&[&log], &args), 1);
        let row =
            lines(&shown).into_iter().find(|line| line.starts_with("differs q COMPLETE* seconds"));
        assert!(row.as_ref().is_some_and(|row| row.contains(why)), "{talks} {late}: {shown}");
    }
}

#[test]
fn a_damaged_log_cannot_colour_the_terminal() {
    let log = scratch(
        "colours",
        b"1010|1.\x1b[1m|\x1b[31mq|NONE|ENTERQUEUE|\n1011|1.2|q|NONE|\x1b[2JNOVERB|\n1010|1.3|q|NONE|ENTERQUEUE|\n",
    );
    let scrape = scratch("colours.prom", STARTED.as_bytes());
    let scrape = ["--metrics", scrape.to_str().expect("a plain path"), "--until", "1100"];
    let shown = printed(&audit(&[&log], &scrape), 1);
    assert!(!shown.contains('\x1b'), "{shown:?}");
    assert!(
        shown.contains(r"does not have: \u{1b}[31mq 1") && shown.contains(r"\u{1b}[2JNOVERB 1"),
        "{shown}"
    );
    let call = format!("{}1795474208|9.\x1b[1m|bulk-fpbx|NONE|ABANDON|1|1|1\n", bulk());
    let call = scratch("colours-call", call.as_bytes());
    let shown = printed(&audit(&[&call], &["--capture", BULK]), 1);
    assert!(!shown.contains('\x1b') && shown.contains(r"call 9.\u{1b}[1m"), "{shown:?}");
}

#[test]
fn a_log_that_begins_late_is_told_only_if_something_is_missed() {
    let scrape = scratch("late.prom", STARTED.as_bytes());
    let scrape =
        ["--metrics", scrape.to_str().expect("a plain path"), "--since", "0", "--until", "1100"];
    let call =
        |id: u32| format!("1010|1.{id}|q|NONE|ENTERQUEUE|\n1011|1.{id}|q|NONE|ABANDON|1|1|9\n");
    for (log, code, noted) in [(call(1) + &call(2), 0, false), (call(1), 1, true)] {
        let log = scratch("late-log", log.as_bytes());
        let shown = printed(&audit(&[&log], &scrape), code);
        assert_eq!(shown.contains("is an older file missing?"), noted, "{shown}");
    }
}

#[test]
fn a_recording_tells_its_gaps() {
    let log = scratch("gap", b"1795615060|NONE|NONE|NONE|CONFIGRELOAD|\n");
    let shown = printed(&audit(&[&log], &["--capture", "fixtures/gaps/22.ami.gz"]), 1);
    assert!(
        shown.contains("note          the capture has a gap: calls that came and went there"),
        "{shown}"
    );
}
