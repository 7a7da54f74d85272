//! Which metrics and labels a PromQL expression names: a scanner, not a parser; Prometheus itself
//! parses in `live`.

/// What an expression names.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Names {
    /// Each selector: the metric, the labels it is narrowed by, and the window behind it.
    pub(crate) selectors: Vec<Selector>,
    /// Labels of `by`, `on` and the like.
    pub(crate) grouping: Vec<String>,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Selector {
    pub(crate) metric: String,
    pub(crate) labels: Vec<String>,
    /// The text in the brackets, empty if there are none.
    pub(crate) window: String,
    /// The function whose bracket directly contains the selector.
    pub(crate) function: String,
}

pub(crate) fn names(expr: &str) -> Names {
    let tokens = tokens(expr);
    let mut names = Names::default();
    let mut calls: Vec<String> = Vec::new();
    let mut at = 0;

    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at + 1).map_or("", String::as_str);
        match token.as_str() {
            "(" => {
                calls
                    .push(at.checked_sub(1).map_or(String::new(), |before| tokens[before].clone()));
            }
            ")" => {
                calls.pop();
            }
            word if GROUPING.contains(&word) => {
                let end = position(&tokens, at, ")");
                names
                    .grouping
                    .extend(tokens[at + 2..end].iter().filter(|token| *token != ",").cloned());
                at = end;
            }
            word if is_name(word)
                && !WORDS.contains(&word)
                && next != "("
                && !GROUPING.contains(&next) =>
            {
                let mut selector = Selector {
                    metric: word.to_owned(),
                    function: calls.last().cloned().unwrap_or_default(),
                    ..Selector::default()
                };
                if next == "{" {
                    let end = position(&tokens, at, "}");
                    let labels = tokens[at + 2..end].iter().filter(|token| is_name(token));
                    selector.labels = labels.cloned().collect();
                    at = end;
                }
                if tokens.get(at + 1).is_some_and(|token| token == "[") {
                    selector.window = tokens[at + 2..position(&tokens, at, "]")].concat();
                    at = position(&tokens, at, "]");
                }
                names.selectors.push(selector);
            }
            _ => {}
        }
        at += 1;
    }

    names
}

fn position(tokens: &[String], from: usize, what: &str) -> usize {
    let found = tokens[from..].iter().position(|token| token == what);
    from + found.unwrap_or_else(|| panic!("no {what} in {tokens:?}"))
}

/// Words, numbers and durations, strings (without what is in them) and single characters.
fn tokens(expr: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = expr.trim_start();

    while let Some(first) = rest.chars().next() {
        let length = if first == '"' {
            2 + rest[1..].find('"').expect("the end of a string")
        } else if first.is_alphanumeric() || first == '_' || first == '$' {
            rest.find(|c: char| !(c.is_alphanumeric() || "_:$.".contains(c))).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        tokens.push(if first == '"' { "\"".to_owned() } else { rest[..length].to_owned() });
        rest = rest[length..].trim_start();
    }

    tokens
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

const GROUPING: &[&str] = &["by", "without", "on", "ignoring", "group_left", "group_right"];
const WORDS: &[&str] = &["and", "or", "unless", "bool", "offset"];

#[test]
fn metrics_labels_and_windows_are_found() {
    let found = names(
        "60 * sum by (a, b) (rate(x_total{pbx=~\"$pbx\", c!=\"sum by (z) q\"}[$__rate_interval])) and on (d) up > 0 \
         or lvl:m:rate5m",
    );
    assert_eq!(found.grouping, ["a", "b", "d"]);
    let metrics: Vec<_> = found.selectors.iter().map(|selector| selector.metric.as_str()).collect();
    assert_eq!(metrics, ["x_total", "up", "lvl:m:rate5m"]);
    assert_eq!(found.selectors[0].labels, ["pbx", "c"]);
    assert_eq!(found.selectors[0].window, "$__rate_interval");
    assert_eq!(found.selectors[0].function, "rate");
    assert_eq!(found.selectors[1].function, "");
}
