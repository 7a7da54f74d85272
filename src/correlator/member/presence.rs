//! Whether a member's phone is in a call at all.
//!
//! Status 2, 3, 7 and 8 say that a device is in use.  A hint or a custom device state says so as
//! well for do-not-disturb, with no channel up.  So channels are counted by the device they belong
//! to (`LiveDevices`), and a member is in a call only while one of its phone is up, or where nobody can know.

use super::phone::{INVALID, InCall, RINGING, RINGING_IN_USE, is_in_use};
use super::{Member, Members};
use crate::clock::Moment;
use crate::correlator::Correlator;
use crate::correlator::deadline::{LINGER, Task};
use crate::correlator::key::MemberKey;
use crate::correlator::live_devices::Changed;
use crate::correlator::names::AgentId;
use crate::correlator::observation::Observe;
use crate::version::Version;

impl Correlator {
    /// Looks anew at the members whose phones came up or hung up, and at the agents whose state may
    /// be another.
    #[inline]
    pub(in crate::correlator) fn follow_phones(&mut self, now: Moment, out: &mut dyn Observe) {
        // Most events change none of it.
        let is_any_changed = self.account.first_call_event()
            || self.channels.live_devices.is_any_changed()
            || !self.members.stale.is_empty();
        if is_any_changed {
            self.follow_changed_phones(now, out);
        }
    }

    fn follow_changed_phones(&mut self, now: Moment, out: &mut dyn Observe) {
        // Until the first event of class call every device in use was taken to be in a call.
        let is_first = self.account.take_first_call_event();
        if is_first {
            self.look_at_all_phones(now);
        }
        // All that these show of whose phones there are, before any member is looked at.
        let changed = self.channels.live_devices.take_changed();
        for key in changed.iter().filter_map(Changed::key) {
            self.learn_phone(key);
        }
        if !changed.is_empty() {
            self.members.settle();
        }
        for changed in changed {
            let Some(key) = changed.key() else {
                self.look_at_unknown_phones(now);
                continue;
            };
            if let Some(agent) = self.members.phones.agent(key) {
                self.look_at_phones(agent, now);
            }
        }

        // Once an agent, however many of the members changed.
        let mut stale = std::mem::take(&mut self.members.stale);
        stale.sort_unstable();
        stale.dedup();
        let was_unseen = self.members.unseen;
        self.members.unseen |= is_first;
        for agent in stale {
            self.refresh_agent(agent, now, out);
        }
        if is_first && !was_unseen {
            self.end_unseen();
        }
    }

    /// A hint or a Local channel's dial may have shown since whose phone a device is, and a device
    /// may be called like the extension of a member.
    fn learn_phone(&mut self, device: &str) {
        if device.starts_with('/') {
            let is_extension = self.members.phones.agent(device).is_some();
            self.members.numbered |= is_extension && self.channels.live_devices.is_up(device);
            return;
        }
        if let Some(agent) = self.members.owners.of(device.as_bytes(), false) {
            self.members.phones.give(device, agent);
        }
    }

    pub(in crate::correlator) fn look_at_all_phones(&mut self, now: Moment) {
        let all = self.members.all.iter().filter(|(_, member)| !member.removed);
        let all: Vec<_> = all.map(|(key, _)| key).collect();
        self.look_at_each_phone(all, now);
    }

    /// Members of whose phones only an extension is known, while no PBX has shown that devices are
    /// called like it.
    fn look_at_unknown_phones(&mut self, now: Moment) {
        if !self.members.numbered {
            // Only a device in use can be in a call.
            let in_use: Vec<_> = self.members.counts.in_use().collect();
            self.look_at_each_phone(in_use, now);
        }
    }

    fn look_at_phones(&mut self, agent: AgentId, now: Moment) {
        let in_use: Vec<_> = self.members.counts.in_use_of(agent).collect();
        self.look_at_each_phone(in_use, now);
    }

    fn look_at_each_phone(&mut self, members: Vec<MemberKey>, now: Moment) {
        for key in members {
            self.look_at_phone(key, now);
        }
    }

    /// Whether the member's phone is in a call now.
    pub(super) fn look_at_phone(&mut self, key: MemberKey, now: Moment) {
        let Some(member) = self.members.all.get(key) else { return };
        if member
            .phone
            .extension()
            .is_some_and(|extension| self.channels.live_devices.is_up(extension))
        {
            self.members.numbered = true;
        }

        let in_use = is_in_use(self.members.all[key].status);
        let up = in_use && self.is_in_call(key);
        let in_call = match self.members.all[key].in_call {
            _ if up => InCall::Yes,
            // Hung up, and Status is still the call's: it follows within a second.
            InCall::Yes if in_use => {
                self.deadlines.add(now.after(LINGER), Task::Linger(key));
                InCall::Lately
            }
            InCall::Lately if in_use => InCall::Lately,
            InCall::Yes | InCall::Lately | InCall::No => InCall::No,
        };
        self.members.set_in_call(key, in_call);
    }

    /// Status has had its time to follow the Hangup.
    pub(in crate::correlator) fn linger_due(&mut self, key: MemberKey) {
        if self.members.all.get(key).is_some_and(|member| member.in_call == InCall::Lately) {
            self.members.set_in_call(key, InCall::No);
        }
    }

    /// Whether a channel of the member's phone is up, or may be for all that is known.
    fn is_in_call(&self, key: MemberKey) -> bool {
        let member = &self.members.all[key];
        let phone = &member.phone;
        // An account that receives no events of calls, or calls that began before the session.
        if phone.is_in_use_by_calls_only()
            || !self.account.call_events
            || !(self.account.channels_listed || member.free_in == Some(self.members.session))
        {
            return true;
        }

        let live = &self.channels.live_devices;
        let own = self.members.phones.devices(member.agent);
        let mut devices = phone.devices().iter().chain(own);
        if devices.clone().any(|device| live.is_up(device)) {
            return true;
        }

        // Where no phone is known, and no device was ever called like an extension, it may be any.
        let is_known = self.members.numbered || devices.next().is_some();
        match phone.extension() {
            Some(extension) => live.is_up(extension) || !is_known && live.any_phone(),
            None => !is_known,
        }
    }

    /// The status a member has: before 16.17 and 18.3 a hint that is in use and ringing is reported
    /// as 4, invalid.
    pub(super) fn true_status(&self, member: &Member, reported: u8) -> u8 {
        let was_in_use = is_in_use(member.status) || member.status == RINGING;
        let is_right = self.version.is_some_and(Version::reports_ringing_in_use);
        if reported == INVALID && was_in_use && member.phone.is_hint() && !is_right {
            RINGING_IN_USE
        } else {
            reported
        }
    }
}

impl Members {
    /// Whether the phone is in a call; the agent's state may be another then.
    fn set_in_call(&mut self, key: MemberKey, in_call: InCall) {
        if self.all[key].in_call != in_call {
            let member = &mut self.all[key];
            member.in_call = in_call;
            self.stale.push(member.agent);
        }
    }
}
