//! A case wants something written into a register (登记簿).

use chrono::{DateTime, Utc};
use decider::stored::StoredError;
use domain::registers::Entry;

use super::{CaseSeen, envelope, errand::Errand};

/// The reaction's name.
pub(super) const NAME: &str = "writeRegisters";

/// One errand for each entry, in the case's own order.
pub(super) fn react(seen: &CaseSeen<'_>, now: DateTime<Utc>) -> Result<Vec<Errand>, StoredError> {
    let entries = seen
        .case
        .entries(seen.event.stream.id(), &seen.event.name, &seen.event.data)?;
    let errand = |(index, entry)| {
        let envelope = envelope(seen.event, seen.metadata, &format!("{NAME}:{index}"), now);
        match entry {
            Entry::Permit { permit_no, command } => Errand::ToPermit {
                permit_no,
                command: Box::new(command),
                envelope,
            },
            Entry::Project { project_code, command } => Errand::ToProject {
                project_code,
                command: Box::new(command),
                envelope,
            },
        }
    };
    Ok(entries.into_iter().enumerate().map(errand).collect())
}
