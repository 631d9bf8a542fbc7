//! Plain lists of cases, past the resolver tree: from PostgreSQL's binary rows straight to the bytes of the answer.
//!
//! A document that asks for one list of cases, and of each case only what stands in its row, is compiled once into a
//! plan. Whatever is unusual about a question (a variable that does not fit, a wait, an error) is left to the ordinary
//! path, so that there is one place that says what is wrong. The tests hold both paths against each other.

mod fields;
mod plan;

use async_graphql::{InputType, Name, Value};
use projections::case_list::{self, CaseFilter, CaseSort, CaseSortKey, Paging, RawPage};
use uuid::Uuid;

pub(crate) use plan::Plan;
use plan::{EdgePart, Part};

use crate::{
    ApiState,
    auth::Principal,
    cases::{self, CaseFilterInput, CaseSortInput},
    connection::Piece,
    http::Asked,
    ids::encode_cursor,
    limits::MAX_COUNT,
};

/// What one case of a page takes at first.
const BYTES_PER_CASE: usize = 320;

/// The answer to a question whose document is a plan; none, if the ordinary path must answer.
pub(crate) async fn answer(plan: &Plan, state: &ApiState, asked: &Asked, principal: &Principal) -> Option<Vec<u8>> {
    let question = Question::read(plan, asked, principal)?;
    let database = state.projections.database();
    let columns = plan.columns_with(case_list::sort_column(question.sort.key));
    let page = case_list::page_rows(database, &columns, &question.filter, question.sort, &question.paging);
    let (page, total) = if plan.counts() {
        let (page, total) = tokio::join!(page, case_list::count(database, &question.filter));
        (page.ok()?, Some(total.ok()?.min(MAX_COUNT)))
    } else {
        (page.await.ok()?, None)
    };
    write(plan, question.sort, &page, total)
}

/// What was asked, with its variables.
struct Question {
    filter: CaseFilter,
    sort: CaseSort,
    paging: Paging,
}

impl Question {
    fn read(plan: &Plan, asked: &Asked, principal: &Principal) -> Option<Self> {
        if asked.operation_name.is_some() && asked.operation_name != plan.operation {
            return None;
        }
        plan.check_variables(asked.variables.as_ref())?;
        let mut arguments = Arguments::default();
        for (name, value) in &plan.arguments {
            let Some(value) = plan.value(value, asked.variables.as_ref())? else {
                continue;
            };
            arguments.take(name, value)?;
        }
        let piece = Piece::asked(arguments.first, arguments.last).ok()?;
        let sort = cases::sort(arguments.sort);
        Some(Self {
            paging: cases::paging(sort, &piece, arguments.after.as_deref(), arguments.before.as_deref()).ok()?,
            filter: arguments.filter.unwrap_or_default().narrowed(principal)?,
            sort,
        })
    }
}

/// The arguments of `cases`.
#[derive(Default)]
struct Arguments {
    filter: Option<CaseFilterInput>,
    sort: Option<CaseSortInput>,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
}

impl Arguments {
    fn take(&mut self, name: &str, value: Value) -> Option<()> {
        match name {
            "filter" => self.filter = known_fields(value)?,
            "sort" => self.sort = known_fields(value)?,
            "first" => self.first = InputType::parse(Some(value)).ok()?,
            "after" => self.after = InputType::parse(Some(value)).ok()?,
            "last" => self.last = InputType::parse(Some(value)).ok()?,
            "before" => self.before = InputType::parse(Some(value)).ok()?,
            // Waiting for a position is rare, and may end in an error.
            _ => return None,
        }
        Some(())
    }
}

/// Reads an input object; none, if it has a field that its type does not know.
#[allow(clippy::option_option, reason = "the inner one is the argument's own: it may be null")]
fn known_fields<T: InputType>(value: Value) -> Option<Option<T>> {
    let names: Vec<Name> = match &value {
        Value::Object(fields) => fields.keys().cloned().collect(),
        _ => Vec::new(),
    };
    // The ordinary path also looks into lists of objects.
    if names.iter().any(|name| name == "attributes") {
        return None;
    }
    let read = Option::<T>::parse(Some(value)).ok()?;
    let is_known = match &read {
        Some(read) => match read.to_value() {
            Value::Object(known) => names.iter().all(|name| known.contains_key(name)),
            _ => false,
        },
        None => true,
    };
    is_known.then_some(read)
}

fn write(plan: &Plan, sort: CaseSort, page: &RawPage, total: Option<i64>) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(256 + page.rows.len() * BYTES_PER_CASE);
    out.extend_from_slice(b"{\"data\":{");
    fields::key(&mut out, &plan.key);
    out.push(b'{');
    for (index, (key, part)) in plan.parts.iter().enumerate() {
        fields::comma(&mut out, index);
        fields::key(&mut out, key);
        match part {
            Part::Typename => fields::text(&mut out, "CaseConnection"),
            Part::TotalCount => fields::number(&mut out, total?),
            Part::Nodes(columns) => {
                out.push(b'[');
                for (index, row) in page.rows.iter().enumerate() {
                    fields::comma(&mut out, index);
                    fields::case(&mut out, columns, row)?;
                }
                out.push(b']');
            }
            Part::Edges(parts) => {
                out.push(b'[');
                for (index, row) in page.rows.iter().enumerate() {
                    fields::comma(&mut out, index);
                    edge(&mut out, plan, parts, sort, row)?;
                }
                out.push(b']');
            }
            Part::PageInfo(parts) => page_info(&mut out, plan, parts, sort, page)?,
        }
    }
    out.extend_from_slice(b"}}}");
    Some(out)
}

fn edge(out: &mut Vec<u8>, plan: &Plan, parts: &[(String, EdgePart)], sort: CaseSort, row: &projections::Row) -> Option<()> {
    out.push(b'{');
    for (index, (key, part)) in parts.iter().enumerate() {
        fields::comma(out, index);
        fields::key(out, key);
        match part {
            EdgePart::Typename => fields::text(out, "CaseEdge"),
            EdgePart::Cursor => fields::text(out, &cursor(plan, sort, row)?),
            EdgePart::Node(columns) => fields::case(out, columns, row)?,
        }
    }
    out.push(b'}');
    Some(())
}

fn page_info(out: &mut Vec<u8>, plan: &Plan, parts: &[(String, &'static str)], sort: CaseSort, page: &RawPage) -> Option<()> {
    out.push(b'{');
    for (index, (key, part)) in parts.iter().enumerate() {
        fields::comma(out, index);
        fields::key(out, key);
        let row = match *part {
            "hasPreviousPage" => {
                fields::boolean(out, page.has_previous);
                continue;
            }
            "hasNextPage" => {
                fields::boolean(out, page.has_next);
                continue;
            }
            "__typename" => {
                fields::text(out, "PageInfo");
                continue;
            }
            "startCursor" => page.rows.first(),
            _ => page.rows.last(),
        };
        match row {
            Some(row) => fields::text(out, &cursor(plan, sort, row)?),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
    Some(())
}

/// The cursor of a row: its id, and the value of the column that the list is ordered by, which stands last in the row.
fn cursor(plan: &Plan, sort: CaseSort, row: &projections::Row) -> Option<String> {
    let id: Uuid = row.try_get(plan::CASE_ID).ok()?;
    let last = plan.columns();
    let key = match sort.key {
        CaseSortKey::SubmittedOn | CaseSortKey::DueOn => row.try_get::<_, chrono::NaiveDate>(last).ok()?.to_string(),
        CaseSortKey::LastChange => row.try_get::<_, i64>(last).ok()?.to_string(),
        CaseSortKey::CaseNo => row.try_get::<_, &str>(last).ok()?.to_owned(),
    };
    Some(encode_cursor(
        cases::order_name(sort),
        &[&case_list::CaseCursor { key, id }.to_string()],
    ))
}
