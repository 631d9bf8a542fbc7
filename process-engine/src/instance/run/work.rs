//! What tasks do when they begin.

use std::sync::Arc;

use serde_json::Value;

use super::{Run, Stuck};
use crate::{
    instance::{
        command::Rejection,
        event::Event,
        words::{Bindings, Key, Obstacle},
    },
    model::{NodeIx, Process, Script, Task, Work},
};

impl Run<'_> {
    /// A task begins: what needs nobody is done at once.
    pub(super) fn begin_work(
        &mut self,
        process: &Arc<Process>,
        at: NodeIx,
        key: Key,
        task: &Task,
    ) -> Result<Result<(), Stuck>, Rejection> {
        match &task.work {
            Work::Nothing | Work::Manual => self.leave(key).map(Ok),
            Work::User(user) => self.open_task(process, at, key, user),
            Work::Script(Script::Feel {
                expression,
                result_variable,
            }) => {
                let value = match self.value(expression, key) {
                    Ok(value) => value,
                    Err(cause) => return Ok(Err(cause.into())),
                };
                let variables: Bindings = match (result_variable, value) {
                    (Some(name), value) => Bindings::from([(name.clone(), value)]),
                    (None, Value::Object(entries)) => entries.into_iter().collect(),
                    (None, _) => Bindings::new(),
                };
                if !variables.is_empty() {
                    self.set(key, variables);
                }
                self.leave(key).map(Ok)
            }
            Work::Script(Script::Foreign { format, text }) => {
                let fields = Bindings::from([("script".to_owned(), Value::String(text.clone()))]);
                self.emit(Event::JobCreated {
                    key,
                    kind: format!("script:{format}"),
                    fields,
                    tries: 1,
                });
                Ok(Ok(()))
            }
            _ => Self::refuse(Stuck::new(Obstacle::Job, "this kind of task is not done yet")),
        }
    }
}
