//! Series with their values, from an exposition or from a server's answer, so that they can be
//! compared.

use std::collections::BTreeMap;

use serde_json::Value;

/// Labels, and the name as `__name__`, to value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Series(pub(crate) BTreeMap<Labels, f64>);

pub(crate) type Labels = BTreeMap<String, String>;

impl Series {
    /// Reads the classic text format.
    pub(crate) fn of_text(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        Self(samples.map(sample).collect())
    }

    /// Reads the answer to an instant query, without native histograms, and without the labels that
    /// scraping adds.
    pub(crate) fn of_answer(answer: &Value) -> Self {
        let results =
            answer["data"]["result"].as_array().unwrap_or_else(|| panic!("no vector: {answer}"));
        let series =
            results.iter().filter(|result| result.get("histogram").is_none()).map(|result| {
                let value =
                    result["value"][1].as_str().unwrap_or_else(|| panic!("no value: {result}"));
                (labels(&result["metric"]), value.parse().unwrap())
            });
        Self(series.collect())
    }

    /// Those of which this is true.
    pub(crate) fn only(&self, keep: impl Fn(&str, &Labels) -> bool) -> Self {
        let kept = self.0.iter().filter(|(labels, _)| keep(name(labels), labels));
        Self(kept.map(|(labels, value)| (labels.clone(), *value)).collect())
    }

    /// Those of one metric, without its name.
    pub(crate) fn named(&self, wanted: &str) -> Self {
        let mut named = self.only(|name, _| name == wanted).0;
        Self(
            std::mem::take(&mut named)
                .into_iter()
                .map(|(labels, value)| (nameless(labels), value))
                .collect(),
        )
    }

    /// Added up by these labels.
    pub(crate) fn sum_by(&self, by: &[&str]) -> Self {
        let mut sums = BTreeMap::new();
        for (labels, value) in &self.0 {
            let key: Labels = labels
                .iter()
                .filter(|(label, _)| by.contains(&label.as_str()))
                .map(owned)
                .collect();
            *sums.entry(key).or_default() += value;
        }
        Self(sums)
    }

    pub(crate) fn total(&self) -> f64 {
        self.0.values().sum()
    }

    /// The first difference, if there is one.  `slack` is relative: 0 where a server must keep
    /// every bit.
    pub(crate) fn compare(&self, other: &Self, slack: f64) -> Result<(), String> {
        for (labels, value) in &self.0 {
            match other.0.get(labels) {
                None => return Err(format!("{labels:?} is missing")),
                Some(found) if !same(*found, *value, slack) => {
                    return Err(format!("{labels:?} is {found}, not {value}"));
                }
                Some(_) => {}
            }
        }

        match other.0.keys().find(|labels| !self.0.contains_key(*labels)) {
            Some(labels) => Err(format!("{labels:?} is too much")),
            None => Ok(()),
        }
    }
}

/// What is no number is the same as no number only, and infinite as infinite.
fn same(found: f64, value: f64, slack: f64) -> bool {
    let near = value.is_finite() && (found - value).abs() <= slack * value.abs();
    near || found.total_cmp(&value).is_eq() || found.is_nan() && value.is_nan()
}

/// Labels of a JSON object, without those that scraping adds.
pub(crate) fn labels(object: &Value) -> Labels {
    let object = object.as_object().unwrap_or_else(|| panic!("no labels: {object}"));
    let added = ["job", "instance"];
    let ours = object.iter().filter(|(label, _)| !added.contains(&label.as_str()));
    // A label without a value is none.
    let ours = ours.map(|(label, value)| (label.clone(), value.as_str().unwrap().to_owned()));
    ours.filter(|(_, value)| !value.is_empty()).collect()
}

pub(crate) fn name(labels: &Labels) -> &str {
    labels.get(NAME).map_or("", String::as_str)
}

pub(crate) fn nameless(mut labels: Labels) -> Labels {
    labels.remove(NAME);
    labels
}

/// One line of the classic text; nothing in these tests needs escapes.
pub(crate) fn sample(line: &str) -> (Labels, f64) {
    assert!(!line.contains('\\'), "{line}");
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
    let (name, inside) = series.split_once('{').unwrap_or((series, "}"));
    let mut labels = Labels::from([(NAME.to_owned(), name.to_owned())]);
    for label in
        inside.trim_end_matches('}').split_terminator("\",").filter(|label| !label.is_empty())
    {
        let (label, value) = label.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
        let value = value.trim_end_matches('"');
        if !value.is_empty() {
            labels.insert(label.to_owned(), value.to_owned());
        }
    }

    (labels, value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
}

fn owned((label, value): (&String, &String)) -> (String, String) {
    (label.clone(), value.clone())
}

const NAME: &str = "__name__";
