//! Why a session ended.

use std::io;
use std::time::Duration;

use crate::ami::connection::OpenError;
use crate::intake::NoSnapshot;
use crate::tls::Fault;

/// The end of a session, or of the attempt to begin one.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    /// There was no connection.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The PBX closed the connection.
    #[error("closed by the pbx")]
    Closed,
    /// Something that has to come in time did not.
    #[error("no {what} within {limit:?}")]
    Timeout { what: &'static str, limit: Duration },
    /// Nothing greeted us in time.
    #[error(
        "no greeting of a manager interface within {limit:?}{}",
        if *encrypted { "" } else { ": is this the port of tlsbindaddr, which needs tls: true?" }
    )]
    Silent { limit: Duration, encrypted: bool },
    /// The socket failed.
    #[error("connection broke")]
    Io(#[source] io::Error),
    /// The encryption failed after the handshake.
    #[error("TLS broke")]
    Tls(#[source] Fault),
    /// The login was refused, in the PBX's words.
    #[error("login refused: {0}")]
    Auth(String),
    /// What answers is no PBX we can talk to.
    #[error("{0}")]
    Protocol(String),
    /// The lists behind the login were of no use.
    #[error(transparent)]
    NoSnapshot(#[from] NoSnapshot),
    /// It is to be connected otherwise.
    #[error("connecting again: its configuration has changed")]
    Changed,
    /// We are asked to stop.
    #[error("shutting down")]
    Shutdown,
}

impl End {
    /// Whether one side refused the other: counted even though no session began.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Auth(_) | Self::Tls(_) | Self::Open(OpenError::Tls { .. }))
    }

    /// The label value.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Open(OpenError::Timeout(_) | OpenError::TlsTimeout { .. })
            | Self::Timeout { .. }
            | Self::Silent { .. } => "timeout",
            Self::Open(OpenError::Tls { .. }) | Self::Tls(_) => "tls",
            Self::Io(error) if error.kind() == io::ErrorKind::TimedOut => "timeout",
            Self::Open(OpenError::Resolve { .. } | OpenError::Connect { .. }) | Self::Io(_) => "io",
            Self::Closed => "closed",
            Self::Auth(_) => "auth",
            Self::Protocol(_) | Self::NoSnapshot(NoSnapshot::Unended(_)) => "protocol",
            Self::NoSnapshot(NoSnapshot::Overflow) => "overflow",
            Self::Changed => "reload",
            Self::Shutdown => "shutdown",
        }
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Fault::of(&error).map_or(Self::Io(error), Self::Tls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::with_causes;

    #[test]
    fn the_text_has_the_cause() {
        let end = End::Io(io::Error::new(io::ErrorKind::ConnectionReset, "reset by peer"));
        assert_eq!(with_causes(&end), "connection broke: reset by peer");
        assert_eq!(end.reason(), "io");
        assert_eq!(
            with_causes(&End::Auth("Authentication failed".into())),
            "login refused: Authentication failed"
        );
    }
}
