//! What SQLite does by itself: one table, one row for each commit, every commit on the disk.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};

use crate::append::EVENT_BYTES;

/// Durable commits in a second of one row of an event's size.
pub(super) fn commits_per_second(dir: &Path, time: Duration) -> f64 {
    let path = dir.join("bare.sqlite");
    let connection = Connection::open(&path).expect("a file");
    connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
        .and_then(|()| connection.pragma_update(None, "synchronous", "FULL"))
        .and_then(|()| connection.execute_batch("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, data BLOB NOT NULL)"))
        .expect("a table");
    let mut insert = connection
        .prepare("INSERT INTO rows (data) VALUES (?1)")
        .expect("a statement");
    let row = vec![b'x'; EVENT_BYTES];
    let begin = Instant::now();
    let mut count = 0_u32;
    while begin.elapsed() < time {
        insert.execute(params![row]).expect("a commit");
        count += 1;
    }
    let rate = f64::from(count) / begin.elapsed().as_secs_f64();
    drop(insert);
    drop(connection);
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(dir.join(format!("bare.sqlite{ending}")));
    }
    rate
}

/// Rows in a second, when SQLite walks along a store's table and every byte of its events is looked at.
pub(super) fn rows_per_second(file: &Path) -> f64 {
    let connection = Connection::open(file).expect("a store");
    let mut select = connection
        .prepare("SELECT meta, data FROM events ORDER BY pos")
        .expect("a statement");
    let begin = Instant::now();
    let mut rows = select.query([]).expect("rows");
    let (mut count, mut sum) = (0_u32, 0_u64);
    while let Some(row) = rows.next().expect("a row") {
        for column in 0..2 {
            let bytes = row.get_ref(column).and_then(|value| Ok(value.as_blob()?)).expect("bytes");
            sum += bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        }
        count += 1;
    }
    std::hint::black_box(sum);
    f64::from(count) / begin.elapsed().as_secs_f64()
}
