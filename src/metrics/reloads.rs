//! Whether the configuration that is in force is the one that was given last.

use super::catalogue::entry;
use super::column::{Level, Shared, Span};
use super::family::Family;
use super::labels::Fixed;
use super::registrar::Registrar;
use crate::clock::Moment;

/// Shows the outcome of the last reload.
#[derive(Clone, Debug, Default)]
pub struct ConfigReloads {
    successful: Level,
    at: Span,
}

impl ConfigReloads {
    /// Gauges of the catalogue; the start is a success.
    pub(super) fn registered(registrar: &mut Registrar, now: Moment) -> Self {
        let none = Fixed(&[]);
        let successful: Family<Fixed, Shared<Level>> =
            registrar.family(const { entry("asterisk_exporter_config_last_reload_successful") });
        let at: Family<Fixed, Shared<Span>> = registrar.family(
            const { entry("asterisk_exporter_config_last_reload_success_timestamp_seconds") },
        );
        let reloads = Self { successful: successful.ensure(&none), at: at.ensure(&none) };
        reloads.succeeded(now);
        reloads
    }

    /// The configuration of `now` is in force.
    pub fn succeeded(&self, now: Moment) {
        self.successful.set(1);
        self.at.set(now.since(Moment::EPOCH).as_secs_f64());
    }

    /// Another configuration was refused.
    pub fn failed(&self) {
        self.successful.set(0);
    }
}
