//! From what was seen to what is to be done.

use std::collections::BTreeSet;
use std::time::Duration;

use super::distribution::{self, place};
use super::facts::{Facts, LISTS, channel_of};
use super::limits::{self, Counts};
use super::targets::{self, Targets};
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
    /// How many series the PBX has.
    pub series: usize,
    /// How service levels are counted.
    pub targets: Targets<'a>,
}

/// Everything that was looked at, in the order in which it matters.
pub fn examine(facts: &Facts, of: Examined<'_>) -> Vec<Finding> {
    let recognised = distribution::recognise(&facts.contexts);
    let places =
        Places { account: place(recognised, of.username), general: place(recognised, "general") };

    let mut findings = vec![login(facts, of, &places)];
    findings.push(version(facts, &places));
    findings.extend(distribution::look(recognised));
    findings.extend(refused_lists(facts, &places));
    findings.extend(of.missing.iter().map(|missing| absent(missing, &places)));
    findings.extend(classes(facts, of));
    findings.extend(time_stamps(facts));
    findings.push(queues(facts));
    findings.extend(members(facts));
    findings.extend(targets::look(&facts.queues, of.targets));
    findings.extend(trunks::look(facts, of.rules));
    findings.extend(limits::look(counts(facts, of), &of.targets.settings.limits));
    findings
}

/// Where lines belong on this PBX.
struct Places {
    account: String,
    general: String,
}

/// The one finding of a PBX that there is no session with; `reason` is the word of
/// `asterisk_exporter_disconnects_total`.
pub fn of_failure(reason: &str, error: &str, username: &str) -> Finding {
    let finding = Finding::new(Level::Problem, "login", error);
    // No context has shown the distribution yet.
    let account = format!("[{username}] of {ANY_FILE}");
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

fn login(facts: &Facts, of: Examined<'_>, places: &Places) -> Finding {
    // An attempt to come back is greeted, too: how often the connection was lost is not known.
    if facts.sessions == 1 && of.was_up {
        return Finding::new(Level::Ok, "login", format!("as {}", of.username));
    }
    // Asterisk itself closes it if it cannot write for longer than the account allows.
    Finding::new(Level::Problem, "login", "the connection was lost while it was watched")
        .with(places.account.clone(), "writetimeout = 5000")
}

fn version(facts: &Facts, places: &Places) -> Finding {
    let Some(text) = &facts.asterisk else {
        let text = "the version of Asterisk is hidden from the account";
        return Finding::new(Level::Problem, "version", text)
            .with(places.account.clone(), REPORTING);
    };
    match text.parse::<Version>() {
        Ok(version) if version.is_newer_than_checked() => {
            let text =
                format!("Asterisk {text} is newer than what was checked, {OLDEST} to {NEWEST}");
            Finding::new(Level::Advice, "version", text)
        }
        Ok(version) => {
            let lacks: Vec<&str> = lacks(version).collect();
            let but = if lacks.is_empty() { "" } else { "; this version lacks " };
            let text = format!("Asterisk {text}{but}{}", lacks.join(", "));
            Finding::new(Level::Ok, "version", text)
        }
        Err(_) => Finding::new(Level::Ok, "version", format!("Asterisk {text}")),
    }
}

/// What newer versions send.
fn lacks(version: Version) -> impl Iterator<Item = &'static str> {
    let lacks = [
        (!version.has_mixmonitor_events(), "events of recordings"),
        (
            version.leaves_empty_silently(),
            "the reason why a caller behind the first left an empty queue",
        ),
        (!version.reports_ringing_in_use(), "the state of a member who is rung during a call"),
    ];
    lacks.into_iter().filter_map(|(lacks, what)| lacks.then_some(what))
}

/// Lists without which something is known late, or never.
fn refused_lists<'a>(
    facts: &'a Facts,
    places: &'a Places,
) -> impl Iterator<Item = Finding> + use<'a> {
    LISTS.iter().filter_map(move |(action, cost)| {
        let message = facts.refused.get(action)?;
        let text = format!("{action} is refused ({message}): {cost}");
        Some(Finding::new(Level::Advice, "lists", text).with(places.account.clone(), REPORTING))
    })
}

fn absent(missing: Missing, places: &Places) -> Finding {
    let explanation = explain(missing);
    let level = if missing == Missing::Timestamps { Level::Advice } else { Level::Problem };
    // No account can see these two: only that an event is absent.
    let also = if missing.word().starts_with("event_") { HIDDEN_FROM_ALL } else { "" };
    let text = format!("{}{also}: {}", explanation.what, explanation.cost);
    let (place, line) = match explanation.line.split_once(" in ") {
        Some((line, file)) if file.ends_with(".conf") => (file.to_owned(), line.to_owned()),
        Some((line, _)) => (places.general.clone(), line.to_owned()),
        None => (places.account.clone(), explanation.line.into_owned()),
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

/// How much there is of what is limited.
fn counts(facts: &Facts, of: Examined<'_>) -> Counts {
    let shows = |queue: &str| of.targets.settings.shows_queue(queue);
    let members: BTreeSet<&str> =
        facts.members.values().map(|member| member.device.as_str()).collect();
    let (trunks, devices): (Vec<&String>, Vec<&String>) =
        facts.devices.iter().partition(|device| of.rules.trunks.matches(&channel_of(device)));
    let outside = devices.into_iter().filter(|device| !members.contains(device.as_str()));
    Counts {
        queues: facts.queues.keys().filter(|queue| shows(queue)).count(),
        agents: facts.members.len(),
        members: facts.places.iter().filter(|(queue, _)| shows(queue)).count(),
        devices: outside.count(),
        trunks: trunks.len(),
        series: of.series,
    }
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

const HIDDEN_FROM_ALL: &str = ", or disabledevents of [general], or stasis.conf";
/// The file of an account where the distribution is not known.
const ANY_FILE: &str = "manager.conf (FreePBX, Issabel: manager_custom.conf)";
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
    use crate::correlator::Patterns;
    use crate::metrics::Settings;
    use crate::pbx::PbxName;

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
        let findings = examined(facts, missing).into_iter();
        findings.map(|finding| (finding.level, finding.subject, finding.text)).collect()
    }

    fn examined(facts: &Facts, missing: &[Missing]) -> Vec<Finding> {
        let (rules, settings, pbx) = (Rules::default(), Settings::default(), PbxName::new("hq"));
        let targets = Targets { settings: &settings, pbx: &pbx, is_only_pbx: true };
        let of = Examined {
            username: "exporter",
            rules: &rules,
            missing: missing.iter().copied().collect(),
            watched: Duration::from_secs(10),
            was_up: true,
            series: 0,
            targets,
        };
        examine(facts, of)
    }

    fn places() -> Places {
        Places { account: place(None, "me"), general: place(None, "general") }
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
        for &missing in Missing::ALL {
            let remedy = absent(missing, &places()).remedies.remove(0);
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
        let lost = "the connection was lost while it was watched";
        for (sessions, was_up, expected) in [
            (1, true, (Level::Ok, "as exporter")),
            (1, false, (Level::Problem, lost)),
            (3, true, (Level::Problem, lost)),
        ] {
            let mut facts = Facts::default();
            (0..sessions).for_each(|_| facts.begin_session());
            let (settings, pbx) = (Settings::default(), PbxName::new("hq"));
            let of = Examined {
                username: "exporter",
                rules: &Rules::default(),
                missing: MissingSet::default(),
                watched: Duration::ZERO,
                was_up,
                series: 0,
                targets: Targets { settings: &settings, pbx: &pbx, is_only_pbx: true },
            };
            let found = login(&facts, of, &places());
            assert_eq!((found.level, found.text.as_str()), expected);
            assert_eq!(found.remedies.is_empty(), found.level == Level::Ok);
        }
    }

    #[test]
    fn an_old_version_is_told_with_what_it_lacks() {
        let lacks = |text: &str| lacks(text.parse().expect("a version")).collect::<Vec<_>>();
        assert_eq!(lacks("20.1"), [""; 0]);
        assert_eq!(
            lacks("16.16"),
            ["events of recordings", "the state of a member who is rung during a call"]
        );
        assert_eq!(lacks("13.1").len(), 3);
    }

    #[test]
    fn every_line_names_the_file_of_the_distribution() {
        let member = "Event: QueueMember\nActionID: ae-1-QueueStatus\nQueue: 600\nName: Ann\nLocation: \
                      Local/201@from-queue/n\nStateInterface: hint:201@ext-local\nStatus: 1\n\n";
        let facts = facts(member, Moment::EPOCH);
        let missing = [Missing::ClassAgent, Missing::Timestamps, Missing::Hangup];
        let found = examined(&facts, &missing);
        let of = |subject: &str| {
            let finding = found.iter().find(|finding| finding.subject == subject);
            let finding = finding.unwrap_or_else(|| panic!("{subject}: {found:?}"));
            (finding.text.as_str(), finding.remedies.first().map_or("", |it| it.place.as_str()))
        };
        assert_eq!(of("class_agent").1, "[exporter] of manager_custom.conf");
        assert_eq!(of("timestamps").1, "[general](+) of manager_custom.conf");
        assert_eq!(of("version").1, "[exporter] of manager_custom.conf");
        assert_eq!(
            of("distribution").0,
            "FreePBX or Issabel, by the context ext-local: accounts of your own belong in manager_custom.conf, never in \
             manager.conf"
        );
        assert_eq!(
            of("event_hangup").0,
            "Hangup is missing although it must come: an event filter removes it, or disabledevents of [general], or \
             stasis.conf: calls do not end, and causes are not counted"
        );
        assert_eq!(of("queues").0, "1 queue with 1 member");
    }

    #[test]
    fn what_is_limited_is_counted_as_labels_have_it() {
        let text = "Event: QueueParams\nActionID: ae-1-x\nQueue: a\nServiceLevel: 30\n\n\
                    Event: QueueMember\nActionID: ae-1-x\nQueue: a\nLocation: SIP/1\nStateInterface: SIP/1\n\n\
                    Event: QueueMember\nActionID: ae-1-x\nQueue: b\nLocation: SIP/1\nStateInterface: SIP/1\n\n\
                    Event: Newchannel\nChannel: SIP/carrier-1\n\nEvent: Newchannel\nChannel: SIP/2-1\n\n\
                    Event: Newchannel\nChannel: SIP/1-1\n\n";
        let facts = facts(text, Moment::EPOCH);
        assert_eq!(facts.queues["a"], Duration::from_secs(30));
        let trunks = Patterns::new(["carrier"]).expect("a pattern");
        let rules = Rules { trunks, ..Rules::default() };
        let (settings, pbx) = (Settings::default(), PbxName::new("hq"));
        let of = Examined {
            username: "me",
            rules: &rules,
            missing: MissingSet::default(),
            watched: Duration::ZERO,
            was_up: true,
            series: 7,
            targets: Targets { settings: &settings, pbx: &pbx, is_only_pbx: true },
        };
        let counted = Counts { queues: 2, agents: 1, members: 2, devices: 1, trunks: 1, series: 7 };
        assert_eq!(counts(&facts, of), counted);
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
