//! The examples of each command, for `--help` and for the manual pages; a test parses each.

/// A line to try, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// What it does, in a few words.
    pub what: &'static str,
    /// What a shell is given.
    pub line: &'static str,
}

impl Example {
    /// The line as it is shown: a long one has each flag on a line of its own, so that it can be
    /// pasted from a narrow terminal.
    pub fn shown(&self) -> String {
        if self.line.len() <= WIDTH {
            return self.line.to_owned();
        }
        self.line.replace(" --", " \\\n    --")
    }
}

/// The examples of a command; those of the program itself have its name.
pub fn examples(command: &str) -> &'static [Example] {
    EXAMPLES.iter().find(|(name, _)| *name == command).map_or(&[], |(_, examples)| examples)
}

const fn example(what: &'static str, line: &'static str) -> Example {
    Example { what, line }
}

/// Two blanks are in front, in a terminal of 80.
const WIDTH: usize = 78;

const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "asterisk_exporter",
        &[
            example("Look at everything without a PBX", "asterisk_exporter demo"),
            example("Write all that your own PBX needs", "asterisk_exporter setup"),
            example(
                "Serve the metrics of your PBXs",
                "asterisk_exporter --config asterisk_exporter.yml",
            ),
        ],
    ),
    (
        "run",
        &[
            example(
                "Serve the metrics of the PBXs in a file",
                "asterisk_exporter run --config asterisk_exporter.yml",
            ),
            example(
                "Listen on this machine only, and log JSON",
                "asterisk_exporter run --config asterisk_exporter.yml \
                 --web.listen-address 127.0.0.1:15038 --log.format json",
            ),
        ],
    ),
    (
        "demo",
        &[
            example("A call centre that has been open for an hour", "asterisk_exporter demo"),
            example(
                "Other calls, ten times as fast",
                "asterisk_exporter demo --seed 7 --speed 10 --open-for 4h",
            ),
        ],
    ),
    (
        "record",
        &[
            example(
                "Ten minutes of the only PBX in the file",
                "asterisk_exporter record --config asterisk_exporter.yml --duration 10m \
                 --out calls.ami.gz",
            ),
            example(
                "One of several PBXs, until Ctrl-C",
                "asterisk_exporter record --config asterisk_exporter.yml --pbx hq --out hq.ami.gz",
            ),
        ],
    ),
    (
        "replay",
        &[
            example("The metrics after a capture", "asterisk_exporter replay calls.ami.gz"),
            example(
                "With the patterns of a configuration, for promtool",
                "asterisk_exporter replay --config asterisk_exporter.yml --format text \
                 calls.ami.gz | promtool check metrics",
            ),
        ],
    ),
    (
        "audit",
        &[
            example(
                "A running exporter, since its start",
                "asterisk_exporter audit --queue-log /var/log/asterisk/queue_log \
                 --metrics http://localhost:15038/metrics",
            ),
            example(
                "A capture, call by call",
                "asterisk_exporter audit --queue-log queue_log.1.gz queue_log \
                 --capture calls.ami.gz",
            ),
            example(
                "Part of a day, as JSON",
                "asterisk_exporter audit --queue-log queue_log --capture calls.ami.gz \
                 --since '2026-11-24 09:00' --until '2026-11-24 17:00' --json",
            ),
        ],
    ),
    (
        "backfill",
        &[
            example(
                "All that is there, up to the start of the exporter",
                "asterisk_exporter backfill --config asterisk_exporter.yml --out history \
                 --to '2026-11-24 10:00:07' --queue-log /var/log/asterisk/queue_log \
                 /var/log/asterisk/queue_log.1.gz",
            ),
            example(
                "One month, by agent, as Prometheus names the target",
                "asterisk_exporter backfill --pbx hq --queue-log queue_log --agents \
                 --from 2026-10-01T00:00:00Z --to 2026-11-01T00:00:00Z --job asterisk \
                 --instance 10.0.0.5:15038 --out october",
            ),
        ],
    ),
    (
        "check-config",
        &[example(
            "Before a reload",
            "asterisk_exporter check-config --config asterisk_exporter.yml",
        )],
    ),
    (
        "print-config",
        &[
            example(
                "File, environment and defaults together",
                "asterisk_exporter print-config --config asterisk_exporter.yml",
            ),
            example(
                "With another address to listen on",
                "asterisk_exporter print-config --config asterisk_exporter.yml \
                 --web.listen-address :9000",
            ),
        ],
    ),
    (
        "config-schema",
        &[example(
            "For an editor, beside the configuration",
            "asterisk_exporter config-schema > asterisk_exporter.schema.json",
        )],
    ),
    (
        "setup",
        &[
            example("With questions", "asterisk_exporter setup"),
            example(
                "Without, for a PBX on another machine",
                "asterisk_exporter setup --defaults --asterisk 22.1 --name hq --address 10.0.0.5 \
                 --permit 10.0.0.9",
            ),
        ],
    ),
    (
        "doctor",
        &[
            example(
                "All PBXs of a configuration",
                "asterisk_exporter doctor --config asterisk_exporter.yml",
            ),
            example(
                "One of them, watched while calls come in",
                "asterisk_exporter doctor --config asterisk_exporter.yml --pbx hq --watch 60s",
            ),
        ],
    ),
    (
        "health",
        &[
            example("Whether the exporter works", "asterisk_exporter health"),
            example("Whether it is connected to every PBX", "asterisk_exporter health --ready"),
        ],
    ),
    (
        "manager-conf",
        &[
            example(
                "For a PBX on this machine",
                "asterisk_exporter manager-conf --asterisk 20.11 \
                 >> /etc/asterisk/manager.conf",
            ),
            example(
                "For an exporter in another network, over TLS",
                "asterisk_exporter manager-conf --asterisk 22.1 --permit 10.0.0.0/255.255.255.0 \
                 --tls",
            ),
        ],
    ),
    (
        "man",
        &[
            example("Read the page of a command", "asterisk_exporter man audit | man -l -"),
            example("Install all pages", "asterisk_exporter man --out /usr/local/share/man/man1"),
        ],
    ),
    (
        "completions",
        &[
            example(
                "For bash",
                "asterisk_exporter completions bash > /etc/bash_completion.d/asterisk_exporter",
            ),
            example("For zsh", "asterisk_exporter completions zsh > ~/.zfunc/_asterisk_exporter"),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::{Cli, command};
    use super::*;

    /// As a shell does it, up to a pipe or a file.
    fn words(line: &str) -> Vec<String> {
        let quoted = line.split('\'').enumerate();
        let words = quoted.flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        let words = words.filter(|word| word != "\\");
        words.take_while(|word| !["|", ">", ">>"].contains(&word.as_str())).collect()
    }

    #[test]
    fn every_command_has_examples_and_each_is_parsed() {
        let program = command();
        let commands: Vec<_> = program.get_subcommands().collect();
        for command in commands.iter().copied().chain([&program]) {
            let examples = examples(command.get_name());
            assert!((1..=3).contains(&examples.len()), "{}", command.get_name());

            for example in examples {
                let line = example.shown();
                assert!(!example.what.ends_with('.'), "{}", example.what);
                assert!(line.lines().all(|line| line.len() <= WIDTH), "{line}");
                let words = words(&line);
                assert_eq!(words[0], "asterisk_exporter");
                if command.get_name() != words[0] {
                    assert_eq!(words[1], command.get_name(), "{line}");
                }
                Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
        }
        assert_eq!(EXAMPLES.len(), commands.len() + 1, "a command of the examples is gone");
    }

    #[test]
    fn words_are_those_of_a_shell() {
        assert_eq!(words("a \\\n    --since '1 2' b | c"), ["a", "--since", "1 2", "b"]);
    }
}
