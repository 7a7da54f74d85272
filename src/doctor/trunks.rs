//! Which devices the patterns take for trunks and for agents' phones, and better patterns.

use std::collections::BTreeSet;

use super::facts::{Facts, channel_of, is_telephony};
use super::patterns::{is_guest, is_named, proposal, with_more};
use super::{Finding, Level, SHOWN, list};
use crate::correlator::{Patterns, Rules};

/// What the patterns make of each device.
pub(super) fn look(facts: &Facts, rules: &Rules) -> Vec<Finding> {
    let members: BTreeSet<&str> = facts
        .members
        .values()
        .map(|member| member.device.as_str())
        .filter(|d| is_telephony(d))
        .collect();
    let phones: BTreeSet<&str> = facts
        .hinted
        .iter()
        .map(String::as_str)
        .filter(|d| is_telephony(d))
        .chain(members.iter().copied())
        .collect();
    let is_trunk = |device: &str| rules.trunks.matches(&channel_of(device));

    let mut findings = Vec::new();
    // A member is a phone, whatever its name: its calls would be the carrier's.
    let wrong: Vec<&str> = members.iter().copied().filter(|device| is_trunk(device)).collect();
    if !wrong.is_empty() {
        let text = format!("`trunks` matches phones of members: {}", list(&wrong));
        let devices = facts.devices.iter().map(String::as_str);
        let others: Vec<&str> = devices
            .filter(|device| is_trunk(device) && !phones.contains(device) && !is_guest(device))
            .collect();
        let pattern = if others.is_empty() { String::new() } else { proposal(&others, &phones) };
        let finding = Finding::new(Level::Problem, "trunks", text);
        findings.push(finding.with(CONFIGURATION, format!("trunks: [{pattern}]")));
    }

    let is_agent = |device: &str| rules.agents.matches(&channel_of(device));
    let (trunks, others): (Vec<&str>, Vec<&str>) =
        facts.devices.iter().map(String::as_str).partition(|device| is_trunk(device));
    let unknown = others.into_iter().filter(|device| !phones.contains(device) && !is_guest(device));
    let (named, numbered): (Vec<&str>, Vec<&str>) = unknown.partition(|device| is_named(device));
    let mut undecided = numbered;
    if trunks.is_empty() {
        findings.extend(without_trunks(&named, &phones, rules));
    } else {
        findings.push(Finding::new(Level::Ok, "trunks", format!("trunks: {}", list(&trunks))));
        undecided.splice(0..0, named);
    }
    // Where no phone is known, each phone would be one of them.
    undecided.retain(|device| !phones.is_empty() && !is_agent(device));
    findings.extend(of_undecided(&undecided, rules));
    if findings.is_empty() {
        let text = "no device looks like a trunk: calls have a direction only where their context shows it";
        findings.push(Finding::new(Level::Unknown, "trunks", text));
    }

    findings.extend(unused(rules, &facts.devices));
    let both: Vec<&str> = trunks.iter().copied().filter(|device| is_agent(device)).collect();
    if !both.is_empty() {
        let text = format!("`trunks` and `agents` both match: {}", list(&both));
        let finding = Finding::new(Level::Problem, "trunks", text);
        let phones: Vec<&str> =
            members.iter().copied().filter(|device| !is_trunk(device)).collect();
        let line = format!("agents: [{}]", with_more(&Patterns::default(), &phones));
        let is_short = (1..=SHOWN).contains(&phones.len());
        findings.push(if is_short { finding.with(CONFIGURATION, line) } else { finding });
    }

    // With patterns for agents, a device that they leave out is nobody's.
    if !rules.agents.is_empty() {
        let left_out: Vec<&str> =
            members.iter().copied().filter(|device| !is_agent(device)).collect();
        findings.push(if left_out.is_empty() {
            Finding::new(Level::Ok, "agents", "`agents` matches every member's phone")
        } else {
            let text = format!("`agents` does not match phones of members: {}", list(&left_out));
            let finding = Finding::new(Level::Problem, "agents", text);
            let line = format!("agents: [{}]", with_more(&rules.agents, &left_out));
            if left_out.len() > SHOWN { finding } else { finding.with(CONFIGURATION, line) }
        });
    }
    findings
}

/// Patterns that match no device beside others that do; where none does, that is said otherwise.
fn unused(rules: &Rules, devices: &BTreeSet<String>) -> Option<Finding> {
    let channels: Vec<String> = devices.iter().map(|device| channel_of(device)).collect();
    let of = |patterns: &Patterns| {
        let texts = patterns.texts().iter();
        let is_used = |text: &str| {
            let pattern = Patterns::new([text]).unwrap_or_default();
            channels.iter().any(|channel| pattern.matches(channel))
        };
        let unused: Vec<String> = texts.filter(|text| !is_used(text)).cloned().collect();
        if unused.len() == patterns.texts().len() { Vec::new() } else { unused }
    };
    let unused = [of(&rules.trunks), of(&rules.agents)].concat();
    let unused: Vec<&str> = unused.iter().map(String::as_str).collect();
    let text = format!("patterns that match no device: {}", list(&unused));
    (!unused.is_empty()).then(|| Finding::new(Level::Advice, "trunks", text))
}

/// Devices that are neither known phones nor trunks.  A trunk may be called by its number, as a phone is,
/// so that nothing follows from the name.
fn of_undecided(devices: &[&str], rules: &Rules) -> Option<Finding> {
    let text = format!("no hint and no queue shows whether these are phones: {}", list(devices));
    let finding = Finding::new(Level::Unknown, "trunks", text);
    match devices.len() {
        0 => None,
        1..=SHOWN => {
            let place = format!("{CONFIGURATION}, without those that are phones");
            let patterns = with_more(&rules.trunks, devices);
            Some(finding.with(place, format!("trunks: [{patterns}]")))
        }
        _ => Some(finding),
    }
}

/// Where no device is a trunk: those that may be one by their names, and a pattern for them.
fn without_trunks(candidates: &[&str], phones: &BTreeSet<&str>, rules: &Rules) -> Option<Finding> {
    if candidates.is_empty() {
        return None;
    }
    let why = if rules.trunks.is_empty() { "is not configured" } else { "matches no device" };
    // Where no phone is known, each of them may be one.
    if phones.is_empty() {
        let text =
            format!("`trunks` {why}; if any of these is a trunk, name it: {}", list(candidates));
        return Some(Finding::new(Level::Advice, "trunks", text));
    }
    let text = format!("`trunks` {why}, and these are no phones: {}", list(candidates));
    let line = format!("trunks: [{}]", proposal(candidates, phones));
    Some(Finding::new(Level::Problem, "trunks", text).with(CONFIGURATION, line))
}

const CONFIGURATION: &str = "pbx[] of the configuration";

#[cfg(test)]
mod tests {
    use super::super::facts::Member;
    use super::*;

    fn facts(devices: &[&str], members: &[&str]) -> Facts {
        let member = |device: &&str| {
            let status = "1".to_owned();
            ((*device).to_owned(), Member { device: (*device).to_owned(), status })
        };
        Facts {
            devices: devices.iter().map(|&device| device.to_owned()).collect(),
            members: members.iter().map(member).collect(),
            ..Facts::default()
        }
    }

    fn look_with(facts: &Facts, trunks: &[&str], agents: &[&str]) -> Vec<(Level, String)> {
        let patterns = |texts: &[&str]| Patterns::new(texts).expect("patterns");
        let rules =
            Rules { trunks: patterns(trunks), agents: patterns(agents), ..Rules::default() };
        let line = |finding: Finding| {
            let lines: Vec<_> = finding.remedies.into_iter().map(|remedy| remedy.line).collect();
            let text = if lines.is_empty() { finding.text } else { lines.concat() };
            (finding.level, text)
        };
        look(facts, &rules).into_iter().map(line).collect()
    }

    #[test]
    fn the_pattern_proposed_takes_what_is_no_number_where_phones_are_numbers() {
        let facts = facts(&["PJSIP/201", "PJSIP/carrier", "PJSIP/anonymous"], &["PJSIP/201"]);
        let line = "trunks: ['^(PJSIP|SIP|IAX2|DAHDI)/[^0-9]']".to_owned();
        for trunks in [&[][..], &["^SIP/trunk-"]] {
            assert_eq!(look_with(&facts, trunks, &[]), [(Level::Problem, line.clone())]);
        }
    }

    #[test]
    fn where_phones_have_names_trunks_are_proposed_by_theirs() {
        let facts = facts(&["PJSIP/ann", "PJSIP/o'brien.net", "SIP/x"], &["PJSIP/ann"]);
        let line = r"trunks: ['^(PJSIP/o''brien\.net|SIP/x)-']".to_owned();
        assert_eq!(look_with(&facts, &[], &[]), [(Level::Problem, line)]);
        let pattern = r"^(PJSIP/o'brien\.net|SIP/x)-";
        let found = "trunks: PJSIP/o'brien.net, SIP/x".to_owned();
        assert_eq!(look_with(&facts, &[pattern], &[]), [(Level::Ok, found)]);
    }

    #[test]
    fn phones_of_members_are_no_trunks_and_all_are_agents() {
        let facts = facts(&["SIP/201", "SIP/carrier"], &["SIP/201", "Local/9@x"]);
        let trunks = "trunks: ['^(PJSIP|SIP|IAX2|DAHDI)/[^0-9]']".to_owned();
        let agents = "agents: ['^PJSIP/', '^(SIP/201)-']".to_owned();
        assert_eq!(
            look_with(&facts, &["^SIP/"], &["^PJSIP/"]),
            [
                (Level::Problem, trunks),
                (Level::Ok, "trunks: SIP/201, SIP/carrier".to_owned()),
                (Level::Problem, agents)
            ]
        );
        let every = "`agents` matches every member's phone".to_owned();
        assert_eq!(look_with(&facts, &["carrier"], &["^SIP/2"])[1], (Level::Ok, every));
    }

    #[test]
    fn a_pattern_that_matches_nothing_and_a_device_that_both_match_are_told() {
        let facts = facts(&["SIP/201", "SIP/carrier"], &["SIP/201"]);
        let found = look_with(&facts, &["carrier", "^IAX2/"], &["^SIP/", "^SCCP/"]);
        let unused = "patterns that match no device: ^IAX2/, ^SCCP/".to_owned();
        let both = "agents: ['^(SIP/201)-']".to_owned();
        let every = "`agents` matches every member's phone".to_owned();
        assert_eq!(
            found,
            [
                (Level::Ok, "trunks: SIP/carrier".to_owned()),
                (Level::Advice, unused),
                (Level::Problem, both),
                (Level::Ok, every)
            ]
        );
    }

    #[test]
    fn nothing_is_guessed_where_no_phone_is_known() {
        let agents = facts(&["PJSIP/ann", "PJSIP/carrier"], &["Local/ann@agents/n"]);
        let text = "`trunks` is not configured; if any of these is a trunk, name it: PJSIP/ann, PJSIP/carrier";
        assert_eq!(look_with(&agents, &[], &[]), [(Level::Advice, text.to_owned())]);

        // A hint shows whose the phone is.
        let hinted = ["PJSIP/ann".to_owned()].into();
        let line = "trunks: ['^(PJSIP/carrier)-']".to_owned();
        assert_eq!(look_with(&Facts { hinted, ..agents }, &[], &[]), [(Level::Problem, line)]);
    }

    #[test]
    fn a_trunk_called_by_its_number_is_told_from_no_phone() {
        let facts = facts(&["PJSIP/201", "PJSIP/202", "PJSIP/4930123456"], &["PJSIP/201"]);
        let line = |patterns: &str| (Level::Unknown, format!("trunks: [{patterns}]"));
        let found = look_with(&facts, &[], &[]);
        assert_eq!(found, [line(r"'^(PJSIP/202|PJSIP/4930123456)-'")]);

        // A hint shows whose phone one is, a pattern for agents, too.
        let facts = Facts { hinted: ["PJSIP/202".to_owned()].into(), ..facts };
        assert_eq!(look_with(&facts, &[], &[]), [line("'^(PJSIP/4930123456)-'")]);
        let every = (Level::Ok, "`agents` matches every member's phone".to_owned());
        let nothing = "no device looks like a trunk: calls have a direction only where their context shows it";
        let found = look_with(&facts, &[], &["/[0-9]+-"]);
        assert_eq!(found, [(Level::Unknown, nothing.to_owned()), every]);
    }

    #[test]
    fn beside_trunks_that_match_others_may_be_some_too() {
        let facts = facts(&["PJSIP/201", "PJSIP/4930", "PJSIP/b", "SIP/carrier"], &["PJSIP/201"]);
        let found = look_with(&facts, &["carrier-"], &[]);
        let line = "trunks: ['carrier-', '^(PJSIP/b|PJSIP/4930)-']".to_owned();
        let trunks = "trunks: SIP/carrier".to_owned();
        assert_eq!(found, [(Level::Ok, trunks), (Level::Unknown, line)]);
    }

    #[test]
    fn no_line_is_proposed_for_more_devices_than_a_sentence_has() {
        let devices: Vec<String> = (0..12).map(|number| format!("SIP/{number}")).collect();
        let devices: Vec<&str> = devices.iter().map(String::as_str).collect();
        let [(Level::Unknown, told)] = &look_with(&facts(&devices, &["SIP/0"]), &[], &[])[..]
        else {
            panic!("one finding")
        };
        assert!(told.ends_with(" and 1 more"), "{told}");
    }

    #[test]
    fn nothing_is_proposed_where_nothing_looks_like_a_trunk() {
        let found = look_with(&facts(&["PJSIP/201"], &[]), &[], &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, Level::Unknown);
    }
}
