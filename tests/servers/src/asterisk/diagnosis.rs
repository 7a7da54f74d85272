//! What a server shows that may no longer answer.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use super::pbx::Pbx;

impl Pbx {
    /// What a server shows that may have stopped to answer: the end of its log, tasks that wait in
    /// its queues, and what its threads do.
    ///
    /// Nothing here waits for the server for longer than a few seconds.
    pub(crate) fn diagnosis(&self) -> String {
        let log = fs::read_to_string(self.file("log/messages")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let log = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n    ");

        // The control socket has a thread of its own: it may answer where SIP and the manager
        // interface do not. PJSIP drops requests while a queue is over its high water mark.
        let mut console = Command::new("timeout");
        // One that waits for an answer ignores the first signal.
        let console = console.args(["--kill-after=1", "5", "chroot"]);
        let console = self.on_console(console, "core show taskprocessors");
        let queues: Vec<_> = console.lines().filter(|line| has_waiting_tasks(line)).collect();
        let queues = match (console.is_empty(), queues.is_empty()) {
            (true, _) => "    its control socket does not answer".to_owned(),
            (false, true) => "    no task waits".to_owned(),
            (false, false) => format!("    {}", queues.join("\n    ")),
        };

        format!(
            "Asterisk {} on {}: the end of its log\n    {log}\ntask processors\n{queues}\n\
             threads by where the kernel has them\n{}",
            self.version.full(),
            self.net,
            self.threads()
        )
    }

    /// How many threads are where: many in one lock are a deadlock.
    fn threads(&self) -> String {
        let Ok(child) = self.child.try_lock() else { return String::new() };
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let tasks = fs::read_dir(format!("/proc/{}/task", child.id()));
        for task in tasks.into_iter().flatten().flatten() {
            let read = |name| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let place = format!("{} in {}", read("comm").trim(), read("wchan").trim());
            *counts.entry(place).or_default() += 1;
        }
        counts.iter().map(|(place, count)| format!("    {count:3} {place}\n")).collect()
    }
}

/// Whether a line of `core show taskprocessors` is of a queue that is not empty: after the name come
/// how many tasks it has processed, and how many wait.
fn has_waiting_tasks(line: &str) -> bool {
    let waiting = line.split_whitespace().nth(2).and_then(|number| number.parse::<u64>().ok());
    waiting.is_some_and(|number| number > 0)
}

/// Lines of the log that a diagnosis shows.
const LAST_LINES: usize = 40;
