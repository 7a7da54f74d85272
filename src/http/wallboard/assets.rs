//! The files of the page.

use super::PAGE;

/// One file of the page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in super::super) enum Asset {
    Page,
    Style,
    Script,
}

impl Asset {
    /// The file at a path.
    pub(in super::super) fn at(path: &str) -> Option<Self> {
        match path {
            PAGE => Some(Self::Page),
            "/wallboard/board.css" => Some(Self::Style),
            "/wallboard/board.js" => Some(Self::Script),
            _ => None,
        }
    }

    /// Its type, and what is in it.
    pub(in super::super) const fn content(self) -> (&'static str, &'static str) {
        match self {
            Self::Page => ("text/html; charset=utf-8", include_str!("page/index.html")),
            Self::Style => ("text/css; charset=utf-8", include_str!("page/board.css")),
            Self::Script => ("text/javascript; charset=utf-8", include_str!("page/board.js")),
        }
    }
}

/// Only our own style and script, and our own events.  The page never makes HTML of text, and is not
/// allowed to.
pub(in super::super) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";
