//! Since when an agent is in a state.

use crate::clock::Moment;
use crate::correlator::observation::AgentState;

/// Since when an agent is in a state, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Since {
    pub state: Option<Moment>,
    /// Since when the agent talks, hold included.
    pub talk: Option<Moment>,
}

/// What an agent was doing when the link was lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    pub at: Moment,
    pub state: AgentState,
    pub since: Since,
}

impl Since {
    /// Another state begins, at a moment that may not be known.
    pub(super) const fn next(
        self,
        from: AgentState,
        to: AgentState,
        began: Option<Moment>,
    ) -> Self {
        let talk = match (is_talk(from), is_talk(to)) {
            (true, true) => self.talk,
            (false, true) => began,
            (_, false) => None,
        };
        Self { state: began, talk }
    }
}

/// Whether an agent is connected to a caller.
pub(super) const fn is_talk(state: AgentState) -> bool {
    matches!(state, AgentState::Talking | AgentState::OnHold)
}
