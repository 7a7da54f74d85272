//! What one event costs while many calls go on: it must not grow with them.
//!
//! Prints microseconds an event, or an item of a list, with 1,000, 10,000 and 20,000 talks.

use std::fmt::Write as _;

use asterisk_exporter::ami::frame::{Decoder, Item, Limits};
use asterisk_exporter::clock::Moment;
use asterisk_exporter::correlator::{
    Caller, Correlator, Names, Observation, Observe, Rules, Snapshot, Timing,
};
use asterisk_exporter::event::{Event, Kind, Name};

use super::Context;
use super::measure::now;
use super::table::Table;

/// Microseconds of one such event, with that many talks going on.
type Case = fn(usize) -> f64;

struct Nobody;

impl Observe for Nobody {
    fn observe(&mut self, _: &Names, _: Observation, _: Option<Caller<'_>>) {}
}

/// Prints the table.
pub(crate) fn run(_: &Context) {
    let cases: [(&str, Case); 8] = [
        ("one call after the other", calls),
        ("AgentComplete without channels", completes),
        ("AgentConnect of an unknown leg", connects),
        ("OriginateResponse without a Uniqueid", originates),
        ("MIXMONITOR_END of a Local caller", recordings),
        ("one bridge: enter and leave", bridge),
        ("a list of talks and ringings", lists),
        ("restart, a member removed in each tenth talk", restart),
    ];
    let mut table = Table::new(
        "Cost of an event among many talks, in µs",
        &["event", "1,000 talks", "10,000", "20,000"],
    );
    for (name, case) in cases {
        let [one, ten, twenty] = [1_000, 10_000, 20_000].map(case).map(|cost| format!("{cost:.2}"));
        table.row([name.to_owned(), one, ten, twenty]);
    }
    println!("{table}");
}

/// `n` talks go on: their agents are `n / 20` members of 50 queues.
fn talks(n: usize) -> Correlator {
    let mut correlator = Correlator::new(Rules::default(), Timing::Live);
    correlator.resync(at(0), &Snapshot::default(), &mut Nobody);
    for i in 0..n {
        play(&mut correlator, &talk(i, n));
    }
    correlator
}

fn talk(i: usize, n: usize) -> String {
    let (caller, agent, who) = (caller(i), leg(i), who(i, n));
    let dest: String = agent.split_inclusive("\r\n").map(|line| format!("Dest{line}")).collect();
    format!(
        "Event: Newchannel\r\n{caller}\r\nEvent: QueueCallerJoin\r\n{caller}{who}\r\nEvent: Newchannel\r\n{agent}\r\n\
         Event: AgentCalled\r\n{caller}{dest}{who}\r\nEvent: DialEnd\r\n{caller}{dest}DialStatus: ANSWER\r\n\r\n\
         Event: QueueCallerLeave\r\n{caller}{who}\r\nEvent: AgentConnect\r\n{caller}{dest}{who}HoldTime: 1\r\n\r\n\
         Event: BridgeEnter\r\n{caller}BridgeUniqueid: b{i}\r\n\r\nEvent: BridgeEnter\r\n{agent}BridgeUniqueid: b{i}\r\n\r\n"
    )
}

fn caller(i: usize) -> String {
    format!(
        "Channel: SIP/carrier-{i:08x}\r\nChannelState: 6\r\nUniqueid: 1.{i}\r\nLinkedid: 1.{i}\r\n"
    )
}

fn leg(i: usize) -> String {
    format!(
        "Channel: SIP/a{i}-{i:08x}\r\nChannelState: 6\r\nUniqueid: 2.{i}\r\nLinkedid: 1.{i}\r\n"
    )
}

fn who(i: usize, n: usize) -> String {
    let member = i % (n / 20);
    format!("Queue: q{}\r\nInterface: SIP/m{member}\r\nMemberName: Agent {member}\r\n", member % 50)
}

fn calls(n: usize) -> f64 {
    let mut correlator = talks(n);
    measure(&mut correlator, 9_000, |text, i| {
        let (caller, i) = (caller(n + i), n + i);
        write!(
            text,
            "Event: Newchannel\r\n{caller}\r\nEvent: QueueCallerJoin\r\n{caller}Queue: q{}\r\n\r\n",
            i % 50
        )?;
        write!(text, "Event: Hangup\r\n{caller}Cause: 16\r\n\r\n")
    })
}

fn completes(n: usize) -> f64 {
    let mut correlator = talks(n);
    measure(&mut correlator, 1_000, |text, i| {
        write!(
            text,
            "Event: AgentComplete\r\n{}HoldTime: 1\r\nTalkTime: 1\r\nReason: agent\r\n\r\n",
            who(i, n)
        )
    })
}

fn connects(n: usize) -> f64 {
    let mut correlator = talks(n);
    measure(&mut correlator, 1_000, |text, i| {
        let (caller, picker) = (caller(n + i), leg(2 * n + i));
        let dest: String =
            picker.split_inclusive("\r\n").map(|line| format!("Dest{line}")).collect();
        write!(text, "Event: QueueCallerJoin\r\n{caller}{}\r\n", who(i, n))?;
        write!(text, "Event: AgentConnect\r\n{caller}{dest}{}HoldTime: 1\r\n\r\n", who(i, n))
    })
}

fn originates(n: usize) -> f64 {
    let mut correlator = talks(n);
    measure(&mut correlator, 1_000, |text, i| {
        let dest: String = leg(n + i).replace("ChannelState: 6", "ChannelState: 0");
        let dest: String = dest.split_inclusive("\r\n").map(|line| format!("Dest{line}")).collect();
        write!(text, "Event: DialBegin\r\n{dest}DialString: {}@x\r\n\r\n", i % 10)?;
        write!(
            text,
            "Event: OriginateResponse\r\nChannel: SIP/{}@x\r\nReason: 3\r\nUniqueid: <unknown>\r\n\r\n",
            i % 10
        )
    })
}

fn recordings(n: usize) -> f64 {
    let mut correlator = talks(n);
    measure(&mut correlator, 1_000, |text, i| {
        write!(text, "Event: TestEvent\r\nState: MIXMONITOR_END\r\nFile: /spool/9.{i}.wav\r\n\r\n")
    })
}

fn bridge(n: usize) -> f64 {
    let mut correlator = talks(n);
    for i in 0..n {
        play(
            &mut correlator,
            &format!("Event: BridgeEnter\r\n{}BridgeUniqueid: all\r\n\r\n", caller(i)),
        );
    }
    measure(&mut correlator, 1_000, |text, i| {
        let caller = caller(i);
        write!(text, "Event: BridgeLeave\r\n{caller}BridgeUniqueid: all\r\n\r\n")?;
        write!(text, "Event: BridgeEnter\r\n{caller}BridgeUniqueid: all\r\n\r\n")
    })
}

/// All talks, and as many callers who wait and for whom an agent is rung, are found by a list.
fn lists(n: usize) -> f64 {
    let mut snapshot = Snapshot::default();
    let mut text = String::new();
    for i in 0..n {
        let who = who(i, n);
        let queue = who.lines().next().expect("a line")["Queue: ".len()..].to_owned();
        let (caller, leg) =
            (caller(i), leg(i).replace(&format!("SIP/a{i}-"), &format!("SIP/m{}-", i % (n / 20))));
        write_item(
            &mut text,
            &format!("{caller}Application: Queue\r\nApplicationData: {queue},t\r\nBridgeId: b{i}"),
        );
        write_item(&mut text, &format!("{leg}Application: AppQueue\r\nBridgeId: b{i}"));
        let (waiter, rung) = (
            caller.replace(": 1.", ": 3."),
            leg.replace("id: 1.", "id: 3.").replace(": 2.", ": 4."),
        );
        write_item(&mut text, &format!("{waiter}Application: Queue\r\nApplicationData: {queue},t"));
        write_item(
            &mut text,
            &format!("{}Application: AppQueue", rung.replace("State: 6", "State: 5")),
        );
        write!(
            text,
            "Event: QueueEntry\r\nQueue: {queue}\r\nUniqueid: 3.{i}\r\nChannel: SIP/carrier-1\r\nWait: 3\r\n\r\n"
        )
        .expect("text has room");
        write!(
            text,
            "Event: QueueMember\r\n{}Status: 1\r\n\r\n",
            who.replace("MemberName", "Name")
        )
        .expect("text has room");
    }
    each(&text, |event| {
        let Kind::Listed { item, .. } = event.kind else { panic!("no item of a list") };
        snapshot.add(&item);
    });
    let mut correlator = Correlator::new(Rules::default(), Timing::Live);
    let begun = now();
    correlator.resync(at(0), &snapshot, &mut Nobody);
    let spent = begun.elapsed().as_secs_f64() * 1e6;
    let state = correlator.state(at(0));
    let (waiting, talking) = state
        .queues
        .iter()
        .fold((0, 0), |sum, queue| (sum.0 + queue.waiting, sum.1 + queue.talking));
    assert_eq!((waiting, talking), (n as u64, n as u64));
    spent / n as f64
}

fn write_item(text: &mut String, item: &str) {
    write!(text, "Event: CoreShowChannel\r\n{item}\r\n\r\n").expect("text has room");
}

fn restart(n: usize) -> f64 {
    let mut correlator = talks(n);
    for i in (0..n).step_by(10) {
        play(&mut correlator, &format!("Event: QueueMemberRemoved\r\n{}\r\n", who(i, n)));
    }
    let begun = now();
    play(&mut correlator, "Event: Shutdown\r\n\r\n");
    begun.elapsed().as_secs_f64() * 1e6 / n as f64
}

fn measure(
    correlator: &mut Correlator,
    count: usize,
    write: impl Fn(&mut String, usize) -> std::fmt::Result,
) -> f64 {
    let mut text = String::new();
    for i in 0..count {
        write(&mut text, i).expect("text has room");
    }
    let begun = now();
    play(correlator, &text);
    begun.elapsed().as_secs_f64() * 1e6 / count as f64
}

fn play(correlator: &mut Correlator, text: &str) {
    each(text, |event| correlator.handle(at(1), &event, &mut Nobody));
}

fn each(text: &str, mut take: impl FnMut(Event<'_>)) {
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(text.as_bytes());
    while let Some(item) = decoder.next_item() {
        let Item::Frame(frame) = item else { panic!("no frame") };
        let (_, name) = Name::find(frame.name).expect("a known event");
        if let Some(event) = Event::parse(name, &frame).expect("a whole event") {
            take(event);
        }
    }
}

fn at(second: u64) -> Moment {
    Moment::from_secs(1_700_000_000 + second)
}
