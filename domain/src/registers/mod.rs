//! Registers: what is no case but is kept for ever, each a decider with a stream of its own.

pub mod calendar_publication;
pub mod number_sequence;
pub mod permit;
pub mod project;
pub mod staff;

use serde::{Deserialize, Serialize};

/// What a case wants written into a register. Reactions do it; the same entry twice is one entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// Into the register of permits (许可证登记簿).
    Permit {
        /// The permit's number: the stream's id.
        permit_no: String,
        /// What to write.
        command: permit::Command,
    },
    /// Into the register of projects (项目库).
    Project {
        /// The project's code: the stream's id.
        project_code: String,
        /// What to write.
        command: project::Command,
    },
}
