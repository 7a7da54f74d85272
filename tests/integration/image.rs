//! The image is built from the few files that `.dockerignore` lets through.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::root;

/// Cargo reads every package of the workspace before it builds one, and refuses if a declared target
/// is missing.
#[test]
fn every_file_that_cargo_reads_goes_to_the_builder() {
    let ignored = std::fs::read_to_string(root(".dockerignore")).expect("the list");
    let sent: Vec<_> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let metadata = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root(""))
        .output()
        .expect("cargo starts");
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("JSON");

    let packages = metadata["packages"].as_array().expect("packages");
    let targets = packages.iter().flat_map(|package| package["targets"].as_array()).flatten();
    // Cargo finds the exporter's own tests by itself, and misses none that is not there.
    let declared = targets.filter(|target| target["name"] != "integration");
    let manifests = packages.iter().map(|package| &package["manifest_path"]);
    let paths = manifests.chain(declared.map(|target| &target["src_path"]));

    let mut checked = 0;
    for path in paths {
        let path = Path::new(path.as_str().expect("a path"));
        let path = path.strip_prefix(root("")).expect("a file of the repository");
        let is_sent = sent.iter().any(|kept| path.starts_with(kept));
        assert!(is_sent, "{} is not in .dockerignore", path.display());
        checked += 1;
    }
    assert!(checked >= 10, "only {checked} files");
}
