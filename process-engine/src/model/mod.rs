//! The executable graph: what a BPMN model is once it was read and checked. Nothing here is read from XML again.

mod activity;
mod approval;
mod beside;
pub(crate) mod cron;
mod diff;
mod event;
mod process;

pub use activity::*;
pub use approval::*;
pub use beside::{Beside, Spot};
pub use diff::*;
pub use event::*;
pub use process::*;
