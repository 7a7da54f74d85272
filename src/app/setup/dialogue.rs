//! Questions on standard error, answers from standard input: a terminal, a pipe or a file.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, StdinLock, Write as _};

use crate::setup::{Answers, Topic};

/// An answer, or a flag, that is wrong or missing.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(in crate::app) struct WrongAnswer(pub(super) String);

/// Who is asked.
pub(super) struct Dialogue {
    answers: StdinLock<'static>,
    is_terminal: bool,
}

impl Dialogue {
    pub(super) fn new() -> Self {
        let answers = io::stdin().lock();
        let is_terminal = answers.is_terminal();
        Self { answers, is_terminal }
    }

    /// Asks until there is a right answer; only a terminal gives a second one.  An empty answer is the
    /// default.
    pub(super) fn ask(&mut self, topic: Topic, answers: &mut Answers) -> Result<(), WrongAnswer> {
        loop {
            let default = answers.default_of(topic);
            let shown = default.as_ref().map_or(String::new(), |default| format!(" [{default}]"));
            let given = self.answer(&format!("{}{shown}: ", topic.question()))?;
            let Some(given) = given else {
                let flag = topic.flag();
                let text = format!(
                    "no answer, nothing was written; {flag} gives it, --defaults asks nothing"
                );
                return Err(WrongAnswer(text));
            };

            let text = if given.is_empty() { default.unwrap_or_default() } else { given };
            match answers.take(topic, &text) {
                Ok(warnings) => {
                    warnings.iter().for_each(|warning| eprintln!("  warning: {warning}"));
                    return Ok(());
                }
                Err(message) if self.is_terminal => eprintln!("  {message}"),
                Err(message) => {
                    let text = format!("{message}; nothing was written");
                    return Err(WrongAnswer(text));
                }
            }
        }
    }

    /// Whether the account is loaded by now, as whoever reads the steps says.
    pub(super) fn is_loaded(&mut self) -> bool {
        let question =
            "Press Enter when the PBX has loaded the account, for `doctor`; n leaves it out: ";
        let answer = self.answer(question).ok().flatten();
        answer.is_some_and(|answer| !answer.to_ascii_lowercase().starts_with('n'))
    }

    /// The next line, `None` at the end.
    fn answer(&mut self, question: &str) -> Result<Option<String>, WrongAnswer> {
        let not_read = |error: io::Error| WrongAnswer(format!("standard input: {error}"));
        eprint!("{question}");
        io::stderr().flush().map_err(not_read)?;

        let mut line = String::new();
        let read = self.answers.by_ref().take(LONGEST).read_line(&mut line).map_err(not_read)?;
        // Where nobody types, or ends the input instead, the cursor is still behind the question.
        if !self.is_terminal || read == 0 {
            eprintln!();
        }
        Ok((read > 0).then(|| line.trim().to_owned()))
    }
}

/// Many times the longest answer, in bytes; a device may have no line breaks.
const LONGEST: u64 = 65_536;
