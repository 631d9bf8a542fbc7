//! The log as a reader from outside sees it.

use chrono::{DateTime, Utc};
use event_store_contract::{Direction, Position, StoreError};

use super::{LINK_NAME, LogFrom, LogPage, Seen};
use crate::{
    pages::{MAX_LOOKED_THROUGH, Walk},
    reader::{Readers, last_position, unreadable},
};

/// What is wanted of the log.
pub(crate) struct Asked {
    pub(crate) from: LogFrom,
    pub(crate) direction: Direction,
    pub(crate) limit: usize,
    pub(crate) max_looked_through: u64,
    pub(crate) resolve_links: bool,
    pub(crate) now: DateTime<Utc>,
}

impl Readers {
    pub(crate) fn log_as_seen(&self, asked: &Asked, wants: &dyn Fn(&str, &str) -> bool) -> Result<LogPage, StoreError> {
        self.with(|reader| {
            let from = match (asked.direction, asked.from) {
                (Direction::Forwards, LogFrom::Start) => 0,
                (_, LogFrom::End) => u64::MAX,
                (Direction::Forwards, LogFrom::At(Position(at))) => at.saturating_sub(1),
                (_, LogFrom::After(Position(at))) => at,
                (Direction::Backwards, LogFrom::Start) => 1,
                (Direction::Backwards, LogFrom::At(Position(at))) => at.saturating_add(1),
            };
            let from = match asked.direction {
                Direction::Forwards => from,
                Direction::Backwards => {
                    let head = last_position(&reader.connection).map_err(|error| unreadable(&error, "the log", 0, 0))?;
                    from.min(head + 1)
                }
            };
            let walk = Walk {
                from,
                to: u64::MAX,
                direction: asked.direction,
                limit: asked.limit,
                max_looked_through: asked.max_looked_through.min(MAX_LOOKED_THROUGH),
            };
            let mut events = Vec::with_capacity(asked.limit.min(1_024));
            let mut links = false;
            let walked = reader.walk(&walk, &self.streams, wants, |event, is_json| {
                links |= &*event.name == LINK_NAME;
                events.push(Seen {
                    event: Some(event),
                    is_json,
                    link: None,
                });
            })?;
            if links && asked.resolve_links {
                self.follow_links(reader, &mut events, asked.now)?;
            }
            Ok(LogPage {
                events,
                position: (walked.looked_through > 0).then_some(Position(walked.last)),
                end: walked.end,
                looked_through: walked.looked_through,
            })
        })
    }
}
