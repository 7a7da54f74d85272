//! One GET over HTTP, for the metrics of a running exporter.  With https the CAs of this system count.

use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::tls::{FileError, ServerName, for_pages};

/// Why a page could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// It is no address of a page.
    #[error("{0}: not a URL such as http://localhost:15038/metrics")]
    NotAUrl(String),
    /// It has a user name, which is not sent.  The text leaves the URL out: a reader may not be meant
    /// to see the password.
    #[error(
        "a URL with a user name or a password is not fetched: save the page, and name the file"
    )]
    UserInfo,
    /// The CAs of this system cannot be had.
    #[error("{url}")]
    Tls {
        url: String,
        #[source]
        source: FileError,
    },
    /// Nobody listens there, or the connection broke.
    #[error("{url}: no connection")]
    Unreachable {
        url: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer is not the page.
    #[error("{url}: the answer is {status}")]
    Refused { url: String, status: StatusCode },
    /// The page is too long.
    #[error("{url}: longer than {PAGE_MAX} bytes")]
    TooLong { url: String },
    /// It took too long.
    #[error("{url}: no answer within {} s", TIMEOUT.as_secs())]
    TimedOut { url: String },
}

/// The page at `url`.
///
/// # Errors
/// It cannot be had, or not in time.
pub(super) async fn fetch(url: &str) -> Result<Bytes, FetchError> {
    let fetched = timeout(TIMEOUT, get(url)).await;
    fetched.unwrap_or_else(|_| Err(FetchError::TimedOut { url: url.to_owned() }))
}

async fn get(url: &str) -> Result<Bytes, FetchError> {
    let page = Page::of(url)?;
    let stream = TcpStream::connect((&*page.host, page.port))
        .await
        .map_err(|error| unreachable(url, error))?;
    if !page.encrypted {
        return exchange(url, &page, stream).await;
    }

    let connector =
        for_pages().map_err(|source| FetchError::Tls { url: url.to_owned(), source })?;
    let name =
        ServerName::try_from(page.host.clone()).map_err(|_| FetchError::NotAUrl(url.to_owned()))?;
    let stream = connector.connect(name, stream).await.map_err(|error| unreachable(url, error))?;
    exchange(url, &page, stream).await
}

/// Asks for the page over an open connection.
async fn exchange(
    url: &str,
    page: &Page,
    stream: impl AsyncRead + AsyncWrite + Unpin,
) -> Result<Bytes, FetchError> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(url, error))?;

    let request = Request::get(&page.path)
        .header(header::HOST, format!("{}:{}", page.host, page.port))
        .header(header::ACCEPT, "text/plain");
    let request =
        request.body(Empty::<Bytes>::new()).map_err(|_| FetchError::NotAUrl(url.to_owned()))?;

    let answer = async {
        let response =
            sender.send_request(request).await.map_err(|error| unreachable(url, error))?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Refused { url: url.to_owned(), status: response.status() });
        }

        let body = Limited::new(response.into_body(), PAGE_MAX).collect().await;
        Ok(body.map_err(|error| too_long_or_broken(url, error))?.to_bytes())
    };

    // The connection moves the bytes, and may end before the answer is read.
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        moved = connection => match moved {
            Ok(()) => answer.await,
            Err(error) => Err(unreachable(url, error)),
        },
    }
}

/// Where a page is.
#[derive(Debug, Eq, PartialEq)]
struct Page {
    encrypted: bool,
    /// A name or an address, without brackets.
    host: String,
    port: u16,
    path: String,
}

impl Page {
    fn of(url: &str) -> Result<Self, FetchError> {
        let uri = url.parse::<Uri>();
        // A password may hold characters that make it no URL.
        let named = uri.as_ref().map_or_else(
            |_| url.contains('@'),
            |uri| uri.authority().is_some_and(|it| it.as_str().contains('@')),
        );
        if named {
            return Err(FetchError::UserInfo);
        }

        let not_a_url = || FetchError::NotAUrl(url.to_owned());
        let uri = uri.map_err(|_| not_a_url())?;
        let (encrypted, usual_port) = match uri.scheme_str() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            _ => return Err(not_a_url()),
        };

        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(not_a_url)?;
        Ok(Self {
            encrypted,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(usual_port),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

fn unreachable(
    url: &str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> FetchError {
    FetchError::Unreachable { url: url.to_owned(), source: source.into() }
}

fn too_long_or_broken(url: &str, error: Box<dyn std::error::Error + Send + Sync>) -> FetchError {
    if error.is::<LengthLimitError>() {
        FetchError::TooLong { url: url.to_owned() }
    } else {
        unreachable(url, error)
    }
}

/// A scrape of a million series has some 150 MB.
const PAGE_MAX: usize = 512 * 1024 * 1024;
/// Prometheus gives a scrape 10 s; a person can wait a little longer.
const TIMEOUT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_neither_sent_nor_printed() {
        for url in [
            "http://me:secret@pbx/metrics",
            "https://me:secret@pbx/",
            "http://me:sec ret@pbx/",
            "http://me@pbx",
        ] {
            let error = Page::of(url).unwrap_err().to_string();
            assert!(
                error.ends_with("save the page, and name the file") && !error.contains("me:"),
                "{error}"
            );
        }
        assert!(Page::of("http://pbx/@metrics").is_ok());
    }

    #[test]
    fn a_url_has_a_host_a_port_and_a_path() {
        let of = |url: &str| Page::of(url).map_err(|error| error.to_string());
        let page = |encrypted, host: &str, port, path: &str| {
            Ok(Page { encrypted, host: host.to_owned(), port, path: path.to_owned() })
        };
        assert_eq!(of("http://pbx:15038/metrics?a=1"), page(false, "pbx", 15038, "/metrics?a=1"));
        assert_eq!(of("http://[::1]"), page(false, "::1", 80, "/"));
        assert_eq!(of("https://pbx/metrics"), page(true, "pbx", 443, "/metrics"));
        for url in ["ftp://pbx/x", "http://", "http:///metrics", "http://a b/"] {
            assert!(
                of(url).unwrap_err().ends_with("not a URL such as http://localhost:15038/metrics"),
                "{url}"
            );
        }
    }
}
