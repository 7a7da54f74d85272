//! The answer of each path.

use std::fmt::Write;

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, Response, StatusCode, Version};
use tracing::error;

use super::duration::in_words;
use super::gate::Peer;
use super::idle_timeout::OpenRequest;
use super::page::{Body, EVENT_STREAM, Page};
use super::scrape::{ScrapeError, Wanted};
use super::wallboard::{self, Asset, Wallboard};
use super::{Pages, gate, landing, negotiate, targets};
use crate::health::Phase;
use crate::metrics::HttpRefusal;
use crate::pbx::PbxName;

/// The answer to one request.
pub(super) async fn answer(
    pages: &Pages,
    request: &Parts,
    peer: &Peer,
    mut open: OpenRequest,
) -> Response<Body> {
    let (page, headers) = match gate::admit(pages, request, peer).await {
        Ok(headers) => {
            open.admit();
            (page(pages, request, peer).await, headers)
        }
        Err(refusal) => refusal,
    };
    page.with_headers(headers).into_response(&request.method, Some(open))
}

/// The answer on the Unix socket, where there is nothing but health.
pub(super) fn answer_probe(pages: &Pages, request: &Parts) -> Response<Body> {
    let page = match request.uri.path() {
        HEALTHY => healthy(pages),
        READY => ready(pages),
        _ => Page::text(
            StatusCode::NOT_FOUND,
            format!("not found; there is {HEALTHY} and {READY}\n"),
        ),
    };
    page.into_response(&request.method, None)
}

async fn page(pages: &Pages, request: &Parts, peer: &Peer) -> Page {
    match Route::of(request.uri.path(), pages) {
        None => not_found(pages),
        Some(Route::Reload) => reload(pages, &request.method).await,
        Some(_) if !is_read(&request.method) => method_not_allowed("GET, HEAD"),
        Some(Route::Metrics) => metrics(pages, request, peer).await,
        Some(Route::Landing) => landing_page(pages),
        Some(Route::Targets) => list_of_targets(pages, request, peer),
        Some(Route::Healthy) => healthy(pages),
        Some(Route::Ready) => ready(pages),
        Some(Route::Wallboard(asset)) => file(asset),
        Some(Route::Events(wallboard)) => events(wallboard, pages, request, peer),
    }
}

#[derive(Clone, Copy)]
enum Route<'a> {
    Metrics,
    Landing,
    Targets,
    Healthy,
    Ready,
    Reload,
    Wallboard(Asset),
    Events(&'a Wallboard),
}

impl<'a> Route<'a> {
    /// The metrics come first: whoever moves them to `/` wants them there.
    fn of(path: &str, pages: &'a Pages) -> Option<Self> {
        match path {
            _ if path == pages.telemetry_path => Some(Self::Metrics),
            "/" => Some(Self::Landing),
            TARGETS => Some(Self::Targets),
            HEALTHY => Some(Self::Healthy),
            READY => Some(Self::Ready),
            RELOAD => Some(Self::Reload),
            wallboard::EVENTS => pages.wallboard.as_deref().map(Self::Events),
            _ => pages.wallboard.as_ref().and(Asset::at(path)).map(Self::Wallboard),
        }
    }
}

const HEALTHY: &str = "/-/healthy";
const READY: &str = "/-/ready";
const RELOAD: &str = "/-/reload";
const TARGETS: &str = "/-/targets";

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

async fn metrics(pages: &Pages, request: &Parts, peer: &Peer) -> Page {
    let part = match targets::part(request.uri.query(), &names(pages)) {
        Ok(part) => part,
        Err(text) => return Page::text(StatusCode::NOT_FOUND, text),
    };
    let accept = joined(&request.headers, header::ACCEPT);
    let exposition = negotiate::exposition(accept.as_deref());
    let gzip = negotiate::gzip(joined(&request.headers, header::ACCEPT_ENCODING).as_deref());

    // Nobody sees the page of a HEAD, so none is made.
    let mut page = if request.method == Method::HEAD {
        Page::unmade(StatusCode::OK, exposition.content_type())
    } else {
        let wanted = Wanted { exposition, part, gzip };
        match pages.scraper.page(wanted, &peer.client.scrapes, &pages.connections).await {
            Ok(body) => Page::new(StatusCode::OK, exposition.content_type(), body),
            Err(err) => return no_metrics(pages, &err),
        }
    };
    page.header(header::VARY, "Accept, Accept-Encoding");
    if gzip {
        page.header(header::CONTENT_ENCODING, "gzip");
    }
    page
}

/// Each PBX that is followed now, by its name.
fn names(pages: &Pages) -> Vec<PbxName> {
    pages.health.all().into_iter().map(|pbx| pbx.name).collect()
}

/// What Prometheus can scrape here, at the address by which it reached us.
fn list_of_targets(pages: &Pages, request: &Parts, peer: &Peer) -> Page {
    let host = request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // HTTP/2 has it in the address, HTTP/1.0 need not have it.
    let Some(host) = request.uri.authority().map(Authority::as_str).or(host) else {
        return Page::text(StatusCode::BAD_REQUEST, "the request has no Host header\n");
    };
    let list = targets::list(host, peer.policy.is_some(), &pages.telemetry_path, &names(pages));
    Page::new(StatusCode::OK, "application/json", list)
}

fn no_metrics(pages: &Pages, err: &ScrapeError) -> Page {
    let status = match err {
        ScrapeError::Busy => {
            pages.refusals.count(HttpRefusal::Scrapes);
            StatusCode::SERVICE_UNAVAILABLE
        }
        ScrapeError::NoThread | ScrapeError::Broken(_) | ScrapeError::Gzip(_) => {
            error!(error = %err, source = ?std::error::Error::source(err), "no metrics to send");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    Page::text(status, format!("{err}\n"))
}

/// Reads the configuration again, as Prometheus does; the answer comes when it is in force.
async fn reload(pages: &Pages, method: &Method) -> Page {
    if !matches!(*method, Method::POST | Method::PUT) {
        return method_not_allowed("POST, PUT");
    }
    let Some(lifecycle) = &pages.lifecycle else {
        let text = "Lifecycle API is not enabled: --web.enable-lifecycle enables it.\n";
        return Page::text(StatusCode::FORBIDDEN, text);
    };
    match lifecycle.reload().await {
        Ok(text) => Page::text(StatusCode::OK, text),
        Err(why) => {
            let text = format!("failed to reload config: {why}\n");
            Page::text(StatusCode::INTERNAL_SERVER_ERROR, text)
        }
    }
}

fn landing_page(pages: &Pages) -> Page {
    let mut page = Page::new(StatusCode::OK, "text/html; charset=utf-8", landing::page(pages));
    page.header(header::CONTENT_SECURITY_POLICY, landing::CONTENT_SECURITY_POLICY);
    page.header(header::REFERRER_POLICY, "no-referrer");
    page
}

/// Healthy when the task of every PBX moves, otherwise a line for each that is stuck.
fn healthy(pages: &Pages) -> Page {
    let now = pages.clock.now();
    let stuck = pages.health.stuck(now);
    if stuck.is_empty() {
        return Page::text(StatusCode::OK, "healthy\n");
    }

    let lines = stuck.iter().map(|(pbx, since)| {
        format!("{pbx}: its task has been stuck for {}\n", in_words(now.since(*since)))
    });
    Page::text(StatusCode::SERVICE_UNAVAILABLE, format!("unhealthy\n{}", lines.collect::<String>()))
}

/// Ready when every PBX is up, otherwise a line for each that is not.
fn ready(pages: &Pages) -> Page {
    let now = pages.clock.now();
    let mut missing = String::new();
    for pbx in pages.health.all() {
        if pbx.phase.is_up() {
            continue;
        }

        // Writing to a String cannot fail.
        let _ = write!(missing, "{}: {}", pbx.name, pbx.phase.word());
        if let Some(trouble) = &pbx.trouble {
            let already = if matches!(pbx.phase, Phase::Down { .. }) { "" } else { "; down" };
            let since = in_words(now.since(trouble.since));
            let _ = write!(missing, "{already} for {since}: {}", trouble.error);
        }
        missing.push('\n');
    }

    if missing.is_empty() {
        return Page::text(StatusCode::OK, "ready\n");
    }
    Page::text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready\n{missing}"))
}

fn file(asset: Asset) -> Page {
    let (content_type, text) = asset.content();
    let mut page = Page::new(StatusCode::OK, content_type, text);
    page.header(header::CONTENT_SECURITY_POLICY, wallboard::CONTENT_SECURITY_POLICY);
    page.header(header::REFERRER_POLICY, "no-referrer");
    page
}

/// What happens on the PBXs, each second; if there is a place for one more viewer.
fn events(wallboard: &Wallboard, pages: &Pages, request: &Parts, peer: &Peer) -> Page {
    if request.method == Method::HEAD {
        return Page::unmade(StatusCode::OK, EVENT_STREAM);
    }
    let Some(viewer) = wallboard.viewer(|| pages.connections.watch(peer.number)) else {
        pages.refusals.count(HttpRefusal::Viewers);
        return Page::text(StatusCode::SERVICE_UNAVAILABLE, "too many viewers of the wallboard\n");
    };

    let mut page = Page::events(viewer);
    // Proxies such as nginx keep events until their buffer is full.
    page.header(HeaderName::from_static("x-accel-buffering"), "no");
    // Nothing can be asked for behind it before it ends, and its place is gone.
    if request.version < Version::HTTP_2 {
        page.header(header::CONNECTION, "close");
    }
    page
}

fn not_found(pages: &Pages) -> Page {
    let wallboard = if pages.wallboard.is_some() { "/wallboard, " } else { "" };
    let telemetry_path = &pages.telemetry_path;
    let body = format!(
        "not found; there is /, {telemetry_path}, {wallboard}{TARGETS}, {HEALTHY} and {READY}\n"
    );
    Page::text(StatusCode::NOT_FOUND, body)
}

fn method_not_allowed(allowed: &'static str) -> Page {
    let mut page = Page::text(StatusCode::METHOD_NOT_ALLOWED, format!("only {allowed}\n"));
    page.header(header::ALLOW, allowed);
    page
}

/// All lines of a header as one list, `None` if there is none or one is not text.
fn joined(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let lines: Result<Vec<_>, _> = headers.get_all(name).iter().map(HeaderValue::to_str).collect();
    lines.ok().filter(|lines| !lines.is_empty()).map(|lines| lines.join(","))
}
