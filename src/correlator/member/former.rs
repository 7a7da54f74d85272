//! Members who were removed, and whom calls may still speak of.

use std::collections::{HashMap, HashSet};

use super::Place;
use crate::correlator::key::MemberKey;

/// Removed members.
#[derive(Debug, Default)]
pub(super) struct Former {
    /// By queue and interface, the latest last.
    places: HashMap<Place, Vec<MemberKey>>,
    /// So many channels end before the next look.
    skips: usize,
}

impl Former {
    pub(super) fn add(&mut self, place: Place, key: MemberKey) {
        self.places.entry(place).or_default().push(key);
    }

    /// The member that was removed last from a place.
    pub(super) fn find(&self, place: &Place) -> Option<MemberKey> {
        self.places.get(place)?.last().copied()
    }

    /// Drops the members that are used by none of `holders` things.
    ///
    /// It looks at all of these, so it does so once for as many ends of channels as it has to look
    /// at things.
    pub(super) fn sweep(
        &mut self,
        holders: usize,
        used: impl FnOnce() -> HashSet<MemberKey>,
        mut drop: impl FnMut(MemberKey),
    ) {
        if self.places.is_empty() {
            return;
        }
        if self.skips > 0 {
            self.skips -= 1;
            return;
        }

        let used = used();
        self.places.retain(|_, keys| {
            keys.retain(|&key| {
                let keep = used.contains(&key);
                if !keep {
                    drop(key);
                }
                keep
            });
            !keys.is_empty()
        });
        self.skips = holders + self.places.len();
    }
}
