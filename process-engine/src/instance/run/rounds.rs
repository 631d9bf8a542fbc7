//! Repeated activities: the activity as a whole is a scope, each round an element in it.

use std::sync::Arc;

use super::{Run, Stuck};
use crate::{
    instance::{
        command::Rejection,
        words::{Key, Obstacle},
    },
    model::{NodeIx, Process},
};

impl Run<'_> {
    /// A repeated activity begins: finds out what it runs over, and begins its first rounds.
    pub(super) fn begin_rounds(
        &mut self,
        _process: &Arc<Process>,
        _at: NodeIx,
        _key: Key,
    ) -> Result<Result<(), Stuck>, Rejection> {
        Self::refuse(Stuck::new(Obstacle::Endless, "repeated activities are not done yet"))
    }

    /// A round is done.
    pub(super) fn leave_round(&mut self, _process: &Arc<Process>, _at: NodeIx, _key: Key) -> Result<(), Rejection> {
        Ok(())
    }

    /// Whether a scope is a repeated activity as a whole.
    pub(super) fn holds_rounds(&self, scope: Key) -> bool {
        self.state
            .elements
            .get(&scope)
            .is_some_and(|element| element.rounds.is_some())
    }

    /// Begins the next rounds, or ends the activity.
    pub(super) fn look_at_rounds(&mut self, scope: Key) -> Result<(), Rejection> {
        // A vote that is over ends the activity, whatever is still open.
        if self.look_at_vote(scope)? {
            return Ok(());
        }
        Ok(())
    }
}
