//! A running process, as a decider: what happened and what is asked become what happens next.
//!
//! The marking of an instance is what is being done (elements, in a tree of scopes) and the tokens that wait on flows
//! before a join. `decide` works on a copy of the state ([`run`]): it takes one step after the other, and each step is an
//! event that is folded in at once, until nothing can go on by itself. So there is no second way to change the state.

mod command;
mod context;
mod decide;
mod event;
mod evolve;
mod keyed;
pub mod migration;
mod predicting;
mod run;
#[cfg(test)]
mod samples_test;
mod shared;
mod state;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod tests;
mod tokens;
mod trail;
mod values;
mod words;

pub use command::{Change, Command, Rejection, StartedBy};
pub use context::{Answer, Ask, Context, Outside};
pub use decide::{MAX_COPIES_AT_ONCE, MAX_OPINION_CHARACTERS, MAX_SIGNS_PER_TASK, MAX_URGES_PER_TASK};
pub use event::Event;
pub use keyed::Keyed;
pub use predicting::{Choice, Foreseen, Foresight, MAX_FORESEEN_EVENTS, MAX_FORESEEN_STEPS, Step, predict, try_out};
pub(crate) use run::can_be_begun;
pub use run::{
    MAX_STEPS_PER_COMMAND, PLATFORM_ID, PLATFORM_NAME,
    asking::{CHOSEN_BY_APPROVER, CHOSEN_BY_STARTER, MAX_PEOPLE_PER_TASK, NOBODY_APPROVES, NOBODY_REJECTS, SKIPPED_STARTER},
    late::{REMINDER, RETURNED_LATE},
    tasks::SKIPPED_DUPLICATE,
};
pub use shared::Shared;
pub use state::*;
pub use tokens::Tokens;
pub use trail::{Cause, Here, explain};
pub use values::Values;
pub use words::*;

/// The decider of instances.
pub struct ProcessInstance;

impl decider::Decider for ProcessInstance {
    type State = Instance;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Context = Context;

    fn decide(state: &Instance, command: &Command, context: &Context) -> Result<Vec<Event>, Rejection> {
        decide::decide(state, command, context)
    }

    fn evolve(state: &mut Instance, event: &Event) {
        evolve::evolve(state, event);
    }
}

impl ProcessInstance {
    /// Decides a command on an instance that is kept in memory, and folds in what happens: the same as `decide` and then
    /// `evolve` for each event, at half the cost. On a rejection the instance is as it was.
    pub fn step(instance: &mut Instance, command: &Command, context: &Context) -> Result<Vec<Event>, Rejection> {
        decide::step(instance, command, context)
    }
}
