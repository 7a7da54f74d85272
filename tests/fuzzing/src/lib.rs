//! What must hold for any input, one function for each kind of input.
//!
//! A target takes bytes, and panics if the exporter does with them what it must not do.  The tests
//! of this package call the targets with recordings that were changed by a seed; cargo-fuzz calls
//! them with what it finds (`make fuzz`).

mod accept;
mod configuration;
mod corpus;
mod events;
mod exposition;
mod frames;
mod lists;
mod mutator;
mod queue_log;
mod replay;

pub use corpus::corpus;
use fastrand::Rng;
pub use mutator::Mutator;

/// A kind of input.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As `make fuzz TARGET=…` and the corpora name it.
    pub name: &'static str,
    /// Checks one input.
    ///
    /// # Panics
    /// The exporter does not do what it must.
    pub check: fn(&[u8]),
    /// How many bytes before the input proper decide how it is given.
    pub parameters: usize,
    /// What input is made of.
    pub corpus: Corpus,
}

impl Target {
    /// An input for `check`: the recording behind parameters.
    pub fn input(&self, rng: &mut Rng, recording: &[u8]) -> Vec<u8> {
        let parameters = std::iter::repeat_with(|| rng.u8(..)).take(self.parameters);
        parameters.chain(recording.iter().copied()).collect()
    }
}

/// From which files of the repository a corpus comes.
#[derive(Clone, Copy, Debug)]
pub enum Corpus {
    /// Captures of the manager interface.
    Captures,
    /// Logs of queues, packed ones as they are.
    QueueLogs,
    /// Configurations, good and bad.
    Configurations,
    /// The same of the pages.
    WebConfigurations,
    /// Accept headers, as the clients send them.
    Accepts,
    /// Pages of metrics.
    Expositions,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "frames", check: frames::check, parameters: 3, corpus: Corpus::Captures },
    Target { name: "events", check: events::check, parameters: 0, corpus: Corpus::Captures },
    Target { name: "replay", check: replay::check, parameters: 0, corpus: Corpus::Captures },
    Target { name: "lists", check: lists::check, parameters: 1, corpus: Corpus::Captures },
    Target { name: "queue_log", check: queue_log::check, parameters: 0, corpus: Corpus::QueueLogs },
    Target {
        name: "configuration",
        check: configuration::check,
        parameters: 0,
        corpus: Corpus::Configurations,
    },
    Target {
        name: "web_config",
        check: configuration::check_web,
        parameters: 0,
        corpus: Corpus::WebConfigurations,
    },
    Target { name: "accept", check: accept::check, parameters: 0, corpus: Corpus::Accepts },
    Target {
        name: "exposition",
        check: exposition::check,
        parameters: 0,
        corpus: Corpus::Expositions,
    },
];

/// The target of that name.
///
/// # Panics
/// There is none.
pub fn target(name: &str) -> Target {
    let found = TARGETS.iter().find(|target| target.name == name);
    *found.unwrap_or_else(|| panic!("no target {name}"))
}
