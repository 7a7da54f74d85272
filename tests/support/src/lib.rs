//! What the tests of all packages share: the exporter as a process, plain HTTP, certificates, the tools
//! of this machine, and where files are.

pub mod certificates;
mod numbers;
pub mod program;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

pub use numbers::Numbers;

/// A file of the repository; its top for an empty path.
pub fn root(path: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this package is two folders deep").join(path)
}

/// A file or folder of `fixtures/`.
pub fn fixture(name: &str) -> PathBuf {
    root("fixtures").join(name)
}

/// A folder for what tests write, which goes with the target folder.
pub fn scratch() -> PathBuf {
    let folder = output().with_file_name("tmp");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A folder of one test, which goes with it.
pub struct Folder(PathBuf);

impl Folder {
    /// A new one.
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = scratch().join(format!("{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file in it, for nobody else to read, in place of the one before.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let (path, new) = (self.path(name), self.path(&format!("{name}.new")));
        std::fs::write(&new, text).expect("a file");
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&new, mode).expect("its mode");
        std::fs::rename(&new, &path).expect("a name");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where Cargo put what this test is a part of: `target/debug` or the like.
fn output() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this program");
    // Tests are in `deps`, programs above it.
    let folder = test.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    folder.expect("a folder").to_owned()
}
