//! What is answered, before it becomes a response.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};

use super::idle_timeout::OpenRequest;

/// Headers for every answer.
pub(super) type Headers = Vec<(HeaderName, HeaderValue)>;

/// A response whose body is still our own.
pub(super) struct Page {
    status: StatusCode,
    headers: HeaderMap,
    /// `None` for a page that is not made, as nobody sees more than its headers.
    body: Option<Bytes>,
}

impl Page {
    pub(super) fn new(
        status: StatusCode,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let mut page = Self { status, headers: HeaderMap::new(), body: Some(body.into()) };
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
        Self { body: None, ..Self::new(status, content_type, Bytes::new()) }
    }

    /// HEAD has the length of the body, if there is one, and no body.
    pub(super) fn into_response(
        mut self,
        method: &Method,
        open: Option<OpenRequest>,
    ) -> Response<Full<Bytes>> {
        if let Some(body) = &self.body {
            self.headers.insert(header::CONTENT_LENGTH, body.len().into());
        }
        let body = self.body.filter(|_| *method != Method::HEAD).unwrap_or_default();
        let body = match open {
            Some(open) => open.answer(body),
            None => body,
        };

        let mut response = Response::new(Full::new(body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
