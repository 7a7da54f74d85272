//! Configurations, also those of the pages: mistakes name key and place, and no secret is printed.

use std::error::Error as _;
use std::ffi::OsString;

use asterisk_exporter::config::{
    Config, Document, Error, Mistake, Place, Purpose, Sources, WebFile,
};

/// The input is the file.  Secrets come from the environment, so that it is known what they are.
pub(crate) fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input).into_owned();
    let lines = lines(&text);
    let variable = |name: &str| OsString::from(format!("ASTERISK_EXPORTER_{name}"));
    let environment = vec![
        (variable("PBX__0__SECRET"), OsString::from(SECRET)),
        (variable("AGENT_LABEL_SALT"), OsString::from(SECRET)),
    ];
    let document = Document::Text { name: FILE.to_owned(), text };
    let sources = Sources { document, environment, ..Sources::default() };

    for purpose in [Purpose::Run, Purpose::Replay] {
        match Config::load(&sources, purpose) {
            Ok(loaded) => {
                never_printed(&format!("{loaded:?}"));
                assert!(!loaded.config.pbxs.is_empty(), "no PBX");
                loaded.warnings.iter().for_each(|warning| check_mistake(warning, lines));
            }
            Err(error) => check_error(&error, lines),
        }
    }
}

/// The input is a web configuration file, as it is and with a user whose hash is a password.
pub(crate) fn check_web(input: &[u8]) {
    let text = String::from_utf8_lossy(input).into_owned();
    let careless = format!("{text}\nbasic_auth_users: {{ann: {SECRET}}}\n");
    for (text, may_be_good) in [(text, true), (careless, false)] {
        let lines = lines(&text);
        match WebFile::load(Document::Text { name: FILE.to_owned(), text }) {
            Ok((file, warnings)) => {
                assert!(may_be_good, "a password is taken for a hash: {file:?}");
                warnings.iter().for_each(|warning| check_mistake(warning, lines));
            }
            Err(error) => check_error(&error, lines),
        }
    }
}

/// In YAML a carriage return alone ends a line, too.
fn lines(text: &str) -> u64 {
    text.lines().map(|line| 1 + line.matches('\r').count() as u64).sum()
}

fn check_error(error: &Error, lines: u64) {
    match error {
        Error::Mistakes(mistakes) => {
            assert!(!mistakes.is_empty(), "no configuration, and no mistake");
            mistakes.iter().for_each(|mistake| check_mistake(mistake, lines));
        }
        Error::Unreadable { .. } => panic!("a text is not read: {error}: {:?}", error.source()),
    }
}

fn check_mistake(mistake: &Mistake, lines: u64) {
    never_printed(&format!("{mistake} {mistake:?}"));
    assert!(!mistake.message.is_empty(), "a mistake without a message: {mistake}");

    match &mistake.place {
        Place::At { file, line, column } => {
            assert_eq!(&**file, FILE);
            // The end of a file is behind its last line.
            assert!((1..=lines + 1).contains(line), "line {line} of {lines}: {mistake}");
            assert!(*column >= 1, "{mistake}");
        }
        Place::Whole(name) => assert_eq!(&**name, FILE),
        Place::Variable(name) => assert!(name.starts_with("ASTERISK_EXPORTER_"), "{mistake}"),
        Place::Flag(name) => panic!("there is no flag {name}: {mistake}"),
    }
}

fn never_printed(text: &str) {
    assert!(!text.contains(SECRET), "a secret is printed: {text}");
}

const FILE: &str = "config.yml";
/// A word that stands nowhere else.
const SECRET: &str = "s3cret-0f-the-env1r0nment";
