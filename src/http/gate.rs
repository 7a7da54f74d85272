//! Whether a request may be answered, by the web configuration file: in the toolkit's order first the
//! limit of requests and then the password, for every path.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header;
use hyper::http::request::Parts;

use super::Pages;
use super::connections::Client;
use super::idle_timeout::{End, IdleTimeout};
use super::page::{Headers, Page};
use super::tls::Policy;
use crate::metrics::HttpRefusal;

/// How a request has come, and from whom.
#[derive(Debug)]
pub(super) struct Peer {
    /// By which policy TLS has let the client in; `None` without TLS.
    pub(super) policy: Option<Arc<Policy>>,
    pub(super) http2: bool,
    /// The number of the connection.
    pub(super) number: u64,
    pub(super) idle: Arc<IdleTimeout>,
    pub(super) client: Arc<Client>,
}

/// The headers to add to the answer, or the page that refuses the request with those it has.
pub(super) async fn admit(
    pages: &Pages,
    request: &Parts,
    peer: &Peer,
) -> Result<Headers, (Page, Headers)> {
    let Some(web) = &pages.web else { return Ok(Vec::new()) };
    let Some(access) = web.access().await else {
        pages.refusals.count(HttpRefusal::WebConfig);
        let text = "the web configuration is wrong; the log says why\n";
        return Err((Page::text(StatusCode::INTERNAL_SERVER_ERROR, text), Vec::new()));
    };

    // The connection is older than TLS in the file.
    if access.policy.is_some() != peer.policy.is_some() {
        let mut page =
            Page::text(StatusCode::MISDIRECTED_REQUEST, "only https is spoken here now\n");
        page.header(header::CONNECTION, "close");
        return Err((page, Vec::new()));
    }
    // The handshake was checked by another policy: the client has to open another connection.
    if access.policy != peer.policy {
        let mut page = Page::text(StatusCode::MISDIRECTED_REQUEST, "connect again\n");
        page.header(header::CONNECTION, "close");
        // With HTTP/2 the header means nothing.
        if peer.http2 {
            peer.idle.displace(End::Idle);
        }
        return Err((page, Vec::new()));
    }
    if let Some(limit) = access.rate_limit
        && !web.bucket.allows(limit, pages.clock.now())
    {
        pages.refusals.count(HttpRefusal::RateLimit);
        return Err((Page::text(StatusCode::TOO_MANY_REQUESTS, "too many requests\n"), Vec::new()));
    }

    let authorization = request.headers.get(header::AUTHORIZATION);
    let headers = access.headers.clone();
    let turn = &peer.client.password;
    if access.users.is_empty() || web.passwords.allow(&access.users, authorization, turn).await {
        return Ok(headers);
    }
    pages.refusals.count(HttpRefusal::Password);
    let mut page = Page::text(StatusCode::UNAUTHORIZED, "unauthorized\n");
    page.header(header::WWW_AUTHENTICATE, "Basic");
    Err((page, headers))
}
