//! What may be asked of any case. One mutation for each command of the kernel that a person can ask; numbers, timers and
//! imports ask for themselves.

pub(crate) mod inputs;

mod after;
mod decision;
mod intake;
mod review;

use async_graphql::{Context, Error};
use domain::case::Command;
use uuid::Uuid;

pub(crate) use after::AfterMutations;
pub(crate) use decision::DecisionMutations;
pub(crate) use intake::IntakeMutations;
pub(crate) use review::ReviewMutations;

use crate::{
    asked::{Ask, CasePayload},
    errors::UserError,
};

/// Asks a kernel command, or says what is wrong with its input.
async fn ask_kernel(ctx: &Context<'_>, command_id: Uuid, read: Result<(Ask, Command), UserError>) -> Result<CasePayload, Error> {
    match read {
        Ok((ask, command)) => ask.of_case(ctx, command).await,
        Err(error) => Ok(CasePayload::refused(command_id, vec![error])),
    }
}
