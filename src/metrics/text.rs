//! The classic text format 0.0.4, made from our OpenMetrics text: some scrapers, and `promtool`,
//! read nothing else.
//!
//! Both differ in few lines: the classic format puts HELP and TYPE of a counter on the name with
//! `_total`, and has neither units, exemplars nor an end.  Samples are taken over letter by letter,
//! so `le="1.0"` is spelled alike.

/// Turns what the OpenMetrics encoder wrote into the classic format.
pub(super) fn classic(open_metrics: &str) -> String {
    let mut classic = String::with_capacity(open_metrics.len());
    // HELP comes before TYPE, which tells under which name it stands.
    let mut help = None;
    for line in open_metrics.split_terminator('\n') {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').map(|(_, text)| text);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            put_type(&mut classic, rest, help.take());
        } else if !line.starts_with('#') && !line.is_empty() {
            put_line(&mut classic, &["", without_exemplar(line)]);
        }
    }
    classic
}

fn put_type(classic: &mut String, rest: &str, help: Option<&str>) {
    let Some((name, kind)) = rest.split_once(' ') else { return };
    let (suffix, kind) = match kind {
        "counter" => ("_total", "counter"),
        "info" => ("_info", "gauge"),
        "unknown" => ("", "untyped"),
        other => ("", other),
    };
    if let Some(help) = help {
        put_line(classic, &["# HELP ", name, suffix, " ", help]);
    }
    put_line(classic, &["# TYPE ", name, suffix, " ", kind]);
}

fn put_line(classic: &mut String, parts: &[&str]) {
    for part in parts {
        classic.push_str(part);
    }
    classic.push('\n');
}

/// The sample up to its exemplar.  Only what comes after the labels can be one: a label value may
/// look like it.
fn without_exemplar(line: &str) -> &str {
    let labels_end = labels_end(line);
    match line[labels_end..].find(" # {") {
        Some(at) => &line[..labels_end + at],
        None => line,
    }
}

/// Where the labels of a sample end; its name's end, so zero, if it has none.
fn labels_end(line: &str) -> usize {
    let Some(start) = line.find(['{', ' ']).filter(|at| line.as_bytes()[*at] == b'{') else {
        return 0;
    };
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in line.bytes().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'}' if !quoted => return at + 1,
            _ => {}
        }
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_and_type_of_a_counter_stand_on_the_name_with_total() {
        let text = "# HELP calls Calls.\n# TYPE calls counter\ncalls_total{a=\"b\"} 3\n# EOF\n";
        let expected =
            "# HELP calls_total Calls.\n# TYPE calls_total counter\ncalls_total{a=\"b\"} 3\n";
        assert_eq!(classic(text), expected);
    }

    #[test]
    fn units_are_dropped_and_bounds_are_spelled_alike() {
        let text = "# HELP hold_seconds Hold.\n# TYPE hold_seconds histogram\n# UNIT hold_seconds seconds\n\
                    hold_seconds_bucket{le=\"1.0\"} 1\nhold_seconds_bucket{le=\"+Inf\"} 2\n# EOF\n";
        let expected = "# HELP hold_seconds Hold.\n# TYPE hold_seconds histogram\n\
                        hold_seconds_bucket{le=\"1.0\"} 1\nhold_seconds_bucket{le=\"+Inf\"} 2\n";
        assert_eq!(classic(text), expected);
    }

    #[test]
    fn an_info_is_a_gauge() {
        let text = "# HELP build Build.\n# TYPE build info\nbuild_info{version=\"1\"} 1\n# EOF\n";
        assert_eq!(
            classic(text),
            "# HELP build_info Build.\n# TYPE build_info gauge\nbuild_info{version=\"1\"} 1\n"
        );
    }

    #[test]
    fn an_exemplar_is_cut_off() {
        assert_eq!(
            without_exemplar(r#"x_bucket{le="1.0"} 3 # {linkedid="1.2"} 0.5 1700000000.0"#),
            r#"x_bucket{le="1.0"} 3"#
        );
        assert_eq!(without_exemplar(r#"x_total 3 # {linkedid="} {"} 0.5"#), "x_total 3");
        assert_eq!(without_exemplar(r#"x_total{a="b"} 3"#), r#"x_total{a="b"} 3"#);
    }

    #[test]
    fn a_label_value_that_looks_like_an_exemplar_is_none() {
        for value in [
            r"} 1 # {",
            r#"\" # {\"} 2 # {"#,
            r"\\",
            r#"\\\"} 1 # {a=\""#,
            "# EOF",
            r"\n# TYPE x counter",
        ] {
            let line = format!("x_total{{queue=\"{value}\"}} 1");
            assert_eq!(without_exemplar(&line), line);
            assert_eq!(without_exemplar(&format!("{line} # {{id=\"}} # {{\"}} 1.0")), line);
        }
    }

    #[test]
    fn text_that_is_cut_short_is_no_reason_to_panic() {
        for text in ["", "# TYPE", "# TYPE x", "# HELP x", "x{", "x{a=\"", "x{a=\"\\", "\n\n"] {
            classic(text);
        }
    }
}
