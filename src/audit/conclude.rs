//! From both sides to the report.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Audit;
use super::compare::Late;
use super::follow::follow;
use super::logged::Logged;
use super::queue::Queue;
use super::report::Report;
use super::rows::QueueRows;
use super::window::Place;
use crate::calendar::utc;
use crate::correlator::OTHER;

impl Audit {
    /// Compares both sides of everything.
    pub fn report(mut self) -> Report {
        // Queues first: which ones are compared, and under which name.
        self.fold();
        let foreign = self.take_foreign();
        let compared = self.queues.iter().map(|queue| queue.lines).sum();

        // With a capture, late AgentCompletes are counted for their calls; with a scrape all queues
        // share them.
        let mut late = Late::of(if self.by_call { 0 } else { self.late });
        let gaps = self.gaps > 0;
        let mut followed = 0;
        let queues: Vec<_> = std::mem::take(&mut self.queues)
            .into_iter()
            .map(|mut queue| {
                followed += follow(&mut queue.calls, gaps);
                QueueRows::new(queue, &mut late, gaps, self.by_call)
            })
            .collect();

        let left_out = queues.iter().map(QueueRows::left_out).sum();
        let mut rows: Vec<_> = queues.into_iter().flat_map(QueueRows::rows).collect();
        rows.sort_by(|a, b| (a.state, &a.queue, a.what).cmp(&(b.state, &b.queue, b.what)));

        let unreached = self.unreached();
        let mut notes = self.notes(followed);
        // A queue may have no calls for a long time; but what was counted and is in no line is
        // missing.
        if unreached.is_none() && rows.iter().any(|row| row.figures.are_missed()) {
            notes.extend(self.missing_files());
        }
        let log = self.log;
        Report {
            window: self.lines,
            rows,
            compared,
            foreign,
            outside: log.outside,
            left_out,
            malformed: log.malformed,
            examples: log.examples,
            not_compared: log.not_compared,
            notes,
            unreached,
        }
    }

    /// What the exporter counts as `other` is compared with the lines of all queues that it counts
    /// so.
    fn fold(&mut self) {
        let Some(other) = self.queues.iter().position(|queue| self.folded && &*queue.name == OTHER)
        else {
            return;
        };

        let mut logged = Logged::default();
        let mut lines = 0;
        for queue in self.queues.iter_mut().filter(|queue| !queue.known) {
            logged.add(&std::mem::take(&mut queue.whole.logged));
            lines += std::mem::take(&mut queue.lines);
            self.log.folded += 1;
        }
        self.queues[other].whole.logged.add(&logged);
        self.queues[other].lines += lines;
        self.queues.retain(|queue| queue.known);
    }

    /// Sets apart what diallers and scripts wrote of queues that the PBX does not have.
    fn take_foreign(&mut self) -> BTreeMap<String, u64> {
        let (known, foreign): (Vec<_>, Vec<Queue>) =
            std::mem::take(&mut self.queues).into_iter().partition(|queue| queue.known);
        self.queues = known;
        foreign.into_iter().map(|queue| (queue.name.into_string(), queue.lines)).collect()
    }

    /// Why the log is of another time than what is compared, if it is.
    fn unreached(&self) -> Option<String> {
        let Some((first, last)) = self.log.first.zip(self.log.last) else {
            return Some("queue_log has no line that can be read".to_owned());
        };
        let reached = self.lines.place(first, last.after(Duration::from_secs(1))) != Place::Outside;
        (!reached).then(|| format!("queue_log begins at {} and ends at {}", utc(first), utc(last)))
    }
}
