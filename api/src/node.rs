//! Anything with a global id, whatever it is.

use async_graphql::{Context, Error, ID, Interface, Object};

use crate::{
    cases::{self, Case},
    errors::Code,
    ids::GlobalId,
    items::{self, Item},
    limits::MAX_NODES,
    permits::{self, Permit},
    projects::{self, Project},
};

/// Anything with a global id.
#[derive(Interface)]
#[allow(clippy::large_enum_variant, reason = "one node at a time is made and shown")]
#[graphql(field(name = "id", ty = "ID", desc = "The global id."))]
pub(crate) enum Node {
    /// 办件
    Case(Case),
    /// 许可证登记
    Permit(Permit),
    /// 项目
    Project(Project),
    /// 事项
    Item(Item),
}

/// What an id names; nothing, if there is no such thing or it is not the caller's to see.
async fn find(ctx: &Context<'_>, id: &ID) -> Result<Option<Node>, Error> {
    Ok(match GlobalId::decode(id).map_err(|cause| Code::BadInput.error(cause))? {
        GlobalId::Case { category, case_id } => cases::find(ctx, category, case_id).await?.map(Node::Case),
        GlobalId::Permit(permit_no) => permits::find(ctx, &permit_no).await?.map(Node::Permit),
        GlobalId::Project(code) => projects::find(ctx, &code).await?.map(Node::Project),
        GlobalId::Item(code) => items::find(ctx, &code)?.map(Node::Item),
    })
}

#[derive(Default)]
pub(crate) struct NodeQueries;

#[Object]
impl NodeQueries {
    /// What an id names.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>, Error> {
        find(ctx, &id).await
    }

    /// What several ids name, in their order; up to 100.
    #[graphql(complexity = "ids.len().min(100) * child_complexity")]
    async fn nodes(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>, Error> {
        if ids.len() > MAX_NODES {
            return Err(Code::BadInput.error(format!("ask for at most {MAX_NODES} nodes at once")));
        }
        let mut nodes = Vec::with_capacity(ids.len());
        for id in &ids {
            nodes.push(find(ctx, id).await?);
        }
        Ok(nodes)
    }
}
