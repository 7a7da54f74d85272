//! Callers, phones and the carrier, played by sipp.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::common::program;

/// How a phone behaves; each kind is one sipp that plays all phones of the kind, told apart by its port.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Phone {
    /// Rings a second, answers, and never hangs up.
    Answers,
    /// Rings a second, answers, and hangs up after three.
    HangsUp,
    /// Rings for ever.
    Rings,
    /// Answers at once with 486.
    Busy,
    /// Answers at once with 480.
    Unavailable,
    /// Answers, then presses `#1` and the number of a colleague.
    BlindTransfers,
    /// Answers, then presses `*2` and the number of a colleague, and hangs up when the colleague has answered.
    AttendedTransfers,
    /// Answers, puts the caller on hold for two seconds, then talks on.
    Holds,
    /// Of all kinds, by chance: see [`random_phone`].
    Random,
    /// Played by [`crate::phone`].
    Desk,
    /// Was never registered.
    Unreachable,
}

impl Phone {
    /// The port of the sipp that plays it.
    pub(crate) const fn port(self) -> u16 {
        match self {
            Self::Answers => 4001,
            Self::HangsUp => 4002,
            Self::Rings => 4003,
            Self::Busy => 4004,
            Self::Unavailable => 4005,
            Self::BlindTransfers => 4006,
            Self::AttendedTransfers => 4007,
            Self::Holds => 4008,
            Self::Random => 4009,
            // each has a port of its own
            Self::Desk | Self::Unreachable => 0,
        }
    }

    fn scenario(self) -> Option<String> {
        let colleague = crate::COLLEAGUE;
        let body = match self {
            Self::Answers => rings() + &answers_after(1000) + &until_bye(None),
            Self::HangsUp => rings() + &answers_after(1000) + &until_bye(Some(3000)),
            Self::Rings => rings() + &waits_for_cancel(),
            Self::Busy => reply("486 Busy Here", false) + &ack(),
            Self::Unavailable => reply("480 Temporarily Unavailable", false) + &ack(),
            Self::BlindTransfers => {
                rings() + &answers_after(1000) + &pause(1500) + &presses(&format!("#1{colleague}")) + &until_bye(None)
            }
            // the colleague answers after a second
            Self::AttendedTransfers => {
                rings()
                    + &answers_after(1000)
                    + &pause(1500)
                    + &presses(&format!("*2{colleague}"))
                    + &until_bye(Some(6000))
            }
            Self::Holds => {
                rings()
                    + &answers_after(1000)
                    + &pause(1000)
                    + &reinvite("sendonly", 2)
                    + &pause(2000)
                    + &reinvite("sendrecv", 3)
                    + &until_bye(None)
            }
            Self::Random => random_phone(),
            Self::Desk | Self::Unreachable => return None,
        };
        Some(called(&body))
    }
}

/// A call that somebody makes.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The number dialled.
    pub(crate) to: String,
    /// Milliseconds from the answer until the caller hangs up.
    pub(crate) hold: u32,
    /// Milliseconds before the answer after which the caller gives up.
    pub(crate) cancel: Option<u32>,
    /// A key, and the milliseconds after the answer at which it is pressed.
    pub(crate) keys: Vec<(u32, char)>,
    /// The agent's device that calls, else somebody outside.
    pub(crate) device: Option<String>,
    /// The number of somebody outside.
    pub(crate) number: String,
}

/// The far end of all SIP on one server's addresses.
pub(crate) struct Phones {
    net: String,
    folder: PathBuf,
    kinds: Vec<Sipp>,
}

/// A sipp that runs; killed when dropped.
pub(crate) struct Sipp {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Phones {
    /// Starts all kinds of phones and the carrier.
    pub(crate) fn start(net: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sipp-{net}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for sipp");
        let mut phones = Self { net: net.to_owned(), folder, kinds: Vec::new() };
        for kind in KINDS {
            let scenario = kind.scenario().expect("a phone that sipp plays");
            let sipp = phones.sipp(&format!("{kind:?}"), &scenario, 3, kind.port(), &[]);
            phones.kinds.push(sipp);
        }
        let carrier = phones.sipp("carrier", &called(&carrier()), 4, 5070, &[]);
        phones.kinds.push(carrier);
        // sipp opens its socket late: who asks is told when it is there
        for kind in &mut phones.kinds {
            kind.wait_open();
        }
        phones
    }

    /// Makes a call.
    pub(crate) fn call(&self, caller: &Caller) -> Sipp {
        let host = if caller.device.is_some() { 3 } else { 2 };
        let port = 10_000 + next();
        let from = caller.device.as_deref().unwrap_or(&caller.number);
        let to = format!("{}.1:5060", self.net);
        let mut args = vec![&*to, "-s", &caller.to, "-m", "1", "-timeout", "100", "-recv_timeout", "40000"];
        // a slow machine repeats itself: an INVITE that is sent twice is answered twice
        args.extend(["-default_behaviors", "all,-abortunexp"]);
        self.sipp(&format!("{}-{port}", caller.to), &calling(caller, from), host, port, &args)
    }

    fn sipp(&self, name: &str, scenario: &str, host: u8, port: u16, args: &[&str]) -> Sipp {
        let file = self.folder.join(format!("{name}.xml"));
        // a called sipp does not know where calls come from
        let scenario = scenario.replace("@PBX@", &format!("{}.1:5060", self.net));
        fs::write(&file, scenario).expect("a scenario");
        let log = self.folder.join(format!("{name}.log"));
        let out = fs::File::create(&log).expect("a log");
        // of its own, or those of a hundred others are in the way
        let spare = next();
        let (control, media) = ((15_000 + spare).to_string(), (30_000 + 4 * spare).to_string());
        let child = Command::new("sipp")
            .args(args)
            .arg("-sf")
            .arg(&file)
            .args(["-i", &format!("{}.{host}", self.net), "-p", &port.to_string(), "-nostdin"])
            .args(["-cp", &control, "-mp", &media])
            .current_dir(&self.folder)
            .env("TERM", "dumb")
            .stdin(Stdio::null())
            .stderr(out.try_clone().expect("a log"))
            .stdout(out)
            .spawn()
            .expect("sipp is installed");
        Sipp { child, name: format!("{name} on {}.{host}:{port}", self.net), log }
    }
}

impl Drop for Phones {
    fn drop(&mut self) {
        self.kinds.clear();
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Sipp {
    /// Waits until the call is over; whether it went as the scenario says.
    pub(crate) fn wait(&mut self) -> bool {
        let status = program::wait_until(&format!("the end of {}", self.name), || self.child.try_wait().expect("sipp"));
        if !status.success() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(12).collect();
            println!(
                "sipp {} ended with {status}: {}",
                self.name,
                tail.into_iter().rev().collect::<Vec<_>>().join(" / ")
            );
        }
        status.success()
    }

    /// Waits until the call is over, however it went.
    pub(crate) fn wait_quietly(&mut self) {
        program::wait_until(&format!("the end of {}", self.name), || self.child.try_wait().expect("sipp"));
    }

    fn wait_open(&mut self) {
        let pid = self.child.id();
        program::wait_until(&format!("the socket of {}", self.name), || {
            assert!(
                self.child.try_wait().expect("sipp").is_none(),
                "{} ended: {:?}",
                self.name,
                fs::read_to_string(&self.log)
            );
            let sockets =
                fs::read_dir(format!("/proc/{pid}/fd")).ok()?.filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
            // one is its control socket, one is SIP
            (sockets.filter(|link| link.to_string_lossy().starts_with("socket:")).count() >= 2).then_some(())
        });
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A number for ports, below 5000; two test runs on one machine begin elsewhere.
fn next() -> u16 {
    let first = u16::try_from(std::process::id() % 5000).expect("below 5000");
    (first + NEXT.fetch_add(1, Ordering::Relaxed) % 5000) % 5000
}

static NEXT: AtomicU16 = AtomicU16::new(0);

const KINDS: [Phone; 9] = [
    Phone::Answers,
    Phone::HangsUp,
    Phone::Rings,
    Phone::Busy,
    Phone::Unavailable,
    Phone::BlindTransfers,
    Phone::AttendedTransfers,
    Phone::Holds,
    Phone::Random,
];

/// Numbers of the carrier: `9200` answers, `9201` answers and hangs up after two seconds, `9180` rings for ever, and
/// `9` with one of these codes is refused with it.
const REFUSALS: [u16; 14] = [403, 404, 408, 410, 480, 484, 486, 488, 500, 502, 503, 504, 600, 603];

/// Media that nobody listens to: the far end is a closed port.  chan_sip reads nothing of a version it has seen.
fn sdp(direction: &str, version: u32) -> String {
    format!(
        "v=0\no=test 1 {version} IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio 39000 RTP/AVP 0\na=rtpmap:0 \
         PCMU/8000\na={direction}\n"
    )
}

/// What is sent: a start line, header lines, and a body.
fn send(start: &str, headers: &str, body: Option<(&str, &str)>, attributes: &str) -> String {
    let tail = match body {
        Some((kind, body)) => format!("Content-Type: {kind}\nContent-Length: [len]\n\n{body}"),
        None => "Content-Length: 0\n\n".to_owned(),
    };
    format!("<send {attributes}><![CDATA[\n{start}\n{headers}{tail}]]></send>\n")
}

fn pause(milliseconds: u32) -> String {
    format!("<pause milliseconds=\"{milliseconds}\"/>\n")
}

fn label(name: &str) -> String {
    format!("<label id=\"{name}\"/>\n")
}

fn ack() -> String {
    "<recv request=\"ACK\"/>\n".to_owned()
}

// the called side

/// A scenario of a phone: takes an INVITE and keeps what a request of its own needs.
fn called(body: &str) -> String {
    let matches: String = if body.contains("is404") {
        REFUSALS
            .iter()
            .map(|code| {
                format!("<ereg regexp=\"9{code}@\" search_in=\"hdr\" header=\"To:\" assign_to=\"is{code}\"/>\n")
            })
            .collect::<String>()
            + "<ereg regexp=\"920[01]@\" search_in=\"hdr\" header=\"To:\" assign_to=\"answers\"/>\n\
               <ereg regexp=\"9201@\" search_in=\"hdr\" header=\"To:\" assign_to=\"leaves\"/>\n\
               <ereg regexp=\"9180@\" search_in=\"hdr\" header=\"To:\" assign_to=\"rings\"/>\n"
    } else {
        String::new()
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<scenario name=\"called\">\n<recv request=\"INVITE\"><action>\n\
         <ereg regexp=\"[0-9]+\" search_in=\"hdr\" header=\"CSeq:\" assign_to=\"cseq\"/>\n\
         <ereg regexp=\".*\" search_in=\"hdr\" header=\"From:\" assign_to=\"peer\"/>\n\
         <ereg regexp=\"[^;]*\" search_in=\"hdr\" header=\"To:\" assign_to=\"me\"/>\n{matches}</action></recv>\n\
         {body}<label id=\"end\"/>\n<Reference variables=\"cseq,peer,me\"/>\n</scenario>\n"
    )
}

/// Answers a request; `first` is the INVITE's, whose CSeq is kept, since another request may have come since.
fn reply(status: &str, first: bool) -> String {
    let cseq = if first { "CSeq: [$cseq] INVITE\n" } else { "[last_CSeq:]\n" };
    let headers = format!(
        "[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]u[call_number]\n[last_Call-ID:]\n{cseq}Contact: \
         <sip:[local_ip]:[local_port]>\n"
    );
    let body = sdp("sendrecv", 1);
    let with_media = first && status.starts_with("200");
    send(&format!("SIP/2.0 {status}"), &headers, with_media.then_some(("application/sdp", body.as_str())), "")
}

fn rings() -> String {
    reply("180 Ringing", false)
}

/// Answers after that long, unless the call is cancelled before.
fn answers_after(milliseconds: u32) -> String {
    format!("<recv request=\"CANCEL\" timeout=\"{milliseconds}\" ontimeout=\"answer\" next=\"cancelled\"/>\n")
        + &cancelled()
        + &label("answer")
        + &reply("200 OK", true).replacen("<send ", "<send retrans=\"500\" ", 1)
        + &ack()
}

fn waits_for_cancel() -> String {
    "<recv request=\"CANCEL\" next=\"cancelled\"/>\n".to_owned() + &cancelled()
}

/// The way out of a cancelled call; jumped to, and over.
fn cancelled() -> String {
    let headers = "[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]u[call_number]\n[last_Call-ID:]\n";
    "<nop next=\"after_cancelled\"/>\n".to_owned()
        + &label("cancelled")
        + &send("SIP/2.0 200 OK", &format!("{headers}[last_CSeq:]\n"), None, "")
        + &send("SIP/2.0 487 Request Terminated", &format!("{headers}CSeq: [$cseq] INVITE\n"), None, "retrans=\"500\"")
        + "<recv request=\"ACK\" next=\"end\"/>\n"
        + &label("after_cancelled")
}

/// A request of the called side inside the call.
fn request(method: &str, cseq: u32, body: Option<(&str, &str)>) -> String {
    let headers = format!(
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nFrom:[$me];tag=[pid]u[call_number]\n\
         To:[$peer]\n[last_Call-ID:]\nCSeq: {cseq} {method}\nMax-Forwards: 70\nContact: \
         <sip:[local_ip]:[local_port]>\n"
    );
    send(&format!("{method} sip:@PBX@ SIP/2.0"), &headers, body, "retrans=\"500\"")
}

/// Presses keys by INFO; the caller hanging up meanwhile ends the scenario at the next request.
fn presses(keys: &str) -> String {
    keys.chars()
        .zip(10..)
        .map(|(key, cseq)| {
            let body = format!("Signal={key}\nDuration=120\n");
            request("INFO", cseq, Some(("application/dtmf-relay", &body))) + "<recv response=\"200\"/>\n" + &pause(200)
        })
        .collect()
}

fn reinvite(direction: &str, cseq: u32) -> String {
    let ack = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nFrom:[$me];tag=[pid]u[call_number]\n\
               To:[$peer]\n[last_Call-ID:]\n";
    request("INVITE", cseq, Some(("application/sdp", &sdp(direction, cseq))))
        + "<recv response=\"100\" optional=\"true\"/>\n<recv response=\"200\"/>\n"
        + &send("ACK sip:@PBX@ SIP/2.0", &format!("{ack}CSeq: {cseq} ACK\nMax-Forwards: 70\n"), None, "")
}

/// Waits for the far end's BYE, and says BYE itself after `limit` milliseconds.
fn until_bye(limit: Option<u32>) -> String {
    let byed = "<label id=\"byed\"/>\n".to_owned()
        + &send(
            "SIP/2.0 200 OK",
            "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n",
            None,
            "next=\"end\"",
        );
    match limit {
        None => "<recv request=\"BYE\" next=\"byed\"/>\n".to_owned() + &byed,
        Some(limit) => {
            format!("<recv request=\"BYE\" timeout=\"{limit}\" ontimeout=\"bye\" next=\"byed\"/>\n")
                + &byed
                + &label("bye")
                + &request("BYE", 99, None)
                + "<recv response=\"200\"/>\n"
        }
    }
}

/// Refuses one call in eight (busy, or unavailable), lets a fifth ring for ever, and answers the others after 0.3,
/// 1.2 or 2.6 seconds.  Of those that answer, a third hangs up first and one in fourteen transfers blind.
fn random_phone() -> String {
    let chance = |label: &str, chance: f64| format!("<nop next=\"{label}\" chance=\"{chance}\"/>\n");
    let wait = |name: &str, limit: u32| {
        label(name)
            + &format!("<recv request=\"CANCEL\" timeout=\"{limit}\" ontimeout=\"answer\" next=\"cancelled\"/>\n")
    };
    let colleague = crate::COLLEAGUE;
    let say_bye = label("bye") + &request("BYE", 99, None) + "<recv response=\"200\" next=\"end\"/>\n";
    let bye_after = |name: &str, limit: u32| {
        label(name) + &format!("<recv request=\"BYE\" timeout=\"{limit}\" ontimeout=\"bye\" next=\"byed\"/>\n")
    };
    chance("busy", 0.09)
        + &chance("gone", 0.04)
        + &rings()
        + &chance("never", 0.2)
        + &chance("slow", 0.25)
        + &chance("fast", 0.4)
        + &wait("medium", 1200)
        + &wait("fast", 300)
        + &wait("slow", 2600)
        + &label("never")
        + &waits_for_cancel()
        + &label("answer")
        + &reply("200 OK", true).replacen("<send ", "<send retrans=\"500\" ", 1)
        + &ack()
        + &chance("transfer", 0.07)
        + &chance("short", 0.15)
        + &chance("longer", 0.2)
        + "<recv request=\"BYE\" next=\"byed\"/>\n"
        + &bye_after("short", 700)
        + &bye_after("longer", 2400)
        + &label("transfer")
        // BYE of a caller who hangs up while keys are pressed ends the sipp call: Asterisk is answered by nobody, as if the phone lost power
        + &pause(600)
        + &presses(&format!("#1{colleague}"))
        + &bye_after("transferred", 8000)
        + &label("byed")
        + &send(
            "SIP/2.0 200 OK",
            "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n",
            None,
            "next=\"end\"",
        )
        + &say_bye
        + &label("busy")
        + &reply("486 Busy Here", false)
        + "<recv request=\"ACK\" next=\"end\"/>\n"
        + &label("gone")
        + &reply("480 Temporarily Unavailable", false)
        + &ack()
}

/// Only a REFUSALS number is told apart by the caller of this scenario: see [`called`].
fn carrier() -> String {
    let mut text = "<nop next=\"ringing\" test=\"answers\"/>\n<nop next=\"ringing\" test=\"rings\"/>\n".to_owned();
    for code in REFUSALS {
        text.push_str(&format!("<nop next=\"c{code}\" test=\"is{code}\"/>\n"));
    }
    text.push_str("<nop next=\"c404\"/>\n");
    for code in REFUSALS {
        text.push_str(&(label(&format!("c{code}")) + &reply(&format!("{code} Refused"), false)));
        text.push_str("<recv request=\"ACK\" next=\"end\"/>\n");
    }
    text + &label("ringing")
        + &rings()
        + "<nop next=\"forever\" test=\"rings\"/>\n"
        + "<recv request=\"CANCEL\" timeout=\"1000\" ontimeout=\"answer\" next=\"cancelled\"/>\n"
        + &label("forever")
        + &waits_for_cancel()
        + &label("answer")
        + &reply("200 OK", true).replacen("<send ", "<send retrans=\"500\" ", 1)
        + &ack()
        + "<nop next=\"short\" test=\"leaves\"/>\n<recv request=\"BYE\" next=\"byed\"/>\n"
        + &label("short")
        + &until_bye(Some(2000))
}

// the calling side

fn calling(caller: &Caller, from: &str) -> String {
    let head = |method: &str, cseq: u32, to: &str| {
        format!(
            "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nFrom: \"Test\" \
             <sip:{from}@[local_ip]:[local_port]>;tag=[pid]c[call_number]\n{to}\nCall-ID: [call_id]\nCSeq: {cseq} \
             {method}\nMax-Forwards: 70\nContact: <sip:{from}@[local_ip]:[local_port]>\n"
        )
    };
    let fresh = "To: <sip:[service]@[remote_ip]:[remote_port]>";
    let body = sdp("sendrecv", 1);
    let media = Some(("application/sdp", body.as_str()));
    let invite = "INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0";
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<scenario name=\"calling\">\n");
    if let Some(limit) = caller.cancel {
        // an INVITE and its CANCEL have one branch
        let branch = "z9hG4bK-[pid]-[call_number]-i";
        text += &send(invite, &head("INVITE", 1, fresh).replace("[branch]", branch), media, "retrans=\"500\"");
        text += "<recv response=\"100\"/>\n";
        for code in [180, 183] {
            text +=
                &format!("<recv response=\"{code}\" optional=\"true\" timeout=\"{limit}\" ontimeout=\"give_up\"/>\n");
        }
        text += &format!("<recv response=\"200\" timeout=\"{limit}\" ontimeout=\"give_up\"/>\n");
        text += &label("give_up");
        let cancel = "CANCEL sip:[service]@[remote_ip]:[remote_port] SIP/2.0";
        text += &send(cancel, &head("CANCEL", 1, fresh).replace("[branch]", branch), None, "retrans=\"500\"");
        text += "<recv response=\"200\" optional=\"true\"/>\n<recv response=\"487\"/>\n";
        let ack = "ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0";
        text += &send(ack, &head("ACK", 1, "[last_To:]").replace("[branch]", branch), None, "");
        return text + "</scenario>\n";
    }
    text += &send(invite, &head("INVITE", 1, fresh), media, "retrans=\"500\"");
    for code in [100, 180, 181, 183] {
        text += &format!("<recv response=\"{code}\" optional=\"true\"/>\n");
    }
    for code in REFUSALS {
        text += &format!("<recv response=\"{code}\" optional=\"true\" next=\"refused\"/>\n");
    }
    text += "<recv response=\"200\" rrs=\"true\"/>\n";
    text += &send("ACK [next_url] SIP/2.0", &head("ACK", 1, "[last_To:]"), None, "");
    for (&(after, key), cseq) in caller.keys.iter().zip(2..) {
        text += &pause(after);
        let body = format!("Signal={key}\nDuration=160\n");
        let info = Some(("application/dtmf-relay", body.as_str()));
        text += &send("INFO [next_url] SIP/2.0", &head("INFO", cseq, "[last_To:]"), info, "retrans=\"500\"");
        text += "<recv response=\"200\"/>\n";
    }
    text += &format!("<recv request=\"BYE\" timeout=\"{}\" ontimeout=\"bye\"/>\n", caller.hold);
    text += &send(
        "SIP/2.0 200 OK",
        "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n",
        None,
        "next=\"end\"",
    );
    text += &label("bye");
    text += &send("BYE [next_url] SIP/2.0", &head("BYE", 90, "[last_To:]"), None, "retrans=\"500\"");
    text += "<recv response=\"200\" next=\"end\"/>\n";
    text += &label("refused");
    let ack = "ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0";
    text += &send(ack, "[last_Via:]\n[last_From:]\n[last_To:]\nCall-ID: [call_id]\nCSeq: 1 ACK\n", None, "");
    text + &label("end") + "</scenario>\n"
}
