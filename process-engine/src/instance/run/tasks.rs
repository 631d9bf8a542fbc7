//! A user task begins: who is asked, and what is shown.

use std::sync::Arc;

use super::{Run, Stuck};
use crate::{
    instance::{command::Rejection, event::Event, words::Key},
    model::{NodeIx, Process, UserTask},
};

impl Run<'_> {
    /// Opens a task for people.
    pub(super) fn open_task(
        &mut self,
        process: &Arc<Process>,
        at: NodeIx,
        key: Key,
        user: &UserTask,
    ) -> Result<Result<(), Stuck>, Rejection> {
        let node = process.node(at);
        self.emit(Event::TaskOpened {
            key,
            owner: key,
            element: node.id.clone(),
            name: node.name.clone(),
            candidates: Vec::new(),
            assignee: None,
            by_rule: None,
            form_key: None,
            priority: None,
            due_at: None,
            means: user.means.clone(),
            substitute: None,
            at: self.context.now,
        });
        Ok(Ok(()))
    }
}
