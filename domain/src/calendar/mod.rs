//! Working days, limits and the legal clock.
//!
//! The State Council publishes each year's holidays and adjusted working days (调休) in the November before it. So the
//! calendar is versioned data: a case pins the [`Edition`] that it was counted by, and a date that reaches a year
//! nobody has published yet is *provisional* and is counted again when the year is published.

mod clock;
mod days;
mod embedded;
mod ledger;
mod limit;
#[cfg(test)]
mod scenarios;

pub use clock::{Alert, AlertRatios, LegalClock, Pause};
pub use days::{Calendar, CalendarYear, Due, Edition};
pub use ledger::{LedgerLine, LedgerReason};
pub use limit::{Limit, LimitUnit};
