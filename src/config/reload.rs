//! What of a new configuration is in force after a reload, and for what a restart is needed.

use super::reference::{Change, OF_PBX, Setting, of_pbx, settings};
use super::{Config, Pbx};
use crate::correlator::Rules;
use crate::metrics::{Groups, QueueAliases, Settings};

/// The outcome of a reload.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// What is in force from now on.
    pub config: Config,
    /// The keys whose old value stays in force, as `buckets.hold` or `pbx[1].aliases.queues`; the
    /// index is that of the new configuration.
    pub restart_needed: Vec<String>,
}

impl Config {
    /// What of `new` can be put in place of this one in a running exporter.  PBXs are the same if
    /// their names are.
    #[must_use]
    pub fn reloaded(&self, new: Self) -> Reloaded {
        let restart_needed = self.restart_needed(&new);
        let mut metrics = self.reloaded_metrics(&new.metrics);
        let names = metrics.names_kept();

        let pbxs = new.pbxs.into_iter().map(|pbx| {
            // What makes an agent is one for all PBXs.
            let rules = Rules { identity: self.identity(), names: names.clone(), ..pbx.rules };
            let pbx = Pbx { rules, ..pbx };
            match self.pbx(&pbx) {
                Some(old) => old.reloaded(pbx),
                None => pbx,
            }
        });
        let pbxs: Vec<Pbx> = pbxs.collect();
        for pbx in &pbxs {
            metrics.queue_aliases.add(&pbx.name, pbx.queue_aliases.clone());
            metrics.groups.add(&pbx.name, &pbx.groups, &pbx.teams);
        }

        // What was opened at the start stays open.
        let config = Self { web: self.web.clone(), pbxs, metrics };
        Reloaded { config, restart_needed }
    }

    /// The PBX of this configuration that has the same name.
    fn pbx(&self, other: &Pbx) -> Option<&Pbx> {
        self.pbxs.iter().find(|pbx| pbx.name == other.name)
    }

    fn reloaded_metrics(&self, new: &Settings) -> Settings {
        Settings {
            service_level: new.service_level,
            queue_service_levels: new.queue_service_levels.clone(),
            service_level_share: new.service_level_share,
            short_abandon: new.short_abandon,
            created_lines: new.created_lines,
            queue_aliases: QueueAliases::default(),
            groups: Groups::default(),
            ..self.metrics.clone()
        }
    }

    fn restart_needed(&self, new: &Self) -> Vec<String> {
        let all = differing(&settings(self), &settings(new)).into_iter().filter(|key| {
            debug_assert!(Change::of(key).is_some(), "{key} is in no table");
            Change::of(key) == Some(Change::Restart)
        });
        let mut keys: Vec<String> = all.map(str::to_owned).collect();

        for (index, pbx) in new.pbxs.iter().enumerate() {
            let Some(old) = self.pbx(pbx) else { continue };
            for key in differing(&of_pbx(old), &of_pbx(pbx)) {
                if Change::of(&format!("{OF_PBX}{key}")) == Some(Change::Restart) {
                    keys.push(format!("pbx[{index}].{key}"));
                }
            }
        }
        keys
    }
}

impl Pbx {
    /// What of `new` can be put in place of this one.
    fn reloaded(&self, new: Self) -> Self {
        let Rules { agent_aliases, trunk_aliases, .. } = self.rules.clone();
        let rules = Rules { agent_aliases, trunk_aliases, ..new.rules };
        Self { rules, queue_aliases: self.queue_aliases.clone(), ..new }
    }

    /// Whether what is configured differs from `other`, its secret included, and what is configured for
    /// all PBXs but concerns each.
    pub fn differs(&self, other: &Self) -> bool {
        of_pbx(self) != of_pbx(other)
            || self.secret != other.secret
            || self.rules.tracked != other.rules.tracked
    }

    /// Whether a connection by the other configuration is another one.
    pub fn connects_otherwise(&self, other: &Self) -> bool {
        let tls = |pbx: &Self| pbx.tls.as_ref().map(|tls| tls.settings().clone());
        self.address != other.address || self.username != other.username || tls(self) != tls(other)
    }

    /// The same, or whether a login by it is another one.
    pub fn logs_in_otherwise(&self, other: &Self) -> bool {
        self.connects_otherwise(other)
            || self.secret != other.secret
            || self.plain_login != other.plain_login
    }
}

/// The keys whose values differ, or that only one side has.
fn differing(old: &[Setting], new: &[Setting]) -> Vec<&'static str> {
    let find = |all: &[Setting], key: &str| {
        all.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
    };
    let only_old = old.iter().filter(|(key, _)| find(new, key).is_none());
    let others = new.iter().filter(|(key, value)| find(old, key).as_ref() != Some(value));
    others.chain(only_old).map(|(key, _)| *key).collect()
}

#[cfg(test)]
mod tests;
