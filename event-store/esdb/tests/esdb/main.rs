//! The store behind an address: the contract's suite, and everything that can happen to a connection.
#![allow(clippy::unwrap_used, missing_docs)]

mod cluster;
mod deleted;
mod ended;
mod fake;
mod faults;
mod house;
mod moving;
mod proxy;
mod scope;
mod secure;
mod suite;
