//! Accounts of the versions at which something changes.

use regex::RegexSet;

use super::*;

fn of(
    version: Version,
    username: &str,
    secret: &str,
    permit: &str,
) -> Result<String, AccountError> {
    manager_conf(version, &Account { username, secret, permit, tls: false })
}

fn account(version: &str) -> String {
    of(version.parse().unwrap(), "exporter", "s3cret", "127.0.0.1/255.255.255.255").unwrap()
}

fn has(text: &str, wanted: &str) -> bool {
    text.lines().any(|line| line == wanted)
}

const OLD_FILTER: &str =
    "eventfilter = ^Event: (QueueCallerJoin|QueueCallerLeave|QueueCallerAbandon)[[:space:]]";
const NEW_FILTER: &str = "eventfilter(action(include),name(QueueCallerJoin)) =";

#[test]
fn every_version_gets_the_least_rights() {
    for version in
        ["12.8.2", "13", "16.10", "16.28", "18.25", "18.26", "20.10", "20.11", "22.0", "22.1", "23"]
    {
        let text = account(version);
        for line in [
            "[exporter]",
            "secret = s3cret",
            "deny = 0.0.0.0/0.0.0.0",
            "permit = 127.0.0.1/255.255.255.255",
            "write = reporting",
            "writetimeout = 5000",
            "allowmultiplelogin = yes",
            "displayconnects = no",
            "[general](+)",
            "enabled = yes",
            "timestampevents = yes",
        ] {
            assert!(has(&text, line), "{version}: {line}");
        }
    }
}

#[test]
fn a_newer_version_gets_the_account_of_the_newest_that_was_checked() {
    let newer = "; This is newer than what was checked, 12 to 23: the account is that of 23.\n\n";
    let (known, unknown) = (account("23.5"), account("24.1"));
    assert!(!known.contains(newer) && unknown.contains(newer));
    assert_eq!(unknown.replace(newer, "").replace("24.1.0", "23.5.0"), known);
}

#[test]
fn reporting_is_read_only_where_recordings_have_no_event() {
    for version in ["12", "13", "16.10", "16.16.2", "17.9", "18.2"] {
        let text = account(version);
        assert!(has(&text, "read = system,call,agent,dialplan,reporting"), "{version}");
        assert!(
            has(&text, "eventfilter = ^Event: TestEvent[[:space:]].*State: MIXMONITOR_END"),
            "{version}"
        );
        assert!(!text.contains("MixMonitorStart"), "{version}");
    }
    for version in ["16.17", "16.28", "18.3", "18.25", "20.10", "22.0"] {
        let text = account(version);
        assert!(has(&text, "read = system,call,agent,dialplan"), "{version}");
        assert!(
            has(&text, "eventfilter = ^Event: (MixMonitorStart|MixMonitorStop)[[:space:]]"),
            "{version}"
        );
        assert!(!text.contains("TestEvent"), "{version}");
    }
}

#[test]
fn events_are_filtered_by_name_where_the_version_can() {
    for version in ["13", "16.10", "16.28", "18.25", "19.8", "20.10", "21.5", "22.0"] {
        let text = account(version);
        assert!(has(&text, OLD_FILTER), "{version}");
        assert!(
            has(&text, "eventfilter = ^Event: VarSet[[:space:]].*Variable: QUEUESTATUS[[:space:]]"),
            "{version}"
        );
        assert!(
            has(&text, "eventfilter = ^Event: VarSet[[:space:]].*Variable: RTPAUDIOQOS[[:space:]]"),
            "{version}"
        );
        assert!(!text.contains("eventfilter("), "{version}");
    }
    for version in ["18.26", "20.11", "21.6", "22.1", "23.0"] {
        let text = account(version);
        assert!(has(&text, NEW_FILTER), "{version}");
        assert!(has(&text, "eventfilter(action(include),name(MixMonitorStart)) ="), "{version}");
        let variable = "eventfilter(action(include),name(VarSet),header(Variable),method(exact)) = QUEUEPOSITION";
        assert!(has(&text, variable), "{version}");
        assert!(has(&text, &variable.replace("QUEUEPOSITION", "RTPAUDIOQOS")), "{version}");
        let queue =
            "eventfilter(action(include),name(Newexten),header(Application),method(exact)) = Queue";
        assert!(has(&text, queue), "{version}");
        assert!(has(&text, ";eventfilter(action(include),name(Newexten)) ="), "{version}");
        assert!(!text.contains("eventfilter ="), "{version}");
    }
}

#[test]
fn asterisk_12_gets_one_line_an_event() {
    let text = account("12.8.2");
    assert!(has(&text, "eventfilter = ^Event: Hangup[[:space:]]"));
    assert!(
        text.lines()
            .filter(|line| line.starts_with("eventfilter"))
            .all(|line| !line.contains(['(', '|']))
    );
}

/// Real event texts: the old filters search the whole of one, over its line breaks.
#[test]
fn the_old_filters_match_what_they_should() {
    let text = account("16.28");
    let patterns = text.lines().filter_map(|line| line.strip_prefix("eventfilter = "));
    // POSIX lets `.` match a line break.
    let filters = RegexSet::new(patterns.map(|pattern| format!("(?s){pattern}"))).unwrap();
    for wanted in [
        "Event: QueueCallerJoin\r\nPrivilege: agent,all\r\n",
        "Event: Hangup\r\nPrivilege: call,all\r\n",
        "Event: Registry\r\nPrivilege: system,all\r\nChannelType: SIP\r\n",
        "Event: PeerStatus\r\nPrivilege: system,all\r\nChannelType: SIP\r\n",
        "Event: ContactStatus\r\nPrivilege: system,all\r\nURI: sip:201@192.0.2.7\r\n",
        "Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: SIP/a-1\r\nVariable: QUEUESTATUS\r\nValue: TIMEOUT\r\n",
        "Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: SIP/a-1\r\nVariable: RTPAUDIOQOS\r\nValue: lp=0\r\n",
        "Event: Newexten\r\nPrivilege: dialplan,all\r\nExtension: s\r\nApplication: Queue\r\nAppData: support\r\n",
    ] {
        assert!(filters.is_match(wanted), "{wanted}");
    }
    for unwanted in [
        "Event: VarSet\r\nPrivilege: dialplan,all\r\nVariable: QUEUESTATUS2\r\nValue: Event: Hangup\r\n",
        "Event: VarSet\r\nPrivilege: dialplan,all\r\nVariable: RTPAUDIOQOSLOSSBRIDGED\r\nValue: x\r\n",
        "Event: Newexten\r\nPrivilege: dialplan,all\r\nApplication: QueueLog\r\nAppData: x\r\n",
        "Event: RTCPSent\r\nPrivilege: reporting,all\r\n",
        "Event: DialState\r\nPrivilege: call,all\r\n",
    ] {
        assert!(!filters.is_match(unwanted), "{unwanted}");
    }
}

#[test]
fn versions_outside_the_known_ones_are_refused() {
    let refuse =
        |version: &str| of(version.parse().unwrap(), "a", "b", "c").unwrap_err().to_string();
    assert!(refuse("11.25").starts_with("Asterisk 11.25.0 is not supported"));
}

#[test]
fn what_would_end_the_line_is_refused_and_a_semicolon_escaped() {
    let version = Version::new(22, 1);
    let text = of(version, "exporter", "a;b", "10.0.0.1/32").unwrap();
    assert!(has(&text, "secret = a\\;b"));
    for (username, secret) in [
        ("a\nb", "s"),
        ("a]", "s"),
        ("general", "s"),
        ("", "s"),
        ("a", "x\r\nread = all"),
        ("a", ""),
    ] {
        let error = of(version, username, secret, "10.0.0.1/32").unwrap_err();
        assert!(matches!(error, AccountError::Unwritable(_)));
    }
}

#[test]
fn a_secret_is_random_and_can_stand_anywhere() {
    let secrets = [random_secret().unwrap(), random_secret().unwrap()];
    assert_ne!(secrets[0], secrets[1]);
    for secret in secrets {
        assert_eq!(secret.len(), 26);
        assert!(secret.bytes().all(|byte| LETTERS.contains(&byte)), "{secret}");
    }
}

#[test]
fn tls_is_offered_and_on_request_as_the_documentation_has_it() {
    let docs = include_str!("../../docs/tls.md");
    let (_, lines) = docs.split_once("```ini\n").unwrap();
    let (lines, _) = lines.split_once("```").unwrap();
    let commented: String = lines.lines().map(|line| format!(";{line}\n")).collect();
    let plain = account("22.1");
    assert!(plain.contains(&commented) && !plain.contains(&format!("\n{lines}")), "{plain}");

    let account =
        Account { username: "exporter", secret: "s3cret", permit: "10.0.0.9/32", tls: true };
    let text = manager_conf("22.1".parse().unwrap(), &account).unwrap();
    assert!(text.contains(&format!("\n{lines}")) && !text.contains(&commented), "{text}");
    let [general, tls, account] = ["[general](+)", "tlsenable = yes", "[exporter]"].map(|line| {
        text.lines().position(|found| found == line).unwrap_or_else(|| panic!("{line}: {text}"))
    });
    assert!(general < tls && tls < account, "{text}");
}
