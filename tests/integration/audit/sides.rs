//! What a log is compared with: a capture or counters, of a window, a start, a PBX.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::{
    BULK, LATER, STARTED, audit, bulk, json, lines, metrics, printed, scratch, text, without,
};

#[test]
fn a_window_cuts_both_sides() {
    let log = scratch("window", bulk().as_bytes());
    let window = ["--since", "2026-11-23 22:51", "--until", "2026-11-23T23:51:50+01:00"];
    let report = json(&audit(&[&log], &[&["--capture", BULK, "--json"], &window[..]].concat()));
    assert_eq!(report["agrees"], true, "{report:#}");
    assert_eq!(
        (&report["since"], &report["until"]),
        (&"2026-11-23T22:51:00Z".into(), &"2026-11-23T22:51:50Z".into())
    );
    let inside = &report["lines"]["compared"];
    let outside = &report["lines"]["outside"];
    assert!(
        inside.as_u64() > Some(200) && outside.as_u64() > Some(1000),
        "{inside} inside, {outside} outside"
    );
    // An older file that was not given is missed.
    let late = bulk()
        .lines()
        .filter(|line| line > &"1795474300")
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    let late = scratch("late", late.as_bytes());
    let output = audit(&[&late], &["--capture", BULK, "--since", "2026-11-23 21:00"]);
    assert!(
        printed(&output, 1).contains("queue_log begins at 2026-11-23T22:51:4"),
        "{}",
        text(&output.stdout)
    );
    let output = audit(&[&log], &["--capture", BULK, "--since", "tomorrow"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr)
            .contains("`tomorrow` is neither seconds since 1970 nor a time such as")
    );
}

#[test]
fn metrics_may_be_a_file_in_either_format() {
    let log = scratch("scraped", bulk().as_bytes());
    let (less, _) = without("|RINGNOANSWER|");
    let less = scratch("scraped-less", less.as_bytes());
    for format in ["text", "openmetrics"] {
        let scrape = scratch(&format!("bulk.{format}"), &metrics(BULK, format));
        let scrape = ["--metrics", scrape.to_str().expect("a plain path"), "--until", LATER];
        let text = printed(&audit(&[&log], &scrape), 0);
        assert!(text.contains("\n50 figures are equal"), "{text}");
        let text = printed(&audit(&[&less], &scrape), 1);
        let row = lines(&text).into_iter().find(|line| line.starts_with("differs")).expect("a row");
        assert!(
            row.contains("RINGNOANSWER rings no_answer+busy+failed")
                && row.ends_with("1 only counted"),
            "{row}"
        );
    }
}

#[test]
fn metrics_may_come_from_a_running_exporter() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/metrics?x=1", listener.local_addr().expect("an address"));
    let page = metrics(BULK, "text");
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut request = [0; 4096];
        let length = stream.read(&mut request).expect("a request");
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            page.len()
        )
        .expect("a client");
        stream.write_all(&page).expect("a client");
        text(&request[..length])
    });
    let log = scratch("fetched", bulk().as_bytes());
    let shown = printed(&audit(&[&log], &["--metrics", &url, "--until", LATER]), 0);
    assert!(shown.contains("\n50 figures are equal"), "{shown}");
    assert!(server.join().expect("a request").starts_with("GET /metrics?x=1 HTTP/1.1\r\n"));
}

#[test]
fn counters_began_when_the_exporter_did() {
    let scrape = scratch("started.prom", STARTED.as_bytes());
    let log = "500|0.1|q|NONE|ENTERQUEUE|\n501|0.1|q|NONE|ABANDON|1|1|1\n\
        1002|1.1|q|NONE|ENTERQUEUE|\n1010|1.2|q|NONE|ENTERQUEUE|\n1011|1.1|q|NONE|ABANDON|1|1|9\n\
        1012|1.3|q|NONE|ENTERQUEUE|\n1013|1.3|q|NONE|ABANDON|1|1|1\n1098|1.2|q|NONE|ABANDON|1|1|88\n";
    let log = scratch("started", log.as_bytes());
    let args = ["--metrics", scrape.to_str().expect("a plain path"), "--json", "--until", "1100"];
    let report = json(&audit(&[&log], &args));
    // One came before it could see, and one left a moment before the end: it may be counted or not.
    assert_eq!(report["agrees"], true, "{report:#}");
    assert_eq!((&report["lines"]["outside"], &report["left_out_at_edges"]), (&2.into(), &2.into()));
}

#[test]
fn which_pbx_is_meant_must_be_clear() {
    let two =
        scratch("two.prom", format!("{STARTED}{}", STARTED.replace("hq", "branch")).as_bytes());
    let two = two.to_str().expect("a plain path");
    let log = scratch("two", b"1010|1.2|q|NONE|ENTERQUEUE|\n1011|1.2|q|NONE|ABANDON|1|1|9\n");
    let unclear = audit(&[&log], &["--metrics", two]);
    printed(&unclear, 2);
    assert!(
        text(&unclear.stderr).ends_with("choose one with --pbx: branch, hq\n"),
        "{}",
        text(&unclear.stderr)
    );
    printed(&audit(&[&log], &["--metrics", two, "--pbx", "hq", "--until", "2000"]), 1);
}
