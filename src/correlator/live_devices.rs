//! Which devices have a channel that is up, and which: by the channels' names.

use std::sync::Arc;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::key::ChannelKey;
use super::line::Line;
use super::names::TrunkId;
use super::origin::Origin;

/// Devices with a channel that is up.
#[derive(Debug, Default)]
pub(super) struct LiveDevices {
    /// By device (`pjsip/201`), and by what follows the technology (`/201`), in lower case.
    devices: HashMap<Box<str>, Live>,
    /// Channels that may be somebody's phone.
    phones: u64,
    /// Channels of each trunk.
    trunks: HashMap<TrunkId, u64>,
    /// What has come up, or is up no more, since [`Self::take_changed`].
    changed: Vec<Changed>,
}

/// The channels of one device.
#[derive(Debug, Default)]
struct Live {
    count: u32,
    /// The first of them, the oldest first; also some that are up no more.
    first: SmallVec<[ChannelKey; 2]>,
}

/// What has come up, or is up no more.
#[derive(Clone, Debug)]
pub(super) enum Changed {
    /// The device.
    Device(Arc<Origin>),
    /// Every device that is called like this behind its technology.
    Namesakes(Arc<Origin>),
    /// Whether any phone is up.
    AnyPhone,
}

impl LiveDevices {
    /// A channel of the device is up; `is_up` is asked of those that were before.
    pub(super) fn begin(
        &mut self,
        key: ChannelKey,
        origin: &Arc<Origin>,
        line: Line,
        is_up: impl Fn(ChannelKey) -> bool,
    ) {
        if let Line::Trunk(trunk) = line {
            *self.trunks.entry(trunk).or_default() += 1;
        }
        let Some(name) = key_of(origin, line) else { return };
        for (name, changed) in keys(name) {
            let live = match self.devices.get_mut(name) {
                Some(live) => live,
                None => {
                    self.changed.push(changed(origin.clone()));
                    self.devices.entry(name.into()).or_default()
                }
            };
            live.count += 1;
            if is_phone(line) {
                live.keep(key, &is_up);
            }
        }

        if is_phone(line) {
            self.phones += 1;
            if self.phones == 1 {
                self.changed.push(Changed::AnyPhone);
            }
        }
    }

    /// A channel of the device is up no more; `line` as it was at [`Self::begin`].
    pub(super) fn end(&mut self, origin: &Arc<Origin>, line: Line) {
        if let Line::Trunk(trunk) = line
            && let Some(channels) = self.trunks.get_mut(&trunk)
        {
            *channels -= 1;
        }
        let Some(name) = key_of(origin, line) else { return };
        for (name, changed) in keys(name) {
            let Some(live) = self.devices.get_mut(name) else { continue };
            live.count -= 1;
            if live.count == 0 {
                self.devices.remove(name);
                self.changed.push(changed(origin.clone()));
            }
        }

        if is_phone(line) {
            self.phones -= 1;
            if self.phones == 0 {
                self.changed.push(Changed::AnyPhone);
            }
        }
    }

    /// How many channels of a trunk are up.
    pub(super) fn of_trunk(&self, trunk: TrunkId) -> u64 {
        self.trunks.get(&trunk).copied().unwrap_or(0)
    }

    /// Whether a device, or one that is called like this behind its technology, has a channel.
    pub(super) fn is_up(&self, key: &str) -> bool {
        self.devices.contains_key(key)
    }

    /// The first channels of a phone, or of all that are called like this behind their technology, the
    /// oldest first; also some that are up no more.
    pub(super) fn channels(&self, key: &str) -> &[ChannelKey] {
        self.devices.get(key).map_or(&[], |live| &live.first)
    }

    /// Whether anything has changed since it was taken.
    pub(super) const fn is_any_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// What has changed since the last time.
    pub(super) fn take_changed(&mut self) -> Vec<Changed> {
        std::mem::take(&mut self.changed)
    }

    /// Whether any channel is up that may be somebody's phone.
    pub(super) const fn any_phone(&self) -> bool {
        self.phones > 0
    }
}

impl Live {
    /// Keeps a channel, as long as there are no more than a phone has.
    fn keep(&mut self, key: ChannelKey, is_up: impl Fn(ChannelKey) -> bool) {
        if self.first.len() >= KEPT {
            self.first.retain(|known| is_up(*known));
        }
        if self.first.len() < KEPT {
            self.first.push(key);
        }
    }
}

impl Changed {
    /// What it is counted by; nothing for any phone.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Device(origin) => origin.live_key(),
            Self::Namesakes(origin) => origin.live_key().and_then(namesakes),
            Self::AnyPhone => None,
        }
    }
}

/// Local channels are nobody's phone.
fn key_of(origin: &Origin, line: Line) -> Option<&str> {
    if matches!(line, Line::Local | Line::Media) { None } else { origin.live_key() }
}

/// `pjsip/201` and `/201`.
fn keys(device: &str) -> impl Iterator<Item = (&str, fn(Arc<Origin>) -> Changed)> {
    let device_key: (_, fn(_) -> _) = (device, Changed::Device);
    let namesakes = namesakes(device).map(|key| (key, Changed::Namesakes as fn(_) -> _));
    std::iter::once(device_key).chain(namesakes)
}

fn namesakes(device: &str) -> Option<&str> {
    device.find('/').map(|slash| &device[slash..])
}

const fn is_phone(line: Line) -> bool {
    matches!(line, Line::Agent | Line::Other)
}

/// Channels that are kept of a device: what has more is no phone.
const KEPT: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlator::Rules;
    use crate::correlator::origin::Origins;

    #[test]
    fn channels_count_by_device_and_by_what_it_is_called() {
        let mut origins = Origins::default();
        let mut origin = |name: &str| origins.ensure(name, b"", &Rules::default());
        let [upper, lower] = ["PJSIP/201-1", "pjsip/201-2"].map(&mut origin);
        let local = origin("Local/201@x-1;1");
        let mut up = LiveDevices::default();
        let taken = |up: &mut LiveDevices| {
            let changed = up.take_changed();
            changed.iter().map(|changed| changed.key().unwrap_or("").to_owned()).collect::<Vec<_>>()
        };

        let begin = |up: &mut LiveDevices, origin, line| {
            up.begin(ChannelKey::default(), origin, line, |_| true);
        };

        begin(&mut up, &upper, Line::Agent);
        begin(&mut up, &upper, Line::Agent);
        begin(&mut up, &local, Line::Local);
        assert_eq!((up.is_up("pjsip/201"), up.is_up("/201"), up.phones), (true, true, 2));
        assert_eq!(taken(&mut up), ["pjsip/201", "/201", ""]);

        up.end(&upper, Line::Agent);
        up.end(&local, Line::Local);
        assert!(up.take_changed().is_empty());
        up.end(&lower, Line::Agent);
        assert_eq!((up.is_up("pjsip/201"), up.devices.len()), (false, 0));
        assert_eq!(taken(&mut up), ["pjsip/201", "/201", ""]);
    }

    #[test]
    fn no_more_channels_of_a_device_are_kept_than_a_phone_has() {
        let mut origins = Origins::default();
        let origin = origins.ensure("SIP/201-1", b"", &Rules::default());
        let mut slots = slotmap::SlotMap::<ChannelKey, ()>::with_key();
        let keys: Vec<_> = (0..20).map(|_| slots.insert(())).collect();
        let mut up = LiveDevices::default();
        for &key in &keys {
            up.begin(key, &origin, Line::Agent, |key| key != keys[0]);
        }
        assert_eq!(up.channels("sip/201"), [&keys[1..KEPT], &keys[KEPT..=KEPT]].concat());
        assert_eq!(up.channels("/201").len(), KEPT);
        for _ in &keys {
            up.end(&origin, Line::Agent);
        }
        assert_eq!(up.channels("sip/201"), []);
    }
}
