//! A desk phone with two lines: it answers, asks a colleague on the second line, and transfers with
//! REFER, blind or attended (Replaces).  sipp cannot join two calls; this can.

use std::collections::HashMap;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::program::wait_until;

use super::pbx::Pbx;

/// The phone.  It plays one agent's device.
pub(crate) struct DeskPhone {
    line: Arc<Line>,
}

struct Line {
    socket: UdpSocket,
    /// The device it is.
    device: String,
    own: String,
    /// The port it sends audio from.
    media: u16,
    pbx: String,
    requests: AtomicU32,
    over: AtomicBool,
    /// The INVITE of the caller, once it has come.
    invite: Mutex<Option<String>>,
    /// The 200 of each call of its own, by Call-ID.
    answers: Mutex<HashMap<String, String>>,
}

impl DeskPhone {
    /// Switches on the phone of `device`, at its port.
    pub(crate) fn start(pbx: &Pbx, device: &str, port: u16) -> Self {
        let own = format!("{}.3:{port}", pbx.net);
        let socket = UdpSocket::bind(&own).expect("the desk phone's address");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a time limit");
        let line = Arc::new(Line {
            socket,
            device: device.to_owned(),
            own,
            media: port + 2000,
            pbx: format!("{}.1:5060", pbx.net),
            requests: AtomicU32::new(0),
            over: AtomicBool::new(false),
            invite: Mutex::default(),
            answers: Mutex::default(),
        });
        let reader = Arc::clone(&line);
        let talker = Arc::clone(&line);
        std::thread::spawn(move || reader.read());
        std::thread::spawn(move || talker.talk());
        Self { line }
    }

    /// Calls a colleague on the second line, and waits until somebody answers.
    pub(crate) fn consult(&self, number: &str) {
        self.call("consultation", number);
    }

    /// Makes a call, known by a name, and waits until somebody answers.
    pub(crate) fn call(&self, name: &str, number: &str) {
        self.invite(name, number, &[]);
    }

    /// Makes a call that takes the place of another one of its own (INVITE with Replaces).
    pub(crate) fn call_in_place_of(&self, other: &str, name: &str, number: &str) {
        let far = tag(&header(&self.line.answer(other), "To")).expect("the far end's tag");
        let replaces = format!("Replaces: {};to-tag={far};from-tag={other}", self.line.id(other));
        self.invite(name, number, &[&replaces]);
    }

    fn invite(&self, name: &str, number: &str, extra: &[&str]) {
        let (line, id) = (&self.line, self.line.id(name));
        let to = format!("<sip:{number}@{}>", line.pbx);
        line.request(
            "INVITE",
            &format!("sip:{number}@{}", line.pbx),
            &line.own_side(name),
            &to,
            &id,
            extra,
            true,
        );

        wait_until("somebody to answer", || {
            line.answers.lock().expect("the phone").contains_key(&id).then_some(())
        });
    }

    /// Sends whom it called to a number.
    pub(crate) fn transfer_own_call(&self, name: &str, number: &str) {
        let line = &self.line;
        line.refer_in_own(name, &format!("sip:{number}@{}", line.pbx));
    }

    /// Connects whom it called with whom it called then.
    pub(crate) fn join_own_calls(&self, name: &str, other: &str, number: &str) {
        let uri = self.line.replacing(other, number);
        self.line.refer_in_own(name, &uri);
    }

    /// Hangs up a call of its own.
    pub(crate) fn end_own_call(&self, name: &str) {
        self.line.in_own_call("BYE", name, &[]);
    }

    /// Sends the caller to a number.
    pub(crate) fn transfer_blind(&self, number: &str) {
        self.line.refer(&format!("sip:{number}@{}", self.line.pbx));
    }

    /// Connects the caller with the colleague.
    pub(crate) fn transfer_attended(&self, number: &str) {
        self.line.refer(&self.line.replacing("consultation", number));
    }

    /// Hangs up the first line.
    pub(crate) fn hang_up(&self) {
        let invite = self.line.invite();
        self.line.in_call("BYE", &invite, &[]);
    }
}

impl Drop for DeskPhone {
    fn drop(&mut self) {
        self.line.over.store(true, Ordering::Relaxed);
    }
}

impl Line {
    fn read(&self) {
        let mut buffer = [0; 65536];
        while !self.over.load(Ordering::Relaxed) {
            let Ok(length) = self.socket.recv(&mut buffer) else { continue };
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            self.take(&message);
        }
    }

    fn take(&self, message: &str) {
        let first = message.lines().next().unwrap_or_default();
        let is = |method: &str| first.starts_with(method);

        if is("INVITE") && tag(&header(message, "To")).is_none() {
            self.reply(message, "180 Ringing", false);
            let again =
                self.invite.lock().expect("the phone").replace(message.to_owned()).is_some();
            if !again {
                self.reply(message, "200 OK", true);
            }
        } else if ["BYE", "NOTIFY", "OPTIONS", "UPDATE", "INVITE"].iter().any(|method| is(method)) {
            self.reply(message, "200 OK", is("INVITE"));
        } else if is("SIP/2.0 200") && header(message, "CSeq").ends_with("INVITE") {
            self.acknowledge(message);
            self.answers
                .lock()
                .expect("the phone")
                .insert(header(message, "Call-ID"), message.to_owned());
        }
    }

    fn invite(&self) -> String {
        wait_until("a call to the desk phone", || self.invite.lock().expect("the phone").clone())
    }

    fn refer(&self, to: &str) {
        let invite = self.invite();
        let own = format!("Referred-By: <sip:{}@{}>", self.device, self.own);
        self.in_call("REFER", &invite, &[&format!("Refer-To: <{to}>"), &own]);
    }

    /// The Call-ID of a call of its own: phones must not share one.
    fn id(&self, name: &str) -> String {
        format!("{name}-{}", self.device)
    }

    /// Its own side of a call of its own.
    fn own_side(&self, name: &str) -> String {
        format!("<sip:{}@{}>;tag={name}", self.device, self.own)
    }

    fn answer(&self, name: &str) -> String {
        self.answers.lock().expect("the phone")[&self.id(name)].clone()
    }

    /// A number, in place of a call of its own.
    fn replacing(&self, name: &str, number: &str) -> String {
        let answer = self.answer(name);
        let id = self.id(name);
        let far = tag(&header(&answer, "To")).expect("the far end's tag");
        format!("sip:{number}@{}?Replaces={id}%3Bto-tag%3D{far}%3Bfrom-tag%3D{name}", self.pbx)
    }

    fn refer_in_own(&self, name: &str, to: &str) {
        let own = format!("Referred-By: <sip:{}@{}>", self.device, self.own);
        self.in_own_call("REFER", name, &[&format!("Refer-To: <{to}>"), &own]);
    }

    /// A request inside a call of its own.
    fn in_own_call(&self, method: &str, name: &str, extra: &[&str]) {
        let answer = self.answer(name);
        let contact = header(&answer, "Contact");
        let uri = contact.split(['<', '>']).nth(1).unwrap_or(&contact).to_owned();
        self.request(
            method,
            &uri,
            &self.own_side(name),
            &header(&answer, "To"),
            &self.id(name),
            extra,
            false,
        );
    }

    /// A request inside the call that `invite` began.
    fn in_call(&self, method: &str, invite: &str, extra: &[&str]) {
        let contact = header(invite, "Contact");
        let uri = contact.split(['<', '>']).nth(1).unwrap_or(&contact).to_owned();
        let from = format!("{};tag=first", header(invite, "To"));
        self.request(
            method,
            &uri,
            &from,
            &header(invite, "From"),
            &header(invite, "Call-ID"),
            extra,
            false,
        );
    }

    #[allow(clippy::too_many_arguments, reason = "the headers of a SIP request")]
    fn request(
        &self,
        method: &str,
        uri: &str,
        from: &str,
        to: &str,
        id: &str,
        extra: &[&str],
        media: bool,
    ) {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let mut head = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK-desk-{id}-{number}\r\nMax-Forwards: \
             70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: {number} {method}\r\nContact: <sip:{}@{}>\r\n",
            self.own, self.device, self.own
        );
        for line in extra {
            head.push_str(&format!("{line}\r\n"));
        }
        self.send(&head, media);
    }

    fn acknowledge(&self, answer: &str) {
        let cseq = header(answer, "CSeq");
        let number = cseq.split(' ').next().unwrap_or_default();
        let contact = header(answer, "Contact");
        let uri = contact.split(['<', '>']).nth(1).unwrap_or(&contact);
        self.send(
            &format!(
                "ACK {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK-desk-ack-{number}\r\nMax-Forwards: 70\r\nFrom: \
                 {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {number} ACK\r\n",
                self.own,
                header(answer, "From"),
                header(answer, "To"),
                header(answer, "Call-ID"),
            ),
            false,
        );
    }

    fn reply(&self, request: &str, status: &str, media: bool) {
        let to = header(request, "To");
        let tagged = if tag(&to).is_some() { to } else { format!("{to};tag=first") };
        let vias: String = request
            .lines()
            .filter(|line| line.starts_with("Via:"))
            .map(|via| format!("{}\r\n", via.trim_end()))
            .collect();
        let head = format!(
            "SIP/2.0 {status}\r\n{vias}From: {}\r\nTo: {tagged}\r\nCall-ID: {}\r\nCSeq: {}\r\nContact: <sip:{}@{}>\r\n",
            header(request, "From"),
            header(request, "Call-ID"),
            header(request, "CSeq"),
            self.device,
            self.own
        );
        self.send(&head, media);
    }

    fn send(&self, head: &str, media: bool) {
        let ip = self.own.split(':').next().unwrap_or_default();
        let body = if media {
            format!(
                "v=0\r\no=desk 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
                self.media
            )
        } else {
            String::new()
        };

        let kind = if media { "Content-Type: application/sdp\r\n" } else { "" };
        let text = format!("{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len());
        self.socket.send_to(text.as_bytes(), &self.pbx).expect("a datagram on loopback");
    }

    /// Silence, 50 packets a second: a Local channel is taken out of a call only once audio flows,
    /// and digits pressed from the manager need something that comes in.
    fn talk(&self) {
        let port = loop {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let invite = self.invite.lock().expect("the phone").clone();
            let media = invite.as_deref().and_then(|text| {
                text.split("m=audio ").nth(1)?.split(' ').next()?.parse::<u16>().ok()
            });
            match media {
                Some(port) => break port,
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        };

        let (ip, pbx) = (
            self.own.split(':').next().unwrap_or_default(),
            self.pbx.split(':').next().unwrap_or_default(),
        );
        let Ok(socket) = UdpSocket::bind((ip, self.media)) else { return };

        for number in 0u16.. {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let mut packet = vec![0x80, 0];
            packet.extend(number.to_be_bytes());
            packet.extend((u32::from(number) * 160).to_be_bytes());
            packet.extend(b"desk");
            packet.extend([0xff; 160]);
            let _ = socket.send_to(&packet, (pbx, port));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn header(message: &str, name: &str) -> String {
    let line = message.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value)
    });
    line.unwrap_or_default().trim().to_owned()
}

fn tag(value: &str) -> Option<String> {
    value.split_once("tag=").map(|(_, rest)| rest.split(';').next().unwrap_or_default().to_owned())
}
