//! How far the reactions have read: a bookmark for each, kept beside the views.

use event_store_contract::Position;

use crate::database::{Database, QueryError};

/// Bookmarks in PostgreSQL. Cheap to clone.
#[derive(Clone)]
pub struct PgBookmarks(Database);

impl PgBookmarks {
    /// The bookmarks of this database.
    pub fn new(database: Database) -> Self {
        Self(database)
    }

    /// Where a reader is; none, if it never read.
    pub async fn load(&self, name: &str) -> Result<Option<Position>, QueryError> {
        let rows = self
            .0
            .query("select position from bookmarks where name = $1", &[&name])
            .await?;
        Ok(rows.first().map(|row| Position(row.get::<_, i64>(0).cast_unsigned())))
    }

    /// Remembers where a reader is.
    pub async fn save(&self, name: &str, at: Position) -> Result<(), QueryError> {
        let position = at.0.cast_signed();
        self.0
            .query(
                "insert into bookmarks (name, position) values ($1, $2) \
                 on conflict (name) do update set position = excluded.position",
                &[&name, &position],
            )
            .await?;
        Ok(())
    }
}
