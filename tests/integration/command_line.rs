//! What the command line tells of itself: manual pages and completions.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use asterisk_exporter::cli;
use support::Folder;
use support::program::{run, tool};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The commands that a person sees.
fn commands() -> Vec<String> {
    let program = cli::command();
    let shown = program.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(|command| command.get_name().to_owned()).collect()
}

#[test]
fn there_is_a_manual_page_of_the_program_and_of_each_command() {
    let folder = Folder::new("man");
    let pages = folder.path("not/there/yet");
    let written = run(&["man", "--out", pages.to_str().expect("a plain path")]);
    assert!(written.status.success() && written.stdout.is_empty(), "{written:?}");

    let found: BTreeSet<_> = std::fs::read_dir(&pages)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
        .collect();
    let mut named: BTreeSet<_> =
        commands().iter().map(|command| format!("asterisk_exporter-{command}.1")).collect();
    named.insert("asterisk_exporter.1".to_owned());
    assert_eq!(found, named);

    // One page alone is the same.
    let read = |name: &str| std::fs::read_to_string(pages.join(name)).expect("a page");
    assert_eq!(text(&run(&["man"]).stdout), read("asterisk_exporter.1"));
    assert_eq!(text(&run(&["man", "audit"]).stdout), read("asterisk_exporter-audit.1"));
    let unknown = run(&["man", "adit"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert_eq!(
        text(&unknown.stderr),
        "asterisk_exporter: adit is not a command of asterisk_exporter\n"
    );
}

#[test]
fn manual_pages_are_rendered_without_a_warning() {
    let Some(groff) = tool("groff") else { return };
    for command in [None].into_iter().chain(commands().into_iter().map(Some)) {
        let arguments: Vec<_> = ["man"].into_iter().chain(command.as_deref()).collect();
        let page = run(&arguments).stdout;
        let mut rendering = Command::new(&groff)
            .args(["-k", "-man", "-ww", "-Tutf8", "-P-cbou"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("groff starts");
        rendering.stdin.take().expect("a pipe").write_all(&page).expect("a page");

        let rendered = rendering.wait_with_output().expect("an end");
        assert_eq!(text(&rendered.stderr), "", "{command:?}");
        let shown = text(&rendered.stdout);
        assert!(shown.contains("NAME") && shown.contains("SYNOPSIS"), "{shown}");
    }
}

/// What bash offers for the last word, with the completions of the program.
fn offered_by_bash(folder: &Folder, words: &[&str]) -> Vec<String> {
    let script = run(&["completions", "bash"]);
    assert!(script.status.success());
    let script = folder.write("completions.bash", &text(&script.stdout));

    let asked = r#"
        source "$0"
        function=$(complete -p asterisk_exporter)
        function=${function#*-F }
        COMP_WORDS=(asterisk_exporter "$@")
        COMP_CWORD=$#
        "${function%% *}" asterisk_exporter "${@: -1}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", asked]).arg(&script).args(words);
    let answer = bash.output().expect("bash starts");
    assert!(answer.status.success() && answer.stderr.is_empty(), "{}", text(&answer.stderr));
    text(&answer.stdout).split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_values() {
    let folder = Folder::new("completions");
    for (words, offered) in [
        (&["rep"][..], &["replay"][..]),
        (&["man"], &["manager-conf", "man"]),
        (&["--web.l"], &["--web.listen-address"]),
        (&["audit", "--s"], &["--since"]),
        (&["run", "--log.format", ""], &["logfmt", "json"]),
        (&["completions", "z"], &["zsh"]),
    ] {
        assert_eq!(offered_by_bash(&folder, words), offered, "{words:?}");
    }
}

#[test]
fn the_completions_of_every_shell_have_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = text(&run(&["completions", shell]).stdout);
        for command in commands() {
            assert!(script.contains(&command), "{command} is not in that of {shell}");
        }
    }
}
