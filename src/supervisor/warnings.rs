//! What an account lacks: logged once a PBX, not at every connection.

use std::collections::HashSet;
use std::error::Error;
use std::time::Duration;

use tracing::warn;

use crate::correlator::{GivenUp, TrackedLimits};
use crate::metrics::Limit;
use crate::pbx::PbxName;
use crate::version::{NEWEST, OLDEST};

/// What was logged already.
#[derive(Debug, Default)]
pub(super) struct Warnings(HashSet<Warned>);

/// What a warning is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Warned {
    VersionHidden,
    VersionNewer,
    Unreadable(&'static str),
    Hanging(&'static str),
    ListRefused(&'static str),
    LogUnreadable,
}

impl Warnings {
    /// CoreSettings was refused.
    pub(super) fn version_hidden(&mut self, pbx: &PbxName, message: &str) {
        if self.0.insert(Warned::VersionHidden) {
            warn!(
                %pbx, answer = message,
                "the version of Asterisk is hidden: grant the account write=reporting in manager.conf"
            );
        }
    }

    /// The version is newer than every branch that was checked.
    pub(super) fn version_newer(&mut self, pbx: &PbxName, version: &str) {
        if self.0.insert(Warned::VersionNewer) {
            warn!(
                %pbx, version,
                "this Asterisk is newer than what was checked, {OLDEST} to {NEWEST}: it is followed as {NEWEST}"
            );
        }
    }

    /// A file that `key` names gives nothing any more.
    pub(super) fn file_unreadable(&mut self, pbx: &PbxName, key: &'static str, error: &dyn Error) {
        if self.0.insert(Warned::Unreadable(key)) {
            warn!(%pbx, key, %error, "a file is unusable: what it held before is used instead");
        }
    }

    /// Reading one of the files that `key` names takes too long.
    pub(super) fn file_hangs(&mut self, pbx: &PbxName, key: &'static str, files: &str) {
        if self.0.insert(Warned::Hanging(key)) {
            warn!(
                %pbx, key, files,
                "reading a file hangs, as on a disk that does not answer: what it held before is used instead"
            );
        }
    }

    /// It gives something: the next time that it does not is worth a line again.
    pub(super) fn file_readable(&mut self, key: &'static str) {
        self.0.remove(&Warned::Unreadable(key));
        self.0.remove(&Warned::Hanging(key));
    }

    /// The log that should tell of a gap cannot be read.
    pub(super) fn log_unreadable(&mut self, pbx: &PbxName, error: &str) {
        if self.0.insert(Warned::LogUnreadable) {
            warn!(%pbx, error, "queue_log cannot be read: what ended without synchronisation is lost");
        }
    }

    /// It can: the next time that it cannot is worth a line again.
    pub(super) fn log_readable(&mut self) {
        self.0.remove(&Warned::LogUnreadable);
    }

    /// A list was refused.
    pub(super) fn list_refused(&mut self, pbx: &PbxName, action: &'static str, message: &str) {
        if self.0.insert(Warned::ListRefused(action)) {
            warn!(%pbx, action, answer = message, "{}", remedy(action));
        }
    }
}

/// Names or series are beyond a limit; the recorder reports each limit once.
pub(super) fn limit_reached(pbx: &PbxName, limit: Limit) {
    warn!(
        %pbx, limit = limit.key(),
        "a limit is reached: what is beyond it is counted as `other`"
    );
}

/// More is going on than is followed; the recorder reports each kind once a minute.
pub(super) fn given_up_some(pbx: &PbxName, kind: GivenUp, count: u64) {
    warn!(
        %pbx, limit = TrackedLimits::key(kind), count,
        "a limit is reached: the oldest are followed no longer, and what becomes of them is counted as `lost`"
    );
}

/// A session ended while the PBX was to list trunks or phones, which may be why.
pub(super) fn list_suspected(pbx: &PbxName, action: &'static str, pause: Duration) {
    warn!(
        %pbx, action, ?pause,
        "the session before ended during this list of trunks or phones: it is not asked for for a while"
    );
}

fn remedy(action: &str) -> &'static str {
    if action == "QueueStatus" {
        "queues are not listed: callers already waiting are not counted; is app_queue loaded?"
    } else {
        "channels are not listed: calls already in progress are not counted; grant the account write=reporting in manager.conf"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_logged_once() {
        let mut warnings = Warnings::default();
        let pbx = PbxName::new("hq");
        warnings.list_refused(&pbx, "QueueStatus", "Permission denied");
        warnings.list_refused(&pbx, "QueueStatus", "Permission denied");
        warnings.version_hidden(&pbx, "Permission denied");
        warnings.version_newer(&pbx, "24.1.0");
        warnings.version_newer(&pbx, "24.1.0");
        assert_eq!(warnings.0.len(), 3);
    }
}
