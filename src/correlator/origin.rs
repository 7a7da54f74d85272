//! Devices and contexts, kept once for all channels that have the same: a PBX has few, and each
//! channel would have to read and keep them anew.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::device::{Class, Device};
use super::rules::Rules;

/// Where a channel begins: its device and its context.
#[derive(Debug)]
pub(super) struct Origin {
    pub class: Class,
    /// Name without the part that counts calls: `SIP/201`.  It may hold a number: never a label.
    pub device: Box<str>,
    /// The label of the device as an agent's, if it is not its name.
    label: Option<Box<str>>,
    /// The same as a trunk's.
    trunk_label: Option<Box<str>>,
    /// The name in lower case, if it has a technology in front.
    live_key: Option<Box<str>>,
    pub context: Box<[u8]>,
    /// Whether calls that begin in the context are inbound, or outbound, by configuration.
    pub is_inbound: bool,
    pub is_outbound: bool,
    /// It was read from a name that a count of calls follows, so any other count gives the same.
    counted: bool,
}

impl Origin {
    fn of(device: &Device<'_>, context: &[u8], counted: bool, rules: &Rules) -> Self {
        let label = device.label(&rules.agents);
        let trunk_label = device.label(&rules.trunks);
        let live_key = device.name.contains('/').then(|| device.name.to_ascii_lowercase().into());
        let context_text = String::from_utf8_lossy(context);
        Self {
            class: device.class,
            device: device.name.into(),
            label: (label != device.name).then(|| label.into()),
            trunk_label: (trunk_label != device.name).then(|| trunk_label.into()),
            live_key,
            context: context.into(),
            is_inbound: rules.inbound_contexts.matches(&context_text),
            is_outbound: rules.outbound_contexts.matches(&context_text),
            counted,
        }
    }

    /// The device's name, or what may be exported instead.
    pub(super) fn label(&self) -> &str {
        self.label.as_ref().unwrap_or(&self.device)
    }

    /// The same of a trunk.
    pub(super) fn trunk_label(&self) -> &str {
        self.trunk_label.as_ref().unwrap_or(&self.device)
    }

    /// `pjsip/201`.
    pub(super) fn live_key(&self) -> Option<&str> {
        self.live_key.as_deref()
    }

    fn is(&self, other: &Self) -> bool {
        (self.class, self.counted) == (other.class, other.counted)
            && self.device == other.device
            && self.context == other.context
            && self.label == other.label
            && self.trunk_label == other.trunk_label
    }
}

/// The origins of all channels there are, and some that no channel has any more.
#[derive(Debug, Default)]
pub(super) struct Origins {
    all: HashTable<Arc<Origin>>,
    hasher: DefaultHashBuilder,
    limit: usize,
}

impl Origins {
    /// Forgets all origins but in the channels that have them.
    pub(super) fn clear(&mut self) {
        self.all.clear();
    }

    /// The origin of a channel.
    pub(super) fn ensure(&mut self, name: &str, context: &[u8], rules: &Rules) -> Arc<Origin> {
        let stem = counted(name);
        if let Some(stem) = stem {
            let is = |known: &Arc<Origin>| {
                known.counted && *known.device == *stem && *known.context == *context
            };
            if let Some(known) = self.all.find(self.hash(stem, context), is) {
                return known.clone();
            }
        }

        // A console has no count: what looks like one belongs to its name.
        let device = Device::of(name);
        let origin = Origin::of(&device, context, stem == Some(device.name), rules);
        let hash = self.hash(&origin.device, context);
        if let Some(known) = self.all.find(hash, |known| known.is(&origin)) {
            return known.clone();
        }

        let origin = Arc::new(origin);
        self.drop_unused();
        let hasher = &self.hasher;
        self.all.insert_unique(hash, origin.clone(), |known| hash_of(hasher, known));
        origin
    }

    /// Names of devices may hold numbers of callers, so they are without bound: when the table has
    /// doubled, what no channel has goes.
    fn drop_unused(&mut self) {
        if self.all.len() >= self.limit {
            self.all.retain(|origin| Arc::strong_count(origin) > 1);
            self.limit = FEW.max(2 * self.all.len());
        }
    }

    fn hash(&self, device: &str, context: &[u8]) -> u64 {
        self.hasher.hash_one((device, context))
    }
}

fn hash_of(hasher: &DefaultHashBuilder, origin: &Origin) -> u64 {
    hasher.hash_one((&*origin.device, &*origin.context))
}

/// The name without the part that counts calls, where that is the usual one: a dash and hex digits,
/// and which half of a Local channel it is.
fn counted(name: &str) -> Option<&str> {
    let half = name.strip_suffix(";1").or_else(|| name.strip_suffix(";2"));
    let name = half.unwrap_or(name);
    let digits = name.bytes().rev().take_while(u8::is_ascii_hexdigit).count();
    let stem = name.get(..name.len() - digits)?.strip_suffix('-')?;
    (digits > 0).then_some(stem)
}

/// So many origins are kept in any case.
const FEW: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_count_gives_what_it_would_give_by_itself() {
        let mut origins = Origins::default();
        let rules = Rules::default();
        let names = [
            "SIP/201",
            "PJSIP/front-desk",
            "Local/103@from-queue",
            "SIP/2001:db8::9",
            "Console/dsp",
            "DAHDI/i1/2025550100",
            "DAHDI/pseudo",
            "DAHDI/7",
            "Other/x",
            "Message",
            "",
            "CAPI/ISDN1/5",
            "SIP/12025550100",
            "SIP/somebody@example.com",
            "Motif/a",
            "-",
            "/",
            "AudioSocket/x",
        ];
        let counts = [
            "-00000001",
            "-0000000a",
            "-1",
            "-00000001;1",
            "-00000002;2",
            "-xyz",
            "",
            "-00000001<ZOMBIE>",
            ";1",
            "-",
            "-a<MASQ>",
        ];
        // Twice, so that the second time each is known.
        for _ in 0..2 {
            for name in names {
                for count in counts {
                    let name = format!("{name}{count}");
                    let origin = origins.ensure(&name, b"c", &rules);
                    let device = Device::of(&name);
                    assert_eq!(
                        (origin.class, &*origin.device, origin.label()),
                        (device.class, device.name, &*device.label(&rules.agents)),
                        "{name}"
                    );
                    assert_eq!(&*origin.context, b"c");
                }
            }
        }
    }

    #[test]
    fn channels_of_a_device_and_context_share_one_origin() {
        let mut origins = Origins::default();
        let rules = Rules::default();
        let mut ensure = |name: &str, context: &[u8]| origins.ensure(name, context, &rules);
        let one = ensure("SIP/201-00000001", b"in");
        assert!(Arc::ptr_eq(&one, &ensure("SIP/201-0000000f", b"in")));
        assert!(!Arc::ptr_eq(&one, &ensure("SIP/201-00000002", b"out")));
        assert!(!Arc::ptr_eq(&one, &ensure("SIP/202-00000003", b"in")));
    }

    #[test]
    fn however_many_devices_there_were_those_of_no_channel_go() {
        let mut origins = Origins::default();
        let rules = Rules::default();
        let mut kept = Vec::new();
        for number in 0..20_000 {
            let origin = origins.ensure(&format!("SIP/{number}@x-1"), b"", &rules);
            if number % 100 == 0 {
                kept.push(origin);
            }
        }
        assert!(origins.all.len() <= 2 * kept.len() + FEW, "{}", origins.all.len());
        for (number, origin) in (0..20_000).step_by(100).zip(&kept) {
            let name = format!("SIP/{number}@x-2");
            assert!(Arc::ptr_eq(origin, &origins.ensure(&name, b"", &rules)));
        }
    }
}
