//! What `audit` makes of logs that are not as plain as the PBX writes them, or not of this PBX
//! alone.

use super::Case;

/// Lines with runs of spaces as one.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The lines of what `audit` printed, which must agree.
fn agreed(case: &str) -> Vec<String> {
    let audited = Case::open(case).audit(&["--all"]);
    assert_eq!(audited.code, Some(0), "{case}: {}", audited.text);
    lines(&audited.text)
}

#[test]
fn an_unpause_without_an_event_is_explained() {
    // 500: lunch, then training, then back; the UNPAUSE between the two is Asterisk's own.
    let shown = agreed("unpause-on-reason-change");
    let row = "explained 500 UNPAUSE pauses unpaused 2 1 1 Auto-Unpause: the reason of a pause changed \
               (log_unpause_on_reason_change)";
    assert!(shown.contains(&row.to_owned()), "{shown:#?}");
    assert!(shown.contains(&"equal 500 PAUSE pauses paused 2 2".to_owned()), "{shown:#?}");

    // csup: five reasons, one of them twice.
    let shown = agreed("unpause-on-reason-change-22");
    let row = "explained csup UNPAUSE pauses unpaused 4 1 3 Auto-Unpause: the reason of a pause changed \
               (log_unpause_on_reason_change)";
    assert!(shown.contains(&row.to_owned()), "{shown:#?}");
    assert!(shown.contains(&"equal csup PAUSE pauses paused 5 5".to_owned()), "{shown:#?}");
}

#[test]
fn an_end_under_a_surrogate_is_the_callers_end() {
    let shown = agreed("redirect-then-bridge-22");
    let note = "note 1 call is in queue_log under two Uniqueids, since another channel took the caller's place";
    assert!(shown.contains(&note.to_owned()), "{shown:#?}");
    let row =
        "explained cloc COMPLETECALLER completions caller 1 0 1 AgentComplete came late, or never";
    assert!(shown.contains(&row.to_owned()), "{shown:#?}");
}

#[test]
fn an_end_under_the_consulting_channel_is_the_callers_end() {
    let shown = agreed("refer-to-conference-24");
    let note = "note 1 call is in queue_log under two Uniqueids, since another channel took the caller's place";
    assert!(shown.contains(&note.to_owned()), "{shown:#?}");
    assert!(
        shown.contains(&"equal cdesk COMPLETECALLER completions caller 1 1".to_owned()),
        "{shown:#?}"
    );
    assert!(
        shown.contains(&"equal cdesk COMPLETE* seconds talk 4 s 4.0 s".to_owned()),
        "{shown:#?}"
    );
}

#[test]
fn a_waiting_caller_whom_a_bridge_takes_is_followed_to_the_surrogate() {
    let shown = agreed("bridge-takes-waiting-caller-22");
    let note = "note 1 call is in queue_log under two Uniqueids, since another channel took the caller's place";
    assert!(shown.contains(&note.to_owned()), "{shown:#?}");
    let row = "explained cnever ABANDON exits abandoned 1 0 1 redirected while waiting";
    assert!(shown.contains(&row.to_owned()), "{shown:#?}");
    assert!(shown.contains(&"call 1795942255.27".to_owned()), "{shown:#?}");
}

#[test]
fn a_place_that_the_exporter_saw_move_is_equal_without_explanation() {
    for case in [
        "refer-into-waiting-place-abandoned",
        "refer-into-waiting-place-22",
        "local-caller-optimised",
    ] {
        let shown = agreed(case);
        let same = |line: &String| !line.starts_with("explained") && !line.starts_with("note");
        assert!(shown.iter().all(same), "{case}: {shown:#?}");
        assert_eq!(
            shown.last().map(String::as_str),
            Some("queue_log and the exporter agree."),
            "{case}"
        );
    }

    let shown = agreed("local-caller-optimised");
    assert!(
        shown.contains(&"equal sales COMPLETE* seconds talk 45 s 45.0 s".to_owned()),
        "{shown:#?}"
    );
}
