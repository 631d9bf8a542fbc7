//! What a view is, and what it looks at.

use std::{cell::OnceCell, collections::BTreeMap, sync::OnceLock};

use casework::AnyWork;
use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    case::{Deadline, Fact, NumberKind, Stage},
    metadata::bureau_date,
    rules::Rules,
};
use event_store_contract::{Position, RecordedEvent};
use uuid::Uuid;

use crate::{fold::Stamp, rows::Rows};

/// The source of cases that were filed here.
pub const NATIVE: &str = "native";

/// Rows in PostgreSQL that are a pure function of the events.
///
/// Nothing here reads a clock or another view, so a view that was rebuilt equals one that followed, row for row.
pub trait View: Send + Sync + 'static {
    /// Its name: the folder, the beginning of its tables' names.
    fn name(&self) -> &'static str;
    /// Grows with every change of its rows or tables; the view is then rebuilt.
    fn version(&self) -> u32;
    /// Its tables; rows are written to them by their place in this list.
    fn tables(&self) -> &'static [Table];
    /// How its tables are created. What follows the line `-- after loading` is done when the rows are in.
    fn tables_sql(&self) -> &'static str;
    /// The rows of one case, from its fold. They replace all earlier rows of that case.
    fn rows(&self, case: &SeenCase, rules: &Rules, out: &mut Rows) -> Result<(), ViewError>;
    /// The rows of one event. They stay, unless the import that brought them is rolled back.
    /// The case is as it stands after the event; the two times of its last event are not read yet, see `event.stamp()`.
    fn event_rows(&self, _case: &SeenCase, _event: &SeenEvent<'_>, _rules: &Rules, _out: &mut Rows) -> Result<(), ViewError> {
        Ok(())
    }
}

/// A table of a view. It has a column `case_id uuid`; a table of events has a column `position bigint` as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its name (`worklist_tasks`).
    pub name: &'static str,
    /// What its rows come from.
    pub rows_of: RowsOf,
}

/// What the rows of a table come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsOf {
    /// The fold of a case: replaced as a whole when the case changes.
    Case,
    /// One event: added once.
    Event,
}

/// Why a view cannot take an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ViewError(pub String);

/// A case as it stands after an event.
#[derive(Debug, Clone)]
pub struct SeenCase {
    /// The case's id: what follows the category in its stream's name.
    pub id: Uuid,
    /// Its type's stream category.
    pub category: &'static str,
    /// The fold.
    pub case: AnyWork,
    /// The revision of its last event.
    pub revision: u64,
    /// The position of its last event.
    pub position: Position,
    /// When its first event was recorded.
    pub first_recorded_at: DateTime<Utc>,
    /// When its last event was recorded.
    pub last_recorded_at: DateTime<Utc>,
    /// When its last event happened.
    pub last_occurred_at: DateTime<Utc>,
    /// The first event that could not be read, if there is one; the fold is without it.
    pub unreadable: Option<Unreadable>,
    /// What several views ask of the fold, worked out once.
    pub(crate) told: ToldOnce,
}

/// What several views ask of a fold.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToldOnce {
    facts: OnceLock<Vec<Fact>>,
    deadlines: OnceLock<Vec<Deadline>>,
}

/// An event that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The event.
    pub event_id: Uuid,
    /// The event's name.
    pub name: String,
    /// Its revision in the stream.
    pub revision: u64,
    /// Its position in the log.
    pub position: Position,
    /// What the reader said.
    pub reason: String,
}

impl SeenCase {
    /// Whether views show it: something was filed, and it was not taken back with its import.
    pub fn is_shown(&self) -> bool {
        !matches!(self.case.kernel().stage, Stage::Draft | Stage::RolledBack)
    }

    /// What lists and reports show.
    pub fn facts(&self) -> &[Fact] {
        self.told.facts.get_or_init(|| self.case.facts())
    }

    /// A fact's value by its name.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts()
            .iter()
            .find(|fact| fact.name == name)
            .map(|fact| fact.value.as_str())
    }

    /// Everything that is due. The rules are those that the view was given with the case.
    pub fn deadlines(&self, rules: &Rules) -> &[Deadline] {
        self.told.deadlines.get_or_init(|| self.case.deadlines(rules))
    }

    /// 办件编号; none, until it was allocated.
    pub fn case_no(&self) -> Option<&str> {
        self.case.kernel().numbers.get(&NumberKind::Case).map(String::as_str)
    }

    /// 证照编号, our own or that of the former system.
    pub fn licence_no(&self) -> Option<&str> {
        let kernel = self.case.kernel();
        let imported = || kernel.imported.as_ref().and_then(|imported| imported.licence_no.as_deref());
        kernel.numbers.get(&NumberKind::Licence).map(String::as_str).or_else(imported)
    }

    /// Where it came from: [`NATIVE`], or the source that it was imported from.
    pub fn source(&self) -> &str {
        self.case
            .kernel()
            .imported
            .as_ref()
            .map_or(NATIVE, |imported| imported.source.as_str())
    }

    /// The day on which it was filed.
    pub fn submitted_on(&self) -> NaiveDate {
        self.case
            .kernel()
            .received_on
            .unwrap_or_else(|| bureau_date(self.first_recorded_at))
    }

    /// The day of a decision in the applicant's favour.
    pub fn issued_on(&self) -> Option<NaiveDate> {
        let kernel = self.case.kernel();
        let granted = match &kernel.decision {
            Some(decision) => decision.granted,
            None => kernel.stage != Stage::Refused,
        };
        kernel.decided_on().filter(|_| granted)
    }

    /// What was recorded with the case: the columns of an imported row, the facts of a case of our own.
    pub fn attributes(&self) -> BTreeMap<&str, &str> {
        match &self.case.kernel().imported {
            Some(imported) => imported
                .attributes
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            None => self.facts().iter().map(|fact| (fact.name, fact.value.as_str())).collect(),
        }
    }
}

/// An event with what stands beside it.
pub struct SeenEvent<'a> {
    /// As the store remembers it.
    pub recorded: &'a RecordedEvent,
    /// One line in Chinese and one in English; none, if it could not be read.
    pub said: Option<(String, String)>,
    stamp: OnceCell<Stamp<'a>>,
}

impl<'a> SeenEvent<'a> {
    pub(crate) fn new(recorded: &'a RecordedEvent, said: Option<(String, String)>) -> Self {
        Self {
            recorded,
            said,
            stamp: OnceCell::new(),
        }
    }

    /// Who, when and why. Read when it is first asked for.
    pub fn stamp(&self) -> &Stamp<'a> {
        self.stamp
            .get_or_init(|| Stamp::read(&self.recorded.metadata, self.recorded.created))
    }
}
