//! Which devices have a channel that is up: counted by the channels' names.

use std::collections::HashMap;

use super::line::Line;
use super::names::TrunkId;

/// Devices with a channel that is up.
#[derive(Debug, Default)]
pub(super) struct LiveDevices {
    /// By device (`pjsip/201`), and by what follows the technology (`/201`), in lower case.
    counts: HashMap<Box<str>, u32>,
    /// Channels that may be somebody's phone.
    phones: u64,
    /// Channels of each trunk.
    trunks: HashMap<TrunkId, u64>,
    /// What has come up, or is up no more, since [`Self::take_changed`].
    changed: Vec<Box<str>>,
}

impl LiveDevices {
    /// A channel of the device is up.
    pub(super) fn begin(&mut self, device: &str, line: Line) {
        if let Line::Trunk(trunk) = line {
            *self.trunks.entry(trunk).or_default() += 1;
        }
        let Some(name) = key_of(device, line) else { return };
        for key in keys(&name) {
            let count = self.counts.entry(key.into()).or_default();
            *count += 1;
            if *count == 1 {
                self.changed.push(key.into());
            }
        }

        if is_phone(line) {
            self.phones += 1;
            if self.phones == 1 {
                self.changed.push(Box::default());
            }
        }
    }

    /// A channel of the device is up no more; `line` as it was at [`Self::begin`].
    pub(super) fn end(&mut self, device: &str, line: Line) {
        if let Line::Trunk(trunk) = line
            && let Some(channels) = self.trunks.get_mut(&trunk)
        {
            *channels -= 1;
        }
        let Some(name) = key_of(device, line) else { return };
        for key in keys(&name) {
            let Some(count) = self.counts.get_mut(key) else { continue };
            *count -= 1;
            if *count == 0 {
                self.counts.remove(key);
                self.changed.push(key.into());
            }
        }

        if is_phone(line) {
            self.phones -= 1;
            if self.phones == 0 {
                self.changed.push(Box::default());
            }
        }
    }

    /// How many channels of a trunk are up.
    pub(super) fn of_trunk(&self, trunk: TrunkId) -> u64 {
        self.trunks.get(&trunk).copied().unwrap_or(0)
    }

    /// Whether a device, or one that is called like this behind its technology, has a channel.
    pub(super) fn is_up(&self, key: &str) -> bool {
        self.counts.contains_key(key)
    }

    /// What has changed since the last time; the empty name stands for whether any phone is up.
    pub(super) fn take_changed(&mut self) -> Vec<Box<str>> {
        std::mem::take(&mut self.changed)
    }

    /// Whether any channel is up that may be somebody's phone.
    pub(super) const fn any_phone(&self) -> bool {
        self.phones > 0
    }
}

/// Local channels are nobody's phone.
fn key_of(device: &str, line: Line) -> Option<String> {
    (!matches!(line, Line::Local | Line::Media) && device.contains('/'))
        .then(|| device.to_ascii_lowercase())
}

/// `pjsip/201` and `/201`.
fn keys(device: &str) -> impl Iterator<Item = &str> {
    let name = device.find('/').map(|slash| &device[slash..]);
    std::iter::once(device).chain(name)
}

const fn is_phone(line: Line) -> bool {
    matches!(line, Line::Agent | Line::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_count_by_device_and_by_what_it_is_called() {
        let mut up = LiveDevices::default();
        up.begin("PJSIP/201", Line::Agent);
        up.begin("PJSIP/201", Line::Agent);
        up.begin("Local/201@x", Line::Local);
        assert_eq!((up.is_up("pjsip/201"), up.is_up("/201"), up.phones), (true, true, 2));
        assert_eq!(up.take_changed(), ["pjsip/201".into(), "/201".into(), "".into()]);
        up.end("PJSIP/201", Line::Agent);
        up.end("Local/201@x", Line::Local);
        assert!(up.take_changed().is_empty());
        up.end("pjsip/201", Line::Agent);
        assert_eq!((up.is_up("pjsip/201"), up.counts.len()), (false, 0));
        assert_eq!(up.take_changed(), ["pjsip/201".into(), "/201".into(), "".into()]);
    }
}
