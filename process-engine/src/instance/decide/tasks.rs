//! What people do with their tasks.

use crate::instance::{
    command::{Command, Rejection},
    event::Event,
    run::Run,
    words::{Bindings, Person},
};

/// 办理
pub(super) fn complete(run: &mut Run<'_>, command: &Command) -> Result<(), Rejection> {
    let Command::CompleteTask {
        task: key,
        outcome,
        said,
        form,
        ..
    } = command
    else {
        return Ok(());
    };
    let task = run.state.tasks.get(key).ok_or(Rejection::NoSuchTask { task: *key })?;
    let owner = task.owner;
    let by = run.context.actor.clone().unwrap_or_else(|| Person {
        id: "zhulu".into(),
        name: "筑录平台".into(),
    });
    run.emit(Event::TaskCompleted {
        key: *key,
        by,
        on_behalf_of: run.context.on_behalf_of.clone(),
        outcome: outcome.clone(),
        said: said.clone(),
        form: form.clone(),
        at: run.context.now,
    });
    let mut variables: Bindings = form.clone();
    variables.insert("outcome".to_owned(), outcome.as_str().into());
    run.set(owner, variables);
    run.leave(owner)
}
