//! The house's arrows: each module may use those to its left, and no arrow points back
//! (docs/design.md).

mod circles;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use source::{code, files, place, root};

/// Module, and what its `use crate::` lines may name: modules above it.  `main.rs` and `app` put
/// the parts together.
const MAY_USE: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("pbx", &[]),
    ("version", &[]),
    ("error", &[]),
    ("calendar", &["clock"]),
    ("progress", &[]),
    ("build_info", &["calendar"]),
    ("tls", &["clock", "calendar"]),
    ("ami", &["tls", "clock"]),
    ("event", &["ami", "clock"]),
    ("correlator", &["event", "version", "clock"]),
    ("metrics", &["correlator", "build_info", "clock", "pbx"]),
    ("health", &["correlator", "clock", "pbx"]),
    ("config", &["correlator", "metrics", "tls", "pbx"]),
    (
        "http",
        &[
            "metrics",
            "correlator",
            "health",
            "config",
            "error",
            "build_info",
            "clock",
            "calendar",
            "pbx",
        ],
    ),
    ("queue_log", &["progress", "clock", "calendar"]),
    ("intake", &["ami", "event", "correlator", "metrics", "version", "clock", "pbx"]),
    (
        "supervisor",
        &[
            "intake",
            "ami",
            "event",
            "correlator",
            "metrics",
            "config",
            "health",
            "tls",
            "queue_log",
            "version",
            "error",
            "clock",
            "pbx",
        ],
    ),
    ("doctor", &["ami", "event", "correlator", "metrics", "health", "version", "clock", "pbx"]),
    ("record", &["progress", "ami", "event", "correlator", "clock"]),
    (
        "replay",
        &["progress", "intake", "ami", "event", "correlator", "metrics", "version", "clock", "pbx"],
    ),
    (
        "audit",
        &["queue_log", "replay", "correlator", "metrics", "error", "clock", "calendar", "pbx"],
    ),
    ("backfill", &["audit", "queue_log", "correlator", "metrics", "clock", "calendar", "pbx"]),
    ("demo", &["clock"]),
    ("manager_conf", &["version"]),
    ("setup", &["config", "doctor", "manager_conf", "version"]),
    ("cli", &["metrics", "config", "version", "build_info", "clock", "calendar"]),
];

/// Words that must not be in the code of a place.
const NEVER: &[(&str, &[&str])] = &[
    (
        "correlator",
        &["tokio", "prometheus_client", "std::net", "std::io", "tracing", "SystemTime", "Instant"],
    ),
    ("event", &["tokio", "prometheus_client", "std::net", "std::io", "tracing"]),
    ("ami/frame", &["tokio", "std::net", "std::io", "tracing"]),
    ("ami/action.rs", &["tokio", "std::net", "std::io", "tracing"]),
    ("metrics", &["tokio", "crate::ami", "tracing"]),
];

fn module(path: &Path) -> String {
    place(path).split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned()
}

/// Modules that a file names as `crate::…`.
fn used(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for piece in code.split("crate::").skip(1) {
        let names = match piece.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default().split(',').collect(),
            None => vec![piece],
        };
        for name in names {
            let word: String =
                name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push(word);
        }
    }
    found
}

/// The table of docs/design.md, in which people read what [`MAY_USE`] says.
#[test]
fn the_table_of_the_design_has_the_same_arrows() {
    let text = std::fs::read_to_string(root().join("../docs/design.md")).expect("docs/design.md");
    let (_, table) = text.split_once("| modules it uses |\n").expect("the table");
    let (table, _) = table.split_once("\n\n").expect("its end");

    let mut documented = BTreeMap::new();
    for row in table.lines().skip(1) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let words = cells[2].split(", ").map(|word| word.split(" (").next().unwrap_or_default());
        let uses: BTreeSet<_> =
            words.filter(|word| *word != "nothing" && !word.ends_with(')')).collect();
        documented.insert(cells[0], uses);
    }

    assert_eq!(documented.remove("app"), Some(BTreeSet::from(["all"])));
    let checked = MAY_USE.iter().map(|(module, uses)| (*module, uses.iter().copied().collect()));
    assert_eq!(documented, checked.collect::<BTreeMap<_, BTreeSet<_>>>());
}

#[test]
fn no_arrow_points_back() {
    for (row, (module, used)) in MAY_USE.iter().enumerate() {
        let mut above = MAY_USE[..row].iter().map(|(name, _)| name);
        let missing = used.iter().find(|name| !above.clone().any(|it| it == *name));
        assert_eq!(missing, None, "{module} uses a module that is not above it");
        assert!(above.all(|name| name != module), "{module} has two rows");
    }

    let allowed: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let mut modules = std::collections::BTreeSet::new();
    for path in files(&root()) {
        let module = module(&path);
        if ["main", "lib", "app"].contains(&module.as_str()) {
            continue;
        }
        let may =
            allowed.get(module.as_str()).unwrap_or_else(|| panic!("{module} is not in the table"));
        for name in used(&code(&path)) {
            assert!(
                name == module || may.contains(&name.as_str()),
                "{} uses crate::{name}",
                path.display()
            );
        }
        modules.insert(module);
    }
    assert_eq!(modules.len(), MAY_USE.len(), "a module of the table is gone");
}

#[test]
fn the_core_has_never_heard_of_io() {
    for (place, words) in NEVER {
        let path = root().join(place);
        let files = if path.is_dir() { files(&path) } else { vec![path] };
        assert!(!files.is_empty());
        for path in files {
            let code = code(&path);
            for word in *words {
                assert!(!code.contains(word), "{} says {word}", path.display());
            }
        }
    }
}

#[test]
fn only_the_connection_owns_a_socket_of_the_pbx() {
    for path in files(&root()) {
        let place = place(&path);
        let owns = code(&path).contains("TcpStream");
        let may = place == "ami/connection.rs"
            || place.starts_with("http/")
            || place == "app/fetch.rs"
            || place.starts_with("demo/");
        assert!(!owns || may, "{place} holds a TcpStream");
    }
}

#[test]
fn no_action_that_could_change_a_pbx_can_be_built() {
    let code = code(&root().join("ami/action.rs"));
    let names = code
        .split_once("const fn name")
        .and_then(|(_, rest)| rest.split_once("const fn headers"))
        .expect("the names")
        .0;
    let mut actions: Vec<_> = names.split('"').skip(1).step_by(2).collect();
    actions.sort_unstable();
    assert_eq!(
        actions,
        [
            "Challenge",
            "CoreSettings",
            "CoreShowChannels",
            "DeviceStateList",
            "Events",
            "ExtensionStateList",
            "Login",
            "Logoff",
            "PJSIPShowRegistrationsOutbound",
            "Ping",
            "QueueStatus",
            "SIPpeers",
            "SIPshowregistry"
        ]
    );
}
