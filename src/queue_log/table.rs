//! An export of a database's table `queue_log`: CSV with a header, or what `mysql` and `psql`
//! print.
//!
//! Asterisk's realtime table has the columns time, callid, queuename, agent and event, and either
//! data or data1 to data5 (`queue_adaptive_realtime`); QueueMetrics calls four of them time_id,
//! call_id, queue and verb.  What else there is (id, created, serverid) is not read.  They may
//! come in any order.

use std::ops::Range;

use super::entry::Entry;
use super::malformed::Malformed;
use super::when::When;

/// Which column is which, and what separates them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Header {
    between: u8,
    /// Every row begins and ends with a bar, as `mysql` draws them.
    drawn: bool,
    columns: usize,
    time: usize,
    call: usize,
    queue: usize,
    agent: usize,
    verb: usize,
    /// Columns of parameters, in their order.
    data: Vec<usize>,
}

/// Cells of a row, and its parameters in one piece; reused from row to row.
#[derive(Debug, Default)]
pub(super) struct Row {
    cells: Vec<Range<usize>>,
    data: Vec<u8>,
}

impl Header {
    /// Reads a first line, if it names the columns that every line needs.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        BETWEEN.iter().find_map(|&between| Self::with(line.to_vec(), between))
    }

    fn with(mut line: Vec<u8>, between: u8) -> Option<Self> {
        let drawn = between == b'|' && line.starts_with(b"|");

        let mut cells = Vec::new();
        split(&mut line, between, drawn, &mut cells);
        let names: Vec<_> = cells.into_iter().map(|cell| line[cell].to_ascii_lowercase()).collect();
        let column = |names_of: &[&[u8]]| names.iter().position(|name| names_of.contains(&&**name));

        let parameters = ["data", "data1", "data2", "data3", "data4", "data5"];
        Some(Self {
            between,
            drawn,
            columns: names.len(),
            time: column(&[b"time", b"time_id"])?,
            call: column(&[b"callid", b"call_id"])?,
            queue: column(&[b"queuename", b"queue"])?,
            agent: column(&[b"agent"])?,
            verb: column(&[b"event", b"verb"])?,
            data: parameters.iter().filter_map(|name| column(&[name.as_bytes()])).collect(),
        })
    }

    /// Whether a line only belongs to the drawing: a rule, or the number of rows below a table.
    pub(super) fn is_drawing(&self, line: &[u8]) -> bool {
        let text = line.trim_ascii();
        self.between == b'|'
            && (text.iter().all(|byte| b"+-=| ".contains(byte))
                || text.starts_with(b"(") && text.ends_with(b")"))
    }

    /// Reads a row; quotes are taken away within `line`.
    ///
    /// # Errors
    /// Why it is no row of this table.
    pub(super) fn entry<'a>(
        &self,
        line: &'a mut [u8],
        row: &'a mut Row,
    ) -> Result<Entry<'a>, Malformed> {
        split(line, self.between, self.drawn, &mut row.cells);
        if row.cells.len() < self.columns {
            return Err(Malformed::TooFewFields);
        }

        let line = &*line;
        let cell = |column: usize| &line[row.cells[column].clone()];

        // Parameters go through one reader, whichever form the log has.
        row.data.clear();
        for (place, &column) in self.data.iter().enumerate() {
            if place > 0 {
                row.data.push(b'|');
            }
            row.data.extend_from_slice(cell(column));
        }

        Ok(Entry {
            when: When::read(cell(self.time)).ok_or(Malformed::NoTime)?,
            call: cell(self.call),
            queue: cell(self.queue),
            agent: cell(self.agent),
            verb: cell(self.verb),
            data: &row.data,
            shifted: false,
        })
    }
}

/// Parts a row into its cells, and takes their quotes away in place.
fn split(line: &mut [u8], between: u8, drawn: bool, cells: &mut Vec<Range<usize>>) {
    cells.clear();
    // Bars are drawn with spaces around, unless they are drawn without.
    let end = if drawn { line.trim_ascii_end().len().saturating_sub(1) } else { line.len() };

    let mut at = usize::from(drawn);
    while at <= end {
        let (cell, next) = match line.get(at) {
            Some(b'"') => quoted(line, at, end, between),
            _ => plain(line, at, end, between),
        };
        cells.push(if matches!(&line[cell.clone()], b"NULL" | b"\\N") { 0..0 } else { cell });
        at = next;
    }
}

/// A cell without quotes, and where the next one begins.
fn plain(line: &mut [u8], from: usize, end: usize, between: u8) -> (Range<usize>, usize) {
    let to = memchr::memchr(between, &line[from..end]).map_or(end, |length| from + length);
    let cell = match between {
        // `mysql --batch` writes \t, \n and \\ for what would end a cell.
        b'\t' => from..unescape(line, from, to),
        b'|' => {
            let inner = &line[from..to];
            let begin = from + (inner.len() - inner.trim_ascii_start().len());
            begin..begin + inner.trim_ascii().len()
        }
        _ => from..to,
    };
    (cell, to + 1)
}

/// A cell in quotes: within it a quote is doubled, or has a backslash before it.
fn quoted(line: &mut [u8], from: usize, end: usize, between: u8) -> (Range<usize>, usize) {
    let mut read = from + 1;
    let mut write = from + 1;
    while read < end {
        match (line[read], line.get(read + 1).filter(|_| read + 1 < end)) {
            (b'"', Some(b'"')) | (b'\\', Some(b'"' | b'\\')) => read += 1,
            (b'"', _) => {
                let next =
                    memchr::memchr(between, &line[read..end]).map_or(end, |length| read + length);
                return (from + 1..write, next + 1);
            }
            _ => {}
        }

        line[write] = line[read];
        read += 1;
        write += 1;
    }

    // The quote was never closed: the cell takes the rest of the row.
    (from + 1..write, end + 1)
}

fn unescape(line: &mut [u8], from: usize, to: usize) -> usize {
    // `\N` alone means no value, and is compared as it is.
    if memchr::memchr(b'\\', &line[from..to]).is_none() || line[from..to] == *b"\\N" {
        return to;
    }

    let mut read = from;
    let mut write = from;
    while read < to {
        let escaped =
            if line[read] == b'\\' && read + 1 < to { Some(line[read + 1]) } else { None };
        line[write] = match escaped {
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(other) => other,
            None => line[read],
        };
        read += 1 + usize::from(escaped.is_some());
        write += 1;
    }
    write
}

/// What may separate cells.
const BETWEEN: [u8; 4] = *b",;\t|";

#[cfg(test)]
mod tests {
    use super::*;

    /// A row's entry: seconds, call, queue, agent, verb and data.
    fn read(header: &str, row: &str) -> Result<String, Malformed> {
        let header = Header::read(header.as_bytes()).expect("a header");
        let mut line = row.as_bytes().to_vec();
        let mut cells = Row::default();
        let entry = header.entry(&mut line, &mut cells)?;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let fields = [entry.call, entry.queue, entry.agent, entry.verb, entry.data].map(text);
        Ok(format!("{} {}", entry.when.seconds, fields.join(" ")))
    }

    #[test]
    fn columns_may_come_in_any_order_and_beside_others() {
        let expected =
            Ok("1790000013 1790000010.1 600 Ada Alt CONNECT 3|1790000010.2|3||".to_owned());
        for (header, row) in [
            (
                "id,time,callid,queuename,agent,event,data1,data2,data3,data4,data5",
                "7,2026-09-21 14:13:33.002270,1790000010.1,600,Ada Alt,CONNECT,3,1790000010.2,3,,",
            ),
            (
                "\"event\";\"data1\";\"data2\";\"data3\";\"data4\";\"data5\";\"Agent\";\"Queue\";\"callid\";\"TIME\"",
                "\"CONNECT\";\"3\";\"1790000010.2\";\"3\";NULL;\\N;\"Ada Alt\";\"600\";\"1790000010.1\";\"2026-09-21 14:13:33\"",
            ),
            (
                "time\tcallid\tqueuename\tserverid\tagent\tevent\tdata1\tdata2\tdata3\tdata4\tdata5",
                "1790000013\t1790000010.1\t600\tNULL\tAda Alt\tCONNECT\t3\t1790000010.2\t3\t\\N\tNULL",
            ),
            (
                " time | callid | queuename | agent | event | data1 | data2 | data3 | data4 | data5",
                " 2026-09-21 14:13:33.00227 | 1790000010.1 | 600 | Ada Alt | CONNECT | 3 | 1790000010.2 | 3 |  | ",
            ),
            (
                "| time | callid | queuename | agent | event | data1 | data2 | data3 | data4 | data5 |",
                "| 2026-09-21 14:13:33 | 1790000010.1 | 600 | Ada Alt | CONNECT | 3 | 1790000010.2 | 3 | NULL |  | ",
            ),
        ] {
            assert_eq!(read(header, row), expected, "{header}");
        }
        for header in
            ["time,callid,queuename,agent,event,data", "time_id,call_id,queue,agent,verb,data1"]
        {
            let row = "5,1.1,q,Ada,CONNECT,3|1.2|3";
            assert_eq!(read(header, row), Ok("5 1.1 q Ada CONNECT 3|1.2|3".to_owned()), "{header}");
        }
    }

    #[test]
    fn quotes_and_escapes_are_taken_away() {
        let (csv, tabs) =
            ("time,callid,queuename,agent,event", "time\tcallid\tqueuename\tagent\tevent");
        assert_eq!(
            read(csv, r#"5,1.1,q,"Alt, ""Ada""",PAUSE"#),
            Ok(r#"5 1.1 q Alt, "Ada" PAUSE "#.to_owned())
        );
        assert_eq!(
            read(csv, r#"5,1.1,q,"Ada \"A\" \\|B",PAUSE"#),
            Ok(r#"5 1.1 q Ada "A" \|B PAUSE "#.to_owned())
        );
        assert_eq!(
            read(tabs, "5\t1.1\tq\tA\\tB\\\\C\tPAUSE"),
            Ok("5 1.1 q A\tB\\C PAUSE ".to_owned())
        );
        // A quote that is never closed, and cells that are missing.
        assert_eq!(read(csv, r#"5,1.1,q,"Ada,PAUSE"#), Err(Malformed::TooFewFields));
        assert_eq!(read(csv, "5,1.1,q"), Err(Malformed::TooFewFields));
        assert_eq!(read(csv, "soon,1.1,q,Ada,PAUSE"), Err(Malformed::NoTime));
    }

    #[test]
    fn a_line_of_the_log_is_no_header_and_a_drawing_no_row() {
        for line in [
            "1|1.1|q|Ada|PAUSE|",
            "",
            "time,callid,queuename,agent",
            "INSERT INTO queue_log VALUES (1,2);",
        ] {
            assert_eq!(Header::read(line.as_bytes()), None, "{line}");
        }
        let header = Header::read(b" time | callid | queuename | agent | event").expect("a header");
        for (line, drawing) in [
            ("------+--------+----", true),
            ("(3 rows)", true),
            ("+---+----+", true),
            ("5|1", false),
        ] {
            assert_eq!(header.is_drawing(line.as_bytes()), drawing, "{line}");
        }
    }
}
