//! The fields of a case that stand in its row, and how each is written as JSON.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use domain::case::Stage;
use projections::Row;
use uuid::Uuid;

use super::plan::{CASE_ID, CATEGORY, Column};
use crate::ids::{GlobalId, known_category};

/// How a column is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    GlobalId,
    Typename,
    CategoryName,
    Uuid,
    Text,
    Stage,
    StageName,
    Int,
    Revision,
    Position,
    Bool,
    Date,
    Instant,
    Json,
}

/// How a field of a case is written, and from which column; none, if it needs more than the row.
pub(super) fn kind_of(field: &str) -> Option<(Kind, &'static str)> {
    Some(match field {
        "id" => (Kind::GlobalId, "case_id"),
        "__typename" => (Kind::Typename, "case_id"),
        "caseId" => (Kind::Uuid, "case_id"),
        "category" => (Kind::Text, "category"),
        "categoryName" => (Kind::CategoryName, "category"),
        "itemCode" => (Kind::Text, "item_code"),
        "itemVersion" => (Kind::Int, "item_version"),
        "caseNo" => (Kind::Text, "case_no"),
        "legacyId" => (Kind::Text, "legacy_id"),
        "licenceNo" => (Kind::Text, "licence_no"),
        "stage" => (Kind::Stage, "stage"),
        "stageName" => (Kind::StageName, "stage"),
        "open" => (Kind::Bool, "open"),
        "phase" => (Kind::Text, "phase"),
        "phaseName" => (Kind::Text, "phase_zh"),
        "region" => (Kind::Text, "region"),
        "applicantName" => (Kind::Text, "applicant_name"),
        "projectCode" => (Kind::Text, "project_code"),
        "projectName" => (Kind::Text, "project_name"),
        "handlerId" => (Kind::Text, "handler_id"),
        "handlerName" => (Kind::Text, "handler_name"),
        "source" => (Kind::Text, "source"),
        "batch" => (Kind::Text, "batch"),
        "submittedOn" => (Kind::Date, "submitted_on"),
        "acceptedOn" => (Kind::Date, "accepted_on"),
        "decidedOn" => (Kind::Date, "decided_on"),
        "deliveredOn" => (Kind::Date, "delivered_on"),
        "dueOn" => (Kind::Date, "due_on"),
        "statutoryDueOn" => (Kind::Date, "statutory_due_on"),
        "promisedDueOn" => (Kind::Date, "promised_due_on"),
        "dueProvisional" => (Kind::Bool, "due_provisional"),
        "paused" => (Kind::Bool, "paused"),
        "attributes" => (Kind::Json, "attributes"),
        "lastRecordedAt" => (Kind::Instant, "last_recorded_at"),
        "lastOccurredAt" => (Kind::Instant, "last_occurred_at"),
        "revision" => (Kind::Revision, "revision"),
        "position" => (Kind::Position, "position"),
        _ => return None,
    })
}

/// Writes a case; none, if a column does not hold what it should.
pub(super) fn case(out: &mut Vec<u8>, columns: &[(String, Column)], row: &Row) -> Option<()> {
    // A case of a type that this program does not know is not shown by the ordinary path either.
    let category = known_category(row.try_get::<_, &str>(CATEGORY).ok()?)?;
    out.push(b'{');
    for (index, (name, column)) in columns.iter().enumerate() {
        comma(out, index);
        key(out, name);
        field(out, column, row, category)?;
    }
    out.push(b'}');
    Some(())
}

fn field(out: &mut Vec<u8>, column: &Column, row: &Row, category: &'static str) -> Option<()> {
    let at = column.index;
    match column.kind {
        Kind::GlobalId => {
            let case_id: Uuid = row.try_get(CASE_ID).ok()?;
            text(out, &GlobalId::Case { category, case_id }.encode());
        }
        Kind::Typename => text(out, "Case"),
        Kind::CategoryName => {
            let names = domain::case_types::NAMES.iter();
            text(
                out,
                names
                    .clone()
                    .find(|(known, ..)| *known == category)
                    .map_or("", |(_, zh, _)| zh),
            );
        }
        Kind::Uuid => {
            let mut buffer = Uuid::encode_buffer();
            let id: Uuid = row.try_get(at).ok()?;
            text(out, id.as_hyphenated().encode_lower(&mut buffer));
        }
        Kind::Text => or_null(out, row.try_get::<_, Option<&str>>(at).ok()?, text),
        Kind::Stage => {
            let stage: Stage = row.try_get::<_, &str>(at).ok()?.parse().unwrap_or_default();
            screaming(out, stage.into());
        }
        Kind::StageName => {
            let stage: Stage = row.try_get::<_, &str>(at).ok()?.parse().unwrap_or_default();
            text(out, stage.name_zh());
        }
        Kind::Int => number(out, i64::from(row.try_get::<_, i32>(at).ok()?)),
        Kind::Revision => number(out, row.try_get::<_, i64>(at).ok()?.min(i64::from(i32::MAX))),
        Kind::Position => {
            out.push(b'"');
            number(out, row.try_get::<_, i64>(at).ok()?);
            out.push(b'"');
        }
        Kind::Bool => boolean(out, row.try_get(at).ok()?),
        Kind::Date => or_null(out, row.try_get::<_, Option<NaiveDate>>(at).ok()?, date),
        Kind::Instant => text(out, &row.try_get::<_, DateTime<Utc>>(at).ok()?.to_rfc3339()),
        Kind::Json => serde_json::to_writer(out, &row.try_get::<_, serde_json::Value>(at).ok()?).ok()?,
    }
    Some(())
}

fn or_null<T>(out: &mut Vec<u8>, value: Option<T>, write: impl Fn(&mut Vec<u8>, T)) {
    match value {
        Some(value) => write(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

/// The name of a variant as GraphQL writes it: `UnderReview` → `UNDER_REVIEW`.
fn screaming(out: &mut Vec<u8>, variant: &str) {
    out.push(b'"');
    for (index, letter) in variant.bytes().enumerate() {
        if index > 0 && letter.is_ascii_uppercase() {
            out.push(b'_');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out.push(b'"');
}

fn date(out: &mut Vec<u8>, on: NaiveDate) {
    let Ok(year @ 0..=9999) = u32::try_from(on.year()) else {
        return text(out, &on.to_string());
    };
    let digit = |number: u32| b'0' + u8::try_from(number % 10).unwrap_or_default();
    let (month, day) = (on.month(), on.day());
    out.extend_from_slice(&[
        b'"',
        digit(year / 1000),
        digit(year / 100),
        digit(year / 10),
        digit(year),
        b'-',
        digit(month / 10),
        digit(month),
        b'-',
        digit(day / 10),
        digit(day),
        b'"',
    ]);
}

pub(super) fn boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

pub(super) fn number(out: &mut Vec<u8>, value: i64) {
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(out, &value);
}

pub(super) fn text(out: &mut Vec<u8>, value: &str) {
    let _ = serde_json::to_writer(out, value);
}

/// A key of an object. GraphQL's names need no escaping.
pub(super) fn key(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

pub(super) fn comma(out: &mut Vec<u8>, index: usize) {
    if index > 0 {
        out.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn values_are_written_as_the_ordinary_path_writes_them() {
        for on in ["0001-01-01", "2026-02-28", "9999-12-31"] {
            let day: NaiveDate = on.parse().unwrap_or_default();
            assert_eq!(written(|out| date(out, day)), format!("\"{on}\""));
        }
        assert_eq!(written(|out| screaming(out, "UnderReview")), "\"UNDER_REVIEW\"");
        assert_eq!(written(|out| text(out, "a\"b\\\n中")), "\"a\\\"b\\\\\\n中\"");
    }

    #[test]
    fn every_stage_is_written_as_the_schema_names_it() {
        use strum_free::{all_stages, schema_name};
        for stage in all_stages() {
            assert_eq!(
                written(|out| screaming(out, stage.into())),
                format!("\"{}\"", schema_name(stage))
            );
        }
    }

    /// The stages and their names in the schema, found through GraphQL's own types.
    mod strum_free {
        use async_graphql::resolver_utils::EnumType;

        use crate::words;

        pub(super) fn all_stages() -> Vec<domain::case::Stage> {
            words::Stage::items().iter().map(|item| item.value.into()).collect()
        }

        pub(super) fn schema_name(stage: domain::case::Stage) -> &'static str {
            let stage = words::Stage::from(stage);
            words::Stage::items()
                .iter()
                .find(|item| item.value == stage)
                .map_or("", |item| item.name)
        }
    }
}
