//! Exact Prometheus metrics of an Asterisk PBX, from its manager interface (AMI).
//!
//! Bytes go in on the left, text comes out on the right; each step knows only the step to its left:
//!
//! ```text
//! socket -> ami::Connection -> Frame -> Event -> Correlator -> Observation -> Recorder -> /metrics
//!   (I/O)                      pure     pure       pure           pure        counters      (I/O)
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`ami`] | bytes to frames, actions to bytes, and the one socket |
//! | [`event`] | frames to typed events |
//! | [`correlator`] | the state machine: events and lists in, observations out |
//! | [`intake`] | frames to a PBX's monitor, live or replayed, with the lists at the beginning of a session |
//! | [`metrics`] | observations to counters, state to gauges, both to text |
//! | [`http`] | `/metrics`, the landing page, health |
//! | [`supervisor`] | one task a PBX: connect, log in, resync, follow |
//! | [`replay`] | captures through the same path |
//! | [`queue_log`] | Asterisk's own log of its queues, line by line |
//! | [`audit`] | that log compared with what was counted |
//! | [`record`] | what a PBX sends, as a capture, under pseudonyms |
//! | [`demo`] | a simulated PBX that speaks real AMI |
//! | [`config`] | file, environment and flags to a checked configuration |
//! | [`doctor`] | what is missing on a PBX, and the line that mends it |
//! | [`manager_conf`] | the manager account with the least rights that are needed |
//! | [`setup`] | what a new user needs: account, configuration, scrape job |
//! | [`tls`] | by what a PBX is recognised over TLS, and what is wrong when it is not |
//! | [`health`] | the phase of each PBX, shared by supervisor and HTTP |
//! | [`error`] | errors as text |
//! | [`pbx`] | the name of a configured PBX |
//! | [`version`] | a version of Asterisk, and what differs between versions |
//! | [`progress`] | how far a long piece of work has come |
//! | [`build_info`] | version, revision and date of this build |
//! | [`clock`], [`calendar`] | moments, the only reader of the clock, and their text |
//! | [`cli`], [`app`] | the command line, and what its commands do |
//!
//! The library is no API: it is for the program, its tests and its benches, and changes without
//! notice.  What the numbers mean is in `METRICS.md`, how and why it is built so in
//! `docs/design.md`.

pub mod ami;
pub mod app;
pub mod audit;
pub mod backfill;
pub mod build_info;
pub mod calendar;
pub mod cli;
pub mod clock;
pub mod config;
pub mod correlator;
pub mod demo;
pub mod doctor;
pub mod error;
pub mod event;
pub mod health;
pub mod http;
pub mod intake;
pub mod manager_conf;
pub mod metrics;
pub mod pbx;
pub mod progress;
pub mod queue_log;
pub mod record;
pub mod replay;
pub mod setup;
pub mod supervisor;
pub mod tls;
pub mod version;
