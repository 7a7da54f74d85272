//! Members of queues and the agents behind them: who is there, in which state, and for how long.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use slotmap::SlotMap;

use super::Correlator;
use super::caseless::folded;
use super::key::{MemberKey, RingKey, Shortlist, StayKey};
use super::names::{AgentId, Names, QueueId, ReasonId, readable};
use super::observation::{AgentState, Observation, Observe, PauseChange};
use super::owner::Owners;
use super::presence::{InCall, Phone, is_in_use};
use super::rules::{Identity, Rules};
use super::stay::Stay;
use super::wrapup::Rest;
use crate::clock::Moment;
use crate::event::{self, MemberChange};

/// An agent's place in one queue.
#[derive(Debug)]
pub(super) struct Member {
    pub queue: QueueId,
    pub interface: Box<[u8]>,
    pub agent: AgentId,
    /// Told of by an event or a list, not only by a call.
    pub confirmed: bool,
    /// Removed; kept for calls that still speak of it.
    pub removed: bool,
    pub status: u8,
    pub paused: bool,
    pub reason: ReasonId,
    /// The member's own time for wrap-up, which goes before its queue's.
    pub wrap_up: Duration,
    pub rest: Option<Rest>,
    pub state_interface: Box<[u8]>,
    pub phone: Phone,
    /// Whether the phone is in a call, as far as its device says it is in use.
    pub in_call: InCall,
    /// The device was seen free in this session, so no call of it is older.
    pub was_free: bool,
    pub ringing: u32,
    pub talking: u32,
    /// Talks among these that the agent has left, and that are not counted yet.
    pub parting: u32,
    pub on_hold: u32,
    /// The stay whose talk ended last, if it was seen from its beginning; forgotten stays are not
    /// found any more.
    pub last_completed: Option<StayKey>,
    /// Stays it talks in, or whose AgentComplete it awaits.
    pub talks: Shortlist<StayKey>,
    /// Its ringings.
    pub rings: Shortlist<RingKey>,
}

/// A queue and an interface, which is unique there in any case (`member_cmp_fn` of app_queue.c).
pub(super) type Place = (QueueId, Box<[u8]>);

/// The place of an interface in a queue.
pub(super) fn place(queue: QueueId, interface: &[u8]) -> Place {
    (queue, folded(interface, |interface| interface.into()))
}

/// A person.
#[derive(Debug)]
pub(super) struct Agent {
    pub members: Vec<MemberKey>,
    pub state: AgentState,
    pub reason: ReasonId,
    /// Up to where state time is told.
    pub told: Moment,
}

/// All members and agents of a PBX.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub all: SlotMap<MemberKey, Member>,
    pub places: HashMap<Place, MemberKey>,
    pub agents: HashMap<AgentId, Agent>,
    pub devices: Owners,
    /// Whose phone a channel counts for, by what [`super::presence::Up`] counts it by.
    pub owners: HashMap<Box<str>, AgentId>,
    /// The devices of each agent, in lower case.
    pub owned: HashMap<AgentId, Vec<Box<str>>>,
    /// A device was called like the extension of a member, as FreePBX does it.
    pub numbered: bool,
    /// Agents whose state may have changed since it was worked out.
    pub stale: Vec<AgentId>,
    former: Former,
}

/// Members who were removed, and whom calls may still speak of.
#[derive(Debug, Default)]
struct Former {
    /// By queue and interface, the latest last.
    places: HashMap<Place, Vec<MemberKey>>,
    /// Nobody looks who can be dropped for so many endings.
    patience: usize,
}

impl Correlator {
    pub(super) fn on_member(
        &mut self,
        now: Moment,
        member: &event::Member<'_>,
        out: &mut dyn Observe,
    ) {
        let queue = self.ensure_queue(member.queue, out);
        let place = place(queue, member.interface);
        self.drift.members.remove(&place);
        if self.touched.is_some() {
            self.touched_members.insert(place);
        }
        match member.change {
            MemberChange::Removed => self.remove_member(queue, member.interface, now, out),
            MemberChange::Present | MemberChange::Added => {
                self.describe_member(now, member, out);
            }
            MemberChange::Pause => {
                self.describe_member(now, member, out);
                self.count_pause(queue, member, out);
            }
        }
    }

    /// One for each such event, as queue_log has it: also for a pause that changes nothing.
    fn count_pause(&self, queue: QueueId, member: &event::Member<'_>, out: &mut dyn Observe) {
        let change = if member.paused { PauseChange::Paused } else { PauseChange::Unpaused };
        if let Some(&key) = self.members.places.get(&place(queue, member.interface)) {
            let agent = self.members.all[key].agent;
            self.emit(Observation::MemberPaused { queue, agent, change }, out);
        }
    }

    /// Takes what an event or a list says of a member; tells whether it was there, and whether
    /// something differed.
    pub(super) fn describe_member(
        &mut self,
        now: Moment,
        described: &event::Member<'_>,
        out: &mut dyn Observe,
    ) -> Described {
        let queue = self.ensure_queue(described.queue, out);
        let known = self.members.places.contains_key(&place(queue, described.interface));
        let key = self.ensure_present_member(queue, described.interface, described.name, now, out);
        let reason =
            self.names.reasons.intern(if described.paused { described.reason } else { b"" });
        let member = &mut self.members.all[key];
        if !described.state_interface.is_empty()
            && *member.state_interface != *described.state_interface
        {
            let before =
                std::mem::replace(&mut member.state_interface, described.state_interface.into());
            let agent = member.agent;
            self.members.devices.release(readable(&before).as_bytes(), agent);
            self.know_device(described.state_interface, agent);
            self.know_phone(key);
        }
        let status = self.true_status(&self.members.all[key], described.status);
        let member = &mut self.members.all[key];
        let before = (member.paused, member.reason, member.status);
        let confirmed = std::mem::replace(&mut member.confirmed, true);
        // PausedReason is told since 13.8: an event without it leaves the reason as it was
        member.reason = if described.paused && described.reason.is_empty() && member.paused {
            member.reason
        } else {
            reason
        };
        (member.paused, member.status, member.wrap_up) =
            (described.paused, status, described.wrap_up);
        let changed = before != (member.paused, member.reason, member.status);
        let (agent, parts) =
            (member.agent, status == NOT_IN_USE && before.2 != status && member.parting > 0);
        member.was_free |= matches!(status, NOT_IN_USE | UNAVAILABLE);

        // a device that is free again ends the call for app_queue, though AgentComplete may come
        // much later
        if parts {
            self.begin_wrap_up(key, now, out);
        }
        self.look_at_phone(key, now);
        self.refresh_agent(agent, now, out);
        Described { appeared: !known, drifted: known && confirmed && changed }
    }

    /// The member a call speaks of: it may have been removed while the call went on.
    pub(super) fn ensure_member(
        &mut self,
        queue: QueueId,
        interface: &[u8],
        name: &[u8],
        now: Moment,
        out: &mut dyn Observe,
    ) -> MemberKey {
        let place = place(queue, interface);
        if !self.members.places.contains_key(&place)
            && let Some(&key) = self.members.former.places.get(&place).and_then(|keys| keys.last())
        {
            return key;
        }
        self.ensure_present_member(queue, interface, name, now, out)
    }

    /// The member behind an interface in a queue, made now if nothing told of it yet.
    fn ensure_present_member(
        &mut self,
        queue: QueueId,
        interface: &[u8],
        name: &[u8],
        now: Moment,
        out: &mut dyn Observe,
    ) -> MemberKey {
        let place = place(queue, interface);
        let agent = self.identity(interface, name);
        if let Some(&key) = self.members.places.get(&place) {
            if self.members.all[key].agent == agent {
                return key;
            }
            // renamed, or another person took the seat
            self.remove_member(queue, interface, now, out);
        }
        let key = self.members.all.insert(Member {
            queue,
            interface: interface.into(),
            agent,
            confirmed: false,
            removed: false,
            status: 0,
            paused: false,
            reason: ReasonId::NONE,
            wrap_up: Duration::ZERO,
            rest: None,
            state_interface: Box::default(),
            phone: Phone::default(),
            in_call: InCall::No,
            was_free: false,
            ringing: 0,
            talking: 0,
            parting: 0,
            on_hold: 0,
            last_completed: None,
            talks: Shortlist::default(),
            rings: Shortlist::default(),
        });
        self.members.places.insert(place, key);
        self.know_device(interface, agent);
        self.know_phone(key);
        self.emit(Observation::MemberKnown { queue, agent }, out);
        let synchronised = self.synchronised;
        let state = if synchronised { AgentState::Available } else { AgentState::Unknown };
        let fresh = || Agent { members: Vec::new(), state, reason: ReasonId::NONE, told: now };
        self.members.agents.entry(agent).or_insert_with(fresh).members.push(key);
        self.refresh_agent(agent, now, out);
        key
    }

    pub(super) fn remove_member(
        &mut self,
        queue: QueueId,
        interface: &[u8],
        now: Moment,
        out: &mut dyn Observe,
    ) {
        let Some(key) = self.members.places.remove(&place(queue, interface)) else { return };
        let member = &mut self.members.all[key];
        member.removed = true;
        let (agent, place) = (member.agent, place(queue, &member.interface));
        for device in [&member.interface, &member.state_interface] {
            self.members.devices.release(readable(device).as_bytes(), agent);
        }
        self.members.end_wrap_up(key, now, &self.names, out);
        self.refresh_agent(agent, now, out);
        if let Some(agent) = self.members.agents.get_mut(&agent) {
            agent.members.retain(|&other| other != key);
        }
        self.members.former.places.entry(place).or_default().push(key);
        self.sweep_members();
    }

    /// Drops removed members no stay and no ringing speaks of.
    ///
    /// It looks at all of these, so it does so once for as many endings as it has to look at
    /// things.
    pub(super) fn sweep_members(&mut self) {
        let Members { all, former, .. } = &mut self.members;
        if former.places.is_empty() {
            return;
        }
        if former.patience > 0 {
            former.patience -= 1;
            return;
        }

        let ringing = self.rings.values().map(|ring| ring.member);
        let used: HashSet<_> =
            ringing.chain(self.stays.values().filter_map(Stay::member)).collect();
        former.places.retain(|_, keys| {
            keys.retain(|key| used.contains(key) || all.remove(*key).is_none());
            !keys.is_empty()
        });
        former.patience = self.rings.len() + self.stays.len() + former.places.len();
    }

    /// Devices are what channels are called by: `Agent:1001` and `hint:…` are none.
    fn know_device(&mut self, interface: &[u8], agent: AgentId) {
        let interface = readable(interface);
        self.members.devices.claim(interface.as_bytes(), agent);
        let device = interface.strip_suffix("/n").unwrap_or(&interface);
        if device.contains('/') {
            self.members.own(device, agent);
        }
    }

    /// Who a member is.  One without a name of its own is called as its interface is, in whatever
    /// case.
    fn identity(&mut self, interface: &[u8], name: &[u8]) -> AgentId {
        if let Some(agent) = self.members.devices.given(interface) {
            return agent;
        }
        match self.rules.identity {
            Identity::MemberName if !name.is_empty() && !name.eq_ignore_ascii_case(interface) => {
                self.names.agents.intern(name)
            }
            Identity::MemberName | Identity::Interface => {
                let known = self.members.devices.spelled(interface, &self.names);
                known.unwrap_or_else(|| self.names.agents.intern(interface))
            }
        }
    }

    /// What the interfaces say of the phone behind the member.
    fn know_phone(&mut self, key: MemberKey) {
        let member = &mut self.members.all[key];
        member.phone = Phone::of(&member.interface, &member.state_interface);
        for name in member.phone.names() {
            self.members.owners.insert(name.into(), member.agent);
        }
    }

    /// Works out an agent's state anew; tells the time spent in the old one if it changed.
    pub(super) fn refresh_agent(&mut self, id: AgentId, now: Moment, out: &mut dyn Observe) {
        let synchronised = self.synchronised;
        let Some(agent) = self.members.agents.get_mut(&id) else { return };
        let (state, reason) = state_of(&agent.members, &self.members.all, synchronised);
        if (state, reason) != (agent.state, agent.reason) {
            agent.event(id, now, &self.names, out);
            (agent.state, agent.reason) = (state, reason);
        }
    }

    /// Tells all state and wrap-up time up to now.
    pub(super) fn tell_times(&mut self, now: Moment, out: &mut dyn Observe) {
        let mut ids: Vec<_> = self.members.agents.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            if let Some(agent) = self.members.agents.get_mut(&id) {
                agent.event(id, now, &self.names, out);
            }
        }
        for member in self.members.all.values_mut() {
            member.tell_wrap_up(now, &self.names, out);
        }
    }
}

/// What a description changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Described {
    pub appeared: bool,
    pub drifted: bool,
}

impl Members {
    pub(super) fn new(rules: &Rules, names: &mut Names) -> Self {
        Self { devices: Owners::new(rules, names), ..Self::default() }
    }

    /// A device is an agent's from now on, and no longer another's.
    pub(super) fn own(&mut self, device: &str, agent: AgentId) {
        let device: Box<str> = device.to_ascii_lowercase().into();
        let before = self.owners.get(&device).copied();
        if device.starts_with("local/")
            || before == Some(agent) && self.devices_of(agent).contains(&device)
        {
            return;
        }
        if let Some(devices) = before.and_then(|before| self.owned.get_mut(&before)) {
            devices.retain(|other| *other != device);
        }
        self.owners.insert(device.clone(), agent);
        self.owned.entry(agent).or_default().push(device);
    }

    /// The member in a queue that has an interface.
    pub(super) fn seat(&self, queue: QueueId, interface: &[u8]) -> Option<MemberKey> {
        self.places.get(&place(queue, interface)).copied()
    }

    /// Devices that are known to be an agent's, as channels are called.
    pub(super) fn devices_of(&self, agent: AgentId) -> &[Box<str>] {
        self.owned.get(&agent).map_or(&[], Vec::as_slice)
    }

    /// Queue and state of every member.
    pub(super) fn states(&self, synchronised: bool) -> impl Iterator<Item = (QueueId, AgentState)> {
        let present = self.all.values().filter(|member| !member.removed);
        present.map(move |member| (member.queue, member.state(synchronised)))
    }
}

impl Member {
    /// The first that matches, in the order of METRICS.md: with PJSIP Status says 3 while ringing
    /// and talking, so what is known of the call goes first.
    fn state(&self, synchronised: bool) -> AgentState {
        // the agent has left the call, the caller not yet, and the device is free: a pool agent who
        // pressed `*`
        let talking = if self.status == NOT_IN_USE {
            self.talking.saturating_sub(self.parting)
        } else {
            self.talking
        };
        match self.status {
            _ if !synchronised => AgentState::Unknown,
            _ if talking > 0 && self.on_hold > 0 => AgentState::OnHold,
            _ if talking > 0 => AgentState::Talking,
            _ if self.ringing > 0 => AgentState::Ringing,
            6 => AgentState::Ringing,
            status if is_in_use(status) && self.in_call != InCall::No => AgentState::Busy,
            _ if self.rest.is_some() => AgentState::WrapUp,
            status if is_in_use(status) => AgentState::Dnd,
            4 | UNAVAILABLE => AgentState::Unavailable,
            _ if self.paused => AgentState::Paused,
            _ => AgentState::Available,
        }
    }
}

impl Agent {
    fn event(&mut self, agent: AgentId, now: Moment, names: &Names, out: &mut dyn Observe) {
        // first seen in a part of a recording that has no time
        let told = if self.told == Moment::default() { now } else { self.told };
        let spent = now.since(told);
        self.told = told.max(now);
        let (state, reason) = (self.state, self.reason);
        out.observe(names, Observation::AgentTime { agent, state, reason, spent }, None);
    }
}

/// The first state any member is in; paused only if every member that is not unavailable is, and
/// unavailable, too, if there is no member left.
fn state_of(
    keys: &[MemberKey],
    all: &SlotMap<MemberKey, Member>,
    synchronised: bool,
) -> (AgentState, ReasonId) {
    if !synchronised {
        return (AgentState::Unknown, ReasonId::NONE);
    }
    let members = || keys.iter().filter_map(|&key| all.get(key)).filter(|member| !member.removed);
    let Some(first) = members().map(|member| member.state(true)).min_by_key(|&state| match state {
        // some members paused and others not: the person can be called
        AgentState::Paused => AgentState::Unknown,
        other => other,
    }) else {
        return (AgentState::Unavailable, ReasonId::NONE);
    };
    let reason = match first {
        AgentState::Paused => members()
            .map(|member| member.reason)
            .find(|reason| !reason.is_none())
            .unwrap_or_default(),
        _ => ReasonId::NONE,
    };
    (first, reason)
}

/// Device states: the phone is free, the phone cannot be reached.
const NOT_IN_USE: u8 = 1;
const UNAVAILABLE: u8 = 5;
