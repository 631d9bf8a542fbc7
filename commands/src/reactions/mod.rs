//! What the platform does by itself when something has happened: allocate numbers, hand them to cases, write registers,
//! take cases over to a new calendar, do the jobs of processes that it knows. Each reaction's command id is derived from the event's id and the reaction's name:
//! seen twice, done once. So the log may be walked again from any bookmark.

mod adopt_calendar;
mod allocate_number;
mod assign_number;
mod do_job;
mod errand;
mod folds;
mod run;
mod write_registers;

pub use errand::{FAILURE_CATEGORY, ReactionFailed};
pub use run::{BOOKMARK, react_to_everything, run};

use casework::AnyWork;
use domain::metadata::{Actor, Channel, Metadata};
use event_store_contract::RecordedEvent;
use uuid::Uuid;

use crate::{envelope::Envelope, permission::SYSTEM};

/// An event of a case, and the case with the event in it.
pub(crate) struct CaseSeen<'a> {
    pub(crate) event: &'a RecordedEvent,
    pub(crate) metadata: &'a Metadata,
    pub(crate) case: &'a AnyWork,
}

/// The actor of everything that the platform does by itself.
pub(crate) fn platform() -> Actor {
    Actor {
        id: "zhulu".to_owned(),
        name: "筑录平台".to_owned(),
        role: SYSTEM.to_owned(),
        organisation: String::new(),
        channel: Channel::System,
        on_behalf_of: None,
    }
}

/// The envelope of a reaction to an event: it belongs to the same chain, and happens when the event happened.
fn envelope(event: &RecordedEvent, metadata: &Metadata, reaction: &str, now: chrono::DateTime<chrono::Utc>) -> Envelope {
    Envelope {
        correlation_id: Some(metadata.correlation_id),
        causation_id: Some(event.id),
        occurred_at: Some(metadata.occurred_at),
        trace_id: metadata.trace_id.clone(),
        ..Envelope::new(
            Uuid::new_v5(&event.id, reaction.as_bytes()),
            platform(),
            metadata.region.clone(),
            now,
        )
    }
}
