//! Cases of former systems, after their opening.

use super::{
    super::{
        events::Event,
        state::{Kernel, Stage},
    },
    enter,
};
use crate::metadata::bureau_date;

pub(super) fn fold(case: &mut Kernel, event: &Event) -> bool {
    match event {
        Event::ImportedStepRecorded { activity, at, .. } => {
            if let Some(imported) = case.imported.as_mut() {
                imported.last_activity = Some(activity.clone());
                imported.steps += 1;
            }
            if case.stage == Stage::Received {
                enter(case, Stage::UnderReview, bureau_date(*at));
            }
        }
        Event::ImportedDecisionRecorded {
            granted, licence_no, at, ..
        } => {
            let decided_on = bureau_date(*at);
            if let Some(imported) = case.imported.as_mut() {
                imported.decided_on = Some(decided_on);
                imported.licence_no.clone_from(licence_no);
            }
            enter(case, if *granted { Stage::Granted } else { Stage::Refused }, decided_on);
        }
        Event::ImportRolledBack { .. } => {
            if let Some(imported) = case.imported.as_mut() {
                imported.rolled_back = true;
            }
            case.stage = Stage::RolledBack;
        }
        _ => return false,
    }
    true
}
