//! Hostile clients of the pages: what they cost, and whether the reading of the PBX suffers.
//!
//! For each attack a new process, with a page of some ten megabytes; events come all the time.  The
//! first row is without an attack, since on a shared machine a reader is also made to wait by others.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::exporter::{Exporter, sum};
use super::measure::{now, wait_for};
use super::pbx::{Pbx, Session};
use super::resync::{lists, trickle};
use super::stall::Stall;
use super::table::{Table, span};
use super::{Context, Failure};

/// Prints the table.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let mut table = Table::new(
        "Hostile clients of the pages for ten seconds, beside events",
        &[
            "attack",
            "reader stood still at most",
            "memory before",
            "at most",
            "a minute later",
            "refused",
        ],
    );
    for (name, attack) in ATTACKS {
        table.row(once(context, name, *attack)?);
    }
    println!("{table}");
    Ok(())
}

/// What one client does, again and again until it is over; its connections end with it.
type Attack = fn(&str, &AtomicBool) -> std::io::Result<()>;

const ATTACKS: &[(&str, Option<Attack>)] = &[
    ("none", None),
    ("GETs whose pages nobody reads", Some(unread)),
    ("GETs whose pages are read", Some(read)),
    ("heads that never end", Some(slow_heads)),
    ("HTTP/2 streams that are reset", Some(resets)),
];

fn once(context: &Context, name: &str, attack: Option<Attack>) -> Result<[String; 6], Failure> {
    let pbx = Pbx::new(lists())?;
    let more = ["queue_status_interval: 10m", "ping_interval: 5m"];
    let exporter = Exporter::start(&context.exporter, &[pbx.port()?], &more)?;
    let mut session = pbx.accept()?;
    let is_ready = || exporter.get("/-/ready").is_ok().then_some(());
    wait_for(Duration::from_secs(60), is_ready).ok_or("the PBX was not synchronised")?;
    exporter.scrape()?;
    session.stream.set_read_timeout(Some(BETWEEN_EVENTS))?;

    let before = exporter.process.resident();
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..attack.map_or(0, |_| CLIENTS))
        .map(|_| {
            let (over, address) = (Arc::clone(&over), exporter.address.clone());
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    // It is refused again and again.
                    let _ = attack.map(|attack| attack(&address, &over));
                }
            })
        })
        .collect();
    let stall = Stall::watch(&session.stream, &session.sent)?;
    let most = feed(&mut session, &exporter, ATTACKED)?;
    let stood = stall.longest();
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().map_err(|_| "a client panicked")?;
    }

    // The last connections of the clients are gone; what they took is given back.
    feed(&mut session, &exporter, Duration::from_secs(60))?;
    let later = exporter.process.resident();
    let refused = sum(&exporter.scrape()?, "asterisk_exporter_http_refused_total", "");
    let mebibytes = |bytes: u64| format!("{:.0} MiB", bytes as f64 / 1_048_576.0);
    let memory = [before, most, later].map(mebibytes);
    let [before, most, later] = memory;
    Ok([name.to_owned(), span(stood), before, most, later, format!("{refused:.0}")])
}

/// Sends events for a while; the most memory meanwhile.
fn feed(session: &mut Session, exporter: &Exporter, time: Duration) -> std::io::Result<u64> {
    let (begun, mut most) = (now(), 0);
    while begun.elapsed() < time {
        trickle(session)?;
        most = most.max(exporter.process.resident());
    }
    Ok(most)
}

fn unread(address: &str, over: &AtomicBool) -> std::io::Result<()> {
    let mut all = Vec::new();
    for _ in 0..16 {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(GET)?;
        all.push(stream);
        std::thread::sleep(Duration::from_millis(200));
        if over.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(())
}

fn read(address: &str, _: &AtomicBool) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(GET)?;
    std::io::copy(&mut stream, &mut std::io::sink()).map(|_| ())
}

fn slow_heads(address: &str, over: &AtomicBool) -> std::io::Result<()> {
    let mut all = Vec::new();
    for _ in 0..250 {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: ")?;
        all.push(stream);
        if over.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(())
}

fn resets(address: &str, _: &AtomicBool) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")?;
    for number in (1..1000_u32).step_by(2) {
        let id = number.to_be_bytes();
        let request = [b"\0\0\x0c\x01\x05", &id[..], b"\x82\x86\x04\x08/metrics"].concat();
        let reset = [b"\0\0\x04\x03\0", &id[..], b"\0\0\0\x08"].concat();
        stream.write_all(&[request, reset].concat())?;
    }
    stream.read_to_end(&mut Vec::new()).map(|_| ())
}

const GET: &[u8] = b"GET /metrics HTTP/1.0\r\nAccept: text/plain\r\n\r\n";
const CLIENTS: usize = 4;
const ATTACKED: Duration = Duration::from_secs(10);
const BETWEEN_EVENTS: Duration = Duration::from_millis(2);
