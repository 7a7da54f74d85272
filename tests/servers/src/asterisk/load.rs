//! Random load: hundreds of calls at once into several queues, agents who answer, refuse, transfer
//! and pause.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::chance::Chance;
use super::pbx::{Pbx, Plan, Version};
use super::sipp::{Caller, Phone, Phones};

/// What a caller comes for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Aim {
    /// To be served, whoever ends it.
    Served,
    /// By somebody who passes every call on.
    Transferred,
    /// By somebody who hangs up soon.
    HungUpOn,
    /// Once more, after the first agent hung up (option c).
    ServedTwice,
    /// Has little patience.
    GivesUp,
    /// Waits where the queue has none.
    TimesOut,
    /// Waits where agents come and go.
    Empty,
    /// Presses a key.
    Key,
    /// Is taken out by the manager.
    Withdrawn,
    /// Is an agent, who calls somebody outside.
    Outbound,
}

/// Of how many callers each is the aim.
const AIMS: &[(Aim, u32)] = &[
    (Aim::Served, 36),
    (Aim::Transferred, 12),
    (Aim::HungUpOn, 9),
    (Aim::ServedTwice, 5),
    (Aim::GivesUp, 8),
    (Aim::TimesOut, 9),
    (Aim::Empty, 9),
    (Aim::Key, 9),
    (Aim::Withdrawn, 9),
    (Aim::Outbound, 3),
];

/// A load.  The seed decides who calls when, for what and for how long, and who pauses; how a phone
/// of kind `Random` behaves is sipp's own chance.
pub(crate) struct Load {
    pub(crate) seed: u64,
    pub(crate) calls: u32,
    /// How many callers there are at once.
    pub(crate) at_once: usize,
}

/// One that is running: how far it is.
#[derive(Default)]
pub(crate) struct Progress {
    ended: AtomicUsize,
    over: AtomicBool,
    /// It goes on and on until somebody has seen enough.
    endless: AtomicBool,
}

impl Progress {
    /// Of a load that goes on until [`Self::enough`].
    pub(crate) fn endless() -> Self {
        Self { endless: AtomicBool::new(true), ..Self::default() }
    }

    /// Waits until that many more calls have ended.
    pub(crate) fn wait(&self, calls: usize) {
        let end = self.ended.load(Ordering::Relaxed) + calls;
        while self.ended.load(Ordering::Relaxed) < end && !self.over.load(Ordering::Relaxed) {
            sleep(TICK);
        }
    }

    /// Nobody calls any more.
    pub(crate) fn enough(&self) {
        self.endless.store(false, Ordering::Relaxed);
    }

    /// How many calls have ended.
    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::Relaxed)
    }
}

impl Load {
    /// The queues, phones and numbers it needs.
    pub(crate) fn plan(version: Version) -> Plan {
        let mut plan = Plan { queues: super::BASE_QUEUES.to_owned(), ..Plan::default() };
        plan.phones.push((format!("a{}", super::COLLEAGUE), Phone::Answers.port()));
        let mut number = FIRST_PHONE;

        for (queue, options, members) in QUEUES {
            plan.queues.push_str(&format!("[{queue}](base)\n{options}\n"));
            for &(phone, count) in *members {
                for _ in 0..count {
                    plan.phones.push((format!("a{number}"), phone.port()));
                    let device = format!("{}/a{number}", version.tech());
                    plan.queues
                        .push_str(&format!("member => {device},0,Agent {number},{device}\n"));
                    number += 1;
                }
            }
        }

        plan.dialplan =
            format!("[from-trunk]\n{NUMBERS}{}", super::DIALPLAN.replace("@T@", version.tech()));
        plan
    }

    /// Plays it to its end.
    pub(crate) fn play(&self, pbx: &Pbx, phones: &Phones, progress: &Progress) {
        let mut chance = Chance::new(self.seed);
        let weights: u32 = AIMS.iter().map(|(_, weight)| weight).sum();
        let mut aims: Vec<Aim> = (AIMS.iter())
            .flat_map(|&(aim, weight)| vec![aim; (self.calls * weight).div_ceil(weights) as usize])
            .collect();
        chance.shuffle(&mut aims);
        let left = Mutex::new(aims.iter().cycle().zip(0..));
        let seeds = self.seed;
        let calls = u32::try_from(aims.len()).expect("not that many");
        std::thread::scope(|scope| {
            let pauses = scope.spawn(|| pauses(pbx, Chance::new(seeds ^ 1), progress));
            let gaps = scope.spawn(|| empties(pbx, progress));
            let callers: Vec<_> = (0..self.at_once)
                .map(|_| {
                    scope.spawn(|| {
                        loop {
                            let Some((&aim, index)) = left.lock().expect("the callers").next()
                            else {
                                return;
                            };
                            if index >= calls && !progress.endless.load(Ordering::Relaxed) {
                                return;
                            }
                            call(
                                aim,
                                index,
                                pbx,
                                phones,
                                &mut Chance::new(seeds.wrapping_add(u64::from(index) << 8)),
                            );
                            progress.ended.fetch_add(1, Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            let ended: Vec<_> =
                callers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            progress.over.store(true, Ordering::Relaxed);
            ended.into_iter().for_each(|caller| caller.expect("a caller"));
            pauses.join().expect("the pauses");
            gaps.join().expect("the empty queue");
        });
    }
}

/// Somebody calls.  How it ends is Asterisk's, and queue_log's, to say: a phone that is hung up on
/// in the middle of pressing keys is nothing to complain of.
fn call(aim: Aim, index: u32, pbx: &Pbx, phones: &Phones, chance: &mut Chance) {
    let caller = |to: &str, hold| Caller {
        to: to.to_owned(),
        hold,
        cancel: None,
        keys: Vec::new(),
        device: None,
        number: format!("1202{index:07}"),
    };
    let play = |caller: &Caller| phones.call(caller).wait_quietly();

    match aim {
        Aim::Served => play(&caller(chance.of(&["701", "702"]), chance.between(3000, 14_000))),
        Aim::Transferred => play(&caller("703", chance.between(14_000, 18_000))),
        Aim::HungUpOn => play(&caller("709", 30_000)),
        Aim::ServedTwice => play(&caller("704", 30_000)),
        Aim::GivesUp => {
            play(&caller(chance.of(&["701", "702", "703", "705"]), chance.between(300, 3000)));
        }
        Aim::TimesOut => play(&caller("705", 60_000)),
        Aim::Empty => play(&caller("706", 30_000)),
        Aim::Key => {
            let keys = vec![(chance.between(500, 3000), '5')];
            play(&Caller { keys, ..caller("707", 20_000) });
        }
        Aim::Withdrawn => {
            let caller = caller("708", chance.between(3000, 6000));
            let ctl = pbx.ctl();
            let from = ctl.here();
            let mut sipp = phones.call(&caller);
            let joined = ctl.seen(from, |m| {
                m["Event"] == "QueueCallerJoin" && m.get("CallerIDNum") == Some(&caller.number)
            });
            if let Some(joined) = joined {
                sleep(Duration::from_millis(chance.between(100, 1500).into()));
                ctl.act(
                    "QueueWithdrawCaller",
                    &[("Queue", "patient"), ("Caller", &joined["Channel"])],
                );
            }
            sipp.wait_quietly();
        }
        Aim::Outbound => {
            let device = Some(format!("a{}", FIRST_PHONE + chance.between(0, RANDOM_PHONES)));
            let to = chance.of(&["9200", "9201", "9486", "9404"]).to_owned();
            play(&Caller { to, device, ..caller("", chance.between(1000, 5000)) });
        }
    }
}

/// Agents pause for a reason, and come back.
fn pauses(pbx: &Pbx, mut chance: Chance, progress: &Progress) {
    while !progress.over.load(Ordering::Relaxed) {
        let queue = chance.of(&["sales", "support"]);
        let first = if queue == "sales" { FIRST_PHONE } else { FIRST_PHONE + SALES };
        let number =
            first + chance.between(0, if queue == "sales" { SALES } else { RANDOM_PHONES - SALES });
        let interface = format!("{}/a{number}", pbx.version.tech());
        let reason = chance.of(&["lunch", "meeting", ""]);
        let pause = |paused| {
            let headers = [
                ("Queue", queue),
                ("Interface", &interface),
                ("Paused", paused),
                ("Reason", reason),
            ];
            pbx.ctl().act("QueuePause", &headers)
        };
        pause("true");
        sleep(Duration::from_millis(chance.between(300, 1500).into()));
        pause("false");
        sleep(Duration::from_millis(chance.between(100, 700).into()));
    }
}

/// The only agents of a queue go for a moment: whoever waits there is sent away.
fn empties(pbx: &Pbx, progress: &Progress) {
    let tech = pbx.version.tech();
    while !progress.over.load(Ordering::Relaxed) {
        for paused in ["false", "true"] {
            for phone in EMPTY_PHONES {
                let interface = format!("{tech}/a{phone}");
                pbx.ctl().act(
                    "QueuePause",
                    &[("Queue", "night"), ("Interface", &interface), ("Paused", paused)],
                );
            }
            sleep(Duration::from_millis(1500));
        }
    }
}

/// Name, options, and phones.
type Queue = (&'static str, &'static str, &'static [(Phone, u32)]);

/// The first phone's number; those of [`QUEUES`] follow in order.
const FIRST_PHONE: u32 = 1000;
const SALES: u32 = 8;
const RANDOM_PHONES: u32 = SALES + 6;
const EMPTY_PHONES: [u32; 2] = [FIRST_PHONE + RANDOM_PHONES, FIRST_PHONE + RANDOM_PHONES + 1];
const QUEUES: &[Queue] = &[
    ("sales", "strategy=rrmemory\ntimeout=2", &[(Phone::Random, SALES)]),
    (
        "support",
        "strategy=ringall\ntimeout=3\nautopause=no",
        &[(Phone::Random, RANDOM_PHONES - SALES)],
    ),
    ("night", "strategy=linear\nleavewhenempty=paused\ntimeout=2", &[(Phone::Rings, 2)]),
    (
        "vip",
        "strategy=rrmemory\ntimeout=3",
        &[(Phone::BlindTransfers, 5), (Phone::AttendedTransfers, 2)],
    ),
    ("brisk", "strategy=rrmemory\ntimeout=3", &[(Phone::HangsUp, 3)]),
    ("busy-hour", "strategy=leastrecent\ntimeout=2", &[(Phone::Rings, 2)]),
    ("exit", "strategy=linear\ncontext=queue-exit\ntimeout=2", &[(Phone::Rings, 1)]),
    ("patient", "strategy=linear", &[]),
];

const NUMBERS: &str = "exten => 701,1,Answer()\n same => n,Queue(sales,t,,,45)\n same => n,Hangup()\n\
    exten => 702,1,Answer()\n same => n,Queue(support,t,,,45)\n same => n,Hangup()\n\
    exten => 703,1,Answer()\n same => n,Queue(vip,t,,,45)\n same => n,Hangup()\n\
    exten => 704,1,Answer()\n same => n,Queue(sales,tc,,,30)\n same => n,Queue(support,tc,,,20)\n same => n,Hangup()\n\
    exten => 705,1,Answer()\n same => n,Queue(busy-hour,t,,,4)\n same => n,Hangup()\n\
    exten => 706,1,Answer()\n same => n,Queue(night,t,,,25)\n same => n,Hangup()\n\
    exten => 707,1,Answer()\n same => n,Queue(exit,t,,,30)\n same => n,Hangup()\n\
    exten => 708,1,Answer()\n same => n,Queue(patient,t,,,60)\n same => n,Hangup()\n\
    exten => 709,1,Answer()\n same => n,Queue(brisk,t,,,90)\n same => n,Hangup()\n";

const TICK: Duration = Duration::from_millis(50);
