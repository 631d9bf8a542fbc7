//! What became of an import, row by row and in sum.

use std::{collections::BTreeMap, io};

use serde::{Deserialize, Serialize};

use super::MAX_LISTED_REJECTS;

/// A row that was not imported, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reject {
    /// The line of the file where it begins.
    pub line: u64,
    /// Why, in a sentence.
    pub reason: String,
}

/// What became of an import: the figures by which it is reconciled with the source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// The batch.
    pub batch: String,
    /// Nothing was written; the figures say what would have been.
    pub dry_run: bool,
    /// Rows (permits, traces) read, good and bad.
    pub rows_read: u64,
    /// Cases written by this run.
    pub cases_written: u64,
    /// Events written by this run.
    pub events_written: u64,
    /// Cases that an earlier run of the same batch had written.
    pub already_there: u64,
    /// How many rows were rejected.
    pub rows_rejected: u64,
    /// The rejected rows by line, as many as are listed.
    pub rejected: Vec<Reject>,
    /// Sums over the good rows, written now or before (`issued`, `days_to_issue`, `city=seattle`, `unmapped: …`).
    pub sums: BTreeMap<String, i64>,
}

impl ImportReport {
    pub(super) fn reject(&mut self, reject: Reject) {
        self.rows_rejected += 1;
        if self.rejected.len() < MAX_LISTED_REJECTS {
            self.rejected.push(reject);
        }
    }

    pub(super) fn add(&mut self, sums: Vec<(String, i64)>) {
        for (name, value) in sums {
            *self.sums.entry(name).or_default() += value;
        }
    }

    /// Whether every row read is accounted for.
    pub fn adds_up(&self) -> bool {
        self.rows_read == self.cases_written + self.already_there + self.rows_rejected
    }

    /// Writes the rejected rows as CSV: line, reason.
    pub fn write_rejects(&self, into: impl io::Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(into);
        csv.write_record(["line", "reason"])?;
        for reject in &self.rejected {
            csv.write_record([reject.line.to_string().as_str(), reject.reason.as_str()])?;
        }
        csv.flush()
    }
}
