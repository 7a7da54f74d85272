//! Registration: each metric of the catalogue once, on prometheus-client's registry and in the list
//! that a scrape copies.

use std::sync::Arc;

use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{self, Registry};

use super::catalogue::Entry;
use super::column::Column;
use super::family::{Collect, Family};
use super::histogram::{Distributions, Layout};
use super::labels::{Fixed, Labels};
use super::snapshot::{Samples, Values};
use super::timeline::Timeline;

/// What the catalogue's metrics are registered with.
#[derive(Debug, Default)]
pub(super) struct Registrar {
    registry: Registry,
    timeline: Arc<Timeline>,
    collected: Vec<(&'static Entry, Box<dyn Collect>)>,
}

impl Registrar {
    /// Nothing yet, with the times of another one.
    pub(super) fn on(timeline: Arc<Timeline>) -> Self {
        Self { timeline, ..Self::default() }
    }

    /// Registers a family of counters or gauges.
    pub(super) fn family<L, C>(&mut self, entry: &'static Entry) -> Family<L, C>
    where
        L: Labels + 'static,
        C: Column<Layout = ()>,
    {
        let timeline = self.timeline.clone();
        self.register(entry, Family::new((), timeline))
    }

    /// Registers a family of histograms.
    pub(super) fn histograms<L: Labels + 'static>(
        &mut self,
        entry: &'static Entry,
        layout: Layout,
    ) -> Family<L, Distributions> {
        let timeline = self.timeline.clone();
        self.register(entry, Family::new(layout.on(timeline.clone()), timeline))
    }

    /// Registers what is known when the exporter is built.
    pub(super) fn info(&mut self, entry: &'static Entry, labels: Fixed) {
        self.put(entry, Info::new(labels.clone()));
        self.collected.push((entry, Box::new(Constant(labels))));
    }

    /// The times of all families.
    pub(super) const fn timeline(&self) -> &Arc<Timeline> {
        &self.timeline
    }

    /// What is registered, in its order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &'static Entry> {
        self.collected.iter().map(|(entry, _)| *entry)
    }

    /// The numbers of all families that have any.
    pub(super) fn collect(&self) -> Vec<Samples> {
        let all = self.collected.iter().map(|(entry, family)| family.collect(entry));
        all.filter(|samples| !samples.labels.is_empty()).collect()
    }

    /// Where the family of that name is.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.collected.iter().position(|(entry, _)| entry.name == name)
    }

    /// The numbers of the family in a place.
    pub(super) fn collect_at(&self, place: usize) -> Samples {
        let (entry, family) = &self.collected[place];
        family.collect(entry)
    }

    /// Everything that is registered, for prometheus-client's own encoders.
    #[cfg(test)]
    pub(super) const fn registry(&self) -> &Registry {
        &self.registry
    }

    fn register<L: 'static, C: Column>(
        &mut self,
        entry: &'static Entry,
        family: Family<L, C>,
    ) -> Family<L, C> {
        self.put(entry, family.clone());
        self.collected.push((entry, Box::new(family.clone())));
        family
    }

    /// The encoder appends the unit and `_total` again.
    fn put(&mut self, entry: &Entry, metric: impl registry::Metric) {
        match entry.unit {
            Some(unit) => {
                self.registry.register_with_unit(entry.stem(), entry.help, unit.into(), metric);
            }
            None => self.registry.register(entry.stem(), entry.help, metric),
        }
    }
}

/// The one series of an info metric.
#[derive(Debug)]
struct Constant(Fixed);

impl Collect for Constant {
    fn collect(&self, entry: &'static Entry) -> Samples {
        Samples::one(entry, &self.0, Values::Whole(vec![1]))
    }
}
