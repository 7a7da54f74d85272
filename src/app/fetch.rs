//! One GET over plain HTTP, for the metrics of a running exporter.

use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

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
    /// It would need TLS.
    #[error("{0}: https is not supported; save it first: curl -o metrics.txt {0}")]
    Https(String),
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
    let (host, port, path) = parts(url)?;
    let stream =
        TcpStream::connect((&*host, port)).await.map_err(|error| unreachable(url, error))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(url, error))?;

    let request = Request::get(path)
        .header(header::HOST, format!("{host}:{port}"))
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

/// Host, port and path.
fn parts(url: &str) -> Result<(String, u16, String), FetchError> {
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
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(FetchError::Https(url.to_owned())),
        _ => return Err(not_a_url()),
    }

    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(not_a_url)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Ok((host.trim_matches(['[', ']']).to_owned(), uri.port_u16().unwrap_or(80), path.to_owned()))
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
            let error = parts(url).unwrap_err().to_string();
            assert!(
                error.ends_with("save the page, and name the file") && !error.contains("me:"),
                "{error}"
            );
        }
        assert!(parts("http://pbx/@metrics").is_ok());
    }

    #[test]
    fn a_url_has_a_host_a_port_and_a_path() {
        let of = |url: &str| parts(url).map_err(|error| error.to_string());
        assert_eq!(
            of("http://pbx:15038/metrics?a=1"),
            Ok(("pbx".into(), 15038, "/metrics?a=1".into()))
        );
        assert_eq!(of("http://[::1]"), Ok(("::1".into(), 80, "/".into())));
        assert!(
            of("https://pbx/metrics")
                .unwrap_err()
                .ends_with("curl -o metrics.txt https://pbx/metrics")
        );
        for url in ["ftp://pbx/x", "http://", "http:///metrics", "http://a b/"] {
            assert!(
                of(url).unwrap_err().ends_with("not a URL such as http://localhost:15038/metrics"),
                "{url}"
            );
        }
    }
}
