//! A file as it comes, compressed or not, with its lines counted.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;

/// How much is read from the disk at once.
const BUFFER_BYTES: usize = 256 * 1024;
/// How a gzip file begins.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Opens a file for reading; unpacks it if it is gzip, whatever its name.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    let mut file = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
    if file.fill_buf()?.starts_with(&GZIP_MAGIC) {
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(file))));
    }
    Ok(Box::new(file))
}

/// Counts the lines that pass through.
pub(super) struct CountLines<R> {
    inner: R,
    line_feeds: u64,
}

impl<R: BufRead> CountLines<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, line_feeds: 0 }
    }

    /// The line where the reader is now.
    pub(super) fn line(&self) -> u64 {
        self.line_feeds + 1
    }
}

impl<R: BufRead> Read for CountLines<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let bytes = available.len().min(into.len());
        into[..bytes].copy_from_slice(&available[..bytes]);
        self.consume(bytes);
        Ok(bytes)
    }
}

impl<R: BufRead> BufRead for CountLines<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        // What is consumed was in the buffer, so this reads nothing and cannot fail.
        if let Ok(buffer) = self.inner.fill_buf() {
            self.line_feeds += buffer.iter().take(bytes).filter(|byte| **byte == b'\n').count() as u64;
        }
        self.inner.consume(bytes);
    }
}
