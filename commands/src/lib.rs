//! The one way in: every command walks through a door of [`Bureau`], is permitted, decided and appended, or refused on
//! record. Reactions and timers are commands too; imports are many commands.

mod aggregate;
mod bureau;
mod cache;
mod envelope;
mod execute;
mod foresight;
pub mod history;
pub mod imports;
pub mod messages;
mod models;
pub mod outside;
pub mod own_streams;
pub mod permission;
mod processes;
pub mod reactions;
mod refusals;
pub mod timers;
mod work;

pub use aggregate::Aggregate;
pub use bureau::{Bureau, MAX_EVENTS_PER_HISTORY};
pub use cache::MAX_CACHED_STREAMS;
pub use envelope::{CommandError, Envelope, FailedCause, Receipt, Refusal, event_id};
pub use execute::MAX_DECISIONS_AFTER_CONFLICT;
pub use history::{CaseAt, CaseDiff, Changed, HistoryEvent, MAX_CHANGED_PATHS, Moment, Register, RegisterAt};
pub use messages::{Message, MessageCorrelated};
pub use outside::{Clock, ManualClock};
pub use processes::{MAX_PROCESSES_AT_ONCE, Migration, OfEach};
pub use refusals::{CATEGORY as REFUSAL_CATEGORY, CommandRefused, EVENT as REFUSAL_EVENT};
