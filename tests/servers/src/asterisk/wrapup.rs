//! Wrap-up beside a real PBX: at every moment of a script the gauge must say what the PBX goes by.
//!
//! `queue show` reports of each member how many seconds ago its last call was, and that is what
//! app_queue compares with the wrap-up time.  It counts seconds of the clock, so up to a second
//! around a change either may be right.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use asterisk_exporter::clock::{Clock, Moment};
use support::Numbers;
use support::program::wait_until;

use super::exporter::Exporter;
use super::hang::retry_if_locked_up;
use super::pbx::{Pbx, Plan, Version};
use super::sipp::{Caller, Phone, Phones};
use super::{BASE_QUEUES, DIALPLAN};

#[test]
fn wrap_up_on_16() {
    retry_if_locked_up(|| wrap_up(Version::V16));
}

#[test]
fn wrap_up_on_22() {
    retry_if_locked_up(|| wrap_up(Version::V22));
}

fn wrap_up(version: Version) {
    if !version.is_installed() {
        return;
    }
    let pbx = Pbx::start(version, "wrapup", 4, &plan(version));
    let phones = Phones::start(&pbx.net);
    let clock = Clock::start();
    let mut exporter = Exporter::start_with(&pbx.net, &pbx.manager(), CONFIG);
    let script = Script {
        pbx: &pbx,
        phones: &phones,
        in_force: AtomicU64::new(0),
        over: AtomicBool::new(false),
    };

    let first = script.watched(&exporter, &clock, || {
        // 6 s in all of Ann's queues, then none, then 3 s, whatever the others have.
        for (queue, time) in [("wrapa", 6), ("wrapb", 0), ("wrapc", 3)] {
            script.call(queue, time, SHORT);
            sleep(Duration::from_secs(time + 3));
        }
        // Bob has 3 s of his own, and his queue 8.
        script.call("wrapd", 3, SHORT);
        sleep(Duration::from_secs(6));
        // Who waits in another queue is put through when it is over.
        script.call("wrapa", 6, SHORT);
        script.call("wrapb", 0, 12_000);
    });

    // An exporter that comes in the middle of it sees it in the list, but not that the call was
    // another queue's; a queue with a time of its own counts nobody as available for that long
    // after any call, so this caller has patience.
    script.call("wrapa", 6, 14_000);
    exporter.restart();
    let second = script.watched(&exporter, &clock, || sleep(Duration::from_secs(7)));

    let firsts = judge(&first, &QUEUES);
    let seconds = judge(&second, &["wrapa"]);
    println!(
        "Asterisk {}: {} and {} moments compared in {QUEUES:?}, {} and {} of them in wrap-up",
        version.full(),
        first.len(),
        second.len(),
        firsts.wrapped,
        seconds.wrapped,
    );
    let wrong = [firsts.wrong, seconds.wrong].concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Some hundred on a machine with time, and how many is its affair.
    assert!(firsts.wrapped >= 10 && seconds.wrapped >= 1, "too little of it was in wrap-up");
}

/// What is being played.
struct Script<'a> {
    pbx: &'a Pbx,
    phones: &'a Phones,
    /// The seconds of wrap-up that follow the last call.
    in_force: AtomicU64,
    over: AtomicBool,
}

/// A moment of it: by queue, what the PBX and what the exporter reports.
struct Sample {
    /// Before the first was asked.
    at: Moment,
    /// When both had answered.
    until: Moment,
    reported: BTreeMap<&'static str, (bool, bool)>,
}

/// What came of the comparison.
#[derive(Default)]
struct Judged {
    /// States in wrap-up that were compared.
    wrapped: usize,
    wrong: Vec<String>,
}

impl Script<'_> {
    /// A caller who is put through, and hangs up so many milliseconds after joining.
    fn call(&self, queue: &str, time: u64, hold: u32) {
        let to = format!("7{:03}", QUEUES.iter().position(|name| *name == queue).expect("a queue"));
        let number = "12025550101".to_owned();
        let caller = Caller { to, hold, cancel: None, keys: Vec::new(), device: None, number };
        let from = self.pbx.ctl().here();
        let mut call = self.phones.call(&caller);
        self.pbx.ctl().wait(from, "AgentConnect", &[("Queue", queue)]);
        self.in_force.store(time, Ordering::Relaxed);
        assert!(call.wait(), "the call to {queue} did not go as it should");
        self.pbx.ctl().wait(from, "AgentComplete", &[("Queue", queue)]);
    }

    /// Samples ten times a second while something is played.
    fn watched(&self, exporter: &Exporter, clock: &Clock, play: impl FnOnce()) -> Vec<Sample> {
        let samples = Mutex::new(Vec::new());
        self.over.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !self.over.load(Ordering::Relaxed) {
                    samples.lock().expect("the samples").push(self.sample(exporter, clock));
                    sleep(Duration::from_millis(100));
                }
            });
            play();
            self.over.store(true, Ordering::Relaxed);
        });

        samples.into_inner().expect("the samples")
    }

    fn sample(&self, exporter: &Exporter, clock: &Clock) -> Sample {
        let (at, shown) = (clock.now(), self.pbx.console("queue show"));
        let numbers = self.numbers_behind(exporter);
        let time = self.in_force.load(Ordering::Relaxed);
        let reported = QUEUES.map(|queue| {
            let labels = [("queue", queue), ("state", "wrapup")];
            let gauge = numbers.sum("asterisk_queue_agents", &labels);
            (queue, (is_wrapping_up(&shown, queue, time), gauge == 1.0))
        });
        Sample { at, until: clock.now(), reported: reported.into_iter().collect() }
    }

    /// What the exporter reports when it has every event that was sent before this.
    ///
    /// Asterisk (16.28 and 22.10, `get_input` of manager.c) wakes a session for an event by a signal.
    /// One that comes just before the session begins to wait wakes nobody, and the event stays where it
    /// is until the next one; and a busy machine sends late.  So Bob is given the penalty that he has:
    /// an event that changes nothing, behind all others.
    fn numbers_behind(&self, exporter: &Exporter) -> Numbers {
        let has_read = |numbers: &Numbers| {
            numbers.sum("asterisk_exporter_events_total", &[("event", "QueueMemberPenalty")])
        };
        let before = has_read(&exporter.numbers());
        let interface = format!("{}/a1002", self.pbx.version.tech());
        let same = [("Queue", "wrapd"), ("Interface", interface.as_str()), ("Penalty", "0")];
        let reply = self.pbx.ctl().act("QueuePenalty", &same);
        assert_eq!(reply.get("Response").map(String::as_str), Some("Success"), "{reply:?}");

        wait_until("the exporter to have read all events", || {
            let numbers = exporter.numbers();
            (has_read(&numbers) > before).then_some(numbers)
        })
    }
}

/// Whether the only member of a queue is free but for the time since its last call.
fn is_wrapping_up(shown: &str, queue: &str, time: u64) -> bool {
    let mut lines =
        shown.lines().skip_while(|line| !line.starts_with(&format!("{queue} has "))).skip(1);
    let member = lines
        .find(|line| line.contains("/a100"))
        .unwrap_or_else(|| panic!("no member of {queue}: {shown}"));
    let last = member.split("last was ").nth(1).and_then(|rest| rest.split(' ').next());
    let since = last.and_then(|seconds| seconds.parse::<u64>().ok());
    // Bob's own time goes first, and nobody else's call is his.
    let time = if queue == "wrapd" { 3 } else { time };
    member.contains("Not in use") && since.is_some_and(|since| since < time)
}

/// Compares what both say, but within a second of a change.  Where a busy machine left a gap
/// between two samples, the change may be anywhere in it.
fn judge(samples: &[Sample], queues: &[&'static str]) -> Judged {
    let mut judged = Judged::default();
    let second = Duration::from_secs(1);
    for (sample, &queue) in
        samples.iter().flat_map(|sample| queues.iter().map(move |queue| (sample, queue)))
    {
        let (pbx, gauge) = sample.reported[queue];
        let from = sample.at.before(second);
        let to = sample.until.after(second);
        let before = samples.iter().rev().find(|other| other.until < from);
        let after = samples.iter().find(|other| other.at > to);
        let near = samples.iter().filter(|other| other.until >= from && other.at <= to);
        let settled = near.chain(before).chain(after).all(|other| other.reported[queue].0 == pbx);
        if settled && pbx != gauge {
            let at = sample.at.since(samples[0].at).as_secs_f64();
            judged.wrong.push(format!(
                "{queue} after {at:.1} s: in wrap-up {pbx} by the PBX, {gauge} by the gauge"
            ));
        }
        judged.wrapped += usize::from(settled && pbx);
    }

    judged
}

fn plan(version: Version) -> Plan {
    let mut plan = Plan { queues: BASE_QUEUES.to_owned(), ..Plan::default() };
    plan.dialplan.push_str("[from-trunk]\n");

    for (index, (queue, time)) in QUEUES.into_iter().zip([6, 0, 3, 8]).enumerate() {
        let (device, member) = match queue {
            "wrapd" => ("a1002", "Bob"),
            _ => ("a1001", "Ann"),
        };
        let interface = format!("{}/{device}", version.tech());
        let own = if queue == "wrapd" { ",no,3" } else { "" };
        plan.queues.push_str(&format!(
            "[{queue}](base)\nstrategy=linear\nwrapuptime={time}\nmember => {interface},0,{member},{interface}{own}\n"
        ));
        plan.dialplan.push_str(&format!(
            "exten => 7{index:03},1,Answer()\n same => n,Queue({queue},t,,,90)\n"
        ));
        plan.dialplan.push_str(" same => n,Hangup()\n");
    }

    plan.dialplan.push_str(&DIALPLAN.replace("@T@", version.tech()));
    plan.phones =
        ["a1001", "a1002"].map(|device| (device.to_owned(), Phone::Answers.port())).to_vec();
    plan
}

/// Ann is in the first three, Bob in the last.
const QUEUES: [&str; 4] = ["wrapa", "wrapb", "wrapc", "wrapd"];

/// A second of ringing, and some of talk.
const SHORT: u32 = 4000;

/// As queues.conf has it.
const CONFIG: &str =
    "    wrapup: {queues: {wrapa: 6s, WRAPC: 3s, wrapd: 8s}}\n    shared_lastcall: yes\n";
