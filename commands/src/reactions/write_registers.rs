//! A case wants something written into a register (登记簿).

use chrono::{DateTime, Utc};
use decider::stored::StoredError;

use super::{CaseSeen, envelope, errand::Errand};

/// The reaction's name.
pub(super) const NAME: &str = "writeRegisters";

/// One errand for each entry, in the case's own order.
pub(super) fn react(seen: &CaseSeen<'_>, now: DateTime<Utc>) -> Result<Vec<Errand>, StoredError> {
    let entries = seen
        .case
        .entries(seen.event.stream.id(), &seen.event.name, &seen.event.data)?;
    let errand = |(index, entry)| Errand::Write {
        entry: Box::new(entry),
        envelope: envelope(seen.event, seen.metadata, &format!("{NAME}:{index}"), now),
    };
    Ok(entries.into_iter().enumerate().map(errand).collect())
}
