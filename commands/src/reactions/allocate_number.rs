//! A case wants a number (编号): the series gives the next one.

use chrono::{DateTime, Utc};
use decider::stored::StoredError;
use domain::registers::number_sequence::Command;

use super::{CaseSeen, envelope, errand::Errand};

/// The reaction's name.
pub(super) const NAME: &str = "allocateNumber";

/// One errand for each number that the event wants.
pub(super) fn react(seen: &CaseSeen<'_>, now: DateTime<Utc>) -> Result<Vec<Errand>, StoredError> {
    let wanted = seen.case.numbers_wanted(&seen.event.name, &seen.event.data)?;
    let errand = |wanted: domain::case::NumberWanted| {
        let kind: &'static str = wanted.kind.into();
        Errand::Allocate {
            series: wanted.series,
            command: Command::Allocate {
                template: wanted.template,
                wanted_by: seen.event.id,
                kind: kind.to_owned(),
                stream: seen.event.stream.to_string(),
            },
            envelope: envelope(seen.event, seen.metadata, &format!("{NAME}:{kind}"), now),
        }
    };
    Ok(wanted.into_iter().map(errand).collect())
}
