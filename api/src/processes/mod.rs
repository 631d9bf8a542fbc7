//! 流程: what the process of a case is doing, its tasks and what people do with them, and the models that are in force.

mod definitions;
mod foreseen;
mod foresight;
mod instances;
mod listed;
mod messages;
mod models;
mod officers;
mod staff;
mod tasks;
mod words;

pub(crate) use definitions::DefinitionQueries;
pub(crate) use foresight::ForesightQueries;
pub(crate) use instances::{ProcessQueries, names_of};
pub(crate) use listed::ListQueries;
pub(crate) use messages::{MessageMutations, MessageQueries};
pub(crate) use models::ModelMutations;
pub(crate) use officers::OfficerMutations;
pub(crate) use staff::StaffQueries;
pub(crate) use tasks::TaskMutations;

use async_graphql::{Context, Error};
use process_engine::instance::Command;

use crate::{
    asked::{Ask, CasePayload, state},
    errors::UserError,
};

/// Asks something of a case's process, or says what is wrong with the input.
async fn ask_process(ctx: &Context<'_>, ask: Ask, command: Result<Command, UserError>) -> Result<CasePayload, Error> {
    let command_id = ask.command_id;
    let command = match command {
        Ok(command) => command,
        Err(error) => return Ok(CasePayload::refused(command_id, vec![error])),
    };
    let (case, envelope) = match ask.open(ctx)? {
        Ok(opened) => opened,
        Err(error) => return Ok(CasePayload::refused(command_id, vec![error])),
    };
    let done = state(ctx)?.bureau.to_process(case.0, case.1, command, &envelope).await;
    CasePayload::of(ctx, case, command_id, done).await
}
