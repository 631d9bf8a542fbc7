//! What was taken out of the log, and how that is known: ranges of positions, and where the chain of a stream begins.

use event_store_contract::proof::Hash;
use rusqlite::{Connection, OptionalExtension, params};

/// Where the chain of a stream begins whose first events were taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Beginning {
    /// The revision of the first event that is there.
    pub(crate) revision: u64,
    /// The hash of the event before it.
    pub(crate) hash: Hash,
}

/// Whether all positions from the first to the last were taken out.
pub(crate) fn covers(connection: &Connection, first: u64, last: u64) -> rusqlite::Result<bool> {
    let range_end = connection
        .prepare_cached("SELECT last FROM removed WHERE first <= ?1 ORDER BY first DESC LIMIT 1")?
        .query_row([first], |row| row.get::<_, u64>(0))
        .optional()?;
    Ok(range_end.is_some_and(|end| end >= last))
}

/// How many positions were taken out.
pub(crate) fn count(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT ifnull(sum(last - first + 1), 0) FROM removed", [], |row| row.get(0))
}

/// Notes that these positions were taken out. Ranges that touch become one.
pub(crate) fn note(connection: &Connection, mut first: u64, mut last: u64) -> rusqlite::Result<()> {
    let before = connection
        .prepare_cached("SELECT first, last FROM removed WHERE first <= ?1 ORDER BY first DESC LIMIT 1")?
        .query_row([first], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?)))
        .optional()?;
    if let Some((range_first, range_last)) = before
        && range_last + 1 >= first
    {
        first = range_first;
        last = last.max(range_last);
    }
    let after = connection
        .prepare_cached("SELECT last FROM removed WHERE first = ?1")?
        .query_row([last + 1], |row| row.get::<_, u64>(0))
        .optional()?;
    if let Some(range_last) = after {
        connection
            .prepare_cached("DELETE FROM removed WHERE first = ?1")?
            .execute([last + 1])?;
        last = range_last;
    }
    connection
        .prepare_cached("INSERT OR REPLACE INTO removed (first, last) VALUES (?, ?)")?
        .execute(params![first, last])?;
    Ok(())
}

/// Where the chain of a stream begins; none, if at its revision 0.
pub(crate) fn beginning(connection: &Connection, stream_id: i64) -> rusqlite::Result<Option<Beginning>> {
    connection
        .prepare_cached("SELECT rev, hash FROM beginnings WHERE stream_id = ?1")?
        .query_row([stream_id], |row| {
            Ok(Beginning {
                revision: row.get(0)?,
                hash: row.get(1)?,
            })
        })
        .optional()
}

/// Notes where the chain of a stream begins from now on.
pub(crate) fn begin(connection: &Connection, stream_id: i64, beginning: Beginning) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO beginnings (stream_id, rev, hash) VALUES (?, ?, ?)")?
        .execute(params![stream_id, beginning.revision, beginning.hash])?;
    Ok(())
}
