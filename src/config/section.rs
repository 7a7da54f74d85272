//! Reads typed values from one map of the configuration, and notes every mistake with its place.
//!
//! A wrong value is noted and then treated as absent, so that reading goes on and the next mistake
//! shows too.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::value::{Dict, Value};

use super::checks;
use super::layer::join;
use super::layers::Layers;
use super::mistake::{Mistake, Place, Report};
use super::yaml::parse_flow;
use crate::tls::File;

/// One map, and the keys that were read from it.
pub(super) struct Section<'a> {
    layers: &'a Layers,
    report: &'a Report,
    path: String,
    values: Dict,
    read: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    /// The whole configuration.
    pub(super) fn root(layers: &'a Layers, report: &'a Report) -> Self {
        Self::new(layers, report, String::new(), layers.root.clone())
    }

    fn new(layers: &'a Layers, report: &'a Report, path: String, values: Dict) -> Self {
        Self { layers, report, path, values, read: RefCell::default() }
    }

    /// The map at `key`, empty if there is none.
    pub(super) fn child(&self, key: &'static str) -> Self {
        let path = join(&self.path, key);

        // A key without a value is an empty map: what was in it is commented out.
        let values = match self.value(key) {
            None | Some(Value::Empty(..)) => Dict::new(),
            Some(Value::Dict(_, values)) if !is_list(values) => values.clone(),
            Some(_) => {
                self.mistake(key, "must be a map");
                Dict::new()
            }
        };

        Self::new(self.layers, self.report, path, values)
    }

    /// What is at a `key` that is `true`, `false` or a map of details; `None` if it is off or wrong.
    pub(super) fn switch(&self, key: &'static str) -> Option<Self> {
        match self.value(key)? {
            Value::String(..) => self
                .read(key, checks::boolean)
                .filter(|&on| on)
                .map(|_| Self::new(self.layers, self.report, join(&self.path, key), Dict::new())),
            Value::Dict(_, values) if values.is_empty() || !is_list(values) => {
                Some(self.child(key))
            }
            // What is below is commented out; to take that for `false` would be the riskier reading.
            Value::Empty(..) => Some(self.child(key)),
            _ => {
                self.mistake(key, "must be true, false or a map");
                None
            }
        }
    }

    /// The file that `key` names.  A path in the configuration file is relative to it, one in a
    /// variable to the working directory.
    pub(super) fn path(&self, key: &'static str) -> Option<File> {
        self.read(key, |text| {
            if text.is_empty() {
                return Err("is empty".to_owned());
            }
            if is_pasted(text) {
                return Err(PASTED.to_owned());
            }
            Ok(File { named: text.to_owned(), path: self.beside_file(key, text) })
        })
    }

    /// The list of maps at `key`; `None` if the key is not there.
    pub(super) fn children(&self, key: &'static str) -> Option<Vec<Self>> {
        let values = match self.value(key) {
            Some(Value::Empty(..)) => return Some(Vec::new()),
            Some(Value::Dict(_, values)) if values.is_empty() || is_list(values) => values,
            Some(_) => {
                self.mistake(key, "must be a list");
                return None;
            }
            None => return None,
        };

        // An entry that is no map is left out, so that the mistakes of the others are found too.
        let mut sections = Vec::new();
        for (index, value) in self.indexed(key, values) {
            let path = format!("{}[{index}]", join(&self.path, key));

            match value.into_dict() {
                Some(values) => sections.push(Self::new(self.layers, self.report, path, values)),
                None => {
                    self.note(self.layers.place_within(&path), path, "must be a map".to_owned());
                }
            }
        }
        Some(sections)
    }

    /// The one value at `key`.
    pub(super) fn read<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match self.value(key)? {
            Value::String(_, text) => {
                parse(text).map_err(|message| self.mistake(key, message)).ok()
            }
            Value::Empty(..) => {
                self.mistake(key, "has no value");
                None
            }
            _ => {
                self.mistake(key, "must be a single value");
                None
            }
        }
    }

    /// The duration at `key`, with a warning if it makes no sense here.
    pub(super) fn time(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<Duration, String>,
        sensible: &RangeInclusive<Duration>,
    ) -> Option<Duration> {
        self.read(key, |text| {
            let time = parse(text)?;
            if let Some(doubt) = checks::doubt(text, time, sensible) {
                self.warning(key, doubt);
            }
            Ok(time)
        })
    }

    /// The names and durations of the map at `key`, with a warning for each that makes no
    /// sense here.
    pub(super) fn times(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<Duration, String>,
        sensible: &RangeInclusive<Duration>,
    ) -> Vec<(String, Duration)> {
        let with_text = |text: &str| parse(text).map(|time| (time, text.to_owned()));
        let entries = self.map(key, with_text).unwrap_or_default().into_iter();

        // The text is kept up to here, as a warning quotes what was written.
        let times = entries.map(|(name, (time, text))| {
            if let Some(doubt) = checks::doubt(&text, time, sensible) {
                self.warning(&format!("{key}.{name}"), doubt);
            }
            (name, time)
        });
        times.collect()
    }

    /// The values at `key`, or the single one.  A key without a value is an empty list: its items
    /// are commented out.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let path = join(&self.path, key);
        let whole = self.layers.place(&path);

        // A list that a variable has as a whole has no places of its items: each mistake in it is at
        // the variable.
        let (values, whole) = match self.expanded(key)? {
            Value::String(_, text) if text.is_empty() => return Some(Vec::new()),
            Value::String(_, text) => {
                return Some(vec![
                    parse(&text).map_err(|message| self.mistake(key, message)).ok()?,
                ]);
            }
            Value::Empty(..) => return Some(Vec::new()),
            Value::Array(_, values) => (values.into_iter().enumerate().collect(), None),
            Value::Dict(_, values) if values.is_empty() => return Some(Vec::new()),
            Value::Dict(_, values) if is_list(&values) => {
                (self.indexed(key, &values), matches!(whole, Place::Variable(_)).then_some(whole))
            }
            _ => {
                self.mistake(key, "must be a list");
                return None;
            }
        };

        let items = values.into_iter().map(|(index, value)| {
            let path = format!("{path}[{index}]");
            let place = whole.clone().unwrap_or_else(|| self.layers.place(&path));
            self.scalar(place, path, &value, &parse)
        });
        all(items)
    }

    /// The names and values of the map at `key`.
    pub(super) fn map<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<(String, T)>> {
        let values = match self.expanded(key)? {
            Value::Empty(..) => return Some(Vec::new()),
            Value::Dict(_, values) => values,
            _ => {
                self.mistake(key, "must be a map");
                return None;
            }
        };

        let path = join(&self.path, key);
        let whole = self.layers.place(&path);

        let entries = values.into_iter().map(|(name, value)| {
            let path = join(&path, &name);

            // As for a list: a variable that has the whole map is the place of every entry.
            let place = if matches!(whole, Place::Variable(_)) {
                whole.clone()
            } else {
                self.layers.place(&path)
            };
            Some((name, self.scalar(place, path, &value, &parse)?))
        });
        all(entries)
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether `key` is there, whatever its value.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// Where the value of `key` comes from.
    pub(super) fn place(&self, key: &str) -> Place {
        self.layers.place(&join(&self.path, key))
    }

    /// The layers below, for what is not a value.
    pub(super) fn layers(&self) -> &'a Layers {
        self.layers
    }

    /// Notes a mistake in the value of `key`.
    pub(super) fn mistake(&self, key: &str, message: impl Into<String>) {
        self.note(self.place(key), join(&self.path, key), message.into());
    }

    /// Notes that `key` is not there: the place is the map that lacks it.
    pub(super) fn missing(&self, key: &str, message: impl Into<String>) {
        self.note(self.layers.place(&self.path), join(&self.path, key), message.into());
    }

    /// Notes something about the whole map that does not stop the start.
    pub(super) fn doubt(&self, message: impl Into<String>) {
        let place = self.layers.place(&self.path);
        let message = message.into();
        self.report.warning(Mistake { place, key: self.path.clone(), message });
    }

    /// The file that the value of `key` names.  In the configuration file its path is relative to that
    /// file, in a variable and in a flag to the working directory.
    pub(super) fn beside_file(&self, key: &str, path: &str) -> PathBuf {
        let from_file = self.place(key).rank() == 0;
        let folder = self.layers.file.as_deref().filter(|_| from_file).and_then(Path::parent);
        folder.map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
    }

    /// Notes something about `key` that does not stop the start.
    pub(super) fn warning(&self, key: &str, message: impl Into<String>) {
        let key_path = join(&self.path, key);
        self.report.warning(Mistake {
            place: self.place(key),
            key: key_path,
            message: message.into(),
        });
    }

    /// Notes the keys that were not read: they are unknown.
    pub(super) fn finish(self) {
        let known = self.read.borrow();
        for key in self.values.keys().filter(|key| !known.contains(&key.as_str())) {
            let message = match closest(key, &known) {
                Some(known) => format!("unknown key, did you mean {known}?"),
                None => "unknown key".to_owned(),
            };

            // Of a variable such as `FOO__BAR` only the whole path, `foo.bar`, has a place.
            let path = join(&self.path, key);
            self.note(self.layers.place_within(&path), path, message);
        }
    }

    fn value(&self, key: &'static str) -> Option<&Value> {
        let mut known = self.read.borrow_mut();
        if !known.contains(&key) {
            known.push(key);
        }
        self.values.get(key)
    }

    /// The value of `key`; the text of a variable in brackets is a list or a map.
    fn expanded(&self, key: &'static str) -> Option<Value> {
        let value = self.value(key)?;
        let Value::String(_, text) = value else { return Some(value.clone()) };

        let text = text.trim();
        let bracketed = (text.starts_with('[') && text.ends_with(']'))
            || (text.starts_with('{') && text.ends_with('}'));

        // In the file brackets are YAML already: a text with them was quoted, and is meant as it is.
        if bracketed && matches!(self.place(key), Place::Variable(_)) {
            return Some(parse_flow(text).unwrap_or_else(|| value.clone()));
        }
        Some(value.clone())
    }

    /// The entries of a list in order.  A variable may override an entry or add the next one, not
    /// leave a gap.
    fn indexed(&self, key: &str, values: &Dict) -> Vec<(usize, Value)> {
        let mut entries: Vec<(usize, Value)> = values
            .iter()
            .filter_map(|(index, value)| Some((index.parse().ok()?, value.clone())))
            .collect();

        // The map is sorted by text, where 10 is before 2.
        entries.sort_by_key(|&(index, _)| index);

        let whole = entries.iter().enumerate().take_while(|(at, (index, _))| at == index).count();
        for (index, _) in entries.drain(whole..) {
            let path = format!("{}[{index}]", join(&self.path, key));
            let message = format!("there is no such entry: the next free index is {whole}");
            self.note(self.layers.place_within(&path), path, message);
        }
        entries
    }

    fn scalar<T>(
        &self,
        place: Place,
        path: String,
        value: &Value,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let parsed = match value {
            Value::String(_, text) => parse(text),
            Value::Empty(..) => Err("has no value".to_owned()),
            _ => Err("must be a single value".to_owned()),
        };
        parsed.map_err(|message| self.note(place, path, message)).ok()
    }

    fn note(&self, place: Place, key: String, message: String) {
        self.report.mistake(Mistake { place, key, message });
    }
}

/// Every item, or none if one is wrong; all are looked at, so that each notes its mistake.
fn all<T>(items: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let items: Vec<Option<T>> = items.collect();
    items.into_iter().collect()
}

/// Whether a text that should name a file is what the file holds.  It may be a private key, which no
/// message may show.
pub(super) fn is_pasted(text: &str) -> bool {
    text.contains("-----BEGIN")
}

/// What is said of it.
pub(super) const PASTED: &str = "is the text of a file, and must be its name";

fn is_list(values: &Dict) -> bool {
    !values.is_empty() && values.keys().all(|key| key.parse::<usize>().is_ok())
}

/// The known key that `key` most looks like, if it is at most a third away.
fn closest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let (distance, best) =
        known.iter().map(|&candidate| (distance(key, candidate), candidate)).min()?;
    (distance <= (best.len() / 3).max(1)).then_some(best)
}

/// How many letters must be added, removed or changed to turn `a` into `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();

    // One row of the table is enough: the value up and to the left is kept beside it.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_a_letter_off_is_recognised() {
        assert_eq!(closest("adress", &["address", "agents"]), Some("address"));
        assert_eq!(closest("secert", &["secret", "agents"]), Some("secret"));
        assert_eq!(closest("colour", &["address", "agents"]), None);
    }
}
