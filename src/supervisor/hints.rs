//! What to grant the account, said once a PBX and not at every connection.

use std::collections::HashSet;

use tracing::warn;

use crate::pbx::PbxName;
use crate::version::{NEWEST, OLDEST};

/// What was said already.
#[derive(Debug, Default)]
pub(super) struct Hints(HashSet<&'static str>);

impl Hints {
    /// CoreSettings was refused.
    pub(super) fn version_hidden(&mut self, pbx: &PbxName, message: &str) {
        if self.0.insert("CoreSettings") {
            warn!(
                %pbx, answer = message,
                "the version of Asterisk is hidden: grant the account write=reporting in manager.conf"
            );
        }
    }

    /// Nobody knows yet what differs in that version.
    pub(super) fn version_newer(&mut self, pbx: &PbxName, version: &str) {
        if self.0.insert("newer") {
            warn!(%pbx, version, "this Asterisk is newer than what was checked, {OLDEST} to {NEWEST}: it is followed as {NEWEST}");
        }
    }

    /// A list was refused.
    pub(super) fn list_refused(&mut self, pbx: &PbxName, action: &'static str, message: &str) {
        if self.0.insert(action) {
            warn!(%pbx, action, answer = message, "{}", remedy(action));
        }
    }
}

fn remedy(action: &str) -> &'static str {
    if action == "QueueStatus" {
        "queues are not listed: callers already waiting are not seen; is app_queue loaded?"
    } else {
        "channels are not listed: calls already up are not seen; grant the account write=reporting in manager.conf"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_remembered() {
        let mut hints = Hints::default();
        let pbx = PbxName::new("hq");
        hints.list_refused(&pbx, "QueueStatus", "Permission denied");
        hints.list_refused(&pbx, "QueueStatus", "Permission denied");
        hints.version_hidden(&pbx, "Permission denied");
        hints.version_newer(&pbx, "24.1.0");
        hints.version_newer(&pbx, "24.1.0");
        assert_eq!(hints.0.len(), 3);
    }
}
