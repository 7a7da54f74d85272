//! A large PBX: how long after the login it is synchronised, what its list of queues costs each
//! time, and how long the reader stands still meanwhile.

use std::io;
use std::time::Duration;

use super::exporter::Exporter;
use super::measure::{now, wait_for};
use super::pbx::{Lists, Pbx, Session};
use super::stall::Stall;
use super::table::{Table, span};
use super::{Context, Failure};

/// Prints the table.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let pbx = Pbx::new(lists())?;
    let more = ["queue_status_interval: 30s", "ping_interval: 5m"];
    let exporter = Exporter::start(&context.exporter, &[pbx.port()?], &more)?;
    let mut session = pbx.greet()?;

    let begun = now();
    let stall = Stall::watch(&session.stream, &session.sent)?;
    while session.barriers() < 1 {
        session.answer()?;
    }
    let is_ready = || exporter.get("/-/ready").is_ok().then_some(());
    wait_for(Duration::from_secs(60), is_ready).ok_or("the PBX was not synchronised")?;
    let opening = begun.elapsed().as_secs_f64();
    let stood_opening = stall.longest();
    let opening_cpu = exporter.process.cpu_seconds();

    // Nothing else comes while the queues are listed again: all that is spent is for the list.
    session.stream.set_read_timeout(Some(BETWEEN_EVENTS))?;
    let before = exporter.process.cpu_seconds();
    until_listed(&mut session, 2, |_| Ok(()))?;
    let list = exporter.process.cpu_seconds() - before;

    // Once more, and events go on meanwhile.
    let stall = Stall::watch(&session.stream, &session.sent)?;
    until_listed(&mut session, 3, send_event)?;
    let stood_listing = stall.longest();

    let mut table = Table::new(
        "A PBX with 10,000 channels, 1,000 queues and 5,000 members",
        &["what", "took", "reader stood still at most"],
    );
    table.row(["from the greeting until synchronised".into(), span(opening), span(stood_opening)]);
    table.row(["CPU of that".into(), span(opening_cpu), String::new()]);
    table.row(["CPU of one QueueStatus in mid-session".into(), span(list), span(stood_listing)]);
    println!("{table}");
    Ok(())
}

/// Waits until so many lists were taken, and does something every 20 ms.
fn until_listed(
    session: &mut Session,
    lists: u32,
    mut meanwhile: impl FnMut(&mut Session) -> io::Result<()>,
) -> Result<(), Failure> {
    let begun = now();
    while session.barriers() < lists {
        if begun.elapsed() > PATIENCE {
            return Err("the queues were not listed again".into());
        }
        meanwhile(session)?;
        answer(session)?;
    }
    Ok(())
}

/// Sends an event, and answers what is asked for until the next one.
pub(crate) fn trickle(session: &mut Session) -> io::Result<()> {
    send_event(session)?;
    answer(session)
}

fn send_event(session: &mut Session) -> io::Result<()> {
    session.send(b"Event: Newexten\r\nChannel: SIP/1-1\r\nUniqueid: 1.1\r\n\r\n")
}

/// Answers what is asked for, for as long as a read may take.
fn answer(session: &mut Session) -> io::Result<()> {
    match session.answer() {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
        {
            Ok(())
        }
        answered => answered,
    }
}

/// 2,500 talks with agents, 2,500 callers who wait, and 2,500 other channels.
pub(crate) fn lists() -> Lists {
    let mut lists = Lists::default();
    for queue in 0..QUEUES {
        lists.queues.push(format!(
            "Event: QueueParams\r\nQueue: queue{queue:04}\r\nMax: 0\r\nStrategy: rrmemory\r\nCalls: 2\r\n\
             Holdtime: 12\r\nTalkTime: 180\r\nCompleted: 100\r\nAbandoned: 3\r\nServiceLevel: 20\r\n\
             ServicelevelPerf: 90.0\r\nServicelevelPerf2: 90.0\r\nWeight: 0\r\n\r\n"
        ));
    }
    for member in 0..MEMBERS {
        let queue = member % QUEUES;
        let status = if member < TALKS { 2 } else { 1 };
        lists.queues.push(format!(
            "Event: QueueMember\r\nQueue: queue{queue:04}\r\nName: Agent {member}\r\n\
             Location: PJSIP/a{member}\r\nStateInterface: PJSIP/a{member}\r\nMembership: static\r\n\
             Penalty: 0\r\nCallsTaken: 4\r\nLastCall: 1795473543\r\nLastPause: 0\r\n\
             LoginTime: 1795473536\r\nInCall: 0\r\nStatus: {status}\r\nPaused: 0\r\nPausedReason: \r\n\
             Wrapuptime: 0\r\n\r\n"
        ));
    }
    for talk in 0..TALKS {
        let queue = talk % QUEUES;
        let caller = format!("PJSIP/trunk{}-{talk:08x}", talk % 8);
        let data = format!("queue{queue:04},t");
        lists.channels.push(channel(&caller, &format!("1.{talk}"), talk, ("Queue", &data), true));
        let agent = format!("PJSIP/a{talk}-{talk:08x}");
        lists.channels.push(channel(&agent, &format!("2.{talk}"), talk, ("AppQueue", ""), true));

        let waiting = format!("PJSIP/trunk{}-{:08x}", talk % 8, 0x10_0000 + talk);
        let uid = format!("3.{talk}");
        lists.channels.push(channel(&waiting, &uid, talk, ("Queue", &data), false));
        lists.queues.push(format!(
            "Event: QueueEntry\r\nQueue: queue{queue:04}\r\nPosition: 1\r\nChannel: {waiting}\r\n\
             Uniqueid: {uid}\r\nCallerIDNum: 380000000001\r\nCallerIDName: unknown\r\n\
             ConnectedLineNum: unknown\r\nConnectedLineName: unknown\r\nWait: 3\r\nPriority: 0\r\n\r\n"
        ));
        let other = format!("PJSIP/desk{talk}-{:08x}", 0x20_0000 + talk);
        lists.channels.push(channel(&other, &format!("4.{talk}"), talk, ("Dial", ""), false));
    }
    lists
}

fn channel(name: &str, uid: &str, talk: usize, app: (&str, &str), bridged: bool) -> String {
    let bridge =
        if bridged { format!("3d5a0db2-8978-42c0-951c-{talk:012x}") } else { String::new() };
    // A leg belongs to its caller.
    let linked = uid.replacen("2.", "1.", 1);
    format!(
        "Event: CoreShowChannel\r\nChannel: {name}\r\nChannelState: 6\r\nChannelStateDesc: Up\r\n\
         CallerIDNum: 380000000001\r\nCallerIDName: <unknown>\r\nConnectedLineNum: <unknown>\r\n\
         ConnectedLineName: <unknown>\r\nLanguage: en\r\nAccountCode: \r\nContext: incoming\r\nExten: s\r\n\
         Priority: 4\r\nUniqueid: {uid}\r\nLinkedid: {linked}\r\nApplication: {}\r\n\
         ApplicationData: {}\r\nDuration: 00:01:10\r\nBridgeId: {bridge}\r\n\r\n",
        app.0, app.1
    )
}

/// Lists come every 30 s.
const PATIENCE: Duration = Duration::from_secs(90);
/// So rare that events cost little beside the list.
const BETWEEN_EVENTS: Duration = Duration::from_millis(20);
const QUEUES: usize = 1_000;
const MEMBERS: usize = 5_000;
const TALKS: usize = 2_500;
