//! Accounts that lack something, beside a real PBX: each is named, and the full one is never
//! suspected.
//!
//! One exporter follows the same server under several accounts at once, while calls are played.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use support::Numbers;
use support::program::wait_until;

use super::configuration::SECRET;
use super::doctor::Doctor;
use super::exporter::Exporter;
use super::hang::retry_if_locked_up;
use super::pbx::{Pbx, Version};
use super::sipp::Phones;
use super::stage::Scenario;
use super::{plan, play, scenarios};

#[test]
fn missing_events_are_reported_on_16() {
    retry_if_locked_up(|| missing_events_are_reported(Version::V16));
}

#[test]
fn missing_events_are_reported_on_22() {
    retry_if_locked_up(|| missing_events_are_reported(Version::V22));
}

fn missing_events_are_reported(version: Version) {
    if !version.is_installed() {
        return;
    }
    let chosen: Vec<_> = scenarios::ALL
        .into_iter()
        .flatten()
        .enumerate()
        .filter(|(_, s)| PLAYED.contains(&s.name))
        .collect();
    assert_eq!(chosen.len(), PLAYED.len());
    let mut needs = plan(&chosen, version);
    needs.accounts = ACCOUNTS.iter().map(Account::section).collect();
    let pbx = Pbx::start(version, "missing", 5, &needs);
    let phones = Phones::start(&pbx.net);
    let more: String = ACCOUNTS.iter().map(|account| account.entry(&pbx.manager())).collect();
    let exporter = Exporter::start_with(&pbx.net, &pbx.manager(), &more);

    let doctor = Doctor::start(&exporter.config());

    // A PBX on which nothing happens lacks nothing, whoever looks; but a list that is refused is
    // missing at once.
    for account in ACCOUNTS {
        let at_once = account.reason(version).filter(|reason| reason.starts_with("list_"));
        assert_eq!(
            degraded(&exporter.numbers(), account.name),
            Vec::from_iter(at_once),
            "{}",
            account.name
        );
    }

    let over = AtomicBool::new(false);
    let looks = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                assert_eq!(degraded(&exporter.numbers(), "real"), [""; 0], "the full account");
                looks.fetch_add(1, Ordering::Relaxed);
                sleep(EVERY);
            }
        });
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            named(&chosen, &pbx, &phones, &exporter);
        }));
        over.store(true, Ordering::Relaxed);
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    // The doctor, who has watched the same calls, names the same, with the line that mends it.
    let found = doctor.stop();
    assert_eq!(found.of("real", "problem"), []);
    for account in ACCOUNTS {
        let expected: Vec<_> = account.reason(version).into_iter().collect();
        let mut problems = found.of(account.name, "problem");
        // Without CoreSettings nothing tells the version.
        if account.reason == "list_channels" {
            assert_eq!(problems.remove(0), ("version".to_owned(), vec![WITH_WRITE.to_owned()]));
        }
        let subjects: Vec<_> = problems.iter().map(|(subject, _)| subject.clone()).collect();
        assert_eq!(subjects, expected, "{}", account.name);
        assert!(problems.iter().all(|(_, remedies)| *remedies == [account.remedy]), "{problems:?}");
    }
    println!("Asterisk {}: {} looks at the full account", version.full(), looks.into_inner());
}

/// Plays calls until each account has its reason, and no other.
fn named(chosen: &[(usize, &Scenario)], pbx: &Pbx, phones: &Phones, exporter: &Exporter) {
    assert_eq!(play(chosen, pbx, phones), Vec::<String>::new());
    assert_eq!(pbx.settle(), Vec::<String>::new());
    for account in ACCOUNTS {
        let expected = Vec::from_iter(account.reason(pbx.version));
        wait_until(&format!("{} to be {expected:?}", account.name), || {
            (degraded(&exporter.numbers(), account.name) == expected).then_some(())
        });
    }

    // A scrape works it out itself, the log has it at the next event or Ping.
    for account in ACCOUNTS {
        let Some(reason) =
            account.reason(pbx.version).filter(|reason| !reason.starts_with("list_"))
        else {
            continue;
        };
        let pbx = format!("pbx={} ", account.name);
        let reason = format!("reason={reason} ");
        let lines = || {
            exporter
                .log()
                .lines()
                .filter(|line| line.contains(&pbx) && line.contains(&reason))
                .count()
        };
        wait_until(&format!("{} in the log", account.name), || (lines() > 0).then_some(()));
        assert_eq!(lines(), 1, "{}", account.name);
    }
    assert!(!exporter.log().contains("pbx=real reason="));
}

/// What is reported to be missing under an account.
fn degraded(numbers: &Numbers, pbx: &str) -> Vec<String> {
    let all = numbers.values("asterisk_exporter_degraded", "reason");
    assert!(all.len() > 20, "every reason is there");
    let is_reported = |reason: &String| {
        numbers.sum("asterisk_exporter_degraded", &[("pbx", pbx), ("reason", reason)]) == 1.0
    };
    all.into_iter().filter(is_reported).collect()
}

/// An account that lacks something.
struct Account {
    name: &'static str,
    read: &'static str,
    /// More lines.
    more: &'static str,
    reason: &'static str,
    /// What the doctor prescribes.
    remedy: &'static str,
}

impl Account {
    fn section(&self) -> String {
        let Self { name, read, more, .. } = self;
        format!(
            "[{name}]\nsecret={SECRET}\npermit=127.0.0.0/255.0.0.0\nread={read}\nwritetimeout=60000\n\
             allowmultiplelogin=yes\n{more}\n"
        )
    }

    fn entry(&self, manager: &str) -> String {
        let name = self.name;
        format!(
            "  - name: {name}\n    address: {manager}\n    username: {name}\n    secret: {SECRET}\n    \
             trunks: ['^(SIP|PJSIP)/(trunk|carrier)-']\n    queue_status_interval: 30s\n"
        )
    }

    /// Before 22.11 FullyBooted comes at the login whatever an account may read, and nothing else
    /// reports it.
    fn reason(&self, version: Version) -> Option<String> {
        let full = version.full();
        let mut numbers = full.split('.').map(|number| number.parse::<u32>().expect("a number"));
        let tells = (numbers.next(), numbers.next()) >= (Some(22), Some(11));
        (self.reason != "class_system" || tells).then(|| self.reason.to_owned())
    }
}

const ACCOUNTS: &[Account] = &[
    Account {
        name: "without-agent",
        read: "system,call,dialplan",
        more: WRITE,
        reason: "class_agent",
        remedy: READ,
    },
    Account {
        name: "without-call",
        read: "system,agent,dialplan",
        more: WRITE,
        reason: "class_call",
        remedy: READ,
    },
    Account {
        name: "without-dialplan",
        read: "system,call,agent",
        more: WRITE,
        reason: "class_dialplan",
        remedy: READ,
    },
    Account {
        name: "without-system",
        read: "call,agent,dialplan",
        more: WRITE,
        reason: "class_system",
        remedy: READ,
    },
    Account {
        name: "without-write",
        read: ALL,
        more: "",
        reason: "list_channels",
        remedy: WITH_WRITE,
    },
    Account {
        name: "without-hangup",
        read: ALL,
        more: "write=reporting\neventfilter=!Event: Hangup[[:space:]]",
        reason: "event_hangup",
        remedy: "eventfilter = ^Event: Hangup[[:space:]]",
    },
    Account {
        name: "without-bridges",
        read: ALL,
        more: "write=reporting\neventfilter=!Event: BridgeEnter[[:space:]]",
        reason: "event_bridge_enter",
        remedy: "eventfilter = ^Event: BridgeEnter[[:space:]]",
    },
];

const ALL: &str = "system,call,agent,dialplan";
const WRITE: &str = "write=reporting";
const WITH_WRITE: &str = "write = reporting";
const READ: &str = "read = system,call,agent,dialplan";

/// Short ones, of the ways that most calls go.
const PLAYED: &[&str] = &[
    "answered-caller-ends",
    "answered-agent-ends",
    "answered-and-held",
    "served-twice",
    "abandoned-nobody-there",
    "abandoned-ringing",
    "timeout",
    "one-pass",
    "rona",
    "busy",
];

/// How often the full account is looked at.
const EVERY: Duration = Duration::from_millis(500);
