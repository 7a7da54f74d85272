//! Names interned to small ids, once: queues, agents, trunks and pause reasons.
//!
//! Queues compare without case, and keep the spelling they were first told by.
//!
//! Ids are never reused, so a metric handle kept by id stays right.  A table has a cap: the names of one PBX are
//! few, and a flood of made-up ones must not eat the memory; past the cap every new name is [`OTHER`].

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::caseless::folded;

/// The configured name of one Asterisk server.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PbxName(Arc<str>);

impl PbxName {
    /// Takes any text: the configuration checks it.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PbxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a name that no longer fits is called.
pub const OTHER: &str = "other";

/// Marker of queue names.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, PartialOrd, Ord)]
pub enum Queue {}
/// Marker of agents' identities (member name or interface, as configured).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, PartialOrd, Ord)]
pub enum Agent {}
/// Marker of trunks (`SIP/carrier`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, PartialOrd, Ord)]
pub enum Trunk {}
/// Marker of pause reasons.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, PartialOrd, Ord)]
pub enum Reason {}

/// An interned name of kind `K`.  The default, [`Id::NONE`], is the empty name.
#[derive(Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Id<K>(u32, PhantomData<K>);

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> Default for Id<K> {
    fn default() -> Self {
        Self::NONE
    }
}

impl<K> Id<K> {
    /// The empty name: nobody, no trunk, no reason, no queue.
    pub const NONE: Self = Self(0, PhantomData);

    /// Its place in the table, from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Whether this is the empty name.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// A queue.
pub type QueueId = Id<Queue>;
/// A person who takes calls.
pub type AgentId = Id<Agent>;
/// A line to a carrier.
pub type TrunkId = Id<Trunk>;
/// Why a member is paused.
pub type ReasonId = Id<Reason>;

/// The names of one kind.
#[derive(Clone, Debug)]
pub struct Table<K> {
    names: Vec<Box<str>>,
    ids: HashMap<Box<[u8]>, u32>,
    caseless: bool,
    kind: PhantomData<K>,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        let ids = HashMap::from([(Box::default(), 0)]);
        Self { names: vec!["".into()], ids, caseless: false, kind: PhantomData }
    }
}

impl<K> Table<K> {
    /// Names that differ only in case are one.
    fn caseless() -> Self {
        Self { caseless: true, ..Self::default() }
    }

    /// The id of `name`, made at its first sight.  Invalid UTF-8 is replaced: it could not be a label.
    pub fn intern(&mut self, name: &[u8]) -> Id<K> {
        let name = String::from_utf8_lossy(name);
        if let Some(id) = self.find(&name) {
            return id;
        }
        let name = if self.names.len() < CAP { name.as_ref() } else { OTHER };
        if let Some(id) = self.find(name) {
            return id;
        }
        let id = u32::try_from(self.names.len()).expect("the table is capped below u32::MAX");
        let key = if self.caseless { name.to_ascii_lowercase() } else { name.to_owned() };
        self.names.push(name.into());
        self.ids.insert(key.into_bytes().into(), id);
        Id(id, PhantomData)
    }

    fn find(&self, name: &str) -> Option<Id<K>> {
        let of = |key: &[u8]| self.ids.get(key).map(|&id| Id(id, PhantomData));
        if self.caseless { folded(name.as_bytes(), of) } else { of(name.as_bytes()) }
    }

    /// The name behind `id`.
    pub fn name(&self, id: Id<K>) -> &str {
        &self.names[id.index()]
    }

    /// How many names there are, the empty one included.
    pub fn count(&self) -> usize {
        self.names.len()
    }
}

/// All names a correlator's observations speak of.
#[derive(Clone, Debug)]
pub struct Names {
    /// Queues by name, as the first event or list spelled it: app_queue tells the configured spelling whatever the
    /// dialplan says.
    pub queues: Table<Queue>,
    /// Agents by identity.
    pub agents: Table<Agent>,
    /// Trunks by device.
    pub trunks: Table<Trunk>,
    /// Pause reasons.
    pub reasons: Table<Reason>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            queues: Table::caseless(),
            agents: Table::default(),
            trunks: Table::default(),
            reasons: Table::default(),
        }
    }
}

/// Far above what one PBX has, far below what would hurt: 64 Ki names of some 40 bytes are 5 MiB.
const CAP: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_id() {
        let mut table = Table::<Queue>::default();
        let support = table.intern(b"support");
        assert_eq!(table.intern(b"sales").index(), 2);
        assert_eq!(table.intern(b"support"), support);
        assert_eq!(table.name(support), "support");
        assert!(table.intern(b"").is_none());
    }

    #[test]
    fn a_queue_is_one_in_any_case_and_keeps_its_first_spelling() {
        let mut names = Names::default();
        let support = names.queues.intern(b"Support");
        assert_eq!(names.queues.intern(b"SUPPORT"), support);
        assert_eq!(names.queues.name(support), "Support");
        // two people may differ in no more than that
        assert_ne!(names.agents.intern(b"Ann"), names.agents.intern(b"ANN"));
    }

    #[test]
    fn past_the_cap_every_new_name_is_other() {
        let mut table = Table::<Queue>::default();
        for i in 0..CAP + 10 {
            table.intern(format!("q{i}").as_bytes());
        }
        let late = table.intern(b"late");
        assert_eq!(table.name(late), OTHER);
        assert_eq!(table.intern(b"later"), late);
        assert_eq!(table.count(), CAP + 1);
    }
}
