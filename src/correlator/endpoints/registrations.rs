//! Outbound registrations, as lists have them and events change them.

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::{EndpointList, KEPT};
use crate::correlator::Correlator;
use crate::correlator::names::TrunkId;
use crate::event::{ListedRegistration, Registered, Registry};

/// Outbound registrations.
#[derive(Debug, Default)]
pub(super) struct Registrations {
    /// By technology, user and host, which is all that an event has: several may share it.
    all: HashMap<Box<[u8]>, SmallVec<[Registration; 1]>>,
    count: usize,
}

#[derive(Debug)]
struct Registration {
    /// Its section; empty for chan_sip.
    name: Box<[u8]>,
    trunk: TrunkId,
    /// The list that has it, and when it had it last.
    list: EndpointList,
    begun: u32,
    /// `None` while the first answer is awaited.
    is_registered: Option<bool>,
}

impl Correlator {
    pub(super) fn list_registration(
        &mut self,
        list: EndpointList,
        registration: &ListedRegistration<'_>,
    ) {
        let Self { endpoints, rules, names, .. } = self;
        let begun = endpoints.begun(list);
        let trunk = endpoints.trunk_of(registration, rules, names);
        endpoints.registrations.add(list, begun, registration, trunk);
    }
}

impl Registrations {
    /// An item of a list that has begun so often.
    fn add(
        &mut self,
        list: EndpointList,
        begun: u32,
        listed: &ListedRegistration<'_>,
        trunk: TrunkId,
    ) {
        let key = key(listed.technology.as_bytes(), listed.user, listed.host);
        let same = self.all.get_mut(&*key).map_or(&mut [][..], |same| same);
        let count = same.len();
        if let Some(known) = same.iter_mut().find(|known| *known.name == *listed.name) {
            known.is_registered = is_registered(listed.state, known.is_registered);
            (known.trunk, known.list, known.begun) = (trunk, list, begun);
            return;
        }

        if self.count < KEPT && count < ALIKE {
            self.count += 1;
            let is_registered = is_registered(listed.state, None);
            let new = Registration { name: listed.name.into(), trunk, list, begun, is_registered };
            self.all.entry(key.into()).or_default().push(new);
        }
    }

    /// A list that has begun so often has ended.
    pub(super) fn end(&mut self, list: EndpointList, begun: u32) {
        self.all.retain(|_, same| {
            same.retain(|known| known.list != list || known.begun == begun);
            !same.is_empty()
        });
        self.count = self.all.values().map(SmallVec::len).sum();
    }

    /// An event.  It names a registration, or several at once; one that no list has is not known.
    pub(super) fn change(&mut self, event: &Registry<'_>) {
        let key = key(event.technology, event.user, event.host);
        for known in self.all.get_mut(&*key).into_iter().flatten() {
            known.is_registered = Some(event.state == Registered::Yes);
        }
    }

    /// Of each trunk, for lists that have ended.
    pub(super) fn states(&self, has_ended: impl Fn(EndpointList) -> bool) -> Vec<(TrunkId, bool)> {
        let all = self.all.values().flatten().filter(|known| has_ended(known.list));
        all.filter_map(|known| Some((known.trunk, known.is_registered?))).collect()
    }
}

/// chan_sip asks again while a registration is in force, so that an item may show no more than that.
const fn is_registered(listed: Registered, before: Option<bool>) -> Option<bool> {
    match listed {
        Registered::Yes => Some(true),
        Registered::No => Some(false),
        Registered::Asking => before,
    }
}

fn key(technology: &[u8], user: &[u8], host: &[u8]) -> Vec<u8> {
    [technology, user, host].join(&b"\n"[..])
}

/// Registrations of one user at one host that are kept, each looked through for an item.
const ALIKE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_of_one_user_and_host_are_kept_than_are_looked_through() {
        let mut registrations = Registrations::default();
        let names: Vec<_> = (0..100).map(|number| format!("section{number}")).collect();
        for name in names.iter().chain(&names[..2]) {
            let listed = ListedRegistration {
                technology: "PJSIP",
                name: name.as_bytes(),
                endpoint: b"",
                user: b"sip:u@carrier",
                host: b"sip:carrier",
                state: Registered::Yes,
            };
            let list = EndpointList::EndpointRegistrations;
            registrations.add(list, 1, &listed, TrunkId::default());
        }
        assert_eq!((registrations.count, registrations.states(|_| true).len()), (ALIKE, ALIKE));
    }
}
