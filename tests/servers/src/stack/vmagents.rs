//! Three vmagents share the exporters, each exporter with two of them, and write everything to two
//! VictoriaMetrics that are read through vmauth; as docs/scaling.md has it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::program::{get, newest};

use super::fleet::{Fleet, Kind, recorded, rules, stored};
use super::series::Series;
use super::servers::{Folder, Server, port, start, until};
use super::start_times::samples;

#[test]
fn no_number_is_lost_with_an_agent_and_a_store() {
    let Some(programs) = Programs::find() else { return };
    let mut fleet = Fleet::start();
    let mut stores = [programs.store(None), programs.store(None)];
    let mut agents = [0, 1, 2].map(|number| programs.agent(number, &fleet.targets(), &stores));
    let entrance = programs.entrance(&stores, &agents);
    let _vmalert = programs.evaluating(&entrance);

    // Beside it what is to be the same: one exporter, one store.
    let one = programs.store(Some(&scraping(&fleet.target_of_all())));
    let _vmalert_of_one = programs.evaluating(&one);

    assert_shared(&agents);
    for store in stores.iter().chain([&one]) {
        until("the store has two scrapes", || {
            let scrapes = samples_of_each(store);
            let up = store.ask("count(asterisk_up)").total();
            if scrapes >= 2.0 && up == 30.0 { Ok(()) } else { Err(format!("{scrapes} of {up}")) }
        });
    }
    until_on_disk(&stores[0]);

    // While an agent is gone, another one scrapes what it did.
    agents[1].kill();
    fleet.call();
    for store in [&entrance, &stores[0], &stores[1]] {
        until_stored(store, &fleet);
    }

    // While a store is gone too, the other one answers, and the agents keep what it misses.
    stores[0].kill();
    fleet.call();
    until_stored(&entrance, &fleet);
    let missed = stored(&stores[1]);
    fleet.call();
    until_stored(&entrance, &fleet);

    agents[1].start_again();
    stores[0].start_again();
    fleet.call();
    for store in [&entrance, &stores[0], &stores[1]] {
        until_stored(store, &fleet);
    }
    until("the store has what it missed", || has_had(&stores[0], &missed));

    let callers = f64::from(fleet.callers());
    for store in [&entrance, &stores[0], &stores[1], &one] {
        // VictoriaMetrics takes a small first sample for a rise from 0.
        let offered = store.ask("sum(increase(asterisk_queue_entries_total[1h]))").total();
        assert_eq!(offered, callers);
    }
    until("the rules say the same of both", || assert_same_rules(&entrance, &one, callers));
}

fn assert_same_rules(entrance: &Server, one: &Server, callers: f64) -> Result<(), String> {
    let samples = samples_of_each(entrance).min(samples_of_each(one));
    // A rate is per second between the first and the last sample that are kept, which are other ones
    // of each exporter: its weight in a sum is another by up to two intervals.
    let factor = 1.0 + 2.0 / (samples - 1.0);

    // vmalert writes 12 digits.
    for (kind, slack) in [(Kind::Count, 1e-11), (Kind::Ratio, factor * factor - 1.0)] {
        let (of_all, of_one) = (recorded(entrance, kind), recorded(one, kind));
        if of_one.0.len() < 12 {
            return Err(format!("{kind:?}: {} series", of_one.0.len()));
        }
        of_one.compare(&of_all, slack).map_err(|why| format!("{kind:?}: {why}"))?;
    }

    let offered = recorded(entrance, Kind::Count);
    let offered = offered.named("queue:asterisk_queue_offered:increase5m").total();
    if offered == callers { Ok(()) } else { Err(format!("{offered} of {callers} callers")) }
}

fn samples_of_each(store: &Server) -> f64 {
    store.ask("min(count_over_time(asterisk_up[1h]))").total()
}

fn until_stored(store: &Server, fleet: &Fleet) {
    // VictoriaMetrics stores decimals of some 15 digits.
    until("the store has what was counted", || fleet.counted().compare(&stored(store), 1e-14));
}

/// Each exporter has two agents, and no agent has all.
fn assert_shared(agents: &[Server]) {
    until("the agents have shared the exporters", || {
        let mut scrapers = BTreeMap::<String, usize>::new();
        for agent in agents {
            let targets = agent.json("/api/v1/targets");
            let targets = targets["data"]["activeTargets"].as_array().unwrap();
            if targets.len() == 30 {
                return Err("an agent has all of them".to_owned());
            }
            for target in targets {
                let url = target["scrapeUrl"].as_str().unwrap().to_owned();
                *scrapers.entry(url).or_default() += 1;
            }
        }
        let all = scrapers.len() == 30 && scrapers.values().all(|agents| *agents == 2);
        if all { Ok(()) } else { Err(format!("{scrapers:?}")) }
    });
}

/// Waits until a store has on disk what it has now: a killed one forgets the rest.
fn until_on_disk(store: &Server) {
    let rows = |kept: fn(&str) -> bool| {
        let (_, page) = get(store.port, "/metrics", "*/*").unwrap();
        let lines = page.lines().filter_map(|line| line.strip_prefix("vm_rows{type=\"storage/"));
        let rows = lines.filter_map(|line| {
            let (kind, rows) = line.split_once("\"} ")?;
            kept(kind).then(|| rows.parse::<u64>().unwrap())
        });
        rows.sum::<u64>()
    };
    let all = rows(|_| true);
    until("the store has written to its disk", || {
        let written = rows(|kind| kind != "inmemory");
        if written >= all { Ok(()) } else { Err(format!("{written} rows of {all}")) }
    });
}

/// Whether the store has had each counter of callers at this value.
fn has_had(store: &Server, values: &Series) -> Result<(), String> {
    const CALLERS: &str = "asterisk_queue_entries_total";
    let expected = values.only(|name, _| name == CALLERS);
    assert_eq!(expected.0.len(), 30, "{expected:?}");

    let had: BTreeMap<_, _> = samples(store, CALLERS).into_iter().collect();
    let missing = expected
        .0
        .iter()
        .find(|(labels, value)| had.get(*labels).is_none_or(|samples| !samples.contains(value)));
    missing.map_or(Ok(()), |missing| Err(format!("{missing:?} is not in {had:?}")))
}

fn scraping(targets: &str) -> String {
    format!(
        "global: {{scrape_interval: {INTERVAL}, scrape_timeout: {INTERVAL}}}\nscrape_configs:\n  \
         - {{job_name: asterisk, static_configs: [{{targets: [{targets}]}}]}}\n"
    )
}

/// Those of Debian sid.
struct Programs {
    victoria_metrics: PathBuf,
    vmagent: PathBuf,
    vmalert: PathBuf,
    vmauth: PathBuf,
}

impl Programs {
    fn find() -> Option<Self> {
        Some(Self {
            victoria_metrics: newest("victoria-metrics")?,
            vmagent: newest("vmagent")?,
            vmalert: newest("vmalert")?,
            vmauth: newest("vmauth")?,
        })
    }

    /// A store that keeps one sample of each series per interval, and scrapes by itself or not.
    fn store(&self, config: Option<&str>) -> Server {
        let folder = Folder::new("store");
        let mut more = vec![
            format!("-storageDataPath={}", folder.path("data")),
            format!("-dedup.minScrapeInterval={INTERVAL}"),
            "-search.latencyOffset=1s".to_owned(),
            "-inmemoryDataFlushInterval=1s".to_owned(),
            "-memory.allowedBytes=256MB".to_owned(),
        ];
        if let Some(config) = config {
            more.push(format!("-promscrape.config={}", folder.file("scrape.yml", config)));
        }
        started("VictoriaMetrics", &self.victoria_metrics, &more, folder)
    }

    /// The agent of this number, of three, each exporter with two of them.
    fn agent(&self, number: usize, targets: &str, stores: &[Server]) -> Server {
        let folder = Folder::new("vmagent");
        let mut more = vec![
            format!("-promscrape.config={}", folder.file("scrape.yml", &scraping(targets))),
            "-promscrape.cluster.membersCount=3".to_owned(),
            format!("-promscrape.cluster.memberNum={number}"),
            "-promscrape.cluster.replicationFactor=2".to_owned(),
            format!("-remoteWrite.tmpDataPath={}", folder.path("queue")),
            "-remoteWrite.retryMaxInterval=2s".to_owned(),
        ];
        let urls = stores
            .iter()
            .map(|store| format!("-remoteWrite.url=http://127.0.0.1:{}/api/v1/write", store.port));
        more.extend(urls);
        started("vmagent", &self.vmagent, &more, folder)
    }

    /// Where everybody reads and vmalert writes.
    fn entrance(&self, stores: &[Server], agents: &[Server]) -> Server {
        let urls = |servers: &[Server]| {
            let urls = servers.iter().map(|server| format!("'http://127.0.0.1:{}/'", server.port));
            urls.collect::<Vec<_>>().join(", ")
        };
        let config = format!(
            "unauthorized_user:\n  url_map:\n    - src_paths: ['/api/v1/write']\n      url_prefix: [{}]\n    \
             - src_paths: ['/api/v1/.*']\n      url_prefix: [{}]\n      load_balancing_policy: first_available\n      \
             retry_status_codes: [502, 503]\n",
            urls(agents),
            urls(stores)
        );
        let folder = Folder::new("vmauth");
        let more = [format!("-auth.config={}", folder.file("auth.yml", &config))];
        started("vmauth", &self.vmauth, &more, folder)
    }

    /// A vmalert that reads and writes at this server.
    fn evaluating(&self, server: &Server) -> Server {
        let folder = Folder::new("vmalert");
        let more = [
            format!("-rule={}", folder.file("rules.yml", &rules(5))),
            format!("-datasource.url=http://127.0.0.1:{}", server.port),
            format!("-remoteWrite.url=http://127.0.0.1:{}", server.port),
            "-remoteWrite.flushInterval=1s".to_owned(),
            "-rule.evalDelay=2s".to_owned(),
            "-notifier.url=http://127.0.0.1:1".to_owned(),
        ];
        started("vmalert", &self.vmalert, &more, folder)
    }
}

fn started(what: &'static str, program: &Path, more: &[String], folder: Folder) -> Server {
    let port = port();
    let mut command = Command::new(program);
    command.arg(format!("-httpListenAddr=127.0.0.1:{port}")).arg("-loggerLevel=WARN").args(more);
    start(what, command, port, "/health", folder)
}

/// Of scrapes, and of the samples that are kept.
const INTERVAL: &str = "2s";
