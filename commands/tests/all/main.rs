//! The way in, over the store in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod executing;
mod history;
mod importing;
mod permitting;
mod reacting;
mod support;
mod timing;
mod working;
