//! Inputs to begin with: recordings of real servers and clients.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use asterisk_exporter::metrics::Format;
use flate2::read::MultiGzDecoder;
use support::root;

use crate::{Corpus, Target, replay};

/// The inputs of a target, the same ones in the same order each time.
///
/// # Panics
/// The files of the repository cannot be read.
pub fn corpus(target: &Target) -> Vec<Vec<u8>> {
    match target.corpus {
        Corpus::Captures => captures(),
        Corpus::QueueLogs => {
            let mut logs = named(&[".queue_log", ".queue_log.gz", ".csv", ".tsv", ".txt"]);
            logs.retain(|path| {
                path.components().any(|part| LOGS.iter().any(|it| part.as_os_str() == *it))
            });
            logs.iter().map(|path| read(path)).collect()
        }
        Corpus::Configurations => {
            let mut texts = vec![read(&root("asterisk_exporter.example.yml"))];
            texts.extend(configurations("fixtures/config"));
            texts
        }
        Corpus::WebConfigurations => configurations("fixtures/web").collect(),
        Corpus::Accepts => ACCEPTS.iter().map(|text| text.as_bytes().to_vec()).collect(),
        Corpus::Expositions => {
            let mut pages: Vec<_> = named(&[".prom"]).iter().map(|path| read(path)).collect();
            // Those have no comments.
            let mut replay = replay::new();
            let capture = read(&root("fixtures/seed-1-inbound-answered/events.ami"));
            replay.play(&capture[..]);
            let formats = [Format::Text, Format::OpenMetrics];
            pages.extend(formats.map(|format| replay.exposition(format).into_bytes()));
            pages
        }
    }
}

fn configurations(folder: &str) -> impl Iterator<Item = Vec<u8>> {
    let folder = root(folder);
    let files = named(&[".yml"]).into_iter().filter(move |path| path.starts_with(&folder));
    files.map(|path| read(&path))
}

/// Captures, unpacked, without the rest of very long ones.
fn captures() -> Vec<Vec<u8>> {
    let files = named(&[".ami", ".ami.gz"]);
    let mut captures: Vec<_> = files.iter().map(|path| unpacked(read(path))).collect();
    for capture in &mut captures {
        capture.truncate(LONGEST);
    }
    captures.push(COMMAND.to_vec());
    captures
}

fn unpacked(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut text = Vec::new();
    MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text).expect("a gzipped capture");
    text
}

/// Files of the fixtures whose names end with one of these.
fn named(ends: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&root("fixtures"), &mut files);
    files.retain(|path| {
        let name = path.to_string_lossy();
        ends.iter().any(|end| name.ends_with(end))
    });
    files.sort();
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of fixtures") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Folders in which files of these names are logs.
const LOGS: &[&str] = &["queue_log", "captures"];

/// A session of some calls is shorter.
const LONGEST: usize = 64 * 1024;

/// What Asterisk 13 and older answer to a command, which no capture holds.
const COMMAND: &[u8] = b"Asterisk Call Manager/2.10.6\r\nResponse: Success\r\nActionID: ae-1-Login\r\n\r\n\
    Response: Follows\r\nPrivilege: Command\r\nActionID: 1\r\nraw line\n\na: b\n--END COMMAND--\r\n\r\n\
    Event: Hangup\r\nUniqueid: 1.1\r\n\r\n";

/// What scrapers and browsers send.
const ACCEPTS: &[&str] = &[
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
     application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
     application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
     text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
     text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "text/plain;version=0.0.4;q=1,*/*;q=0.1",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
    "Application/OpenMetrics-Text; Version=\"1.0.0\"; Q=1.000, application/*;q=0.001, ,;q=0",
    "deflate, gzip;q=0.5, br, x-gzip, identity;q=0, *;q=0.000",
];
