//! What the commands do: the parts put together.

mod audit;
mod demo;
mod record;
mod signals;

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use signals::stop_signal;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::ami::frame::Limits;
use crate::cli::{
    CheckArgs, Cli, Command, LogArgs, LogFormat, ManagerConfArgs, ReplayArgs, RunArgs, WebArgs,
};
use crate::clock::{Clock, Moment};
use crate::config::{Config, Document, Loaded, Mistake, Overrides, Purpose, Sources};
use crate::correlator::{Correlator, Timing};
use crate::health::Health;
use crate::http::{self, Pages, ScrapeLimit};
use crate::manager_conf::{manager_conf, random_secret};
use crate::metrics::{Board, Desk, Detail, Exposition, Metrics};
use crate::replay::{Replay, Watch};
use crate::{event, supervisor};

/// What ends a command early: a text for a person, and the exit code 1 unless [`exit_code`] says
/// otherwise.
pub type Failure = Box<dyn Error + Send + Sync>;

/// A failure whose text was already printed.
#[derive(Debug, thiserror::Error)]
#[error("")]
struct Told;

/// An audit that did not come to a verdict.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Undecided(Failure);

/// The exit code of a failure: 1 is also the verdict of an audit, so one without a verdict has 2.
pub fn exit_code(failure: &Failure) -> u8 {
    if failure.is::<Undecided>() { 2 } else { 1 }
}

/// Does what the command line asks for.
///
/// # Errors
/// Whatever stopped it, as a text that names the thing and the place.
pub fn execute(cli: Cli) -> Result<(), Failure> {
    match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(args) => run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Record(args) => record::record(&args),
        Command::Replay(args) => replay(&args),
        Command::Audit(args) => audit::run(&args),
        Command::CheckConfig(args) => check_config(args),
        Command::ManagerConf(args) => print_manager_conf(&args),
    }
}

fn run(args: &RunArgs) -> Result<(), Failure> {
    start_logging(&args.log)?;
    let loaded = load(args.config.clone(), overrides(&args.web), Purpose::Run).map_err(
        |error| match args.config {
            Some(_) => error,
            None => {
                format!("{error}\ngive --config FILE, or look at `asterisk_exporter demo` first")
                    .into()
            }
        },
    )?;
    let config = logged(loaded);
    on_runtime(async {
        let listeners = listen(
            &config,
            "choose another with --web.listen-address, :15039 say, or web.listen_address",
        )
        .await?;
        let clock = Clock::start();
        let board = board(&config, clock.now());
        serve(Start { config, clock, board, listeners }, stop_signal()?).await
    })
}

/// Opens the configured sockets; `hint` says what helps where one is taken.
async fn listen(config: &Config, hint: &str) -> Result<Vec<TcpListener>, Failure> {
    http::bind(&config.web.listen_address).await.map_err(|error| format!("{error}\n{hint}").into())
}

/// What a service starts with.
struct Start {
    config: Config,
    clock: Clock,
    board: Board,
    listeners: Vec<TcpListener>,
}

/// A board with a desk for each PBX, none of which is seen from `now` on.
fn board(config: &Config, now: Moment) -> Board {
    let metrics = Metrics::new(config.metrics.clone()).with_process_metrics();
    let desks = config.pbxs.iter().map(|pbx| {
        let own = metrics.own(&pbx.name, event::KNOWN, now);
        let own = own.with_reasons(supervisor::DISCONNECTS, supervisor::REJECTIONS);
        let correlator = Correlator::new(pbx.rules.clone(), Timing::Live);
        Desk { correlator, recorder: metrics.recorder(&pbx.name), own }
    });
    let desks = desks.collect();
    Board::new(metrics, desks)
}

/// Runs PBXs and pages until `stop`, then lets everything end.
async fn serve(start: Start, stop: watch::Receiver<bool>) -> Result<(), Failure> {
    let Start { config, clock, board, listeners } = start;
    let mut tasks = JoinSet::new();
    let protobuf = config.metrics.detail == Detail::Native;
    let board = Arc::new(Mutex::new(board));
    let health = config.pbxs.iter().map(|pbx| (pbx.name.clone(), pbx.address.to_string()));
    let health = Arc::new(Health::new(health));
    let pages = Arc::new(Pages {
        telemetry_path: config.web.telemetry_path,
        health: Arc::clone(&health),
        scrape: scraper(Arc::clone(&board), clock.clone()),
        protobuf,
        limit: ScrapeLimit::default(),
        clock: clock.clone(),
    });
    for listener in listeners {
        info!(address = %listener.local_addr()?, "listening");
        tasks.spawn(http::serve(listener, Arc::clone(&pages), stop.clone()));
    }
    tasks.spawn(supervisor::run(config.pbxs, board, health, clock, stop));
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    info!("stopped");
    Ok(())
}

/// A scrape is a consistent cut: it happens under the lock that a batch of events is applied under.
fn scraper(board: Arc<Mutex<Board>>, clock: Clock) -> Arc<http::Scrape> {
    Arc::new(move |exposition: Exposition| {
        let mut board = board.lock().unwrap_or_else(PoisonError::into_inner);
        board.expose(clock.now(), exposition)
    })
}

fn replay(args: &ReplayArgs) -> Result<(), Failure> {
    let config = replay_config(args.config.as_deref())?;
    write_out(&play(config, &args.files, ())?.exposition(args.format.into()))
}

/// The configuration a recording is played by: its secrets are not needed, nor is it.
fn replay_config(path: Option<&Path>) -> Result<Config, Failure> {
    let environment = if path.is_some() { std::env::vars_os().collect() } else { Vec::new() };
    let document = path.map_or(Document::None, |path| Document::File(path.into()));
    if let Some(path) = path.filter(|path| !path.exists()) {
        return Err(format!("{}: no such file", path.display()).into());
    }
    load_from(document, Overrides::default(), environment, Purpose::Replay).map(printed)
}

/// Plays recordings one after the other, watched.
fn play<W: Watch>(config: Config, files: &[PathBuf], watch: W) -> Result<Replay<W>, Failure> {
    let pbx = config.pbxs.into_iter().next().ok_or("no pbx in the configuration")?;
    let limits = Limits { line: pbx.max_line, frame: pbx.max_frame };
    let mut replay =
        Replay::watched(&pbx.name, pbx.rules, Metrics::new(config.metrics), limits, watch);
    for path in files {
        let played = replay.play_file(path).map_err(|error| chain(&error))?;
        if played.cut {
            writeln!(
                io::stderr(),
                "{}: cut after {} events in {} bytes",
                path.display(),
                played.events,
                played.bytes
            )?;
        }
    }
    Ok(replay)
}

fn check_config(args: CheckArgs) -> Result<(), Failure> {
    let place = args
        .config
        .as_deref()
        .map_or("the environment".to_owned(), |path| path.display().to_string());
    // a line a mistake, and nothing before its place: editors and CI read it
    let loaded = load(args.config, Overrides::default(), Purpose::Run).map_err(|mistakes| {
        eprintln!("{mistakes}");
        Told
    })?;
    let config = printed(loaded);
    let names: Vec<_> =
        config.pbxs.iter().map(|pbx| format!("{} ({})", pbx.name, pbx.address)).collect();
    write_out(&format!("{place}: fine; {} pbx: {}\n", names.len(), names.join(", ")))
}

fn print_manager_conf(args: &ManagerConfArgs) -> Result<(), Failure> {
    write_out(&manager_conf(args.asterisk, &args.username, &random_secret()?, &args.permit)?)
}

fn load(
    config: Option<PathBuf>,
    overrides: Overrides,
    purpose: Purpose,
) -> Result<Loaded, Failure> {
    let document = config.map_or(Document::None, Document::File);
    load_from(document, overrides, std::env::vars_os().collect(), purpose)
}

fn load_from(
    document: Document,
    overrides: Overrides,
    environment: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    purpose: Purpose,
) -> Result<Loaded, Failure> {
    let sources = Sources { document, environment, overrides };
    Config::load(&sources, purpose).map_err(|error| chain(&error).into())
}

/// Logs what is odd about a configuration, for commands that log.
fn logged(Loaded { config, warnings }: Loaded) -> Config {
    for warning in warnings {
        warn!("{warning}");
    }
    config
}

/// The same for commands that do not.
fn printed(Loaded { config, warnings }: Loaded) -> Config {
    for Mistake { place, key, message } in warnings {
        let key = if key.is_empty() { key } else { format!("{key}: ") };
        eprintln!("{place}: {key}warning: {message}");
    }
    config
}

fn overrides(web: &WebArgs) -> Overrides {
    Overrides {
        listen_addresses: web.listen_address.clone(),
        telemetry_path: web.telemetry_path.clone(),
    }
}

/// An error with what caused it, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        // writing to a String cannot fail
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}

/// A reader that has seen enough (`| head`) is no failure.
fn write_out(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn start_logging(args: &LogArgs) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(args.level.as_str())?;
    let registry = tracing_subscriber::registry().with(filter);
    match args.format {
        LogFormat::Logfmt => {
            registry.with(tracing_logfmt::builder().layer().with_writer(io::stderr)).try_init()?;
        }
        LogFormat::Json => {
            registry
                .with(tracing_subscriber::fmt::layer().json().with_writer(io::stderr))
                .try_init()?;
        }
    }
    Ok(())
}

/// Runs to the end, and does not wait for a look-up of a name that hangs.
fn on_runtime(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    // four workers even on one core: a scrape may hold the lock while readers must go on
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(LEFT_OVERS);
    done
}

/// How long blocking work (a look-up, a last scrape) may go on after everything has stopped.
const LEFT_OVERS: Duration = Duration::from_secs(1);
