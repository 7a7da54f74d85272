//! The name of one Asterisk server, as the configuration has it.

use std::fmt;
use std::sync::Arc;

/// The configured name of one Asterisk server.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PbxName(Arc<str>);

impl PbxName {
    /// Takes any text: the configuration checks it.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text itself, shared: a label of many series.
impl From<PbxName> for Arc<str> {
    fn from(name: PbxName) -> Self {
        name.0
    }
}

impl fmt::Display for PbxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
