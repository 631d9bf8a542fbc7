//! A process in a glass case: a world in memory, a clock that is moved by hand, and a player that drives one instance
//! step by step. Tests, the conformance suites and dry runs use it; nothing here is needed to run a process for real.
//!
//! After every step the player folds what happened, as it would be read from a store, into a second instance and compares
//! it with the first: a replay that differs is found where it begins to differ.

#![allow(
    clippy::match_bool,
    clippy::match_same_arms,
    clippy::should_implement_trait,
    clippy::wrong_self_convention,
    clippy::similar_names,
    clippy::doc_markdown,
    reason = "a kit for tests: tables of chances and of blocks read best as they are"
)]

mod looking;
mod player;
pub mod random;
mod simulation;
mod world;

pub use looking::describe;
pub use player::{NotPlayed, Player};
pub use simulation::Simulation;
pub use world::{World, person};
