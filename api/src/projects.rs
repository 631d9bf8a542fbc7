//! 项目库: projects and their permits.

use async_graphql::{ComplexObject, Context, Error, ID, Object, SimpleObject};
use commands::{Moment, Register};

use crate::{asked::state, errors::refused, ids::GlobalId, permits::Permit};

/// 项目: a project of the register.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct Project {
    /// 项目代码
    code: String,
    /// 项目名称
    name: String,
    /// The administrative division.
    region: String,
    /// 建设地址
    address: String,
    /// 建设单位
    client: String,
    #[graphql(skip)]
    permit_nos: Vec<String>,
}

/// How many of a project's permits one answer holds.
const MAX_SHOWN_PERMITS: usize = 100;

#[ComplexObject]
impl Project {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Project(self.code.clone()).encode().into()
    }

    /// 施工许可证, up to 100 of them.
    async fn permits(&self, ctx: &Context<'_>) -> Result<Vec<Permit>, Error> {
        let mut permits = Vec::new();
        for permit_no in self.permit_nos.iter().take(MAX_SHOWN_PERMITS) {
            permits.extend(crate::permits::find(ctx, permit_no).await?);
        }
        Ok(permits)
    }
}

/// The project, if it is in the register.
pub(crate) async fn find(ctx: &Context<'_>, code: &str) -> Result<Option<Project>, Error> {
    let Some(entry) = state(ctx)?
        .bureau
        .register_at(Register::Project, code, Moment::Head)
        .await
        .map_err(refused)?
    else {
        return Ok(None);
    };
    let text = |name: &str| entry.state[name].as_str().unwrap_or_default().to_owned();
    Ok(Some(Project {
        code: code.to_owned(),
        name: text("name"),
        region: text("region"),
        address: text("address"),
        client: text("client"),
        permit_nos: entry.state["permits"]
            .as_object()
            .map(|permits| permits.keys().cloned().collect())
            .unwrap_or_default(),
    }))
}

#[derive(Default)]
pub(crate) struct ProjectQueries;

#[Object]
impl ProjectQueries {
    /// 项目查询: a project by its code.
    async fn project(&self, ctx: &Context<'_>, #[graphql(desc = "项目代码")] code: String) -> Result<Option<Project>, Error> {
        find(ctx, &code).await
    }
}
