//! Packages from npm, which come when a test runs; nothing of them is kept in this repository.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use support::root;

/// Whether the files of this package are in the folder, without the packages that it needs: of some
/// they are a hundred times as large.
pub fn unpacked(folder: &Path, package: &str, version: &str) -> bool {
    let place = folder.join("node_modules").join(package);
    if place.join("package.json").exists() {
        return true;
    }
    let packed = Command::new("npm")
        .args(["pack", "--silent", "--fetch-retries=1", "--fetch-timeout=30000"])
        .arg(format!("{package}@{version}"))
        .current_dir(folder)
        .output();
    let Some(packed) = packed.ok().filter(|packed| packed.status.success()) else {
        println!("skipped: {package}, since npm is not installed or does not reach its registry");
        return false;
    };

    std::fs::create_dir_all(&place).expect("a folder");
    let archive = String::from_utf8_lossy(&packed.stdout).trim().to_owned();
    let tar = Command::new("tar")
        .args(["--extract", "--gzip", "--strip-components=1", "--file"])
        .arg(folder.join(archive))
        .arg("--directory")
        .arg(&place)
        .status();
    assert!(tar.is_ok_and(|status| status.success()), "{package} is unpacked");
    true
}

/// A folder with these packages, of which these files are needed; `None` if they cannot be had.
pub fn installed(name: &str, packages: &[&str], needed: &[&str]) -> Option<PathBuf> {
    // Several tests may be the first at once, and npm must not install into one folder twice.
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = root("target/tools").join(name);

    if !needed.iter().all(|file| folder.join("node_modules").join(file).exists()) {
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("package.json"), "{\"private\": true}\n").expect("a file");
        let install = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"];
        // Peers are what draws in a browser. A registry that does not answer must not hold up the
        // tests.
        let more = ["--legacy-peer-deps", "--fetch-retries=1", "--fetch-timeout=30000"];
        let done = Command::new("npm")
            .args(install)
            .args(more)
            .args(packages)
            .current_dir(&folder)
            .output();
        if !done.is_ok_and(|done| done.status.success()) {
            println!("skipped: {name}, since npm is not installed or does not reach its registry");
            return None;
        }
    }

    Some(folder)
}
