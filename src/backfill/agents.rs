//! Agents as the configuration calls them, where the log shows whom it means: a member without a
//! name is in the log by its interface.

use std::collections::{BTreeMap, HashMap};

/// The label of each interface that has an alias.
#[derive(Debug, Default)]
pub struct AgentAliases(HashMap<Vec<u8>, String>);

impl AgentAliases {
    /// Those of `aliases.agents`, by device.
    pub fn new(aliases: &BTreeMap<String, String>) -> Self {
        let all = aliases.iter();
        Self(all.map(|(device, agent)| (key(device.as_bytes()), agent.clone())).collect())
    }

    /// The agent whom a line names.
    pub(super) fn of<'a>(&'a self, agent: &'a [u8]) -> &'a [u8] {
        if self.0.is_empty() {
            return agent;
        }
        self.0.get(&key(agent)).map_or(agent, String::as_bytes)
    }
}

/// Devices have no case, and `/n` and its like are options of a Local channel.
fn key(device: &[u8]) -> Vec<u8> {
    let mut key = device.to_ascii_lowercase();
    let options = key.iter().rposition(|&byte| byte == b'/').filter(|&slash| {
        key.starts_with(b"local/") && slash > LOCAL && !key[slash..].contains(&b'@')
    });
    key.truncate(options.unwrap_or(key.len()));
    key
}

/// The slash of `local/`.
const LOCAL: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_has_its_alias_and_a_name_stays() {
        let aliases = [("PJSIP/201", "Ann"), ("Local/7@agents", "Ben"), ("SIP/a/b", "Cem")];
        let aliases = aliases.map(|(device, agent)| (device.to_owned(), agent.to_owned()));
        let aliases = AgentAliases::new(&BTreeMap::from(aliases));
        let of = |name: &str| String::from_utf8_lossy(aliases.of(name.as_bytes())).into_owned();
        assert_eq!(
            ["pjsip/201", "Local/7@agents/n", "local/7@AGENTS"].map(of),
            ["Ann", "Ben", "Ben"]
        );
        assert_eq!(
            ["SIP/a/b", "SIP/a", "Ann Lee", "Local/7"].map(of),
            ["Cem", "SIP/a", "Ann Lee", "Local/7"]
        );
    }
}
