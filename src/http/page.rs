//! What is answered, before it becomes a response.

use http_body_util::{Either, Full};
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};

use super::idle_timeout::OpenRequest;
use super::wallboard::{Events, Viewer};

/// Headers for every answer.
pub(super) type Headers = Vec<(HeaderName, HeaderValue)>;

/// The body of an answer: a whole page, or events that go on.
pub(super) type Body = Either<Full<Bytes>, Events>;

/// A response whose body is still our own.
pub(super) struct Page {
    status: StatusCode,
    headers: HeaderMap,
    content: Content,
}

enum Content {
    /// Nobody sees more than its headers.
    Unmade,
    Made(Bytes),
    Events(Viewer),
}

impl Page {
    pub(super) fn new(
        status: StatusCode,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let content = Content::Made(body.into());
        let mut page = Self { status, headers: HeaderMap::new(), content };
        page.header(header::CONTENT_TYPE, content_type);
        page.header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        page.header(header::CACHE_CONTROL, "no-store");
        page
    }

    pub(super) fn text(status: StatusCode, body: impl Into<String>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body.into())
    }

    pub(super) fn header(&mut self, name: HeaderName, value: &'static str) {
        self.headers.insert(name, HeaderValue::from_static(value));
    }

    /// Adds those of the web configuration file, which are stronger than ours.
    pub(super) fn with_headers(mut self, headers: Headers) -> Self {
        for (name, value) in headers {
            self.headers.insert(name, value);
        }
        self
    }

    /// The headers of a page that nobody has made.
    pub(super) fn unmade(status: StatusCode, content_type: &'static str) -> Self {
        Self { content: Content::Unmade, ..Self::new(status, content_type, Bytes::new()) }
    }

    /// Events that go on for as long as somebody reads them.
    pub(super) fn events(viewer: Viewer) -> Self {
        let content = Content::Events(viewer);
        Self { content, ..Self::unmade(StatusCode::OK, EVENT_STREAM) }
    }

    /// HEAD has the length of the body, if there is one, and no body.
    pub(super) fn into_response(
        mut self,
        method: &Method,
        open: Option<OpenRequest>,
    ) -> Response<Body> {
        if let Content::Made(body) = &self.content {
            self.headers.insert(header::CONTENT_LENGTH, body.len().into());
        }
        let whole = |body| Either::Left(Full::new(body));
        let body = match (self.content, open) {
            (Content::Events(viewer), Some(open)) => Either::Right(Events::new(viewer, open)),
            (Content::Made(body), open) if *method != Method::HEAD => whole(answer(body, open)),
            (_, open) => whole(answer(Bytes::new(), open)),
        };

        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// The request stays open until the answer is sent.
fn answer(body: Bytes, open: Option<OpenRequest>) -> Bytes {
    match open {
        Some(open) => open.answer(body),
        None => body,
    }
}

/// Of server-sent events.
pub(super) const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";
