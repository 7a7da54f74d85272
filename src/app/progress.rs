//! How far a command has come, while a person at a terminal waits for it; nothing anywhere else.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{FormattedDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::progress::Progress;

/// The bar in the last line of the terminal, which goes with this value.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    /// How much of these files was read, of how much in all; pipes have no size.
    pub(super) fn of_files<'a>(mut paths: impl Iterator<Item = &'a PathBuf>) -> Self {
        let size = |path| fs::metadata(path).ok().filter(fs::Metadata::is_file);
        let total: Option<u64> = paths.try_fold(0, |total, path| Some(total + size(path)?.len()));
        let template = if total.is_some() { OF_FILES } else { OF_PIPES };
        Self::new(total, template)
    }

    /// How many events came, and how much of the time is over.
    pub(super) fn of_recording(duration: Option<Duration>) -> Self {
        let of = duration.map(|time| format!(" of {}", FormattedDuration(time)));
        let bar = Self::new(None, &RECORDING.replace("[of]", &of.unwrap_or_default()));
        if let Some(bar) = &bar.0 {
            // A quiet PBX sends nothing for minutes.
            bar.enable_steady_tick(Duration::from_secs(1));
        }
        bar
    }

    fn new(total: Option<u64>, template: &str) -> Self {
        let bar =
            ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(REFRESHES));
        // In a pipe, or where a line cannot be written again.
        if bar.is_hidden() {
            return Self(None);
        }

        // A mistake in a template would cost the bar, and not the command.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key(
                "rate",
                |state: &ProgressState, text: &mut dyn fmt::Write| {
                    let _ = write!(text, "{:.0}/s", state.per_sec());
                },
            ));
        }
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Self(Some(bar))
    }

    /// What tells this bar.
    pub(super) fn progress(&self) -> Progress {
        self.0
            .clone()
            .map_or_else(Progress::default, |bar| Progress::new(move |more| bar.inc(more)))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = self.0.take() {
            *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
            bar.finish_and_clear();
        }
    }
}

/// Standard error, above the bar if there is one.
pub(super) struct AboveBar;

impl Write for AboveBar {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
        match &*shown {
            Some(bar) => bar.suspend(|| io::stderr().write(bytes)),
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The one that is on the terminal now.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// A second: a person reads no more, and a replay has no time to lose.
const REFRESHES: u8 = 5;

const OF_FILES: &str =
    "{bar:30.cyan} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left";
const OF_PIPES: &str = "{spinner:.cyan} {binary_bytes}, {binary_bytes_per_sec}";
const RECORDING: &str = "{spinner:.cyan} {elapsed_precise}[of]  {pos} events, {rate}";
