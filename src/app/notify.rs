//! What systemd is told, if it started the program (`Type=notify`, `WatchdogSec=`).

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{error, warn};

use crate::clock::Clock;
use crate::health::Health;

/// Tells that the pages are served, and until `stop` that the program lives; for as long only as no
/// task of a PBX is stuck.  systemd restarts a program that is silent for too long.
pub(super) async fn keep_systemd_informed(
    health: Arc<Health>,
    clock: Clock,
    mut stop: watch::Receiver<bool>,
) {
    tell(NotifyState::Ready);
    let limit = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero());
    let feed = async {
        match limit {
            Some(limit) => {
                feed_watchdog(&health, &clock, limit, || tell(NotifyState::Watchdog)).await;
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {}
        () = feed => {}
    }
    tell(NotifyState::Stopping);
}

/// Never ends.
async fn feed_watchdog(health: &Health, clock: &Clock, limit: Duration, feed: impl Fn()) {
    let mut was_stuck = false;
    loop {
        let stuck = health.stuck(clock.now());
        if stuck.is_empty() {
            feed();
        } else if !was_stuck {
            let pbxs: Vec<_> = stuck.iter().map(|(pbx, _)| pbx.as_str()).collect();
            error!(
                pbxs = pbxs.join(","),
                ?limit,
                "a task is stuck: systemd will restart the program"
            );
        }
        was_stuck = !stuck.is_empty();
        // As systemd recommends: twice as often as needed.
        sleep(limit / 2).await;
    }
}

/// Tells that the configuration is read again.
pub(super) fn reloading() {
    let mut states = vec![NotifyState::Reloading];
    // For `Type=notify-reload`, which knows by it that the reload is the one it has asked for.
    states.extend(NotifyState::monotonic_usec_now());
    tell_all(&states);
}

/// Tells that it was read.
pub(super) fn reloaded() {
    tell(NotifyState::Ready);
}

fn tell(state: NotifyState<'_>) {
    tell_all(&[state]);
}

/// Does nothing if systemd did not start the program.
fn tell_all(states: &[NotifyState<'_>]) {
    if let Err(err) = sd_notify::notify(states) {
        warn!(error = %err, "systemd does not take notifications");
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::timeout;

    use super::*;
    use crate::pbx::PbxName;

    #[tokio::test(start_paused = true)]
    async fn the_watchdog_is_fed_only_while_no_task_is_stuck() {
        let clock = Clock::start();
        let health = Health::new([(PbxName::new("hq"), "10.0.0.5:5038".to_owned())]);
        let fed = Cell::new(0);
        let limit = Duration::from_secs(60);
        let feeding = feed_watchdog(&health, &clock, limit, || fed.set(fed.get() + 1));
        tokio::pin!(feeding);

        // At once and every half minute; the sign of life is good for half a minute.
        health.sign_of_life(0, clock.now());
        let _ = timeout(Duration::from_secs(29), &mut feeding).await;
        assert_eq!(fed.get(), 1);
        let _ = timeout(Duration::from_secs(3), &mut feeding).await;
        assert_eq!(fed.get(), 2);
        let _ = timeout(Duration::from_secs(90), &mut feeding).await;
        assert_eq!(fed.get(), 2, "a stuck task");

        health.sign_of_life(0, clock.now());
        let _ = timeout(Duration::from_secs(30), &mut feeding).await;
        assert_eq!(fed.get(), 3);
    }
}
