//! The pages over a real socket.

mod attacks;
mod wallboard;
mod web;

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, mpsc};

use flate2::read::GzDecoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::mpsc as signals;

use super::*;
use crate::clock::Moment;
use crate::correlator::Missing;
use crate::health::Phase;
use crate::metrics::{Exporter, Exposition, Format, Metrics, Part, Settings};
use crate::pbx::PbxName;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

type WritePage = dyn Fn(Exposition, &Part) -> Vec<u8> + Send + Sync;

/// The pages served on a port of their own.
struct Site {
    address: SocketAddr,
    health: Arc<Health>,
    refusals: HttpRefusals,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Site {
    async fn with(limit: usize, write: Box<WritePage>) -> Self {
        Self::protected(limit, write, None).await
    }

    async fn protected(limit: usize, write: Box<WritePage>, web: Option<WebConfig>) -> Self {
        Self::reloadable(limit, write, web, None).await
    }

    async fn reloadable(
        limit: usize,
        write: Box<WritePage>,
        web: Option<WebConfig>,
        lifecycle: Option<Lifecycle>,
    ) -> Self {
        Self::watched(limit, write, web, (lifecycle, 0)).await
    }

    /// The same with a wallboard for so many viewers; none for 0.
    async fn watched(
        limit: usize,
        write: Box<WritePage>,
        web: Option<WebConfig>,
        (lifecycle, viewers): (Option<Lifecycle>, usize),
    ) -> Self {
        let listener = bind(&[(Ipv4Addr::LOCALHOST, 0).into()]).await.unwrap().remove(0);
        let names = [("hq", "10.0.0.5:5038"), ("<b>", "10.0.1.5:5038")];
        let health = Arc::new(Health::new(
            names.map(|(name, address)| (PbxName::new(name), address.to_owned())),
        ));
        let numbers = Arc::new(write);
        let refusals = HttpRefusals::default();
        let exporter = Mutex::new(Exporter::new(Metrics::new(Settings::default()), Vec::new()));
        let take = move |quarters| {
            exporter.lock().unwrap().board(Moment::from_secs(1_764_000_000), quarters)
        };
        let wallboard = Wallboard::new(viewers, Arc::clone(&health), take);
        let wallboard = Some(Arc::new(wallboard)).filter(|_| viewers > 0);
        let pages = Pages {
            telemetry_path: "/metrics".to_owned(),
            lifecycle,
            health: Arc::clone(&health),
            scraper: Scraper::new(limit, move || Arc::clone(&numbers) as Arc<dyn Numbers>),
            wallboard: wallboard.clone(),
            clock: Clock::start(),
            web: web.map(Arc::new),
            connections: Connections::default(),
            refusals: refusals.clone(),
        };
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        if let Some(wallboard) = wallboard {
            tasks.spawn(wallboard.run(stopped.clone()));
        }
        tasks.spawn(serve(listener, Arc::new(pages), stopped));
        Self { address, health, refusals, stop, tasks }
    }

    async fn new() -> Self {
        let write = |exposition, part: &Part| match (exposition, part) {
            (_, Part::Pbx(pbx)) => pbx.as_str().into(),
            (_, Part::Exporter) => b"own 1\n".to_vec(),
            (Exposition::Text(Format::OpenMetrics), Part::All) => b"up 1\n# EOF\n".to_vec(),
            (Exposition::Text(Format::Text), Part::All) => b"up 1\n".repeat(1000),
            (Exposition::Protobuf, Part::All) => vec![0xff],
        };
        Self::with(Scraper::DEFAULT_LIMIT, Box::new(write)).await
    }

    async fn ask(&self, request: &str) -> Reply {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        ask(&mut stream, request).await
    }
}

/// A response as it came over the wire.
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| {
            line.split(':').next().is_some_and(|found| found.eq_ignore_ascii_case(name))
        };
        Some(self.head.lines().find(named)?.split_once(':')?.1.trim())
    }

    fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }
}

/// Sends a request line, with other headers than curl's after it if any, and reads until the far
/// end closes.
async fn ask(stream: &mut TcpStream, request: &str) -> Reply {
    ask_on(stream, request).await.unwrap()
}

/// The same on any stream; an error if it breaks.
async fn ask_on(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &str,
) -> std::io::Result<Reply> {
    stream.write_all(closing(request).as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok(reply(bytes))
}

/// Asks on a connection that stays open.
async fn ask_keeping(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> Reply {
    let (line, headers) = request.split_once('\n').unwrap_or((request, "Accept: */*"));
    let text = format!("{line} HTTP/1.1\r\nHost: exporter\r\n{headers}\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();

    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
    let head = reply(bytes);
    let mut body = vec![0; head.header("content-length").unwrap().parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    Reply { body, ..head }
}

fn reply(mut bytes: Vec<u8>) -> Reply {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head, body: bytes.split_off(end + 4) }
}

async fn send(stream: &mut TcpStream, request: &str) {
    stream.write_all(closing(request).as_bytes()).await.unwrap();
}

/// A request after which the connection ends.
fn closing(request: &str) -> String {
    let (line, headers) = request.split_once('\n').unwrap_or((request, "Accept: */*"));
    format!("{line} HTTP/1.1\r\nHost: exporter\r\nConnection: close\r\n{headers}\r\n\r\n")
}

/// A scrape that signals when it begins, and ends when the gate opens.
fn gated() -> (Box<WritePage>, signals::UnboundedReceiver<()>, mpsc::Sender<()>) {
    let (entered, entries) = signals::unbounded_channel();
    let (open, gate) = mpsc::channel();
    let gate = Mutex::new(gate);
    let write = move |_: Exposition, _: &Part| {
        entered.send(()).unwrap();
        // A gate that is gone is open.
        let _ = gate.lock().unwrap().recv();
        b"up 1\n".to_vec()
    };
    (Box::new(write), entries, open)
}

/// A scrape of more than any socket buffers, and the signal that it began.
fn huge() -> (Box<WritePage>, signals::UnboundedReceiver<()>) {
    let (entered, entries) = signals::unbounded_channel();
    let write = move |_: Exposition, _: &Part| {
        entered.send(()).unwrap();
        b"x".repeat(32 << 20)
    };
    (Box::new(write), entries)
}

#[tokio::test]
async fn each_client_gets_its_format() {
    let site = Site::new().await;
    for (accept, expected) in [
        (
            "Accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            OPEN_METRICS,
        ),
        (
            "Accept: text/plain;version=0.0.4;q=0.5\r\nAccept: application/openmetrics-text;version=1.0.0",
            OPEN_METRICS,
        ),
        ("Accept: text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT),
        (
            "Accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
            PROTOBUF,
        ),
        ("Accept: */*", TEXT),
        ("Accept: \u{e4}/application/openmetrics-text", TEXT),
        ("User-Agent: nothing/1", TEXT),
    ] {
        let reply = site.ask(&format!("GET /metrics\n{accept}")).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(expected)), "{accept}");
        assert_eq!(reply.body.ends_with(b"# EOF\n"), expected == OPEN_METRICS);
        assert_eq!(reply.body == [0xff], expected == PROTOBUF);
    }
}

#[tokio::test]
async fn metrics_are_compressed_on_request() {
    let site = Site::new().await;
    let reply = site.ask("GET /metrics\nAccept-Encoding: gzip").await;
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert_eq!(reply.header("content-length"), Some(reply.body.len().to_string().as_str()));
    let mut text = String::new();
    GzDecoder::new(&reply.body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, "up 1\n".repeat(1000));

    let plain = site.ask("GET /metrics\nAccept-Encoding: gzip;q=0").await;
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(plain.text(), text);
}

#[tokio::test]
async fn one_pbx_alone_is_scraped_by_its_name() {
    let site = Site::new().await;
    for query in ["?pbx=%3Cb%3E", "?x=1&pbx=%3cb%3e&pbx=hq"] {
        let reply = site.ask(&format!("GET /metrics{query}")).await;
        assert_eq!((reply.status, reply.text()), (200, "<b>"), "{query}");
    }
    for (query, name) in [("?pbx=HQ", "HQ"), ("?pbx=", ""), ("?pbx", "")] {
        let reply = site.ask(&format!("GET /metrics{query}")).await;
        let text = format!("no pbx {name:?}; there is hq, <b>\n");
        assert_eq!((reply.status, reply.text()), (404, &*text), "{query}");
        assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    assert_eq!(site.ask("GET /metrics?name=hq").await.text(), "up 1\n".repeat(1000));
}

#[tokio::test]
async fn each_pbx_and_the_exporter_are_targets_where_the_client_reached_us() {
    let site = Site::new().await;
    assert_eq!(site.ask("GET /metrics?scope=exporter").await.text(), "own 1\n");
    for (query, text) in [
        ("?scope=", "no scope \"\"; there is exporter\n"),
        ("?scope=pbx", "no scope \"pbx\"; there is exporter\n"),
        ("?scope=exporter&pbx=hq", "either pbx or scope, not both\n"),
    ] {
        let reply = site.ask(&format!("GET /metrics{query}")).await;
        assert_eq!((reply.status, reply.text()), (404, text), "{query}");
    }

    // The host of the test's requests.
    let reply = site.ask("GET /-/targets").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    assert_eq!(
        reply.text(),
        r#"[{"targets":["exporter"],"labels":{"__metrics_path__":"/metrics","__param_scope":"exporter"}},{"targets":["exporter"],"labels":{"__metrics_path__":"/metrics","__param_pbx":"hq","pbx":"hq"}},{"targets":["exporter"],"labels":{"__metrics_path__":"/metrics","__param_pbx":"<b>","pbx":"<b>"}}]"#
    );
}

#[tokio::test]
async fn unknown_paths_name_the_known_ones() {
    let site = Site::new().await;
    let reply = site.ask("GET /metric").await;
    assert_eq!(reply.status, 404);
    assert_eq!(
        reply.text(),
        "not found; there is /, /metrics, /-/targets, /-/healthy and /-/ready\n"
    );
}

#[tokio::test]
async fn a_reload_needs_the_flag_and_a_post_or_put() {
    let site = Site::new().await;
    for request in ["POST /-/reload\nContent-Length: 0", "PUT /-/reload\nContent-Length: 0"] {
        let reply = site.ask(request).await;
        assert_eq!(
            (reply.status, reply.text()),
            (403, "Lifecycle API is not enabled: --web.enable-lifecycle enables it.\n")
        );
    }
    let reply = site.ask("GET /-/reload").await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST, PUT")));
}

#[tokio::test]
async fn the_answer_to_a_reload_is_its_outcome_and_comes_when_it_is_done() {
    let (lifecycle, mut requests) = Lifecycle::channel();
    let write = Box::new(|_: Exposition, _: &Part| Vec::new());
    let site = Site::reloadable(0, write, None, Some(lifecycle)).await;
    let post = "POST /-/reload\nContent-Length: 0";
    let (reply, ()) = tokio::join!(site.ask(post), async {
        requests.recv().await.unwrap().send(Ok("reloaded\n".to_owned())).unwrap();
    });
    assert_eq!((reply.status, reply.text()), (200, "reloaded\n"));

    let (one, another, ()) = tokio::join!(site.ask(post), site.ask(post), async {
        for _ in 0..2 {
            let request = requests.recv().await.unwrap();
            request.send(Err("config.yml:1:1: not a map".to_owned())).unwrap();
        }
    });
    for reply in [one, another] {
        assert_eq!(
            (reply.status, reply.text()),
            (500, "failed to reload config: config.yml:1:1: not a map\n")
        );
    }

    drop(requests);
    let reply = site.ask(post).await;
    assert_eq!(
        (reply.status, reply.text()),
        (500, "failed to reload config: the exporter is stopping\n")
    );
}

#[tokio::test]
async fn other_methods_are_refused_with_the_allowed_ones() {
    let site = Site::new().await;
    for request in ["POST /metrics\nContent-Length: 0", "DELETE /", "OPTIONS /-/ready"] {
        let reply = site.ask(request).await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")), "{request}");
    }
}

#[tokio::test]
async fn every_answer_forbids_guessing_and_keeping() {
    let site = Site::new().await;
    for path in ["/", "/metrics", "/-/healthy", "/-/ready", "/nowhere"] {
        let reply = site.ask(&format!("GET {path}")).await;
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let site = Site::new().await;
    for path in ["/-/healthy", "/"] {
        let get = site.ask(&format!("GET {path}")).await;
        let head = site.ask(&format!("HEAD {path}")).await;
        assert_eq!(head.status, 200);
        assert_eq!(
            head.header("content-length"),
            Some(get.body.len().to_string().as_str()),
            "{path}"
        );
        assert!(head.body.is_empty());
    }
}

#[tokio::test]
async fn a_head_of_the_metrics_costs_no_scrape() {
    let site = Site::with(1, Box::new(|_, _| panic!("a scrape"))).await;
    let reply = site.ask("HEAD /metrics\nAccept-Encoding: gzip").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(TEXT)));
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert_eq!((reply.header("content-length"), reply.body.len()), (None, 0));
    assert_eq!(site.ask("HEAD /metrics?pbx=none").await.status, 404);
    assert_eq!(site.ask("GET /metrics").await.status, 500);
}

#[tokio::test]
async fn ready_names_who_is_not_and_why() {
    let site = Site::new().await;
    assert_eq!(site.ask("GET /-/healthy").await.text(), "healthy\n");
    let error = "login refused: Authentication failed".to_owned();
    site.health.set(0, Phase::Down { error, since: Moment::from_secs(u64::MAX) });
    let reply = site.ask("GET /-/ready").await;
    assert_eq!(reply.status, 503);
    let expected =
        "not ready\nhq: down for 0 s: login refused: Authentication failed\n<b>: starting\n";
    assert_eq!(reply.text(), expected);

    site.health.set(0, Phase::Up { since: Moment::from_secs(1) });
    site.health.set(1, Phase::Synchronising);
    assert_eq!(site.ask("GET /-/ready").await.text(), "not ready\n<b>: synchronising\n");

    site.health.set(1, Phase::Up { since: Moment::from_secs(1) });
    let reply = site.ask("GET /-/ready").await;
    assert_eq!((reply.status, reply.text()), (200, "ready\n"));
}

#[tokio::test]
async fn landing_page_shows_the_pbxs_and_what_to_do() {
    let site = Site::new().await;
    site.health.set(0, Phase::Up { since: Moment::from_secs(1_606_403_878) });
    site.health.set_version(0, "22.5.2".to_owned());
    site.health.set(1, Phase::Down { error: "no <reply>".to_owned(), since: Moment::from_secs(9) });
    site.health.notice(0, "trunks", Some("no <trunk> was seen".to_owned()));
    let reply = site.ask("GET /").await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    assert!(reply.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    let html = reply.text();
    for part in [
        env!("CARGO_PKG_VERSION"),
        "<a href=\"./metrics\">",
        "<a href=\"./-/healthy\">",
        "<a href=\"./-/ready\">",
        "hq</th><td>10.0.0.5:5038</td><td class=\"up\">up</td><td>22.5.2</td><td><time>2020-11-26T15:17:58Z</time>",
        "<h2>&lt;b&gt; is down</h2>",
        "<code>no &lt;reply&gt;</code>",
        "<h2>What hq does not report</h2>\n<ul>\n<li>no &lt;trunk&gt; was seen</li>",
    ] {
        assert!(html.contains(part), "no {part} in\n{html}");
    }
    assert!(!html.contains("<b>") && !html.contains("hq is down"), "{html}");
}

#[tokio::test]
async fn landing_page_shows_what_a_pbx_never_sends_and_what_mends_it() {
    let site = Site::new().await;
    site.health.set(0, Phase::Up { since: Moment::from_secs(1_606_403_878) });
    assert!(!site.ask("GET /").await.text().contains("is reported in part"));
    site.health.set_missing(0, [Missing::ClassAgent, Missing::Hangup].into_iter().collect());
    let reply = site.ask("GET /").await;
    for part in [
        "<h2>hq is reported in part</h2>",
        "<li>no event of class agent comes, though the queues are in use: ",
        "<code>read = system,call,agent,dialplan</code>",
        "<li>Hangup is missing although it must come: ",
        "<code>eventfilter = ^Event: Hangup[[:space:]]</code>",
    ] {
        assert!(reply.text().contains(part), "no {part} in\n{}", reply.text());
    }
}

#[tokio::test]
async fn it_is_unhealthy_while_the_task_of_a_pbx_is_stuck() {
    let site = Site::new().await;
    let now = Clock::start().now();
    site.health.sign_of_life(0, now);
    site.health.sign_of_life(1, Moment::from_micros(now.as_micros() - 7_500_000_000));
    let reply = site.ask("GET /-/healthy").await;
    let expected = "unhealthy\n<b>: its task has been stuck for 2 h 5 min\n";
    assert_eq!((reply.status, reply.text()), (503, expected));

    site.health.sign_of_life(1, now);
    assert_eq!(site.ask("GET /-/healthy").await.status, 200);
}

#[tokio::test]
async fn too_many_scrapes_at_once_are_refused() {
    let (write, mut entries, gate) = gated();
    let site = Site::with(1, write).await;
    let mut first = TcpStream::connect(site.address).await.unwrap();
    send(&mut first, "GET /metrics").await;
    entries.recv().await.unwrap();

    let second = site.ask("GET /metrics").await;
    assert_eq!((second.status, second.text()), (503, "too many scrapes at once\n"));
    assert_eq!(site.ask("GET /-/healthy").await.status, 200);

    drop(gate);
    let mut first_reply = String::new();
    first.read_to_string(&mut first_reply).await.unwrap();
    assert!(
        first_reply.starts_with("HTTP/1.1 200 ") && first_reply.ends_with("\r\n\r\nup 1\n"),
        "{first_reply}"
    );
    assert_eq!(site.ask("GET /metrics").await.status, 200);
}

#[tokio::test]
async fn a_client_that_does_not_read_keeps_nobody_from_scraping() {
    let (write, mut entries) = huge();
    let site = Site::with(1, write).await;
    let mut unread = TcpStream::connect(site.address).await.unwrap();
    send(&mut unread, "GET /metrics").await;
    entries.recv().await.unwrap();
    unread.readable().await.unwrap();
    assert_eq!(site.ask("GET /metrics").await.body.len(), 32 << 20);
}

#[tokio::test]
async fn a_scrape_that_breaks_costs_one_answer() {
    let site = Site::with(1, Box::new(|_, _| panic!("on purpose"))).await;
    for _ in 0..2 {
        let reply = site.ask("GET /metrics").await;
        assert_eq!((reply.status, reply.text()), (500, "the scrape broke off\n"));
    }
}

#[tokio::test]
async fn a_stop_lets_a_running_scrape_finish() {
    let (write, mut entries, gate) = gated();
    let mut site = Site::with(Scraper::DEFAULT_LIMIT, write).await;
    let mut scraper = TcpStream::connect(site.address).await.unwrap();
    send(&mut scraper, "GET /metrics").await;
    entries.recv().await.unwrap();

    site.stop.send(true).unwrap();
    while TcpStream::connect(site.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    drop(gate);
    let mut reply = String::new();
    scraper.read_to_string(&mut reply).await.unwrap();
    assert!(reply.ends_with("\r\n\r\nup 1\n"), "{reply}");
    site.tasks.join_next().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_client_that_does_not_read() {
    let (write, mut entries) = huge();
    let mut site = Site::with(Scraper::DEFAULT_LIMIT, write).await;
    let mut unread = TcpStream::connect(site.address).await.unwrap();
    send(&mut unread, "GET /metrics").await;
    entries.recv().await.unwrap();

    // Not before: a paused clock does not wait for the threads that write pages.
    tokio::time::pause();
    let clock = Clock::start();
    let before = clock.now();
    site.stop.send(true).unwrap();
    site.tasks.join_next().await.unwrap().unwrap();
    assert_eq!(clock.now().since(before).as_secs(), GRACE.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_ends_its_headers_is_hung_up_on() {
    let site = Site::new().await;
    let mut slow = TcpStream::connect(site.address).await.unwrap();
    slow.write_all(b"GET /metrics HTTP/1.1\r\nHost: expor").await.unwrap();
    let mut nothing = Vec::new();
    // The end may come as a reset, since we never read the rest.
    let _ = slow.read_to_end(&mut nothing).await;
    assert!(nothing.is_empty());
}

#[tokio::test]
async fn http_2_is_spoken_without_tls() {
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    /// `:method GET`, `:scheme http` and `:path /` from HPACK's static table, on stream 1, with
    /// nothing after.
    const REQUEST: &[u8] = &[0, 0, 3, 1, 0x05, 0, 0, 0, 1, 0x82, 0x86, 0x84];
    const HEADERS: u8 = 1;
    const STATUS_200: u8 = 0x88;

    let site = Site::new().await;
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream
        .write_all(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", SETTINGS, REQUEST].concat())
        .await
        .unwrap();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == HEADERS {
            assert_eq!(payload[0], STATUS_200);
            return;
        }
    }
}
