//! What the account has been found to receive.  That an event did not come proves something only if
//! events of its kind come at all.
//!
//! `Evidence` is of one session and begins anew with each.  This only remembers, also over lost
//! links: an agent on do-not-disturb must not be taken for busy after each login until the
//! first call.

use crate::event::Kind;

/// The kinds of events that have come since the exporter started.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Account {
    /// Agents are called, connected and let go: an answered caller would be reported.
    pub agent_events: bool,
    /// Channels and devices (class call): a phone in a call would be reported.
    pub call_events: bool,
    /// The PBX listed the channels that were up when the session began.
    pub channels_listed: bool,
    /// The first event of class call has just come.
    first_call_event: bool,
}

impl Account {
    pub(super) const fn note(&mut self, kind: &Kind<'_>) {
        self.agent_events |= matches!(
            kind,
            Kind::AgentCalled(_)
                | Kind::AgentConnect(_)
                | Kind::AgentComplete(_)
                | Kind::AgentDump(_)
                | Kind::RingNoAnswer(_)
        );

        let is_call_event =
            matches!(kind, Kind::NewChannel(_) | Kind::Hangup(_) | Kind::DeviceState);
        if is_call_event && !self.call_events {
            self.call_events = true;
            self.first_call_event = true;
        }
    }

    /// Whether the first event of class call has come since it was taken.
    pub(super) const fn first_call_event(&self) -> bool {
        self.first_call_event
    }

    /// The same, once.
    pub(super) const fn take_first_call_event(&mut self) -> bool {
        std::mem::replace(&mut self.first_call_event, false)
    }
}
