//! Questions about what comes next and why things are where they are. Nothing is written, and no view is asked.

use casework::{Trial, TrialError, Tried, WorkDesk};
use process_engine::instance::{Choice, Here, Step};
use uuid::Uuid;

use crate::{
    bureau::{Bureau, unreadable},
    envelope::{CommandError, Envelope},
    history::{CaseAt, Moment},
};

impl Bureau {
    /// What comes next in the process of a case, with the case; none, if there is no such case.
    pub async fn foresee(
        &self,
        category: &str,
        case_id: Uuid,
        choices: &[Choice],
        envelope: &Envelope,
    ) -> Result<Option<(CaseAt, Vec<Step>)>, CommandError> {
        let Some(found) = self.case_at(category, case_id, Moment::Head).await? else {
            return Ok(None);
        };
        let desk = self.work_desk(case_id, Some(&found.case.kernel().region), envelope);
        let steps = casework::foresee(&found.case, choices, &desk);
        Ok(Some((found, steps)))
    }

    /// Why everything in the process of a case was where it was at a moment, with the case as it was then; none, if there
    /// was no such case.
    pub async fn why(
        &self,
        category: &str,
        case_id: Uuid,
        at: Moment,
        envelope: &Envelope,
    ) -> Result<Option<(CaseAt, Vec<Here>)>, CommandError> {
        let Some(found) = self.case_at(category, case_id, at).await? else {
            return Ok(None);
        };
        let mut happened = Vec::new();
        for event in self.events_until(category, case_id, at).await? {
            let read = casework::of_process(&event.name, &event.data);
            happened.extend(read.map_err(|cause| unreadable(&event, &cause))?);
        }
        let desk = self.work_desk(case_id, Some(&found.case.kernel().region), envelope);
        let here = casework::why(&happened, found.case.kernel(), &desk);
        Ok(Some((found, here)))
    }

    /// Tries a model that nobody has deployed, or another version than the one in force.
    pub fn try_out(&self, trial: &Trial, envelope: &Envelope) -> Result<Tried, TrialError> {
        casework::try_out(trial, &self.work_desk(Uuid::nil(), None, envelope))
    }

    /// What a decision about a case at work would look at now.
    fn work_desk(&self, case_id: Uuid, region: Option<&str>, envelope: &Envelope) -> WorkDesk {
        WorkDesk {
            desk: self.desk(envelope, region.filter(|region| !region.is_empty())),
            library: self.library(),
            directory: self.directory(),
            case_id,
            seed: envelope.command_id.as_u64_pair().1,
        }
    }
}
