//! Names interned to small ids, once: queues, agents, trunks and pause reasons.
//!
//! Queues compare without case, and keep the spelling they were first named by.
//!
//! Ids are never reused, so a metric handle kept by id stays right.  A table has a cap: the names
//! of one PBX are few, and a flood of invented ones must not use up the memory; past the cap every new
//! name is [`OTHER`].  The names that are labels only (devices, trunks, reasons) have the cap of
//! their label, [`NameLimits`].
//!
//! A long name is cut to [`LONGEST`] bytes, and ends with a hash of the whole.

use hashbrown::{HashMap, HashSet};
use std::borrow::Cow;
use std::fmt::Write;
use std::marker::PhantomData;

use md5::{Digest, Md5};

use super::beyond::Beyond;
use super::caseless::folded;

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

    /// Whatever is counted as [`OTHER`].  It stands for many names, and is in no table.
    pub const OTHER: Self = Self(u32::MAX, PhantomData);

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
/// A trunk.
pub type TrunkId = Id<Trunk>;
/// Why a member is paused.
pub type ReasonId = Id<Reason>;

/// The names of one kind.
#[derive(Clone, Debug)]
pub struct Table<K> {
    names: Vec<Box<str>>,
    ids: HashMap<Box<[u8]>, u32>,
    caseless: bool,
    /// How many names there may be besides the empty one.
    cap: usize,
    /// The id of all others, and how many these are.
    other: Option<Id<K>>,
    beyond: Beyond,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self::new(CAP)
    }
}

impl<K> Table<K> {
    fn new(cap: usize) -> Self {
        let ids = HashMap::from([(Box::default(), 0)]);
        let (other, beyond) = (None, Beyond::default());
        Self { names: vec!["".into()], ids, caseless: false, cap, other, beyond }
    }

    /// Names that differ only in case are one.
    fn caseless() -> Self {
        Self { caseless: true, ..Self::default() }
    }

    /// The id of `name`, made when the name is new.
    pub fn intern(&mut self, name: &[u8]) -> Id<K> {
        self.intern_text(&readable(name))
    }

    /// The id of a name that is readable text already.
    pub fn intern_text(&mut self, name: &str) -> Id<K> {
        if let Some(id) = self.find(name) {
            return id;
        }
        if self.ids.len() > self.cap {
            self.beyond.note(name);
            return self.ensure_other();
        }

        let name = self.cut(name);
        let key = if self.caseless { name.to_ascii_lowercase() } else { name.clone().into_owned() };
        let id = self.push(&name);
        self.ids.insert(key.into_bytes().into(), id.0);
        id
    }

    fn push(&mut self, name: &str) -> Id<K> {
        let id = u32::try_from(self.names.len()).expect("the table is capped below u32::MAX");
        self.names.push(name.into());
        Id(id, PhantomData)
    }

    fn ensure_other(&mut self) -> Id<K> {
        if let Some(other) = self.other {
            return other;
        }
        let other = self.push(OTHER);
        self.other = Some(other);
        other
    }

    pub(super) fn find(&self, name: &str) -> Option<Id<K>> {
        let of = |key: &[u8]| self.ids.get(key).map(|&id| Id(id, PhantomData));
        let name = self.cut(name);
        if self.caseless { folded(name.as_bytes(), of) } else { of(name.as_bytes()) }
    }

    /// Spellings that are one name have one hash.
    fn cut<'a>(&self, name: &'a str) -> Cow<'a, str> {
        match self.caseless && name.len() > LONGEST {
            true => cut(name, &name.to_ascii_lowercase()),
            false => cut(name, name),
        }
    }

    /// The name behind `id`.
    pub fn name(&self, id: Id<K>) -> &str {
        &self.names[id.index()]
    }

    /// All names but the empty one, in the order of their first use.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().skip(1).map(AsRef::as_ref)
    }

    /// How many names there are, the empty one included.
    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// Whether `id` stands for the names beyond the cap.
    pub fn is_other(&self, id: Id<K>) -> bool {
        self.other.is_some_and(|other| other.0 == id.0)
    }

    /// How many names beyond the cap there were, as far as they are [counted](Beyond::count).
    pub fn beyond(&self) -> usize {
        self.beyond.count()
    }
}

/// Who takes calls: people, who are members of queues, and devices outside queues.
///
/// A device has an id of its own and a cap of its own, so that however many there are, each member
/// finds room.
#[derive(Clone, Debug)]
pub struct Agents {
    people: Table<Agent>,
    devices: HashMap<Box<str>, AgentId>,
    are_devices: HashSet<AgentId>,
    /// How many devices there may be.
    cap: usize,
    /// The id of all other devices, and how many these are.
    other: Option<AgentId>,
    beyond: Beyond,
}

impl Default for Agents {
    fn default() -> Self {
        Self::new(CAP)
    }
}

impl Agents {
    fn new(devices: usize) -> Self {
        Self {
            people: Table::default(),
            devices: HashMap::new(),
            are_devices: HashSet::new(),
            cap: devices,
            other: None,
            beyond: Beyond::default(),
        }
    }

    /// The id of a member's identity.
    pub fn intern(&mut self, name: &[u8]) -> AgentId {
        self.people.intern(name)
    }

    /// The id of a member's identity that is known.
    pub(super) fn find(&self, name: &[u8]) -> Option<AgentId> {
        self.people.find(&readable(name))
    }

    /// The id of a device that is no member's.
    pub fn intern_device(&mut self, label: &str) -> AgentId {
        let label = cut(label, label);
        let label = label.as_ref();
        if let Some(id) = self.people.find(label).or_else(|| self.devices.get(label).copied()) {
            return id;
        }
        if self.devices.len() >= self.cap {
            self.beyond.note(label);
            return self.ensure_other_device();
        }

        let id = self.people.push(label);
        self.devices.insert(label.into(), id);
        self.are_devices.insert(id);
        id
    }

    fn ensure_other_device(&mut self) -> AgentId {
        if let Some(other) = self.other {
            return other;
        }
        let other = self.people.push(OTHER);
        self.are_devices.insert(other);
        self.other = Some(other);
        other
    }

    /// Whether `id` stands for the devices beyond the cap.
    pub fn is_other_device(&self, id: AgentId) -> bool {
        self.other == Some(id)
    }

    /// How many devices beyond the cap there were, as far as they are [counted](Beyond::count).
    pub fn devices_beyond(&self) -> usize {
        self.beyond.count()
    }

    /// Whether it is a device that was no member's when it was new.
    pub fn is_device(&self, id: AgentId) -> bool {
        self.are_devices.contains(&id)
    }

    /// The name behind `id`.
    pub fn name(&self, id: AgentId) -> &str {
        self.people.name(id)
    }
}

/// A name as text, a different one for each name.
///
/// A byte that is not UTF-8 is written `\xe4`: replaced by U+FFFD, as is usual, two
/// names could become one.  A name that holds such an escape has each backslash of its own
/// doubled, also where the escape was already part of the name.  All other names are left as they
/// are.
pub fn readable(name: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(name)
        && !shows_escape(name)
    {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(name.len() + 8);
    for chunk in name.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', r"\\"));
        for byte in chunk.invalid() {
            let _ = write!(text, r"\x{byte:02x}");
        }
    }
    Cow::Owned(text)
}

/// Whether `\x` and two digits are in it, in any case: names of queues compare without.
fn shows_escape(name: &[u8]) -> bool {
    // Hardly any name has a backslash.
    if !name.contains(&b'\\') {
        return false;
    }
    let is_escape = |signs: &[u8]| {
        signs[..2].eq_ignore_ascii_case(br"\x") && signs[2..].iter().all(u8::is_ascii_hexdigit)
    };
    name.windows(4).any(is_escape)
}

/// All names a correlator's observations speak of.
#[derive(Clone, Debug)]
pub struct Names {
    /// Queues by name, as the first event or list spelled it: app_queue sends the configured
    /// spelling, however the dialplan spells it.
    pub queues: Table<Queue>,
    /// Agents by identity.
    pub agents: Agents,
    /// Trunks by device.
    pub trunks: Table<Trunk>,
    /// Pause reasons.
    pub reasons: Table<Reason>,
}

impl Default for Names {
    fn default() -> Self {
        Self::new(&NameLimits::default())
    }
}

impl Names {
    /// No names yet, and no more than `limits` later.
    pub fn new(limits: &NameLimits) -> Self {
        let mut reasons = Table::new(limits.reasons.max(limits.listed_reasons.len()));
        // Those that the configuration lists have their places, whatever comes before them.
        for reason in &limits.listed_reasons {
            reasons.intern_text(reason);
        }
        if !limits.listed_reasons.is_empty() {
            reasons.cap = limits.listed_reasons.len();
        }

        Self {
            queues: Table::caseless(),
            agents: Agents::new(limits.devices),
            trunks: Table::new(limits.trunks),
            reasons,
        }
    }
}

/// How many names are kept of the kinds that are labels and nothing else.
#[derive(Clone, Debug)]
pub struct NameLimits {
    /// Devices outside queues.
    pub devices: usize,
    /// Trunks.
    pub trunks: usize,
    /// Pause reasons, if none are listed.
    pub reasons: usize,
    /// The only pause reasons to keep, unless it is empty.
    pub listed_reasons: Vec<String>,
}

impl Default for NameLimits {
    fn default() -> Self {
        Self { devices: CAP, trunks: CAP, reasons: CAP, listed_reasons: Vec::new() }
    }
}

/// `name` if it is short enough; else its beginning, a tilde, and eight hex digits of the hash of
/// `whole`, so that two names stay two.
fn cut<'a>(name: &'a str, whole: &str) -> Cow<'a, str> {
    if name.len() <= LONGEST {
        return Cow::Borrowed(name);
    }
    let end = (0..=LONGEST - MARK).rev().find(|&end| name.is_char_boundary(end));
    let beginning = &name[..end.unwrap_or_default()];

    let hash = Md5::digest(whole);
    let mut text = format!("{beginning}~");
    for byte in &hash[..4] {
        let _ = write!(text, "{byte:02x}");
    }
    Cow::Owned(text)
}

/// Far above what one PBX has, far below what would hurt: 64 Ki names of some 40 bytes are 5 MiB.
const CAP: usize = 65_536;
/// In bytes.  Asterisk's own names have up to 80, and no table or chart has room for more.
const LONGEST: usize = 256;
/// The bytes of a tilde and eight digits.
const MARK: usize = 9;

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
        // Two people may differ in no more than that.
        assert_ne!(names.agents.intern(b"Ann"), names.agents.intern(b"ANN"));
    }

    #[test]
    fn past_the_cap_every_new_name_is_other_and_none_is_kept() {
        let mut table = Table::<Trunk>::new(3);
        for i in 0..1000 {
            table.intern(format!("t{i}").as_bytes());
        }
        let late = table.intern(b"late");
        assert_eq!((table.name(late), table.is_other(late)), (OTHER, true));
        assert_eq!(table.intern(b"later"), late);
        assert_eq!((table.intern(b"t2").index(), table.beyond()), (3, 999));
        // the empty name, three, and `other`
        assert_eq!((table.names.len(), table.ids.len(), table.count()), (5, 4, 5));

        // one that is called so is not those that did not fit
        let mut table = Table::<Trunk>::new(1);
        let so_called = table.intern(OTHER.as_bytes());
        assert_ne!(table.intern(b"carrier"), so_called);
    }

    #[test]
    fn listed_reasons_have_their_places_whatever_comes_first() {
        let listed_reasons = ["lunch", "break"].map(str::to_owned).into();
        let limits = NameLimits { reasons: 1, listed_reasons, ..NameLimits::default() };
        let mut names = Names::new(&limits);
        let meeting = names.reasons.intern(b"meeting");
        assert!(names.reasons.is_other(meeting));
        assert_eq!([b"lunch", b"break"].map(|name| names.reasons.intern(name).index()), [1, 2]);
        assert_eq!(names.reasons.count(), 4);
    }

    #[test]
    fn a_long_name_is_cut_between_characters_and_stays_distinct() {
        let mut names = Names::default();
        let exact = "q".repeat(LONGEST);
        let id = names.queues.intern(exact.as_bytes());
        assert_eq!(names.queues.name(id), exact);

        // MD5 of 300 times q
        let id = names.queues.intern(&[b'q'; 300]);
        assert_eq!(names.queues.name(id), format!("{}~1ffd8191", "q".repeat(LONGEST - 9)));
        assert_eq!(names.queues.intern(&[b'Q'; 300]), id);
        assert_ne!(names.queues.intern(&[b'q'; 301]), id);

        // two bytes each, and an odd number of bytes to keep
        let wide = "ö".repeat(200);
        for id in [names.agents.intern(wide.as_bytes()), names.agents.intern_device(&wide)] {
            let name = names.agents.name(id);
            assert_eq!((name.len(), &name[..246]), (255, "ö".repeat(123).as_str()));
        }
        assert_eq!(names.agents.intern_device(&wide), names.agents.intern(wide.as_bytes()));
    }

    #[test]
    fn a_flood_of_devices_leaves_room_for_every_member_and_is_not_kept() {
        let mut agents = Agents::new(5);
        for i in 0..1000 {
            agents.intern_device(&format!("SIP/{i}"));
        }
        let late = agents.intern_device("SIP/late");
        assert_eq!((agents.name(late), agents.is_device(late)), (OTHER, true));
        assert_eq!((agents.is_other_device(late), agents.devices_beyond()), (true, 996));
        assert_eq!((agents.devices.len(), agents.people.count()), (5, 7));

        let ada = agents.intern(b"Ada");
        assert_eq!((agents.name(ada), agents.is_device(ada)), ("Ada", false));
        for i in 0..CAP - 10 {
            agents.intern(format!("member {i}").as_bytes());
        }
        let ben = agents.intern(b"Ben");
        assert_eq!((agents.name(ben), agents.is_device(ben)), ("Ben", false));
    }

    #[test]
    fn a_device_that_becomes_a_member_s_is_a_person_from_then_on() {
        let mut agents = Agents::default();
        let device = agents.intern_device("SIP/201");
        assert_eq!(agents.intern_device("SIP/201"), device);
        let member = agents.intern(b"SIP/201");
        assert_ne!(member, device);
        assert_eq!((agents.name(member), agents.name(device)), ("SIP/201", "SIP/201"));
        assert_eq!(agents.intern_device("SIP/201"), member);
    }

    #[test]
    fn a_byte_that_is_not_utf_8_is_shown_and_never_makes_two_names_one() {
        assert_eq!(readable(b"J\xf6rg"), r"J\xf6rg");
        assert_eq!(readable(b"J\xe4rg"), r"J\xe4rg");
        assert_eq!(readable("Jörg".as_bytes()), "Jörg");
        assert_eq!(readable(b""), "");
        // What looks like an escape and is none.
        assert_eq!(readable(br"J\xf6rg"), r"J\\xf6rg");
        assert_eq!(readable(br"J\\xf6rg"), r"J\\\\xf6rg");
        assert_eq!(readable(br"J\XF6RG"), r"J\\XF6RG");
        assert_eq!(readable(b"\\\xf6"), r"\\\xf6");
        // A backslash alone is nothing special.
        assert_eq!(readable(br"DOMAIN\xavier"), r"DOMAIN\xavier");
        assert_eq!(readable(br"DOMAIN\\f6"), r"DOMAIN\\f6");
    }

    #[test]
    fn no_two_names_have_one_text() {
        // Every name of up to six of the bytes that matter, also where names compare without case.
        let signs = *b"\\xf6\xf6A";
        let mut texts = HashMap::new();
        let mut names: Vec<Vec<u8>> = vec![Vec::new()];
        for _ in 0..6 {
            let longer = names
                .iter()
                .flat_map(|name| signs.iter().map(|&sign| [name, &[sign][..]].concat()));
            names = longer.collect();
            for name in &names {
                let before = texts.insert(readable(name).to_ascii_lowercase(), name.clone());
                assert_eq!(before, None, "{name:?} and another");
            }
        }
    }
}
