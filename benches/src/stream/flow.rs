//! One call as a text with gaps for everything that differs from call to call.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// The events of one call, from its first to its last.
pub(super) struct Flow {
    pub(super) events: Vec<Event>,
    /// How many different ones of each kind it has.
    pub(super) uids: u32,
    pub(super) channels: u32,
}

/// One event.
pub(super) struct Event {
    pub(super) name: String,
    pub(super) parts: Vec<Part>,
}

/// A part of an event's text.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Part {
    Text(String),
    /// The moment it is sent.
    Timestamp,
    /// A Uniqueid, and which of the call's.
    Uid(u32),
    /// The number of a channel, in hexadecimal digits.
    Channel(u32),
    /// A bridge, or another thing that is named so.
    Bridge(u32),
    /// The digits of an agent's phone.
    Agent(u32),
    /// The digit of a trunk.
    Trunk,
    /// The name of a queue.
    Queue(u32),
    /// The digits of a caller's number.
    Number(u32),
}

impl Flow {
    /// Reads a capture of one call.  What belongs to no call is left out, and so are the
    /// recordings' TestEvents unless they are wanted.
    pub(super) fn read(capture: &str, recordings: bool) -> Self {
        let capture = capture.replace('\r', "");
        let blocks: Vec<&str> = capture
            .split("\n\n")
            .map(str::trim_start)
            .filter(|block| name(block).is_some_and(|name| is_wanted(name, recordings)))
            .collect();

        let mut known = Known::of(&blocks);
        let events = blocks.iter().map(|block| known.event(block)).collect();
        Self { events, uids: known.uids.count(), channels: known.channels.count() }
    }
}

fn name(block: &str) -> Option<&str> {
    block.strip_prefix("Event: ")?.lines().next()
}

fn is_wanted(name: &str, recordings: bool) -> bool {
    match name {
        "FullyBooted" | "SuccessfulAuth" => false,
        "TestEvent" => recordings,
        _ => true,
    }
}

/// What the call has in common with others but the name: each text becomes a gap.
#[derive(Default)]
struct Known {
    uids: Numbers,
    channels: Numbers,
    bridges: Numbers,
    agents: Numbers,
    queues: Numbers,
    callers: Numbers,
}

/// Texts in the order they come, by number.
#[derive(Default)]
struct Numbers(HashMap<String, u32>);

impl Numbers {
    fn of(&mut self, text: &str) -> u32 {
        let next = self.count();
        *self.0.entry(text.to_owned()).or_insert(next)
    }

    fn count(&self) -> u32 {
        u32::try_from(self.0.len()).expect("few in one call")
    }
}

impl Known {
    /// Queues are found first, for their names stand elsewhere, too.
    fn of(blocks: &[&str]) -> Self {
        let mut known = Self::default();
        for line in blocks.iter().flat_map(|block| block.lines()) {
            if let Some(queue) = line.strip_prefix("Queue: ") {
                known.queues.of(queue);
            }
        }
        known
    }

    fn event(&mut self, block: &str) -> Event {
        let mut parts = Parts::default();
        let stamped = block.lines().any(|line| line.starts_with("Timestamp: "));
        for (at, line) in block.lines().enumerate() {
            let (key, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            parts.text(key);
            parts.text(": ");
            match key {
                "Timestamp" => parts.gap(Part::Timestamp),
                "Event" => parts.text(value),
                _ => self.value(value, &mut parts),
            }
            parts.text("\r\n");

            // What was captured without time stamps gets them: the manager writes them there.
            if at == 1 && !stamped {
                parts.text("Timestamp: ");
                parts.gap(Part::Timestamp);
                parts.text("\r\n");
            }
        }
        parts.text("\r\n");
        Event { name: name(block).expect("an event").to_owned(), parts: parts.done }
    }

    fn value(&mut self, value: &str, parts: &mut Parts) {
        if let Some(rest) = self.queue_in_front(value, parts) {
            return self.text(rest, parts);
        }
        self.text(value, parts);
    }

    /// A queue's name alone, as the first argument of an application, or as a device.
    fn queue_in_front<'a>(&mut self, value: &'a str, parts: &mut Parts) -> Option<&'a str> {
        let (before, name) = match value.strip_prefix("Queue:") {
            Some(name) => ("Queue:", name),
            None => ("", value),
        };
        let end = name.find([',', '_']).unwrap_or(name.len());
        let queue = *self.queues.0.get(&name[..end])?;
        parts.text(before);
        parts.gap(Part::Queue(queue));
        Some(&name[end..])
    }

    fn text(&mut self, value: &str, parts: &mut Parts) {
        let mut end = 0;
        for found in GAPS.captures_iter(value) {
            let whole = found.get(0).expect("a match");
            parts.text(&value[end..whole.start()]);
            end = whole.end();
            self.gap(&found, parts);
        }
        parts.text(&value[end..]);
    }

    fn gap(&mut self, found: &Captures<'_>, parts: &mut Parts) {
        if let Some(bridge) = found.name("bridge") {
            parts.gap(Part::Bridge(self.bridges.of(bridge.as_str())));
        } else if let Some(uid) = found.name("uid") {
            parts.gap(Part::Uid(self.uids.of(uid.as_str())));
        } else if let Some(number) = found.name("number") {
            parts.gap(Part::Number(self.callers.of(number.as_str())));
        } else if let Some(technology) = found.name("technology") {
            parts.text(technology.as_str());
            self.device(&found["device"], parts);
            if let Some(channel) = found.name("channel") {
                parts.text("-");
                // The same digits may be another device's.
                parts.gap(Part::Channel(self.channels.of(&found[0])));
                debug_assert_eq!(channel.len(), 8);
            }
        } else {
            let digits = found.name("local").or(found.name("alone")).expect("one of the gaps");
            if found.name("local").is_some() {
                parts.text("Local/");
            }
            parts.gap(Part::Agent(self.agents.of(digits.as_str())));
        }
    }

    fn device(&mut self, device: &str, parts: &mut Parts) {
        let digits = device.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        parts.text(&device[..device.len() - digits.len()]);
        if digits.len() == 3 {
            parts.gap(Part::Agent(self.agents.of(digits)));
        } else {
            parts.gap(Part::Trunk);
        }
    }
}

/// Parts in the making: neighbouring text is one part.
#[derive(Default)]
struct Parts {
    done: Vec<Part>,
}

impl Parts {
    fn text(&mut self, text: &str) {
        match self.done.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.done.push(Part::Text(text.to_owned())),
        }
    }

    fn gap(&mut self, gap: Part) {
        self.done.push(gap);
    }
}

/// What differs from call to call, in a value.
static GAPS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        (?<bridge>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})
        | (?<uid>\d{10}\.\d+)
        | (?<technology>(?:PJ)?SIP/)(?<device>[a-z]+\d?\b|a?\d{3}\b|[a-z]+\d)(?:-(?<channel>[0-9a-f]{8}))?
        | Local/(?<local>\d{3})
        | (?<number>\d{9,12})
        | ^(?<alone>1\d\d)$",
    )
    .expect("a pattern")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_call_to_call_is_a_gap() {
        let flow = Flow::read(
            "Event: FullyBooted\n\nEvent: AgentCalled\nPrivilege: agent,all\nChannel: SIP/channel2-00000037\n\
             DestChannel: SIP/201-00000038\nInterface: SIP/201\nQueue: test\nAccountCode:\n\
             Uniqueid: 1606403878.1115\nLinkedid: 1606403878.1115\n\n\
             Event: TestEvent\nFile: /monitor/1606403878.1115\n",
            false,
        );
        assert_eq!((flow.events.len(), flow.uids, flow.channels), (1, 1, 2));
        let text = |text: &str| Part::Text(text.to_owned());
        assert_eq!(
            flow.events[0].parts,
            [
                text("Event: AgentCalled\r\nPrivilege: agent,all\r\nTimestamp: "),
                Part::Timestamp,
                text("\r\nChannel: SIP/channel"),
                Part::Trunk,
                text("-"),
                Part::Channel(0),
                text("\r\nDestChannel: SIP/"),
                Part::Agent(0),
                text("-"),
                Part::Channel(1),
                text("\r\nInterface: SIP/"),
                Part::Agent(0),
                text("\r\nQueue: "),
                Part::Queue(0),
                text("\r\nAccountCode: \r\nUniqueid: "),
                Part::Uid(0),
                text("\r\nLinkedid: "),
                Part::Uid(0),
                text("\r\n\r\n"),
            ]
        );
    }
}
