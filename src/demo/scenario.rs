//! The call centre: its queues, agents and trunks.  All names and numbers are fictional.

/// How a queue chooses the members to ring.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Strategy {
    RingAll,
    Linear,
    RoundRobin,
    LeastRecent,
}

impl Strategy {
    /// The word in QueueParams.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::RingAll => "ringall",
            Self::Linear => "linear",
            Self::RoundRobin => "rrmemory",
            Self::LeastRecent => "leastrecent",
        }
    }
}

/// Where a caller goes after the queue's time limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Overflow {
    Hangup,
    Voicemail,
    /// Into another queue, by its place in [`QUEUES`].
    Queue(usize),
}

/// One queue, as `queues.conf` and the dialplan would have it; times in seconds.
#[derive(Debug)]
pub(super) struct QueueSpec {
    pub(super) name: &'static str,
    /// The number that callers dial.
    pub(super) did: &'static str,
    pub(super) strategy: Strategy,
    pub(super) timeout: u64,
    pub(super) retry: u64,
    pub(super) wrapup: u64,
    pub(super) wait_limit: u64,
    /// `maxlen`, 0 for none.
    pub(super) max: usize,
    pub(super) service_level: u64,
    pub(super) autopause: bool,
    pub(super) recorded: bool,
    /// Members in the FreePBX manner: `Local/103@from-queue/n`.
    pub(super) local_members: bool,
    /// `joinempty=no` and `leavewhenempty=yes`.
    pub(super) strict: bool,
    pub(super) exit_key: Option<char>,
    pub(super) overflow: Overflow,
    /// Its part of the calls into queues, in percent.
    pub(super) share: u32,
    /// Places in [`AGENTS`], and the penalty.
    pub(super) members: &'static [(usize, u32)],
}

/// The queues.
pub(super) const QUEUES: [QueueSpec; 4] = [
    QueueSpec {
        name: "sales",
        did: "12025550101",
        strategy: Strategy::RingAll,
        timeout: 15,
        retry: 2,
        wrapup: 5,
        wait_limit: 60,
        max: 3,
        service_level: 20,
        autopause: false,
        recorded: false,
        local_members: false,
        strict: false,
        exit_key: Some('0'),
        overflow: Overflow::Queue(1),
        share: 36,
        members: &[(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)],
    },
    QueueSpec {
        name: "support",
        did: "12025550102",
        strategy: Strategy::Linear,
        timeout: 12,
        retry: 1,
        wrapup: 8,
        wait_limit: 90,
        max: 0,
        service_level: 30,
        autopause: false,
        recorded: false,
        local_members: true,
        strict: false,
        exit_key: None,
        overflow: Overflow::Voicemail,
        share: 28,
        members: &[(4, 0), (5, 0), (6, 0), (7, 0), (8, 1)],
    },
    QueueSpec {
        name: "billing",
        did: "12025550103",
        strategy: Strategy::RoundRobin,
        timeout: 10,
        retry: 2,
        wrapup: 10,
        wait_limit: 45,
        max: 0,
        service_level: 20,
        autopause: true,
        recorded: true,
        local_members: false,
        strict: false,
        exit_key: Some('5'),
        overflow: Overflow::Hangup,
        share: 24,
        members: &[(2, 1), (7, 0), (8, 0), (9, 0), (10, 0)],
    },
    QueueSpec {
        name: "callback",
        did: "12025550104",
        strategy: Strategy::LeastRecent,
        timeout: 12,
        retry: 3,
        wrapup: 0,
        wait_limit: 50,
        max: 2,
        service_level: 45,
        autopause: false,
        recorded: false,
        local_members: false,
        strict: true,
        exit_key: None,
        overflow: Overflow::Hangup,
        share: 12,
        members: &[(10, 0), (11, 0)],
    },
];

/// The agents, with the extensions of their phones.
pub(super) const AGENTS: [(&str, &str); 12] = [
    ("101", "Amelia Novak"),
    ("102", "Ben Carter"),
    ("103", "Chloe Martin"),
    ("104", "David Okafor"),
    ("105", "Elena Rossi"),
    ("106", "Farid Haddad"),
    ("107", "Grace Kim"),
    ("108", "Hugo Lindqvist"),
    ("109", "Irina Petrova"),
    ("110", "Jonas Weber"),
    ("111", "Kofi Mensah"),
    ("112", "Lucía Fernández"),
];

/// The trunks; outbound calls try the first, then the second.
pub(super) const TRUNKS: [&str; 2] = ["carrier-east", "carrier-west"];

/// Number for calls that go to one agent without a queue.
pub(super) const DIRECT_NUMBER: &str = "12025550140";

/// Number of the announcement.
pub(super) const ANNOUNCEMENT_NUMBER: &str = "12025550141";

/// Pause reasons, with the shortest and longest pause in seconds.
pub(super) const PAUSE_REASONS: [(&str, u64, u64); 4] =
    [("coffee", 15, 35), ("lunch", 50, 110), ("training", 40, 80), ("meeting", 30, 60)];

/// Callers' names; one with quotes, which AMI escapes.
pub(super) const CALLER_NAMES: [&str; 5] =
    ["Example Bakery", "North Wind Ltd", "Ivan \\\"K\\\" Ivanov", "Blue Garden", "<unknown>"];

/// How carriers refuse a call: Q.850 cause, SIP code, weight.
pub(super) const CARRIER_REFUSALS: [(u16, u16, u32); 4] =
    [(17, 486, 8), (34, 503, 7), (1, 404, 4), (19, 480, 5)];
