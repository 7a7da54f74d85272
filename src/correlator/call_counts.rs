//! How many calls go on in each direction, kept as they change.
//!
//! A call's direction may depend on whose device its first channel is, and that on members and hints
//! that come and go.  So such calls are counted by device, and a device that changes hands takes its
//! calls along at once.

use hashbrown::HashMap;

use slotmap::{SlotMap, new_key_type};

use super::key::CallKey;
use super::observation::{Direction, Word};
use super::owner::{Owners, device_key, number_key};
use super::table::Recount;

new_key_type! {
    /// A device at which a call began whose direction depends on whose it is.
    pub(super) struct DeviceKey;
}

/// What a call is counted by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum CountedAs {
    /// Whoever has the device.
    Surely(Direction),
    /// By whether the device is somebody's.
    ByOwner { device: DeviceKey, either: Either },
}

/// The direction of a call if its first channel's device is an agent's, and if it is nobody's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Either {
    pub owned: Direction,
    pub unowned: Direction,
}

/// The calls that go on.
#[derive(Debug, Default)]
pub(super) struct CallCounts {
    directions: Directions,
    devices: SlotMap<DeviceKey, OfDevice>,
    by_name: HashMap<Box<[u8]>, DeviceKey>,
    /// Devices that are called alike behind their technology.
    by_number: HashMap<Box<[u8]>, Vec<DeviceKey>>,
}

/// Numbers of calls, in the order of [`Direction`]'s words.
#[derive(Clone, Copy, Debug, Default)]
struct Directions([u64; Direction::ALL.len()]);

/// The calls of one device.
#[derive(Debug)]
struct OfDevice {
    name: Box<[u8]>,
    is_owned: bool,
    if_owned: Directions,
    if_unowned: Directions,
    calls: u64,
}

impl CallCounts {
    /// How many calls go on in a direction.
    pub(super) const fn of(&self, direction: Direction) -> u64 {
        self.directions.0[direction as usize]
    }

    /// The device, known from now on; with a call that is counted by it, it is kept.
    pub(super) fn ensure_device(&mut self, device: &str, owners: &Owners) -> DeviceKey {
        let name = device_key(device.as_bytes());
        if let Some(&key) = self.by_name.get(&name) {
            return key;
        }

        let is_owned = owners.of(&name, false).is_some();
        let (if_owned, if_unowned) = (Directions::default(), Directions::default());
        let number = number_key(&name);
        let of_device = OfDevice { name: name.clone(), is_owned, if_owned, if_unowned, calls: 0 };
        let key = self.devices.insert(of_device);
        self.by_name.insert(name, key);
        self.by_number.entry(number).or_default().push(key);
        key
    }

    pub(super) fn recount(&mut self, Recount { before, now, .. }: Recount<CallKey, CountedAs>) {
        if let Some(is) = now {
            self.enter(is);
        }
        if let Some(was) = before {
            self.leave(was);
        }
    }

    fn enter(&mut self, is: CountedAs) {
        match is {
            CountedAs::Surely(direction) => self.directions.add(direction, 1),
            CountedAs::ByOwner { device, either } => {
                let of_device = &mut self.devices[device];
                of_device.calls += 1;
                of_device.if_owned.add(either.owned, 1);
                of_device.if_unowned.add(either.unowned, 1);
                self.directions.add(of_device.direction(either), 1);
            }
        }
    }

    fn leave(&mut self, was: CountedAs) {
        match was {
            CountedAs::Surely(direction) => self.directions.remove(direction, 1),
            CountedAs::ByOwner { device, either } => {
                let of_device = &mut self.devices[device];
                of_device.calls -= 1;
                of_device.if_owned.remove(either.owned, 1);
                of_device.if_unowned.remove(either.unowned, 1);
                self.directions.remove(of_device.direction(either), 1);
                if of_device.calls == 0 {
                    self.drop_device(device);
                }
            }
        }
    }

    fn drop_device(&mut self, key: DeviceKey) {
        let Some(OfDevice { name, .. }) = self.devices.remove(key) else { return };
        let number = number_key(&name);
        self.by_name.remove(&name);
        if let Some(alike) = self.by_number.get_mut(&number) {
            alike.retain(|&other| other != key);
            if alike.is_empty() {
                self.by_number.remove(&number);
            }
        }
    }

    /// Whose the devices of that name or number are may have changed.
    pub(super) fn follow_owner(&mut self, changed: &[u8], owners: &Owners) {
        let named = self.by_name.get(changed).copied();
        let numbered = self.by_number.get(changed).into_iter().flatten().copied();
        let devices: Vec<_> = named.into_iter().chain(numbered).collect();
        for key in devices {
            let of_device = &mut self.devices[key];
            let is_owned = owners.of(&of_device.name, false).is_some();
            if std::mem::replace(&mut of_device.is_owned, is_owned) == is_owned {
                continue;
            }

            let (from, to) = match is_owned {
                true => (of_device.if_unowned, of_device.if_owned),
                false => (of_device.if_owned, of_device.if_unowned),
            };
            for &direction in Direction::ALL {
                self.directions.remove(direction, from.0[direction as usize]);
                self.directions.add(direction, to.0[direction as usize]);
            }
        }
    }
}

impl Directions {
    const fn add(&mut self, direction: Direction, calls: u64) {
        self.0[direction as usize] += calls;
    }

    const fn remove(&mut self, direction: Direction, calls: u64) {
        self.0[direction as usize] -= calls;
    }
}

impl OfDevice {
    const fn direction(&self, either: Either) -> Direction {
        if self.is_owned { either.owned } else { either.unowned }
    }
}
