//! The flags of logging.

use std::str::FromStr;

use clap::{Args, ValueEnum};

/// What is logged, and how.  Logs go to standard error.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// error, warn, info, debug, trace or off; also filters such as
    /// `info,asterisk_exporter::supervisor=debug`.
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "info")]
    pub level: Level,
    /// How a line looks.
    #[arg(long = "log.format", value_enum, default_value_t)]
    pub format: LogFormat,
}

/// What is logged: a level, or filters of `target=level` with one; checked, as an unknown word
/// would mute all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Level(String);

impl Level {
    /// As tracing reads it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Level {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(|part| {
            let part = part.trim();
            let (target, level) = part.rsplit_once('=').unwrap_or(("", part));

            // Prometheus' own programs also take the longer word.
            let level = if level.eq_ignore_ascii_case("warning") { "warn" } else { level };

            if !LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level)) {
                return Err(format!("`{level}` is none of {}", LEVELS.join(", ")));
            }
            Ok(if target.is_empty() { level.to_owned() } else { format!("{target}={level}") })
        });

        Ok(Self(parts.collect::<Result<Vec<_>, _>>()?.join(",")))
    }
}

const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace", "off"];

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum LogFormat {
    /// `key=value` pairs.
    #[default]
    Logfmt,
    /// One JSON object a line.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_would_mute_everything_is_refused() {
        for (text, read) in [
            ("warning", "warn"),
            ("off", "off"),
            ("info,asterisk_exporter::http=debug", "info,asterisk_exporter::http=debug"),
        ] {
            assert_eq!(text.parse(), Ok(Level(read.to_owned())));
        }
        for text in ["", "loud", "none", "info,asterisk_exporter", "http=loud"] {
            assert!(text.parse::<Level>().is_err(), "{text}");
        }
    }
}
