//! Answers to our own actions, kept while their frames are gone.

use crate::ami::frame::{Frame, quoted};
use crate::ami::id::ActionId;
use crate::clock::Moment;
use crate::event;

/// An answer to an action of ours.
#[derive(Clone, Debug)]
pub struct Answer {
    id: ActionId,
    accepted: bool,
    headers: Vec<(String, String)>,
    stamped: Option<Moment>,
}

impl Answer {
    /// The answer in a response, if the response is to one of our actions.
    pub fn of(frame: &Frame<'_>) -> Option<Self> {
        let id = ActionId::of(frame)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers =
            frame.headers().take(HEADERS).map(|(key, value)| (text(key), text(value))).collect();
        let stamped = event::timestamp(frame);
        Some(Self { id, accepted: frame.is_accepted(), headers, stamped })
    }

    /// The id of the action it answers.
    pub const fn id(&self) -> &ActionId {
        &self.id
    }

    /// Whether the action was carried out.
    pub const fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// A header of an answer that is not an error.
    pub fn granted(&self, key: &str) -> Option<&str> {
        if self.accepted { self.header(key) } else { None }
    }

    /// The PBX's own words about it.
    pub fn message(&self) -> String {
        quoted(self.header("Message").unwrap_or("no reason given").as_bytes())
    }

    /// The PBX's time: only the answer to a Ping carries it.
    pub const fn stamped(&self) -> Option<Moment> {
        self.stamped
    }

    fn header(&self, key: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.as_str())
    }
}

/// An answer we wait for has about ten headers.
const HEADERS: usize = 64;
