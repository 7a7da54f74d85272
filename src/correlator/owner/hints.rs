//! What the hints of the PBX watch.

use hashbrown::{HashMap, HashSet};

use super::claims::Owner;
use super::{Bytes, KEPT, extension, key};

/// Hints by extension, and which of them watch a device.
#[derive(Debug, Default)]
pub(super) struct Hints {
    /// By `201@ext-local`, as the PBX wrote it.
    watched: HashMap<Bytes, Bytes>,
    of_device: HashMap<Bytes, Vec<Watch>>,
    /// The hints of each extension that watch a device.
    numbers: HashMap<Bytes, HashSet<Bytes>>,
}

/// One hint that watches a device.
#[derive(Clone, Debug)]
struct Watch {
    hint: Bytes,
    /// It watches nothing else.
    alone: bool,
}

impl Hints {
    /// `PJSIP/201&Custom:DND201,CustomPresence:201` watches one device; what follows the comma
    /// is presence.  Returns the devices that it did, or did not, watch before.
    pub(super) fn learn(&mut self, exten: &[u8], context: &[u8], watched: &[u8]) -> Vec<Bytes> {
        let hint = [exten, b"@", context].concat().into_boxed_slice();
        let before = self.watched.get(&hint);
        let full = before.is_none() && self.watched.len() >= KEPT;
        if full || watched.len() > LONGEST || before.is_some_and(|before| **before == *watched) {
            return Vec::new();
        }
        let mut changed = Vec::new();
        if let Some(before) = self.watched.insert(hint.clone(), watched.into()) {
            for device in devices(&before) {
                if let Some(watches) = self.of_device.get_mut(&device) {
                    watches.retain(|watch| watch.hint != hint);
                }
                changed.push(device);
            }
        }

        let devices: Vec<_> = devices(watched).collect();
        let alone = devices.len() == 1;
        if !devices.is_empty() {
            self.numbers.entry(key(exten)).or_default().insert(hint.clone());
        }
        for device in devices {
            changed.push(device.clone());
            self.of_device.entry(device).or_default().push(Watch { hint: hint.clone(), alone });
        }
        changed
    }

    /// Whether an extension has a hint that watches a device.
    pub(super) fn know(&self, number: &[u8]) -> bool {
        self.numbers.contains_key(number)
    }

    /// The hints of an extension that watch, or watched, a device.
    pub(super) fn of_number(&self, number: &[u8]) -> impl Iterator<Item = &Bytes> {
        self.numbers.get(number).into_iter().flatten()
    }

    /// The devices that a hint watches.
    pub(super) fn watched_by(&self, hint: &[u8]) -> impl Iterator<Item = Bytes> {
        self.watched.get(hint).into_iter().flat_map(|watched| devices(watched))
    }

    /// Whose a device is by the hints that watch it.  One that watches nothing else overrides
    /// that of a group.
    pub(super) fn owner(&self, device: &[u8], of_hint: impl Fn(&[u8]) -> Owner) -> Owner {
        let Some(watches) = self.of_device.get(device) else { return Owner::Nobody };
        let of = |alone| {
            let fitting = watches.iter().filter(|watch| watch.alone == alone);
            fitting.fold(Owner::Nobody, |owner, watch| owner.and(of_hint(&watch.hint)))
        };
        match of(true) {
            Owner::Nobody => of(false),
            owner => owner,
        }
    }
}

/// The devices in the text of a hint: `Custom:DND201`, `park:701@lot` and the like are none.
fn devices(watched: &[u8]) -> impl Iterator<Item = Bytes> {
    let states = watched.split(|&byte| byte == b',').next().unwrap_or_default();
    let each = states.split(|&byte| byte == b'&').map(<[u8]>::trim_ascii);
    each.filter(|device| device.contains(&b'/') && !extension(device).contains(&b':'))
        .take(DEVICES)
        .map(key)
}

/// A hint's text has 512 bytes at most in Asterisk.
const LONGEST: usize = 1024;
/// Devices of one hint: more are a group, and nobody's.
const DEVICES: usize = 16;
