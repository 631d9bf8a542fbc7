//! GraphQL and HTTP: the contract with the world, and the only room that knows how it is spoken.
//!
//! A resolver translates, it never decides: questions go to the views and to the history door, commands to the bureau.
//! One file for each noun; the commands of all cases are in [`case_commands`], those of a type in [`case_types`].

#![allow(
    clippy::unused_async,
    clippy::unused_self,
    clippy::struct_field_names,
    clippy::unnecessary_wraps,
    reason = "resolvers are async methods by their derive, and fields are named as clients see them"
)]

mod asked;
pub mod auth;
mod calendar;
mod case_commands;
mod case_types;
mod cases;
mod clock;
mod connection;
mod deadlines;
mod documents;
mod errors;
mod file;
mod graphiql;
mod history;
mod hot;
mod http;
mod ids;
mod items;
pub mod limits;
mod me;
mod node;
mod permits;
mod processes;
mod projects;
mod refusals;
mod scalars;
mod statistics;
mod subscriptions;
#[cfg(test)]
mod testing;
mod views;
mod websocket;
mod words;
mod worklist;

use std::sync::Arc;

use async_graphql::MergedObject;
use commands::{Bureau, Clock};
use projections::Projections;

pub use auth::{Claims, Principal, TokenError, TokenKey};
pub use http::router;
pub use limits::Limits;

/// What the room needs: the way in, the way out, the time, and whose tokens are accepted.
#[derive(Clone)]
pub struct ApiState {
    /// The way in.
    pub bureau: Bureau,
    /// The way out.
    pub projections: Projections,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The key of this installation's tokens.
    pub tokens: TokenKey,
    /// Whether the page at `/graphql` is served.
    pub demo: bool,
    /// What this installation allows.
    pub limits: Limits,
}

/// All that may be asked.
#[derive(MergedObject, Default)]
pub struct Query(
    cases::CaseQueries,
    node::NodeQueries,
    history::HistoryQueries,
    worklist::WorklistQueries,
    deadlines::DeadlineQueries,
    statistics::StatisticsQueries,
    permits::PermitQueries,
    projects::ProjectQueries,
    items::ItemQueries,
    calendar::CalendarQueries,
    views::ViewQueries,
    refusals::RefusalQueries,
    me::MeQueries,
    processes::ProcessQueries,
    processes::ListQueries,
    processes::DefinitionQueries,
    processes::ForesightQueries,
    processes::StaffQueries,
    processes::MessageQueries,
);

/// All that may be commanded. Every command carries a client-made id: sent again, it is answered, not executed again.
#[derive(MergedObject, Default)]
pub struct Mutation(
    case_commands::IntakeMutations,
    case_commands::ReviewMutations,
    case_commands::DecisionMutations,
    case_commands::AfterMutations,
    case_types::construction_permit::ConstructionPermitMutations,
    calendar::CalendarMutations,
    processes::TaskMutations,
    processes::OfficerMutations,
    processes::ModelMutations,
    processes::MessageMutations,
);

pub(crate) type Schema = async_graphql::Schema<Query, Mutation, subscriptions::Subscription>;

/// The schema without anything behind it.
fn plain() -> async_graphql::SchemaBuilder<Query, Mutation, subscriptions::Subscription> {
    Schema::build(Query::default(), Mutation::default(), subscriptions::Subscription)
}

/// The schema as it is served.
pub(crate) fn schema(state: ApiState) -> Schema {
    plain()
        .data(state)
        .limit_depth(limits::MAX_DEPTH)
        .limit_complexity(limits::MAX_COMPLEXITY)
        .limit_aliases(limits::MAX_ALIASES)
        .limit_directives(limits::MAX_DIRECTIVES)
        .limit_recursive_depth(limits::MAX_RECURSION)
        .disable_suggestions()
        .finish()
}

/// The contract with the world, in the schema definition language: what `schema.graphql` holds.
pub fn schema_sdl() -> String {
    plain().finish().sdl()
}

#[cfg(test)]
mod stories;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_on_record_is_the_schema_that_is_served() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema.graphql");
        let on_record = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            on_record == schema_sdl(),
            "schema.graphql is not what the program prints; write it again with `./run schema`"
        );
    }
}
