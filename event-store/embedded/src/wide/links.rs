//! Events that stand for others.

use chrono::{DateTime, Utc};
use event_store_contract::{RecordedEvent, StoreError, StreamName};

use super::{LINK_NAME, Seen};
use crate::reader::{Reader, Readers};

/// Where a link leads: `revision@stream`.
fn target(link: &RecordedEvent) -> Option<(u64, StreamName)> {
    let (revision, stream) = std::str::from_utf8(&link.data).ok()?.split_once('@')?;
    Some((revision.parse().ok()?, StreamName::new(stream).ok()?))
}

impl Readers {
    /// Puts what they lead to in the place of links, if it can be seen.
    pub(crate) fn follow_links(&self, reader: &mut Reader, events: &mut [Seen], now: DateTime<Utc>) -> Result<(), StoreError> {
        for seen in events {
            if seen.event.as_ref().is_none_or(|event| &*event.name != LINK_NAME) {
                continue;
            }
            let Some(link) = seen.event.take() else { continue };
            let found = match target(&link) {
                Some((revision, stream)) => self.one_as_seen(reader, &stream, revision, now)?,
                None => None,
            };
            *seen = match found {
                Some((event, is_json)) => Seen {
                    event: Some(event),
                    is_json,
                    link: Some(link),
                },
                None => Seen {
                    event: None,
                    is_json: false,
                    link: Some(link),
                },
            };
        }
        Ok(())
    }
}
