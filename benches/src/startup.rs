//! How soon the program answers and is synchronised, and how large it is.

use std::time::Duration;

use super::exporter::Exporter;
use super::measure::{median, now, wait_for};
use super::pbx::{Lists, Pbx};
use super::table::{Table, span};
use super::{Context, Failure};

/// Prints the table.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let (mut answers, mut ups, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..context.runs.max(1) {
        let pbx = Pbx::new(Lists::default())?;
        let begun = now();
        let exporter = Exporter::start(&context.exporter, &[pbx.port()?], &[])?;
        exporter.scrape()?;
        answers.push(begun.elapsed().as_secs_f64());
        let _session = pbx.accept()?;
        let is_ready = || exporter.get("/-/ready").is_ok().then_some(());
        wait_for(Duration::from_secs(60), is_ready).ok_or("the PBX was not synchronised")?;
        ups.push(begun.elapsed().as_secs_f64());
        memory.push(exporter.process.resident() as f64 / 1_048_576.0);
    }

    let size = std::fs::metadata(&context.exporter)?.len();
    let mut table = Table::new("Start and size", &["what", "figure"]);
    table.row(["from exec to the first `/metrics`".into(), span(median(answers))]);
    table.row(["from exec until a PBX without calls is synchronised".into(), span(median(ups))]);
    table.row(["memory then".into(), format!("{:.1} MiB", median(memory))]);
    table.row(["the program".into(), format!("{:.1} MiB", size as f64 / 1_048_576.0)]);
    println!("{table}");
    Ok(())
}
