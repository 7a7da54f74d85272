//! Members who were removed, and whom calls may still speak of.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::Place;
use crate::correlator::key::MemberKey;

/// Removed members.
#[derive(Debug, Default)]
pub(super) struct Former {
    /// By queue and interface, the latest last.
    places: HashMap<Place, Vec<MemberKey>>,
    /// All of them, in the order in which they are looked at.
    turns: VecDeque<MemberKey>,
}

impl Former {
    pub(super) fn add(&mut self, place: Place, key: MemberKey) {
        self.places.entry(place).or_default().push(key);
        self.turns.push_back(key);
    }

    /// The member that was removed last from a place.
    pub(super) fn find(&self, place: &Place) -> Option<MemberKey> {
        self.places.get(place)?.last().copied()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.turns.len()
    }

    /// The next member to look at; it comes last from now on.
    pub(super) fn next(&mut self) -> Option<MemberKey> {
        self.turns.rotate_left(1.min(self.turns.len()));
        self.turns.back().copied()
    }

    /// Nothing speaks any more of the member that was looked at.
    pub(super) fn drop(&mut self, place: &Place, key: MemberKey) {
        if self.turns.back() == Some(&key) {
            self.turns.pop_back();
        }
        if let Some(keys) = self.places.get_mut(place) {
            keys.retain(|&other| other != key);
            if keys.is_empty() {
                self.places.remove(place);
            }
        }
    }
}
