//! Global ids and cursors: opaque outside, checked inside.
//!
//! An id is base64url of `Kind:key`, so `node(id)` needs no look-up to know where to go. A cursor is base64url of a
//! version, the order that it was made for and the values of the last row; a cursor of another list is refused.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

/// What a global id names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum GlobalId {
    /// A case, by its type and its own id.
    Case {
        /// The type's stream category.
        category: &'static str,
        /// The case's own id.
        case_id: Uuid,
    },
    /// A permit of the register, by its number.
    Permit(String),
    /// A project of the register, by its code.
    Project(String),
    /// An item of the catalogue, by its code.
    Item(String),
}

/// Why this is no id of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an id of this server; use the `id` that a query answered with")]
pub(crate) struct IdError(pub String);

impl GlobalId {
    /// The id as clients see it.
    pub(crate) fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(match self {
            Self::Case { category, case_id } => format!("Case:{category}-{case_id}"),
            Self::Permit(number) => format!("Permit:{number}"),
            Self::Project(code) => format!("Project:{code}"),
            Self::Item(code) => format!("Item:{code}"),
        })
    }

    /// Reads an id. A case's stream name (`constructionPermit-0192…`) is taken as well: people copy it from reports.
    pub(crate) fn decode(id: &str) -> Result<Self, IdError> {
        if let Some(case) = case_of_stream(id) {
            return Ok(case);
        }
        let broken = || IdError(id.to_owned());
        let bytes = URL_SAFE_NO_PAD.decode(id).map_err(|_| broken())?;
        let text = String::from_utf8(bytes).map_err(|_| broken())?;
        let (kind, key) = text.split_once(':').ok_or_else(broken)?;
        match (kind, key) {
            (_, "") => Err(broken()),
            ("Case", stream) => case_of_stream(stream).ok_or_else(broken),
            ("Permit", number) => Ok(Self::Permit(number.to_owned())),
            ("Project", code) => Ok(Self::Project(code.to_owned())),
            ("Item", code) => Ok(Self::Item(code.to_owned())),
            _ => Err(broken()),
        }
    }

    /// The id of a case; an error, if it names something else.
    pub(crate) fn decode_case(id: &str) -> Result<(&'static str, Uuid), IdError> {
        match Self::decode(id)? {
            Self::Case { category, case_id } => Ok((category, case_id)),
            _ => Err(IdError(id.to_owned())),
        }
    }
}

/// A case by the name of its stream.
fn case_of_stream(stream: &str) -> Option<GlobalId> {
    let (category, id) = stream.split_once('-')?;
    let category = known_category(category)?;
    Some(GlobalId::Case {
        category,
        case_id: Uuid::try_parse(id).ok()?,
    })
}

/// The case type of this name, if there is one.
pub(crate) fn known_category(category: &str) -> Option<&'static str> {
    domain::case_types::CATEGORIES
        .iter()
        .copied()
        .find(|known| *known == category)
}

/// The version of the cursor's shape.
const CURSOR_VERSION: &str = "1";

/// Why this is no cursor of this list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cursor was not made by this list in this order; start again from the first page")]
pub(crate) struct CursorError;

/// A cursor: the order that it was made for, and the last row's values in that order.
pub(crate) fn encode_cursor(order: &str, values: &[&str]) -> String {
    let mut text = String::with_capacity(64);
    text.push_str(CURSOR_VERSION);
    text.push('\u{1f}');
    text.push_str(order);
    for value in values {
        text.push('\u{1f}');
        text.push_str(value);
    }
    URL_SAFE_NO_PAD.encode(text)
}

/// The values of a cursor that was made for this order.
pub(crate) fn decode_cursor(cursor: &str, order: &str, values: usize) -> Result<Vec<String>, CursorError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| CursorError)?;
    let text = String::from_utf8(bytes).map_err(|_| CursorError)?;
    let mut parts = text.split('\u{1f}');
    if parts.next() != Some(CURSOR_VERSION) || parts.next() != Some(order) {
        return Err(CursorError);
    }
    let found: Vec<String> = parts.map(str::to_owned).collect();
    if found.len() == values { Ok(found) } else { Err(CursorError) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_kind_of_id_survives_a_round_trip() {
        for id in [
            GlobalId::Case {
                category: "constructionPermit",
                case_id: Uuid::from_u128(7),
            },
            GlobalId::Permit("320684202611180101".into()),
            GlobalId::Project("2026-320684-47-01-000001".into()),
            GlobalId::Item("SGXK".into()),
        ] {
            assert_eq!(GlobalId::decode(&id.encode()).unwrap(), id);
        }
    }

    #[test]
    fn a_stream_name_is_taken_for_the_id_of_its_case() {
        let id = GlobalId::Case {
            category: "constructionPermit",
            case_id: Uuid::from_u128(7),
        };
        assert_eq!(
            GlobalId::decode(&format!("constructionPermit-{}", Uuid::from_u128(7))).unwrap(),
            id
        );
    }

    #[test]
    fn foreign_and_broken_ids_are_refused() {
        for id in [
            "",
            "7",
            "Case:",
            "YWJj",
            "%%%",
            "numberSequence-00000000-0000-0000-0000-000000000007",
        ] {
            assert_eq!(GlobalId::decode(id), Err(IdError(id.to_owned())), "{id}");
        }
    }

    #[test]
    fn a_cursor_belongs_to_its_list_and_its_order() {
        let cursor = encode_cursor("submittedOn:desc", &["2026-01-05", "0192"]);
        assert_eq!(decode_cursor(&cursor, "submittedOn:desc", 2).unwrap(), ["2026-01-05", "0192"]);
        assert_eq!(decode_cursor(&cursor, "dueOn:asc", 2), Err(CursorError));
        assert_eq!(decode_cursor(&cursor, "submittedOn:desc", 3), Err(CursorError));
        assert_eq!(decode_cursor("tampered", "submittedOn:desc", 2), Err(CursorError));
        assert_eq!(decode_cursor("", "submittedOn:desc", 2), Err(CursorError));
    }
}
