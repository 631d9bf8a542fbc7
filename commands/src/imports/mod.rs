//! What a former system knew, brought in: rows are read ([`permits`], [`xes`]), checked, and written by a [`batch`] that can be
//! repeated, and [rolled back](rollback).

pub mod batch;
pub mod permits;
pub mod report;
pub mod rollback;
mod source;
pub mod xes;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::case::commands::{ImportDecision, ImportStep};

pub use batch::{ImportProgress, Order, run};
pub use report::{ImportReport, Reject};
pub use rollback::{RollbackReport, roll_back};
pub use source::open;

/// The most rows (permits, traces) that one import takes; more are split into several files.
pub const MAX_ROWS_PER_IMPORT: u64 = 10_000_000;
/// The most rejected rows that a report lists; the others are counted.
pub const MAX_LISTED_REJECTS: usize = 100_000;
/// The most rejected rows that the record of the batch keeps.
pub const MAX_RECORDED_REJECTS: usize = 100;

/// What a reader found.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// A case.
    Case(Box<ImportRow>),
    /// Something that cannot be imported, and why.
    Reject(Reject),
}

/// A case of a former system, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportRow {
    /// The line of the file where it begins.
    pub line: u64,
    /// The former system.
    pub source: String,
    /// The case's number there; together with the source it names the case for ever.
    pub legacy_id: String,
    /// The columns or attributes, under their own names.
    pub attributes: BTreeMap<String, String>,
    /// When it was submitted.
    pub submitted_at: DateTime<Utc>,
    /// What the former system called the first step.
    pub activity: Option<String>,
    /// Who did the first step.
    pub resource: Option<String>,
    /// Further steps.
    pub steps: Vec<ImportStep>,
    /// The outcome.
    pub decision: Option<ImportDecision>,
    /// What it adds to the sums of the report.
    pub sums: Vec<(String, i64)>,
}
