//! Generates captures of Asterisk versions nobody here has: real ones of 16.28 and 22.10, rewritten
//! into what that version would have sent for the same calls.
//!
//! What differs is one table, read from the source of each version.  Everything a table cannot say
//! (the order of events on a busy PBX, say) stays as the real PBX had it.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use asterisk_exporter::ami::frame::{BANNER, Decoder, Frame, Item, Limits, put};
use flate2::read::GzDecoder;
use support::fixture;

/// A version that captures are generated for.
pub(crate) struct Version {
    /// Its folder in `fixtures/captures/`.
    pub(crate) folder: &'static str,
    /// Major and minor number.
    pub(crate) release: Release,
    /// As CoreSettings reports it.
    pub(crate) asterisk: &'static str,
    /// As the greeting reports it.
    pub(crate) ami: &'static str,
    /// The real captures it is generated from: version, and names.
    sources: &'static [(&'static str, &'static [&'static str])],
}

/// Major and minor number.
pub(crate) type Release = (u32, u32);

/// What is generated from one capture.
pub(crate) struct Synthetic {
    pub(crate) name: &'static str,
    /// The version it is generated from.
    pub(crate) base: &'static str,
    pub(crate) events: Vec<u8>,
    pub(crate) queue_log: String,
}

/// Every version, oldest first.
pub(crate) const VERSIONS: &[Version] = &[
    Version {
        folder: "13.4",
        release: (13, 4),
        asterisk: "13.4.0",
        ami: "2.7.0",
        sources: &[("16", OLD)],
    },
    Version {
        folder: "13",
        release: (13, 38),
        asterisk: "13.38.3",
        ami: "2.10.6",
        sources: &[("16", OLD)],
    },
    Version {
        folder: "18",
        release: (18, 10),
        asterisk: "18.10.0",
        ami: "7.0.1",
        // chan_sip says BUSY where PJSIP says NOANSWER, and 18 has both.
        sources: &[("16", &["06-busy-unavailable", "12-outbound"]), ("22", NEW)],
    },
    Version {
        folder: "20",
        release: (20, 11),
        asterisk: "20.11.0",
        ami: "9.0.0",
        sources: &[
            ("22", NEW),
            (
                "22",
                &[
                    "06-busy-unavailable",
                    "11f-withdrawn-and-priority",
                    "12-outbound",
                    "16f-crash-mid-call",
                ],
            ),
        ],
    },
];

/// What 13 is generated from: all that depends on what it lacks, and one of each of the rest.
const OLD: &[&str] = &[
    "01-answered-caller-hangs-up",
    "03-abandoned",
    "04-timeout",
    "05b-rona-autopause",
    "06-busy-unavailable",
    "07-ringall",
    "08-members",
    "08b-status-replies.queries",
    "09-blind-transfer-by-agent",
    "09c-attended-transfer",
    "10-exit-with-key",
    "11b-full",
    "11c-leavewhenempty",
    "12-outbound",
    "12b-originate",
    "13-queue-a-to-b",
    "14-local-members",
    "14b-local-optimised",
    "14c-local-caller",
    "15-recorded",
    "16-reconnect-mid-call",
];

/// What 18 and 20 are generated from.
const NEW: &[&str] = &[
    "01-answered-caller-hangs-up",
    "03-abandoned",
    "04-timeout",
    "05b-rona-autopause",
    "07-ringall",
    "08b-status-replies.queries",
    "09g-sip-refer-blind",
    "09h-sip-refer-attended",
    "10-exit-with-key",
    "11c-leavewhenempty",
    "13b-reenter-same-queue",
    "14-local-members",
    "15-recorded",
    "16-reconnect-mid-call",
];

/// Since when a thing is there: the first release of each branch that has it, oldest branch first.
pub(crate) type Since = &'static [Release];

/// Headers that older versions do not send: in events that begin so, at the end of keys, which may
/// have a prefix.
const HEADERS: &[(&str, &str, Since)] = &[
    ("", "linkedid", &[(13, 5)]),
    ("", "bridgevideosourcemode", &[(13, 13), (14, 2)]),
    ("QueueMember", "pausedreason", &[(13, 8)]),
    ("QueueMember", "incall", &[(13, 8)]),
    ("QueueMember", "lastpause", &[(14, 0)]),
    ("QueueMember", "wrapuptime", &[(16, 3)]),
    ("QueueMember", "logintime", &[(16, 23), (18, 9)]),
    ("QueueParams", "servicelevelperf2", &[(15, 0)]),
    ("FullyBooted", "uptime", UPTIME),
    ("FullyBooted", "lastreload", &[(14, 0)]),
    ("", "techcause", &[(20, 17), (22, 7)]),
    ("RTCP", "mes", &[(18, 17), (20, 2)]),
];

/// Events that older versions do not send.
const EVENTS: &[(&str, Since)] = &[("DialState", &[(14, 0)]), ("MixMonitor", MIXMONITOR)];
const MIXMONITOR: Since = &[(16, 17), (18, 3)];

/// Since then QueueMemberStatus comes at a change only; before, whenever the device reports.
const STATUS_AT_CHANGE: Since = &[(16, 18), (18, 4)];
/// Since then FullyBooted reports how long the PBX has been running.
pub(crate) const UPTIME: Since = &[(14, 0)];
/// Since then a caller behind the head whom `leavewhenempty` sends away has a QueueCallerAbandon.
pub(crate) const REPORTS_EMPTY: Since = &[(13, 37), (16, 14), (17, 8)];
/// Since then channels of a tenant say whose they are.
const TENANTS: Since = &[(18, 25), (20, 10), (21, 5)];
/// Since then QueueMemberPause has the reason once only, as PausedReason.
const ONE_REASON: Since = &[(18, 0)];
/// Since then queue_log has RINGCANCELED.
const RINGCANCELED: Since = &[(15, 0)];

impl Version {
    /// Everything that is kept of this version.
    pub(crate) fn generate(&self) -> impl Iterator<Item = Synthetic> {
        self.sources.iter().flat_map(move |&(base, names)| {
            names.iter().map(move |name| self.generate_from(base, name))
        })
    }

    /// A capture of `base` and its queue_log, as this version would have had them.
    pub(crate) fn generate_from(&self, base: &'static str, name: &'static str) -> Synthetic {
        let folder = fixture("captures").join(base);
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(&unpack(&folder.join(format!("{name}.ami.gz"))));
        let queue_log =
            std::fs::read_to_string(folder.join(format!("{name}.queue_log"))).unwrap_or_default();
        let silent = name.starts_with("11c-") && !self.has(REPORTS_EMPTY);
        let mut behind = silent.then(Behind::default);
        let mut events = Vec::new();

        while let Some(item) = decoder.next_item() {
            let Item::Frame(frame) = item else { panic!("{base}/{name}: {item:?}") };
            if !behind.as_mut().is_some_and(|behind| behind.hides(&frame)) {
                self.write(&frame, silent, &mut events);
            }
        }

        let queue_log =
            queue_log.split_inclusive('\n').filter_map(|line| self.line(line, silent)).collect();
        Synthetic { name, base, events, queue_log }
    }

    /// Whether this version has what came with these releases: its own branch decides, else the
    /// newest.
    pub(crate) fn has(&self, since: Since) -> bool {
        let (major, minor) = self.release;
        match since.iter().find(|(branch, _)| *branch == major) {
            Some((_, first)) => minor >= *first,
            None => since.iter().all(|(branch, _)| major > *branch),
        }
    }

    fn write(&self, frame: &Frame<'_>, behind: bool, out: &mut Vec<u8>) {
        let name = String::from_utf8_lossy(frame.name).into_owned();
        if EVENTS.iter().any(|(event, since)| name.starts_with(event) && !self.has(since)) {
            return;
        }

        if name == "FullyBooted" {
            // The real captures begin behind the login.
            out.extend_from_slice(&[BANNER, self.ami.as_bytes(), b"\r\n"].concat());
        }

        let repeated = name == "QueueMemberStatus" && !self.has(STATUS_AT_CHANGE);
        for _ in 0..=usize::from(repeated) {
            put(out, frame.kind.key().as_bytes(), frame.name);
            for (key, value) in frame.headers() {
                self.header(&name, key, value, behind, out);
            }
            out.extend_from_slice(b"\r\n");
        }
    }

    fn header(&self, event: &str, key: &[u8], value: &[u8], behind: bool, out: &mut Vec<u8>) {
        let lower = String::from_utf8_lossy(key).to_ascii_lowercase();
        let lacks = |(of, header, since): &(&str, &str, Since)| {
            event.starts_with(of) && lower.ends_with(header) && !self.has(since)
        };
        if HEADERS.iter().any(lacks)
            || event == "QueueMemberPause" && lower == "reason" && self.has(ONE_REASON)
        {
            return;
        }

        match &*lower {
            "asteriskversion" => put(out, key, self.asterisk.as_bytes()),
            "amiversion" => put(out, key, self.ami.as_bytes()),
            "position" | "originalposition" if behind && event.starts_with("QueueCaller") => {
                put(out, key, b"2");
            }
            _ => put(out, key, value),
        }

        if lower.ends_with("linkedid") && self.has(TENANTS) {
            let prefix = &key[..key.len() - "linkedid".len()];
            put(out, &[prefix, b"Tenantid"].concat(), b"lab");
        }
    }

    /// A line of queue_log as this version writes it.
    fn line(&self, line: &str, behind: bool) -> Option<String> {
        let mut fields: Vec<_> = line.split('|').map(str::to_owned).collect();
        let verb = fields.get(4).map(|verb| verb.trim_end().to_owned()).unwrap_or_default();
        match &*verb {
            "RINGCANCELED" if !self.has(RINGCANCELED) => return None,
            "RINGNOANSWER" if behind => return None,
            "ENTERQUEUE" if behind => fields[7] = "2\n".to_owned(),
            "EXITEMPTY" if behind => fields[5..7].fill("2".to_owned()),
            _ => {}
        }
        Some(fields.join("|"))
    }
}

/// A caller at the head becomes one behind it: nobody is rung for such a one, and nothing reports
/// the end but Leave.
#[derive(Default)]
struct Behind {
    /// Uniqueids of the phones rung for the caller.
    legs: Vec<Vec<u8>>,
}

impl Behind {
    fn hides(&mut self, frame: &Frame<'_>) -> bool {
        let header = |key| frame.header(key).unwrap_or_default();
        if frame.is_event("Newchannel") && header("Uniqueid") != header("Linkedid") {
            self.legs.push(header("Uniqueid").to_vec());
        }
        let of_leg = ["Uniqueid", "DestUniqueid"]
            .iter()
            .any(|key| self.legs.iter().any(|leg| leg == header(key)));
        of_leg
            || frame.is_event("QueueCallerAbandon")
            || frame.is_event("VarSet") && header("Variable") == b"ABANDONED"
    }
}

/// The content of a gzipped file.
pub(crate) fn unpack(path: &PathBuf) -> Vec<u8> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut content = Vec::new();
    GzDecoder::new(file)
        .read_to_end(&mut content)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    content
}
