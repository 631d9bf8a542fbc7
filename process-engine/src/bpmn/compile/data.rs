//! Variables: data objects, properties, and what goes in and out of activities and events.

use serde_json::Value;

use super::{Compiler, expressions::quoted};
use crate::{
    bpmn::source::{
        Xml, attr, engine_attr, engine_elements, extensions, flag, id, kid, kids, kids_of, local, name, text, variable_of,
        zhulu_attr,
    },
    expression::Expression,
    model::{DataObject, Mapping},
};

/// The property that drawing tools invent so that a data association has somewhere to lead to.
const PLACEHOLDER: &str = "__targetRef_placeholder";

impl<'a> Compiler<'_, 'a> {
    /// The data objects and properties of a level or an activity.
    pub(super) fn data(xml: Xml<'a>) -> Vec<DataObject> {
        let objects = kids(xml).filter(|kid| matches!(name(*kid), "dataObject" | "property"));
        let objects: Vec<Xml<'a>> = objects.filter(|object| attr(*object, "name") != Some(PLACEHOLDER)).collect();
        let object = |object: Xml<'a>| {
            let id = id(object)?;
            Some(DataObject {
                id: id.into(),
                name: variable_of(object).unwrap_or(id).to_owned(),
                is_collection: flag(object, "isCollection", false),
                initial: initial(object),
            })
        };
        objects.into_iter().filter_map(object).collect()
    }

    /// The variable that a reference to something that holds data means.
    pub(super) fn data_name(&self, reference: &str) -> Option<String> {
        let mut found = self.source.referred(reference)?;
        if name(found) == "dataObjectReference" {
            found = attr(found, "dataObjectRef").and_then(|object| self.source.referred(object))?;
        }
        let named = matches!(
            name(found),
            "dataObject" | "property" | "dataInput" | "dataOutput" | "inputDataItem" | "outputDataItem"
        );
        named.then(|| variable_of(found)).flatten().map(str::to_owned)
    }

    /// The data associations of an activity or an event, as what they set.
    pub(super) fn associations(&mut self, xml: Xml<'a>, which: &'a str) -> Vec<Mapping> {
        let associations: Vec<Xml<'a>> = kids_of(xml, which).collect();
        associations
            .into_iter()
            .flat_map(|association| self.association(association))
            .collect()
    }

    fn association(&mut self, association: Xml<'a>) -> Vec<Mapping> {
        let assignments: Vec<Xml<'a>> = kids_of(association, "assignment").collect();
        if !assignments.is_empty() {
            return assignments
                .into_iter()
                .filter_map(|assignment| self.assignment(assignment))
                .collect();
        }
        let end = |which| kid(association, which).map(text);
        let Some(target) = end("targetRef").and_then(|target| self.data_name(&target)) else {
            return Vec::new();
        };
        if target == PLACEHOLDER {
            return Vec::new();
        }
        let value = if let Some(transformation) = kid(association, "transformation") {
            self.formal(transformation)
        } else {
            let source = end("sourceRef").and_then(|source| self.data_name(&source));
            source.and_then(|source| self.variable(association, &source))
        };
        value.map(|value| Mapping { target, value }).into_iter().collect()
    }

    fn assignment(&mut self, assignment: Xml<'a>) -> Option<Mapping> {
        let target = text(kid(assignment, "to")?);
        let target = target
            .trim_start_matches(['$', '{', '#', '='])
            .trim_end_matches('}')
            .trim()
            .to_owned();
        let target = self.data_name(&target).unwrap_or(target);
        let value = self.formal(kid(assignment, "from")?)?;
        Some(Mapping { target, value })
    }

    /// `flowable:in` and `flowable:out`: `source` or `sourceExpression` to `target`.
    pub(super) fn engine_parameters(&mut self, xml: Xml<'a>, which: &'a str) -> Vec<Mapping> {
        let parameters: Vec<Xml<'a>> = engine_elements(xml, which).collect();
        parameters
            .into_iter()
            .filter_map(|parameter| self.engine_parameter(parameter))
            .collect()
    }

    fn engine_parameter(&mut self, parameter: Xml<'a>) -> Option<Mapping> {
        if attr(parameter, "businessKey").is_some() || attr(parameter, "variables").is_some() {
            return None; // Whoever reads the call looks at these.
        }
        let target = attr(parameter, "target").or_else(|| attr(parameter, "targetExpression"));
        let source = attr(parameter, "source").or_else(|| attr(parameter, "sourceExpression"));
        let (Some(target), Some(source)) = (target, source) else {
            self.error(
                "parameter-incomplete",
                parameter,
                "This parameter needs a source or a sourceExpression, and a target.",
                "此参数必须有 source 或 sourceExpression,以及 target。",
            );
            return None;
        };
        let value = self.expression(parameter, source)?;
        Some(Mapping {
            target: target.trim_start_matches("${").trim_end_matches('}').to_owned(),
            value,
        })
    }

    /// `camunda:inputParameter` and `camunda:outputParameter`.
    pub(super) fn engine_mappings(&mut self, xml: Xml<'a>, which: &'a str) -> Vec<Mapping> {
        let parameters: Vec<Xml<'a>> = engine_elements(xml, "inputOutput")
            .flat_map(|io| {
                io.children()
                    .filter(move |kid| kid.is_element() && kid.tag_name().name() == which)
            })
            .collect();
        let mut mappings = Vec::new();
        for parameter in parameters {
            let Some(target) = attr(parameter, "name") else { continue };
            if parameter.children().any(|child| child.is_element()) {
                self.error(
                    "parameter-structured",
                    parameter,
                    format!("Write the parameter {target} as one expression; lists, maps and scripts are not read."),
                    format!("参数 {target} 请写成一个表达式;不支持列表、映射和脚本。"),
                );
                continue;
            }
            if let Some(value) = self.value_of(parameter, &text(parameter)) {
                mappings.push(Mapping {
                    target: target.to_owned(),
                    value,
                });
            }
        }
        mappings
    }

    /// A text of the dialects as a value: an expression if it is written as one, else the text itself.
    pub(super) fn value_of(&mut self, at: Xml<'a>, written: &str) -> Option<Expression> {
        if written.contains("${") || written.contains("#{") || written.starts_with('=') {
            self.expression(at, written)
        } else {
            self.compiled(at, &quoted(written))
        }
    }
}

/// `flowable:value` as an element, or `zhulu:value` as JSON.
fn initial(object: Xml<'_>) -> Value {
    if let Some(json) = zhulu_attr(object, "value") {
        return serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned()));
    }
    let element = extensions(object).find(|element| element.tag_name().name() == "value");
    let Some(written) = element.map(text).or_else(|| engine_attr(object, "value").map(str::to_owned)) else {
        return Value::Null;
    };
    let kind = attr(object, "itemSubjectRef").map(|kind| local(kind).to_ascii_lowercase());
    match kind.as_deref() {
        Some("boolean" | "int" | "integer" | "long" | "short" | "double" | "float" | "decimal") => {
            serde_json::from_str(&written).unwrap_or(Value::String(written))
        }
        _ => Value::String(written),
    }
}
