//! A number was allocated: the case that wanted it gets it.

use chrono::{DateTime, Utc};
use domain::{
    case::{Command, NumberKind},
    metadata::Metadata,
    registers::number_sequence::Event,
};
use event_store_contract::{RecordedEvent, StreamName};

use super::{envelope, errand::Errand};

/// The reaction's name.
pub(super) const NAME: &str = "assignNumber";

/// The errand to the case; why the number cannot be handed over, if it cannot.
pub(super) fn react(event: &RecordedEvent, metadata: &Metadata, now: DateTime<Utc>) -> Result<Errand, String> {
    let allocated = decider::stored::decode(&event.name, &event.data).map_err(|cause| cause.to_string())?;
    let Event::NumberAllocated {
        number,
        wanted_by,
        kind,
        stream,
        ..
    } = allocated;
    let stream = StreamName::new(&stream).map_err(|cause| cause.to_string())?;
    let case_id = stream.id().parse().map_err(|_| format!("{stream} is no stream of a case"))?;
    let kind: NumberKind = serde_json::from_value(kind.into()).map_err(|cause| cause.to_string())?;
    Ok(Errand::ToCase {
        category: stream.category().to_owned(),
        case_id,
        command: Box::new(Command::AssignNumber { kind, number, wanted_by }),
        envelope: envelope(event, metadata, NAME, now),
        reaction: NAME,
    })
}
