//! Tables in Markdown.

use std::fmt;

/// A table whose first column names the rows and whose other columns are numbers.
pub(crate) struct Table {
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(title: &str, header: &[&str]) -> Self {
        let header = header.iter().map(ToString::to_string).collect();
        Self { title: title.to_owned(), header, rows: Vec::new() }
    }

    /// Adds a row; the figures are text already.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### {}\n", self.title)?;
        writeln!(f, "| {} |", self.header.join(" | "))?;
        writeln!(f, "|---|{}", "--:|".repeat(self.header.len().saturating_sub(1)))?;
        for row in &self.rows {
            writeln!(f, "| {} |", row.join(" | "))?;
        }
        Ok(())
    }
}

/// A rate or a number of events: `0.33 M`, `18.2 k`.
pub(crate) fn rate(number: f64) -> String {
    match number {
        number if number >= 1e9 => format!("{:.2} G", number / 1e9),
        number if number >= 1e6 => format!("{:.2} M", number / 1e6),
        number if number >= 1e5 => format!("{:.3} M", number / 1e6),
        number if number >= 1e3 => format!("{:.1} k", number / 1e3),
        number => format!("{number:.1}"),
    }
}

/// A span in the unit that suits it.
pub(crate) fn span(seconds: f64) -> String {
    match seconds {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds if seconds >= 1e-3 => format!("{:.1} ms", seconds * 1e3),
        seconds if seconds >= 1e-6 => format!("{:.1} µs", seconds * 1e6),
        seconds => format!("{:.0} ns", seconds * 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new("Speed", &["what", "events/s"]);
        table.row(["replay".into(), rate(1_234_567.0)]);
        assert_eq!(
            table.to_string(),
            "### Speed\n\n| what | events/s |\n|---|--:|\n| replay | 1.23 M |\n"
        );
        assert_eq!([span(0.0123), span(2.0), span(4.2e-7)], ["12.3 ms", "2.00 s", "420 ns"]);
    }
}
