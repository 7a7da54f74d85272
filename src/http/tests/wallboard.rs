//! The wallboard over real sockets: its files, its stream, and what it must not do to others.

use super::*;

/// Pages with a wallboard for so many viewers.
async fn site(viewers: usize) -> Site {
    let write = Box::new(|_: Exposition, _: &Part| b"up 1\n".to_vec());
    Site::watched(Scraper::DEFAULT_LIMIT, write, None, (None, viewers)).await
}

/// A viewer whose stream has begun.
struct Watcher {
    stream: TcpStream,
    head: String,
    /// What is read and not looked at yet, without the marks of chunks.
    read: String,
}

impl Watcher {
    async fn new(site: &Site) -> Self {
        Self::with(site, "Accept: text/event-stream").await
    }

    async fn with(site: &Site, headers: &str) -> Self {
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        let request = format!("GET /wallboard/events HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        Self { stream, head: String::from_utf8(head).unwrap(), read: String::new() }
    }

    fn status(&self) -> &str {
        &self.head[9..12]
    }

    /// The next event with its lines; `None` at the end of the stream.
    async fn event(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let event = event.to_owned();
                self.read = rest.to_owned();
                return Some(event);
            }
            let mut size = Vec::new();
            while !size.ends_with(b"\r\n") {
                size.push(self.stream.read_u8().await.unwrap());
            }
            let size = str::from_utf8(&size).unwrap().trim_end();
            let size = usize::from_str_radix(size, 16).unwrap();
            let mut chunk = vec![0; size + 2];
            self.stream.read_exact(&mut chunk).await.unwrap();
            if size == 0 {
                return None;
            }
            self.read.push_str(str::from_utf8(&chunk[..size]).unwrap());
        }
    }
}

impl Watcher {
    /// Reads on until this comes.  It is in the next cut, but the test may have been slower than that.
    async fn sees(&mut self, expected: &str) {
        let mut last = String::new();
        for _ in 0..10 {
            last = self.event().await.unwrap();
            if last == expected {
                return;
            }
        }
        panic!("{expected} does not come; the last event was {last}");
    }
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// What a board without queues and agents is.
fn board(hq: &str) -> String {
    format!(
        "data: {{\"at\":1764000000.0,\"quarter\":1960000,\"pbxs\":[{{\"name\":\"hq\",{hq},\"more\":[],\
         \"queues\":[],\"agents\":[]}},{{\"name\":\"<b>\",\"phase\":\"starting\",\"more\":[],\
         \"queues\":[],\"agents\":[]}}]}}"
    )
}

/// The same for who has seen the board before.
fn change(hq: &str) -> String {
    format!("event: change\n{}", board(hq))
}

#[tokio::test]
async fn the_page_and_its_files_may_load_nothing_else() {
    let site = site(1).await;
    for (path, kind, within) in [
        ("/wallboard", "text/html; charset=utf-8", "<title>Wallboard</title>"),
        ("/wallboard/board.css", "text/css; charset=utf-8", "prefers-color-scheme: dark"),
        ("/wallboard/board.js", "text/javascript; charset=utf-8", "new EventSource("),
    ] {
        let reply = site.ask(&format!("GET {path}")).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(kind)), "{path}");
        assert_eq!(reply.header("content-security-policy"), Some(POLICY), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert!(reply.text().contains(within), "{path}");
        for address in ["http:", "https:", "//cdn"] {
            assert!(!reply.text().contains(address), "{path} has {address}");
        }
        assert_eq!(site.ask(&format!("POST {path}\nContent-Length: 0")).await.status, 405);
    }
    let landing = site.ask("GET /").await;
    assert!(landing.text().contains("<a href=\"./wallboard\">"), "{}", landing.text());
    let known =
        "not found; there is /, /metrics, /wallboard, /-/targets, /-/healthy and /-/ready\n";
    assert_eq!(site.ask("GET /wallboard/").await.text(), known);
}

#[tokio::test]
async fn without_a_wallboard_there_is_nothing_of_it() {
    let site = site(0).await;
    for path in ["/wallboard", "/wallboard/board.css", "/wallboard/board.js", "/wallboard/events"] {
        assert_eq!(site.ask(&format!("GET {path}")).await.status, 404, "{path}");
    }
    assert!(!site.ask("GET /").await.text().contains("wallboard"));
}

#[tokio::test]
async fn a_viewer_gets_a_cut_at_once_and_each_second() {
    let site = site(2).await;
    let mut one = Watcher::new(&site).await;
    let head = one.head.to_ascii_lowercase();
    for line in [
        "content-type: text/event-stream; charset=utf-8",
        "cache-control: no-store",
        "x-accel-buffering: no",
        "connection: close",
        "transfer-encoding: chunked",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} in {head}");
    }

    assert_eq!(one.event().await.unwrap(), "retry: 500");
    let background = one.event().await.unwrap();
    assert!(background.starts_with("event: background\ndata: {\"version\":"), "{background}");
    assert!(background.ends_with("\"quarters\":{}}"), "{background}");
    assert_eq!(one.event().await.unwrap(), board("\"phase\":\"starting\""));

    // Another one gets the background as well, and from then on both get the same.
    let mut other = Watcher::new(&site).await;
    let begin = [other.event().await.unwrap(), other.event().await.unwrap()];
    assert_eq!(begin, ["retry: 500".to_owned(), background]);
    assert_eq!(other.event().await.unwrap(), board("\"phase\":\"starting\""));
    for viewer in [&mut one, &mut other] {
        assert_eq!(viewer.event().await.unwrap(), change("\"phase\":\"starting\""));
    }
}

#[tokio::test]
async fn a_lost_pbx_is_in_the_next_event() {
    let site = site(1).await;
    let mut viewer = Watcher::new(&site).await;
    for _ in 0..3 {
        viewer.event().await.unwrap();
    }
    let since = Moment::from_secs(1_763_999_990);
    site.health.set(0, Phase::Up { since });
    viewer.sees(&change("\"phase\":\"up\",\"since\":1763999990.0")).await;
    let since = Moment::from_secs(1_763_999_995);
    site.health.set(0, Phase::Down { error: "10.0.0.5: refused".to_owned(), since });
    viewer.sees(&change("\"phase\":\"down\",\"since\":1763999995.0")).await;
    // Trying again is no connection.
    site.health.set(0, Phase::Connecting);
    viewer.sees(&change("\"phase\":\"connecting\",\"since\":1763999995.0")).await;
}

#[tokio::test]
async fn more_viewers_than_the_limit_are_refused_until_one_goes() {
    let site = site(1).await;
    let first = Watcher::new(&site).await;
    let refused = site.ask("GET /wallboard/events").await;
    assert_eq!((refused.status, refused.text()), (503, "too many viewers of the wallboard\n"));
    assert_eq!(site.refusals.counted(HttpRefusal::Viewers), 1);
    // A HEAD is no viewer.
    assert_eq!(site.ask("HEAD /wallboard/events").await.status, 200);

    drop(first);
    let next = loop {
        let next = Watcher::new(&site).await;
        if next.status() == "200" {
            break next;
        }
        tokio::task::yield_now().await;
    };
    drop(next);
}

#[tokio::test]
async fn scrapes_have_their_places_whatever_number_of_viewers_there_is() {
    let viewers = 3 * super::super::connections::CONNECTIONS_EACH;
    let site = site(viewers).await;
    let mut all = Vec::new();
    for _ in 0..viewers {
        all.push(Watcher::new(&site).await);
    }
    assert_eq!(site.ask("GET /metrics").await.text(), "up 1\n");
    assert_eq!(site.ask("GET /wallboard/events").await.status, 503);
    assert_eq!(site.ask("GET /metrics").await.text(), "up 1\n");
    for viewer in &mut all {
        assert_eq!(viewer.event().await.unwrap(), "retry: 500");
        assert_eq!(viewer.status(), "200");
    }
    assert_eq!(site.refusals.counted(HttpRefusal::Displaced), 0);
    assert_eq!(site.refusals.counted(HttpRefusal::ClientConnections), 0);
}

#[tokio::test]
async fn streams_end_with_the_exporter() {
    let mut site = site(1).await;
    let mut viewer = Watcher::new(&site).await;
    viewer.event().await.unwrap();
    site.stop.send_replace(true);
    while viewer.event().await.is_some() {}
    while site.tasks.join_next().await.is_some() {}
}

#[tokio::test]
async fn a_password_protects_the_wallboard_as_every_path() {
    let hash = bcrypt::hash_with_salt("s3cret", 4, [7; 16]).unwrap();
    let hash = hash.format_for_version(bcrypt::Version::TwoY);
    let folder = support::Folder::new("wallboard");
    let path = folder.write("web.yml", &format!("basic_auth_users:\n  ann: {hash}\n"));
    let (web, _) = WebConfig::open(&path, Clock::start()).unwrap();
    let write = Box::new(|_: Exposition, _: &Part| Vec::new());
    let site = Site::watched(Scraper::DEFAULT_LIMIT, write, Some(web), (None, 1)).await;

    for path in ["/wallboard", "/wallboard/board.css", "/wallboard/board.js", "/wallboard/events"] {
        assert_eq!(site.ask(&format!("GET {path}")).await.status, 401, "{path}");
    }
    let mut viewer = Watcher::with(&site, "Authorization: Basic YW5uOnMzY3JldA==").await;
    assert_eq!(viewer.status(), "200");
    assert_eq!(viewer.event().await.unwrap(), "retry: 500");
}
