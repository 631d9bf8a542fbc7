//! Stories of construction permits: the law of the case and its process, decided together.
#![allow(clippy::unwrap_used)]

#[path = "../../../domain/src/case_types/construction_permit/testing.rs"]
#[allow(clippy::needless_pass_by_value, unreachable_pub, dead_code)]
mod testing;

mod foresight;
mod forms;
mod permit;
mod steps;
mod support;
