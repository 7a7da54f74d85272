//! An entry of the log before it is interpreted: which field is which.

use super::field::{number, parameters, seconds};
use super::malformed::Malformed;
use super::when::When;

/// One entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Entry<'a> {
    /// When it was written.
    pub(super) when: When,
    /// Uniqueid of the channel.
    pub(super) call: &'a [u8],
    /// The queue.
    pub(super) queue: &'a [u8],
    /// The agent's name, or its interface.
    pub(super) agent: &'a [u8],
    /// The word for what happened.
    pub(super) verb: &'a [u8],
    /// Its parameters, with bars between them.
    pub(super) data: &'a [u8],
    /// The agent's name has a bar in it.
    pub(super) shifted: bool,
}

impl<'a> Entry<'a> {
    /// Reads `time|call|queue|agent|VERB|parameter|…`, without its end.
    ///
    /// # Errors
    /// Why it is no line of queue_log.
    pub(super) fn of_bars(line: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = line.splitn(4, |&byte| byte == b'|');
        let when = fields.next().and_then(When::read).ok_or(Malformed::NoTime)?;
        let mut next = || fields.next().ok_or(Malformed::TooFewFields);
        let call = next()?;
        let queue = next()?;
        let rest = next()?;

        // The rest is cut by hand: a name with bars moves the verb.
        let (agent, word) = rest.split_at(bar(rest).ok_or(Malformed::TooFewFields)?);
        let (verb, data) = cut(&word[1..]);

        let entry = Self { when, call, queue, agent, verb, data, shifted: false };
        if VERBS.contains(&verb) {
            return Ok(entry);
        }
        Ok(entry.further_right(rest, agent.len() + 1).unwrap_or(entry))
    }

    /// A member's name may have bars in it (`Ada|Alt`): then the verb is as many fields further
    /// right.
    ///
    /// A word of the dialplan's own (QueueLog) is no name, so what follows must have the form of
    /// that verb's parameters.
    fn further_right(self, rest: &'a [u8], begin: usize) -> Option<Self> {
        let mut at = begin;
        for _ in 0..BARS_MAX {
            at += bar(&rest[at..])? + 1;
            let (verb, data) = cut(&rest[at..]);
            if VERBS.contains(&verb) && fits(verb, data) {
                return Some(Self { agent: &rest[..at - 1], verb, data, shifted: true, ..self });
            }
        }
        None
    }
}

/// A field, and the text behind its bar.
fn cut(text: &[u8]) -> (&[u8], &[u8]) {
    bar(text).map_or((text, &[]), |at| (&text[..at], &text[at + 1..]))
}

fn bar(text: &[u8]) -> Option<usize> {
    memchr::memchr(b'|', text)
}

/// Whether these can be the parameters of a verb.
fn fits(verb: &[u8], data: &[u8]) -> bool {
    let mut parameters = parameters(data);
    let mut numbers = |count| (0..count).all(|_| parameters.next().and_then(seconds).is_some());

    match verb {
        b"CONNECT" => numbers(1) && parameters.next().is_none_or(is_uniqueid),
        b"COMPLETECALLER" | b"COMPLETEAGENT" => numbers(2),
        b"RINGNOANSWER" | b"RINGCANCELED" => numbers(1),
        b"BLINDTRANSFER" | b"ATTENDEDTRANSFER" | b"TRANSFER" => {
            parameters.nth_back(1).and_then(seconds).is_some()
                && parameters.nth_back(0).and_then(seconds).is_some()
        }

        // No agent is in these lines.
        b"ENTERQUEUE" | b"ABANDON" | b"EXITWITHTIMEOUT" | b"EXITEMPTY" | b"EXITWITHKEY"
        | b"SYSCOMPAT" | b"WITHDRAW" => false,
        b"CONFIGRELOAD" | b"QUEUESTART" | b"DID" | b"INFO" => false,
        _ => true,
    }
}

/// `1790000010.7`, with the name of the system before it where there are several.
pub(super) fn is_uniqueid(text: &[u8]) -> bool {
    created(text).is_some()
}

/// When a channel was created, by its Uniqueid.
pub(super) fn created(uniqueid: &[u8]) -> Option<u64> {
    let dot = uniqueid.iter().rposition(|&byte| byte == b'.')?;
    number(&uniqueid[dot + 1..])?;
    let system = uniqueid[..dot].iter().rposition(|&byte| byte == b'-').map_or(0, |dash| dash + 1);
    number(&uniqueid[system..dot])
}

/// How many bars a name may have.
const BARS_MAX: usize = 8;
/// What Asterisk itself writes (`ast_queue_log` in app_queue.c, app_agent_pool.c and logger.c, 11
/// to 23), and what its documentation lets the dialplan write.
const VERBS: [&[u8]; 33] = [
    b"ABANDON",
    b"ADDMEMBER",
    b"AGENTCALLBACKLOGIN",
    b"AGENTCALLBACKLOGOFF",
    b"AGENTDUMP",
    b"AGENTLOGIN",
    b"AGENTLOGOFF",
    b"ATTENDEDTRANSFER",
    b"BLINDTRANSFER",
    b"COMPLETEAGENT",
    b"COMPLETECALLER",
    b"CONFIGRELOAD",
    b"CONNECT",
    b"DID",
    b"ENTERQUEUE",
    b"EXITEMPTY",
    b"EXITWITHKEY",
    b"EXITWITHTIMEOUT",
    b"INFO",
    b"OUTCALL",
    b"PAUSE",
    b"PAUSEALL",
    b"PENALTY",
    b"QUEUESTART",
    b"REMOVEMEMBER",
    b"RINGCANCELED",
    b"RINGINUSE",
    b"RINGNOANSWER",
    b"SYSCOMPAT",
    b"TRANSFER",
    b"UNPAUSE",
    b"UNPAUSEALL",
    b"WITHDRAW",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Agent, verb, data, and whether they were found further right.
    fn read(line: &str) -> (&str, &str, &str, bool) {
        let entry = Entry::of_bars(line.as_bytes()).expect("an entry");
        let text = |bytes| std::str::from_utf8(bytes).expect("text");
        (text(entry.agent), text(entry.verb), text(entry.data), entry.shifted)
    }

    #[test]
    fn a_name_with_a_bar_shifts_the_verb() {
        assert_eq!(read("1|1.1|q|Ada|CONNECT|3|1.2|3"), ("Ada", "CONNECT", "3|1.2|3", false));
        assert_eq!(
            read("1|1.1|q|Ada|Alt|CONNECT|3|1.2|3"),
            ("Ada|Alt", "CONNECT", "3|1.2|3", true)
        );
        assert_eq!(
            read("1|1.1|q|ADA|ALT|B|COMPLETEAGENT|3|9|1"),
            ("ADA|ALT|B", "COMPLETEAGENT", "3|9|1", true)
        );
        assert_eq!(
            read("1|1.1|q|A|B|BLINDTRANSFER|7|x|3|9|1"),
            ("A|B", "BLINDTRANSFER", "7|x|3|9|1", true)
        );
        assert_eq!(read("1|1.1|q|A|B|RINGNOANSWER|4000"), ("A|B", "RINGNOANSWER", "4000", true));
        assert_eq!(read("1|NONE|q|Ada|Alt|PAUSE|Lunch"), ("Ada|Alt", "PAUSE", "Lunch", true));
        assert_eq!(read("1|NONE|NONE|Ada|Alt|UNPAUSEALL|"), ("Ada|Alt", "UNPAUSEALL", "", true));
    }

    #[test]
    fn a_verb_of_the_dialplan_is_no_name() {
        for line in [
            "1|1.1|q|NONE|LABNOTE|x",
            "1|1.1|q|NONE|LABNOTE|CONNECT|soon",
            "1|1.1|q|NONE|LABNOTE|CONNECT|5|SIP/201-0000001",
            "1|1.1|q|NONE|LABNOTE|ABANDON|1|1|3",
            "1|1.1|q|NONE|LABNOTE|COMPLETECALLER|1",
        ] {
            let (agent, verb, _, shifted) = read(line);
            assert_eq!((agent, verb, shifted), ("NONE", "LABNOTE", false), "{line}");
        }
        assert_eq!(read("1|1.1|q|NONE|DID|CONNECT|3|1.2|3").1, "DID");
    }

    #[test]
    fn names_may_hold_any_bytes() {
        let entry = Entry::of_bars(b"1|1.1|K\xfcche|\xff|LABNOTE").unwrap();
        assert_eq!(
            (entry.queue, entry.agent, entry.verb),
            (&b"K\xfcche"[..], &b"\xff"[..], &b"LABNOTE"[..])
        );
    }

    #[test]
    fn a_uniqueid_holds_when_its_channel_was_created() {
        assert_eq!(created(b"1790000010.7"), Some(1_790_000_010));
        assert_eq!(created(b"pbx-2-1790000010.7"), Some(1_790_000_010));
        assert_eq!(
            [&b"NONE"[..], b"MANAGER", b"SIP/201-0000.1x", b".1", b"17.", b""].map(created),
            [None; 6]
        );
    }
}
