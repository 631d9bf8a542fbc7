//! How far the engine does what the standards say, measured with suites that others wrote.
//!
//! Pure like the rest: whoever calls reads the files.

pub mod betsy;
