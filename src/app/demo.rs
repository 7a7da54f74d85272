//! The command `demo`: a make-believe PBX, and the exporter that reads it.

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::signals::stop_signal;
use super::{Failure, listen, load_from, logged, on_runtime, overrides, serve, start_logging, write_out};
use crate::cli::DemoArgs;
use crate::config::{Config, Document, Purpose};
use crate::demo::{DemoPbx, Options, configuration};

/// Runs a make-believe PBX with an exporter beside it.
pub(super) fn run(args: &DemoArgs) -> Result<(), Failure> {
    start_logging(&args.log)?;
    on_runtime(async {
        let stop = stop_signal()?;
        let (username, secret) = ("exporter".to_owned(), "demo".to_owned());
        let options = Options {
            seed: args.seed,
            speed: args.speed,
            username: username.clone(),
            secret: secret.clone(),
            busy: 1.0,
        };
        let pbx = DemoPbx::bind(options).await?;
        let text = configuration(pbx.address(), &username, &secret);
        let document = Document::Text { name: "demo".into(), text };
        let config = logged(load_from(document, overrides(&args.web), Vec::new(), Purpose::Run)?);
        let listeners = listen(&config, OTHER_PORT).await?;
        welcome(&listeners, &config, args.seed)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(pbx.serve(stop.clone()));
        serve(config, listeners, stop, tasks).await
    })
}

fn welcome(listeners: &[TcpListener], config: &Config, seed: u64) -> Result<(), Failure> {
    let port = listeners.first().map_or(Ok(0), |listener| listener.local_addr().map(|address| address.port()))?;
    let path = &config.web.telemetry_path;
    let program = std::env::current_exe().unwrap_or_else(|_| "asterisk_exporter".into());
    let program = program.display();
    write_out(&format!(
        "A make-believe call centre is open: 4 queues, 12 agents, a day in ten minutes (seed {seed}).\n\
         \n\
         \x20 metrics       http://localhost:{port}{path}\n\
         \x20 landing page  http://localhost:{port}/\n\
         \n\
         Try:  curl -s localhost:{port}{path} | grep asterisk_queue_exits_total | grep -v ' 0$' | sort\n\
         Next: {program} manager-conf --asterisk <your version>   for your own PBX; see README.md\n\
         Stop with Ctrl-C.\n\n"
    ))
}

const OTHER_PORT: &str =
    "choose another with --web.listen-address :15039, or make demo ARGS='--web.listen-address :15039'";
