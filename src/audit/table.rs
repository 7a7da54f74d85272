//! The report for people: an aligned table, differences first.

use std::fmt::{self, Display, Formatter};

use super::report::{CallRow, Figures, Report, ReportRow, State, What};
use super::subject::Counter;
use super::window::Edge;
use crate::calendar::utc;
use crate::error::printable;

/// A report as a table.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// The report.
    pub report: &'a Report,
    /// The files of queue_log, for its malformed lines.
    pub files: &'a [String],
    /// Whether rows that are equal are shown, too.
    pub all: bool,
}

impl Display for Table<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let report = self.report;
        let edge =
            |edge: Option<Edge>, none: &str| edge.map_or(none.to_owned(), |edge| utc(edge.at));
        let since = edge(report.window.since, "the beginning of queue_log");
        let until = edge(report.window.until, "its end");

        writeln!(f, "compared      {since} to {until}")?;
        writeln!(f, "queue_log     {} lines in it, {} outside", report.compared, report.outside)?;

        if report.left_out > 0 {
            writeln!(
                f,
                "              {} at its edges, which only one side has: left out",
                report.left_out
            )?;
        }

        // What is not compared comes before the figures: it may be why they differ.
        self.malformed(f)?;
        self.not_compared(f)?;

        if !report.foreign.is_empty() {
            writeln!(
                f,
                "set apart     queues that the PBX does not have: {}",
                report.foreign_queues()
            )?;
        }

        for note in &report.notes {
            writeln!(f, "note          {note}")?;
        }

        self.rows(f)?;
        writeln!(f, "\n{}", verdict(report))
    }
}

impl Table<'_> {
    fn malformed(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sum: u64 = self.report.malformed.values().sum();
        if sum == 0 {
            return Ok(());
        }

        let why: Vec<_> = self
            .report
            .malformed
            .iter()
            .map(|(why, count)| format!("{count} with {why}"))
            .collect();

        writeln!(f, "malformed     {sum} lines: {}", why.join(", "))?;
        for (file, line, why) in &self.report.examples {
            let file = self.files.get(*file).map_or("queue_log", String::as_str);
            writeln!(f, "              {}:{line}: {why}", printable(file))?;
        }
        Ok(())
    }

    fn not_compared(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.report.not_compared.is_empty() {
            return Ok(());
        }

        let verbs: Vec<_> = self
            .report
            .not_compared
            .iter()
            .map(|(verb, count)| format!("{} {count}", printable(verb)))
            .collect();
        writeln!(f, "not compared  {}", verbs.join(", "))
    }

    fn rows(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let shown: Vec<_> = self
            .report
            .rows
            .iter()
            .filter(|row| self.all || row.state != State::Equal)
            .map(Cells::of)
            .collect();

        if !shown.is_empty() {
            let head = Cells {
                cells: ["", "queue", "queue_log", "exporter", "logged", "counted"]
                    .map(str::to_owned),
                what: String::new(),
                calls: Vec::new(),
            };

            // In characters, not bytes: a name may have letters outside ASCII.
            let width = |at: usize| {
                let of = |cells: &Cells| cells.cells[at].chars().count();
                shown.iter().map(of).chain([of(&head)]).max().unwrap_or(0)
            };
            let widths = [0, 1, 2, 3, 4, 5].map(width);

            writeln!(f)?;
            for row in [&head].into_iter().chain(&shown) {
                row.write(f, widths)?;
            }
        }

        let equal = self.report.in_state(State::Equal).count();
        match (self.all, equal) {
            (true, _) | (_, 0) => Ok(()),
            (false, 1) => writeln!(f, "\n1 figure is equal (--all shows it)"),
            (false, equal) => writeln!(f, "\n{equal} figures are equal (--all shows them)"),
        }
    }
}

fn verdict(report: &Report) -> String {
    let of = |state| report.in_state(state).count();
    match (of(State::Differs), of(State::Explained)) {
        (0, 0) => "queue_log and the exporter agree.".to_owned(),
        (0, 1) => "queue_log and the exporter agree; 1 difference is a documented one.".to_owned(),
        (0, explained) => format!(
            "queue_log and the exporter agree; {explained} differences are documented ones."
        ),
        (1, _) => "queue_log and the exporter DIFFER in 1 figure.".to_owned(),
        (differ, _) => format!("queue_log and the exporter DIFFER in {differ} figures."),
    }
}

/// A row as text.
struct Cells {
    cells: [String; 6],
    what: String,
    calls: Vec<String>,
}

impl Cells {
    fn of(row: &ReportRow) -> Self {
        let (logged, counted) = match &row.figures {
            Figures::Counts { logged, counted, .. } => (logged.to_string(), counted.to_string()),
            Figures::Seconds { logged, counted, .. } => {
                (format!("{logged:.0} s"), format!("{counted:.1} s"))
            }
        };

        let cells = [
            row.state.word().into(),
            printable(&row.queue),
            row.what.verbs(),
            row.what.counts(),
            logged,
            counted,
        ];

        let what = difference(&row.figures);
        let mut calls: Vec<_> =
            row.calls.iter().take(CALLS_SHOWN).map(|it| call(it, &what)).collect();
        let more = row.more_calls as usize + row.calls.len().saturating_sub(CALLS_SHOWN);
        if more > 0 {
            calls.push(format!("… and {more} more calls"));
        }
        Self { cells, what, calls }
    }

    fn write(&self, f: &mut Formatter<'_>, widths: [usize; 6]) -> fmt::Result {
        let [state, queue, verbs, counts, logged, counted] = &self.cells;
        let [a, b, c, d, e, g] = widths;

        // The last column may be empty, which would leave spaces at the end of the line.
        let line = format!(
            "{state:a$}  {queue:b$}  {verbs:c$}  {counts:d$}  {logged:>e$}  {counted:>g$}  {}",
            self.what
        );
        writeln!(f, "{}", line.trim_end())?;

        for call in &self.calls {
            writeln!(f, "{:a$}    call {call}", "")?;
        }
        Ok(())
    }
}

/// A call by its id, and what its row does not have already.
fn call(call: &CallRow, row: &str) -> String {
    let detail = difference(&call.figures);

    // `1 only counted` under `3 only counted` repeats the row, if the row has nothing else.
    let kind = detail.trim_start_matches(|c: char| !c.is_alphabetic());
    let logged = row.ends_with(kind) && !row.contains(';') && detail.starts_with("1 ");
    let detail = if logged { "" } else { &detail };

    let uniqueid = printable(&call.uniqueid);
    match &call.figures {
        Figures::Counts { .. } => format!("{uniqueid}  {detail}"),
        Figures::Seconds { logged, counted, .. } => {
            format!("{uniqueid}  {logged:.0} s in queue_log, {counted:.1} s counted")
        }
    }
    .trim_end()
    .to_owned()
}

/// What differs, and why, in words.
fn difference(figures: &Figures) -> String {
    let mut parts = Vec::new();

    match figures {
        Figures::Counts { missing, extra, explained, .. } => {
            if *missing > 0 {
                parts.push(format!("{missing} only in queue_log"));
            }
            if *extra > 0 {
                parts.push(format!("{extra} only counted"));
            }
            parts.extend(
                explained.iter().map(|(reason, number)| format!("{number} {}", reason.text())),
            );
        }
        Figures::Seconds { explained, lacking, .. } => {
            match lacking {
                0 => {}
                1 => parts.push("1 call counted without its length".to_owned()),
                _ => parts.push(format!("{lacking} calls counted without their length")),
            }
            parts.extend(explained.iter().map(|(reason, seconds, calls)| {
                let calls =
                    if *calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") };
                format!("{seconds:+.1} s of {calls}: {}", reason.text())
            }));
        }
    }

    parts.join("; ")
}

impl What {
    /// The verbs of queue_log.
    pub(super) fn verbs(self) -> String {
        match self {
            Self::Count(subject) => subject.verbs().to_owned(),
            Self::Apart(_) => "–".to_owned(),
            Self::Hold => "CONNECT seconds".to_owned(),
            Self::Talk => "COMPLETE* seconds".to_owned(),
            Self::Position(at) => format!("{} positions", at.subject().verbs()),
        }
    }

    /// The exporter's counter, without what all have in common.
    fn counts(self) -> String {
        let short = |counter: Counter| {
            let name =
                counter.name.trim_start_matches("asterisk_queue_").trim_end_matches("_total");
            format!("{name} {}", counter.values.join("+")).trim_end().to_owned()
        };

        match self {
            Self::Count(subject) => short(subject.counter()),
            Self::Apart(apart) => apart.counter().map_or_else(String::new, short),
            Self::Hold => "hold answered".to_owned(),
            Self::Talk => "talk".to_owned(),
            Self::Position(at) => format!("position {}", at.label()),
        }
    }
}

/// How many calls are shown behind a row.
const CALLS_SHOWN: usize = 10;
