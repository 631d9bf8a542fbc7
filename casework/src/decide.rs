//! What is asked of a case at work, against its law and its process: both say yes, or nothing happens.
//!
//! The events of the case come first, then those of its process. A case without a process is decided by the law alone.

mod following;
mod returning;
mod together;

use decider::Decider as _;
use domain::metadata::Channel;
use domain::{
    case::{Case, CaseCommand, CaseEvent, CaseType, Event},
    case_types::{self, CaseTypeTask, is_kernel_event},
};
use process_engine::instance;
use strum::VariantNames as _;

use crate::{
    desk::WorkDesk,
    forms::{self, FormFaulty},
    rejection::{OutOfStep, WorkRejection},
    words::{WorkCommand, WorkEvent, name_of},
    worked::Work,
};
use together::Together;

type Decided<T> = Result<Vec<WorkEvent<T>>, WorkRejection<<T as CaseType>::Rejection>>;

/// Decides a command.
pub(crate) fn decide<T: CaseType>(work: &Work<T>, command: &WorkCommand<T>, desk: &WorkDesk) -> Decided<T> {
    match command {
        WorkCommand::Case(command) => of_case(work, command, None, desk),
        WorkCommand::Process(command) => of_process(work, command, desk),
        WorkCommand::Task { completion, with: None } => of_process(work, completion, desk),
        WorkCommand::Task {
            completion,
            with: Some(command),
        } => {
            belong_together(work, completion, name_of(command))?;
            filled_in(work, completion, desk)?;
            of_case(work, command, Some(completion), desk)
        }
    }
}

/// The law first; then the process goes on with what happened.
fn of_case<T: CaseType>(
    work: &Work<T>,
    command: &CaseCommand<T>,
    done_with: Option<&instance::Command>,
    desk: &WorkDesk,
) -> Decided<T> {
    let law = || Case::<T>::decide(&work.case, command, &desk.desk).map_err(WorkRejection::Case);
    let happened = law()?;
    let is_new = work.process.started.is_none() && happened.iter().any(is_submission);
    if happened.is_empty() || !(is_new || work.process.is_running()) {
        return Ok(happened.into_iter().map(WorkEvent::Case).collect());
    }
    let mut together = Together::of(work, desk);
    together.happen(happened);
    let followed = if is_new {
        together.begin()
    } else {
        together.follow(work, command, done_with)
    };
    match followed {
        Ok(()) => Ok(together.events()),
        // What the law does by itself (a day that has passed, a number) is never held up by a process.
        Err(_) if desk.desk.actor.channel == Channel::System => Ok(law()?.into_iter().map(WorkEvent::Case).collect()),
        Err(refused) => Err(refused),
    }
}

/// The process first; where it goes back to a step that the law has left, the law is asked to go back as well.
fn of_process<T: CaseType>(work: &Work<T>, command: &instance::Command, desk: &WorkDesk) -> Decided<T> {
    if let instance::Command::CompleteTask { task: key, .. } = command
        && let Some(task) = work.process.tasks.get(key).filter(|task| !task.means.is_empty())
    {
        let (task, means) = (*key, task.means.clone());
        return Err(OutOfStep::MeansACommand { task, means }.into());
    }
    if let instance::Command::DeliverMessage { name, .. } = command
        && is_event_of_case::<T>(name)
    {
        let message = name.clone();
        return Err(OutOfStep::ToldByTheCase { message }.into());
    }
    filled_in(work, command, desk)?;
    let mut together = Together::of(work, desk);
    together.ask(command)?;
    together.go_back_with(work, command)?;
    Ok(together.events())
}

/// The answers of a task that has a form are as the form wants them.
fn filled_in<T: CaseType>(work: &Work<T>, completion: &instance::Command, desk: &WorkDesk) -> Result<(), FormFaulty> {
    let instance::Command::CompleteTask { task, outcome, form, .. } = completion else {
        return Ok(());
    };
    // Whoever was only asked for advice (委派) decides nothing, and fills in nothing.
    let decides = work.process.tasks.get(task).filter(|task| task.delegated_by.is_none());
    let pinned = decides.and_then(|task| task.form.as_deref());
    match pinned.and_then(|hash| desk.library.form(hash)) {
        Some(definition) => forms::check(*task, definition, form, outcome),
        None => Ok(()),
    }
}

/// A task is finished together with a command only if that is what it means.
fn belong_together<T: CaseType>(work: &Work<T>, completion: &instance::Command, command: &str) -> Result<(), OutOfStep> {
    let instance::Command::CompleteTask { task: key, .. } = completion else {
        return Ok(());
    };
    let Some(task) = work.process.tasks.get(key) else {
        return Ok(());
    };
    if task.means.iter().any(|means| means == command) {
        return Ok(());
    }
    let (task, means) = (*key, task.means.clone());
    if means.is_empty() {
        let command = command.to_owned();
        return Err(OutOfStep::MeansNoCommand { task, command });
    }
    Err(OutOfStep::MeansACommand { task, means })
}

/// Whether a message has the name of something that happens to cases of this type: the process would believe what is not so.
fn is_event_of_case<T: CaseType>(message: &str) -> bool {
    is_kernel_event(message) || T::Event::VARIANTS.contains(&message)
}

/// Whether messages of this name are told to the processes of cases of a type by the case alone.
pub fn is_told_by_the_case(category: &str, message: &str) -> bool {
    struct Own<'a>(&'a str);
    impl CaseTypeTask for Own<'_> {
        type Output = bool;

        fn run<T: CaseType>(self) -> bool {
            is_event_of_case::<T>(self.0)
        }
    }
    case_types::with_type(category, Own(message)).unwrap_or_else(|| is_kernel_event(message))
}

fn is_submission<T: CaseType>(event: &CaseEvent<T>) -> bool {
    matches!(event, CaseEvent::Kernel(Event::ApplicationSubmitted { .. }))
}
