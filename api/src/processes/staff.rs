//! 人员与机构: who works at the bureau, who is away and who decides for them, and whose tasks are still to be handed over.

use std::collections::BTreeSet;

use async_graphql::{Context, Error, Object, SimpleObject};
use chrono::NaiveDate;
use domain::registers::staff::{Department, Directory, Former, Member};
use projections::processes as view;

use super::words::ProcessPerson;
use crate::{
    asked::{principal, state, unanswered},
    connection::{PageInfo, Piece},
    errors::Code,
    ids::{decode_cursor, encode_cursor},
    scalars::small,
};

/// Roles that may read the staff register.
const READERS: &[&str] = &["operator", "director", "supervisor", "sectionChief"];

/// The name of the one order of the staff, as cursors carry it.
const ORDER: &str = "staff";

/// Somebody decides for somebody else for a time (代理).
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct StaffSubstitution {
    /// Who decides.
    substitute: ProcessPerson,
    /// From this day on.
    from: NaiveDate,
    /// Up to and with this day.
    until: NaiveDate,
    /// Whether it is so today.
    in_force: bool,
}

/// Somebody who works at the bureau, or did (人员).
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct StaffMember {
    /// The account.
    id: String,
    /// 姓名
    name: String,
    /// 部门, by its code.
    department: String,
    /// 部门名称
    department_name: Option<String>,
    /// Whether they lead their department.
    leads: bool,
    /// 岗位
    posts: Vec<String>,
    /// 角色
    roles: Vec<String>,
    /// 用户组
    groups: Vec<String>,
    /// 代理: who decides for them, now or on days to come.
    substitution: Option<StaffSubstitution>,
    /// For whom they decide today.
    stands_in_for: Vec<String>,
    /// The day on which they left (离职); none: they work here.
    left_on: Option<NaiveDate>,
    /// How many open tasks of processes are theirs; of whoever left, they are to be handed over (离职交接).
    open_tasks: i32,
}

/// Somebody with their place in the list.
#[derive(SimpleObject)]
pub(crate) struct StaffEdge {
    /// The place in the list.
    cursor: String,
    /// Who.
    node: StaffMember,
}

/// A page of the staff, by account.
#[derive(SimpleObject)]
pub(crate) struct StaffConnection {
    /// The people with their places.
    edges: Vec<StaffEdge>,
    /// The people.
    nodes: Vec<StaffMember>,
    /// Where the page stands in the list.
    page_info: PageInfo,
}

/// A department (部门).
#[derive(Debug, SimpleObject)]
pub(crate) struct StaffDepartment {
    /// Its code.
    code: String,
    /// 名称
    name: String,
    /// 上级部门
    parent: Option<String>,
    /// 负责人, by their account.
    leader: Option<String>,
    /// How many people work directly in it.
    members: i32,
}

/// Which people. Whatever is set must hold.
struct Wanted {
    /// A department by its code, and the accounts of all who work in it or below it.
    department: Option<(String, BTreeSet<String>)>,
    role: Option<String>,
    post: Option<String>,
    group: Option<String>,
    away_on: Option<NaiveDate>,
}

impl Wanted {
    fn has(&self, member: &Member, directory: &Directory) -> bool {
        let one_of = |wanted: &Option<String>, held: &[String]| wanted.as_ref().is_none_or(|wanted| held.contains(wanted));
        let is_away = |on: NaiveDate| {
            let away = directory.staff().substitutions.get(&member.id);
            away.is_some_and(|away| away.from <= on && on <= away.until)
        };
        one_of(&self.role, &member.roles)
            && one_of(&self.post, &member.posts)
            && one_of(&self.group, &member.groups)
            && self
                .department
                .as_ref()
                .is_none_or(|(code, within)| member.department == *code || within.contains(&member.id))
            && self.away_on.is_none_or(is_away)
    }
}

fn shown(member: &Member, left_on: Option<NaiveDate>, directory: &Directory, today: NaiveDate) -> StaffMember {
    let staff = directory.staff();
    let department = staff.departments.get(&member.department);
    let substitution = staff.substitutions.get(&member.id).map(|away| StaffSubstitution {
        substitute: ProcessPerson::named(
            &away.substitute,
            directory
                .member(&away.substitute)
                .map_or(&away.substitute, |known| &known.name),
        ),
        from: away.from,
        until: away.until,
        in_force: away.from <= today && today <= away.until,
    });
    let stands_in = staff
        .substitutions
        .iter()
        .filter(|(_, away)| away.substitute == member.id && away.from <= today && today <= away.until);
    StaffMember {
        id: member.id.clone(),
        name: member.name.clone(),
        department: member.department.clone(),
        department_name: department.map(|department| department.name.clone()),
        leads: department.is_some_and(|department| department.leader.as_ref() == Some(&member.id)),
        posts: member.posts.clone(),
        roles: member.roles.clone(),
        groups: member.groups.clone(),
        substitution,
        stands_in_for: stands_in.map(|(person, _)| person.clone()).collect(),
        left_on,
        open_tasks: 0,
    }
}

/// Only those who lead, supervise or keep the platform see who works at the bureau.
fn of_readers(ctx: &Context<'_>) -> Result<(), Error> {
    if READERS.contains(&principal(ctx)?.actor.role.as_str()) {
        return Ok(());
    }
    Err(Code::Forbidden
        .error("人员名册仅供管理员、负责人与监察查阅 / the staff register is for administrators, heads and supervisors"))
}

#[derive(Default)]
pub(crate) struct StaffQueries;

#[Object]
impl StaffQueries {
    /// 人员名册: who works at the bureau, by account. For administrators, heads and supervisors.
    #[graphql(complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn staff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In this department or one below it, by its code")] department: Option<String>,
        #[graphql(desc = "Who have this role")] role: Option<String>,
        #[graphql(desc = "Who have this post")] post: Option<String>,
        #[graphql(desc = "Of this group")] group: Option<String>,
        #[graphql(desc = "Who are away on this day and have somebody decide for them")] away_on: Option<NaiveDate>,
        #[graphql(desc = "Those who left, instead of those who work here")] former: Option<bool>,
        #[graphql(desc = "1 to 100")] first: Option<i32>,
        #[graphql(desc = "After this cursor")] after: Option<String>,
    ) -> Result<StaffConnection, Error> {
        of_readers(ctx)?;
        let limit = Piece::asked(first, None)?.limit;
        let after = match &after {
            Some(cursor) => decode_cursor(cursor, ORDER, 1)
                .map_err(|cause| Code::BadInput.error(cause))?
                .pop(),
            None => None,
        };
        let today = crate::calendar::today(ctx)?;
        let directory = state(ctx)?.bureau.directory();
        let wanted = Wanted {
            department: department.map(|code| {
                let within = directory.of_department(&code).into_iter().map(|member| member.id.clone());
                let within = within.collect();
                (code, within)
            }),
            role,
            post,
            group,
            away_on,
        };
        let is_meant = |member: &Member| after.as_ref().is_none_or(|after| member.id > *after) && wanted.has(member, &directory);
        let staff = directory.staff();
        let mut nodes: Vec<StaffMember> = if former.unwrap_or(false) {
            let those = staff.former.values().filter(|former| is_meant(&former.member));
            let shown = |Former { member, left_on }: &Former| shown(member, Some(*left_on), &directory, today);
            those.map(shown).take(limit + 1).collect()
        } else {
            let those = staff.members.values().filter(|member| is_meant(member));
            those
                .map(|member| shown(member, None, &directory, today))
                .take(limit + 1)
                .collect()
        };
        let has_next_page = nodes.len() > limit;
        nodes.truncate(limit);
        if ctx.look_ahead().field("nodes").field("openTasks").exists()
            || ctx.look_ahead().field("edges").field("node").field("openTasks").exists()
        {
            count_tasks(ctx, &mut nodes).await?;
        }
        let place = |node: &StaffMember| encode_cursor(ORDER, &[&node.id]);
        let page_info = PageInfo {
            has_previous_page: after.is_some(),
            has_next_page,
            start_cursor: nodes.first().map(place),
            end_cursor: nodes.last().map(place),
        };
        let edges = nodes.iter().map(|node| StaffEdge {
            cursor: place(node),
            node: node.clone(),
        });
        Ok(StaffConnection {
            edges: edges.collect(),
            nodes,
            page_info,
        })
    }

    /// 部门列表: the departments of the bureau, by code. For administrators, heads and supervisors.
    async fn staff_departments(&self, ctx: &Context<'_>) -> Result<Vec<StaffDepartment>, Error> {
        of_readers(ctx)?;
        let directory = state(ctx)?.bureau.directory();
        let staff = directory.staff();
        let department = |department: &Department| StaffDepartment {
            code: department.code.clone(),
            name: department.name.clone(),
            parent: department.parent.clone(),
            leader: department.leader.clone(),
            members: small(
                i64::try_from(
                    staff
                        .members
                        .values()
                        .filter(|member| member.department == department.code)
                        .count(),
                )
                .unwrap_or(i64::MAX),
            ),
        };
        Ok(staff.departments.values().map(department).collect())
    }
}

/// Says of each how many open tasks are theirs.
async fn count_tasks(ctx: &Context<'_>, nodes: &mut [StaffMember]) -> Result<(), Error> {
    let accounts: Vec<String> = nodes.iter().map(|node| node.id.clone()).collect();
    let counted = view::open_tasks_of(state(ctx)?.projections.database(), &accounts).await;
    for (person, tasks) in counted.map_err(unanswered)? {
        if let Some(node) = nodes.iter_mut().find(|node| node.id == person) {
            node.open_tasks = small(tasks);
        }
    }
    Ok(())
}
