//! Cases of former systems.

use super::{
    super::{
        events::Event,
        state::{Imported, Kernel, Stage},
    },
    enter,
};
use crate::metadata::bureau_date;

pub(super) fn fold(case: &mut Kernel, event: &Event) -> bool {
    match event {
        Event::ImportedCaseOpened {
            batch,
            source,
            legacy_id,
            item_code,
            region,
            attributes,
            activity,
            submitted_at,
            ..
        } => {
            let submitted_on = bureau_date(*submitted_at);
            *case = Kernel {
                item_code: item_code.clone(),
                region: region.clone(),
                received_on: Some(submitted_on),
                imported: Some(Imported {
                    batch: batch.clone(),
                    source: source.clone(),
                    legacy_id: legacy_id.clone(),
                    attributes: attributes.clone(),
                    submitted_on,
                    last_activity: activity.clone(),
                    steps: u32::from(activity.is_some()),
                    decided_on: None,
                    licence_no: None,
                    rolled_back: false,
                    worked_on: false,
                }),
                ..Kernel::default()
            };
            enter(case, Stage::Received, submitted_on);
        }
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
