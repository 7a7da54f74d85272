//! Which part of the numbers a page has.

use super::labels::{LabelSet, Labels, PbxLabels};
use crate::pbx::PbxName;

/// Which series a scrape is answered with.  Those of the PBXs and those of the exporter are all that
/// there are, and none is in two of them.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub enum Part {
    /// All of them.
    #[default]
    All,
    /// Those with this label `pbx`.
    Pbx(PbxName),
    /// Those of the exporter as a whole, without a label `pbx`.
    Exporter,
}

/// The same, to compare with series.
#[derive(Clone, Debug)]
pub(super) enum Chosen {
    All,
    /// The label as each series has it.
    Pbx(String),
    Exporter,
}

impl From<&Part> for Chosen {
    fn from(part: &Part) -> Self {
        match part {
            Part::All => Self::All,
            Part::Exporter => Self::Exporter,
            Part::Pbx(pbx) => {
                let mut text = String::new();
                PbxLabels { pbx: pbx.clone() }.write_to(&mut text);
                Self::Pbx(text)
            }
        }
    }
}

impl Chosen {
    /// Whether a series is of it.
    pub(super) fn has(&self, labels: LabelSet<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Pbx(pbx) => labels.is_of(pbx),
            Self::Exporter => !labels.has_pbx(),
        }
    }
}
