//! The exporter as people run it: with a configuration file, beside a PBX of the test's.

use std::process::Stdio;

use support::program::{Running, command, get};

use super::pbx::Pbx;
use super::series::Series;
use super::servers::{Folder, port, until};

pub(crate) struct Exporter {
    pub(crate) port: u16,
    running: Running,
    _folder: Folder,
}

impl Exporter {
    /// One that is synchronised with `pbx`, called `hq`; `more` is added to its configuration.
    pub(crate) fn start(pbx: &Pbx, more: &str) -> Self {
        Self::start_at(port(), pbx, more)
    }

    /// The same at a port that another one may have had.
    pub(crate) fn start_at(port: u16, pbx: &Pbx, more: &str) -> Self {
        Self::of(port, &[("hq", pbx)], more)
    }

    /// One that is synchronised with PBXs of these names.  Their calls lack events, which it would
    /// report.
    pub(crate) fn of(port: u16, pbxs: &[(&str, &Pbx)], more: &str) -> Self {
        let folder = Folder::new("exporter");

        // The queues are listed once: these PBXs have none in their lists, and later nobody in them.
        let list = pbxs.iter().map(|(name, pbx)| {
            format!(
                "  - {{name: {name}, address: '127.0.0.1:{}', username: exporter, trunks: ['^PJSIP/carrier-'], \
                 queue_status_interval: 24h}}\n",
                pbx.port
            )
        });
        let config = folder.file(
            "config.yml",
            &format!("pbx:\n{}service_level: {{default: 20s}}\n{more}\n", list.collect::<String>()),
        );
        let secrets =
            (0..pbxs.len()).map(|index| (format!("ASTERISK_EXPORTER_PBX__{index}__SECRET"), "x"));
        let child = command(&[
            "run",
            "--config",
            &config,
            "--web.listen-address",
            &format!("127.0.0.1:{port}"),
        ])
        .envs(secrets)
        .args(["--log.level", "error"])
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
        let exporter = Self { port, running: Running(child), _folder: folder };
        until("the exporter is up", || match get(port, "/-/ready", "*/*") {
            Ok((200, _)) => Ok(()),
            other => Err(format!("{other:?}")),
        });

        exporter
    }

    /// Ends it as systemd does.
    pub(crate) fn stop(mut self) {
        assert_eq!(self.running.stop(), Some(0));
    }

    /// What a scraper of this `Accept` gets, as text.
    pub(crate) fn page(&self, accept: &str) -> String {
        let (status, body) = get(self.port, "/metrics", accept).expect("the exporter answers");
        assert_eq!(status, 200, "{body}");
        body
    }

    /// All its series.
    pub(crate) fn series(&self) -> Series {
        Series::of_text(&self.page("*/*"))
    }
}
