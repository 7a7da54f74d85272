//! How the captures of the lab are replayed, and a PBX of the demo to connect to.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use asterisk_exporter::ami::frame::Limits;
use asterisk_exporter::correlator::{Patterns, Rules};
use asterisk_exporter::demo::{DemoPbx, Options};
use asterisk_exporter::metrics::{Format, Metrics, Settings};
use asterisk_exporter::pbx::PbxName;
use asterisk_exporter::replay::Replay;
use support::Numbers;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The rules the captures of the lab are read by.
pub(crate) fn rules() -> Rules {
    let trunks =
        Patterns::new(["^(SIP|PJSIP)/(trunk|carrier|channel2)-"]).expect("a valid pattern");
    Rules { trunks, ..Rules::default() }
}

/// A replay of nothing yet.
pub(crate) fn replay(rules: Rules) -> Replay {
    Replay::new(&PbxName::new("lab"), rules, Metrics::new(Settings::default()), Limits::default())
}

/// Plays one file through the real path.
pub(crate) fn play(path: &Path) -> Numbers {
    let mut replay = replay(rules());
    replay.play_file(path).unwrap_or_else(|error| panic!("{error}"));
    Numbers::read(&replay.exposition(Format::Text))
}

/// A simulated PBX that works 60 times as fast as a real one, until this value goes.
pub(crate) struct Busy {
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<()>,
    _open: watch::Sender<bool>,
    _runtime: Runtime,
}

impl Busy {
    /// With the account `exporter` and the secret `hush-hush`.
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let options = Options {
            seed: 5,
            speed: 60.0,
            username: "exporter".into(),
            secret: "hush-hush".into(),
            busy: 1.0,
            open_for: Duration::ZERO,
        };
        let pbx = runtime.block_on(DemoPbx::bind(options)).expect("a port");
        let address = pbx.address();
        let (open, stop) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn_on(pbx.serve(stop), runtime.handle());
        Self { address, _tasks: tasks, _open: open, _runtime: runtime }
    }
}
