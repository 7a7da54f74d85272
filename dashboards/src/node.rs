//! Programs in Node.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Whether there is a Node that can load Grafana's packages, which are modules of ECMAScript in part;
/// says so if not.
pub fn is_new_enough() -> bool {
    let printed = Command::new("node").arg("--version").output();
    let printed = printed.map(|done| String::from_utf8_lossy(&done.stdout).trim().to_owned());
    let version = printed.unwrap_or_default();
    let mut numbers = version.trim_start_matches('v').split('.').map(|number| number.parse().ok());
    let version: [Option<u32>; 2] = std::array::from_fn(|_| numbers.next().flatten());
    let loads =
        matches!(version, [Some(20), Some(19..)] | [Some(22), Some(12..)] | [Some(23..), _]);
    if !loads {
        println!(
            "skipped: what Grafana's own code shows, since it needs Node 20.19, 22.12 or newer"
        );
    }
    loads
}

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
