//! Calls as Asterisk 22 reports them, to the microsecond.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;

use asterisk_exporter::demo::capture;
use flate2::read::MultiGzDecoder;
use support::root;

/// A working day of the demo's PBX, without the FullyBooted that an opening brings along.
pub(crate) fn day(seed: u64, calls: usize) -> Vec<u8> {
    let (bytes, _) = capture(seed, calls);
    let first =
        bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a first event") + 4;
    bytes[first..].to_vec()
}

/// What a real Asterisk sent: a capture of 400 random calls.
pub(crate) fn recorded(version: &str) -> Vec<u8> {
    captured(&format!("{version}/bulk"))
}

/// A capture of `fixtures/captures`.
pub(crate) fn captured(name: &str) -> Vec<u8> {
    let file = File::open(root(&format!("fixtures/captures/{name}.ami.gz"))).unwrap();
    let mut bytes = Vec::new();
    MultiGzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    bytes
}

/// A caller who gives up after `hold` seconds in the queue `support`; `number` distinguishes callers.
pub(crate) fn abandoned(number: u32, hold: f64) -> Vec<u8> {
    let mut call = Call::new(number);
    call.send("Newchannel", "");
    call.send("QueueCallerJoin", "Queue: support\r\nPosition: 1\r\nCount: 1\r\n");
    call.now += hold;
    call.send("HangupRequest", "");
    call.send(
        "QueueCallerAbandon",
        "Queue: support\r\nPosition: 1\r\nOriginalPosition: 1\r\nHoldTime: 0\r\n",
    );

    call.send("QueueCallerLeave", "Queue: support\r\nPosition: 1\r\nCount: 0\r\n");
    call.send("Hangup", "Cause: 16\r\nCause-txt: Normal Clearing\r\n");
    call.text.into_bytes()
}

/// A caller whom an agent answers after `hold` seconds.
pub(crate) fn answered(number: u32, hold: f64) -> Vec<u8> {
    let mut call = Call::new(number);
    call.join();
    call.now += hold;
    call.talk(60.0);
    call.text.into_bytes()
}

/// The same in two parts, with the ring attempt: until the agent's phone rings, and from the answer
/// to the end of a talk of so many seconds.
pub(crate) fn rung_and_answered(number: u32, talk: f64) -> [Vec<u8>; 2] {
    let mut call = Call::new(number);
    call.join();
    call.send("AgentCalled", &call.member());
    let rung = std::mem::take(&mut call.text);

    call.now += 2.0;
    call.talk(talk);
    [rung.into_bytes(), call.text.into_bytes()]
}

struct Call {
    number: u32,
    uniqueid: String,
    now: f64,
    text: String,
}

impl Call {
    /// Each begins an hour after the one before, which is over then.
    fn new(number: u32) -> Self {
        let now = 1_700_000_000.0 + 3600.0 * f64::from(number);
        Self { number, uniqueid: format!("{now:.0}.{number}"), now, text: String::new() }
    }

    fn join(&mut self) {
        self.send("Newchannel", "");
        self.send("QueueCallerJoin", "Queue: support\r\nPosition: 1\r\nCount: 1\r\n");
    }

    /// The agent answers, and the caller hangs up `length` seconds later.
    fn talk(&mut self, length: f64) {
        self.send("QueueCallerLeave", "Queue: support\r\nPosition: 1\r\nCount: 0\r\n");
        let member = self.member();
        self.send("AgentConnect", &format!("{member}RingTime: 1\r\nHoldTime: 0\r\n"));
        self.now += length;
        self.send(
            "AgentComplete",
            &format!("{member}HoldTime: 0\r\nTalkTime: {length:.0}\r\nReason: caller\r\n"),
        );
        self.send("Hangup", "Cause: 16\r\nCause-txt: Normal Clearing\r\n");
    }

    /// Who is called, as the agents' events have it.
    fn member(&self) -> String {
        format!(
            "DestChannel: PJSIP/101-{:08x}\r\nDestUniqueid: {}.2\r\nQueue: support\r\n\
             Interface: PJSIP/101\r\nMemberName: Ann Lee\r\n",
            self.number, self.uniqueid
        )
    }

    fn send(&mut self, event: &str, more: &str) {
        let Self { number, uniqueid, now, text } = self;
        write!(
            text,
            "Event: {event}\r\nPrivilege: agent,all\r\nTimestamp: {now:.6}\r\nChannel: PJSIP/carrier-{number:08x}\r\n\
             ChannelState: 6\r\nChannelStateDesc: Up\r\nCallerIDNum: 12025550100\r\nContext: from-carrier\r\n\
             Exten: 100\r\nPriority: 1\r\nUniqueid: {uniqueid}\r\nLinkedid: {uniqueid}\r\n{more}\r\n"
        )
        .unwrap();
    }
}
