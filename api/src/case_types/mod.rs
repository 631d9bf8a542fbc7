//! Typed fields and mutations, one file for each case type of the list.

pub(crate) mod construction_permit;
