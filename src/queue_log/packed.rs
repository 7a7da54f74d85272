//! The content of a file, also if it was compressed: by logrotate, a backup, or whoever exported
//! it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::progress::{Counted, Progress};

/// Opens a file as it was before it was compressed, if it was.
/// `progress` is told how much of it was read, as it is on the disk.
pub(super) fn open(path: &Path, progress: &Progress) -> io::Result<Box<dyn BufRead>> {
    let file = progress.clone().of(File::open(path)?);
    let mut file = BufReader::with_capacity(CHUNK, file);
    let begins = file.fill_buf()?;

    // A file that would be read as garbage gets a message with what to do.
    if let Some((_, what)) = ARCHIVES.iter().find(|(magic, _)| begins.starts_with(magic)) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it is {what}: unpack it first"),
        ));
    }

    let packed: Box<dyn Read> = match begins {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(file)),
        [b'B', b'Z', b'h', ..] => Box::new(MultiBzDecoder::new(file)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            Box::new(XzReader::new_mem_limit(file, true, XZ_MEMORY_KIB))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(Zstd::new(file)),
        _ => return Ok(Box::new(file)),
    };
    Ok(Box::new(BufReader::with_capacity(CHUNK, packed)))
}

/// Frames of zstd, one behind the other: what `zstd` makes of several files.
struct Zstd {
    file: BufReader<Counted<File>>,
    decoder: Box<FrameDecoder>,
    /// A frame was begun, and not all of it is read.
    within: bool,
}

impl Zstd {
    fn new(file: BufReader<Counted<File>>) -> Self {
        Self { file, decoder: Box::default(), within: false }
    }

    /// Begins the next frame that has data; false at the end.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.file.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.file) {
                Ok(()) => {
                    self.within = true;
                    return Ok(true);
                }
                // `pzstd` writes such frames.
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(&mut self.file.by_ref().take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(damaged(error)),
            }
        }
        Ok(false)
    }

    /// Ends a frame of which all data was taken; the decoder does not compare the sums by itself.
    fn end(&mut self) -> io::Result<()> {
        self.within = false;
        let written = self.decoder.get_checksum_from_data();
        if written.is_some() && written != self.decoder.get_calculated_checksum() {
            return Err(damaged("its checksum differs"));
        }
        Ok(())
    }
}

impl Read for Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.within && !self.begin()? {
                return Ok(0);
            }
            if self.decoder.can_collect() > 0 || buffer.is_empty() {
                return self.decoder.read(buffer);
            }
            if self.decoder.is_finished() {
                self.end()?;
            } else {
                self.decoder
                    .decode_blocks(&mut self.file, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(damaged)?;
            }
        }
    }
}

fn damaged(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

const CHUNK: usize = 64 * 1024;
/// More than `xz -9` needs; a file that asks for gigabytes is no log.
const XZ_MEMORY_KIB: u32 = 128 * 1024;
/// Formats that hold files or tables, not one log.
const ARCHIVES: [(&[u8], &str); 4] = [
    (b"PK\x03\x04", "a zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"SQLite format 3\0", "an SQLite database"),
];
