//! The command `doctor`: what is right with each PBX, and what is missing.

use std::fmt::Write as _;
use std::pin::pin;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use super::configuration::{load, printed};
use super::output::write_out;
use super::runtime::on_runtime;
use super::signals::stop_signal;
use super::{AlreadyPrinted, Failure};
use crate::ami::frame::{Decoder, Item, Limits};
use crate::cli::DoctorArgs;
use crate::clock::Clock;
use crate::config::{Overrides, Pbx, Purpose};
use crate::doctor::{Examined, Facts, Finding, Level, Targets, examine, not_begun, of_failure};
use crate::error::printable;
use crate::metrics::Settings;
use crate::supervisor::{Alone, Tap};

/// What was found about one PBX.
#[derive(Serialize)]
struct Report {
    pbx: String,
    address: String,
    findings: Vec<Finding>,
}

/// Examines all PBXs at once; fails if there is a problem.
pub(super) fn run(args: DoctorArgs) -> Result<(), Failure> {
    let mut config = printed(load(args.config, Overrides::default(), Purpose::Run)?);
    let is_only_pbx = config.pbxs.len() == 1;
    if let Some(name) = &args.pbx {
        config.pbxs.retain(|pbx| pbx.name.as_str() == name);
        if config.pbxs.is_empty() {
            return Err(format!("--pbx: the configuration has no pbx {name}").into());
        }
    }

    on_runtime(async {
        let stop = stop_signal()?;
        let mut examined = JoinSet::new();
        for (place, pbx) in config.pbxs.into_iter().enumerate() {
            let settings = config.metrics.clone();
            let asked = Asked { pbx, settings, is_only_pbx, watched: args.watch };
            let report = report(asked, stop.clone());
            examined.spawn(async move { (place, report.await) });
        }
        let mut reports = examined.join_all().await;
        reports.sort_by_key(|(place, _)| *place);
        let reports: Vec<_> = reports.into_iter().map(|(_, report)| report).collect();

        write_out(&match args.json {
            true => format!("{}\n", serde_json::to_string_pretty(&reports)?),
            false => reports.iter().map(Report::text).collect::<Vec<_>>().join("\n"),
        })?;
        let mut levels =
            reports.iter().flat_map(|report| &report.findings).map(|found| found.level);
        if levels.any(|level| level == Level::Problem) {
            Err(AlreadyPrinted.into())
        } else {
            Ok(())
        }
    })
}

/// What is to be examined.
struct Asked {
    pbx: Pbx,
    settings: Settings,
    is_only_pbx: bool,
    watched: Duration,
}

/// Follows a PBX for a while, or until a signal, and examines what it sent.
async fn report(asked: Asked, mut stop: watch::Receiver<bool>) -> Report {
    let Asked { pbx, settings, is_only_pbx, watched } = asked;
    let label = pbx.name.clone();
    let clock = Clock::start();
    let (rules, username) = (pbx.rules.clone(), pbx.username.clone());
    let (name, address) = (pbx.name.to_string(), pbx.address.to_string());
    let (tap, taken) = Tap::new();
    let (end, ended) = watch::channel(false);

    let alone = Alone::new(pbx, settings.clone(), clock.clone());
    let mut session = pin!(alone.follow(tap, ended));
    let (listed, lists) = watch::channel(false);
    let mut reading = JoinSet::new();
    reading.spawn(read(taken, listed, clock.clone()));
    let mut watching = None;
    let over = tokio::select! {
        over = &mut session => Some(over),
        () = async {
            wait_listed(&alone, lists).await;
            watching = Some(clock.now());
            sleep(watched).await;
        } => None,
        _ = stop.wait_for(|&asked| asked) => None,
    };

    // It logs off, and the tap ends with it.
    let (was_up, missing, series) = (alone.is_up(), alone.missing(), alone.series());
    let watched = watching.map_or(Duration::ZERO, |since| clock.now().since(since));
    end.send_replace(true);
    let over = match over {
        Some(over) => over,
        None => session.await,
    };
    let facts = reading.join_next().await.and_then(Result::ok).unwrap_or_default();
    let findings = match over {
        Err(failure) => vec![of_failure(failure.reason, &failure.to_string(), &username)],
        Ok(()) if !facts.has_queues() => vec![not_begun()],
        Ok(()) => {
            let (username, rules) = (username.as_str(), &rules);
            let targets = Targets { settings: &settings, pbx: &label, is_only_pbx };
            let of = Examined { username, rules, missing, watched, was_up, series, targets };
            examine(&facts, of)
        }
    };
    Report { pbx: name, address, findings }
}

/// Waits until the session is synchronised and devices are listed; a PBX that gives no list is examined
/// without.
async fn wait_listed(alone: &Alone, mut listed: watch::Receiver<bool>) {
    let mut looks = interval(LOOK);
    while !alone.is_up() {
        looks.tick().await;
    }
    timeout(LISTS, listed.wait_for(|&listed| listed)).await.ok();
}

/// Takes in what the session hands on, to its end; `listed` turns true with the list of devices.
async fn read(
    mut taken: mpsc::Receiver<Vec<u8>>,
    listed: watch::Sender<bool>,
    clock: Clock,
) -> Facts {
    let (mut facts, mut decoder) = (Facts::default(), Decoder::new(Limits::default()));
    while let Some(batch) = taken.recv().await {
        decoder.feed(&batch);
        let now = clock.now();
        while let Some(item) = decoder.next_item() {
            match item {
                Item::Frame(frame) => facts.take(&frame, now),
                Item::Banner(_) => facts.begin_session(),
                Item::Rejected(_) => {}
            }
        }
        if facts.has_devices() {
            listed.send_replace(true);
        }
    }
    facts
}

impl Report {
    /// A heading, and a line for each finding, with its remedies below it.
    fn text(&self) -> String {
        let mut text = format!("pbx {} ({})\n", self.pbx, self.address);
        for finding in &self.findings {
            let Finding { level, subject, text: found, remedies } = finding;
            // What the PBX wrote must not move the cursor.
            let _ = writeln!(text, "  {:8} {subject}: {}", level.word(), printable(found));
            for remedy in remedies {
                let [place, line] = [&remedy.place, &remedy.line].map(|text| printable(text));
                let _ = writeln!(text, "           -> {place}: {line}");
            }
        }
        text
    }
}

/// The longest that the list of devices may take.
const LISTS: Duration = Duration::from_secs(10);
/// How often it is looked whether the session is synchronised.
const LOOK: Duration = Duration::from_millis(50);
