//! What an account of `manager-conf` may do on a real PBX, beside what SECURITY.md says.

use std::collections::BTreeSet;

use super::ami::Ami;
use super::configuration::SECRET;
use super::pbx::{Pbx, Plan, Version};

#[test]
fn security_md_names_what_the_account_may_change_on_16() {
    names_what_the_account_may_change(Version::V16, "SIPqualifypeer");
}

#[test]
fn security_md_names_what_the_account_may_change_on_22() {
    names_what_the_account_may_change(Version::V22, "PJSIPUnregister");
}

fn names_what_the_account_may_change(version: Version, of_reporting: &str) {
    if !version.is_installed() {
        return;
    }
    let pbx = Pbx::start(version, "account", 9, &Plan::default());
    let ami = Ami::open(&pbx.manager(), "exporter", SECRET).expect("a login");

    let reply = ami.act("ListCommands", &[]);
    let of_reply = ["Response", "ActionID"];
    let allowed: BTreeSet<_> =
        reply.keys().map(String::as_str).filter(|key| !of_reply.contains(key)).collect();
    let named = changing();
    let unnamed: Vec<_> = allowed
        .iter()
        .filter(|action| !READING.contains(action) && !named.iter().any(|name| name == *action))
        .collect();
    assert_eq!(unnamed, [&""; 0], "neither in SECURITY.md nor known to read only");

    // chan_dahdi is not there; the other channel driver belongs to the other version.
    let missing: BTreeSet<_> = named
        .iter()
        .map(String::as_str)
        .filter(|name| !name.starts_with("DAHDI") && !name.starts_with("PRI"))
        .filter(|name| !name.starts_with("PJSIP") || version == Version::V22)
        .filter(|name| !name.starts_with("SIP") || version == Version::V16)
        .filter(|name| !allowed.contains(name))
        .collect();
    assert_eq!(missing, BTreeSet::new(), "in SECURITY.md, and not allowed");
    assert!(allowed.contains(of_reporting));

    // It is so, and not only listed; what the account must not do is refused.
    let answer = |action| ami.act(action, &[])["Response"].clone();
    assert_eq!(answer("QueueReset"), "Success");
    for action in ["QueuePause", "Originate", "Redirect", "Command", "GetConfig", "Hangup"] {
        assert_eq!(answer(action), "Error", "{action}");
    }
}

/// The actions in the table of SECURITY.md.
fn changing() -> Vec<String> {
    let text = std::fs::read_to_string(support::root("SECURITY.md")).expect("SECURITY.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.filter(|(_, rest)| rest.starts_with("any login") || rest.starts_with("`reporting`"))
        .map(|(action, _)| action.to_owned())
        .collect()
}

/// Those that change nothing but the session itself.
const READING: &[&str] = &[
    "BridgeInfo",
    "BridgeList",
    "BridgeTechnologyList",
    "Challenge",
    "ConfbridgeList",
    "ConfbridgeListRooms",
    "CoreSettings",
    "CoreShowChannelMap",
    "CoreShowChannels",
    "CoreStatus",
    "DBGet",
    "DBGetTree",
    "DeviceStateList",
    "Events",
    "ExtensionState",
    "ExtensionStateList",
    "FAXStats",
    "Getvar",
    "ListCommands",
    "Login",
    "Logoff",
    "MailboxCount",
    "MailboxStatus",
    "PJSIPShowMaintenance",
    "PJSIPShowRegistrationsOutbound",
    "Ping",
    "PresenceState",
    "PresenceStateList",
    "QueueRule",
    "QueueStatus",
    "QueueSummary",
    "SIPpeers",
    "SIPshowpeer",
    "SIPshowregistry",
    "ShowDialPlan",
    "Status",
    "WaitEvent",
];
