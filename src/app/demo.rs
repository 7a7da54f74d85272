//! The command `demo`: a simulated PBX that has been open for a while, and the exporter that reads
//! it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::warn;

use super::Failure;
use super::configuration::{load_from, logged, overrides};
use super::logging::{log_build, start_logging};
use super::output::write_out;
use super::runtime::on_runtime;
use super::service::{Service, listen, new_exporter, web_config};
use super::signals::signals;
use crate::ami::frame::Limits;
use crate::ami::id::{ActionId, BARRIER};
use crate::calendar::utc;
use crate::cli::DemoArgs;
use crate::clock::{Clock, Moment};
use crate::config::{Config, Document, Purpose};
use crate::demo::{DemoPbx, Options, SessionIds, configuration};
use crate::http::WebConfig;
use crate::metrics::Exporter;
use crate::replay::Replay;

/// Runs a simulated PBX with an exporter beside it.
pub(super) fn run(args: &DemoArgs) -> Result<(), Failure> {
    start_logging(&args.log)?;
    log_build();
    on_runtime(async {
        let asked = signals()?;

        // The exporter logs in as to any PBX, with a configuration made for this one.
        let username = "exporter".to_owned();
        let secret = "demo".to_owned();
        let mut pbx = DemoPbx::bind(options(args, &username, &secret)).await?;
        let text = configuration(pbx.address(), &username, &secret);
        let document = Document::Text { name: "demo".into(), text };
        let config = logged(load_from(document, overrides(&args.web), Vec::new(), Purpose::Run)?);
        let listeners = listen(&config, OTHER_PORT).await?;
        let clock = Clock::start();
        let web = web_config(&config, &clock)?;

        // Only now, so that no file is left behind if there is no port.
        let log = QueueLog::create(args.queue_log.as_deref())?;
        if let Some(log) = &log {
            pbx = pbx.with_queue_log(log.file.try_clone()?);
        }

        let exporter = with_history(new_exporter(&config, pbx.opened()), &mut pbx, &config);
        welcome(&Welcome {
            args,
            config: &config,
            listeners: &listeners,
            web: web.as_deref(),
            log: log.as_ref(),
            opened: pbx.opened(),
        })?;

        // The PBX ends last, so that the exporter can log off.
        let (end, ended) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(pbx.serve(ended));
        // Its configuration is made for this one process: there is nothing to read again.
        let service = Service { config, clock, exporter, listeners, web, origin: None };
        let served = service.run(asked).await;
        end.send_replace(true);
        while let Some(ended) = tasks.join_next().await {
            ended?;
        }
        served
    })
}

fn options(args: &DemoArgs, username: &str, secret: &str) -> Options {
    Options {
        seed: args.seed,
        speed: args.speed,
        username: username.to_owned(),
        secret: secret.to_owned(),
        busy: 1.0,
        open_for: args.open_for,
    }
}

/// The exporter as if it had run since the opening: it is given everything the PBX would have sent,
/// as a capture.  The live session that follows finds all calls where these events left them.
fn with_history(exporter: Exporter, pbx: &mut DemoPbx, config: &Config) -> Exporter {
    let [of] = &config.pbxs[..] else { return exporter };
    let limits = Limits { line: of.max_line, frame: of.max_frame };
    let mut replay = Replay::at(exporter, &of.name, limits, pbx.opened());

    // These are the ids of the actions that a session sends first.
    let id = |number, word| ActionId::new(number, word).as_str().to_owned();
    let ids = SessionIds {
        login: id(2, "Login"),
        version: id(3, "CoreSettings"),
        channels: id(5, "CoreShowChannels"),
        queues: id(6, "QueueStatus"),
        pings: [id(7, BARRIER), id(8, BARRIER)],
    };
    replay.play(pbx.history(&ids));
    replay.into_exporter()
}

/// The file that the demo's queue_log is written to.
struct QueueLog {
    path: PathBuf,
    file: File,
    /// It is removed at the end of the program.
    temporary: bool,
}

impl QueueLog {
    /// The file that was asked for, or a temporary one; none if no temporary one can be created.
    fn create(asked: Option<&Path>) -> Result<Option<Self>, Failure> {
        let temporary = || {
            std::env::temp_dir()
                .join(format!("asterisk_exporter-demo-{}.queue_log", std::process::id()))
        };
        let path = asked.map_or_else(temporary, Path::to_path_buf);

        // Never into a file that is there: it may be the queue_log of a real PBX.
        match OpenOptions::new().append(true).create_new(true).mode(OWNER_ONLY).open(&path) {
            Ok(file) => Ok(Some(Self { path, file, temporary: asked.is_none() })),
            Err(error) if asked.is_some() => {
                Err(format!("{}: cannot be created: {error}", path.display()).into())
            }
            Err(error) => {
                warn!(path = %path.display(), %error, "no queue_log is written; --queue-log FILE names another place");
                Ok(None)
            }
        }
    }
}

impl Drop for QueueLog {
    fn drop(&mut self) {
        if self.temporary {
            // A file that is left among the temporary ones does no harm.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What the welcome needs.
struct Welcome<'a> {
    args: &'a DemoArgs,
    config: &'a Config,
    listeners: &'a [TcpListener],
    web: Option<&'a WebConfig>,
    log: Option<&'a QueueLog>,
    opened: Moment,
}

fn welcome(welcome: &Welcome<'_>) -> Result<(), Failure> {
    let Welcome { args, config, listeners, web, log, opened } = welcome;
    let port = listeners
        .first()
        .map_or(Ok(0), |listener| listener.local_addr().map(|address| address.port()))?;
    let path = &config.web.telemetry_path;
    let tls = web.is_some_and(WebConfig::has_tls);
    let scheme = if tls { "https" } else { "http" };

    // Commands are printed with the path of this program, which may not be in PATH.
    let program = std::env::current_exe().unwrap_or_else(|_| "asterisk_exporter".into());
    let program = program.display();
    let since = utc(*opened);

    let mut place = String::new();
    let mut audit = String::new();
    if let Some(log) = log {
        let log = log.path.display();
        place = format!("\x20 queue_log     {log}\n");
        // At another speed its time stamps run ahead of the clock, and `audit` speaks no TLS.
        if args.speed == 1.0 && !tls {
            audit = format!(
                "Then: {program} audit --queue-log {log} --metrics http://localhost:{port}{path} --since {since}\n"
            );
        }
    }
    // A living call centre is what to look at first.
    let wallboard = match config.web.wallboard {
        true => format!("\x20 wallboard     {scheme}://localhost:{port}/wallboard\n"),
        false => String::new(),
    };
    write_out(&format!(
        "A simulated call centre: 4 queues, 12 agents, a day in ten minutes (seed {seed}), open since {since}.\n\
         \n\
         {wallboard}\
         \x20 metrics       {scheme}://localhost:{port}{path}\n\
         \x20 landing page  {scheme}://localhost:{port}/\n\
         {place}\
         \n\
         Try:  curl -s {scheme}://localhost:{port}{path} | grep '^asterisk_queue_exits_total' | grep -v ' 0$' | sort\n\
         {audit}\
         Next: {program} manager-conf --asterisk <your version>   for your own PBX; see README.md\n\
         Stop with Ctrl-C.\n\n",
        seed = args.seed,
    ))
}

const OTHER_PORT: &str = "choose another with --web.listen-address :15039, or make demo ARGS='--web.listen-address :15039'";

/// Agents' names are personal data, in a real queue_log.
const OWNER_ONLY: u32 = 0o600;
