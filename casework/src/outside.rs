//! What a process may ask about the world around its case.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{calendar::Calendar, case::Kernel, metadata::bureau_date, registers::staff::Directory};
use process_engine::{
    dmn::DecisionModel,
    expression::Variables,
    instance::{Answer, Ask, Outside, Person},
    model::{Process, ProcessRef, Strategy},
};
use uuid::Uuid;

use crate::{desk::WorkDesk, library::Library};

/// China Standard Time, the bureau's only clock: UTC+8.
const UTC_OFFSET_SECONDS: i32 = 8 * 3600;

/// The world around one case.
pub(crate) struct Around {
    library: Library,
    directory: Directory,
    calendar: Calendar,
    today: NaiveDate,
    /// The day that the case came in on: it is decided by the tables of that day, and goes by its rules and forms; by today's,
    /// where there were none yet.
    since: NaiveDate,
    case_id: Uuid,
}

impl Around {
    pub(crate) fn of(desk: &WorkDesk, kernel: &Kernel) -> Self {
        Self {
            library: desk.library.clone(),
            directory: desk.directory.clone(),
            calendar: kernel.calendar(&desk.desk.rules).clone(),
            today: bureau_date(desk.desk.now),
            since: kernel.received_on.unwrap_or_else(|| bureau_date(desk.desk.now)),
            case_id: desk.case_id,
        }
    }
}

impl Outside for Around {
    fn process(&self, reference: &ProcessRef) -> Option<Arc<Process>> {
        self.library.process(reference).cloned()
    }

    fn called(&self, name: &str, _caller: &ProcessRef) -> Option<(ProcessRef, u32)> {
        self.library.current(name, self.today)
    }

    fn people(&self, ask: &Ask<'_>) -> Result<Vec<Person>, String> {
        crate::candidates::found(&self.directory, ask)
    }

    fn rule(&self, name: &str) -> Result<Vec<(Strategy, Option<String>)>, String> {
        let of = |day| self.library.candidate_rule(name, day, self.case_id);
        let rule = of(self.since)
            .or_else(|| of(self.today))
            .ok_or_else(|| format!("there is no rule {name} for candidates; deploy one"))?;
        Ok(rule.people().collect())
    }

    fn form(&self, key: &str) -> Option<String> {
        let of = |day| self.library.form_of(key, day, self.case_id);
        let (hash, _) = of(self.since).or_else(|| of(self.today))?;
        Some(hash.to_string())
    }

    fn substitute(&self, person: &Person, now: DateTime<Utc>) -> Option<Person> {
        self.directory
            .substitute_of(&person.id, bureau_date(now))
            .map(crate::candidates::person_of)
    }

    fn decide(&self, decision: &str, variables: &dyn Variables) -> Result<Answer, String> {
        let of = |day| self.library.decision(decision, day, self.case_id);
        let model = of(self.since)
            .or_else(|| of(self.today))
            .ok_or_else(|| format!("there is no decision {decision}; deploy one"))?;
        answer(model, decision, variables)
    }

    fn add_working_days(&self, from: NaiveDate, days: u32) -> NaiveDate {
        self.calendar.add_working_days(from, days).on
    }

    fn utc_offset_seconds(&self) -> i32 {
        UTC_OFFSET_SECONDS
    }
}

/// What a table answers.
pub(crate) fn answer(model: &DecisionModel, decision: &str, variables: &dyn Variables) -> Result<Answer, String> {
    let decided = model.evaluate(decision, variables)?;
    Ok(Answer {
        model: model.hash().to_string(),
        inputs: decided.inputs.into_iter().collect(),
        rules: decided.rules,
        outputs: decided.outputs,
    })
}
