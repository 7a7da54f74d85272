//! Programs in Node.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What `node SCRIPT FOLDER` prints for this input, both as JSON.
pub fn run(script: &Path, folder: &Path, input: &Value) -> Vec<Value> {
    let mut node = Command::new("node")
        .args([script, folder])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts");
    let mut pipe = node.stdin.take().expect("a pipe");
    pipe.write_all(input.to_string().as_bytes()).expect("node reads");
    drop(pipe);

    let output = node.wait_with_output().expect("node ends");
    assert!(output.status.success(), "{}: {}", script.display(), output.status);
    serde_json::from_slice(&output.stdout).expect("JSON")
}
