//! The keys of a `pbx` that say how its connection is kept.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::checks;
use super::section::Section;

/// The times and limits of a connection.
pub(super) struct Link {
    pub(super) ping_interval: Duration,
    pub(super) ping_timeout: Duration,
    pub(super) queue_status_interval: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) reconnect_min: Duration,
    pub(super) reconnect_max: Duration,
    pub(super) max_line: usize,
    pub(super) max_frame: usize,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            // Together below 30 s: that is how long a dead link goes unnoticed at most.
            ping_interval: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(15),
            queue_status_interval: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            reconnect_min: Duration::from_secs(1),
            reconnect_max: Duration::from_secs(60),
            max_line: 65_536,
            max_frame: 1_048_576,
        }
    }
}

impl Link {
    /// Reads the keys of one entry of `pbx`.
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        let second = Duration::from_secs(1);
        let minute = 60 * second;
        let time = |key, sensible: RangeInclusive<Duration>, default| {
            section
                .time(key, checks::duration_from(*sensible.start()), &sensible)
                .unwrap_or(default)
        };

        // The upper ends are questioned, not refused: a dead link that goes unnoticed for so long is
        // hardly meant.
        let link = Self {
            ping_interval: time("ping_interval", second..=5 * minute, default.ping_interval),
            ping_timeout: time("ping_timeout", second..=5 * minute, default.ping_timeout),
            queue_status_interval: time(
                "queue_status_interval",
                30 * second..=60 * minute,
                default.queue_status_interval,
            ),
            connect_timeout: time(
                "connect_timeout",
                second / 10..=5 * minute,
                default.connect_timeout,
            ),
            reconnect_min: time("reconnect_min", second / 10..=10 * minute, default.reconnect_min),
            reconnect_max: time("reconnect_max", second / 10..=60 * minute, default.reconnect_max),
            max_line: section
                .read("max_line_bytes", checks::count(LINE_BYTES))
                .unwrap_or(default.max_line),
            max_frame: section
                .read("max_frame_bytes", checks::count(FRAME_BYTES))
                .unwrap_or(default.max_frame),
        };

        link.check_order(section);
        link
    }

    fn check_order(&self, section: &Section<'_>) {
        if self.reconnect_min > self.reconnect_max {
            let key = if section.has("reconnect_max") { "reconnect_max" } else { "reconnect_min" };
            let message = format!(
                "reconnect_min {:?} is longer than reconnect_max {:?}",
                self.reconnect_min, self.reconnect_max
            );
            section.mistake(key, message);
        }

        if self.max_line > self.max_frame {
            let key =
                if section.has("max_frame_bytes") { "max_frame_bytes" } else { "max_line_bytes" };
            let message = format!(
                "max_line_bytes {} is more than max_frame_bytes {}",
                self.max_line, self.max_frame
            );
            section.mistake(key, message);
        }
    }
}

/// Asterisk's own headers stay below 1 KiB; a megabyte is a wrong figure.
pub(super) const LINE_BYTES: RangeInclusive<usize> = 1024..=1_048_576;

/// From a large event to what no list reply reaches.
pub(super) const FRAME_BYTES: RangeInclusive<usize> = 4096..=67_108_864;
