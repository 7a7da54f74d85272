//! When the PBX was started, and how a restart is recognised.
//!
//! FullyBooted carries the uptime in whole seconds (not on 12 and 13); the boot moment is that of the
//! event less the uptime.  A restart shows by a smaller uptime, or by a boot moment that is later
//! than the known one.

use std::time::Duration;

use super::Correlator;
use super::observation::Observe;
use super::time::{Stamp, Timing};
use crate::clock::Moment;

/// When the PBX was started, as far as FullyBooted reports it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Boot {
    /// No FullyBooted with an Uptime has come.
    #[default]
    Unknown,
    /// It came in a capture before anything had a time: the next event dates it.
    Undated { uptime: Duration },
    /// It came in a capture without a time of its own: no earlier than the event before it, and no
    /// later than what follows the login.
    NotBefore { at: Moment, uptime: Duration },
    /// It was dated by its own time or by our clock.
    Dated { at: Moment, uptime: Duration },
}

/// When a FullyBooted came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Received {
    /// At that moment.
    At(Moment),
    /// At that moment or later.
    NotBefore(Moment),
    /// Before anything had a time.
    Undated,
}

impl Boot {
    /// Takes a FullyBooted.  Whether it shows that the PBX was restarted since the one before.
    fn fully_booted(&mut self, uptime: Duration, received: Received) -> bool {
        let boot = match received {
            Received::At(moment) | Received::NotBefore(moment) => Some(moment.before(uptime)),
            Received::Undated => None,
        };
        let is_shorter = self.uptime().is_some_and(|before| uptime < before);
        let is_later = self.at().zip(boot).is_some_and(|(known, boot)| is_another(known, boot));
        let restarted = is_shorter || is_later;

        // The known moment stays while the same boot goes on: Uptime is whole seconds, so each login
        // would shift it by up to one.
        let at = self.at().filter(|_| !restarted).or(boot);
        *self = match (at, received) {
            (None, _) => Self::Undated { uptime },
            (Some(at), Received::At(_)) => Self::Dated { at, uptime },
            (Some(at), Received::NotBefore(_) | Received::Undated) => {
                Self::NotBefore { at, uptime }
            }
        };
        restarted
    }

    /// Dates a capture's first FullyBooted by the first event that has a time.
    pub(super) fn date(&mut self, now: Moment) {
        if let Self::Undated { uptime } = *self
            && let Some(now) = now.dated()
        {
            *self = Self::NotBefore { at: now.before(uptime), uptime };
        }
    }

    /// What follows a login at once came at that moment, so the FullyBooted of that login did, too.
    /// Whether it shows that the PBX was restarted.
    fn logged_in(&mut self, now: Moment) -> bool {
        self.date(now);
        let Self::NotBefore { at: known, uptime } = *self else { return false };

        let boot = now.before(uptime);
        let restarted = is_another(known, boot);
        let at = if restarted { boot } else { known };
        *self = Self::Dated { at, uptime };
        restarted
    }

    /// When the PBX was started; 12 and 13 do not report it, for their FullyBooted has no Uptime.
    pub(super) fn started(&self) -> Option<Moment> {
        self.at().and_then(Moment::dated)
    }

    const fn at(&self) -> Option<Moment> {
        match *self {
            Self::Unknown | Self::Undated { .. } => None,
            Self::NotBefore { at, .. } | Self::Dated { at, .. } => Some(at),
        }
    }

    const fn uptime(&self) -> Option<Duration> {
        match *self {
            Self::Unknown => None,
            Self::Undated { uptime }
            | Self::NotBefore { uptime, .. }
            | Self::Dated { uptime, .. } => Some(uptime),
        }
    }
}

/// Whether a boot moment is of a later boot than the known one.
fn is_another(known: Moment, boot: Moment) -> bool {
    boot.since(known) > SLACK
}

impl Correlator {
    pub(super) fn on_fully_booted(
        &mut self,
        at: Stamp,
        uptime: Option<u64>,
        out: &mut dyn Observe,
    ) {
        // A session begins: what came between it and the one before was not received, so no device
        // is known to have been free since.
        self.account.channels_listed = false;
        self.session = self.session.wrapping_add(1);
        self.members.begin_session();

        let Some(uptime) = uptime else { return };
        if self.boot.fully_booted(Duration::from_secs(uptime), self.received(at)) {
            self.restarted(at, out);
        }
    }

    /// When a FullyBooted came.
    ///
    /// Live, it is dated by our own clock: only a FullyBooted while we were logged in carries the
    /// PBX's time, and the two clocks must not be mixed.
    fn received(&self, at: Stamp) -> Received {
        match (self.timing, at.wire) {
            (Timing::Live, _) => Received::At(at.read),
            (Timing::Recorded, Some(wire)) => Received::At(wire),
            (Timing::Recorded, None) => {
                at.read.dated().map_or(Received::Undated, Received::NotBefore)
            }
        }
    }

    /// Something that follows a login at once reported the time: it dates the FullyBooted just
    /// before it.
    pub fn logged_in(&mut self, now: Moment, out: &mut impl Observe) {
        if self.boot.logged_in(now) {
            self.restarted(Stamp { read: now, wire: None }, out);
            self.settle();
        }
    }

    pub(super) fn on_shutdown(&mut self, at: Stamp, out: &mut dyn Observe) {
        // The session is about to end, and its log may have more of it.
        if self.rules.dead_link.is_some() {
            self.postpone_restart();
        } else {
            self.lose_all(at, out);
        }
    }

    fn restarted(&mut self, at: Stamp, out: &mut dyn Observe) {
        if self.awaits_log() {
            self.postpone_restart();
        } else {
            self.lose_all(at, out);
        }
    }

    /// Whatever was open is gone, and how it ended was not reported.
    pub(super) fn lose_all(&mut self, at: Stamp, out: &mut dyn Observe) {
        let mut keys: Vec<_> = self.channels.all.keys().collect();
        keys.sort_unstable();

        // All end before the first is forgotten: a channel's end is counted by what is known of the
        // others, such as the phone behind a Local channel.
        for &key in &keys {
            self.lose_channel(key, at, out);
        }
        for key in keys {
            self.forget_channel(key, at, out);
        }
        self.sweep_all_members();
        self.forget_endpoints();
    }
}

/// Uptime is whole seconds, and FullyBooted takes its time to arrive.
const SLACK: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn at(second: u64) -> Moment {
        Moment::from_secs(1000 + second)
    }

    /// Boots, as a FullyBooted with that uptime at that second shows.
    fn booted(uptime: u64, second: u64) -> Boot {
        let mut boot = Boot::default();
        assert!(!boot.fully_booted(seconds(uptime), Received::At(at(second))));
        boot
    }

    #[test]
    fn a_smaller_uptime_is_a_restart_however_soon() {
        let mut boot = booted(100, 100);
        assert!(boot.fully_booted(seconds(99), Received::At(at(100))));
        assert_eq!(boot.started(), Some(at(1)));
    }

    #[test]
    fn a_later_boot_is_a_restart_though_its_uptime_is_longer() {
        let mut boot = booted(10, 10);
        assert!(!boot.fully_booted(seconds(20), Received::At(at(23))));
        assert_eq!(boot.started(), Some(at(0)));
        assert!(boot.fully_booted(seconds(20), Received::At(at(24))));
        assert_eq!(boot.started(), Some(at(4)));
    }

    #[test]
    fn a_boot_before_anything_has_a_time_is_dated_by_the_next_event() {
        let mut boot = Boot::default();
        assert!(!boot.fully_booted(seconds(100), Received::Undated));
        assert_eq!(boot.started(), None);
        boot.date(Moment::UNDATED);
        assert_eq!(boot.started(), None);
        boot.date(at(150));
        boot.date(at(160));
        assert_eq!(boot, Boot::NotBefore { at: at(50), uptime: seconds(100) });
    }

    #[test]
    fn what_follows_the_login_shows_a_restart_that_the_last_event_before_could_not() {
        // The last event of the session before came at 110; the next session begins at 500.
        let mut boot = booted(100, 100);
        assert!(!boot.fully_booted(seconds(110), Received::NotBefore(at(110))));
        assert!(boot.logged_in(at(500)));
        assert_eq!(boot.started(), Some(at(390)));
        assert!(!boot.logged_in(at(600)));
    }

    #[test]
    fn a_login_to_the_same_boot_leaves_its_moment() {
        let mut boot = booted(100, 100);
        assert!(!boot.fully_booted(seconds(499), Received::NotBefore(at(110))));
        assert!(!boot.logged_in(at(500)));
        assert_eq!(boot.started(), Some(at(0)));
    }

    #[test]
    fn an_uptime_longer_than_the_clock_dates_nothing() {
        assert_eq!(booted(u64::MAX, 1).started(), None);
    }
}
