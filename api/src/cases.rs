//! 办件: one case, and the list of them.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Enum, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use commands::{CaseAt, Moment};
use projections::case_list::{self, CaseFilter, CaseRow, CaseSort, CaseSortKey, Paging};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    asked::{caught_up, principal, state, unanswered},
    auth::Principal,
    clock::LegalClock,
    connection::{PageInfo, Piece},
    deadlines::Deadline,
    errors::{Code, refused},
    file::CaseFile,
    history::{HistoryConnection, TimelineEntry},
    ids::{CursorError, GlobalId, decode_cursor, encode_cursor, known_category},
    items::Item,
    limits::MAX_COUNT,
    permits::ConstructionPermit,
    scalars::{LogPosition, small},
    words::Stage,
    worklist::Task,
};

/// The view that cases are read from.
pub(crate) const VIEW: &str = "case_list";

/// 办件: a case of any type, from filing to the archive.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub(crate) struct Case {
    #[graphql(skip)]
    pub(crate) category_key: &'static str,
    #[graphql(skip)]
    folded: Arc<OnceCell<Option<Arc<CaseAt>>>>,
    #[graphql(skip)]
    pub(crate) item_version_key: i32,
    /// The case's own id, as in its stream's name.
    pub(crate) case_id: Uuid,
    /// The case type (案件类型), such as `constructionPermit`.
    category: String,
    /// 事项编码: the catalogue's code of the item.
    item_code: String,
    /// The version of the item that the case was filed under.
    item_version: i32,
    /// 办件编号; none until it was allocated.
    case_no: Option<String>,
    /// The number in the former system, of an imported case.
    legacy_id: Option<String>,
    /// 证照编号; none until it was allocated.
    licence_no: Option<String>,
    /// 办理状态
    stage: Stage,
    /// Whether the bureau still owes a decision (在办).
    open: bool,
    /// The type's own phase after the decision.
    phase: Option<String>,
    /// The same in Chinese.
    phase_name: Option<String>,
    /// The administrative division (GB/T 2260) whose bureau handles it.
    region: String,
    /// 申请人
    applicant_name: Option<String>,
    /// 项目代码
    project_code: Option<String>,
    /// 项目名称
    project_name: Option<String>,
    /// The handler's account.
    handler_id: Option<String>,
    /// 承办人
    handler_name: Option<String>,
    /// `native`, or the source that it was imported from.
    source: String,
    /// The batch that it was imported in.
    batch: Option<String>,
    /// 申请日期
    submitted_on: NaiveDate,
    /// 受理日期
    accepted_on: Option<NaiveDate>,
    /// 决定日期
    decided_on: Option<NaiveDate>,
    /// 送达日期
    delivered_on: Option<NaiveDate>,
    /// The nearest date by which the bureau or the applicant must do something; none, when nothing is due.
    due_on: Option<NaiveDate>,
    /// 法定办结日期
    statutory_due_on: Option<NaiveDate>,
    /// 承诺办结日期
    promised_due_on: Option<NaiveDate>,
    /// A due date may still move: the calendar of its year is not published, or the clock stands still.
    due_provisional: bool,
    /// The clock stands still (时限中止).
    paused: bool,
    /// What was recorded with it, by name; imported cases keep their source's column names.
    attributes: serde_json::Value,
    /// When something was last recorded.
    last_recorded_at: DateTime<Utc>,
    /// When something last happened.
    last_occurred_at: DateTime<Utc>,
    /// The revision of its last event.
    revision: i32,
    /// The position of its last event.
    position: LogPosition,
}

impl Case {
    pub(crate) fn of(row: CaseRow) -> Option<Self> {
        Some(Self {
            category_key: known_category(&row.category)?,
            folded: Arc::default(),
            item_version_key: row.item_version,
            case_id: row.case_id,
            category: row.category,
            item_code: row.item_code,
            item_version: row.item_version,
            case_no: row.case_no,
            legacy_id: row.legacy_id,
            licence_no: row.licence_no,
            stage: row.stage.into(),
            open: row.open,
            phase: row.phase,
            phase_name: row.phase_zh,
            region: row.region,
            applicant_name: row.applicant_name,
            project_code: row.project_code,
            project_name: row.project_name,
            handler_id: row.handler_id,
            handler_name: row.handler_name,
            source: row.source,
            batch: row.batch,
            submitted_on: row.submitted_on,
            accepted_on: row.accepted_on,
            decided_on: row.decided_on,
            delivered_on: row.delivered_on,
            due_on: row.due_on,
            statutory_due_on: row.statutory_due_on,
            promised_due_on: row.promised_due_on,
            due_provisional: row.due_provisional,
            paused: row.paused,
            attributes: row.attributes,
            last_recorded_at: row.last_recorded_at,
            last_occurred_at: row.last_occurred_at,
            revision: small(row.revision),
            position: LogPosition(event_store_contract::Position(row.position.cast_unsigned())),
        })
    }

    /// The case folded from its stream; read once for each answer.
    async fn folded(&self, ctx: &Context<'_>) -> Result<Arc<CaseAt>, Error> {
        let bureau = &state(ctx)?.bureau;
        let read = || async {
            bureau
                .case_at(self.category_key, self.case_id, Moment::Head)
                .await
                .map(|at| at.map(Arc::new))
        };
        let folded = self.folded.get_or_try_init(read).await.map_err(refused)?;
        folded
            .clone()
            .ok_or_else(|| crate::errors::failed(format!("case {} is in the views and not in the store", self.case_id)))
    }
}

#[ComplexObject]
impl Case {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Case {
            category: self.category_key,
            case_id: self.case_id,
        }
        .encode()
        .into()
    }

    /// 案件类型名称
    async fn category_name(&self) -> &'static str {
        domain::case_types::NAMES
            .iter()
            .find(|(category, ..)| *category == self.category_key)
            .map_or("", |(_, zh, _)| zh)
    }

    /// 办理状态名称
    async fn stage_name(&self) -> &'static str {
        domain::case::Stage::from(self.stage).name_zh()
    }

    /// 事项: the definition that the case is pinned to.
    async fn item(&self, ctx: &Context<'_>) -> Result<Option<Item>, Error> {
        let version = u32::try_from(self.item_version_key).unwrap_or_default();
        Ok(state(ctx)?.bureau.rules().item(&self.item_code, version).cloned().map(Item))
    }

    /// 卷宗: everything that the case remembers, read from its own events.
    async fn file(&self, ctx: &Context<'_>) -> Result<CaseFile, Error> {
        Ok(CaseFile::new(self.folded(ctx).await?, crate::calendar::today(ctx)?))
    }

    /// 法定时限: how much of each limit is used, and why the due date is what it is. As of today, or of the day asked for.
    async fn clock(&self, ctx: &Context<'_>, on: Option<NaiveDate>) -> Result<Option<LegalClock>, Error> {
        let on = on.map_or_else(|| crate::calendar::today(ctx), Ok)?;
        Ok(LegalClock::of(&self.folded(ctx).await?.case, &state(ctx)?.bureau.rules(), on))
    }

    /// 待办: what waits for somebody in this case.
    async fn tasks(&self, ctx: &Context<'_>) -> Result<Vec<Task>, Error> {
        Ok(self.folded(ctx).await?.case.tasks().into_iter().map(Task::from).collect())
    }

    /// 期限: everything that is due in this case, by its own pinned calendar.
    async fn deadlines(&self, ctx: &Context<'_>) -> Result<Vec<Deadline>, Error> {
        let rules = state(ctx)?.bureau.rules();
        Ok(self
            .folded(ctx)
            .await?
            .case
            .deadlines(&rules)
            .into_iter()
            .map(Deadline::from)
            .collect())
    }

    /// 施工许可: what the type itself knows; none, if the case is of another type.
    async fn construction_permit(&self, ctx: &Context<'_>) -> Result<Option<ConstructionPermit>, Error> {
        Ok(ConstructionPermit::of(&self.folded(ctx).await?.case))
    }

    /// 办理过程: what happened, in plain words, the oldest first. Read from the view.
    #[graphql(complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn timeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "1 to 100")] first: Option<i32>,
        #[graphql(desc = "Only what came after this revision")] after_revision: Option<i32>,
    ) -> Result<Vec<TimelineEntry>, Error> {
        let limit = Piece::asked(first, None)?.limit;
        let database = state(ctx)?.projections.database();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let entries = projections::timeline::query::of_case(database, self.case_id, after_revision.map(i64::from), limit);
        Ok(entries
            .await
            .map_err(unanswered)?
            .into_iter()
            .map(TimelineEntry::from)
            .collect())
    }

    /// 历史: the events themselves, with who, when, why, and the links of the hash chain. Read from the stream.
    #[graphql(complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "1 to 100")] first: Option<i32>,
        #[graphql(desc = "Only what came after this cursor")] after: Option<String>,
    ) -> Result<HistoryConnection, Error> {
        HistoryConnection::read(ctx, self.category_key, self.case_id, first, after).await
    }

    /// What the caller's role may ask of this case type at all; the case's own state decides the rest.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<&'static str>, Error> {
        let role = &principal(ctx)?.actor.role;
        let kernel = commands::permission::commands_of(role, commands::permission::CASE_TABLE);
        Ok(kernel
            .chain(commands::permission::commands_of(role, self.category_key))
            .collect())
    }
}

/// The case, if there is one and it is the caller's to see.
pub(crate) async fn find(ctx: &Context<'_>, category: &str, case_id: Uuid) -> Result<Option<Case>, Error> {
    let row = case_list::find(state(ctx)?.projections.database(), case_id)
        .await
        .map_err(unanswered)?;
    Ok(row
        .filter(|row| row.category == category)
        .and_then(|row| seen(row, principal(ctx).ok()?)))
}

/// The row as a case, if it is theirs to see. Whoever may not see it learns no more than that there is none.
pub(crate) fn seen(row: CaseRow, principal: &Principal) -> Option<Case> {
    if principal.may_see(&row.region, row.applicant_id_no.as_deref()) {
        Case::of(row)
    } else {
        None
    }
}

/// Whether the caller may see the case at all; asked before anything is read from its stream.
pub(crate) fn may_see(principal: &Principal, case: &casework::AnyWork) -> bool {
    let kernel = case.kernel();
    principal.may_see(
        &kernel.region,
        kernel.applicant.as_ref().map(|applicant| applicant.id_no.as_str()),
    )
}

/// A recorded attribute and the value that it must have.
#[derive(Debug, Clone, InputObject)]
pub(crate) struct AttributeInput {
    /// Its name (`city`).
    pub(crate) name: String,
    /// Its value (`Seattle`).
    pub(crate) value: String,
}

/// Which cases. Whatever is set must hold.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct CaseFilterInput {
    /// 案件类型
    category: Option<String>,
    /// 事项编码
    item_code: Option<String>,
    /// Any of these stages (办理状态).
    stages: Option<Vec<Stage>>,
    /// Whether the bureau still owes a decision (在办).
    open: Option<bool>,
    /// The administrative division, with all of its subdivisions (`320600`).
    region: Option<String>,
    /// The handler's account (承办人).
    handler_id: Option<String>,
    /// Applicants whose name begins so (申请人).
    applicant: Option<String>,
    /// 办件编号, whole.
    case_no: Option<String>,
    /// The number in the former system, whole.
    legacy_id: Option<String>,
    /// 证照编号, whole.
    licence_no: Option<String>,
    /// 项目代码, whole.
    project_code: Option<String>,
    /// Filed on that day or later (申请日期).
    submitted_from: Option<NaiveDate>,
    /// Filed on that day or before.
    submitted_to: Option<NaiveDate>,
    /// Decided on that day or later (决定日期).
    decided_from: Option<NaiveDate>,
    /// Decided on that day or before.
    decided_to: Option<NaiveDate>,
    /// Open, and due on that day or before.
    due_by: Option<NaiveDate>,
    /// Open, and past the statutory date on that day (超期).
    overdue_on: Option<NaiveDate>,
    /// `native`, or the source that it was imported from.
    source: Option<String>,
    /// The batch that it was imported in.
    batch: Option<String>,
    /// Recorded attributes that must have these values.
    attributes: Option<Vec<AttributeInput>>,
    /// Free text, anywhere in numbers, names and addresses.
    text: Option<String>,
}

impl CaseFilterInput {
    /// The filter as the view knows it, narrowed to what the caller may see. None: nothing could be both.
    pub(crate) fn narrowed(self, principal: &Principal) -> Option<CaseFilter> {
        let own = principal.is_applicant().then(|| principal.own_id_no().to_owned());
        let region_prefix = if own.is_some() {
            self.region.as_deref().map(|region| prefix(region).to_owned())
        } else {
            Some(narrower(principal.region_prefix(), self.region.as_deref())?)
        };
        Some(CaseFilter {
            ids: None,
            category: self.category,
            item_code: self.item_code,
            stages: self.stages.unwrap_or_default().into_iter().map(Into::into).collect(),
            open: self.open,
            region_prefix: region_prefix.filter(|prefix| !prefix.is_empty()),
            handler_id: self.handler_id,
            applicant: self.applicant,
            applicant_id_no: own,
            case_no: self.case_no,
            legacy_id: self.legacy_id,
            licence_no: self.licence_no,
            project_code: self.project_code,
            submitted_from: self.submitted_from,
            submitted_to: self.submitted_to,
            decided_from: self.decided_from,
            decided_to: self.decided_to,
            due_by: self.due_by,
            overdue_on: self.overdue_on,
            source: self.source,
            batch: self.batch,
            attributes: self
                .attributes
                .unwrap_or_default()
                .into_iter()
                .map(|one| (one.name, one.value))
                .collect(),
            text: self.text,
        })
    }
}

/// The part of a region's code that its subdivisions share.
fn prefix(region: &str) -> &str {
    let mut prefix = region;
    while let Some(shorter) = prefix.strip_suffix("00") {
        prefix = shorter;
    }
    prefix
}

/// The narrower of the caller's own region and the one that they ask for; none, if neither contains the other.
pub(crate) fn narrower(own: &str, asked: Option<&str>) -> Option<String> {
    let Some(asked) = asked.map(prefix) else {
        return Some(own.to_owned());
    };
    if asked.starts_with(own) {
        return Some(asked.to_owned());
    }
    own.starts_with(asked).then(|| own.to_owned())
}

/// By what a list of cases is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "projections::case_list::CaseSortKey")]
pub(crate) enum CaseSortField {
    /// 申请日期
    SubmittedOn,
    /// 到期日期; cases that are not due come last.
    DueOn,
    /// When something last happened to it.
    LastChange,
    /// 办件编号
    CaseNo,
}

/// An order of cases.
#[derive(Debug, Clone, Copy, InputObject)]
pub(crate) struct CaseSortInput {
    /// By what.
    field: CaseSortField,
    /// The greatest first.
    #[graphql(default = false)]
    descending: bool,
}

/// The order that was asked for; the last change first, if none was.
pub(crate) fn sort(asked: Option<CaseSortInput>) -> CaseSort {
    asked.map_or_else(CaseSort::default, |asked| CaseSort {
        key: asked.field.into(),
        descending: asked.descending,
    })
}

/// The name of an order, as cursors carry it.
pub(crate) fn order_name(sort: CaseSort) -> &'static str {
    match (sort.key, sort.descending) {
        (CaseSortKey::SubmittedOn, false) => "submittedOn",
        (CaseSortKey::SubmittedOn, true) => "submittedOn-",
        (CaseSortKey::DueOn, false) => "dueOn",
        (CaseSortKey::DueOn, true) => "dueOn-",
        (CaseSortKey::LastChange, false) => "lastChange",
        (CaseSortKey::LastChange, true) => "lastChange-",
        (CaseSortKey::CaseNo, false) => "caseNo",
        (CaseSortKey::CaseNo, true) => "caseNo-",
    }
}

/// The piece of the list that was asked for.
pub(crate) fn paging(sort: CaseSort, piece: &Piece, after: Option<&str>, before: Option<&str>) -> Result<Paging, CursorError> {
    let place = |cursor: &str| {
        let values = decode_cursor(cursor, order_name(sort), 1)?;
        values[0].parse().map_err(|_| CursorError)
    };
    Ok(Paging {
        limit: piece.limit,
        after: after.map(place).transpose()?,
        before: before.map(place).transpose()?,
        backwards: piece.backwards,
    })
}

/// One case of a list, with its place in it.
#[derive(SimpleObject)]
pub(crate) struct CaseEdge {
    /// The place of this case in the list.
    cursor: String,
    /// The case.
    node: Case,
}

/// A page of a list of cases (办件列表).
pub(crate) struct CaseConnection {
    cases: Vec<(String, Case)>,
    has_previous: bool,
    has_next: bool,
    filter: Option<CaseFilter>,
}

#[Object]
impl CaseConnection {
    /// The cases with their places.
    async fn edges(&self) -> Vec<CaseEdge> {
        self.cases
            .iter()
            .map(|(cursor, case)| CaseEdge {
                cursor: cursor.clone(),
                node: case.clone(),
            })
            .collect()
    }

    /// The cases.
    async fn nodes(&self) -> Vec<&Case> {
        self.cases.iter().map(|(_, case)| case).collect()
    }

    /// Where the page stands in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.has_next,
            start_cursor: self.cases.first().map(|(cursor, _)| cursor.clone()),
            end_cursor: self.cases.last().map(|(cursor, _)| cursor.clone()),
        }
    }

    /// How many cases there are, counted to 10,000 at most. Counted only when it is asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, Error> {
        let Some(filter) = &self.filter else { return Ok(0) };
        let counted = case_list::count(state(ctx)?.projections.database(), filter)
            .await
            .map_err(unanswered)?;
        Ok(small(counted.min(MAX_COUNT)))
    }
}

#[derive(Default)]
pub(crate) struct CaseQueries;

#[Object]
impl CaseQueries {
    /// One case, by exactly one of: its id, 办件编号, its number in the former system, 证照编号.
    async fn case(
        &self,
        ctx: &Context<'_>,
        id: Option<ID>,
        case_no: Option<String>,
        legacy_id: Option<String>,
        licence_no: Option<String>,
        #[graphql(desc = "Wait until the views show this position")] min_position: Option<LogPosition>,
    ) -> Result<Option<Case>, Error> {
        let state = state(ctx)?;
        caught_up(state, VIEW, min_position).await?;
        let database = state.projections.database();
        let row = match (id, case_no, legacy_id, licence_no) {
            (Some(id), None, None, None) => {
                let (category, case_id) = GlobalId::decode_case(&id).map_err(|cause| Code::BadInput.error(cause))?;
                return find(ctx, category, case_id).await;
            }
            (None, Some(case_no), None, None) => case_list::find_by_case_no(database, &case_no).await,
            (None, None, Some(legacy_id), None) => case_list::find_by_legacy_id(database, &legacy_id).await,
            (None, None, None, Some(licence_no)) => case_list::find_by_licence_no(database, &licence_no).await,
            _ => return Err(Code::BadInput.error("name the case by exactly one of id, caseNo, legacyId, licenceNo")),
        };
        let principal = principal(ctx)?;
        Ok(row.map_err(unanswered)?.and_then(|row| seen(row, principal)))
    }

    /// 办件列表: cases that the caller may see, by pages of at most 100.
    #[graphql(complexity = "first.or(last).unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn cases(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which cases")] filter: Option<CaseFilterInput>,
        #[graphql(desc = "In which order; the last change first, if none is named")] sort: Option<CaseSortInput>,
        #[graphql(desc = "The first of them, 1 to 100")] first: Option<i32>,
        #[graphql(desc = "After this cursor")] after: Option<String>,
        #[graphql(desc = "The last of them, 1 to 100")] last: Option<i32>,
        #[graphql(desc = "Before this cursor")] before: Option<String>,
        #[graphql(desc = "Wait until the views show this position")] min_position: Option<LogPosition>,
    ) -> Result<CaseConnection, Error> {
        let state = state(ctx)?;
        caught_up(state, VIEW, min_position).await?;
        let sort = self::sort(sort);
        let piece = Piece::asked(first, last)?;
        let paging = paging(sort, &piece, after.as_deref(), before.as_deref()).map_err(|cause| Code::BadInput.error(cause))?;
        let filter = filter.unwrap_or_default().narrowed(principal(ctx)?);
        let Some(filter) = filter else {
            return Ok(CaseConnection {
                cases: Vec::new(),
                has_previous: false,
                has_next: false,
                filter: None,
            });
        };
        let page = case_list::page(state.projections.database(), &filter, sort, &paging)
            .await
            .map_err(unanswered)?;
        let cases = page.cases.into_iter().filter_map(|row| {
            let cursor = encode_cursor(order_name(sort), &[&row.cursor(sort.key).to_string()]);
            Some((cursor, Case::of(row)?))
        });
        Ok(CaseConnection {
            cases: cases.collect(),
            has_previous: page.has_previous,
            has_next: page.has_next,
            filter: Some(filter),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_never_reaches_beyond_the_caller_s_region() {
        assert_eq!(narrower("3206", None).as_deref(), Some("3206"));
        assert_eq!(narrower("3206", Some("320684")).as_deref(), Some("320684"));
        assert_eq!(narrower("3206", Some("320000")).as_deref(), Some("3206"));
        assert_eq!(narrower("3206", Some("330000")), None);
        assert_eq!(narrower("", Some("320600")).as_deref(), Some("3206"));
    }
}
