//! The server as its clients see it: each rule of the protocol has a test that is named after it.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod access;
mod appending;
mod batching;
mod deleting;
mod following;
mod official;
mod persistent;
mod reading;
mod serving;
mod sessions;
mod support;
