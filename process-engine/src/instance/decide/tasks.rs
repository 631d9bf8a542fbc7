//! What people do with their tasks.

use crate::instance::{
    command::{Command, Rejection},
    event::Event,
    run::Run,
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
    let by = run.platform();
    run.emit(Event::TaskCompleted {
        key: *key,
        by: by.clone(),
        on_behalf_of: run.context.on_behalf_of.clone(),
        outcome: outcome.clone(),
        said: said.clone(),
        form: form.clone(),
        at: run.context.now,
    });
    run.set(owner, form.clone());
    run.decided(owner, *key, Some(&by), outcome)
}
