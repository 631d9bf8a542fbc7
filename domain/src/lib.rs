//! The words and laws of the bureau (住建局). Pure: no clock, no I/O, nothing async.
//!
//! Every case type stands on one kernel ([`case`]); the list of them is [`case_types`]. What is no case but is kept for
//! ever is a register ([`registers`]). What both are decided by is in [`rules`]: calendars and item definitions, by version.

#[cfg(test)]
extern crate self as domain;

pub mod calendar;
pub mod case;
pub mod case_types;
pub mod metadata;
pub mod registers;
pub mod rules;
pub mod values;
