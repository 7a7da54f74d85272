//! The exporter beside real Asterisk 16 and 22, compared with their own queue_log and CDRs.
//!
//! `tests/servers/install` unpacks the servers into `target/asterisk`; everything runs on
//! 127.0.0.0/8.

mod account;
mod ami;
mod chance;
mod compose;
mod configuration;
mod diagnosis;
mod doctor;
mod exporter;
mod faults;
mod gaps;
mod hang;
mod keep;
mod load;
mod lossy;
mod missing;
mod moves;
mod now;
mod outages;
mod pbx;
mod phone;
mod play;
mod presence;
mod prometheus;
mod proxy;
mod scenarios;
mod setup;
mod sip_script;
mod sipp;
mod stage;
mod tls;
mod trunks;
mod truth;
mod verdict;
mod voice;
mod wrapup;

use asterisk_exporter::clock::Clock;
use support::Numbers;

use exporter::Exporter;
use faults::Breaker;
use hang::retry_if_locked_up;
use keep::Keeper;
use load::{Load, Progress};
use pbx::{Pbx, Plan, Version};
use play::play;
use presence::Scrape;
use prometheus::Prometheus;
use proxy::Proxy;
use sipp::{Phone, Phones};
use stage::{Meeting, Scenario, Stage};
use verdict::{Explained, Verdict};

/// A phone that every transfer goes to; it answers.
pub(crate) const COLLEAGUE: &str = "1990";

#[test]
fn every_scenario_on_16() {
    retry_if_locked_up(|| every_scenario(Version::V16));
}

#[test]
fn every_scenario_on_22() {
    retry_if_locked_up(|| every_scenario(Version::V22));
}

fn every_scenario(version: Version) {
    if !version.is_installed() {
        return;
    }

    let chosen = chosen(&[&scenarios::ALL[..], &[moves::ALL]].concat());
    let pbx = Pbx::start(version, "scenarios", 0, &plan(&chosen, version));
    let name = format!("scenarios-{}", version.number());
    let keeper = Keeper::start(&pbx, &name);
    let phones = Phones::start(&pbx.net);
    let exporter = Exporter::start(&pbx.net, &pbx.manager());
    let prometheus = Prometheus::start(&pbx.net, &exporter);

    // The same calls in three ways: live, in a capture that is replayed later, and in scrapes that
    // must each be consistent.
    let clock = Clock::start();
    let recording = exporter.record();
    let watch = exporter.watch();
    let before = Scrape::of(&exporter, &clock);
    let failed = play(&chosen, &pbx, &phones);

    // Only when the PBX has no channel and the exporter no deadline left are all counts final.
    let left = pbx.settle();
    let text = exporter.wait_idle();
    let after = Scrape::of(&exporter, &clock);
    let verdict = Verdict::of(&pbx, &exporter);

    println!(
        "Asterisk {}: {} scenarios, {} scrapes conserved, {} lines of queue_log compared, {} figures equal",
        version.full(),
        chosen.len(),
        watch.stop(),
        verdict.compared(),
        verdict.equal(),
    );

    if let Some(prometheus) = prometheus {
        println!("    {} counters are the same in Prometheus", prometheus.wait_for(&text));
    }
    let logged = truth::verbs(&pbx);
    let live = Numbers::read(&text);
    let recording = recording.stop(&format!("{name}.ami.gz"));
    if let Some(keeper) = keeper {
        keeper.stop(&pbx, &name);
    }
    let recorded = Verdict::of_recording(&pbx, &exporter.config(), &recording);
    let wrong = [
        failed,
        left.iter().map(|channel| format!("{channel} stayed up")).collect(),
        truth::of_scenarios(&chosen, &pbx, &logged, &live),
        truth::of_queues(&logged, &live, &[scenarios::REDIRECTED, moves::REDIRECTED].concat()),
        truth::of_seconds(&pbx, &live, &[scenarios::CUT_SHORT, moves::CUT_SHORT].concat()),
        truth::of_outbound(&pbx, &live),
        needless(&live),
        before.amiss(&after),
        verdict.differences(),
        undocumented(&chosen, &verdict),
        recorded.differences(),
        undocumented(&chosen, &recorded),
        exporter.differences_of(&recording, &text),
    ];
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn random_load_on_16() {
    retry_if_locked_up(|| random_load(Version::V16));
}

#[test]
fn random_load_on_22() {
    retry_if_locked_up(|| random_load(Version::V22));
}

/// `ASTERISK_CALLS` and `ASTERISK_SEED` decide how many calls, and which.
fn random_load(version: Version) {
    if !version.is_installed() {
        return;
    }

    let calls = number_of("ASTERISK_CALLS").unwrap_or(340);
    let load = Load { seed: seed(), calls, at_once: AT_ONCE_UNDER_LOAD };
    println!("Asterisk {}: {calls} calls of seed {}", version.full(), load.seed);
    let pbx = Pbx::start(version, "load", 1, &Load::plan(version));
    let phones = Phones::start(&pbx.net);
    let exporter = Exporter::start(&pbx.net, &pbx.manager());

    let clock = Clock::start();
    let recording = exporter.record();
    let watch = exporter.watch();
    let before = Scrape::of(&exporter, &clock);
    load.play(&pbx, &phones, &Progress::default());
    let took = before.until(clock.now());

    let left = pbx.settle();
    let text = exporter.wait_idle();
    let live = Numbers::read(&text);
    let after = Scrape::of(&exporter, &clock);
    let recording = recording.stop(&format!("load-{}.ami.gz", version.number()));
    let recorded = Verdict::of_recording(&pbx, &exporter.config(), &recording);
    let verdict = Verdict::of(&pbx, &exporter);
    let logged = truth::verbs(&pbx);

    println!(
        "    {:.0} s, {:.1} calls/s, {} scrapes conserved, {} lines of queue_log compared, {} figures equal",
        took.as_secs_f64(),
        f64::from(calls) / took.as_secs_f64(),
        watch.stop(),
        verdict.compared(),
        verdict.equal(),
    );

    // A phone that was too slow for its own timers is no matter of the exporter's.
    println!("    {} channels had to be hung up", left.len());
    let mut wrong = [
        truth::of_queues(&logged, &live, &[]),
        truth::of_seconds(&pbx, &live, &[]),
        truth::of_outbound(&pbx, &live),
        before.amiss(&after),
        verdict.differences(),
        // Of a single call, a PBX with too much to do reports seconds later than it happened: sums
        // are compared above.
        recorded.differences_in_count(),
        exporter.differences_of(&recording, &text),
    ]
    .concat();

    // Where the PBX is busy, a line that comes a second late looks like a talk that was cut short.
    let allowed = ["logged_twice", "redirected_talk"];
    let explained = [verdict.explained(), recorded.explained()].concat().into_iter();
    let explained = explained.filter(|(_, _, reason, _)| !allowed.contains(&reason.as_str()));
    wrong.extend(
        explained.map(|explained| format!("explained, but should be equal: {explained:?}")),
    );
    if truth::number(&logged, &["ENTERQUEUE"]) < calls as usize * 9 / 10 {
        wrong.push("too few calls came through".to_owned());
    }

    for verbs in EACH {
        let number = truth::number(&logged, verbs);
        println!("    {number:4} {}", verbs.join(", "));
        if number < 20 {
            wrong.push(format!("only {number} {verbs:?}: the load is too thin"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn faults_on_16() {
    retry_if_locked_up(|| faults(Version::V16));
}

#[test]
fn faults_on_22() {
    retry_if_locked_up(|| faults(Version::V22));
}

fn faults(version: Version) {
    if !version.is_installed() {
        return;
    }

    let load = Load { seed: seed(), calls: 100, at_once: AT_ONCE_UNDER_LOAD };
    println!("Asterisk {}: calls of seed {}, and faults", version.full(), load.seed);
    let pbx = Pbx::start(version, "faults", 2, &Load::plan(version));
    let clock = Clock::start();
    let phones = Phones::start(&pbx.net);
    let proxy = Proxy::start(&format!("{}.8:5038", pbx.net), &pbx.manager(), &clock);
    let mut exporter = Exporter::start(&pbx.net, &proxy.address);
    let watch = exporter.watch();
    let progress = Progress::endless();
    let breaker = Breaker { pbx: &pbx, exporter: &mut exporter, proxy: &proxy, clock: &clock };
    let broken = std::thread::scope(|scope| {
        let breaking = scope.spawn(|| breaker.run(faults::ALL, &progress));
        load.play(&pbx, &phones, &progress);
        breaking.join().expect("the faults")
    });

    let left = pbx.settle();
    let mut lives = broken.lives;
    lives.push(Numbers::read(&exporter.wait_idle()));
    let last = Scrape::of(&exporter, &clock);
    let found = outages::compare(&pbx, &broken.outages, &lives);

    println!(
        "    {} calls, {} channels had to be hung up, {} scrapes conserved; {} stays, of which {} ended unseen for certain and {} at an edge",
        progress.ended(),
        left.len(),
        watch.stop(),
        found.stays,
        found.lost,
        found.unsure,
    );

    let mut wrong =
        [found.wrong, broken.amiss, broken.first.expect("a first scrape").amiss(&last)].concat();
    if found.lost < 5 || found.stays - found.unsure < 100 {
        wrong.push("too little happened for certain".to_owned());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn faults_are_repaired_on_16() {
    retry_if_locked_up(|| faults_are_repaired(Version::V16, 21));
}

#[test]
fn faults_are_repaired_on_22() {
    retry_if_locked_up(|| faults_are_repaired(Version::V22, 21));
}

/// Faults under load with the PBX's queue_log: whatever they hid, the audit finds no difference.
fn faults_are_repaired(version: Version, slot: u8) {
    if !version.is_installed() {
        return;
    }

    let calls = number_of("ASTERISK_CALLS").unwrap_or(100);
    let load = Load { seed: seed(), calls, at_once: AT_ONCE_UNDER_LOAD };
    println!("Asterisk {}: calls of seed {}, and faults to repair", version.full(), load.seed);
    let pbx = Pbx::start(version, "mended", slot, &Load::plan(version));
    let clock = Clock::start();
    let phones = Phones::start(&pbx.net);
    let proxy = Proxy::start(&format!("{}.8:5038", pbx.net), &pbx.manager(), &clock);
    let log = format!("    queue_log: {}\n", pbx.queue_log().display());
    let mut exporter = Exporter::start_with(&pbx.net, &proxy.address, &log);
    let watch = exporter.watch();
    let progress = Progress::endless();
    let breaker = Breaker { pbx: &pbx, exporter: &mut exporter, proxy: &proxy, clock: &clock };
    let broken = std::thread::scope(|scope| {
        let breaking = scope.spawn(|| breaker.run(faults::OF_OTHERS, &progress));
        load.play(&pbx, &phones, &progress);
        breaking.join().expect("the faults")
    });

    let left = pbx.settle();
    let live = Numbers::read(&exporter.wait_idle());
    let last = Scrape::of(&exporter, &clock);
    let verdict = Verdict::of(&pbx, &exporter);
    let repaired = live.sum("asterisk_exporter_repaired_total", &[]);
    println!(
        "    {} calls, {} channels had to be hung up, {} scrapes conserved; {} lines compared, {} figures equal, {repaired} repaired",
        progress.ended(),
        left.len(),
        watch.stop(),
        verdict.compared(),
        verdict.equal(),
    );

    // Asterisk writes no end of what it ended with.
    let lost = live.sum("asterisk_queue_exits_total", &[("outcome", "lost")]);
    let unended = lost + live.sum("asterisk_queue_completions_total", &[("ended_by", "lost")]);
    let adopted = live.sum("asterisk_queue_adopted_total", &[]);
    let mut wrong = [
        verdict.differences_but(NEARLY),
        broken.amiss,
        broken.first.expect("a first scrape").amiss(&last),
        if adopted > 0.0 { vec![format!("{adopted} adopted")] } else { Vec::new() },
    ]
    .concat();
    println!("    {unended} ended with the PBX; explained: {:?}", verdict.explained());
    if repaired < 10.0 {
        wrong.push(format!("only {repaired} repaired: too little was hidden"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Figures that a repair may miss by some of hundreds: pauses and ring attempts leave no state, and in the
/// seconds at both ends of a gap only their times say which line is of which event, which a machine with
/// too much to do sends seconds late.  And as a stop of the PBX takes all callers out at once, app_queue
/// reads the position of an ABANDON anew for the line.
const NEARLY: &[(&str, f64)] = &[
    ("rang_in_vain", 20.0),
    ("paused", 20.0),
    ("unpaused", 20.0),
    ("abandon_positions", f64::INFINITY),
];

/// What decides a load.
fn seed() -> u64 {
    number_of("ASTERISK_SEED").map_or(20_261_125, u64::from)
}

fn number_of(variable: &str) -> Option<u32> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

/// What a load must have of each.
const EACH: &[&[&str]] = &[
    &["ENTERQUEUE"],
    &["CONNECT"],
    &["COMPLETECALLER"],
    &["COMPLETEAGENT"],
    &["BLINDTRANSFER", "ATTENDEDTRANSFER"],
    &["ABANDON"],
    &["EXITWITHTIMEOUT"],
    &["EXITEMPTY"],
    &["EXITWITHKEY"],
    &["WITHDRAW"],
    &["RINGNOANSWER"],
    &["PAUSE"],
    &["UNPAUSE"],
];

/// How many callers there are at once under load: more than that, and two cores are late with their
/// own SIP.
const AT_ONCE_UNDER_LOAD: usize = 56;

fn chosen(all: &[&'static [Scenario]]) -> Vec<(usize, &'static Scenario)> {
    all.iter().copied().flatten().enumerate().filter(|(_, s)| is_asked_for(s.name)).collect()
}

/// What the scenarios need, together.
fn plan(chosen: &[(usize, &Scenario)], version: Version) -> Plan {
    let mut plan = Plan { queues: BASE_QUEUES.to_owned(), ..Plan::default() };
    plan.dialplan.push_str("[from-trunk]\n");
    for &(index, scenario) in chosen {
        scenario.install(index, version, &mut plan);
    }
    plan.dialplan.push_str(&DIALPLAN.replace("@T@", version.tech()));
    plan.phones.push((format!("a{COLLEAGUE}"), Phone::Answers.port()));
    plan
}

#[test]
fn every_gap_on_16() {
    retry_if_locked_up(|| every_gap(Version::V16));
}

#[test]
fn every_gap_on_22() {
    retry_if_locked_up(|| every_gap(Version::V22));
}

/// What gaps hide is lost.
fn every_gap(version: Version) {
    if !version.is_installed() {
        return;
    }

    let chosen = chosen(&[gaps::ALL]);
    let pbx = Pbx::start(version, "gaps", 3, &plan(&chosen, version));
    let clock = Clock::start();
    let phones = Phones::start(&pbx.net);
    let proxy = Proxy::start(&format!("{}.8:5038", pbx.net), &pbx.manager(), &clock);
    let exporter = Exporter::start(&pbx.net, &proxy.address);
    let watch = exporter.watch();
    let recording = exporter.record();
    let after_gap = play_gaps(&chosen, (&pbx, &phones), (&proxy, &exporter), || {
        recording.wait_sessions(2);
    });

    let left = pbx.settle();
    let live = Numbers::read(&exporter.wait_idle());

    println!(
        "Asterisk {}: {} gaps, {} scrapes conserved",
        version.full(),
        chosen.len(),
        watch.stop()
    );

    let played = exporter.replay(&recording.stop(&format!("gaps-{}.ami.gz", version.number())));
    let played = truth::of_scenarios(&chosen, &pbx, &truth::verbs(&pbx), &Numbers::read(&played));
    let wrong = [
        left.iter().map(|channel| format!("{channel} stayed up")).collect(),
        amiss_after_gap(&chosen, &pbx, &after_gap),
        truth::of_scenarios(&chosen, &pbx, &truth::verbs(&pbx), &live),
        played.into_iter().map(|wrong| format!("in the replay: {wrong}")).collect(),
    ];
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_gap_is_repaired_on_16() {
    retry_if_locked_up(|| every_gap_is_repaired(Version::V16, 20));
}

#[test]
fn every_gap_is_repaired_on_22() {
    retry_if_locked_up(|| every_gap_is_repaired(Version::V22, 20));
}

/// The same with the PBX's queue_log: nothing is lost, and the audit finds no difference.
fn every_gap_is_repaired(version: Version, slot: u8) {
    if !version.is_installed() {
        return;
    }

    let chosen = chosen(&[gaps::ALL]);
    let pbx = Pbx::start(version, "repairs", slot, &plan(&chosen, version));
    let clock = Clock::start();
    let phones = Phones::start(&pbx.net);
    let proxy = Proxy::start(&format!("{}.8:5038", pbx.net), &pbx.manager(), &clock);
    let log = format!("    queue_log: {}\n", pbx.queue_log().display());
    let exporter = Exporter::start_with(&pbx.net, &proxy.address, &log);
    let watch = exporter.watch();
    let after_gap = play_gaps(&chosen, (&pbx, &phones), (&proxy, &exporter), || {});

    let left = pbx.settle();
    let live = Numbers::read(&exporter.wait_idle());
    let verdict = Verdict::of(&pbx, &exporter);
    println!(
        "Asterisk {}: {} gaps repaired, {} figures equal, {} scrapes conserved",
        version.full(),
        chosen.len(),
        verdict.equal(),
        watch.stop()
    );

    let repaired = REPAIRED.iter().filter_map(|(kind, should)| {
        let number = live.sum("asterisk_exporter_repaired_total", &[("kind", kind)]);
        (number != *should).then(|| format!("{number} times {kind} repaired, not {should}"))
    });
    let lost = NOTHING.iter().filter_map(|(metric, labels)| {
        let number = live.sum(metric, labels);
        (number != 0.0).then(|| format!("{number} in {metric} {labels:?}"))
    });
    let wrong = [
        left.iter().map(|channel| format!("{channel} stayed up")).collect(),
        amiss_after_gap(&chosen, &pbx, &after_gap),
        verdict.differences(),
        verdict.explained().iter().map(|explained| format!("explained: {explained:?}")).collect(),
        if is_asked_for("") { repaired.collect() } else { Vec::new() },
        lost.collect(),
        needless_beside(&live, HIDDEN),
    ];
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the log told of all gaps of [`gaps::ALL`].
const REPAIRED: &[(&str, f64)] =
    &[("entry", 4.0), ("exit", 6.0), ("completion", 4.0), ("ring", 0.0), ("pause", 1.0)];

/// What there is nothing of where a log tells of gaps.
const NOTHING: &[(&str, &[(&str, &str)])] = &[
    ("asterisk_queue_adopted_total", &[]),
    ("asterisk_queue_exits_total", &[("outcome", "lost")]),
    ("asterisk_queue_completions_total", &[("ended_by", "lost")]),
];

/// Plays all, with the wire cut in between.  Gives what the exporter shows when the gap is over.
fn play_gaps(
    chosen: &[(usize, &Scenario)],
    (pbx, phones): (&Pbx, &Phones),
    (proxy, exporter): (&Proxy, &Exporter),
    is_back: impl FnOnce(),
) -> Numbers {
    let meeting = Meeting::of(chosen.len() + 1);
    let from = pbx.ctl().here();
    std::thread::scope(|scope| {
        for &(index, scenario) in chosen {
            let stage = Stage::new(scenario, index, pbx, phones).meeting(&meeting);
            scope.spawn(move || (scenario.drive)(&stage));
        }
        meeting.meet(1);
        let before = exporter.numbers().sum("asterisk_exporter_connects_total", &[]);

        // What is not hidden must have come through: the test's own session is told first, or last.
        let told = pbx.ctl().since(from);
        for event in ["QueueCallerJoin", "AgentCalled", "AgentConnect", "BridgeEnter"] {
            let count = told.iter().filter(|message| message["Event"] == event).count();
            proxy.wait_passed(event, count);
        }
        proxy.cut();
        meeting.meet(2);
        meeting.meet(3);
        proxy.open();
        exporter.wait_back(before);
        is_back();
        // What the lists lack is decided after two seconds (METRICS.md, Over a gap).
        std::thread::sleep(faults::SETTLED);
        let after_gap = exporter.numbers();
        meeting.meet(4);
        after_gap
    })
}

/// What the exporter should show when the gap is over, and does not.
fn amiss_after_gap(chosen: &[(usize, &Scenario)], pbx: &Pbx, shown: &Numbers) -> Vec<String> {
    let amiss =
        chosen.iter().flat_map(|&(index, s)| truth::of_wants(s.after_gap, s, index, pbx, shown));
    amiss.map(|wrong| format!("after the gap: {wrong}")).collect()
}

/// Anomalies where nothing was amiss, whatever two threads of Asterisk decide.
fn needless(live: &Numbers) -> Vec<String> {
    needless_beside(live, &[])
}

/// The same beside some for which there is a reason.
fn needless_beside(live: &Numbers, reasonable: &[&str]) -> Vec<String> {
    let number = |kind: &str| live.sum("asterisk_exporter_anomalies_total", &[("kind", kind)]);
    let kinds = NEVER.iter().filter(|kind| !reasonable.contains(kind));
    let found = kinds.map(|kind| (kind, number(kind))).filter(|(_, number)| *number > 0.0);
    found.map(|(kind, number)| format!("{number} anomalies {kind}")).collect()
}

/// What a gap is a reason for: queue_log knows no channels.
const HIDDEN: &[&str] = &["call_lost", "channel_vanished"];

/// What no scenario is a reason for.
const NEVER: &[&str] = &[
    "call_lost",
    "channel_vanished",
    "duplicate_join",
    "expired",
    "refusal_without_queue",
    "stay_outlived_channel",
    "stay_without_join",
];

/// Explained differences that no scenario is made for.
fn undocumented(chosen: &[(usize, &Scenario)], verdict: &Verdict) -> Vec<String> {
    let mut found = verdict.explained();
    found.retain(|explained| {
        let is_documented =
            DOCUMENTED.iter().any(|(scenario, reason)| is(explained, scenario, reason));
        // Where a race inside Asterisk 16 decides the verb, it may write both.
        let may_end_twice = chosen.iter().any(|(_, scenario)| {
            is(explained, scenario.name, "logged_twice") && scenario.has_two_ends()
        });
        !is_documented && !may_end_twice
    });
    found.iter().map(|explained| format!("explained, but should be equal: {explained:?}")).collect()
}

fn is((queue, _, reason, _): &Explained, scenario: &str, documented: &str) -> bool {
    queue == scenario && reason == documented
}

/// The only scenarios that may differ, and how `audit` explains it (METRICS.md, Differences to
/// queue_log).
const DOCUMENTED: &[(&str, &str)] = &[
    ("redirected-waiting", "redirected"),
    ("redirected-talking", "redirected_talk"),
    ("redirected-talking", "late_complete"),
    ("members", "auto_unpause"),
    ("pause-reason-changed", "auto_unpause"),
    ("bridge-takes-waiting", "redirected"),
    ("bridge-takes-talking", "redirected_talk"),
    ("bridge-takes-talking", "late_complete"),
    ("parked-and-back", "redirected_talk"),
    ("parked-and-back", "late_complete"),
    ("parked-and-fetched", "redirected_talk"),
    ("parked-and-fetched", "late_complete"),
];

/// `ASTERISK_SCENARIO=part-of-a-name` plays only some.
fn is_asked_for(name: &str) -> bool {
    std::env::var("ASTERISK_SCENARIO").map_or(true, |part| name.contains(&part))
}

/// What all queues begin with.
const BASE_QUEUES: &str = "[base](!)\ntimeout=20\nretry=1\nwrapuptime=0\nringinuse=no\nmusicclass=none\n\
    announce-frequency=0\njoinempty=yes\nleavewhenempty=no\n";

const DIALPLAN: &str = include_str!("extensions.conf");
