//! The sources of a configuration, each overriding the one before: file, environment, flags.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use figment::Figment;
use figment::value::{Dict, Value};

use super::flags::Overrides;
use super::mistake::{Error, Mistake, Place, Report};
use super::{Purpose, environment, flags, yaml};

/// Where the configuration comes from; a later field overrides an earlier one.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file.
    pub document: Document,
    /// The environment's variables; those that do not begin with [`environment::PREFIX`] are
    /// passed over.
    pub environment: Vec<(OsString, OsString)>,
    /// The flags.
    pub overrides: Overrides,
}

/// The text of the configuration.
#[derive(Clone, Debug, Default)]
pub enum Document {
    /// None: environment and flags must do.
    #[default]
    None,
    /// A file.
    File(PathBuf),
    /// A text already read, and what to call it in messages.
    Text {
        /// Its name.
        name: String,
        /// The YAML.
        text: String,
    },
}

/// The values of all sources together.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) root: Dict,
    /// The configuration file, if it is one.
    pub(super) file: Option<PathBuf>,
    /// Where systemd has put the credentials of the service.
    pub(super) credentials: Option<PathBuf>,
    places: HashMap<String, Place>,
    whole: Place,
}

impl Layers {
    /// Reads the sources and merges them.
    ///
    /// # Errors
    /// A file that cannot be read, or is not YAML.
    pub(super) fn merge(
        sources: &Sources,
        purpose: Purpose,
        report: &Report,
    ) -> Result<Self, Error> {
        let (name, text) = read(&sources.document, purpose, report)?;
        let document =
            yaml::parse(&name, &text).map_err(|mistake| Error::Mistakes(vec![mistake]))?;
        let environment = environment::layer(&sources.environment, report);
        let flags = flags::layer(&sources.overrides);

        let mut figment = Figment::new();
        let mut places = HashMap::new();
        for layer in [document, environment, flags] {
            places.extend(layer.places.clone());
            figment = figment.merge(layer);
        }

        // Maps of text merge without conditions, so an error here cannot come from what the user
        // wrote.
        let root = figment.find_value("").ok().and_then(Value::into_dict).unwrap_or_default();

        let file = match &sources.document {
            Document::File(path) => Some(path.clone()),
            Document::None | Document::Text { .. } => None,
        };
        let credentials =
            sources.environment.iter().find(|(name, _)| name == "CREDENTIALS_DIRECTORY");
        let credentials = credentials.map(|(_, directory)| PathBuf::from(directory));
        Ok(Self { root, file, credentials, places, whole: Place::Whole(name) })
    }

    /// Where the value at `path` comes from.
    pub(super) fn place(&self, path: &str) -> Place {
        self.places.get(path).unwrap_or(&self.whole).clone()
    }

    /// Where anything at or below `path` comes from.
    pub(super) fn place_within(&self, path: &str) -> Place {
        let below = self
            .places
            .iter()
            .filter(|(key, _)| key.starts_with(path))
            .map(|(_, place)| place)
            .min();
        self.places.get(path).or(below).unwrap_or(&self.whole).clone()
    }
}

/// The document's name and text.  A replay needs no configuration, so a missing file is only a
/// warning.
fn read(
    document: &Document,
    purpose: Purpose,
    report: &Report,
) -> Result<(Arc<str>, String), Error> {
    match document {
        Document::None => Ok(("configuration".into(), String::new())),
        Document::Text { name, text } => Ok((name.as_str().into(), text.clone())),
        Document::File(path) => {
            let name: Arc<str> = path.display().to_string().into();

            match read_file(path) {
                Ok(text) => Ok((name, text)),
                Err(error) if error.kind() == ErrorKind::NotFound && purpose == Purpose::Replay => {
                    let message = "no such file: every value is the default".to_owned();
                    report.warning(Mistake {
                        place: Place::Whole(name.clone()),
                        key: String::new(),
                        message,
                    });
                    Ok((name, String::new()))
                }
                Err(source) => Err(Error::Unreadable { path: Path::to_path_buf(path), source }),
            }
        }
    }
}

/// Reads no more than shows that a file is too large: `/dev/zero` has no end.
fn read_file(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;

    if bytes.len() as u64 > LARGEST {
        let message = format!("larger than {} MiB, which no configuration is", LARGEST >> 20);
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "not UTF-8"))
}

/// Room for targets of some ten thousand queues.
const LARGEST: u64 = 1 << 20;
