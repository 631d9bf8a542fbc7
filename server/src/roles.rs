//! The roles of a process: one process plays all of them on one machine; on several, each plays its own.

use std::collections::BTreeSet;

use clap::ValueEnum;

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Role {
    /// Answers GraphQL.
    Api,
    /// Reacts: allocates numbers, writes registers, fires timers.
    React,
    /// Keeps the views.
    Project,
}

/// What a process does in the house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    roles: BTreeSet<Role>,
    /// Into how many lanes the streams are divided, if somebody says so.
    pub lanes: Option<u32>,
}

impl Part {
    /// Everything, in whatever lanes there are.
    pub fn all() -> Self {
        Self::of(&[Role::Api, Role::React, Role::Project], None)
    }

    /// These roles.
    pub fn of(roles: &[Role], lanes: Option<u32>) -> Self {
        Self {
            roles: roles.iter().copied().collect(),
            lanes,
        }
    }

    /// Whether a role is played.
    pub fn plays(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}
