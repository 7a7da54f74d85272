//! What sipp plays, in its XML.

use super::sipp::{Caller, Phone};

/// What sipp plays for a phone of this kind; nothing for those that other programs play, or nobody.
pub(crate) fn of_phone(phone: Phone) -> Option<String> {
    let colleague = super::COLLEAGUE;
    let body = match phone {
        Phone::Answers => rings() + &answers_after(1000) + &until_bye(None),
        Phone::HangsUp => rings() + &answers_after(1000) + &until_bye(Some(3000)),
        Phone::Rings => rings() + &waits_for_cancel(),
        Phone::Busy => reply("486 Busy Here", false) + &ack(),
        Phone::Unavailable => reply("480 Temporarily Unavailable", false) + &ack(),
        Phone::BlindTransfers => {
            rings()
                + &answers_after(1000)
                + &pause(1500)
                + &presses(&format!("#1{colleague}"))
                + &until_bye(None)
        }
        // The colleague answers after a second.
        Phone::AttendedTransfers => {
            rings()
                + &answers_after(1000)
                + &pause(1500)
                + &presses(&format!("*2{colleague}"))
                + &until_bye(Some(6000))
        }
        Phone::Holds => {
            rings()
                + &answers_after(1000)
                + &pause(1000)
                + &reinvite("sendonly", 2)
                + &pause(2000)
                + &reinvite("sendrecv", 3)
                + &until_bye(None)
        }
        Phone::Forwards => {
            reply("302 Moved Temporarily", false).replace("<sip:", &format!("<sip:{colleague}@"))
                + &ack()
        }
        Phone::Random => random_phone(),
        Phone::Desk | Phone::Unreachable => return None,
    };
    Some(called(&body))
}

/// Numbers of the carrier: `9200` answers, `9201` answers and hangs up after two seconds, `9180`
/// rings for ever, and `9` with one of these codes is refused with it.
const REFUSALS: [u16; 14] = [403, 404, 408, 410, 480, 484, 486, 488, 500, 502, 503, 504, 600, 603];

/// Media that nobody listens to: the far end is a closed port.  chan_sip reads nothing of a version
/// it has seen.
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

// The called side.

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

/// Answers a request; `first` is the INVITE's, whose CSeq is kept, since another request may have
/// come since.
fn reply(status: &str, first: bool) -> String {
    let cseq = if first { "CSeq: [$cseq] INVITE\n" } else { "[last_CSeq:]\n" };
    let headers = format!(
        "[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]u[call_number]\n[last_Call-ID:]\n{cseq}Contact: \
         <sip:[local_ip]:[local_port]>\n"
    );

    let body = sdp("sendrecv", 1);
    let with_media = first && status.starts_with("200");
    send(
        &format!("SIP/2.0 {status}"),
        &headers,
        with_media.then_some(("application/sdp", body.as_str())),
        "",
    )
}

fn rings() -> String {
    reply("180 Ringing", false)
}

/// Answers after that long, unless the call is cancelled before.
fn answers_after(milliseconds: u32) -> String {
    format!(
        "<recv request=\"CANCEL\" timeout=\"{milliseconds}\" ontimeout=\"answer\" next=\"cancelled\"/>\n"
    ) + &cancelled()
        + &label("answer")
        + &reply("200 OK", true).replacen("<send ", "<send retrans=\"500\" ", 1)
        + &ack()
}

fn waits_for_cancel() -> String {
    "<recv request=\"CANCEL\" next=\"cancelled\"/>\n".to_owned() + &cancelled()
}

/// The way out of a cancelled call; jumped to, and over.
fn cancelled() -> String {
    let headers =
        "[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]u[call_number]\n[last_Call-ID:]\n";
    "<nop next=\"after_cancelled\"/>\n".to_owned()
        + &label("cancelled")
        + &send("SIP/2.0 200 OK", &format!("{headers}[last_CSeq:]\n"), None, "")
        + &send(
            "SIP/2.0 487 Request Terminated",
            &format!("{headers}CSeq: [$cseq] INVITE\n"),
            None,
            "retrans=\"500\"",
        )
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
            request("INFO", cseq, Some(("application/dtmf-relay", &body)))
                + "<recv response=\"200\"/>\n"
                + &pause(200)
        })
        .collect()
}

fn reinvite(direction: &str, cseq: u32) -> String {
    let ack = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nFrom:[$me];tag=[pid]u[call_number]\n\
               To:[$peer]\n[last_Call-ID:]\n";
    request("INVITE", cseq, Some(("application/sdp", &sdp(direction, cseq))))
        + "<recv response=\"100\" optional=\"true\"/>\n<recv response=\"200\"/>\n"
        + &send(
            "ACK sip:@PBX@ SIP/2.0",
            &format!("{ack}CSeq: {cseq} ACK\nMax-Forwards: 70\n"),
            None,
            "",
        )
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

/// Refuses one call in eight (busy, or unavailable), lets a fifth ring for ever, and answers the
/// others after 0.3, 1.2 or 2.6 seconds.  Of those that answer, a third hangs up first and one in
/// fourteen transfers blind.
fn random_phone() -> String {
    let chance =
        |label: &str, chance: f64| format!("<nop next=\"{label}\" chance=\"{chance}\"/>\n");
    let wait = |name: &str, limit: u32| {
        label(name)
            + &format!(
                "<recv request=\"CANCEL\" timeout=\"{limit}\" ontimeout=\"answer\" next=\"cancelled\"/>\n"
            )
    };

    let colleague = super::COLLEAGUE;
    let say_bye =
        label("bye") + &request("BYE", 99, None) + "<recv response=\"200\" next=\"end\"/>\n";
    let bye_after = |name: &str, limit: u32| {
        label(name)
            + &format!(
                "<recv request=\"BYE\" timeout=\"{limit}\" ontimeout=\"bye\" next=\"byed\"/>\n"
            )
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
        // BYE of a caller who hangs up while keys are pressed ends the sipp call: Asterisk is answered by nobody, as if the phone lost power.
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

/// Only a REFUSALS number is distinguished by the caller of this scenario: see [`called`].
pub(crate) fn carrier() -> String {
    let mut text =
        "<nop next=\"ringing\" test=\"answers\"/>\n<nop next=\"ringing\" test=\"rings\"/>\n"
            .to_owned();
    for code in REFUSALS {
        text.push_str(&format!("<nop next=\"c{code}\" test=\"is{code}\"/>\n"));
    }
    text.push_str("<nop next=\"c404\"/>\n");

    for code in REFUSALS {
        text.push_str(&(label(&format!("c{code}")) + &reply(&format!("{code} Refused"), false)));
        text.push_str("<recv request=\"ACK\" next=\"end\"/>\n");
    }

    text += &(label("ringing")
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
        + &until_bye(Some(2000)));

    called(&text)
}

// The calling side.

pub(crate) fn calling(caller: &Caller, from: &str) -> String {
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
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<scenario name=\"calling\">\n",
    );

    if let Some(limit) = caller.cancel {
        // An INVITE and its CANCEL have one branch.
        let branch = "z9hG4bK-[pid]-[call_number]-i";
        text += &send(
            invite,
            &head("INVITE", 1, fresh).replace("[branch]", branch),
            media,
            "retrans=\"500\"",
        );
        text += "<recv response=\"100\"/>\n";
        for code in [180, 183] {
            text += &format!(
                "<recv response=\"{code}\" optional=\"true\" timeout=\"{limit}\" ontimeout=\"give_up\"/>\n"
            );
        }
        text += &format!("<recv response=\"200\" timeout=\"{limit}\" ontimeout=\"give_up\"/>\n");
        text += &label("give_up");
        let cancel = "CANCEL sip:[service]@[remote_ip]:[remote_port] SIP/2.0";
        text += &send(
            cancel,
            &head("CANCEL", 1, fresh).replace("[branch]", branch),
            None,
            "retrans=\"500\"",
        );
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
        text += &send(
            "INFO [next_url] SIP/2.0",
            &head("INFO", cseq, "[last_To:]"),
            info,
            "retrans=\"500\"",
        );
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
    text +=
        &send("BYE [next_url] SIP/2.0", &head("BYE", 90, "[last_To:]"), None, "retrans=\"500\"");
    text += "<recv response=\"200\" next=\"end\"/>\n";
    text += &label("refused");
    let ack = "ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0";
    text += &send(
        ack,
        "[last_Via:]\n[last_From:]\n[last_To:]\nCall-ID: [call_id]\nCSeq: 1 ACK\n",
        None,
        "",
    );

    text + &label("end") + "</scenario>\n"
}
