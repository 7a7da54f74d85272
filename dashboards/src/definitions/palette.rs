//! What a colour means: one name, one colour, in every dashboard.
//!
//! Most colours are those of Okabe and Ito, which people with any kind of colour blindness can
//! distinguish; a test checks the others for the same.  Names that are never in one panel may share
//! a colour.

/// All is well.
pub(super) const GOOD: &str = GREEN;
/// Look here soon.
pub(super) const WARN: &str = ORANGE;
/// Look here now.
pub(super) const BAD: &str = VERMILLION;
/// A number that is neither good nor bad.
pub(super) const PLAIN: &str = SKY;

/// No number: neither good nor bad, and not to be taken for either.
pub(super) const NONE: &str = DARK;

/// How a wait in a queue ended.
pub(super) const OUTCOMES: &[&str] = &[
    "answered",
    "abandoned",
    "timeout",
    "leave_empty",
    "exit_key",
    "redirected",
    "withdrawn",
    "unserved",
    "incompatible",
    "lost",
];
/// How a ring attempt, a call or an attempt on a trunk ended.
pub(super) const RESULTS: &[&str] =
    &["answered", "no_answer", "busy", "congestion", "failed", "canceled", "lost"];
/// The states of an agent, in the order of the state timeline's numbers.
pub(super) const STATES: &[&str] = &[
    "available",
    "ringing",
    "talking",
    "on_hold",
    "wrapup",
    "busy",
    "paused",
    "dnd",
    "unavailable",
    "unknown",
];
/// Where a call came from and went to.
pub(super) const DIRECTIONS: &[&str] = &["inbound", "outbound", "internal", "unknown"];
/// What kind of call a busy agent is on.
pub(super) const BUSY: &[&str] = &["queue", "inbound", "outbound", "internal", "unknown"];

/// The party that ended a talk.
pub(super) const ENDED_BY: &[&str] = &["caller", "agent", "transfer", "unknown", "lost"];

/// Why a caller was refused by a queue.
pub(super) const REFUSALS: &[&str] = &["full", "join_empty", "join_unavailable", "unknown_queue"];

/// The colour of a name; panics for a name without one, which a test would show.
pub(super) fn colour(name: &str) -> &'static str {
    let found = MEANINGS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("{name} has no colour")).1
}

const MEANINGS: &[(&str, &str)] = &[
    ("answered", GREEN),
    ("abandoned", VERMILLION),
    ("timeout", ORANGE),
    ("leave_empty", YELLOW),
    ("exit_key", SKY),
    ("redirected", BLUE),
    ("withdrawn", PURPLE),
    ("unserved", WINE),
    ("incompatible", VIOLET),
    ("lost", LIGHT),
    ("no_answer", ORANGE),
    ("busy", PURPLE),
    ("congestion", WINE),
    ("failed", VERMILLION),
    ("canceled", SKY),
    ("available", BLUE),
    ("ringing", YELLOW),
    ("talking", GREEN),
    ("on_hold", VIOLET),
    ("wrapup", SKY),
    ("paused", ORANGE),
    ("dnd", VERMILLION),
    ("unavailable", LIGHT),
    ("unknown", DARK),
    ("waiting", VERMILLION),
    ("entered", PALE),
    ("queue", GREEN),
    ("inbound", BLUE),
    ("outbound", ORANGE),
    ("internal", SKY),
    ("caller", SKY),
    ("agent", BLUE),
    ("transfer", PURPLE),
    ("p50", SKY),
    ("p90", ORANGE),
    ("p99", PURPLE),
    ("target", PALE),
    ("threshold", PALE),
    ("full", VERMILLION),
    ("join_empty", YELLOW),
    ("join_unavailable", ORANGE),
    ("unknown_queue", LIGHT),
    ("unpaused", BLUE),
    ("blind by agent", BLUE),
    ("attended by agent", SKY),
    ("blind by caller", ORANGE),
    ("attended by caller", YELLOW),
    ("answered only", SKY),
    ("short abandons excluded", BLUE),
    ("fast abandons as success", VIOLET),
    ("all abandons", GREEN),
    ("abandons after target", ORANGE),
    ("all exits", VERMILLION),
    ("adjusted", ORANGE),
    ("unanswered", PURPLE),
    ("offered load", PALE),
    ("speed of answer", SKY),
    ("wait before abandon", VERMILLION),
    ("talk", GREEN),
    ("handle time", BLUE),
    ("recorded", SKY),
];

const GREEN: &str = "#009E73";
const ORANGE: &str = "#E69F00";
const VERMILLION: &str = "#D55E00";
const SKY: &str = "#56B4E9";
const BLUE: &str = "#0072B2";
const YELLOW: &str = "#F0E442";
const PURPLE: &str = "#CC79A7";
const WINE: &str = "#882255";
const VIOLET: &str = "#9632FA";
const PALE: &str = "#AFFAAF";
const LIGHT: &str = "#DDDDDD";
const DARK: &str = "#5A5A5A";
