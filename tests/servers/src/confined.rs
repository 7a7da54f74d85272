//! Becomes another program, under a seccomp filter: `confined FILTER PROGRAM ARGUMENTS…`.
//!
//! systemd sets such a filter before it starts a service, and in a test there is no systemd.

use std::env::args_os;
use std::error::Error;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use seccompiler::{apply_filter, compile_from_json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = args_os().skip(1);
    let filter = words.next().ok_or("no filter")?;
    let program = words.next().ok_or("no program")?;

    let filters = compile_from_json(File::open(filter)?, std::env::consts::ARCH.try_into()?)?;
    apply_filter(filters.values().next().ok_or("an empty filter")?)?;
    // Only a failure returns.
    Err(Command::new(program).args(words).exec().into())
}
