//! The `process_*` metrics every exporter has, read from `/proc` at the scrape.

use procfs::process::{LimitValue, Process, Stat};

use super::catalogue::{Entry, entry};
use super::labels::Fixed;
use super::snapshot::{Samples, Values};
use crate::clock::Moment;

/// This process now.  What cannot be read is left out: the rest of the scrape is worth more than these.
pub(super) fn gauges() -> Vec<Samples> {
    let mut all = Vec::new();
    let Ok(process) = Process::myself() else { return all };
    if let Ok(stat) = process.stat() {
        of_stat(&mut all, &stat);
    }

    if let Ok(open) = process.fd_count() {
        all.push(whole(const { entry("process_open_fds") }, open as u64));
    }
    if let Ok(LimitValue::Value(most)) =
        process.limits().map(|limits| limits.max_open_files.soft_limit)
    {
        all.push(whole(const { entry("process_max_fds") }, most));
    }
    all
}

fn of_stat(all: &mut Vec<Samples>, stat: &Stat) {
    let spent = seconds(stat.utime.saturating_add(stat.stime));
    let mut cpu = real(const { entry("process_cpu_seconds_total") }, spent);
    let mut started = None;
    if let Ok(boot) = procfs::boot_time_secs() {
        let start = boot as f64 + seconds(stat.starttime);
        cpu.starts = vec![Moment::from_micros((start * 1e6) as u64)];
        started = Some(real(const { entry("process_start_time_seconds") }, start));
    }
    all.push(cpu);
    all.extend(started);

    let resident = stat.rss.saturating_mul(procfs::page_size());
    let threads = u64::try_from(stat.num_threads).unwrap_or_default();
    all.push(whole(const { entry("process_resident_memory_bytes") }, resident));
    all.push(whole(const { entry("process_virtual_memory_bytes") }, stat.vsize));
    all.push(whole(const { entry("process_threads") }, threads));
}

fn whole(entry: &'static Entry, value: u64) -> Samples {
    one(entry, Values::Whole(vec![value]))
}

fn real(entry: &'static Entry, value: f64) -> Samples {
    one(entry, Values::Real(vec![value]))
}

fn one(entry: &'static Entry, values: Values) -> Samples {
    Samples::one(entry, &Fixed(&[]), values)
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / procfs::ticks_per_second() as f64
}
