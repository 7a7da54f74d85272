//! Who says that a name is theirs.

use hashbrown::HashMap;

use super::super::names::AgentId;
use super::{Bytes, KEPT};

/// Whose something is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owner {
    Nobody,
    One(AgentId),
    /// More than one says so.
    Several,
}

impl Owner {
    pub(super) const fn one(self) -> Option<AgentId> {
        match self {
            Self::One(agent) => Some(agent),
            Self::Nobody | Self::Several => None,
        }
    }

    /// What two sources of equal weight say together.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nobody, one) | (one, Self::Nobody) => one,
            (Self::One(one), Self::One(other)) if one == other => self,
            (Self::One(_) | Self::Several, Self::One(_) | Self::Several) => Self::Several,
        }
    }
}

/// Names, and the agents who have members by them.
#[derive(Debug, Default)]
pub(super) struct Claims(HashMap<Bytes, Claimants>);

#[derive(Debug, Default)]
struct Claimants {
    /// Agents with members by that name, and how many.
    present: Vec<(AgentId, u32)>,
    /// Who had the last of them: a phone is still that of who logged out.
    last: Option<AgentId>,
}

impl Claims {
    pub(super) fn claim(&mut self, name: &[u8], agent: AgentId) {
        if !self.0.contains_key(name) {
            if self.0.len() >= KEPT {
                return;
            }
            self.0.insert(name.into(), Claimants::default());
        }
        let Some(claimants) = self.0.get_mut(name) else { return };
        match claimants.present.iter_mut().find(|(other, _)| *other == agent) {
            Some((_, members)) => *members += 1,
            None => claimants.present.push((agent, 1)),
        }
    }

    pub(super) fn release(&mut self, name: &[u8], agent: AgentId) {
        let Some(claimants) = self.0.get_mut(name) else { return };
        let Some(at) = claimants.present.iter().position(|(other, _)| *other == agent) else {
            return;
        };
        let (_, members) = &mut claimants.present[at];
        *members -= 1;
        if *members == 0 {
            claimants.present.swap_remove(at);
            claimants.last = Some(agent);
        }
    }

    pub(super) fn owner(&self, name: &[u8]) -> Owner {
        let Some(claimants) = self.0.get(name) else { return Owner::Nobody };
        match (&claimants.present[..], claimants.last) {
            ([(agent, _)], _) => Owner::One(*agent),
            ([], Some(agent)) => Owner::One(agent),
            ([], None) => Owner::Nobody,
            ([_, _, ..], _) => Owner::Several,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
