//! Given what has happened, when this is asked, then that happens: the test kit of every decider.

use std::fmt::Debug;

use crate::{Decider, replay};

/// What has happened before the question.
pub fn given<D: Decider>(events: impl IntoIterator<Item = D::Event>) -> Given<D> {
    Given {
        events: events.into_iter().collect(),
    }
}

/// A past, waiting for its context.
pub struct Given<D: Decider> {
    events: Vec<D::Event>,
}

/// A past and a context, waiting for a question.
pub struct At<'a, D: Decider> {
    events: Vec<D::Event>,
    context: &'a D::Context,
}

/// An answer, waiting to be looked at.
pub struct Then<D: Decider> {
    events: Vec<D::Event>,
    answer: Result<Vec<D::Event>, D::Rejection>,
}

impl<D: Decider> Given<D> {
    /// The moment, the actor and the rules under which the question is asked.
    pub fn at(self, context: &D::Context) -> At<'_, D> {
        At {
            events: self.events,
            context,
        }
    }

    /// The state after this past.
    pub fn state(&self) -> D::State {
        replay::<D>(&self.events)
    }
}

impl<D: Decider> At<'_, D> {
    /// Asks.
    pub fn when(self, command: &D::Command) -> Then<D> {
        let answer = D::decide(&replay::<D>(&self.events), command, self.context);
        Then {
            events: self.events,
            answer,
        }
    }
}

impl<D: Decider> Then<D>
where
    D::Event: Debug + PartialEq,
{
    /// Exactly these events happened.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = D::Event>) {
        let expected: Vec<_> = expected.into_iter().collect();
        match self.answer {
            Ok(events) => assert_eq!(events, expected),
            Err(rejection) => panic!("expected {expected:?}, but it was refused: {rejection}"),
        }
    }

    /// Something happened; the whole story so far, to go on with.
    #[track_caller]
    pub fn then_accepted(self) -> Vec<D::Event> {
        match self.answer {
            Ok(events) => self.events.into_iter().chain(events).collect(),
            Err(rejection) => panic!("it was refused: {rejection}"),
        }
    }

    /// It was refused, for exactly this reason.
    #[track_caller]
    pub fn then_rejected(self, expected: &D::Rejection)
    where
        D::Rejection: PartialEq,
    {
        match self.answer {
            Ok(events) => panic!("expected the refusal {expected:?}, but this happened: {events:?}"),
            Err(rejection) => assert_eq!(&rejection, expected),
        }
    }
}
