//! What the disk allows: append and fdatasync, one record after the other, or a group of records at once.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

/// Durable appends in a second of one record at a time, for a while.
pub fn appends_per_second(dir: &Path, record_bytes: usize, time: Duration) -> std::io::Result<f64> {
    let path = dir.join("raw.log");
    let mut file: File = OpenOptions::new().create(true).append(true).open(&path)?;
    let record = vec![b'x'; record_bytes];
    let begin = Instant::now();
    let mut count = 0_u32;
    while begin.elapsed() < time {
        file.write_all(&record)?;
        file.sync_data()?;
        count += 1;
    }
    let rate = f64::from(count) / begin.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(rate)
}
