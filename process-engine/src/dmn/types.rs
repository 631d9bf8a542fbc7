//! The types that a model says its inputs have: JSON knows no dates, so a text becomes what the model says it is, and what
//! is something else is told instead of silently matching no rule.

use std::collections::HashMap;

use dsntk_feel::{Name, context::FeelContext, values::Value as FeelValue};
use serde_json::Value;

use super::logic::{Xml, child, children};
use crate::expression::bridge::{self, Size};

/// The deepest that types are made of types.
const MAX_DEPTH: u32 = 16;

/// What an input is said to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Type {
    Any,
    Number,
    Text,
    Boolean,
    Date,
    Time,
    DateTime,
    Duration,
    List(Box<Type>),
    Context(Vec<(String, Type)>),
}

/// The types that a model defines, by name.
pub(super) struct Types<'a>(HashMap<&'a str, Xml<'a>>);

impl<'a> Types<'a> {
    pub(super) fn of(root: Xml<'a>) -> Self {
        let defined = children(root, "itemDefinition").filter_map(|node| Some((node.attribute("name")?, node)));
        Self(defined.collect())
    }

    /// The type of this name.
    pub(super) fn named(&self, name: Option<&str>) -> Type {
        self.at(name, MAX_DEPTH)
    }

    fn at(&self, name: Option<&str>, depth: u32) -> Type {
        let Some(name) = name.map(str::trim) else {
            return Type::Any;
        };
        if let Some(defined) = self.0.get(name) {
            return if depth == 0 {
                Type::Any
            } else {
                self.defined(*defined, depth - 1)
            };
        }
        // Earlier versions write `feel:number`.
        match name.strip_prefix("feel:").unwrap_or(name) {
            "number" => Type::Number,
            "string" => Type::Text,
            "boolean" => Type::Boolean,
            "date" => Type::Date,
            "time" => Type::Time,
            "dateTime" | "date and time" => Type::DateTime,
            "dayTimeDuration" | "yearMonthDuration" | "days and time duration" | "years and months duration" => Type::Duration,
            _ => Type::Any,
        }
    }

    fn defined(&self, node: Xml<'a>, depth: u32) -> Type {
        let components: Vec<(String, Type)> = children(node, "itemComponent")
            .filter_map(|component| {
                Some((
                    component.attribute("name")?.to_owned(),
                    self.defined(component, depth.checked_sub(1)?),
                ))
            })
            .collect();
        let one = if components.is_empty() {
            self.at(child(node, "typeRef").and_then(|reference| reference.text()), depth)
        } else {
            Type::Context(components)
        };
        if node.attribute("isCollection") == Some("true") {
            return Type::List(Box::new(one));
        }
        one
    }
}

impl Type {
    /// A value as what it is said to be.
    pub(super) fn read(&self, value: &Value, size: &mut Size) -> Result<FeelValue, String> {
        let temporal = |parse: fn(&str) -> Option<FeelValue>, what: &str| match value {
            Value::String(text) => parse(text.trim()).ok_or_else(|| format!("{text:?} is no {what}")),
            other => Err(format!("{} is no {what}", kind(other))),
        };
        match (self, value) {
            (_, Value::Null) => Ok(FeelValue::Null(None)),
            (Self::Date, _) => temporal(|text| FeelValue::try_from_xsd_date(text).ok(), "date"),
            (Self::Time, _) => temporal(|text| FeelValue::try_from_xsd_time(text).ok(), "time"),
            (Self::DateTime, _) => temporal(|text| FeelValue::try_from_xsd_date_time(text).ok(), "date and time"),
            (Self::Duration, _) => temporal(|text| FeelValue::try_from_xsd_duration(text).ok(), "duration"),
            (Self::Number, Value::Number(_))
            | (Self::Text, Value::String(_))
            | (Self::Boolean, Value::Bool(_))
            | (Self::Any, _) => bridge::to_feel(value, size),
            (Self::List(of), Value::Array(items)) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| of.read(item, size)).collect();
                Ok(FeelValue::List(items?))
            }
            (Self::Context(members), Value::Object(entries)) => {
                let mut context = FeelContext::default();
                for (name, entry) in entries {
                    let member = members
                        .iter()
                        .find(|(known, _)| known == name)
                        .map_or(&Self::Any, |(_, member)| member);
                    let entry = member.read(entry, size).map_err(|reason| format!("{name}: {reason}"))?;
                    context.set_entry(&Name::from(name.as_str()), entry);
                }
                Ok(FeelValue::Context(context))
            }
            (Self::Number, other) => Err(format!("{} is no number", kind(other))),
            (Self::Text, other) => Err(format!("{} is no text", kind(other))),
            (Self::Boolean, other) => Err(format!("{} is neither true nor false", kind(other))),
            (Self::List(of), one) => of.read(one, size),
            (Self::Context(_), other) => Err(format!("{} has no members", kind(other))),
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a context",
    }
}
