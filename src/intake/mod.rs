//! From items of a stream to the correlator: counted by name, read if of use, held back while lists
//! are on their way.
//!
//! A live session and a replay of what `record` wrote go through this alike.  It knows nothing of
//! sockets, files or waiting.

mod answer;
mod beside;
mod held;
mod list;
mod old_events;
mod stream;

pub use answer::Answer;
pub use beside::action_for;
pub use list::Refused;
pub use old_events::is_event_of_old;
pub use stream::{NoSnapshot, Sink, Step, Stream};
