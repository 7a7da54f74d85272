//! An Asterisk that stopped answering SIP proves nothing about the exporter.
//!
//! Asterisk 22.10.1 can lock up for good in a transfer by REFER: the process runs on and its manager
//! interface answers, but no SIP is handled and no channel ends (asterisk issue 2166, September
//! 2026).  It is rare.

use std::cell::Cell;
use std::net::UdpSocket;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use super::pbx::{Pbx, Plan, Version};

thread_local! {
    /// Whether the server of the test that failed in this thread had locked up.
    static LOCKED_UP: Cell<bool> = const { Cell::new(false) };
}

/// Runs a test, and once more on a new server if it failed on one that had locked up.
pub(crate) fn retry_if_locked_up(test: impl Fn()) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(&test)) else { return };
    if !LOCKED_UP.take() {
        resume_unwind(panic);
    }
    println!("Asterisk itself had locked up: it answered no SIP.  The test begins again.");
    test();
}

/// Remembers that a server had locked up, for `retry_if_locked_up`.
pub(crate) fn note_lock_up() {
    LOCKED_UP.set(true);
}

/// Whether a server on the first address of that network answers OPTIONS, whatever the answer is.
pub(crate) fn answers_sip(net: &str) -> bool {
    let socket = UdpSocket::bind((format!("{net}.2").as_str(), 0)).expect("an address on loopback");
    socket.connect((format!("{net}.1").as_str(), 5060)).expect("an address on loopback");
    socket.set_read_timeout(Some(WAIT)).expect("a time above zero");
    let port = socket.local_addr().expect("a bound socket").port();

    (0..TRIES).any(|attempt| {
        let request = format!(
            "OPTIONS sip:{net}.1 SIP/2.0\r\nVia: SIP/2.0/UDP {net}.2:{port};branch=z9hG4bK-{port}-{attempt}\r\n\
             From: <sip:test@{net}.2>;tag={port}\r\nTo: <sip:{net}.1>\r\nCall-ID: {port}@{net}.2\r\n\
             CSeq: {} OPTIONS\r\nContact: <sip:test@{net}.2:{port}>\r\nMax-Forwards: 70\r\n\
             Content-Length: 0\r\n\r\n",
            attempt + 1
        );
        // A port where nobody listens is an error here, and no answer either.
        let sent = socket.send(request.as_bytes()).is_ok();
        sent && socket.recv(&mut [0; 2048]).is_ok()
    })
}

/// A server that is only slow answers within these.
const WAIT: Duration = Duration::from_secs(2);
const TRIES: u32 = 5;

/// Without it, a server that is well could pass for one that locked up, and a failure be excused.
#[test]
fn a_lock_up_is_recognised_and_nothing_else() {
    for version in [Version::V16, Version::V22].into_iter().filter(|version| version.is_installed())
    {
        let pbx = Pbx::start(version, "lock-up", 7, &Plan::default());
        assert!(pbx.is_running() && pbx.answers_sip());

        pbx.stop();
        assert!(pbx.is_running() && !pbx.answers_sip());
        pbx.run_on();
        assert!(pbx.answers_sip());

        // One that is gone has not locked up: that is a failure.
        pbx.crash();
        assert!(!pbx.is_running());
    }
}
