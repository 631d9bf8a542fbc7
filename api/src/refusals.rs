//! 拒绝记录: what was refused, to whom and why.

use async_graphql::{Context, Error, Object, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use commands::CommandRefused;
use uuid::Uuid;

use crate::{
    asked::{principal, state},
    connection::Piece,
    errors::{Code, refused},
    history::Doer,
};

/// Roles that may read the record of refusals.
const READERS: &[&str] = &["supervisor", "director"];

/// 拒绝记录: a command that was refused.
#[derive(SimpleObject)]
struct RefusedCommand {
    /// The command.
    command_id: Uuid,
    /// The command's name.
    command: String,
    /// The stream that it was asked of.
    stream: String,
    /// Who asked.
    actor: Doer,
    /// The region in which they acted.
    region: String,
    /// The reason's name; FORBIDDEN, if it was not theirs to ask.
    code: String,
    /// 拒绝原因
    message: String,
    /// The same in English.
    message_en: String,
    /// When.
    at: DateTime<Utc>,
}

impl From<CommandRefused> for RefusedCommand {
    fn from(refused: CommandRefused) -> Self {
        Self {
            command_id: refused.command_id,
            command: refused.command,
            stream: refused.stream,
            actor: refused.actor.into(),
            region: refused.region,
            code: refused.code,
            message: refused.message_zh,
            message_en: refused.message_en,
            at: refused.at,
        }
    }
}

#[derive(Default)]
pub(crate) struct RefusalQueries;

#[Object]
impl RefusalQueries {
    /// 拒绝记录: what was refused on a day (today, if none is named), the newest first. For supervisors and directors.
    #[graphql(complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn refusals(&self, ctx: &Context<'_>, on: Option<NaiveDate>, first: Option<i32>) -> Result<Vec<RefusedCommand>, Error> {
        let principal = principal(ctx)?;
        if !READERS.contains(&principal.actor.role.as_str()) {
            return Err(
                Code::Forbidden.error("拒绝记录仅供监察与负责人查阅 / the record of refusals is for supervisors and directors")
            );
        }
        let on = on.map_or_else(|| crate::calendar::today(ctx), Ok)?;
        let limit = Piece::asked(first, None)?.limit;
        let refusals = state(ctx)?.bureau.refusals(on, limit).await.map_err(refused)?;
        let theirs = refusals.into_iter().filter(|refusal| principal.covers(&refusal.region));
        Ok(theirs.map(RefusedCommand::from).collect())
    }
}
