//! A session up to its snapshot: actions go out one after the other, and everything that comes
//! meanwhile goes into the stream.

use super::end::End;
use super::target::Target;
use super::wire::Wire;
use crate::ami::action::Action;
use crate::ami::frame::Item;
use crate::ami::id::ActionId;
use crate::intake::{Answer, Sink, Step, Stream};
use crate::metrics::Monitor;

/// A wire and where it flows.
pub(super) struct Dialogue<'a> {
    pub(super) wire: Wire,
    pub(super) stream: Stream,
    pub(super) target: &'a Target,
}

impl Dialogue<'_> {
    /// Sends an action and waits for its answer.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn ask(&mut self, action: &Action<'_>) -> Result<Answer, End> {
        let id = self.wire.send(action).await?;
        self.answer(&id).await
    }

    /// Waits for the answer to an action that was sent.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn answer(&mut self, id: &ActionId) -> Result<Answer, End> {
        loop {
            if let Step::Answer(answer) = self.step().await?
                && answer.id() == id
            {
                return Ok(answer);
            }
        }
    }

    /// The next step that the session has to know of; what is behind it stays with the wire.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn step(&mut self) -> Result<Step, End> {
        loop {
            if let Some(step) = self.buffered()? {
                return Ok(step);
            }
            let chunk = self.wire.receive_soon("answer").await?;
            self.wire.accept(chunk);
        }
    }

    /// The same, of what was read already.
    fn buffered(&mut self) -> Result<Option<Step>, End> {
        let Self { wire, stream, target } = self;
        let read = wire.read();
        // The end of the snapshot may be in it.
        target.with_monitor_for_long(|monitor| {
            while let Some(item) = wire.next_item() {
                match stream.take(read, &item, &mut sink(monitor))? {
                    Step::Nothing
                    | Step::Stamped(_)
                    | Step::EndpointsListed(_)
                    | Step::FullyBooted => {}
                    step @ (Step::Answer(_) | Step::Synchronised(_) | Step::ListTooLong) => {
                        return Ok(Some(step));
                    }
                }
            }
            Ok(None)
        })
    }

    /// Takes the greeting, which was looked at before.
    ///
    /// # Errors
    /// The session is over.
    pub(super) fn greet(&mut self) -> Result<Option<String>, End> {
        let Self { wire, stream, target } = self;
        let read = wire.read();
        let Some(item) = wire.next_item() else { return Ok(None) };
        let Item::Banner(ami) = item else { return Ok(None) };
        let ami = crate::ami::frame::quoted(ami.trim_ascii());
        target.with_monitor(|monitor| stream.take(read, &item, &mut sink(monitor)))?;
        Ok(Some(ami))
    }
}

/// Where the stream of a PBX ends.
pub(super) const fn sink(monitor: &mut Monitor) -> Sink<'_, crate::metrics::Recorder> {
    Sink {
        correlator: &mut monitor.correlator,
        self_metrics: &mut monitor.self_metrics,
        out: &mut monitor.recorder,
    }
}
