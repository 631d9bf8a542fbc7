//! What each word of the command line does. One file for each.

pub mod doctor;
pub mod errands;
pub mod import;
pub mod lanes;
pub mod models;
pub mod moving;
pub mod part;
pub mod rebuild;
pub mod replay;
pub mod report;
pub mod schema;
pub mod serve;
pub mod store_copies;
pub mod store_scavenge;
pub mod store_serve;
pub mod token;
pub mod verify;
pub mod views;
