//! What is true of all views together, told over a real PostgreSQL.

#![allow(clippy::unwrap_used)]

mod equality;
mod lanes;
mod poison;
mod swapping;
