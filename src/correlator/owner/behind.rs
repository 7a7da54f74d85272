//! Which phone members' Local channels dial.

use hashbrown::HashMap;

use super::{Bytes, KEPT};

/// Local channels and the phones behind them, as far as one belongs to one.
#[derive(Debug, Default)]
pub(super) struct Behind {
    phones: HashMap<Bytes, Tie>,
    locals: HashMap<Bytes, Tie>,
}

/// What something was dialled with so far.
#[derive(Debug, Eq, PartialEq)]
enum Tie {
    Only(Bytes),
    /// A ring group, follow-me, or a phone that two people share.
    Several,
}

impl Behind {
    /// A Local channel dials a phone.
    pub(super) fn dialled(&mut self, local: &[u8], phone: &[u8]) {
        tie(&mut self.phones, local, phone);
        tie(&mut self.locals, phone, local);
    }

    /// The only phone the Local channel dials.
    pub(super) fn phone_of(&self, local: &[u8]) -> Option<Bytes> {
        match self.phones.get(local)? {
            Tie::Only(phone) => Some(phone.clone()),
            Tie::Several => None,
        }
    }

    /// The Local channel that dials the phone, if each dials, and is dialled by, nothing else.
    pub(super) fn interface_of(&self, phone: &[u8]) -> Option<&[u8]> {
        let Some(Tie::Only(local)) = self.locals.get(phone) else { return None };
        let Some(Tie::Only(only)) = self.phones.get(local) else { return None };
        (**only == *phone).then_some(local)
    }
}

fn tie(ties: &mut HashMap<Bytes, Tie>, one: &[u8], other: &[u8]) {
    let room = ties.len() < KEPT;
    match ties.get_mut(one) {
        Some(Tie::Only(known)) if **known == *other => {}
        Some(tie) => *tie = Tie::Several,
        None if room => {
            ties.insert(one.into(), Tie::Only(other.into()));
        }
        None => {}
    }
}
