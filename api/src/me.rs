//! 当前用户: whom the token names.

use async_graphql::{Context, Error, Object, SimpleObject};
use chrono::{DateTime, Utc};

use crate::{asked::principal, words::Channel};

/// 当前用户: whom the token names.
#[derive(SimpleObject)]
struct Me {
    /// The account's id.
    id: String,
    /// The name.
    name: String,
    /// The role.
    role: String,
    /// The organisation.
    organisation: String,
    /// The administrative division.
    region: String,
    /// Through which channel.
    channel: Channel,
    /// When the token ends.
    token_expires_at: Option<DateTime<Utc>>,
    /// What this role may ask of any case.
    case_actions: Vec<&'static str>,
    /// What this role may ask of a construction permit besides.
    construction_permit_actions: Vec<&'static str>,
}

#[derive(Default)]
pub(crate) struct MeQueries;

#[Object]
impl MeQueries {
    /// 当前用户: whom the token names, and what their role may ask.
    async fn me(&self, ctx: &Context<'_>) -> Result<Me, Error> {
        let principal = principal(ctx)?;
        let may = |table: &str| commands::permission::commands_of(&principal.actor.role, table).collect();
        Ok(Me {
            id: principal.actor.id.clone(),
            name: principal.actor.name.clone(),
            role: principal.actor.role.clone(),
            organisation: principal.actor.organisation.clone(),
            region: principal.region.clone(),
            channel: principal.actor.channel.into(),
            token_expires_at: DateTime::from_timestamp(principal.expires, 0),
            case_actions: may(commands::permission::CASE_TABLE),
            construction_permit_actions: may(crate::case_types::construction_permit::CATEGORY),
        })
    }
}
