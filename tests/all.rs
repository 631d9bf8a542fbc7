//! What is true of the whole house: its rules, its stories through the real binary, its behaviour when it is killed.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::needless_pass_by_value,
    clippy::doc_markdown,
    clippy::case_sensitive_file_extension_comparisons,
    missing_docs,
    unreachable_pub,
    reason = "a test that cannot go on should stop where it is"
)]

mod cli;
mod clients;
mod faults;
mod imports;
mod running;
mod stores;
mod stories;
mod tidy;
