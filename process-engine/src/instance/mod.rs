//! A running process.
