//! Every way through a queue, and every kind of call, on a real PBX: what happens, and what must
//! come out.
//!
//! Times are wide: whoever is to do something first does it seconds before anything else could
//! happen.

mod calls;
mod members;
mod transfers;
mod waits;

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use super::ami::Message;
use super::stage::{Scenario, Stage};

const BASE: Scenario = Scenario::new("");

/// All of them.
pub(crate) const ALL: [&[Scenario]; 4] = [waits::ALL, members::ALL, transfers::ALL, calls::ALL];

/// Those whose outcome queue_log calls something else on purpose (METRICS.md, Differences to
/// queue_log).
pub(crate) const REDIRECTED: &[&str] = &["redirected-waiting", "redirected-talking"];

/// Those whose talk ended before queue_log says so.
pub(crate) const CUT_SHORT: &[&str] = &["redirected-talking"];

/// Waits until caller and agent have talked for a second; the AgentConnect.
pub(crate) fn talking(s: &Stage<'_>) -> Arc<Message> {
    let connect = s.wait("AgentConnect");
    for side in ["Channel", "DestChannel"] {
        s.wait_any("BridgeEnter", "Channel", &connect[side]);
    }
    sleep(Duration::from_secs(1));
    connect
}
