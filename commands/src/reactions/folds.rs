//! Cases as they were right after the event that the reactions have come to.

use std::num::NonZeroUsize;

use casework::AnyWork;
use event_store_contract::{Direction, RecordedEvent, StreamName};
use lru::LruCache;

use crate::{
    bureau::{Bureau, unknown_category, unreadable},
    envelope::CommandError,
};

/// The most cases that the reactions keep folded.
const MAX_FOLDED_CASES: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();

/// The cases touched last, each with the revision of its next event.
pub(super) struct Folds(LruCache<StreamName, (u64, AnyWork)>);

impl Folds {
    pub(super) fn new() -> Self {
        Self(LruCache::new(MAX_FOLDED_CASES))
    }

    /// The case with this event in it, and nothing after it.
    pub(super) async fn after(&mut self, bureau: &Bureau, event: &RecordedEvent) -> Result<&AnyWork, CommandError> {
        let remembered = self.0.pop(&event.stream).filter(|(next, _)| *next == event.revision);
        let case = match remembered {
            Some((_, mut case)) => {
                case.apply(&event.name, &event.data)
                    .map_err(|cause| unreadable(event, &cause))?;
                case
            }
            None => folded(bureau, event).await?,
        };
        let (_, case) = self.0.get_or_insert(event.stream.clone(), || (event.revision + 1, case));
        Ok(case)
    }
}

async fn folded(bureau: &Bureau, last: &RecordedEvent) -> Result<AnyWork, CommandError> {
    let category = last.stream.category();
    let mut case = AnyWork::of(category).ok_or_else(|| unknown_category(category))?;
    let mut next = 0;
    while next < last.revision {
        let limit = usize::try_from(last.revision - next).unwrap_or(usize::MAX);
        let events = bureau
            .store()
            .read_stream(&last.stream, next, Direction::Forwards, limit)
            .await?;
        for event in &events {
            case.apply(&event.name, &event.data)
                .map_err(|cause| unreadable(event, &cause))?;
        }
        if events.is_empty() {
            break;
        }
        next += events.len() as u64;
    }
    case.apply(&last.name, &last.data).map_err(|cause| unreadable(last, &cause))?;
    Ok(case)
}
