//! From what was seen to what is to be done.

use std::time::Duration;

use super::facts::{Facts, LISTS};
use super::{Finding, Level, trunks};
use crate::correlator::{Missing, MissingSet, Rules, Word};
use crate::health::explain;
use crate::version::{NEWEST, OLDEST, Version};

/// What a session was examined with.
#[derive(Clone, Copy, Debug)]
pub struct Examined<'a> {
    /// The account's name.
    pub username: &'a str,
    /// How names are read.
    pub rules: &'a Rules,
    /// What never comes, by the evidence of the correlator.
    pub missing: MissingSet,
    /// How long events were watched.
    pub watched: Duration,
    /// Whether the session was there to the end.
    pub was_up: bool,
}

/// Everything that was looked at, in the order in which it matters.
pub fn examine(facts: &Facts, of: Examined<'_>) -> Vec<Finding> {
    let mut findings = vec![login(facts, of)];
    findings.push(version(facts, of));
    findings.extend(refused_lists(facts, of));
    findings.extend(of.missing.iter().map(|missing| absent(missing, of)));
    findings.extend(classes(facts, of));
    findings.extend(time_stamps(facts));
    findings.push(queues(facts));
    findings.extend(members(facts));
    findings.extend(trunks::look(facts, of.rules));
    findings
}

/// The one finding of a PBX that there is no session with; `reason` is the word of
/// `asterisk_exporter_disconnects_total`.
pub fn of_failure(reason: &str, error: &str, username: &str) -> Finding {
    let finding = Finding::new(Level::Problem, "login", error);
    let account = format!("[{username}] of manager.conf");
    match reason {
        "auth" => finding
            .with(account.clone(), "secret = the one of the configuration")
            .with(account, "permit = the address that the exporter connects from"),
        "io" | "timeout" => finding
            .with("[general] of manager.conf", "enabled = yes")
            .with("[general] of manager.conf", "bindaddr = an address that the exporter reaches"),
        _ => finding,
    }
}

/// The one finding of a PBX whose session had not begun when it was to end.
pub fn not_begun() -> Finding {
    Finding::new(Level::Unknown, "login", "stopped before the PBX had listed its queues")
}

fn login(facts: &Facts, of: Examined<'_>) -> Finding {
    // An attempt to come back is greeted, too: how often the connection was lost is not known.
    if facts.sessions == 1 && of.was_up {
        return Finding::new(Level::Ok, "login", format!("as {}", of.username));
    }
    Finding::new(Level::Problem, "login", "the connection was lost while it was watched")
}

fn version(facts: &Facts, of: Examined<'_>) -> Finding {
    let Some(text) = &facts.asterisk else {
        let text = "the version of Asterisk is hidden from the account";
        return Finding::new(Level::Problem, "version", text).with(account(of), REPORTING);
    };
    match text.parse::<Version>() {
        Ok(version) if version.is_newer_than_checked() => {
            let text =
                format!("Asterisk {text} is newer than what was checked, {OLDEST} to {NEWEST}");
            Finding::new(Level::Advice, "version", text)
        }
        Ok(_) | Err(_) => Finding::new(Level::Ok, "version", format!("Asterisk {text}")),
    }
}

/// Lists without which something is known late, or never.
fn refused_lists<'a>(
    facts: &'a Facts,
    of: Examined<'a>,
) -> impl Iterator<Item = Finding> + use<'a> {
    LISTS.iter().filter_map(move |(action, cost)| {
        let message = facts.refused.get(action)?;
        let text = format!("{action} is refused ({message}): {cost}");
        Some(Finding::new(Level::Advice, "lists", text).with(account(of), REPORTING))
    })
}

fn absent(missing: Missing, of: Examined<'_>) -> Finding {
    let explanation = explain(missing);
    let level = if missing == Missing::Timestamps { Level::Advice } else { Level::Problem };
    let text = format!("{}: {}", explanation.what, explanation.cost);
    let (place, line) = match explanation.line.split_once(" in ") {
        Some((line, file)) if file.ends_with(".conf") => (file.to_owned(), line.to_owned()),
        Some((line, section)) => (format!("{section} of manager.conf"), line.to_owned()),
        None => (account(of), explanation.line.into_owned()),
    };
    Finding::new(level, missing.word(), text).with(place, line)
}

fn time_stamps(facts: &Facts) -> Vec<Finding> {
    let Some(behind) = facts.behind else { return Vec::new() };
    let mut findings = vec![Finding::new(Level::Ok, "timestamps", "events have time stamps")];
    let off = Duration::from_micros(behind.unsigned_abs());
    if off > CLOCKS_APART {
        let way = if behind > 0 { "behind" } else { "ahead of" };
        let text = format!("the PBX's clock is {:.1} s {way} this machine's", off.as_secs_f64());
        findings.push(Finding::new(Level::Advice, "clock", text));
    }
    findings
}

fn queues(facts: &Facts) -> Finding {
    let (queues, members) = (facts.queues.len(), facts.members.len());
    if queues == 0 {
        return Finding::new(Level::Advice, "queues", "the PBX has no queue");
    }
    let [queues, members] = [(queues, "queue"), (members, "member")]
        .map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }));
    Finding::new(Level::Ok, "queues", format!("{queues} with {members}"))
}

/// Members whose phone the PBX does not know: they can never be rung, or never be seen to be busy.
fn members(facts: &Facts) -> impl Iterator<Item = Finding> {
    let invalid = facts.members.iter().filter(|(_, member)| member.status == INVALID);
    invalid.map(|(interface, member)| {
        let device = if member.device.is_empty() { interface } else { &member.device };
        let text =
            format!("the member {interface} can never be called: the PBX has no device {device}");
        Finding::new(Level::Problem, "members", text)
    })
}

/// Which classes of events have come; one that is known to be missing is a finding of its own.
fn classes(facts: &Facts, of: Examined<'_>) -> impl Iterator<Item = Finding> {
    let not_missing = CLASSES.iter().filter(|class| !of.missing.contains(class.proof));
    let (came, absent): (Vec<&Class>, Vec<&Class>) = not_missing.partition(|class| {
        facts.came(class.events) || class.name == "dialplan" && facts.queue_variables
    });
    let names =
        |classes: &[&Class]| classes.iter().map(|class| class.name).collect::<Vec<_>>().join(", ");
    let found = |level, classes: &[&Class], text| {
        (!classes.is_empty()).then(|| Finding::new(level, "events", text))
    };
    let (of_came, of_absent) = (names(&came), names(&absent));
    let watched = of.watched.as_secs();
    [
        found(Level::Ok, &came, format!("of class {of_came}")),
        found(
            Level::Unknown,
            &absent,
            format!(
                "none of class {of_absent} in {watched} s: call a queue meanwhile, with --watch 60s"
            ),
        ),
    ]
    .into_iter()
    .flatten()
}

/// A class of events, which the exporter needs.
struct Class {
    name: &'static str,
    events: &'static [&'static str],
    proof: Missing,
}

fn account(of: Examined<'_>) -> String {
    format!("[{}] of manager.conf", of.username)
}

const CLASSES: &[Class] = &[
    Class {
        name: "system",
        events: &["FullyBooted", "Registry", "PeerStatus", "ContactStatus", "Shutdown"],
        proof: Missing::ClassSystem,
    },
    Class {
        name: "call",
        events: &["Newchannel", "Hangup", "HangupRequest", "DialBegin", "BridgeEnter"],
        proof: Missing::ClassCall,
    },
    Class {
        name: "agent",
        events: &[
            "QueueCallerJoin",
            "QueueCallerLeave",
            "AgentCalled",
            "AgentConnect",
            "QueueMemberStatus",
            "QueueMemberPause",
            "QueueMemberAdded",
            "QueueMemberRemoved",
        ],
        proof: Missing::ClassAgent,
    },
    Class { name: "dialplan", events: &["Newexten"], proof: Missing::ClassDialplan },
];

const REPORTING: &str = "write = reporting";
/// Device state 4 of Asterisk.
const INVALID: &str = "4";
/// Less is the way of a packet, and the resolution of some.
const CLOCKS_APART: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ami::frame::{Decoder, Item, Limits};
    use crate::clock::Moment;

    fn facts(text: &str, now: Moment) -> Facts {
        let mut decoder = Decoder::of_file(Limits::default());
        decoder.feed(text.as_bytes());
        let mut facts = Facts::default();
        facts.begin_session();
        while let Some(item) = decoder.next_item() {
            if let Item::Frame(frame) = item {
                facts.take(&frame, now);
            }
        }
        facts
    }

    fn found(facts: &Facts, missing: &[Missing]) -> Vec<(Level, &'static str, String)> {
        let rules = Rules::default();
        let missing = missing.iter().copied().collect();
        let watched = Duration::from_secs(10);
        let of = Examined { username: "exporter", rules: &rules, missing, watched, was_up: true };
        let findings = examine(facts, of).into_iter();
        findings.map(|finding| (finding.level, finding.subject, finding.text)).collect()
    }

    #[test]
    fn a_clock_that_is_off_is_told_with_its_direction() {
        let event = "Event: Newchannel\nTimestamp: 1000.500000\nChannel: SIP/1-1\n\n";
        for (now, told) in [
            (1002, None),
            (1003, Some("the PBX's clock is 2.5 s behind this machine's")),
            (998, Some("the PBX's clock is 2.5 s ahead of this machine's")),
        ] {
            let found = found(&facts(event, Moment::from_secs(now)), &[]);
            let clock = found.iter().find(|(_, subject, _)| *subject == "clock");
            assert_eq!(
                clock.map(|(level, _, text)| (*level, text.as_str())),
                told.map(|text| (Level::Advice, text))
            );
            assert!(found.contains(&(
                Level::Ok,
                "timestamps",
                "events have time stamps".to_owned()
            )));
        }
    }

    #[test]
    fn a_class_has_come_or_not_or_is_missing() {
        let text = "Event: Hangup\n\nEvent: VarSet\nVariable: QUEUESTATUS\n\nEvent: QueueMember\nActionID: ae-1-x\n\n";
        let found = found(&facts(text, Moment::EPOCH), &[Missing::ClassSystem]);
        let events: Vec<_> = found
            .iter()
            .filter(|(_, subject, _)| matches!(*subject, "events" | "class_system"))
            .collect();
        let [system, came, absent] = events[..] else { panic!("{events:?}") };
        assert_eq!((system.0, system.1), (Level::Problem, "class_system"));
        assert_eq!(*came, (Level::Ok, "events", "of class call, dialplan".to_owned()));
        let none = "none of class agent in 10 s: call a queue meanwhile, with --watch 60s";
        assert_eq!(*absent, (Level::Unknown, "events", none.to_owned()));
    }

    #[test]
    fn a_refused_list_is_told_in_the_pbx_s_words() {
        let text =
            "Response: Error\nActionID: ae-9-DeviceStateList\nMessage: Permission denied\n\n";
        let facts = facts(text, Moment::EPOCH);
        assert!(facts.has_devices());
        let refused = "DeviceStateList is refused (Permission denied): whether trunks and phones can be reached is not known";
        assert!(found(&facts, &[]).contains(&(Level::Advice, "lists", refused.to_owned())));
    }

    #[test]
    fn each_remedy_names_its_place() {
        let rules = Rules::default();
        for &missing in Missing::ALL {
            let of = Examined {
                username: "me",
                rules: &rules,
                missing: MissingSet::default(),
                watched: Duration::ZERO,
                was_up: true,
            };
            let remedy = absent(missing, of).remedies.remove(0);
            let place = match missing {
                Missing::Timestamps => "[general] of manager.conf",
                Missing::ListQueues => "modules.conf",
                _ => "[me] of manager.conf",
            };
            assert_eq!((remedy.place.as_str(), remedy.line.contains(" in ")), (place, false));
        }
    }

    #[test]
    fn a_session_that_ended_while_it_was_watched_is_a_problem() {
        let rules = Rules::default();
        for (sessions, was_up, expected) in [
            (1, true, (Level::Ok, "as me")),
            (1, false, (Level::Problem, "the connection was lost while it was watched")),
            (3, true, (Level::Problem, "the connection was lost while it was watched")),
        ] {
            let mut facts = Facts::default();
            (0..sessions).for_each(|_| facts.begin_session());
            let (missing, watched) = (MissingSet::default(), Duration::ZERO);
            let of = Examined { username: "me", rules: &rules, missing, watched, was_up };
            let found = login(&facts, of);
            assert_eq!((found.level, found.text.as_str()), expected);
        }
    }

    #[test]
    fn numbers_of_callers_and_names_chosen_by_strangers_are_no_devices() {
        let channels = [
            "DAHDI/i1/12025550100-1c",
            "SIP/2025550100-00000001",
            "SIP/attacker.example-00000002",
            "Local/12025550100@x-00000003;1",
            "PJSIP/carrier-00000004",
        ];
        let text: String =
            channels.iter().map(|name| format!("Event: Newchannel\nChannel: {name}\n\n")).collect();
        let seen = facts(&text, Moment::EPOCH).devices;
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["DAHDI/i1", "PJSIP/carrier"]);
    }
}
