//! Who is who: labels, agents, queues, directions.

use std::path::PathBuf;

use support::program::run;
use support::{Numbers, fixture};

use super::{Case, path};

#[test]
fn a_queue_that_is_dialled_in_another_case_is_the_configured_one() {
    let case = Case::open("queue-name-case");
    let numbers = case.numbers();

    // The last queue is the empty name, of nobody.
    let queues = numbers.values("asterisk_queue_entries_total", "queue");
    assert_eq!(queues, ["Support", "full", "sales"]);
    let exits = |queue, outcome| {
        numbers.sum("asterisk_queue_exits_total", &[("queue", queue), ("outcome", outcome)])
    };
    assert_eq!(
        (exits("Support", "answered"), exits("sales", "timeout"), exits("full", "abandoned")),
        (1.0, 1.0, 1.0)
    );
    let refused = numbers
        .series("asterisk_queue_refusals_total", &[])
        .map(|(series, _)| series)
        .collect::<Vec<_>>();
    assert_eq!(
        refused,
        ["asterisk_queue_refusals_total{pbx=\"t\",queue=\"full\",reason=\"full\"}"]
    );

    let audited = case.audit(&[]);
    assert!(audited.text.ends_with("\nqueue_log and the exporter agree.\n"), "{}", audited.text);
    assert_eq!(audited.code, Some(0));
}

#[test]
fn queue_log_of_22_has_names_as_dialled_and_agrees() {
    let case = Case::open("queue-name-other-case-22");
    let numbers = case.numbers();
    let entries = numbers
        .series("asterisk_queue_entries_total", &[])
        .map(|(series, count)| (series.to_owned(), count));
    let entries: Vec<_> = entries.collect();
    let of = |queue: &str, count| {
        (format!("asterisk_queue_entries_total{{pbx=\"t\",queue=\"{queue}\"}}"), count)
    };
    assert_eq!(entries, [of("cnever", 2.0), of("cstrict", 1.0), of("csup", 1.0)]);

    let audited = case.audit(&[]);
    assert!(audited.text.ends_with("\nqueue_log and the exporter agree.\n"), "{}", audited.text);
    assert_eq!(audited.code, Some(0));
}

#[test]
fn an_isdn_trunk_is_its_span_whoever_calls_or_is_called() {
    let numbers = Case::open("isdn-number").numbers();
    // Causes without a trunk begin at zero.
    assert_eq!(numbers.values("asterisk_call_hangups_total", "trunk"), ["", "DAHDI/i1"]);
    assert_eq!(numbers.sum("asterisk_call_hangups_total", &[("trunk", "")]), 0.0);
    for name in ["asterisk_trunk_attempts_total", "asterisk_trunk_calls_active"] {
        assert_eq!(numbers.values(name, "trunk"), ["DAHDI/i1"], "{name}");
    }

    let calls = |direction| {
        let labels = [
            ("direction", direction),
            ("agent", "Ada Alt"),
            ("trunk", "DAHDI/i1"),
            ("result", "answered"),
        ];
        numbers.sum("asterisk_calls_total", &labels)
    };
    assert_eq!((calls("inbound"), calls("outbound")), (2.0, 1.0));
    assert_eq!(numbers.sum("asterisk_calls_total", &[]), 3.0);
}

#[test]
fn media_channels_are_neither_agents_nor_calls_nor_legs_of_one() {
    let numbers = Case::open("media-channels").numbers();
    let inbound =
        [("direction", "inbound"), ("agent", ""), ("trunk", "PJSIP/trunk"), ("result", "answered")];
    assert_eq!(numbers.sum("asterisk_calls_total", &inbound), 2.0);
    assert_eq!(
        numbers.sum("asterisk_calls_total", &[]),
        2.0,
        "one for each caller, none for a media channel"
    );
    assert_eq!(numbers.sum("asterisk_call_hangups_total", &inbound[..3]), 2.0);

    // A call that was only connected to media rang nobody and talked to nobody.
    assert_eq!(numbers.sum("asterisk_call_ring_seconds_count", &[]), 0.0);
    assert_eq!(numbers.sum("asterisk_call_talk_seconds_count", &[]), 0.0);
    assert_eq!(numbers.values("asterisk_trunk_attempts_total", "trunk"), ["PJSIP/trunk"]);
    assert_eq!(numbers.sum("asterisk_trunk_attempts_total", &[]), 0.0);
}

#[test]
fn a_person_is_one_agent_in_queues_and_outside_of_them() {
    let numbers = Case::open("hint-member").numbers();

    // Local/1337@from-queue/n with a hint, SIP/998 with a hint, sip/997 that dials as SIP/997.
    let people = ["Dana Dove", "Sam Song", "Tea Tran"];
    for agent in people {
        let labels = [
            ("direction", "outbound"),
            ("agent", agent),
            ("trunk", "PJSIP/trunk"),
            ("result", "answered"),
        ];
        assert_eq!(numbers.sum("asterisk_calls_total", &labels), 1.0, "{agent}");
        let talked = numbers.sum("asterisk_call_talk_seconds_sum", &[("agent", agent)]);
        assert!((talked - 29.998).abs() < 1e-6, "{agent} talked {talked}");
    }
    assert_eq!(numbers.sum("asterisk_calls_total", &[]), 3.0);
}

#[test]
fn queues_have_the_configured_names_and_audit_knows_them() {
    let scratch = |name: &str| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let config = scratch("aliases.yml");
    let metrics = scratch("aliases.prom");
    let aliases = "pbx:\n- name: t\n  trunks: ['^PJSIP/trunk-']\n  aliases: {queues: {SUPPORT: Help desk, sales: Others, \
                   full: Others}}\nqueues: {deny: ['^Others$', '^Help']}\n";
    std::fs::write(&config, aliases).expect("a scratch file");
    let case = fixture("cases/queue-name-case");
    let events = case.join("events.ami");
    let log = case.join("queue_log");

    // Patterns are over the PBX's own names, so nothing is denied here.
    let played = run(&["replay", "--format", "text", "--config", path(&config), path(&events)]);
    let text = String::from_utf8_lossy(&played.stdout).into_owned();
    let numbers = Numbers::read(&text);
    assert_eq!(numbers.values("asterisk_queue_entries_total", "queue"), ["Help desk", "Others"]);
    let of = |name, queue| numbers.sum(name, &[("queue", queue)]);
    assert_eq!(
        ["Help desk", "Others"].map(|queue| of("asterisk_queue_entries_total", queue)),
        [1.0, 2.0]
    );
    assert_eq!(
        ["Help desk", "Others"].map(|queue| of("asterisk_queue_refusals_total", queue)),
        [0.0, 1.0]
    );
    assert_eq!(["Help desk", "Others"].map(|queue| of("asterisk_queue_agents", queue)), [1.0, 1.0]);

    // A scrape has these labels, a capture the PBX's names, and queue_log agrees with both.
    std::fs::write(&metrics, text).expect("a scratch file");
    for side in [["--metrics", path(&metrics)], ["--recording", path(&events)]] {
        let args =
            ["audit", "--config", path(&config), side[0], side[1], "--queue-log", path(&log)];
        let audited = run(&args);
        let text = String::from_utf8_lossy(&audited.stdout);
        assert!(text.ends_with("\nqueue_log and the exporter agree.\n"), "{text}");
    }
}

#[test]
fn names_that_are_not_utf_8_stay_apart_and_audit_reads_them_alike() {
    let case = Case::open("names-not-utf-8");
    let numbers = case.numbers();

    let abandoned = |queue: &str| {
        // A label value has a backslash doubled, as the text format wants it.
        let of = [("queue", queue), ("outcome", "abandoned")];
        (
            numbers.sum("asterisk_queue_exits_total", &of),
            numbers.sum("asterisk_queue_hold_seconds_sum", &of).round(),
        )
    };
    assert_eq!(abandoned(r"B\\xfcro"), (1.0, 5.0));
    assert_eq!(abandoned(r"B\\xf6ro"), (1.0, 7.0));
    assert_eq!(abandoned("Büro"), (1.0, 9.0));
    let paused = numbers.values("asterisk_queue_pauses_total", "agent");
    assert_eq!(paused, [r"J\\\\xf6rg", r"J\\xe4rg", r"J\\xf6rg"]);
    for agent in paused {
        let labels = [("queue", r"B\\xfcro"), ("agent", agent.as_str()), ("change", "paused")];
        assert_eq!(numbers.sum("asterisk_queue_pauses_total", &labels), 1.0, "{agent}");
    }

    let audited = case.audit(&["--all"]);
    assert!(audited.text.ends_with("\nqueue_log and the exporter agree.\n"), "{}", audited.text);
    assert_eq!(audited.code, Some(0));
    let is_entry = |line: &&str| line.contains("ENTERQUEUE") && !line.contains("positions");
    let entries: Vec<_> = audited.text.lines().filter(is_entry).collect();
    let queues: Vec<_> = entries.iter().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(queues, [r"B\xf6ro", r"B\xfcro", "Büro"]);
}
