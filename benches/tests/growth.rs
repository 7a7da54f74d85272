//! Nothing that goes on makes an event cost more: its instructions are counted, not timed.

use std::process::Command;

/// Every kind of event, in each way it may take, is played among few and among many calls, callers
/// who wait, members, queues, ended channels and so on.  The table of `make bench ARGS=growth` is
/// of the same events.
#[test]
fn no_event_costs_more_the_more_goes_on() {
    if support::program::tool("valgrind").is_none() {
        return;
    }
    let check = Command::new(env!("CARGO_BIN_EXE_benches")).arg("growth-check").output();
    let check = check.expect("the benches were built");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}
