//! A caller who is out of the queue without an agent: what was reported so far, and why the caller
//! left.
//!
//! app_queue sends Leave before whatever shows the reason, also before AgentConnect, and an Abandon
//! means no more than "without an agent" (README, "Why counting events is not enough").  So nothing
//! is decided before the next event of the caller.

use crate::correlator::observation::Outcome;
use crate::correlator::time::{Span, Stamp};

/// What is known of a caller's way out.
#[derive(Debug)]
pub(in crate::correlator) struct Leaving {
    /// When the caller left.
    pub at: Stamp,
    /// HoldTime of QueueCallerAbandon.
    pub hold: Option<Span>,
    /// Position of QueueCallerAbandon.
    pub position: Option<u32>,
    pub way: WayOut,
}

/// Which events have reported the way out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::correlator) enum WayOut {
    /// QueueCallerLeave alone, and no agent's phone had answered.
    Leave(Variables),
    /// QueueCallerLeave alone, and an agent's phone had answered: AgentConnect is to come.
    LeaveAnswered(Variables),
    /// QueueCallerAbandon, and its Leave is to come.
    Abandon,
    /// QueueCallerAbandon and QueueCallerLeave, in whatever order.
    AbandonAndLeave(Variables),
    /// QueueCallerAbandon behind a HangupRequest of the caller's channel; its Leave is to come.
    GaveUp,
    /// The same, and its Leave has come.
    GaveUpAndLeft,
}

/// Whether the account receives VarSet: QUEUEPOSITION is set behind every Leave.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::correlator) enum Variables {
    Reported,
    NotReported,
}

/// What a QueueCallerAbandon makes of a way out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::correlator) enum AnotherAbandon {
    /// It is the second in a row: caller and agent have no codec in common.
    Incompatible,
    /// It adds nothing.
    Ignored,
    /// It belongs to a Leave that came before.
    Late(WayOut),
}

/// What came after a caller had left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::correlator) enum Next {
    /// The caller's Hangup, or the `h` extension.
    Hangup,
    /// The dialplan goes on.
    Dialplan,
    /// The caller joined again, or another queue.
    Join,
    /// Nothing.
    Silence,
}

/// What decides beside the events of the caller.
#[derive(Clone, Copy, Debug)]
pub(in crate::correlator) struct Circumstances {
    /// The account has received events of agents, so it would have received an AgentConnect.
    pub agent_events: bool,
    /// This Asterisk sends nothing but Leave when `leavewhenempty` sends a caller out.
    pub silent_leave: bool,
}

impl WayOut {
    /// A waiting caller's Abandon came.
    pub(super) const fn abandon(hangup_requested: bool) -> Self {
        if hangup_requested { Self::GaveUp } else { Self::Abandon }
    }

    /// A waiting caller's Leave came.
    pub(super) const fn leave(answered: bool) -> Self {
        if answered {
            Self::LeaveAnswered(Variables::NotReported)
        } else {
            Self::Leave(Variables::NotReported)
        }
    }

    /// The way out with a Leave.
    pub(super) const fn with_leave(self) -> Self {
        match self {
            Self::Abandon => Self::AbandonAndLeave(Variables::NotReported),
            Self::GaveUp => Self::GaveUpAndLeft,
            Self::Leave(_)
            | Self::LeaveAnswered(_)
            | Self::AbandonAndLeave(_)
            | Self::GaveUpAndLeft => self,
        }
    }

    /// One more Abandon came.
    pub(super) const fn with_abandon(self) -> AnotherAbandon {
        match self {
            Self::Abandon => AnotherAbandon::Incompatible,
            Self::GaveUp => AnotherAbandon::Ignored,
            // No real Asterisk sends Leave first, but the outcome is still open.
            Self::Leave(variables)
            | Self::LeaveAnswered(variables)
            | Self::AbandonAndLeave(variables) => {
                AnotherAbandon::Late(Self::AbandonAndLeave(variables))
            }
            Self::GaveUpAndLeft => AnotherAbandon::Late(self),
        }
    }

    /// The way out with VarSet QUEUEPOSITION.  Before the Leave it is of an earlier queue.
    pub(super) const fn with_queue_position(self) -> Self {
        match self {
            Self::Leave(_) => Self::Leave(Variables::Reported),
            Self::LeaveAnswered(_) => Self::LeaveAnswered(Variables::Reported),
            Self::AbandonAndLeave(_) => Self::AbandonAndLeave(Variables::Reported),
            Self::Abandon | Self::GaveUp | Self::GaveUpAndLeft => self,
        }
    }

    /// Whether QueueCallerLeave has come.
    pub(super) const fn has_left(self) -> bool {
        match self {
            Self::Leave(_)
            | Self::LeaveAnswered(_)
            | Self::AbandonAndLeave(_)
            | Self::GaveUpAndLeft => true,
            Self::Abandon | Self::GaveUp => false,
        }
    }

    /// Whether an agent's phone had answered, so that AgentConnect is to come.
    pub(super) const fn awaits_connect(self) -> bool {
        match self {
            Self::LeaveAnswered(_) => true,
            Self::Leave(_)
            | Self::Abandon
            | Self::AbandonAndLeave(_)
            | Self::GaveUp
            | Self::GaveUpAndLeft => false,
        }
    }

    /// Whether QueueCallerAbandon has come, so that no AgentConnect will.
    pub(in crate::correlator) const fn is_abandon(self) -> bool {
        match self {
            Self::Leave(_) | Self::LeaveAnswered(_) => false,
            Self::Abandon | Self::AbandonAndLeave(_) | Self::GaveUp | Self::GaveUpAndLeft => true,
        }
    }

    /// Why the caller left, by what came next: rules 3 and 5 to 7 of METRICS.md's outcomes.  `None`
    /// while AgentConnect is still to come.
    ///
    /// Rule 1 is AgentConnect's and the bridges', rule 2 `queue_status`'s, rule 4
    /// [`Self::with_abandon`]'s.
    pub(super) fn outcome(self, next: Next, circumstances: Circumstances) -> Option<Outcome> {
        use Next::{Dialplan, Hangup, Join, Silence};
        use Variables::{NotReported, Reported};

        let Circumstances { agent_events, silent_leave } = circumstances;
        Some(match (self, next) {
            // Rule 3.
            (Self::GaveUp | Self::GaveUpAndLeft, Hangup | Dialplan | Join | Silence) => {
                Outcome::Abandoned
            }

            // Rule 5: an end by the queue would have set QUEUESTATUS.
            (Self::AbandonAndLeave(Reported), Hangup) => Outcome::Abandoned,
            (Self::AbandonAndLeave(Reported), Dialplan | Join) => Outcome::Redirected,

            // Rule 6.
            (Self::AbandonAndLeave(Reported), Silence)
            | (
                Self::AbandonAndLeave(NotReported) | Self::Abandon,
                Hangup | Dialplan | Join | Silence,
            ) => Outcome::Unserved,

            // Rule 7 for a caller whose agent's phone had answered.  A member Gosub may take its time
            // between Leave and AgentConnect, and 16 may send the Hangup before AgentConnect.
            (Self::LeaveAnswered(_), Hangup | Dialplan | Join) => return None,
            (Self::LeaveAnswered(_), Silence) => Outcome::Unserved,

            // Rule 7: a Leave alone is the exit key's, and that of `leavewhenempty` on an Asterisk
            // that sends nothing else for it.
            (Self::Leave(NotReported), Hangup | Dialplan | Join | Silence) if silent_leave => {
                Outcome::Unserved
            }
            (Self::Leave(_), Dialplan) => Outcome::ExitKey,
            // Who was answered leaves alike, and to an account that receives no events of agents
            // does nothing behind it.
            (Self::Leave(_), Hangup | Join | Silence) if agent_events => Outcome::ExitKey,
            (Self::Leave(_), Hangup | Join | Silence) => Outcome::Unserved,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: [Next; 4] = [Next::Hangup, Next::Dialplan, Next::Join, Next::Silence];

    fn outcomes(way: WayOut, agent_events: bool, silent_leave: bool) -> [Option<Outcome>; 4] {
        NEXT.map(|next| way.outcome(next, Circumstances { agent_events, silent_leave }))
    }

    #[test]
    fn who_had_asked_for_the_hangup_gave_up_whatever_comes() {
        for way in [WayOut::abandon(true), WayOut::abandon(true).with_leave()] {
            assert_eq!(outcomes(way, true, true), [Some(Outcome::Abandoned); 4]);
            assert_eq!(
                outcomes(way.with_queue_position(), false, false),
                outcomes(way, true, true)
            );
        }
    }

    #[test]
    fn an_abandon_is_distinguished_only_where_variables_are_reported() {
        let abandon = WayOut::abandon(false);
        assert_eq!(outcomes(abandon, true, false), [Some(Outcome::Unserved); 4]);
        assert_eq!(outcomes(abandon.with_leave(), true, false), [Some(Outcome::Unserved); 4]);
        // A position that is set before the Leave is of an earlier queue.
        assert_eq!(abandon.with_queue_position(), abandon);
        let [hangup, dialplan, join, silence] =
            outcomes(abandon.with_leave().with_queue_position(), true, false);
        assert_eq!((hangup, dialplan), (Some(Outcome::Abandoned), Some(Outcome::Redirected)));
        assert_eq!((join, silence), (Some(Outcome::Redirected), Some(Outcome::Unserved)));
    }

    #[test]
    fn an_answered_caller_waits_for_the_connect() {
        let answered = WayOut::leave(true);
        assert_eq!(outcomes(answered, true, false), [None, None, None, Some(Outcome::Unserved)]);
        assert!(!answered.is_abandon());
    }

    #[test]
    fn a_second_abandon_counts_before_the_leave_only() {
        assert_eq!(WayOut::Abandon.with_abandon(), AnotherAbandon::Incompatible);
        assert_eq!(WayOut::GaveUp.with_abandon(), AnotherAbandon::Ignored);
        let both = WayOut::Abandon.with_leave();
        assert_eq!(both.with_abandon(), AnotherAbandon::Late(both));
        assert_eq!(WayOut::leave(true).with_abandon(), AnotherAbandon::Late(both));
    }

    #[test]
    fn a_leave_alone_needs_a_proof_to_be_an_exit_key() {
        let leave = WayOut::leave(false);
        assert_eq!(outcomes(leave, true, false), [Some(Outcome::ExitKey); 4]);
        let [hangup, dialplan, join, silence] = outcomes(leave, false, false);
        assert_eq!((hangup, dialplan), (Some(Outcome::Unserved), Some(Outcome::ExitKey)));
        assert_eq!((join, silence), (Some(Outcome::Unserved), Some(Outcome::Unserved)));
        assert_eq!(outcomes(leave, true, true), [Some(Outcome::Unserved); 4]);
        assert_eq!(outcomes(leave.with_queue_position(), true, true)[3], Some(Outcome::ExitKey));
    }
}
