//! Which calls a stream has, and how often.

use std::io::Read as _;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::flow::Flow;

/// A mix of calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Mix {
    /// The four calls of the transcript in `fixtures/seed-*`: the events of calls, queues and
    /// agents only
    Transcript,
    /// Calls that Asterisk 22 sent with all classes: most of its events are VarSet, Newexten, states
    /// and RTCP
    Full,
}

/// What one call of a kind counts.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    pub(super) entries: bool,
    pub(super) answered: bool,
}

/// A kind of call: its capture, its share in the mix, what it counts.
type Kind = (&'static str, f64, Counts);

impl Mix {
    pub(super) fn flows(self, recordings: bool) -> Vec<Flow> {
        let text = |capture| match self {
            Self::Transcript => read(capture),
            Self::Full => with_rtcp(&read(capture)),
        };
        self.kinds().iter().map(|(capture, ..)| Flow::read(&text(capture), recordings)).collect()
    }

    pub(super) fn weights(self) -> [f64; KINDS] {
        self.kinds().map(|(_, weight, _)| weight)
    }

    pub(super) fn counts(self, kind: usize) -> Counts {
        self.kinds()[kind].2
    }

    /// The queue of a call that `agent` is called for.  Where states of members are sent, an agent
    /// is a member of the same few queues in every call.
    pub(super) fn queue(self, agent: u32, random: &mut fastrand::Rng, queues: u32) -> u32 {
        match self {
            Self::Transcript => random.u32(..queues),
            Self::Full => agent % queues,
        }
    }

    fn kinds(self) -> [Kind; KINDS] {
        match self {
            Self::Transcript => [
                ("seed-1-inbound-answered/events.ami", 50.0, ANSWERED),
                ("seed-2-inbound-unanswered/events.ami", 30.0, UNANSWERED),
                ("seed-3-outbound-answered/events.ami", 12.0, OUTBOUND),
                ("seed-4-outbound-unanswered/events.ami", 8.0, OUTBOUND),
            ],
            Self::Full => [
                ("captures/22/01-answered-caller-hangs-up.ami.gz", 60.0, ANSWERED),
                ("captures/22/03-abandoned.ami.gz", 20.0, UNANSWERED),
                ("captures/22/12f-outbound-booked-on-queue.ami.gz", 12.0, OUTBOUND),
                ("captures/22/12c-caller-cancels-outbound.ami.gz", 8.0, OUTBOUND),
            ],
        }
    }
}

/// Adds what Asterisk reports of each leg's RTCP every five seconds: the captured talks are shorter,
/// and end before the first.
fn with_rtcp(capture: &str) -> String {
    let capture = capture.replace('\r', "");
    let mut text = String::new();
    for block in capture.split_inclusive("\n\n") {
        text.push_str(block);
        if block.starts_with("Event: BridgeEnter") {
            let channel =
                block.lines().filter(|line| OF_CHANNEL.iter().any(|key| line.starts_with(key)));
            let channel: String = channel.map(|line| format!("{line}\n")).collect();
            for name in ["RTCPSent", "RTCPReceived"].iter().cycle().take(RTCP) {
                text.push_str(&format!(
                    "Event: {name}\nPrivilege: reporting,all\n{channel}To: 127.0.16.3:40001\n\
                     From: 127.0.0.1:21153\nSSRC: 0x3e813e40\nPT: 200(SR)\nReportCount: 1\n\
                     SentNTP: 1795473698.425212\nSentRTP: 480\nSentPackets: 3\nSentOctets: 480\n\
                     Report0SourceSSRC: 0x6465736b\nReport0FractionLost: 0\n\
                     Report0CumulativeLost: 0\nReport0HighestSequence: 248\n\
                     Report0SequenceNumberCycles: 0\nReport0IAJitter: 0\nReport0LSR: 0\n\
                     Report0DLSR: 0.0000\n\n"
                ));
            }
        }
    }
    text
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    if name.ends_with(".gz") {
        MultiGzDecoder::new(&*bytes).read_to_string(&mut text).expect("a capture is text");
    } else {
        text = String::from_utf8(bytes).expect("a capture is text");
    }
    text
}

/// The headers of a channel that RTCP events have.
const OF_CHANNEL: [&str; 15] = [
    "Timestamp:",
    "Channel:",
    "ChannelState:",
    "ChannelStateDesc:",
    "CallerIDNum:",
    "CallerIDName:",
    "ConnectedLineNum:",
    "ConnectedLineName:",
    "Language:",
    "AccountCode:",
    "Context:",
    "Exten:",
    "Priority:",
    "Uniqueid:",
    "Linkedid:",
];
/// For each leg, as of a talk of half a minute.
const RTCP: usize = 12;
const KINDS: usize = 4;
const ANSWERED: Counts = Counts { entries: true, answered: true };
const UNANSWERED: Counts = Counts { entries: true, answered: false };
const OUTBOUND: Counts = Counts { entries: false, answered: false };
