//! How the captures of the lab are replayed.

use std::path::Path;

use asterisk_exporter::ami::frame::Limits;
use asterisk_exporter::correlator::{Patterns, Rules};
use asterisk_exporter::metrics::{Format, Metrics, Settings};
use asterisk_exporter::pbx::PbxName;
use asterisk_exporter::replay::Replay;
use support::Numbers;

/// The rules the captures of the lab are read by.
pub(crate) fn rules() -> Rules {
    let trunks =
        Patterns::new(["^(SIP|PJSIP)/(trunk|carrier|channel2)-"]).expect("a valid pattern");
    Rules { trunks, ..Rules::default() }
}

/// A replay of nothing yet.
pub(crate) fn replay(rules: Rules) -> Replay {
    Replay::new(&PbxName::new("lab"), rules, Metrics::new(Settings::default()), Limits::default())
}

/// Plays one file through the real path.
pub(crate) fn play(path: &Path) -> Numbers {
    let mut replay = replay(rules());
    replay.play_file(path).unwrap_or_else(|error| panic!("{error}"));
    Numbers::read(&replay.exposition(Format::Text))
}
