//! The exporter as `run` and `demo` start it: sessions with the PBXs, and the pages.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use super::Failure;
use super::configuration::Origin;
use super::http_threads::HttpThreads;
use super::notify::keep_systemd_informed;
use super::reload::Reload;
use super::signals::Asked;
use crate::clock::{Clock, Moment};
use crate::config::{Config, HealthPath, Web};
use crate::error::with_causes;
use crate::health::Health;
use crate::http::{
    self, Connections, HealthSocket, Lifecycle, Numbers, Pages, Scraper, Wallboard, WebConfig,
};
use crate::metrics::{Exporter, Exposition, Families, Metrics, Part};
use crate::supervisor::{self, Changes};

/// Opens the configured sockets, or takes systemd's; `hint` says what helps where one is taken.
pub(super) async fn listen(config: &Config, hint: &str) -> Result<Vec<TcpListener>, Failure> {
    if config.web.systemd_socket {
        return http::inherit().map_err(|error| with_causes(&error).into());
    }
    http::bind(&config.web.listen_address).await.map_err(|error| format!("{error}\n{hint}").into())
}

/// Reads the web configuration file, if there is one.
pub(super) fn web_config(
    config: &Config,
    clock: &Clock,
) -> Result<Option<Arc<WebConfig>>, Failure> {
    let Some(path) = &config.web.config_file else { return Ok(None) };
    let (web, warnings) =
        WebConfig::open(path, clock.clone()).map_err(|error| with_causes(&error))?;

    for warning in warnings {
        warn!("{warning}");
    }
    Ok(Some(Arc::new(web)))
}

/// The metrics with a monitor for each PBX, none of which is synchronised from `now` on.
pub(super) fn new_exporter(config: &Config, now: Moment) -> Exporter {
    let metrics = Metrics::new(config.metrics.clone());
    let mut metrics = metrics.with_process_metrics().starting(now).with_http().with_reloads(now);
    if config.web.wallboard {
        metrics = metrics.with_recent();
    }

    let mut exporter = Exporter::new(metrics, Vec::new());
    for pbx in &config.pbxs {
        exporter.add(|metrics| supervisor::monitor(metrics, pbx, now));
    }
    exporter
}

/// What is started together.
pub(super) struct Service {
    pub(super) config: Config,
    pub(super) clock: Clock,
    pub(super) exporter: Exporter,
    pub(super) listeners: Vec<TcpListener>,
    pub(super) web: Option<Arc<WebConfig>>,
    /// Where the configuration can be read again, if it can.
    pub(super) origin: Option<Origin>,
}

impl Service {
    /// Runs PBXs and pages until it is to stop, then lets everything end.
    pub(super) async fn run(self, Asked { stop, hangups }: Asked) -> Result<(), Failure> {
        let Self { config, clock, exporter, listeners, web, origin } = self;
        let refusals = exporter.http_refusals();
        let reloads = exporter.reloads();
        let (changes, orders) = Changes::channel();
        let (lifecycle, requests) = Lifecycle::channel();
        let exporter = Arc::new(Mutex::new(exporter));
        let health = config.pbxs.iter().map(|pbx| (pbx.name.clone(), pbx.address.to_string()));
        let health = Arc::new(Health::new(health));
        let pages = Arc::new(Pages {
            telemetry_path: config.web.telemetry_path.clone(),
            lifecycle: Some(lifecycle).filter(|_| config.web.enable_lifecycle && origin.is_some()),
            health: Arc::clone(&health),
            scraper: scraper(Arc::clone(&exporter), clock.clone()),
            wallboard: wallboard(&config.web, &health, &exporter, &clock),
            clock: clock.clone(),
            web,
            connections: Connections::default(),
            refusals,
        });

        let tls = pages.web.as_ref().is_some_and(|web| web.has_tls());
        let threads = HttpThreads::start()?;
        let mut tasks = JoinSet::new();
        for listener in listeners {
            info!(address = %listener.local_addr()?, tls, "listening");
            let listener = threads.adopt(listener)?;
            let serving = http::serve(listener, Arc::clone(&pages), stop.clone());
            tasks.spawn_on(serving, threads.handle());
        }
        if let Some(wallboard) = &pages.wallboard {
            tasks.spawn_on(Arc::clone(wallboard).run(stop.clone()), threads.handle());
        }
        let informed = keep_systemd_informed(Arc::clone(&health), clock.clone(), stop.clone());
        tasks.spawn(informed);
        if let Some(socket) = health_socket(config.web.health_socket.clone())? {
            tasks.spawn(socket.serve(Arc::clone(&pages), stop.clone()));
        }
        let targets = (Arc::clone(&exporter), health);
        let pbxs = config.pbxs.clone();
        tasks.spawn(supervisor::run(pbxs, targets, clock.clone(), orders, stop.clone()));
        let reload = Reload { origin, config, clock, exporter, reloads, changes };
        tasks.spawn(reload.when_asked(hangups, requests, stop));

        while let Some(ended) = tasks.join_next().await {
            ended?;
        }
        info!("stopped");
        Ok(())
    }
}

/// The Unix socket for health checks.  Only one that somebody chose must open.
fn health_socket(path: Option<HealthPath>) -> Result<Option<HealthSocket>, Failure> {
    let Some(HealthPath { path, chosen }) = path else { return Ok(None) };
    match HealthSocket::open(&path) {
        Ok(socket) => Ok(Some(socket)),
        Err(error) if chosen => Err(format!("{}: {error}", path.display()).into()),
        Err(error) => {
            debug!(path = %path.display(), %error, "no socket for health checks");
            Ok(None)
        }
    }
}

/// A scrape is a consistent cut: its numbers are copied under the lock that a batch of events is
/// applied under.  They are named and written behind it, so events never wait for a slow scrape.
fn scraper(exporter: Arc<Mutex<Exporter>>, clock: Clock) -> Scraper {
    Scraper::new(Scraper::DEFAULT_LIMIT, move || {
        let snapshot =
            exporter.lock().unwrap_or_else(PoisonError::into_inner).snapshot(clock.now());
        Arc::new(snapshot.named())
    })
}

/// The wallboard, whose cuts are taken as those of scrapes.
fn wallboard(
    web: &Web,
    health: &Arc<Health>,
    exporter: &Arc<Mutex<Exporter>>,
    clock: &Clock,
) -> Option<Arc<Wallboard>> {
    if !web.wallboard {
        return None;
    }
    let (exporter, clock) = (Arc::clone(exporter), clock.clone());
    let take = move |quarters| {
        exporter.lock().unwrap_or_else(PoisonError::into_inner).board(clock.now(), quarters)
    };
    Some(Arc::new(Wallboard::new(web.wallboard_viewers, Arc::clone(health), take)))
}

impl Numbers for Families {
    fn write(&self, exposition: Exposition, part: &Part) -> Vec<u8> {
        Self::write(self, exposition, part)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::{Document, Purpose, Sources};
    use crate::metrics::Format;

    /// A store could not tell a first event from an old one.
    #[test]
    fn whatever_is_counted_from_the_start_says_since_when() {
        let text = "metrics: {created_lines: true}\npbx: [{address: a, username: u, secret: s}]\n";
        let document = Document::Text { name: "config.yml".to_owned(), text: text.to_owned() };
        let sources = Sources { document, ..Sources::default() };
        let config = Config::load(&sources, Purpose::Run).unwrap().config;
        let mut exporter = new_exporter(&config, Moment::from_secs(1000));
        let page = exporter.scrape(Moment::from_secs(1015), Format::OpenMetrics);

        let series = |ending: &str| -> BTreeSet<(String, String)> {
            let names = page.lines().filter_map(|line| line.split_once(' '));
            let split = names.map(|(series, _)| series.split_once('{').unwrap_or((series, "")));
            split
                .filter_map(|(name, labels)| {
                    Some((name.strip_suffix(ending)?.into(), labels.into()))
                })
                .collect()
        };
        let counted = &series("_total") | &series("_count");
        assert!(counted.len() > 100, "{page}");
        // What is read from /proc began with the process.
        let dated = series("_created");
        let lacking: Vec<_> = counted.difference(&dated).collect();
        assert!(lacking.iter().all(|(name, _)| name.starts_with("process_")), "{lacking:?}");
    }
}
