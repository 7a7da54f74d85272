//! Accounts that do not see all they need, and say so.

use support::Numbers;

use super::Case;

/// The reasons that are reported.
fn degraded(numbers: &Numbers) -> Vec<String> {
    let all = numbers.values("asterisk_exporter_degraded", "reason");
    assert_eq!(all.len(), 28, "every reason is there from the start");
    let is_reported =
        |reason: &String| numbers.sum("asterisk_exporter_degraded", &[("reason", reason)]) == 1.0;
    all.into_iter().filter(is_reported).collect()
}

#[test]
fn an_account_that_sees_joins_and_leaves_only_is_reported() {
    let case = Case::open("joins-and-leaves-only");
    // Four callers came and went, three of them long after the session began, and no channel of
    // theirs was reported.
    assert_eq!(degraded(&case.numbers()), ["class_call", "class_dialplan"]);
}

#[test]
fn two_callers_are_no_proof_yet() {
    let case = Case::open("joins-and-leaves-only");
    assert_eq!(degraded(&case.numbers_until(1_790_000_212.0)), [""; 0]);
}
