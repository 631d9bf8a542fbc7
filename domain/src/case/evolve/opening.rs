//! The two events that open a case. They carry nearly all of its bytes, so they are taken over whole where they can be.

use super::{
    super::{
        events::Event,
        state::{Imported, Kernel, Stage},
    },
    enter, put,
};
use crate::metadata::bureau_date;

/// Takes an opening event over; gives back any other.
pub(super) fn take(case: &mut Kernel, event: Event) -> Option<Event> {
    match event {
        Event::ApplicationSubmitted {
            item_code,
            item_version,
            number_prefix,
            calendar_edition,
            region,
            project_code,
            applicant,
            agent,
            received_on,
            form,
            materials,
        } => {
            case.item_code = item_code;
            case.item_version = item_version;
            case.number_prefix = number_prefix;
            case.calendar_edition = calendar_edition;
            case.region = region;
            case.project_code = project_code;
            case.applicant = Some(applicant);
            case.agent = agent;
            case.received_on = Some(received_on);
            case.form = form;
            for material in materials {
                put(&mut case.materials, material);
            }
            enter(case, Stage::Received, received_on);
        }
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
            let submitted_on = bureau_date(submitted_at);
            *case = Kernel {
                item_code,
                region,
                received_on: Some(submitted_on),
                imported: Some(Imported {
                    batch,
                    source,
                    legacy_id,
                    attributes,
                    submitted_on,
                    steps: u32::from(activity.is_some()),
                    last_activity: activity,
                    decided_on: None,
                    licence_no: None,
                    rolled_back: false,
                    worked_on: false,
                }),
                ..Kernel::default()
            };
            enter(case, Stage::Received, submitted_on);
        }
        other => return Some(other),
    }
    None
}
