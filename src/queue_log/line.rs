//! A line of queue_log as a typed event.

use std::time::Duration;

use super::entry::Entry;
use super::field::{parameters, position, seconds};
use super::malformed::Malformed;
use crate::clock::Moment;

/// One line.  Asterisk 11 to 23 write it alike; they differ in which verbs there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line<'a> {
    /// When it was written: whole seconds.
    pub at: Moment,
    /// Uniqueid of the caller's channel; `NONE` or `MANAGER` where it is about no call.
    pub call: &'a [u8],
    /// The queue; `NONE` where it is about all of them.
    pub queue: &'a [u8],
    /// The member's name, or its interface: it depends on the verb.
    pub agent: &'a [u8],
    /// What happened.
    pub verb: Verb<'a>,
    /// How long the caller had waited, in a line of an exit that nobody answered.
    pub waited: Option<Duration>,
    /// The agent's name has a bar in it, so what follows was found further right.
    pub shifted: bool,
}

/// What happened, as far as the exporter counts it too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verb<'a> {
    /// ENTERQUEUE.
    Entered {
        /// The caller's place in the queue, from 1.
        position: Option<u32>,
    },
    /// CONNECT.
    Connected {
        /// How long the caller had waited.
        hold: Duration,
        /// How long the agent was rung; not every version writes it.
        ring: Option<Duration>,
    },
    /// ABANDON.
    Abandoned {
        /// The caller's place in the queue by then, from 1.
        position: Option<u32>,
    },
    /// EXITWITHTIMEOUT.
    TimedOut,
    /// EXITEMPTY.
    LeftEmpty,
    /// WITHDRAW (16.25, 18.11 and later).
    Withdrawn,
    /// EXITWITHKEY.
    PressedKey,
    /// SYSCOMPAT.
    Incompatible,
    /// COMPLETECALLER.
    CompletedByCaller {
        /// How long caller and agent talked.
        talk: Duration,
    },
    /// COMPLETEAGENT.
    CompletedByAgent {
        /// How long caller and agent talked.
        talk: Duration,
    },
    /// BLINDTRANSFER and ATTENDEDTRANSFER; TRANSFER up to Asterisk 11.
    Transferred {
        /// How long caller and agent talked; Asterisk 1.2 does not write it.
        talk: Option<Duration>,
    },
    /// RINGNOANSWER.
    RingNoAnswer,
    /// AGENTDUMP.
    AgentDumped,
    /// PAUSE, one for each queue.
    Paused,
    /// UNPAUSE, one for each queue.
    Unpaused,
    /// UNPAUSE that Asterisk adds by itself as the reason of a pause changes
    /// (`log_unpause_on_reason_change`; 20.16, 22.6 and later): there was no such event.
    AutoUnpaused,
    /// Any other, as it is written.
    Other(&'a [u8]),
}

impl<'a> Line<'a> {
    /// Interprets an entry that was written at `at`.
    ///
    /// # Errors
    /// Its seconds are missing.
    pub(super) fn of(entry: Entry<'a>, at: Moment) -> Result<Self, Malformed> {
        let verb = Verb::read(entry.verb, entry.data).ok_or(Malformed::NoSeconds)?;
        Ok(Self {
            at,
            call: entry.call,
            queue: entry.queue,
            agent: entry.agent,
            verb,
            waited: waited(entry.verb, entry.data),
            shifted: entry.shifted,
        })
    }

    /// Reads a line as Asterisk writes it into a file.
    #[cfg(test)]
    pub(crate) fn read(text: &'a str) -> Result<Self, Malformed> {
        let entry = Entry::of_bars(text.as_bytes())?;
        Self::of(entry, Moment::from_secs(entry.when.seconds))
    }
}

/// The wait in an exit's parameters: the position, that at the entry, the wait; a key comes first.
fn waited(verb: &[u8], data: &[u8]) -> Option<Duration> {
    let place = match verb {
        b"ABANDON" | b"EXITWITHTIMEOUT" | b"EXITEMPTY" | b"WITHDRAW" => 2,
        b"EXITWITHKEY" => 3,
        _ => return None,
    };
    parameters(data).nth(place).and_then(seconds)
}

/// The talk of TRANSFER: extension and context, then hold and talk from Asterisk 1.4 on, then the
/// position from 1.6 on.
fn old_talk<'a>(parameters: impl Iterator<Item = &'a [u8]>) -> Option<Option<Duration>> {
    let parameters: Vec<_> = parameters.collect();
    match parameters[..] {
        [_, _] => Some(None),
        [_, _, _, talk] | [_, _, _, talk, _] => seconds(talk).map(Some),
        _ => None,
    }
}

impl<'a> Verb<'a> {
    /// Interprets a verb with its parameters, which are separated by bars.
    fn read(word: &'a [u8], data: &[u8]) -> Option<Self> {
        let mut parameters = parameters(data);

        Some(match word {
            // The URL, the caller's number, the position, from 20.14 and 22.4 on maybe the caller's name.
            b"ENTERQUEUE" => Self::Entered { position: parameters.nth(2).and_then(position) },
            // Hold, channel, ring.
            b"CONNECT" => Self::Connected {
                hold: seconds(parameters.next()?)?,
                ring: parameters.nth(1).and_then(seconds),
            },
            // Position, position at the entry, hold.
            b"ABANDON" => Self::Abandoned { position: parameters.next().and_then(position) },
            b"EXITWITHTIMEOUT" => Self::TimedOut,
            b"EXITEMPTY" => Self::LeftEmpty,
            b"WITHDRAW" => Self::Withdrawn,
            b"EXITWITHKEY" => Self::PressedKey,
            b"SYSCOMPAT" => Self::Incompatible,
            // Hold, talk, position.
            b"COMPLETECALLER" => Self::CompletedByCaller { talk: seconds(parameters.nth(1)?)? },
            b"COMPLETEAGENT" => Self::CompletedByAgent { talk: seconds(parameters.nth(1)?)? },
            // Where to, in two or three parameters by its kind; then hold, talk, position.
            b"BLINDTRANSFER" | b"ATTENDEDTRANSFER" => {
                Self::Transferred { talk: Some(seconds(parameters.nth_back(1)?)?) }
            }
            b"TRANSFER" => Self::Transferred { talk: old_talk(parameters)? },
            b"RINGNOANSWER" => Self::RingNoAnswer,
            b"AGENTDUMP" => Self::AgentDumped,
            b"PAUSE" => Self::Paused,
            b"UNPAUSE" if parameters.next() == Some(b"Auto-Unpause") => Self::AutoUnpaused,
            b"UNPAUSE" => Self::Unpaused,
            other => Self::Other(other),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verb(text: &str) -> Result<Verb<'_>, Malformed> {
        Line::read(text).map(|line| line.verb)
    }

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_line_has_a_time_a_call_a_queue_an_agent_and_a_verb() {
        let expected = Line {
            at: Moment::from_secs(1_795_444_650),
            call: b"1795444650.49",
            queue: b"support",
            agent: b"NONE",
            verb: Verb::Entered { position: Some(1) },
            waited: None,
            shifted: false,
        };
        assert_eq!(
            Line::read("1795444650|1795444650.49|support|NONE|ENTERQUEUE||12025550125|1"),
            Ok(expected)
        );
        // Log-caller-id-name adds a field (20.14, 22.4 and later).
        assert_eq!(
            Line::read("1795444650|1795444650.49|support|NONE|ENTERQUEUE||12025550125|1|Al | Co"),
            Ok(expected)
        );
        assert_eq!(
            Line::read("1795444650.123456|NONE|q|Ann|PAUSE|").map(|line| line.at),
            Ok(expected.at)
        );
    }

    #[test]
    fn talk_is_in_its_place_in_every_version() {
        for (line, talk) in [
            ("1|1.1|q|Ann|TRANSFER|200|default|4|17|1", 17),
            ("1|1.1|q|Ann|TRANSFER|200|default|4|17", 17),
            ("1|1.1|q|Ann|BLINDTRANSFER|200|default|4|17|1", 17),
            ("1|1.1|q|Ann|ATTENDEDTRANSFER|BRIDGE|5e0c-77|4|17|1", 17),
            ("1|1.1|q|Ann|ATTENDEDTRANSFER|LINK|1.5|1.6|4|17|1", 17),
            ("1|1.1|q|Ann|ATTENDEDTRANSFER|APP|Queue|4|17|1||", 17),
        ] {
            let talk = Some(secs(talk));
            assert_eq!(verb(line), Ok(Verb::Transferred { talk }), "{line}");
        }
        // Asterisk 1.2 does not know it, and an extension is no length.
        assert_eq!(verb("1|1.1|q|Ann|TRANSFER|200|default"), Ok(Verb::Transferred { talk: None }));
        assert_eq!(
            verb("1|1.1|q|Ann|COMPLETECALLER|4|17|1"),
            Ok(Verb::CompletedByCaller { talk: secs(17) })
        );
        assert_eq!(
            verb("1|1.1|q|Ann|COMPLETEAGENT|4|17"),
            Ok(Verb::CompletedByAgent { talk: secs(17) })
        );
        assert_eq!(
            verb("1|1.1|q|Ann|CONNECT|4|1.2|3"),
            Ok(Verb::Connected { hold: secs(4), ring: Some(secs(3)) })
        );
        assert_eq!(
            verb("1|1.1|q|Ann|CONNECT|-1|1.2|3"),
            Ok(Verb::Connected { hold: secs(0), ring: Some(secs(3)) })
        );
        assert_eq!(
            verb("1|1.1|q|Ann|CONNECT|4"),
            Ok(Verb::Connected { hold: secs(4), ring: None })
        );
    }

    #[test]
    fn a_position_is_one_from_1_on() {
        let entered = |position| Ok(Verb::Entered { position });
        let abandoned = |position| Ok(Verb::Abandoned { position });
        for (line, expected) in [
            ("1|1.1|q|NONE|ENTERQUEUE||12025550125|7", entered(Some(7))),
            ("1|1.1|q|NONE|ENTERQUEUE|http://a.example/|unknown|12|Al", entered(Some(12))),
            // Up to 1.4, and lines of the dialplan's own.
            ("1|1.1|q|NONE|ENTERQUEUE||12025550125", entered(None)),
            ("1|1.1|q|NONE|ENTERQUEUE", entered(None)),
            ("1|1.1|q|NONE|ENTERQUEUE||12025550125|0", entered(None)),
            ("1|1.1|q|NONE|ENTERQUEUE||12025550125|99999999999", entered(None)),
            ("1|1.1|q|NONE|ABANDON|3|5|20", abandoned(Some(3))),
            ("1|1.1|q|NONE|ABANDON|-1|5|20", abandoned(None)),
            ("1|1.1|q|NONE|ABANDON", abandoned(None)),
        ] {
            assert_eq!(verb(line), expected, "{line}");
        }
    }

    #[test]
    fn an_exit_that_nobody_answered_has_its_wait() {
        for (line, seconds) in [
            ("1|1.1|q|NONE|ABANDON|1|1|20", Some(20)),
            ("1|1.1|q|NONE|EXITWITHTIMEOUT|1|2|9", Some(9)),
            ("1|1.1|q|NONE|EXITEMPTY|2|2|4", Some(4)),
            ("1|1.1|q|NONE|EXITWITHKEY|5|1|1|2", Some(2)),
            ("1|1.1|q|NONE|WITHDRAW|2|1|5|moved to callback", Some(5)),
            ("1|1.1|q|NONE|EXITWITHKEY|5|1", None),
            ("1|1.1|q|NONE|EXITWITHTIMEOUT|1", None),
            ("1|1.1|q|NONE|SYSCOMPAT|", None),
            ("1|1.1|q|Ann|CONNECT|4|1.2|3", None),
        ] {
            let waited = Line::read(line).map(|line| line.waited);
            assert_eq!(waited, Ok(seconds.map(secs)), "{line}");
        }
    }

    #[test]
    fn an_unpause_of_a_new_reason_is_distinguished_from_others() {
        assert_eq!(verb("1|NONE|q|Ann|UNPAUSE|Auto-Unpause"), Ok(Verb::AutoUnpaused));
        for line in ["1|NONE|q|Ann|UNPAUSE", "1|NONE|q|Ann|UNPAUSE|", "1|NONE|q|Ann|UNPAUSE|lunch"]
        {
            assert_eq!(verb(line), Ok(Verb::Unpaused), "{line}");
        }
    }

    #[test]
    fn what_is_no_line_has_a_reason() {
        for (line, why) in [
            ("", Malformed::NoTime),
            ("\0\0\0\0", Malformed::NoTime),
            ("2026-11-31 10:00:00|1.1|q|Ann|ABANDON", Malformed::NoTime),
            ("12.x|1.1|q|Ann|ABANDON", Malformed::NoTime),
            ("99999999999999999999|1.1|q|Ann|ABANDON", Malformed::NoTime),
            ("1795444650|1.1|q|Ann", Malformed::TooFewFields),
            ("1795444650|1.1|q|Ann|CONNECT", Malformed::NoSeconds),
            ("1795444650|1.1|q|Ann|COMPLETEAGENT|4", Malformed::NoSeconds),
            ("1795444650|1.1|q|Ann|BLINDTRANSFER|1", Malformed::NoSeconds),
            ("1795444650|1.1|q|Ann|TRANSFER|200", Malformed::NoSeconds),
            ("1795444650|1.1|q|Ann|CONNECT|soon|1.2|3", Malformed::NoSeconds),
        ] {
            assert_eq!(verb(line), Err(why), "{line}");
        }
    }
}
