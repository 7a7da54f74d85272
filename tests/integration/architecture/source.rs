//! The source files, as the checks read them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder of the sources.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All files below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a file: no comments, nothing after `#[cfg(test)] mod tests {`, and nothing of files
/// of tests.
pub(crate) fn code(path: &Path) -> String {
    if path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs") {
        return String::new();
    }
    let text = std::fs::read_to_string(path).expect("a source file");
    let lines: Vec<_> = text.lines().collect();
    let tests = lines
        .windows(2)
        .position(|two| two[0] == "#[cfg(test)]" && two[1].ends_with("mod tests {"));
    lines[..tests.unwrap_or(lines.len())]
        .iter()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Where a file is below the sources, with `/`.
pub(crate) fn place(path: &Path) -> String {
    path.strip_prefix(root()).expect("a path inside the sources").to_string_lossy().into_owned()
}

/// The path of a module, such as `["correlator", "stay"]`; the crate's own is empty.
pub(crate) type ModulePath = Vec<String>;

/// Each module with its code, but those of tests.  `main.rs` is another crate.
pub(crate) fn modules() -> BTreeMap<ModulePath, String> {
    let mut modules = BTreeMap::new();
    for path in files(&root()) {
        let place = place(&path);
        let mut module: ModulePath =
            place.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        match module.last().map(String::as_str) {
            Some("mod" | "lib") => drop(module.pop()),
            Some("main") if module.len() == 1 => continue,
            _ => {}
        }
        modules.insert(module, code(&path));
    }

    let tests: Vec<_> = modules
        .iter()
        .flat_map(|(module, code)| {
            let names = code.split("#[cfg(test)]\nmod ").skip(1);
            let names = names.filter_map(|rest| rest.split_once(';'));
            names.map(|(name, _)| [&module[..], &[name.to_owned()]].concat())
        })
        .collect();
    modules.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
    modules
}
