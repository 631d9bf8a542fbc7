//! Persistent subscriptions: consumers that share the work of one group.

mod group;
mod settings;
