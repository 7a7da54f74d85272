//! What our HTTP side refuses.

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;

use super::catalogue::entry;
use super::column::Shared;
use super::family::Family;
use super::labels::Fixed;
use super::registrar::Registrar;

/// Why a connection or a request was refused, or ended early.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HttpRefusal {
    /// All connections are taken, and none gives way.
    Connections,
    /// The client has all that one may have, and none gives way.
    ClientConnections,
    /// The connection has given way to a newer one.
    Displaced,
    /// No whole request came in time.
    Timeout,
    /// The answer was not read in time.
    Unread,
    /// There are too many scrapes at once.
    Scrapes,
    /// No TLS could be agreed on, be it for the client's certificate.
    Tls,
    /// No password, or not the right one.
    Password,
    /// More requests than the web configuration allows.
    RateLimit,
    /// The web configuration is wrong.
    WebConfig,
    /// As many as may follow the wallboard already do.
    Viewers,
}

/// Counts what is refused.
#[derive(Clone, Debug)]
pub struct HttpRefusals(Arc<[Counter]>);

impl HttpRefusals {
    /// Counters of the catalogue, all at zero.
    pub(super) fn registered(registrar: &mut Registrar) -> Self {
        let family: Family<Fixed, Shared<Counter>> =
            registrar.family(const { entry("asterisk_exporter_http_refused_total") });
        Self(REASONS.iter().map(|(_, labels)| family.ensure(&Fixed(labels))).collect())
    }

    /// Counts one.
    pub fn count(&self, refusal: HttpRefusal) {
        let at = REASONS.iter().position(|(reason, _)| *reason == refusal);
        if let Some(counter) = at.and_then(|at| self.0.get(at)) {
            counter.inc();
        }
    }

    /// How many there were.
    pub fn counted(&self, refusal: HttpRefusal) -> u64 {
        let at = REASONS.iter().position(|(reason, _)| *reason == refusal);
        at.and_then(|at| self.0.get(at)).map_or(0, Counter::get)
    }
}

/// Counters that no scrape shows.
impl Default for HttpRefusals {
    fn default() -> Self {
        Self(REASONS.iter().map(|_| Counter::default()).collect())
    }
}

/// In the order of the contract.
const REASONS: &[(HttpRefusal, &[(&str, &str)])] = &[
    (HttpRefusal::Connections, &[("reason", "connections")]),
    (HttpRefusal::ClientConnections, &[("reason", "client_connections")]),
    (HttpRefusal::Displaced, &[("reason", "displaced")]),
    (HttpRefusal::Timeout, &[("reason", "timeout")]),
    (HttpRefusal::Unread, &[("reason", "unread")]),
    (HttpRefusal::Scrapes, &[("reason", "scrapes")]),
    (HttpRefusal::Tls, &[("reason", "tls")]),
    (HttpRefusal::Password, &[("reason", "password")]),
    (HttpRefusal::RateLimit, &[("reason", "rate_limit")]),
    (HttpRefusal::WebConfig, &[("reason", "web_config")]),
    (HttpRefusal::Viewers, &[("reason", "viewers")]),
];
