//! What is configured about names: which channels are trunks, which are agents, who a
//! person is.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::RegexSet;

use super::names::NameLimits;
use super::observation::GivenUp;

/// Patterns, any of which may match.
#[derive(Clone, Debug, Default)]
pub struct Patterns(RegexSet);

impl Patterns {
    /// Compiles the patterns.
    ///
    /// # Errors
    /// The first pattern that is not a regular expression.
    pub fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Result<Self, regex::Error> {
        RegexSet::new(patterns).map(Self)
    }

    /// The patterns as they were given.
    pub fn texts(&self) -> &[String] {
        self.0.patterns()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any has `text` in it letter by letter, and not only matches it.
    pub fn spell_out(&self, text: &str) -> bool {
        let mut patterns = self.0.patterns().iter();
        patterns.any(|pattern| pattern.replace('\\', "").contains(text))
    }

    /// Whether any matches.
    pub fn matches(&self, text: &str) -> bool {
        !self.0.is_empty() && self.0.is_match(text)
    }
}

/// What makes two members the same agent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Identity {
    /// The member's name.
    #[default]
    MemberName,
    /// The member's interface.
    Interface,
}

/// How long agents have for wrap-up where Asterisk does not send it: it sends a member's own time
/// only.
#[derive(Clone, Debug, Default)]
pub struct WrapUp {
    default: Duration,
    /// By queue, in lower case.
    queues: BTreeMap<String, Duration>,
    shared: bool,
}

impl WrapUp {
    /// `wrapuptime` of queues.conf for all queues and for some, and `shared_lastcall` of its
    /// section `general`.
    pub fn new(
        default: Duration,
        queues: impl IntoIterator<Item = (String, Duration)>,
        shared: bool,
    ) -> Self {
        let queues =
            queues.into_iter().map(|(name, time)| (name.to_ascii_lowercase(), time)).collect();
        Self { default, queues, shared }
    }

    /// The time of a queue.  Asterisk compares names of queues without case.
    pub fn of(&self, queue: &str) -> Duration {
        if self.queues.is_empty() {
            return self.default;
        }
        self.queues.get(&queue.to_ascii_lowercase()).copied().unwrap_or(self.default)
    }

    /// The time of queues without one of their own.
    pub const fn default(&self) -> Duration {
        self.default
    }

    /// The times of queues that have one of their own, by names in lower case.
    pub const fn queues(&self) -> &BTreeMap<String, Duration> {
        &self.queues
    }

    /// Whether a call of one queue is the last call of the member in all queues.
    pub const fn is_shared(&self) -> bool {
        self.shared
    }
}

/// How the correlator reads names.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Trunks, by channel name.  Without any, no direction is known but by
    /// context.
    pub trunks: Patterns,
    /// Channels of agents' devices, by channel name.  Without any, every device that is not a
    /// trunk.
    pub agents: Patterns,
    /// Contexts in which inbound calls begin.
    pub inbound_contexts: Patterns,
    /// Contexts in which outbound calls begin.
    pub outbound_contexts: Patterns,
    /// What an agent is.
    pub identity: Identity,
    /// Wrap-up where no queue reports it.
    pub wrap_up: WrapUp,
    /// Agents by device or interface: `PJSIP/201` is Ann.
    pub agent_aliases: BTreeMap<String, String>,
    /// Trunks by registration, `user@host` or host: `sip.example.com` is `SIP/carrier`.
    pub trunk_aliases: BTreeMap<String, String>,
    /// How many names are kept.
    pub names: NameLimits,
    /// How much is followed at once.
    pub tracked: TrackedLimits,
    /// A log tells of gaps, and so long it may take to notice that the link is dead.
    pub dead_link: Option<Duration>,
}

/// How many of each there may be, for one PBX.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TrackedLimits {
    /// Channels, those that ended less than 30 s ago included.
    pub channels: usize,
    /// Stays, those of such channels included.
    pub stays: usize,
    /// Members of queues.
    pub members: usize,
    /// Recordings that go on.
    pub recordings: usize,
}

impl TrackedLimits {
    /// The key in the configuration of the limit of that kind.
    pub const fn key(kind: GivenUp) -> &'static str {
        match kind {
            GivenUp::Channel => "limits.channels",
            GivenUp::Stay => "limits.stays",
            GivenUp::Member => "limits.tracked_members",
            GivenUp::Recording => "limits.recordings",
        }
    }
}

impl Default for TrackedLimits {
    fn default() -> Self {
        Self { channels: 200_000, stays: 200_000, members: 100_000, recordings: 200_000 }
    }
}
