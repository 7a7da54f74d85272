//! No circles inside a module: of two files, at most one knows the other.
//!
//! The rule, the same in every folder (docs/design.md, "What each may know"): its files and
//! sub-folders are the nodes, and one knows another if any of its files names an item that is
//! defined there.  A sub-folder `x/` and a file `x.rs` beside it are one node.  The folder's own
//! file (`mod.rs`, or `x.rs` for `x/`) is no node: it puts the others together, and its types are
//! for all of them.  A name that it re-exports counts for the file that defines it, so a circle
//! cannot hide behind it.
//!
//! Calls of methods are not seen: they need no `use`.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{ModulePath, modules};

/// Circles that are left.  This list may only become shorter: a circle is known if all its files are
/// in one line.
const KNOWN: &[(&str, &[&str])] = &[];

/// A folder, a node in it and the node that it knows.
type Edges = BTreeMap<ModulePath, BTreeMap<String, BTreeSet<String>>>;

#[test]
fn files_of_a_module_know_each_other_in_one_direction_only() {
    let mut left = BTreeSet::new();
    for (folder, edges) in edges(&modules()) {
        let folder = folder.join("::");
        for circle in components(&edges) {
            let explained = format!("a circle in {folder}:\n{}", explained(&edges, &circle));
            println!("{explained}");
            let known = KNOWN.iter().position(|(place, files)| {
                *place == folder && circle.iter().all(|name| files.contains(&name.as_str()))
            });
            left.insert(known.expect(&explained));
        }
    }

    let gone: Vec<_> = (0..KNOWN.len()).filter(|line| !left.contains(line)).collect();
    assert!(gone.is_empty(), "no circle any more, take these lines out of KNOWN: {gone:?}");
}

#[test]
fn no_file_takes_all_names_of_its_folder() {
    for (module, code) in modules() {
        let globs = paths(&code).into_iter().filter(|path| path.ends_with(&["*".to_owned()]));
        for glob in globs {
            assert_ne!(glob[0], "super", "{}: a glob hides what is used", module.join("::"));
        }
    }
}

fn edges(modules: &BTreeMap<ModulePath, String>) -> Edges {
    let mut edges = Edges::new();
    for (from, code) in modules {
        for path in paths(code) {
            let Some(to) = home(modules, from, &path, 0) else { continue };
            let depth = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            // One is the face of a folder that the other is in.
            let (Some(user), Some(used)) = (from.get(depth), to.get(depth)) else { continue };
            let folder = edges.entry(from[..depth].to_vec()).or_default();
            folder.entry(user.clone()).or_default().insert(used.clone());
        }
    }
    edges
}

/// The module that defines what `path` names in the module `from`; `None` for other crates.
fn home(
    modules: &BTreeMap<ModulePath, String>,
    from: &[String],
    path: &[String],
    depth: usize,
) -> Option<ModulePath> {
    // Names that re-export each other in a ring would not compile.
    assert!(depth < 9, "{from:?} {path:?}");
    let mut at = match path.first()?.as_str() {
        "crate" => Vec::new(),
        "self" | "super" => from.to_vec(),
        name if modules.contains_key(&child(from, name)) => from.to_vec(),
        name => {
            let alias = aliases(&modules[from]).remove(name)?;
            return (alias[0] != path[0]).then(|| home(modules, from, &alias, depth + 1))?;
        }
    };

    for name in path.iter().filter(|name| !["crate", "self"].contains(&name.as_str())) {
        if name == "super" {
            at.pop();
        } else if modules.contains_key(&child(&at, name)) {
            at = child(&at, name);
        } else {
            return Some(item_home(modules, &at, name, depth).unwrap_or(at));
        }
    }
    Some(at)
}

/// Where an item comes from that a module re-exports by name or by a glob.
fn item_home(
    modules: &BTreeMap<ModulePath, String>,
    at: &[String],
    name: &str,
    depth: usize,
) -> Option<ModulePath> {
    let code = &modules[at];
    if let Some(alias) = aliases(code).get(name) {
        return home(modules, at, alias, depth + 1);
    }
    paths(code).iter().find_map(|path| {
        let (last, path) = path.split_last()?;
        let module = (last == "*").then(|| home(modules, at, path, depth + 1))??;
        let keywords = ["struct", "enum", "trait", "type", "fn", "const", "static"];
        let defines = keywords.iter().any(|kind| {
            let definition = format!("{kind} {name}");
            modules[&module].split(&definition).skip(1).any(|rest| !rest.starts_with(is_word))
        });
        defines.then_some(module)
    })
}

fn child(module: &[String], name: &str) -> ModulePath {
    [module, &[name.to_owned()]].concat()
}

/// What the `use` lines of a module call things, and where these are.
fn aliases(code: &str) -> BTreeMap<String, Vec<String>> {
    let named = uses(code).into_iter().filter_map(|path| {
        let mut path: Vec<String> = path.split("::").map(str::to_owned).collect();
        let last = path.pop()?;
        let (name, alias) = last.split_once(" as ").unwrap_or((&last, &last));
        let alias = if name == "self" { path.last()?.clone() } else { alias.to_owned() };
        if name != "self" {
            path.push(name.to_owned());
        }
        Some((alias, path))
    });
    named.collect()
}

/// All paths of our own that a module names: those of its `use` lines, and `super::…` and `crate::…`
/// in its code.
fn paths(code: &str) -> Vec<Vec<String>> {
    let inline = ["super::", "crate::"].iter().flat_map(|start| {
        code.match_indices(start).filter_map(|(at, _)| {
            let is_whole = !code[..at].ends_with(|c| is_word(c) || c == ':');
            let path: String = code[at..].chars().take_while(|&c| is_word(c) || c == ':').collect();
            is_whole.then(|| path.trim_end_matches(':').to_owned())
        })
    });
    let split = |path: String| {
        let path = path.split(" as ").next().unwrap_or_default().replace("::self", "");
        path.split("::").map(str::to_owned).collect()
    };
    uses(code).into_iter().chain(inline).map(split).collect()
}

/// The paths of all `use` lines, one by one.
fn uses(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let before = code[..at].trim_start_matches('\n').rsplit('\n').next().unwrap_or_default();
        let before = before.trim();
        if before.is_empty() || before == "pub" || before.starts_with("pub(") {
            let tree = code[at + "use ".len()..].split(';').next().unwrap_or_default();
            let tree = tree.split_whitespace().collect::<Vec<_>>().join(" ");
            expand("", &tree, &mut found);
        }
    }
    found
}

/// Takes a tree such as `a::{b, c::{self, d}}` apart.
fn expand(prefix: &str, tree: &str, found: &mut Vec<String>) {
    let Some((path, list)) = tree.split_once('{') else {
        found.push(format!("{prefix}{}", tree.trim()));
        return;
    };
    let prefix = format!("{prefix}{}", path.trim());
    let list = list.strip_suffix('}').expect("a list that ends");

    let mut depth = 0;
    let parts = list.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
        expand(&prefix, part, found);
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The circles: groups of nodes that all reach each other.
fn components(edges: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<BTreeSet<&String>> {
    let reached: BTreeMap<_, _> = edges.keys().map(|node| (node, reach(edges, node))).collect();
    let circles = reached.iter().filter(|(node, all)| all.contains(*node)).map(|(&node, all)| {
        all.iter().copied().filter(|&other| reached.get(other).is_some_and(|it| it.contains(node)))
    });
    circles.map(Iterator::collect).collect()
}

fn reach<'a>(
    edges: &'a BTreeMap<String, BTreeSet<String>>,
    from: &'a String,
) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        open.extend(edges.get(node).into_iter().flatten().filter(|&next| reached.insert(next)));
    }
    reached
}

fn explained(edges: &BTreeMap<String, BTreeSet<String>>, circle: &BTreeSet<&String>) -> String {
    let inside = |name: &String| {
        let used = edges[name].iter().filter(|it| circle.contains(it)).cloned();
        format!("  {name} -> {}\n", used.collect::<Vec<_>>().join(", "))
    };
    circle.iter().map(|name| inside(name)).collect()
}

/// The check itself, on sources of a few lines.
#[test]
fn a_circle_is_found_also_behind_a_re_export() {
    let sources = |files: &[(&str, &str)]| {
        let module = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let files = files.iter().map(|(path, code)| (module(path), (*code).to_owned()));
        edges(&files.collect())
    };
    let circles = |edges: &Edges| edges.values().map(|it| components(it).len()).sum::<usize>();

    let plain = sources(&[
        ("m", "mod a;\nmod b;\n"),
        ("m/a", "use super::b::{self, B};\n"),
        ("m/b", "fn f(a: crate::m::a::A) {}\n"),
    ]);
    assert_eq!(circles(&plain), 1);
    let hidden = sources(&[
        ("m", "mod a;\nmod b;\npub use a::{A as First};\npub use b::*;\n"),
        ("m/a", "use super::B;\n"),
        ("m/b", "use super::First;\npub struct B(First);\n"),
    ]);
    assert_eq!(circles(&hidden), 1);
    let nested = sources(&[
        ("m", "mod a;\nmod b;\n"),
        ("m/a", "mod part;\n"),
        ("m/a/part", "use super::super::b::B;\n"),
        ("m/b", "use super::a::A;\n"),
    ]);
    assert_eq!(circles(&nested), 1);
    let face = sources(&[
        ("m", "mod a;\nuse a::A;\npub struct Of(A);\n"),
        ("m/a", "use super::Of;\nuse std::fmt;\n"),
    ]);
    assert_eq!(circles(&face), 0);
}
