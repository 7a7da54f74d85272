//! Whether a request may be answered, by the web configuration file: in the toolkit's order first the
//! limit of requests and then the password, for every path.

use hyper::StatusCode;
use hyper::header;
use hyper::http::request::Parts;

use super::Pages;
use super::page::{Headers, Page};

/// How a request has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Over {
    pub(super) tls: bool,
    pub(super) http2: bool,
}

/// The headers to add to the answer, or the page that refuses the request with those it has.
pub(super) async fn admit(
    pages: &Pages,
    request: &Parts,
    over: Over,
) -> Result<Headers, (Page, Headers)> {
    let Some(web) = &pages.web else { return Ok(Vec::new()) };
    let Some(access) = web.access().await else {
        let text = "the web configuration is wrong; the log says why\n";
        return Err((Page::text(StatusCode::INTERNAL_SERVER_ERROR, text), Vec::new()));
    };

    // The connection is older than TLS in the file.
    if access.tls.is_some() != over.tls {
        let mut page =
            Page::text(StatusCode::MISDIRECTED_REQUEST, "only https is spoken here now\n");
        page.header(header::CONNECTION, "close");
        return Err((page, Vec::new()));
    }
    if let Some(limit) = access.rate_limit
        && !web.bucket.allows(limit, pages.clock.now())
    {
        return Err((Page::text(StatusCode::TOO_MANY_REQUESTS, "too many requests\n"), Vec::new()));
    }

    let authorization = request.headers.get(header::AUTHORIZATION);
    let headers = access.headers.clone();
    if access.users.is_empty() || web.passwords.allow(&access.users, authorization).await {
        return Ok(headers);
    }
    let mut page = Page::text(StatusCode::UNAUTHORIZED, "unauthorized\n");
    page.header(header::WWW_AUTHENTICATE, "Basic");
    Err((page, headers))
}
