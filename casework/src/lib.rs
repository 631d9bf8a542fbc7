//! A case and the process that it goes through, as one decider: one stream, one boundary.
//!
//! The law of a case (`domain`) and the way of its work (`process-engine`) know nothing of each other. Here they are asked
//! together: a command that the law accepts moves the process on in the same append, and a command that the process does
//! not wait for is refused. Whoever folds the stream of a case folds both ([`AnyWork`]).

mod any_work;
mod candidates;
mod decide;
pub mod deployment;
mod desk;
mod foresight;
mod forms;
mod library;
mod outside;
mod reading;
mod reasons;
mod rejection;
mod say;
mod step;
mod words;
mod worked;

pub use any_work::{AnyWork, of_process};
pub use decide::is_told_by_the_case;
pub use desk::{WorkDesk, groups_of};
pub use foresight::{
    MAX_CHOICES, MAX_PATH, MAX_TABLES_PER_TRIAL, Trial, TrialError, Tried, TriedDecision, awaited, foresee, try_out, why,
};
pub use forms::FormFaulty;
pub use library::{Edition, Library, LibraryError};
pub use reading::check_document;
pub use reasons::{cause_said, step_said};
pub use rejection::{OutOfStep, WorkRejection};
pub use say::{is_technical, say};
pub use step::is_kept_by_the_case;
pub use words::{WorkCommand, WorkEvent, is_process_event};
pub use worked::{Work, Worked};
