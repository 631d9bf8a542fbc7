//! The way out: what has happened, laid out in PostgreSQL so that it can be listed, searched and counted.
//!
//! **The one idea:** a view's rows are a pure function of the folded case and its events. The loop folds each case once,
//! with the domain's own `apply`; every view derives its rows from that fold. So a view can be thrown away: it is
//! rebuilt beside the old one and then swapped. See [`View`] for what a view is, [`Projections`] for the handle.

pub mod bookmarks;
pub mod case_file;
pub mod case_list;
mod catalog;
mod database;
pub mod deadlines;
mod derive;
mod fold;
mod handle;
mod lanes;
pub mod leases;
mod live;
pub mod processes;
mod rebuild;
pub mod report;
#[cfg(test)]
mod report_tests;
mod rows;
mod session;
mod shown;
pub mod statistics;
mod status;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod testing;
pub mod timeline;
mod view;
pub mod views;
mod watching;
pub mod worklist;
mod writing;

pub use bookmarks::PgBookmarks;
pub use database::{Database, Param, QueryError};
pub use fold::{Stamp, StampActor};
pub use handle::{ALL, CaseChange, DEFAULT_SCHEMA, ProjectionError, Projections};
pub use leases::{Duty, Held, Leases};
pub use rebuild::{Phase, Progress, RebuildReport};
pub use rows::{RowWriter, Rows};
pub use status::{Stop, ViewState, ViewStatus};
/// A row of an answer, for those who turn it into bytes themselves.
pub use tokio_postgres::Row;
pub use view::{NATIVE, RowsOf, SeenCase, SeenEvent, Table, Unreadable, View, ViewError};
