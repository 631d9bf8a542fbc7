//! How far the reactions have read: a bookmark for each lane, kept beside the views.

use event_store_contract::Position;

use crate::{
    database::{Database, QueryError},
    lanes::bookmark_name,
    leases::Held,
};

/// The bookmarks of one lane, in PostgreSQL. Cheap to clone.
#[derive(Clone)]
pub struct PgBookmarks {
    database: Database,
    held: Held,
}

impl PgBookmarks {
    /// The bookmarks of a lane of reactions that this process holds.
    pub fn new(database: Database, held: Held) -> Self {
        Self { database, held }
    }

    /// Where a reader is; none, if it never read.
    pub async fn load(&self, name: &str) -> Result<Option<Position>, QueryError> {
        let name = bookmark_name(name, self.held.lane);
        let rows = self
            .database
            .query("select position from bookmarks where name = $1", &[&name])
            .await?;
        Ok(rows.first().map(|row| Position(row.get::<_, i64>(0).cast_unsigned())))
    }

    /// Remembers where a reader is; false, if the lane is somebody else's by now.
    pub async fn save(&self, name: &str, at: Position) -> Result<bool, QueryError> {
        let name = bookmark_name(name, self.held.lane);
        let (position, lane) = (at.0.cast_signed(), self.held.lane.index.cast_signed());
        let saved = self
            .database
            .query(
                "with mine as (
                     select 1 from leases where what = 'reactions' and lane = $3 and epoch = $4 and holder is not null for share)
                 insert into bookmarks (name, position) select $1, $2 from mine
                 on conflict (name) do update set position = excluded.position returning 1",
                &[&name, &position, &lane, &self.held.epoch],
            )
            .await?;
        Ok(!saved.is_empty())
    }
}
