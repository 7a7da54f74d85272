//! The `process_*` metrics every exporter has, read from `/proc` at the scrape.

use std::fmt;

use procfs::process::{LimitValue, Process, Stat};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::catalogue::{Entry, entry};

/// Reads this process.
#[derive(Debug)]
pub(super) struct ProcessCollector;

impl Collector for ProcessCollector {
    /// What `/proc` does not tell is left out: the scrape is worth more than these.
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Ok(process) = Process::myself() else { return Ok(()) };
        if let Ok(stat) = process.stat() {
            encode_stat(&mut encoder, &stat)?;
        }
        if let Ok(open) = process.fd_count() {
            gauge(&mut encoder, const { entry("process_open_fds") }, open as u64)?;
        }
        if let Ok(LimitValue::Value(most)) =
            process.limits().map(|limits| limits.max_open_files.soft_limit)
        {
            gauge(&mut encoder, const { entry("process_max_fds") }, most)?;
        }
        Ok(())
    }
}

fn encode_stat(encoder: &mut DescriptorEncoder<'_>, stat: &Stat) -> fmt::Result {
    let cpu = seconds(stat.utime.saturating_add(stat.stime));
    put(encoder, const { entry("process_cpu_seconds_total") }, &ConstCounter::new(cpu))?;
    if let Ok(boot) = procfs::boot_time_secs() {
        let start = boot as f64 + seconds(stat.starttime);
        put(encoder, const { entry("process_start_time_seconds") }, &ConstGauge::new(start))?;
    }
    let resident = stat.rss.saturating_mul(procfs::page_size());
    gauge(encoder, const { entry("process_resident_memory_bytes") }, resident)?;
    gauge(encoder, const { entry("process_virtual_memory_bytes") }, stat.vsize)?;
    gauge(
        encoder,
        const { entry("process_threads") },
        u64::try_from(stat.num_threads).unwrap_or_default(),
    )
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, entry: &Entry, value: u64) -> fmt::Result {
    put(encoder, entry, &ConstGauge::new(value))
}

fn put(
    encoder: &mut DescriptorEncoder<'_>,
    entry: &Entry,
    metric: &impl EncodeMetric,
) -> fmt::Result {
    let unit = entry.unit.map(Into::into);
    // A collector's help gets no full stop from the encoder.
    let help = format!("{}.", entry.help);
    metric.encode(encoder.encode_descriptor(
        entry.stem(),
        &help,
        unit.as_ref(),
        metric.metric_type(),
    )?)
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / procfs::ticks_per_second() as f64
}
