//! Instructions, counted by callgrind where valgrind is installed.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::process::Command;

use super::stream::{Shape, write};
use super::{Context, Failure};

/// Instructions an event that `replay` takes, without what it takes before the first and behind
/// the last; `None` without valgrind.
pub(crate) fn instructions(context: &Context, shape: &Shape) -> Result<Option<f64>, Failure> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Ok(None);
    }
    // The difference of two lengths, when nearly all series have begun: both print the same.
    let [short, long] = [shape.bytes / 3 * 2, shape.bytes].map(|bytes| -> Result<_, Failure> {
        let scratch = Scratch::new(&format!("{bytes}.ami"));
        let mut file = BufWriter::new(File::create(&scratch.0)?);
        let sent = write(&Shape { bytes, ..*shape }, &mut file)?;
        file.flush()?;
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        command.arg(&context.exporter).arg("replay").arg(&scratch.0);
        let log = String::from_utf8_lossy(&command.output()?.stderr).into_owned();
        let counted = log.lines().find_map(|line| line.split_once("Collected : "));
        let counted: f64 = counted.ok_or("callgrind counted nothing")?.1.trim().parse()?;
        Ok((counted, sent.events as f64))
    });
    let ((few, short), (many, long)) = (short?, long?);
    Ok(Some((many - few) / (long - short)))
}

/// A file that goes with its bench.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("asterisk-exporter-bench-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
