//! The process engine: BPMN 2.0, DMN, expressions and the approval verbs of Chinese offices, as pure functions.
//!
//! A model is read and checked once ([`bpmn`]) and becomes an executable graph ([`model`]). An instance of it is a
//! decider ([`instance`]): what happened and what is asked become what happens next. It knows nothing of housing, does no
//! I/O and reads no clock; whatever it needs from outside (the moment, models, people, a calendar) comes with the
//! [`Context`](instance::Context) and what was found there stands in the events.

pub mod bpmn;
pub mod conformance;
pub mod dmn;
pub mod expression;
pub mod finding;
pub mod instance;
pub mod model;
pub mod testing;
