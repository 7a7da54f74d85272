//! The metrics of an exporter whose pages are encrypted.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::process::Output;
use std::sync::Arc;

use support::program::command;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsAcceptor;

use super::{STARTED, scratch, text};
use crate::supervisor::certificates::{Authority, BOTH};

#[tokio::test]
async fn an_exporter_with_https_is_asked_as_one_without() {
    let authority = Authority::new("Our CA");
    let acceptor = TlsAcceptor::from(Arc::new(authority.sign(&["localhost"]).server(BOTH)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/metrics", listener.local_addr().unwrap().port());

    let trusted = audit(url.clone(), &authority, "trusted.crt");
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = BufReader::new(acceptor.accept(stream).await.unwrap());
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut request).await.unwrap() > 0, "{request}");
    }
    assert!(request.starts_with("GET /metrics HTTP/1.1\r\n"), "{request}");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", STARTED.len());
    stream.write_all(format!("{head}{STARTED}").as_bytes()).await.unwrap();
    stream.flush().await.unwrap();

    let fetched = trusted.await.unwrap();
    let page = scratch("https.prom", STARTED.as_bytes());
    let saved = audit(page.to_str().unwrap().to_owned(), &authority, "trusted.crt").await.unwrap();
    assert!(!saved.stdout.is_empty(), "{}", text(&saved.stderr));
    assert_eq!(text(&fetched.stdout), text(&saved.stdout).replace(page.to_str().unwrap(), &url));
    assert_eq!(fetched.status.code(), saved.status.code());

    // Another CA did not sign it.
    let refused = audit(url.clone(), &Authority::new("Their CA"), "other.crt");
    let (stream, _) = listener.accept().await.unwrap();
    acceptor.accept(stream).await.unwrap_err();
    let refused = refused.await.unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let why = format!(
        "asterisk_exporter: {url}: no connection: invalid peer certificate: UnknownIssuer\n"
    );
    assert_eq!(text(&refused.stderr), why);
}

/// Compares a log with the metrics at that place, and trusts this CA only.
fn audit(metrics: String, authority: &Authority, file: &str) -> tokio::task::JoinHandle<Output> {
    let ca = authority.file(&format!("https-{file}")).path;
    let log = scratch("https.log", LOG);
    spawn_blocking(move || {
        let log = log.to_str().unwrap();
        let mut audit =
            command(&["audit", "--queue-log", log, "--metrics", &metrics, "--until", "1100"]);
        audit.env("SSL_CERT_FILE", ca).env_remove("SSL_CERT_DIR").output().unwrap()
    })
}

const LOG: &[u8] = b"1050|1.1|q|NONE|ENTERQUEUE||1|1\n1060|1.1|q|NONE|ABANDON|1|1|10\n\
    1070|1.2|q|NONE|ENTERQUEUE||2|1\n1080|1.2|q|NONE|ABANDON|1|1|10\n";
