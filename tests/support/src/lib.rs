//! What the tests of all packages share: the exporter as a process, plain HTTP, the tools of this
//! machine, and where files are.

mod numbers;
pub mod program;

use std::path::{Path, PathBuf};

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

/// Where Cargo put what this test is a part of: `target/debug` or the like.
fn output() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this program");
    // Tests are in `deps`, programs above it.
    let folder = test.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    folder.expect("a folder").to_owned()
}
