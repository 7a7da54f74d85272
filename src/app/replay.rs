//! The command `replay`: captures in, metrics out.

use std::io::Write as _;
use std::path::PathBuf;

use super::Failure;
use super::configuration::for_replay;
use super::output::write_out;
use super::progress::{AboveBar, Bar};
use crate::ami::frame::Limits;
use crate::cli::ReplayArgs;
use crate::config::Config;
use crate::error::with_causes;
use crate::metrics::Metrics;
use crate::progress::Progress;
use crate::replay::{Replay, Watch};

/// Prints the metrics as they are after the last event.
pub(super) fn run(args: &ReplayArgs) -> Result<(), Failure> {
    let config = for_replay(args.config.as_deref())?;
    let bar = Bar::of_files(args.files.iter());
    let mut played = play(config, &args.files, (), bar.progress())?;
    drop(bar);
    write_out(&played.exposition(args.format.into()))
}

/// Plays captures one after the other, watched.
pub(super) fn play<W: Watch>(
    config: Config,
    files: &[PathBuf],
    watch: W,
    progress: Progress,
) -> Result<Replay<W>, Failure> {
    let pbx = config.pbxs.into_iter().next().ok_or("no pbx in the configuration")?;
    let limits = Limits { line: pbx.max_line, frame: pbx.max_frame };
    let mut replay =
        Replay::watched(&pbx.name, pbx.rules, Metrics::new(config.metrics), limits, watch)
            .with_progress(progress);

    for path in files {
        let played = replay.play_file(path).map_err(|error| with_causes(&error))?;
        if played.cut {
            writeln!(
                AboveBar,
                "{}: cut after {} events in {} bytes",
                path.display(),
                played.events,
                played.bytes
            )?;
        }
    }
    Ok(replay)
}
