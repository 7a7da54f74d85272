//! What `--help` shows: the commands in groups, in the order in which a person needs them, and
//! examples.

use std::fmt::Write as _;

use clap::Command;

use super::examples::examples;
use crate::build_info::HOMEPAGE;

/// Adds the examples of each command to its long help.
pub(super) fn with_examples(command: Command) -> Command {
    let text = examples_text(&command);
    let command = command.after_long_help(text);
    command.mut_subcommands(with_examples)
}

/// The same command line with a help that has the commands in groups, which clap cannot do: its own
/// list of them is left out.
pub(super) fn with_groups(command: Command) -> Command {
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{{all-args}}{{after-help}}",
        groups_text(&command)
    );
    command
        .help_template(template)
        .override_usage(USAGE)
        .mut_subcommands(|command| command.hide(true))
}

fn groups_text(command: &Command) -> String {
    let header = command.get_styles().get_header();
    let literal = command.get_styles().get_literal();
    let width = GROUPS.iter().flat_map(|(_, names)| *names).map(|name| name.len()).max();
    let width = width.unwrap_or_default();

    let mut text = String::new();
    for (group, names) in GROUPS {
        let _ = writeln!(text, "{header}{group}:{header:#}");
        for name in *names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {literal}{name:width$}{literal:#}  {about}");
        }
        text.push('\n');
    }
    text
}

fn examples_text(command: &Command) -> String {
    let header = command.get_styles().get_header();
    let mut text = format!("{header}Examples:{header:#}");
    for example in examples(command.get_name()) {
        let line = example.shown().replace('\n', "\n  ");
        let _ = write!(text, "\n  # {}\n  {line}\n", example.what);
    }
    format!("{}{}", text.trim_end(), documentation(HOMEPAGE))
}

fn documentation(homepage: Option<&str>) -> String {
    homepage.map(|address| format!("\n\nDocumentation: {address}")).unwrap_or_default()
}

const USAGE: &str = "asterisk_exporter [OPTIONS]\n       asterisk_exporter <COMMAND> [OPTIONS]";

/// Every command once.
const GROUPS: &[(&str, &[&str])] = &[
    ("Try it", &["demo"]),
    (
        "Set it up",
        &["setup", "doctor", "manager-conf", "check-config", "print-config", "config-schema"],
    ),
    ("Run it", &["run", "health"]),
    ("Check the numbers", &["audit", "record", "replay"]),
    ("Fill in the past", &["backfill"]),
    ("Install it", &["man", "completions"]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::command;
    use super::*;

    #[test]
    fn every_command_is_in_one_group_with_a_line_that_fits_a_terminal() {
        let program = command();
        let commands: BTreeSet<_> = program.get_subcommands().map(Command::get_name).collect();
        let grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        assert_eq!(grouped.iter().copied().collect::<BTreeSet<_>>(), commands);
        assert_eq!(grouped.len(), commands.len(), "a command is in two groups");

        for command in program.get_subcommands() {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!((1..=62).contains(&about.chars().count()), "{}: {about}", command.get_name());
        }
    }

    #[test]
    fn the_help_has_the_commands_once_and_the_flags_by_subject() {
        let mut program = with_groups(command());
        let long = program.render_long_help().to_string();
        let headings = long.lines().filter(|line| line.ends_with(':') && !line.starts_with(' '));
        assert_eq!(
            headings.collect::<Vec<_>>(),
            [
                "Try it:",
                "Set it up:",
                "Run it:",
                "Check the numbers:",
                "Fill in the past:",
                "Install it:",
                "Options:",
                "Web:",
                "Log:",
                "Examples:"
            ]
        );
        assert_eq!(long.lines().filter(|line| line.starts_with("  demo ")).count(), 1);

        assert_eq!(documentation(None), "");
        assert_eq!(documentation(Some("https://a.test")), "\n\nDocumentation: https://a.test");
        let short = program.render_help().to_string();
        assert!(!short.contains("Examples:") && short.contains("asterisk_exporter COMMAND --help"));
    }
}
