//! Which streams are Zhulu's own: whoever else appends to them forges the record.

use domain::{
    case_types,
    registers::{calendar_publication, number_sequence, permit, project, staff},
};

use crate::{imports::batch, messages, reactions, refusals};

/// The categories of streams that are no cases.
const BESIDE_CASES: [&str; 10] = [
    number_sequence::CATEGORY,
    staff::CATEGORY,
    casework::deployment::CATEGORY,
    calendar_publication::CATEGORY,
    permit::CATEGORY,
    project::CATEGORY,
    refusals::CATEGORY,
    messages::CATEGORY,
    batch::CATEGORY,
    reactions::FAILURE_CATEGORY,
];

/// Whether only Zhulu itself may write to the stream of this name.
pub fn is_own(stream: &str) -> bool {
    let category = stream.split_once('-').map_or(stream, |(category, _)| category);
    case_types::CATEGORIES.contains(&category) || BESIDE_CASES.contains(&category)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_and_registers_are_own_and_others_streams_are_not() {
        for own in [
            "constructionPermit-0192f0c1",
            "permit-320684202603010101",
            "calendar-cn",
            "refusal-2026-03-01",
        ] {
            assert!(is_own(own), "{own}");
        }
        for other in ["invoice-1", "permits-1", "$settings", "orders", "$ce-permit"] {
            assert!(!is_own(other), "{other}");
        }
    }
}
