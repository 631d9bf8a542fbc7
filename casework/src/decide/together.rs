//! A case and its process while one decision is made: working copies to which everything is applied that happens.

use decider::Decider as _;
use domain::case::{Case, CaseEvent, CaseState, CaseType};
use process_engine::instance::{self, Bindings, Command, Context, Instance, ProcessInstance, ROOT, StartedBy};
use serde_json::{Value, json};

use crate::{
    desk::{WorkDesk, person},
    rejection::WorkRejection,
    words::WorkEvent,
    worked::Work,
};

/// The role of whoever files for themselves.
const APPLICANT: &str = "applicant";

/// Why a decision ends.
pub(super) type Refused<T> = WorkRejection<<T as CaseType>::Rejection>;

/// One decision, step by step.
pub(super) struct Together<'a, T: CaseType> {
    pub(super) desk: &'a WorkDesk,
    pub(super) case: CaseState<T>,
    pub(super) process: Instance,
    /// What happened to the case.
    pub(super) of_case: Vec<CaseEvent<T>>,
    /// What happened to its process.
    pub(super) of_process: Vec<instance::Event>,
}

impl<'a, T: CaseType> Together<'a, T> {
    pub(super) fn of(work: &Work<T>, desk: &'a WorkDesk) -> Self {
        Self {
            desk,
            case: work.case.clone(),
            process: work.process.clone(),
            of_case: Vec::new(),
            of_process: Vec::new(),
        }
    }

    /// All that happened: to the case first.
    pub(super) fn events(self) -> Vec<WorkEvent<T>> {
        let of_case = self.of_case.into_iter().map(WorkEvent::Case);
        of_case.chain(self.of_process.into_iter().map(WorkEvent::Process)).collect()
    }

    /// These things happen to the case.
    pub(super) fn happen(&mut self, events: Vec<CaseEvent<T>>) {
        for event in &events {
            Case::<T>::evolve(&mut self.case, event);
        }
        self.of_case.extend(events);
    }

    /// Somebody asks something of the process.
    pub(super) fn ask(&mut self, command: &Command) -> Result<(), Refused<T>> {
        let context = self.desk.context(&self.case.kernel, command);
        self.step(command, &context)
    }

    /// The platform asks something of the process.
    pub(super) fn ask_as_platform(&mut self, command: &Command) -> Result<(), Refused<T>> {
        let context = self.desk.of_platform(&self.case.kernel);
        self.step(command, &context)
    }

    fn step(&mut self, command: &Command, context: &Context) -> Result<(), Refused<T>> {
        self.of_process
            .extend(ProcessInstance::step(&mut self.process, command, context)?);
        Ok(())
    }

    /// The process of the case begins, if its type has one.
    pub(super) fn begin(&mut self) -> Result<(), Refused<T>> {
        let desk = self.desk;
        let Some((process, version)) = desk.library.way_of(T::CATEGORY, desk.desk.today(), desk.case_id) else {
            return Ok(());
        };
        let actor = &desk.desk.actor;
        let applicant = self.case.kernel.applicant.as_ref();
        let starter = match applicant.filter(|_| actor.role != APPLICANT) {
            Some(applicant) => person(&applicant.id_no, &applicant.name),
            None => person(&actor.id, &actor.name),
        };
        self.ask_as_platform(&Command::Start {
            process,
            version,
            starter: Some(starter),
            business_key: Some(desk.case_id.to_string()),
            variables: self.variables(),
            by: StartedBy::Somebody,
        })
    }

    /// What the model's expressions see of the case.
    pub(super) fn variables(&self) -> Bindings {
        Bindings::from([
            ("form".to_owned(), self.case.kernel.form.read()),
            ("facts".to_owned(), self.facts()),
            ("stage".to_owned(), self.stage()),
            ("handler".to_owned(), self.handler()),
        ])
    }

    fn facts(&self) -> Value {
        let facts = T::facts(&self.case);
        facts
            .into_iter()
            .map(|fact| (fact.name.to_owned(), Value::String(fact.value)))
            .collect()
    }

    fn stage(&self) -> Value {
        Value::String(self.case.kernel.stage.to_string())
    }

    fn handler(&self) -> Value {
        match &self.case.kernel.handler {
            Some(handler) => json!({ "id": handler.id, "name": handler.name }),
            None => Value::Null,
        }
    }

    /// The process learns how the case stands now.
    pub(super) fn tell_variables(&mut self, before: &CaseState<T>) -> Result<(), Refused<T>> {
        let mut variables = Bindings::new();
        let (old, new) = (&before.kernel, &self.case.kernel);
        if old.stage != new.stage {
            variables.insert("stage".to_owned(), self.stage());
        }
        if old.handler != new.handler {
            variables.insert("handler".to_owned(), self.handler());
        }
        if old.corrections_of_data != new.corrections_of_data {
            variables.insert("form".to_owned(), new.form.read());
            variables.insert("facts".to_owned(), self.facts());
        }
        if variables.is_empty() {
            return Ok(());
        }
        let reason = "the case has moved on".to_owned();
        self.ask_as_platform(&Command::SetVariables {
            scope: ROOT,
            variables,
            reason,
        })
    }
}
