//! The state, as the list actions answer it.

use super::calls::Talk;
use super::id::{AgentId, BridgeId, MemberId, QueueId};
use super::model::World;
use super::scenario::TRUNKS;
use super::wire::{Message, seconds};
use crate::clock::Moment;

/// A list action.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum List {
    CoreSettings,
    CoreStatus,
    CoreShowChannels,
    QueueStatus,
    ExtensionStates,
    Devices,
    Registrations,
    Bridges,
    /// By BridgeUniqueid.
    Bridge(String),
}

/// Answers it; `now` is the PBX's time.
pub(super) fn answer(world: &World, now: Moment, list: &List, id: Option<&str>) -> Vec<u8> {
    match list {
        List::CoreSettings => core_settings(id),
        List::CoreStatus => core_status(world, id),
        List::CoreShowChannels => channels(world, now, id),
        List::QueueStatus => queues(world, now, id),
        List::ExtensionStates => hints(world, id),
        List::Devices => devices(world, id),
        List::Registrations => registrations(id),
        List::Bridges => bridges(world, id),
        List::Bridge(uniqueid) => bridge(world, uniqueid, id),
    }
}

fn core_settings(id: Option<&str>) -> Vec<u8> {
    let message = Message::response("Success", id).with("AMIversion", AMI_VERSION);
    let message = message.with("AsteriskVersion", ASTERISK_VERSION).with("SystemName", "");
    let message = message.with("CoreMaxCalls", 0).with("CoreMaxLoadAvg", "0.000000");
    let message =
        message.with("CoreRunUser", "").with("CoreRunGroup", "").with("CoreMaxFilehandles", 0);
    let message = message.with("CoreRealTimeEnabled", "No").with("CoreCDRenabled", "Yes");
    message.with("CoreHTTPenabled", "No").finish()
}

fn core_status(world: &World, id: Option<&str>) -> Vec<u8> {
    let (date, time) = calendar(seconds(Some(world.boot)));
    let message = Message::response("Success", id)
        .with("CoreStartupDate", &date)
        .with("CoreStartupTime", &time);
    let message = message.with("CoreReloadDate", &date).with("CoreReloadTime", &time);
    message.with("CoreCurrentCalls", world.channels.len()).finish()
}

fn channels(world: &World, now: Moment, id: Option<&str>) -> Vec<u8> {
    let mut answer = Answer::new("Channels will follow", id);
    for channel in world.channels.values() {
        let age = now.since(channel.created).as_secs();
        let bridge = channel.bridge.and_then(|bridge| world.bridges.get(&bridge));
        let message = Message::listed("CoreShowChannel").action_id(id).channel("", Some(channel));
        let message = message
            .with("Application", &channel.application)
            .with("ApplicationData", &channel.data);
        let message = message.with(
            "Duration",
            format_args!("{:02}:{:02}:{:02}", age / 3600, age / 60 % 60, age % 60),
        );
        answer.item(message.with("BridgeId", bridge.map_or("", |bridge| &bridge.uniqueid)));
    }
    answer.complete("CoreShowChannelsComplete")
}

fn queues(world: &World, now: Moment, id: Option<&str>) -> Vec<u8> {
    let mut answer = Answer::new("Queue status will follow", id);
    for (at, queue) in world.queues.iter().enumerate() {
        let message = Message::listed("QueueParams")
            .with("Queue", queue.spec.name)
            .with("Max", queue.spec.max);
        let message =
            message.with("Strategy", queue.spec.strategy.word()).with("Calls", queue.waiting.len());
        let message =
            message.with("Holdtime", queue.hold_average).with("TalkTime", queue.talk_average);
        let message = message.with("Completed", queue.completed).with("Abandoned", queue.abandoned);
        let message =
            message.with("ServiceLevel", queue.spec.service_level).with("ServicelevelPerf", "0.0");
        // app_queue writes the ActionID last, the core writes it first.
        answer.item(message.with("ServicelevelPerf2", "0.0").with("Weight", 0).action_id(id));

        for member in (0..queue.members.len()).map(MemberId) {
            answer.item(member_item(world, QueueId(at), member).action_id(id));
        }
        for position in 0..queue.waiting.len() {
            answer.item(entry_item(world, now, QueueId(at), position).action_id(id));
        }
    }
    answer.complete("QueueStatusComplete")
}

fn hints(world: &World, id: Option<&str>) -> Vec<u8> {
    let mut answer = Answer::new("Extension Statuses will follow", id);
    for (at, agent) in world.agents.iter().enumerate() {
        let (status, text) = world.device_state(AgentId(at)).extension();
        let message = Message::listed("ExtensionStatus").action_id(id).with("Exten", agent.exten);
        let message = message.with("Context", "ext-local").with("Hint", &agent.device);
        answer.item(message.with("Status", status).with("StatusText", text));
    }
    answer.complete("ExtensionStateListComplete")
}

fn devices(world: &World, id: Option<&str>) -> Vec<u8> {
    let mut answer = Answer::new("Device State Changes will follow", id);
    let mut device = |device: &str, state: &str| {
        let message = Message::listed("DeviceStateChange").action_id(id);
        answer.item(message.with("Device", device).with("State", state));
    };
    for (at, agent) in world.agents.iter().enumerate() {
        device(&agent.device, world.device_state(AgentId(at)).word());
    }
    for (name, in_use) in TRUNKS.iter().zip(world.trunks_in_use) {
        device(&format!("PJSIP/{name}"), if in_use { "INUSE" } else { "NOT_INUSE" });
    }
    answer.complete("DeviceStateListComplete")
}

/// Both carriers are registered all the time.
fn registrations(id: Option<&str>) -> Vec<u8> {
    let mut answer = Answer::new("Following are Events for each Outbound registration", id);
    for trunk in TRUNKS {
        let message = Message::listed("OutboundRegistrationDetail").action_id(id);
        let message = message.with("ObjectType", "registration").with("ObjectName", trunk);
        let message = message
            .with("ClientUri", format_args!("sip:12025550100@{trunk}.example.com"))
            .with("ServerUri", format_args!("sip:{trunk}.example.com"));
        answer.item(message.with("Endpoint", trunk).with("Status", "Registered"));
    }
    answer.complete("OutboundRegistrationDetailComplete")
}

fn member_item(world: &World, queue: QueueId, member: MemberId) -> Message {
    let state = &world.queues[queue.0].members[member.0];
    let agent = &world.agents[state.agent.0];
    let talking = |talk: &Talk| talk.queue == queue && talk.leg.member == member;

    Message::listed("QueueMember")
        .with("Queue", world.queues[queue.0].spec.name)
        .with("Name", agent.name)
        .with("Location", &state.interface)
        .with("StateInterface", &state.state_interface)
        .with("Membership", "static")
        .with("Penalty", state.penalty)
        .with("CallsTaken", state.calls_taken)
        .with("LastCall", seconds(state.last_call))
        .with("LastPause", seconds(state.last_pause))
        .with("LoginTime", seconds(Some(world.boot)))
        .with(
            "InCall",
            u8::from(world.talks.values().any(talking) || world.is_consulting(queue, member)),
        )
        .with("Status", world.device_state(state.agent).status())
        .with("Paused", u8::from(state.paused.is_some()))
        .with("PausedReason", state.paused.unwrap_or_default())
        .with("Wrapuptime", world.queues[queue.0].spec.wrapup)
}

fn entry_item(world: &World, now: Moment, queue: QueueId, position: usize) -> Message {
    let message = Message::listed("QueueEntry").with("Queue", world.queues[queue.0].spec.name);
    let message = message.with("Position", position + 1);
    let stay = world.queues[queue.0].waiting.get(position).and_then(|stay| world.stays.get(stay));
    let Some((stay, channel)) =
        stay.and_then(|stay| Some((stay, world.channels.get(&stay.caller)?)))
    else {
        return message;
    };

    // Here, unlike in events, a missing value is `unknown` without brackets.
    let known = |text: &str| text.trim_matches(['<', '>']).to_owned();
    let (number, name) = channel.caller.texts();
    let (connected_number, connected_name) = channel.connected.texts();

    message
        .with("Channel", &channel.name)
        .with("Uniqueid", &channel.uniqueid)
        .with("CallerIDNum", known(number))
        .with("CallerIDName", known(name))
        .with("ConnectedLineNum", known(connected_number))
        .with("ConnectedLineName", known(connected_name))
        .with("Wait", now.since(stay.joined).as_secs())
        .with("Priority", 0)
}

fn bridges(world: &World, id: Option<&str>) -> Vec<u8> {
    let mut answer = Answer::new("Bridge listing will follow", id);
    for bridge in world.bridges.values() {
        answer.item(Message::listed("BridgeListItem").action_id(id).bridge("", bridge));
    }
    answer.complete("BridgeListComplete")
}

fn bridge(world: &World, uniqueid: &str, id: Option<&str>) -> Vec<u8> {
    let found = world.bridges.iter().find(|(_, bridge)| bridge.uniqueid == uniqueid);
    let Some((&bridge_id, bridge)) = found else {
        return Message::response("Error", id).with("Message", "Bridge not found").finish();
    };

    let inside =
        world.channels.values().filter(|channel| channel.bridge == Some::<BridgeId>(bridge_id));
    let mut answer = Answer::new("Bridge channel listing will follow", id);
    for channel in inside {
        answer.item(Message::listed("BridgeInfoChannel").action_id(id).channel("", Some(channel)));
    }

    let complete = answer.completion("BridgeInfoComplete").bridge("", bridge);
    answer.finish(complete)
}

/// A list while it is written.
struct Answer<'a> {
    id: Option<&'a str>,
    items: usize,
    bytes: Vec<u8>,
}

impl<'a> Answer<'a> {
    fn new(text: &str, id: Option<&'a str>) -> Self {
        let message =
            Message::response("Success", id).with("EventList", "start").with("Message", text);
        Self { id, items: 0, bytes: message.finish() }
    }

    fn item(&mut self, message: Message) {
        self.items += 1;
        self.bytes.extend(message.finish());
    }

    fn completion(&self, name: &str) -> Message {
        Message::listed(name)
            .action_id(self.id)
            .with("EventList", "Complete")
            .with("ListItems", self.items)
    }

    fn complete(self, name: &str) -> Vec<u8> {
        let completion = self.completion(name);
        self.finish(completion)
    }

    fn finish(mut self, completion: Message) -> Vec<u8> {
        self.bytes.extend(completion.finish());
        self.bytes
    }
}

/// Date and time, by the proleptic Gregorian calendar in UTC (Howard Hinnant's `civil_from_days`).
fn calendar(seconds: u64) -> (String, String) {
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);

    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);

    let hour = seconds / 3_600 % 24;
    let minute = seconds / 60 % 60;
    (format!("{year:04}-{month:02}-{day:02}"), format!("{hour:02}:{minute:02}:{:02}", seconds % 60))
}

/// The AMI version of Asterisk 22.
pub(super) const AMI_VERSION: &str = "11.0.0";

const ASTERISK_VERSION: &str = "22.10.0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_a_date() {
        assert_eq!(calendar(0), ("1970-01-01".to_owned(), "00:00:00".to_owned()));
        assert_eq!(calendar(1_795_443_171), ("2026-11-23".to_owned(), "14:12:51".to_owned()));
        assert_eq!(calendar(951_827_696), ("2000-02-29".to_owned(), "12:34:56".to_owned()));
    }
}
