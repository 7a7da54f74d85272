//! Logs of queues, of Asterisk or of a database, packed or not.

use std::cell::OnceCell;
use std::path::PathBuf;

use asterisk_exporter::calendar::Offset;
use asterisk_exporter::queue_log::QueueLog;
use support::Folder;

thread_local! {
    static FOLDER: OnceCell<Folder> = const { OnceCell::new() };
}

/// The input is the file.
pub(crate) fn check(input: &[u8]) {
    let path = file(input);
    for offset in [None, Some(Offset(3600))] {
        let Ok(log) = QueueLog::open(std::slice::from_ref(&path), offset) else { continue };
        let mut before = 0;
        let read = log.read(|file, number, line| {
            assert_eq!(file, 0, "one file was given");
            assert!(number > before, "line {number} behind line {before}");
            before = number;
            let Ok(line) = line else { return };
            let longest = [line.call, line.queue, line.agent].map(<[u8]>::len).into_iter().max();
            assert!(longest <= Some(LONGEST), "a long field in line {number}");
        });

        let is_packed = PACKED.iter().any(|mark| input.starts_with(mark));
        if read.is_ok() && !is_packed {
            let lines = input.split(|&byte| byte == b'\n').count() as u64;
            assert!(before <= lines, "line {before} of {lines}");
        }
    }
}

/// A file that holds the input.
fn file(input: &[u8]) -> PathBuf {
    let path = FOLDER.with(|folder| folder.get_or_init(|| Folder::new("fuzz")).path("queue_log"));
    std::fs::write(&path, input).expect("a file of a test");
    path
}

/// The longest line that is read.
const LONGEST: usize = 16 * 1024;
/// How packed files begin.
const PACKED: &[&[u8]] = &[b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"];
