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
    body: Bytes,
}

impl Page {
    pub(super) fn new(
        status: StatusCode,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let mut page = Self { status, headers: HeaderMap::new(), body: body.into() };
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

    /// HEAD has the length of the body and no body.
    pub(super) fn into_response(
        mut self,
        method: &Method,
        open: Option<OpenRequest>,
    ) -> Response<Full<Bytes>> {
        self.headers.insert(header::CONTENT_LENGTH, self.body.len().into());
        let body = if *method == Method::HEAD { Bytes::new() } else { self.body };
        let mut response = Response::new(Full::new(match open {
            Some(open) => open.answer(body),
            None => body,
        }));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
