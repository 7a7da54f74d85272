//! Every calculation in the rules is one of numbers of the same moment.
//!
//! vmalert writes what a rule records some seconds later, and not all at once.  A rule that reads
//! two series of its own group gets some of this evaluation and some of the one before.

mod promql;

use std::collections::BTreeSet;

use serde_json::Value;
use support::root;

use promql::Expr;

/// When what a selector reads was written.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Moment {
    /// The exporter's metrics of one window.
    Scraped { range: String, offset: String },
    /// Recorded in the evaluation before: by rules that stand below, in the same group.
    EvaluationBefore,
    /// A range that ends before the last evaluation.
    Settled { range: String, offset: String },
    /// It depends on the store and on luck.
    Unknown(String),
}

#[test]
fn both_sides_of_every_calculation_are_of_the_same_moment() {
    let found: Vec<_> = FILES.iter().flat_map(|file| faults(&read(file))).collect();
    assert_eq!(found, Vec::<String>::new());
}

/// The order that was in rules.yml, and what vmalert made a service level of 300 % of.
#[test]
fn a_count_of_this_evaluation_is_found() {
    let text = "
groups:
  - name: mixed
    rules:
      - {record: 'pbx_queue:answered:increase5m', expr: 'increase(answered_total[5m])'}
      - {record: 'pbx_queue:in_target:ratio', expr: 'increase(in_target_total[5m]) / (pbx_queue:answered:increase5m > 0)'}
      - {record: 'pbx_queue:answered:ratio', expr: '1 - pbx_queue:answered:increase5m / pbx_queue:ended:increase5m'}
      - {record: 'pbx_queue:ended:increase5m', expr: 'increase(ended_total[5m])'}
";
    let faults = faults(text);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("pbx_queue:in_target:ratio: / of"), "{faults:?}");
    assert!(faults[1].starts_with("pbx_queue:answered:ratio: / of"), "{faults:?}");
}

#[test]
fn percentiles_and_sums_of_recorded_buckets_are_of_one_moment() {
    for (expr, is_right) in [
        ("histogram_quantile(0.9, sum by (le) (pbx_queue_le:below:increase30m)) >= 0", true),
        ("histogram_quantile(0.9, pbx_queue_le:above:increase30m) >= 0", false),
        ("sum_over_time(pbx_queue:above:increase5m[30m] offset 90s) / 5", true),
        ("sum_over_time(pbx_queue:above:increase5m[30m]) / 5", false),
    ] {
        let text = format!(
            "groups: [{{name: one, rules: [{{record: 'pbx_queue_le:above:increase30m', expr: 'vector(1)'}}, \
             {{record: tested, expr: '{expr}'}}, {{record: 'pbx_queue_le:below:increase30m', expr: 'vector(1)'}}]}}]"
        );
        assert_eq!(faults(&text).is_empty(), is_right, "{expr}: {:?}", faults(&text));
    }
}

/// What each rule of a file calculates from several moments.
fn faults(text: &str) -> Vec<String> {
    let parsed: Value = serde_saphyr::from_str(text).expect("YAML");
    let mut found = Vec::new();

    for group in parsed["groups"].as_array().expect("groups") {
        let rules = group["rules"].as_array().expect("rules");
        for (number, rule) in rules.iter().enumerate() {
            let below: BTreeSet<_> =
                rules[number + 1..].iter().filter_map(|rule| rule["record"].as_str()).collect();
            let name = rule["record"].as_str().or(rule["alert"].as_str()).expect("a name");
            let expr = Expr::parse(rule["expr"].as_str().expect("expr"));
            found.extend(
                expr.all()
                    .into_iter()
                    .filter_map(|part| fault(part, &below).map(|fault| format!("{name}: {fault}"))),
            );
        }
    }

    found
}

fn fault(part: &Expr, below: &BTreeSet<&str>) -> Option<String> {
    match part {
        // Comparisons and `and` choose from numbers, they make none.
        Expr::Binary { operator, sides } if ARITHMETIC.contains(&operator.as_str()) => {
            let sides = sides.each_ref().map(|side| moments(side, below));
            let all: BTreeSet<_> = sides.iter().flatten().collect();
            let is_mixed = all.len() > 1 || all.iter().any(|it| matches!(it, Moment::Unknown(_)));
            let is_constant = sides.iter().any(BTreeSet::is_empty);
            (is_mixed && !is_constant).then(|| format!("{operator} of {all:?}"))
        }
        Expr::Call { function, arguments }
            if ["histogram_quantile", "sum_over_time"].contains(&function.as_str()) =>
        {
            let all: BTreeSet<_> = arguments.iter().flat_map(|it| moments(it, below)).collect();
            let is_unknown = all.iter().any(|it| matches!(it, Moment::Unknown(_)));
            is_unknown.then(|| format!("{function} of {all:?}"))
        }
        _ => None,
    }
}

fn moments(expr: &Expr, below: &BTreeSet<&str>) -> BTreeSet<Moment> {
    let selectors = expr.all().into_iter().filter_map(|part| match part {
        Expr::Selector { name, range, offset } => Some((name, range.clone(), offset.clone())),
        _ => None,
    });

    // Thresholds are constants, whenever they are read, and an average of half an hour is nearly the
    // one of a minute ago: a product with it is no ratio.
    let is_timeless = |name: &str| name.contains("threshold:") || name.contains(":mean_rate");
    let series = selectors.filter(|(name, ..)| !is_timeless(name));
    let moment = |(name, range, offset): (&String, String, String)| match () {
        () if !name.contains(':') => Moment::Scraped { range, offset },
        () if !range.is_empty() && !offset.is_empty() => Moment::Settled { range, offset },
        () if range.is_empty() && below.contains(name.as_str()) => Moment::EvaluationBefore,
        () => Moment::Unknown(name.clone()),
    };
    series.map(moment).collect()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root("alerts").join(file)).expect("a file of rules")
}

const FILES: [&str; 4] = ["rules.yml", "rules-native.yml", "thresholds.yml", "alerts.yml"];
const ARITHMETIC: [&str; 5] = ["+", "-", "*", "/", "%"];
