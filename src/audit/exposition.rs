//! The exporter's side from a scrape: the text of `/metrics`, classic or OpenMetrics, added up by queue.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufRead};

use super::counted::Counted;
use super::subject::{Apart, Counter, Position, Subject};
use super::tally::Length;
use crate::clock::Moment;

/// Why a text is no scrape to compare with.
#[derive(Debug, thiserror::Error)]
pub enum ExpositionError {
    /// It cannot be read to its end.
    #[error("the metrics cannot be read")]
    Unreadable(#[source] io::Error),
    /// A line is no sample.
    #[error("line {0} of the metrics is no sample")]
    NotASample(u64),
    /// Not what this exporter writes.
    #[error(
        "these are not the metrics of an asterisk_exporter: no asterisk_queue_entries_total in {0} lines"
    )]
    NotOurs(u64),
    /// Several PBXs, and none was chosen.
    #[error("the metrics are of several PBXs: choose one with --pbx: {}", .0.join(", "))]
    Several(Vec<String>),
    /// The chosen one is not there.
    #[error("the metrics know no pbx {wanted}, but {}", .known.join(", "))]
    NoSuchPbx {
        /// What was asked for.
        wanted: String,
        /// What is there.
        known: Vec<String>,
    },
}

/// The metrics of one PBX.
#[derive(Debug, Default)]
pub struct Exposition {
    /// The PBX.
    pub pbx: String,
    /// Each queue by its name.
    pub(super) queues: BTreeMap<String, Counted>,
    /// AgentCompletes that came late or never.
    pub late: u64,
    /// Seconds in which the exporter was not synchronised.
    pub unsynchronised: f64,
    /// Sessions that began.
    pub connects: u64,
    /// Whether it was connected at the scrape.
    pub up: bool,
    /// Queues that share the label `other`.
    pub folded: bool,
    /// When the exporter started.
    pub started: Option<Moment>,
}

impl Exposition {
    /// Reads a scrape, and keeps the metrics of `pbx`, or of the only one.
    ///
    /// # Errors
    /// It is no scrape of this exporter, or which PBX is meant is not clear.
    pub fn read(mut source: impl BufRead, pbx: Option<&str>) -> Result<Self, ExpositionError> {
        let mut pbxs: BTreeMap<String, Self> = BTreeMap::new();
        let mut started = None;
        let mut line = Vec::new();
        let mut number = 0;
        let mut ours = false;

        // Line by line: a scrape of a million series has 150 MB, and only sums are kept.
        loop {
            line.clear();
            if source.read_until(b'\n', &mut line).map_err(ExpositionError::Unreadable)? == 0 {
                break;
            }
            number += 1;

            let text = String::from_utf8_lossy(&line);
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }

            let sample = Sample::read(text).ok_or(ExpositionError::NotASample(number))?;
            ours |= sample.name.starts_with("asterisk_exporter_")
                || sample.name.starts_with("asterisk_queue_");

            if sample.name == "process_start_time_seconds" {
                started = Some(Moment::from_micros((sample.value * 1e6) as u64));
            } else if let Some(name) = sample.label("pbx") {
                if !pbxs.contains_key(name) {
                    pbxs.insert(name.to_owned(), Self { pbx: name.to_owned(), ..Self::default() });
                }
                pbxs.get_mut(name).expect("it was put there just now").take(&sample);
            }
        }

        // A text without a single metric of ours would otherwise count as nothing, and then each
        // line of queue_log as a difference.
        if !ours {
            return Err(ExpositionError::NotOurs(number));
        }

        let known: Vec<_> = pbxs.keys().cloned().collect();
        let mut chosen = match (pbx, &known[..]) {
            (Some(wanted), _) => pbxs.remove(wanted).ok_or_else(|| ExpositionError::NoSuchPbx {
                wanted: wanted.to_owned(),
                known: known.clone(),
            })?,
            (None, [only]) => pbxs.remove(only).expect("its name is a key"),
            (None, []) => return Err(ExpositionError::NotOurs(number)),
            (None, _) => return Err(ExpositionError::Several(known)),
        };

        // The start is the process's, so its sample has no label `pbx`.
        chosen.started = started;
        Ok(chosen)
    }

    /// How often the exporter was disconnected after it had been connected.
    pub fn gaps(&self) -> u64 {
        if self.up { self.connects.saturating_sub(1) } else { self.connects }
    }

    fn take(&mut self, sample: &Sample<'_>) {
        match sample.name {
            "asterisk_exporter_anomalies_total"
                if sample.label("kind") == Some("complete_missing") =>
            {
                self.late += sample.count();
            }
            "asterisk_exporter_unsynchronized_seconds_total" => self.unsynchronised += sample.value,
            "asterisk_exporter_connects_total" => self.connects += sample.count(),
            "asterisk_up" => self.up = sample.value > 0.0,
            "asterisk_exporter_label_overflow_total" if sample.label("label") == Some("queue") => {
                self.folded |= sample.value > 0.0;
            }
            _ => self.take_of_queue(sample),
        }
    }

    fn take_of_queue(&mut self, sample: &Sample<'_>) {
        let Some(name) = sample.label("queue").filter(|name| !name.is_empty()) else { return };
        if !sample.name.starts_with("asterisk_queue_") {
            return;
        }

        // Most samples are of a queue that is known, and looking it up needs no copy of its name.
        if !self.queues.contains_key(name) {
            self.queues.insert(name.to_owned(), Counted::default());
        }
        let queue = self.queues.get_mut(name).expect("it was put there just now");

        // One subject may be several series: one for each agent, or for each of several results.
        for subject in Subject::ALL {
            if sample.is_of(subject.counter()) {
                queue.add(subject, sample.number());
            }
        }
        for apart in Apart::ALL {
            if apart.counter().is_some_and(|counter| sample.is_of(counter)) {
                queue.add_apart(apart, sample.number());
            }
        }

        let answered = sample.label("outcome") == Some("answered");
        let at = Position::ALL.into_iter().find(|at| sample.label("at") == Some(at.label()));
        if let Some(at) = at.filter(|_| sample.name.starts_with("asterisk_queue_position_")) {
            queue.has_positions = true;
            let places = &mut queue.positions[at as usize];
            match sample.name {
                "asterisk_queue_position_sum" => {
                    places.sum = places.sum.saturating_add(sample.count());
                }
                "asterisk_queue_position_count" => {
                    places.of = places.of.saturating_add(sample.number());
                }
                _ => {}
            }
        }

        match sample.name {
            "asterisk_queue_hold_seconds_sum" if answered => queue.hold.sum += sample.value,
            "asterisk_queue_hold_seconds_count" if answered => count(&mut queue.hold, sample),
            "asterisk_queue_talk_seconds_sum" => queue.talk.sum += sample.value,
            "asterisk_queue_talk_seconds_count" => count(&mut queue.talk, sample),
            _ => {}
        }
    }
}

fn count(length: &mut Length, sample: &Sample<'_>) {
    length.of = length.of.saturating_add(sample.number());
}

/// One sample.
#[derive(Debug)]
struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, Cow<'a, str>)>,
    value: f64,
}

impl<'a> Sample<'a> {
    /// Reads `name{label="value",…} value`, maybe with a time or an exemplar behind it.
    fn read(line: &'a str) -> Option<Self> {
        let (name, mut rest) = line.split_at(line.find(['{', ' '])?);
        let mut labels = Vec::new();

        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside;
            while !rest.starts_with('}') {
                let (label, after) = rest.trim_start_matches(',').split_once("=\"")?;
                let (value, after) = unquoted(after)?;
                labels.push((label.trim(), value));
                rest = after.trim_start();
            }
            rest = &rest[1..];
        }

        let value = rest.split_ascii_whitespace().next()?.parse().ok()?;
        Some(Self { name, labels, value })
    }

    fn label(&self, label: &str) -> Option<&str> {
        self.labels.iter().find(|(name, _)| *name == label).map(|(_, value)| &**value)
    }

    fn is_of(&self, counter: Counter) -> bool {
        let value = || counter.label().and_then(|label| self.label(label));
        self.name == counter.name
            && (counter.values.is_empty() || value().is_some_and(|v| counter.values.contains(&v)))
    }

    fn count(&self) -> u64 {
        self.value as u64
    }

    fn number(&self) -> u32 {
        self.value as u32
    }
}

/// A label value without its escapes, and what follows the closing quote.
fn unquoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let plain = text.find(['"', '\\'])?;
    if text[plain..].starts_with('"') {
        return Some((Cow::Borrowed(&text[..plain]), &text[plain + 1..]));
    }

    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((Cow::Owned(value), &text[at + 1..])),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                escaped => escaped,
            }),
            char => value.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tally::Places;
    use super::*;

    const TEXT: &str = "# HELP asterisk_queue_exits_total x\n\
        asterisk_queue_entries_total{pbx=\"a\",queue=\"q\"} 4\n\
        asterisk_queue_exits_total{pbx=\"a\",queue=\"q\",outcome=\"answered\"} 2 1795444650.2\n\
        asterisk_queue_exits_total{pbx=\"b\",queue=\"say \\\"hi\\\"\",outcome=\"redirected\"} 1\n\
        asterisk_queue_rings_total{pbx=\"a\",queue=\"q\",agent=\"Ann\",result=\"busy\"} 1\n\
        asterisk_queue_rings_total{pbx=\"a\",queue=\"q\",agent=\"Bob\",result=\"failed\"} 2\n\
        asterisk_queue_rings_total{pbx=\"a\",queue=\"q\",agent=\"Bob\",result=\"canceled\"} 7\n\
        asterisk_queue_position_sum{pbx=\"a\",queue=\"q\",at=\"entry\"} 9\n\
        asterisk_queue_position_count{pbx=\"a\",queue=\"q\",at=\"entry\"} 4\n\
        asterisk_queue_position_sum{pbx=\"a\",queue=\"q\",at=\"abandon\"} 1\n\
        asterisk_queue_position_count{pbx=\"a\",queue=\"q\",at=\"abandon\"} 1\n\
        asterisk_queue_talk_seconds_sum{pbx=\"a\",queue=\"q\",agent=\"Ann\"} 12.5\n\
        asterisk_queue_talk_seconds_count{pbx=\"a\",queue=\"q\",agent=\"Ann\"} 2 # {linkedid=\"1.1\"} 3.0\n\
        asterisk_exporter_connects_total{pbx=\"a\"} 3\n\
        asterisk_up{pbx=\"a\"} 1\n\
        process_start_time_seconds 1795444600.25\n# EOF\n";

    #[test]
    fn samples_are_added_up_by_queue() {
        let read = Exposition::read(TEXT.as_bytes(), Some("a")).unwrap();
        let queue = &read.queues["q"];
        let counts = [Subject::Entered, Subject::Answered, Subject::RingNoAnswer]
            .map(|it| queue.count(it).all());
        assert_eq!(counts, [4, 2, 3]);
        assert_eq!(queue.talk, Length { sum: 12.5, of: 2 });
        assert_eq!(queue.positions, [Places { sum: 9, of: 4 }, Places { sum: 1, of: 1 }]);
        assert_eq!(
            (read.gaps(), read.started),
            (2, Some(Moment::from_micros(1_795_444_600_250_000)))
        );

        let read = Exposition::read(TEXT.as_bytes(), Some("b")).unwrap();
        assert_eq!(read.queues["say \"hi\""].apart(Apart::Redirected).all(), 1);
    }

    #[test]
    fn which_pbx_must_be_clear() {
        let error =
            |text: &str, pbx| Exposition::read(text.as_bytes(), pbx).unwrap_err().to_string();
        assert_eq!(
            error(TEXT, None),
            "the metrics are of several PBXs: choose one with --pbx: a, b"
        );
        assert_eq!(error(TEXT, Some("c")), "the metrics know no pbx c, but a, b");
        assert!(
            error("up 1\n", None).starts_with("these are not the metrics of an asterisk_exporter")
        );
        assert_eq!(error("<html>\n", None), "line 1 of the metrics is no sample");

        let one: String = TEXT
            .lines()
            .filter(|line| !line.contains("pbx=\"b\""))
            .map(|l| format!("{l}\n"))
            .collect();
        assert_eq!(Exposition::read(one.as_bytes(), None).unwrap().pbx, "a");
    }
}
