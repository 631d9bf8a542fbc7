//! The words and laws of the bureau (住建局). Pure: no clock, no I/O, nothing async.

pub mod calendar;
pub mod values;
