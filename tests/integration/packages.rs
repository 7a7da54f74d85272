//! What the packages have: their unit, made of contrib's, and all files that belong to them.

use std::path::Path;
use std::process::Command;

use asterisk_exporter::setup::NAMES;
use support::program::command;
use support::{Folder, root};

#[test]
fn the_unit_of_a_package_differs_from_contribs_in_what_a_package_brings() {
    let output = Command::new("sed")
        .arg("-f")
        .args([root("packaging/unit.sed"), root("contrib/asterisk_exporter.service")])
        .output()
        .expect("sed starts");
    let made = String::from_utf8(output.stdout).expect("a unit");
    let contrib = read(&root("contrib/asterisk_exporter.service"));

    let only_in = |one: &str, other: &str| -> Vec<String> {
        one.lines().filter(|line| !other.lines().any(|l| l == *line)).map(str::to_owned).collect()
    };
    let settings = |lines: Vec<String>| -> Vec<String> {
        lines.into_iter().filter(|line| !line.starts_with('#')).collect()
    };
    let command = "asterisk_exporter --config.file=/etc/asterisk_exporter/config.yml";
    assert_eq!(
        settings(only_in(&made, &contrib)),
        [
            "Documentation=man:asterisk_exporter(1)",
            "ConditionPathExists=/etc/asterisk_exporter/config.yml",
            &format!("ExecStart=/usr/bin/{command}"),
            "User=asterisk_exporter",
        ]
    );
    assert_eq!(settings(only_in(&contrib, &made)), [format!("ExecStart=/usr/local/bin/{command}")]);
    // The first line says how contrib's is installed by hand.
    assert_eq!(only_in(&contrib, &made).len(), 2);
}

#[test]
fn the_packages_have_the_program_and_all_that_belongs_to_it() {
    let folder = Folder::new("packages");
    let staged = folder.path("root");
    let made = Command::new(root("packaging/stage"))
        .arg(command(&[]).get_program())
        .arg(&staged)
        .output()
        .expect("the script starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    // Where the system looks for them.
    for name in [
        "bin/asterisk_exporter",
        "lib/systemd/system/asterisk_exporter.service",
        "lib/systemd/system/asterisk_exporter.socket",
        "lib/sysusers.d/asterisk_exporter.conf",
        "share/bash-completion/completions/asterisk_exporter",
        "share/fish/vendor_completions.d/asterisk_exporter.fish",
        "share/lintian/overrides/asterisk-exporter",
        "share/man/man1/asterisk_exporter.1",
        "share/man/man1/asterisk_exporter-doctor.1",
        "share/zsh/vendor-completions/_asterisk_exporter",
    ] {
        assert!(size(&staged.join("usr").join(name)) > 0, "{name}");
    }

    // Each as it is here.
    let (share, doc) = ("usr/share/asterisk_exporter", "usr/share/doc/asterisk-exporter");
    let mut count = 0;
    for (from, to, ending) in [
        ("alerts", format!("{share}/alerts"), "yml"),
        ("dashboards", format!("{share}/dashboards"), "json"),
        ("dashboards/provisioning", format!("{share}/dashboards/provisioning"), "yml"),
        ("contrib/prometheus", format!("{share}/prometheus"), "yml"),
        ("contrib/zabbix", format!("{share}/zabbix"), "yaml"),
        ("docs", format!("{doc}/docs"), "md"),
        ("alerts", format!("{doc}/alerts"), "md"),
        ("docs/recipes", format!("{doc}/docs/recipes"), "md"),
        ("", doc.to_owned(), "md"),
    ] {
        for name in names(&root(from), ending).filter(|name| !ELSEWHERE.contains(&name.as_str())) {
            let staged = staged.join(&to).join(&name);
            assert_eq!(read(&staged), read(&root(from).join(&name)), "{}", staged.display());
            count += 1;
        }
    }
    assert!(count > 30, "only {count} files");
    let example = staged.join(share).join("config.example.yml");
    assert_eq!(read(&example), read(&root("asterisk_exporter.example.yml")));
    // The example names it in its first line.
    let schema = staged.join(share).join("asterisk_exporter.schema.json");
    assert_eq!(read(&schema), read(&root("asterisk_exporter.schema.json")));
}

#[test]
fn a_purge_removes_what_setup_writes() {
    let script = read(&root("packaging/deb/postrm"));
    let line = script.lines().find_map(|line| line.trim().strip_prefix("for name in "));
    let names = line.and_then(|line| line.strip_suffix("; do")).expect("a loop");
    let (mut removed, mut written): (Vec<_>, Vec<_>) = (names.split(' ').collect(), NAMES.to_vec());
    removed.sort_unstable();
    written.sort_unstable();
    assert_eq!(removed, written);
}

/// For developers, and Debian has another name for it.
const ELSEWHERE: [&str; 2] = ["CONTRIBUTING.md", "CHANGELOG.md"];

fn names(folder: &Path, ending: &str) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let names =
        entries.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned());
    let ending = format!(".{ending}");
    names.filter(move |name| name.ends_with(&ending))
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |about| about.len())
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
