//! Compiling a document into a plan, if it is a plain list.

use async_graphql::{
    Name, Value, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet},
};

use super::fields::{Kind, kind_of};
use crate::limits::{MAX_COMPLEXITY, MAX_PAGE};

/// A value of an argument as it stands in a document, with its variables.
type Written = async_graphql_value::Value;

/// The two columns that every plan reads first: a case's global id is made of them.
const FIRST_COLUMNS: [&str; 2] = ["case_id", "category"];
/// Where the case's own id stands.
pub(super) const CASE_ID: usize = 0;
/// Where the case type stands.
pub(super) const CATEGORY: usize = 1;

/// A document that asks for one list of cases, and of each case only what stands in its row.
pub(crate) struct Plan {
    pub(super) operation: Option<String>,
    pub(super) key: String,
    pub(super) arguments: Vec<(Name, Written)>,
    pub(super) parts: Vec<(String, Part)>,
    variables: Vec<Variable>,
    columns: Vec<&'static str>,
}

/// A variable as the document declares it.
struct Variable {
    name: Name,
    nullable: bool,
    default: Option<Value>,
}

/// A field of the connection.
pub(super) enum Part {
    Typename,
    TotalCount,
    Nodes(Vec<(String, Column)>),
    Edges(Vec<(String, EdgePart)>),
    PageInfo(Vec<(String, &'static str)>),
}

/// A field of an edge.
pub(super) enum EdgePart {
    Typename,
    Cursor,
    Node(Vec<(String, Column)>),
}

/// A field of a case: how it is written, and where it stands in the row.
pub(super) struct Column {
    pub(super) kind: Kind,
    pub(super) index: usize,
}

impl Plan {
    /// The plan of a document that fits the schema; none, if it is no plain list.
    pub(crate) fn of(document: &ExecutableDocument) -> Option<Self> {
        if !document.fragments.is_empty() {
            return None;
        }
        let (operation, definition) = match &document.operations {
            DocumentOperations::Single(definition) => (None, &definition.node),
            DocumentOperations::Multiple(operations) if operations.len() == 1 => {
                let (name, definition) = operations.iter().next()?;
                (Some(name.to_string()), &definition.node)
            }
            DocumentOperations::Multiple(_) => return None,
        };
        if definition.ty != OperationType::Query || !definition.directives.is_empty() {
            return None;
        }
        let [(key, field)] = &plain_fields(&definition.selection_set.node)?[..] else {
            return None;
        };
        if field.name.node != "cases" {
            return None;
        }
        let mut plan = Self {
            operation,
            key: key.clone(),
            arguments: field
                .arguments
                .iter()
                .map(|(name, value)| (name.node.clone(), value.node.clone()))
                .collect(),
            parts: Vec::new(),
            variables: variables(definition)?,
            columns: FIRST_COLUMNS.to_vec(),
        };
        let mut selected = 1;
        for (key, field) in plain_fields(&field.selection_set.node)? {
            selected += 1;
            let part = plan.part(field, &mut selected)?;
            plan.parts.push((key, part));
        }
        // As large a page as there is stays within the limit, whatever the variables say.
        (selected * MAX_PAGE < MAX_COMPLEXITY).then_some(plan)
    }

    fn part(&mut self, field: &Field, selected: &mut usize) -> Option<Part> {
        let within = &field.selection_set.node;
        Some(match field.name.node.as_str() {
            "__typename" => Part::Typename,
            "totalCount" => Part::TotalCount,
            "nodes" => Part::Nodes(self.case(within, selected)?),
            "edges" => {
                let mut parts = Vec::new();
                for (key, field) in plain_fields(within)? {
                    *selected += 1;
                    let part = match field.name.node.as_str() {
                        "__typename" => EdgePart::Typename,
                        "cursor" => EdgePart::Cursor,
                        "node" => EdgePart::Node(self.case(&field.selection_set.node, selected)?),
                        _ => return None,
                    };
                    parts.push((key, part));
                }
                Part::Edges(parts)
            }
            "pageInfo" => {
                let mut parts = Vec::new();
                for (key, field) in plain_fields(within)? {
                    *selected += 1;
                    let name = ["hasPreviousPage", "hasNextPage", "startCursor", "endCursor", "__typename"]
                        .into_iter()
                        .find(|name| field.name.node == *name)?;
                    parts.push((key, name));
                }
                Part::PageInfo(parts)
            }
            _ => return None,
        })
    }

    fn case(&mut self, selection: &SelectionSet, selected: &mut usize) -> Option<Vec<(String, Column)>> {
        let mut columns = Vec::new();
        for (key, field) in plain_fields(selection)? {
            *selected += 1;
            let (kind, column) = kind_of(&field.name.node)?;
            let index = self.columns.iter().position(|known| *known == column).unwrap_or_else(|| {
                self.columns.push(column);
                self.columns.len() - 1
            });
            columns.push((key, Column { kind, index }));
        }
        Some(columns)
    }

    /// How many columns the plan reads; the column of the order comes after them.
    pub(super) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The columns that the plan reads, and after them the column of the order.
    pub(super) fn columns_with(&self, order: &str) -> String {
        let mut columns = self.columns.join(", ");
        columns.push_str(", ");
        columns.push_str(order);
        columns
    }

    /// Whether the plan counts all cases of the list.
    pub(super) fn counts(&self) -> bool {
        self.parts.iter().any(|(_, part)| matches!(part, Part::TotalCount))
    }

    /// Whether every variable that must be there is there.
    pub(super) fn check_variables(&self, given: Option<&Variables>) -> Option<()> {
        for variable in self.variables.iter().filter(|variable| !variable.nullable) {
            let value = given
                .and_then(|given| given.get(&variable.name))
                .or(variable.default.as_ref());
            if matches!(value, None | Some(Value::Null)) {
                return None;
            }
        }
        Some(())
    }

    /// The value of an argument. The outer none: the ordinary path must look at it; the inner: the argument is absent.
    #[allow(
        clippy::option_option,
        reason = "both absences mean something else, as the sentence above says"
    )]
    pub(super) fn value(&self, written: &Written, given: Option<&Variables>) -> Option<Option<Value>> {
        let value_of = |name: &Name| {
            let declared = self.variables.iter().find(|variable| variable.name == *name);
            given
                .and_then(|given| given.get(name))
                .or(declared.and_then(|declared| declared.default.as_ref()))
                .cloned()
        };
        if let Written::Variable(name) = written {
            return Some(value_of(name));
        }
        written
            .clone()
            .into_const_with(|name| value_of(&name).ok_or(()))
            .ok()
            .map(Some)
    }
}

fn variables(definition: &OperationDefinition) -> Option<Vec<Variable>> {
    let mut variables = Vec::with_capacity(definition.variable_definitions.len());
    for variable in &definition.variable_definitions {
        let variable = &variable.node;
        if !variable.directives.is_empty() {
            return None;
        }
        variables.push(Variable {
            name: variable.name.node.clone(),
            nullable: variable.var_type.node.nullable,
            default: variable.default_value.as_ref().map(|value| value.node.clone()),
        });
    }
    Some(variables)
}

/// The fields of a selection by their keys, in order; none, if there is anything but fields, a directive, or a key twice.
fn plain_fields(selection: &SelectionSet) -> Option<Vec<(String, &Field)>> {
    let mut fields: Vec<(String, &Field)> = Vec::with_capacity(selection.items.len());
    for item in &selection.items {
        let Selection::Field(field) = &item.node else { return None };
        let key = field.node.response_key().node.as_str();
        if !field.node.directives.is_empty() || fields.iter().any(|(known, _)| known == key) {
            return None;
        }
        fields.push((key.to_owned(), &field.node));
    }
    Some(fields)
}
