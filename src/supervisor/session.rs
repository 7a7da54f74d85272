//! One session: connect, log in, take the snapshot, then follow the events until it ends.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tracing::{debug, info};

use super::backoff::Attempt;
use super::control::Control;
use super::dialogue::Dialogue;
use super::end::End;
use super::endpoint_lists::EndpointLists;
use super::files::Files;
use super::follower::{Follower, Manner};
use super::login;
use super::missing::MissingNotices;
use super::past;
use super::target::Target;
use super::warnings::Warnings;
use super::wire::Wire;
use crate::ami::action::Action;
use crate::ami::connection::{Connection, Endpoint};
use crate::ami::frame::Limits;
use crate::clock::Moment;
use crate::config::{Address, Pbx};
use crate::error::with_causes;
use crate::health::Phase;
use crate::intake::{Refused, Step, Stream};
use crate::version::{Version, by_ami};

/// One session with one PBX.
pub(super) struct Session<'a> {
    pub(super) pbx: &'a Pbx,
    pub(super) target: &'a Target,
    pub(super) warnings: &'a mut Warnings,
    pub(super) missing_notices: &'a mut MissingNotices,
    pub(super) endpoint_lists: &'a mut EndpointLists,
    pub(super) files: &'a mut Files,
    pub(super) control: &'a mut Control,
    /// Whether the log need not say that it begins, since that was said often enough.
    pub(super) is_quiet: bool,
    /// How far it has come.
    pub(super) progress: Progress,
    /// When it read something last.
    pub(super) heard: Moment,
}

/// How far a session has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Progress {
    /// Not logged in.
    #[default]
    Connecting,
    /// Logged in.
    LoggedIn,
    /// The lists were asked for.
    Listing { asked: Moment },
    /// The snapshot was applied.
    Synchronised { asked: Moment, done: Moment },
}

impl Session<'_> {
    /// Runs the session to its end, and reports the end to monitor and health.
    pub(super) async fn run(&mut self) -> End {
        self.target.show(Phase::Connecting);
        let end = match self.connect().await {
            Ok(wire) => self.talk(wire).await,
            Err(end) => end,
        };

        // Whoever ends a session by choice has nothing against its lists.
        if matches!(end, End::Changed | End::Shutdown) {
            self.endpoint_lists.acquit();
        }
        // What was never synchronised has nothing that a gap could hide.
        if matches!(self.progress, Progress::Synchronised { .. }) {
            self.target.desynchronise(self.pbx.queue_log.as_ref().map(|_| self.heard));
        }
        // An attempt without a login is no session: only a refusal is counted as an end.
        if !matches!(self.progress, Progress::Connecting) || end.is_refusal() {
            self.target.disconnected(end.reason());
        }
        self.target.show_down(with_causes(&end));
        end
    }

    /// What the wait before the next attempt depends on.
    pub(super) fn attempt(&self, end: &End) -> Attempt {
        let refused = matches!(end, End::Auth(_));
        let (listed, synchronised) = match self.progress {
            Progress::Connecting | Progress::LoggedIn => (None, None),
            Progress::Listing { asked } => (Some(asked), None),
            Progress::Synchronised { asked, done } => (Some(asked), Some(done)),
        };
        Attempt { refused, listed, synchronised }
    }

    async fn connect(&mut self) -> Result<Wire, End> {
        let pbx = self.pbx;
        let clock = self.target.clock.clone();
        let tls = self.files.tls(&self.target.name, self.warnings).await;
        let Address { host, port } = &pbx.address;
        let endpoint = Endpoint { host, port: *port, tls };
        let connection = tokio::select! {
            end = self.control.gives_up(pbx) => return Err(end),
            opened = Connection::open(endpoint, pbx.connect_timeout, &clock) => opened?,
        };
        let limits = Limits { line: pbx.max_line, frame: pbx.max_frame };
        Ok(Wire::new(connection, limits, pbx.ping_timeout, clock).tapped(self.target.tap.clone()))
    }

    async fn talk(&mut self, wire: Wire) -> End {
        let stream = Stream::of_session(&self.target.name);
        let mut dialogue = Dialogue { wire, stream, target: self.target };
        let Err(end) = self.follow(&mut dialogue).await;
        self.heard = dialogue.wire.read();

        let wire = &mut dialogue.wire;
        wire.hand_on().await;
        if matches!(end, End::Shutdown | End::Changed)
            && !matches!(self.progress, Progress::Connecting)
        {
            // The PBX closes when it has taken the Logoff; one that does not is left alone.
            timeout(GOODBYE, log_off(wire)).await.ok();
        }
        end
    }

    async fn follow(&mut self, dialogue: &mut Dialogue<'_>) -> Result<Infallible, End> {
        let (pbx, control) = (self.pbx, &mut self.control.clone());
        let lists_queues = tokio::select! {
            end = control.gives_up(pbx) => return Err(end),
            // An end of its own beside those of its steps: a PBX may answer each in time and never
            // come to an end.
            () = sleep(OPENING) => return Err(End::Timeout { what: "snapshot", limit: OPENING }),
            opened = self.open(dialogue) => opened?,
        };
        let manner = Manner { lists_queues, is_quiet: self.is_quiet };
        let kept = (&mut *self.missing_notices, &mut *self.endpoint_lists);
        Follower::new(dialogue, pbx, kept, manner).run(control).await
    }

    /// Everything up to the snapshot.  Reports whether the PBX lists queues.
    async fn open(&mut self, dialogue: &mut Dialogue<'_>) -> Result<bool, End> {
        let ami = login::greeting(dialogue, self.pbx).await?;
        let secret = self.files.secret(&self.target.name, self.warnings).await;
        login::log_in(dialogue, self.pbx, secret).await?;

        self.progress = Progress::LoggedIn;
        self.target.with_monitor(|monitor| {
            monitor.self_metrics.connected();
            monitor.correlator.begin_session();
        });
        self.target.show(Phase::Synchronising);

        let login = dialogue.wire.read();
        self.learn_version(dialogue, &ami).await?;
        self.take_snapshot(dialogue, login).await
    }

    async fn learn_version(&mut self, dialogue: &mut Dialogue<'_>, ami: &str) -> Result<(), End> {
        let answer = dialogue.ask(&Action::CoreSettings).await?;
        let reported = answer.granted("AsteriskVersion");
        let release = reported.and_then(|text| text.parse().ok()).or_else(|| Version::of_ami(ami));
        let version = match reported {
            Some(version) => version.to_owned(),
            None => {
                self.warnings.version_hidden(&self.target.name, &answer.message());
                by_ami(ami)
            }
        };

        // Class reporting was asked for at the login, before the version was known.
        if release.is_some_and(Version::has_mixmonitor_events) {
            // No answer is waited for: with `brokeneventsaction` there is none.
            dialogue.wire.send(&Action::Events { mask: EVENTS_WITHOUT_REPORTING }).await?;
        }

        // Said no sooner than the session counts as one whose beginning was said.
        let (pbx, address) = (&self.target.name, &self.pbx.address);
        if self.is_quiet {
            debug!(%pbx, %address, version, "logged in");
        } else {
            info!(%pbx, %address, version, "logged in");
        }
        if release.is_some_and(Version::is_newer_than_checked) {
            self.warnings.version_newer(&self.target.name, &version);
        }
        self.target.health.set_version(self.target.index, version);
        Ok(())
    }

    /// Reads what the PBX's log has of the gap before this session, if there was one.
    async fn recall(&mut self, dialogue: &mut Dialogue<'_>, login: Moment) {
        let Some(log) = &self.pbx.queue_log else { return };
        let wanted = self.target.with_monitor(|monitor| monitor.correlator.wants_log_since());
        // Before the first gap its end is looked at, so that one that cannot be read is known in time.
        let since = wanted.unwrap_or(u64::MAX);

        let reader = (&self.target.name, self.files.log_reading());
        let past = past::read(reader, log, since, login, self.warnings).await;
        if let Some(past) = past.filter(|_| wanted.is_some()) {
            dialogue.stream.recall(past);
        }
    }

    async fn take_snapshot(
        &mut self,
        dialogue: &mut Dialogue<'_>,
        login: Moment,
    ) -> Result<bool, End> {
        let asked = dialogue.wire.now();
        self.progress = Progress::Listing { asked };

        // The log comes first, so that the lists are newer than all that it tells.
        self.recall(dialogue, login).await;

        // The first Ping may be read together with the lists; the second has to be read alone.
        dialogue.wire.send(&Action::CoreShowChannels).await?;
        dialogue.wire.send(&Action::QueueStatus).await?;
        let first = dialogue.wire.send_barrier().await?;
        dialogue.answer(&first).await?;
        dialogue.wire.send_barrier().await?;

        let refused = loop {
            if let Step::Synchronised(refused) = dialogue.step().await? {
                break refused;
            }
        };
        for Refused { action, message } in &refused {
            self.warnings.list_refused(&self.target.name, action, message);
        }

        let done = dialogue.wire.read();
        self.progress = Progress::Synchronised { asked, done };
        self.target.show(Phase::Up { since: done });
        if self.is_quiet {
            debug!(pbx = %self.target.name, "synchronised");
        } else {
            info!(pbx = %self.target.name, "synchronised");
        }
        Ok(!refused.iter().any(Refused::is_of_queues))
    }
}

/// Logs off and waits until the PBX has closed.
async fn log_off(wire: &mut Wire) -> Result<Infallible, End> {
    wire.send(&Action::Logoff).await?;
    loop {
        wire.receive().await?;
    }
}

/// What is left of [`login`]'s classes where recordings show in class call: reporting brings an
/// event per RTCP packet.
const EVENTS_WITHOUT_REPORTING: &str = "system,call,agent,dialplan";

/// The longest a login with its snapshot may take.
const OPENING: Duration = Duration::from_secs(120);

/// How long the PBX may take to close after a Logoff.
const GOODBYE: Duration = Duration::from_secs(2);
