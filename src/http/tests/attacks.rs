//! Hostile and broken clients: what they get, what it costs, and that others are served.

use super::connections::{CONNECTIONS_EACH, MAX_CONNECTIONS, SCRAPES_EACH};
use super::*;

/// A connection from one of the addresses of loopback.
async fn connect(site: &Site, last: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into()).unwrap();
    socket.connect(site.address).await.unwrap()
}

/// Asks for nothing much; the answer shows that all connections before are accepted.
async fn is_served(site: &Site, last: u8) -> bool {
    let mut stream = connect(site, last).await;
    ask_on(&mut stream, "GET /-/healthy").await.is_ok_and(|reply| reply.status == 200)
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0]).await, Ok(0) | Err(_))
}

fn is_open(stream: &TcpStream) -> bool {
    let read = stream.try_read(&mut [0]);
    read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn four_clients_with_all_connections_lock_nobody_out() {
    let site = Site::new().await;
    let mut idle = Vec::new();
    for last in 1..=4 {
        for _ in 0..CONNECTIONS_EACH {
            idle.push(connect(&site, last).await);
        }
    }
    assert_eq!(idle.len(), MAX_CONNECTIONS);

    assert!(is_served(&site, 9).await);
    // The first one, which has been idle for longest, has given way.
    assert!(is_closed(&mut idle[0]).await);
    assert!(idle[1..].iter().all(is_open));
    assert_eq!(site.refusals.counted(HttpRefusal::Displaced), 1);
    assert_eq!(site.refusals.counted(HttpRefusal::Connections), 0);
}

#[tokio::test]
async fn a_thousand_connections_with_half_a_head_are_some_dozens() {
    let site = Site::new().await;
    let mut slow = Vec::new();
    for _ in 0..1000 {
        let mut stream = connect(&site, 1).await;
        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: expor").await;
        slow.push(stream);
    }
    assert!(is_served(&site, 2).await);
    assert!(is_served(&site, 1).await);
    // The last one took the place of one more.
    let displaced = site.refusals.counted(HttpRefusal::Displaced);
    assert_eq!(displaced, 1000 - CONNECTIONS_EACH as u64 + 1);
    assert!(is_open(slow.last().unwrap()));
}

#[tokio::test]
async fn a_connection_that_is_worked_for_does_not_give_way() {
    let (write, mut entries, gate) = gated();
    let site = Site::with(0, write).await;
    let mut busy = Vec::new();
    for _ in 0..CONNECTIONS_EACH {
        let mut stream = connect(&site, 1).await;
        send(&mut stream, "GET /metrics").await;
        busy.push(stream);
    }
    entries.recv().await.unwrap();
    // Whether all requests have come in is seen by what is refused.
    while site.refusals.counted(HttpRefusal::ClientConnections) == 0 {
        let mut more = connect(&site, 1).await;
        assert!(is_closed(&mut more).await);
    }
    drop(gate);
    assert!(is_served(&site, 2).await);
}

#[tokio::test]
async fn pages_that_nobody_reads_are_few_and_those_who_read_get_theirs() {
    let (write, mut entries) = huge();
    let site = Site::with(Scraper::DEFAULT_LIMIT, write).await;
    let mut unread = Vec::new();
    for _ in 0..10 {
        let mut stream = connect(&site, 1).await;
        send(&mut stream, "GET /metrics").await;
        entries.recv().await.unwrap();
        // It has begun to send, so the page is counted.
        stream.readable().await.unwrap();
        unread.push(stream);
    }
    // Three pages are kept, so seven had to go.
    assert_eq!(site.refusals.counted(HttpRefusal::Unread), 7);

    let mut reader = connect(&site, 2).await;
    assert_eq!(ask(&mut reader, "GET /metrics").await.body.len(), 32 << 20);
    assert_eq!(site.refusals.counted(HttpRefusal::Unread), 8);

    // The latest one gets what it asked for as it reads at last.
    let mut rest = Vec::new();
    unread.last_mut().unwrap().read_to_end(&mut rest).await.unwrap();
    assert!(rest.len() > 32 << 20);
    let mut cut = Vec::new();
    let _ = unread[0].read_to_end(&mut cut).await;
    assert!(cut.len() < 32 << 20);
}

#[tokio::test]
async fn clients_that_ask_at_once_share_one_page_even_unread() {
    let (write, mut entries, gate) = gated();
    let site = Site::with(0, write).await;
    let mut all = Vec::new();
    for _ in 0..SCRAPES_EACH {
        let mut stream = connect(&site, 1).await;
        send(&mut stream, "GET /metrics").await;
        all.push(stream);
    }
    entries.recv().await.unwrap();
    // All requests are in by then: this connection is accepted behind them.
    assert!(is_served(&site, 2).await);
    drop(gate);
    for stream in &mut all {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert!(text.ends_with("\r\n\r\nup 1\n"), "{text}");
    }
    // One for the first, which had begun, and one for all others.
    entries.recv().await.unwrap();
    assert!(entries.try_recv().is_err());
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_their_order() {
    let site = Site::new().await;
    let mut stream = connect(&site, 1).await;
    let request = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request.repeat(500).as_bytes()).await.unwrap();
    let reply = ask(&mut stream, "GET /nowhere").await;
    let text = format!("{}\r\n\r\n{}", reply.head, reply.text());
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 500);
    assert_eq!(text.matches("HTTP/1.1 404 Not Found").count(), 1);
    assert!(text.rfind("HTTP/1.1 200").unwrap() < text.find("HTTP/1.1 404").unwrap());
}

#[tokio::test]
async fn a_client_that_closes_its_side_gets_its_answer() {
    let site = Site::new().await;
    let mut stream = connect(&site, 1).await;
    stream.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("\r\n\r\nhealthy\n"), "{text}");
}

#[tokio::test]
async fn huge_heads_are_refused() {
    let site = Site::new().await;
    let long = format!("GET /\nX-Long: {}", "x".repeat(MAX_HEADER_BYTES));
    let many = format!("GET /\n{}", vec!["X-Many: 1"; 101].join("\r\n"));
    for request in [long, many] {
        let mut stream = connect(&site, 1).await;
        send(&mut stream, &request).await;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 431");
    }
}

#[tokio::test]
async fn a_body_is_not_waited_for() {
    let site = Site::new().await;
    let reply = site.ask("POST /metrics\nContent-Length: 1000000000").await;
    assert_eq!(reply.status, 405);
    let reply = site.ask("GET /-/healthy\nTransfer-Encoding: chunked").await;
    assert_eq!(reply.status, 200);
}

#[tokio::test(start_paused = true)]
async fn silent_clients_and_unread_answers_are_counted_as_they_end() {
    let (write, mut entries) = huge();
    let site = Site::with(1, write).await;
    let mut silent = connect(&site, 1).await;
    assert!(is_closed(&mut silent).await);
    assert_eq!(site.refusals.counted(HttpRefusal::Timeout), 1);

    tokio::time::resume();
    let mut unread = connect(&site, 1).await;
    send(&mut unread, "GET /metrics").await;
    entries.recv().await.unwrap();
    unread.readable().await.unwrap();
    tokio::time::pause();
    while site.refusals.counted(HttpRefusal::Unread) == 0 {
        tokio::time::advance(Duration::from_secs(1)).await;
    }
}

const SETTINGS: u8 = 4;
const RESET: u8 = 3;
const GO_AWAY: u8 = 7;

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A GET, without more to come: method, scheme and `/metrics`, which is in no table.
fn request(stream: u32) -> Vec<u8> {
    frame(1, 0x05, stream, b"\x82\x86\x04\x08/metrics")
}

async fn http2(site: &Site) -> TcpStream {
    let mut stream = connect(site, 1).await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    stream
}

/// The next frame: its kind, and its payload.
async fn read_frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    stream.read_exact(&mut payload).await.unwrap();
    (head[3], payload)
}

#[tokio::test]
async fn streams_that_are_reset_at_once_end_the_connection_and_cost_few_scrapes() {
    let (write, mut entries, gate) = gated();
    let site = Site::with(Scraper::DEFAULT_LIMIT, write).await;
    let mut stream = http2(&site).await;
    let cancel = 8_u32.to_be_bytes();
    let all = (0..500).map(|n| [request(2 * n + 1), frame(RESET, 0, 2 * n + 1, &cancel)].concat());
    let _ = stream.write_all(&all.collect::<Vec<_>>().concat()).await;

    let code = loop {
        let (kind, payload) = read_frame(&mut stream).await;
        if kind == GO_AWAY {
            break payload[7];
        }
    };
    const ENHANCE_YOUR_CALM: u8 = 11;
    assert_eq!(code, ENHANCE_YOUR_CALM);
    assert!(is_served(&site, 2).await);

    drop(gate);
    let mut begun = 0;
    while entries.try_recv().is_ok() {
        begun += 1;
    }
    assert!(begun <= SCRAPES_EACH, "{begun}");
}

#[tokio::test]
async fn more_streams_than_allowed_are_refused() {
    let (write, _entries, gate) = gated();
    let site = Site::with(Scraper::DEFAULT_LIMIT, write).await;
    let mut stream = http2(&site).await;
    let all: Vec<_> = (0..10).flat_map(|n| request(2 * n + 1)).collect();
    stream.write_all(&all).await.unwrap();

    const REFUSED: u8 = 7;
    let mut refused = 0;
    while refused < 10 - MAX_STREAMS {
        let (kind, payload) = read_frame(&mut stream).await;
        if kind == RESET {
            assert_eq!(payload[3], REFUSED);
            refused += 1;
        }
    }
    drop(gate);
    const HEADERS: u8 = 1;
    let mut answered = 0;
    while answered < MAX_STREAMS {
        answered += u32::from(read_frame(&mut stream).await.0 == HEADERS);
    }
}
