//! What the account has been seen to see: silence proves something only of a kind of event that
//! comes at all.
//!
//! `Evidence` weighs what a session lacks, and begins anew with each. This only remembers, whatever
//! links were lost: an agent on do-not-disturb must not be taken for busy after each login until
//! somebody calls.

use crate::event::Kind;

/// The kinds of events that have come since the exporter started.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sight {
    /// Agents being called, connected or let go: so an answered caller would show.
    pub agents: bool,
    /// Channels and devices (class call): so a phone in a call would show.
    pub calls: bool,
    /// The PBX listed the channels that were up when the session began.
    pub listed: bool,
    /// The first event of class call has just come.
    first_call: bool,
}

impl Sight {
    pub(super) const fn note(&mut self, kind: &Kind<'_>) {
        self.agents |= matches!(
            kind,
            Kind::AgentCalled(_)
                | Kind::AgentConnect(_)
                | Kind::AgentComplete(_)
                | Kind::AgentDump(_)
                | Kind::RingNoAnswer(_)
        );
        if !self.calls && matches!(kind, Kind::NewChannel(_) | Kind::Hangup(_) | Kind::DeviceState)
        {
            (self.calls, self.first_call) = (true, true);
        }
    }

    /// Whether the first event of class call has come since this was asked last.
    pub(super) const fn take_first_call(&mut self) -> bool {
        std::mem::replace(&mut self.first_call, false)
    }
}
