//! The decider of a case at work.

use std::marker::PhantomData;

use decider::Decider;
use domain::case::{Case, CaseState, CaseType};
use process_engine::instance::{Instance, ProcessInstance};
use serde::Serialize;

use crate::{
    decide,
    desk::WorkDesk,
    rejection::WorkRejection,
    words::{WorkCommand, WorkEvent},
};

/// A case and its process as one decider.
pub struct Worked<T>(PhantomData<T>);

/// The state of a case at work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Work<T: CaseType> {
    /// The case.
    pub case: CaseState<T>,
    /// Its process; not started, if it has none.
    pub process: Instance,
}

impl<T: CaseType> Default for Work<T> {
    fn default() -> Self {
        Self {
            case: CaseState::default(),
            process: Instance::default(),
        }
    }
}

impl<T: CaseType> Decider for Worked<T> {
    type State = Work<T>;
    type Command = WorkCommand<T>;
    type Event = WorkEvent<T>;
    type Rejection = WorkRejection<T::Rejection>;
    type Context = WorkDesk;

    fn decide(state: &Work<T>, command: &WorkCommand<T>, desk: &WorkDesk) -> Result<Vec<WorkEvent<T>>, Self::Rejection> {
        decide::decide(state, command, desk)
    }

    fn evolve(state: &mut Work<T>, event: &WorkEvent<T>) {
        match event {
            WorkEvent::Case(event) => Case::<T>::evolve(&mut state.case, event),
            WorkEvent::Process(event) => ProcessInstance::evolve(&mut state.process, event),
        }
    }
}
