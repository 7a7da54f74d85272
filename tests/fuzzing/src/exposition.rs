//! Pages of metrics as `audit` reads them: comments and blank lines change nothing.

use asterisk_exporter::audit::{Exposition, ExpositionError};

/// The input is the page.
pub(crate) fn check(input: &[u8]) {
    for pbx in [None, Some("lab")] {
        let read = Exposition::read(input, pbx);
        let mut commented = Vec::new();
        for line in input.split_inclusive(|&byte| byte == b'\n') {
            commented.extend_from_slice(b"\n# HELP a comment\n \t\n");
            commented.extend_from_slice(line);
        }
        let again = Exposition::read(&commented[..], pbx);
        assert_eq!(described(&read, 1), described(&again, 4), "comments make a difference");

        if let (Ok(exposition), Some(pbx)) = (&read, pbx) {
            assert_eq!(exposition.pbx, pbx, "another PBX");
        }
    }
}

/// The result, whose numbers of lines count every `each`th line.
fn described(read: &Result<Exposition, ExpositionError>, each: u64) -> String {
    match read {
        Ok(exposition) => format!("{exposition:?}"),
        Err(ExpositionError::NotASample(line)) => format!("no sample in line {}", line / each),
        Err(ExpositionError::NotOurs(lines)) => format!("not ours in {} lines", lines / each),
        Err(error) => error.to_string(),
    }
}
