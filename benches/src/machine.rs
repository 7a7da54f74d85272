//! What was measured where.

use std::process::Command;

use super::{Context, Failure};

/// The machine, the compiler, the day and the version, as a paragraph.
pub(crate) fn describe(context: &Context) -> Result<String, Failure> {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model =
        model.and_then(|line| line.split_once(": ")).map_or("unknown CPU", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");

    let exporter = &context.exporter;
    let version = output(Command::new(exporter).arg("--version"))
        .map_err(|error| format!("{}: {error}", exporter.display()))?;
    let version = version.lines().next().unwrap_or_default().to_owned();
    let compiler = output(Command::new("rustc").arg("--version")).unwrap_or_default();
    let day = output(Command::new("date").args(["-u", "+%F"])).unwrap_or_default();
    Ok(format!(
        "{version}, {}; {model}, {cores} cores, Linux {}, {}; load {load} at the start, medians of \
         {} runs.",
        day.trim(),
        kernel.trim(),
        compiler.trim(),
        context.runs
    ))
}

fn output(command: &mut Command) -> std::io::Result<String> {
    let output = command.output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
