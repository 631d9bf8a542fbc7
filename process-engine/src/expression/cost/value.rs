//! What a part of an expression can give at the most.

use std::rc::Rc;

use dsntk_feel::Name;
use dsntk_feel_parser::AstNode;
use serde_json::Value;

use super::Scope;

/// A value that is known, or what is known of it.
#[derive(Clone)]
pub(crate) enum Foreseen<'a> {
    /// One of these values.
    Seen(Rc<[&'a Value]>, Made),
    /// Whatever keeps to these bounds.
    Made(Made),
    /// A context with these entries.
    Fields(Rc<Vec<(Name, Foreseen<'a>)>>),
    /// A function that is defined in the expression.
    Function(Rc<Function<'a>>),
}

/// A function and what it sees.
pub(crate) struct Function<'a> {
    pub(crate) parameters: Vec<Name>,
    pub(crate) body: &'a AstNode,
    pub(crate) scope: Scope<'a>,
}

/// The bounds of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Made {
    /// The most values and bytes of text in it.
    pub(crate) units: u64,
    /// The most items, if it is a list; what is no list is looked at as a list of one.
    pub(crate) items: u64,
    /// The most units of an item.
    pub(crate) each: u64,
    /// Whether it is a number, or null.
    pub(crate) is_number: bool,
    /// The least and the greatest number that it can be, if that is known.
    pub(crate) number: Option<(f64, f64)>,
}

/// As many items as nobody knows.
const UNKNOWN: u64 = u64::MAX;

impl Made {
    /// Something that is no list.
    pub(crate) fn one(units: u64) -> Self {
        Self {
            units,
            items: 1,
            each: units,
            is_number: false,
            number: None,
        }
    }

    /// A number of which nothing is known.
    pub(crate) fn some_number() -> Self {
        Self {
            is_number: true,
            ..Self::one(1)
        }
    }

    /// A number between these two.
    pub(crate) fn number(least: f64, greatest: f64) -> Self {
        Self {
            number: (least.is_finite() && greatest.is_finite()).then_some((least, greatest)),
            ..Self::some_number()
        }
    }

    pub(crate) fn number_written(before: &str, after: &str) -> Self {
        match format!("{before}.{after}0").parse::<f64>() {
            Ok(number) => Self::number(number, number),
            Err(_) => Self::some_number(),
        }
    }

    /// A list.
    pub(crate) fn list(items: u64, each: u64, units: u64) -> Self {
        Self {
            units,
            items,
            each,
            is_number: false,
            number: None,
        }
    }

    /// Something of which only the size is known: it may be a list of anything.
    pub(crate) fn flat(self) -> Self {
        Self::list(self.units, self.units, self.units)
    }

    /// A range: as many items as there are whole numbers in it.
    pub(crate) fn range(from: &Self, to: &Self) -> Self {
        Self {
            items: rounds_between(from, to),
            each: 1,
            ..Self::one(from.units.saturating_add(to.units).saturating_add(1))
        }
    }

    /// The sum, difference or product: a number as soon as one of both is, otherwise perhaps a text of both.
    pub(crate) fn arithmetic(left: &Self, right: &Self, of: fn(f64, f64) -> f64) -> Self {
        if let (Some((a, b)), Some((c, d))) = (left.number, right.number) {
            let ends = [of(a, c), of(a, d), of(b, c), of(b, d)];
            return Self::number(
                ends.iter().copied().fold(f64::INFINITY, f64::min),
                ends.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            );
        }
        if left.is_number || right.is_number {
            return Self::some_number();
        }
        Self::one(left.units.saturating_add(right.units))
    }

    /// Whatever keeps to the bounds of one or the other.
    pub(crate) fn or(self, other: Self) -> Self {
        let number = match (self.number, other.number) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            _ => None,
        };
        Self {
            units: self.units.max(other.units),
            items: self.items.max(other.items),
            each: self.each.max(other.each),
            is_number: self.is_number && other.is_number,
            number,
        }
    }
}

/// How many whole numbers there can be from one to another, either way.
pub(crate) fn rounds_between(from: &Made, to: &Made) -> u64 {
    let (Some((a, b)), Some((c, d))) = (from.number, to.number) else {
        return UNKNOWN;
    };
    let widest = (d - a).abs().max((b - c).abs()) + 1.0;
    if widest < 1e15 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rounds = widest.ceil() as u64;
        return rounds;
    }
    UNKNOWN
}

/// The values and the bytes of text in a value.
pub(crate) fn units_of(value: &Value) -> u64 {
    match value {
        Value::String(text) => 1 + text.len() as u64,
        Value::Array(items) => 1 + items.iter().map(units_of).sum::<u64>(),
        Value::Object(entries) => {
            1 + entries
                .iter()
                .map(|(key, entry)| key.len() as u64 + units_of(entry))
                .sum::<u64>()
        }
        _ => 1,
    }
}

fn bounds_of(value: &Value) -> Made {
    match value {
        Value::Array(items) => Made::list(
            items.len() as u64,
            items.iter().map(units_of).max().unwrap_or(0),
            units_of(value),
        ),
        Value::Number(number) => number
            .as_f64()
            .map_or_else(Made::some_number, |number| Made::number(number, number)),
        other => Made::one(units_of(other)),
    }
}

impl<'a> Foreseen<'a> {
    /// This value.
    pub(crate) fn seen(value: &'a Value) -> Self {
        Self::Seen(Rc::from([value]), bounds_of(value))
    }

    /// Null.
    pub(crate) fn nothing() -> Self {
        Self::Made(Made::one(1))
    }

    fn any_of(values: Vec<&'a Value>) -> Self {
        let bounds = values.iter().map(|value| bounds_of(value)).reduce(Made::or);
        match bounds {
            Some(bounds) => Self::Seen(values.into(), bounds),
            None => Self::nothing(),
        }
    }

    /// Its bounds.
    pub(crate) fn made(&self) -> Made {
        match self {
            Self::Seen(_, made) | Self::Made(made) => *made,
            Self::Fields(fields) => {
                let units = fields.iter().fold(1_u64, |sum, (name, value)| {
                    sum.saturating_add(name.as_str().len() as u64)
                        .saturating_add(value.made().units)
                });
                Made::one(units)
            }
            Self::Function(_) => Made::one(1),
        }
    }

    /// This or that.
    pub(crate) fn or(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Seen(some, _), Self::Seen(others, _)) if some.len() + others.len() < 64 => {
                Self::any_of(some.iter().chain(others.iter()).copied().collect())
            }
            _ => Self::Made(self.made().or(other.made())),
        }
    }

    /// An item of it, if it is a list; otherwise itself.
    pub(crate) fn item(&self) -> Self {
        match self {
            Self::Seen(values, _) => {
                let mut items = Vec::new();
                for value in values.iter() {
                    match value {
                        Value::Array(inner) => items.extend(inner.iter()),
                        other => items.push(*other),
                    }
                }
                Self::any_of(items)
            }
            Self::Made(made) if made.items <= 1 && made.each == made.units => self.clone(),
            Self::Made(made) if made.is_number => self.clone(),
            Self::Made(made) => Self::Made(Made::list(made.each, made.each, made.each)),
            _ => self.clone(),
        }
    }

    /// The member of this name: of a list, a list of the members of its items.
    pub(crate) fn member(&self, name: &Name) -> Self {
        match self {
            Self::Seen(values, _) => {
                let mut found: Option<Self> = None;
                for value in values.iter() {
                    let member = match value {
                        Value::Array(items) => {
                            let members = || items.iter().filter_map(|item| entry_of(item, name));
                            Self::Made(Made::list(
                                items.len() as u64,
                                members().map(units_of).max().unwrap_or(1),
                                1 + items.len() as u64 + members().map(units_of).sum::<u64>(),
                            ))
                        }
                        other => entry_of(other, name).map_or(Self::nothing(), Self::seen),
                    };
                    found = Some(match found {
                        Some(before) => before.or(&member),
                        None => member,
                    });
                }
                found.unwrap_or(Self::nothing())
            }
            Self::Fields(fields) => fields
                .iter()
                .rev()
                .find(|(known, _)| known == name)
                .map_or(Self::nothing(), |(_, value)| value.clone()),
            Self::Made(made) if made.is_number => Self::nothing(),
            Self::Made(made) => Self::Made(made.flat()),
            Self::Function(_) => Self::nothing(),
        }
    }

    /// The member of this name, if this can be a context that has one.
    pub(crate) fn own_member(&self, name: &Name) -> Option<Self> {
        match self {
            Self::Seen(values, _) => {
                let members: Vec<&'a Value> = values.iter().filter_map(|value| entry_of(value, name)).collect();
                (!members.is_empty()).then(|| Self::any_of(members))
            }
            Self::Fields(fields) => fields.iter().any(|(known, _)| known == name).then(|| self.member(name)),
            Self::Made(made) if made.is_number || made.units <= 1 => None,
            Self::Made(made) => Some(Self::Made(made.flat())),
            Self::Function(_) => None,
        }
    }
}

fn entry_of<'a>(value: &'a Value, name: &Name) -> Option<&'a Value> {
    let entries = value.as_object()?;
    entries.get(name.as_str()).or_else(|| {
        // FEEL does not tell names apart by how many blanks are in them.
        let of_blanks = |key: &str| key.contains(char::is_whitespace) && Name::from(key) == *name;
        entries.iter().find(|(key, _)| of_blanks(key)).map(|(_, entry)| entry)
    })
}

/// The names of a function's parameters.
pub(crate) fn parameters_of(node: &AstNode) -> Vec<Name> {
    let mut names = Vec::new();
    for parameter in super::super::syntax::parts(node) {
        if let AstNode::FormalParameter(name, _) = parameter
            && let AstNode::ParameterName(name) | AstNode::Name(name) = &**name
        {
            names.push(name.clone());
        }
    }
    names
}
