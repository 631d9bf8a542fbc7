//! The ground of the house: what it means to decide.
//!
//! A *decider* decides, a *stream* remembers, a *view* shows. A case, a register entry, a number sequence are all
//! deciders: from what has happened and what is asked now, they say what happens next, or why not.
//! This room knows no other room, does no I/O and reads no clock.

pub mod stored;
pub mod testing;

/// From what has happened and what is asked now: what happens next, or why not.
pub trait Decider {
    /// Everything that the past left behind. Folded from events, never stored as truth.
    type State: Clone + Default + Send + Sync + 'static;
    /// What somebody asks for.
    type Command: Send + Sync + 'static;
    /// What happened. Stored for ever: add, never change.
    type Event: Clone + Send + Sync + 'static;
    /// Why not. A sentence that the asker can act on.
    type Rejection: std::error::Error + Send + Sync + 'static;
    /// What a decision may look at besides the past: the moment, the actor, the rules in force.
    type Context: Send + Sync;

    /// The law: what is asked, against where we are. Pure: the clock is in `context`.
    fn decide(state: &Self::State, command: &Self::Command, context: &Self::Context)
    -> Result<Vec<Self::Event>, Self::Rejection>;

    /// What an event changes. Total: history cannot be refused.
    fn evolve(state: &mut Self::State, event: &Self::Event);
}

/// The state after these events, from nothing.
pub fn replay<'a, D: Decider>(events: impl IntoIterator<Item = &'a D::Event>) -> D::State
where
    D::Event: 'a,
{
    let mut state = D::State::default();
    for event in events {
        D::evolve(&mut state, event);
    }
    state
}
