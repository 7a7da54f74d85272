//! Lines: what a channel's name shows to be at its end.

use super::device::Class;
use super::names::{Names, TrunkId};
use super::origin::Origin;
use super::rules::Rules;

/// What is at a channel's end, by its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Line {
    /// A trunk.
    Trunk(TrunkId),
    /// An agent's device.
    Agent,
    /// Half a Local channel.
    Local,
    /// Nobody is at its end: media, announcements, recordings, messages.  No call, and no leg of
    /// one.
    Media,
    /// The configuration matches neither.
    Other,
}

impl Line {
    /// What a channel is by its name, its device and the configured patterns.
    pub(super) fn of(name: &str, origin: &Origin, rules: &Rules, names: &mut Names) -> Self {
        let own = match origin.class {
            Class::Local => return Self::Local,
            Class::Media => return Self::Media,
            Class::Device => true,
            Class::Line => false,
        };
        if rules.trunks.matches(name) {
            return Self::Trunk(names.trunks.intern_text(origin.trunk_label()));
        }
        // Every device that is not a trunk.  A line that many share must be configured as one.
        let everybody = rules.agents.is_empty() && !rules.trunks.is_empty() && own;
        if everybody || rules.agents.matches(name) { Self::Agent } else { Self::Other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlator::Patterns;
    use crate::correlator::origin::Origins;

    #[test]
    fn without_patterns_nobody_is_an_agent_and_with_trunks_everybody_else_is() {
        let mut names = Names::default();
        let mut line = |name: &str, rules: &Rules| {
            Line::of(name, &Origins::default().ensure(name, b"", rules), rules, &mut names)
        };
        assert_eq!(line("SIP/201-1", &Rules::default()), Line::Other);
        let rules = Rules { trunks: Patterns::new(["^SIP/trunk-"]).unwrap(), ..Rules::default() };
        assert_eq!(line("SIP/201-1", &rules), Line::Agent);
        assert!(matches!(line("SIP/trunk-1", &rules), Line::Trunk(_)));
        assert_eq!(line("Local/1@x-1;1", &rules), Line::Local);
        assert_eq!(line("AudioSocket/x-1", &rules), Line::Media);
        // A span of ISDN is nobody's phone.
        assert_eq!(line("DAHDI/i1/2025550100-1", &rules), Line::Other);
    }
}
