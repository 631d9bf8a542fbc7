//! The cost of calls: functions that an expression defines are entered; of those that the language has it is known.

use std::rc::Rc;

use dsntk_feel_parser::AstNode;

use super::{
    Reckoning, Scope,
    value::{Foreseen, Function, Made},
    with,
};
use crate::expression::syntax;

/// The longest text of a number that is no text yet: a number of 309 digits with its sign and point.
const DIGITS: u64 = 320;
/// What a function makes besides what it is given: a date of a number, a sign of a text.
const BESIDES: u64 = 32;

impl Reckoning {
    pub(super) fn invocation<'a>(
        &mut self,
        callee: &'a AstNode,
        arguments: &'a AstNode,
        scope: &Scope<'a>,
    ) -> Result<Foreseen<'a>, String> {
        let function = match callee {
            AstNode::Name(name) => match self.named(name, scope)? {
                function @ Foreseen::Function(_) => Some(function),
                _ if syntax::is_built_in(name.as_str()) => None,
                _ => return Err(format!("calls {:?}, of which nothing is known", name.as_str())),
            },
            other => Some(self.of(other, scope)?),
        };
        let mut given = Vec::new();
        for argument in syntax::parts(arguments) {
            given.push(match argument {
                AstNode::NamedParameter(name, value) => {
                    let name = match &**name {
                        AstNode::ParameterName(name) | AstNode::Name(name) => Some(name.clone()),
                        _ => None,
                    };
                    (name, self.of(value, scope)?)
                }
                other => (None, self.of(other, scope)?),
            });
        }
        match (function, callee) {
            (Some(Foreseen::Function(function)), _) => self.entered(&function, given),
            (None, AstNode::Name(name)) => {
                let given: Vec<_> = given.into_iter().map(|(_, value)| value).collect();
                self.built_in(name.as_str(), &given)
            }
            _ => Err("calls something of which nothing is known".to_owned()),
        }
    }

    fn entered<'a>(
        &mut self,
        function: &Rc<Function<'a>>,
        given: Vec<(Option<dsntk_feel::Name>, Foreseen<'a>)>,
    ) -> Result<Foreseen<'a>, String> {
        let mut inner = function.scope.clone();
        for (at, (name, value)) in given.into_iter().enumerate() {
            self.spend(value.made().units)?;
            if let Some(name) = name.or_else(|| function.parameters.get(at).cloned()) {
                inner = with(&inner, name, value);
            }
        }
        self.called(|reckoning| reckoning.of(function.body, &inner))
    }

    fn built_in<'a>(&mut self, name: &str, given: &[Foreseen<'a>]) -> Result<Foreseen<'a>, String> {
        let bounds: Vec<Made> = given.iter().map(Foreseen::made).collect();
        let all = bounds.iter().fold(BESIDES, |sum, made| sum.saturating_add(made.units));
        let items = bounds.iter().fold(0_u64, |sum, made| match made.items {
            u64::MAX => sum,
            items => sum.saturating_add(items),
        });
        let each = bounds.iter().map(|made| made.each.max(made.units)).max().unwrap_or(0);
        let first = bounds.first().copied().unwrap_or_else(|| Made::one(1));
        let made = match name {
            "count" if bounds.len() == 1 => {
                self.spend(all)?;
                #[allow(clippy::cast_precision_loss)]
                let most = first.items as f64;
                Made::number(0.0, most)
            }
            "abs" | "ceiling" | "decimal" | "exp" | "floor" | "log" | "mean" | "median" | "modulo" | "number" | "product"
            | "round down" | "round half down" | "round half up" | "round up" | "sqrt" | "stddev" | "string length" | "sum"
            | "count" | "day of year" | "week of year" => {
                self.spend(all)?;
                Made::some_number()
            }
            "string" => {
                let units = all.saturating_mul(DIGITS);
                self.spend(all)?;
                Made::one(if first.items <= 1 && !first.is_number {
                    all.saturating_add(DIGITS)
                } else {
                    units
                })
            }
            "sort" => self.sorted(given, &first)?,
            "distinct values" | "union" | "mode" | "index of" | "list contains" | "remove" => {
                // Each item is compared with each other.
                self.spend(all.saturating_mul(items.saturating_add(1)))?;
                Made::list(items, each, all)
            }
            "concatenate" | "append" | "insert before" | "list replace" | "reverse" | "sublist" => {
                self.calls_given(name, given, &first)?;
                self.spend(all)?;
                Made::list(items, each, all)
            }
            "replace" | "matches" => {
                // A pattern may be found at each letter and be replaced by something longer; it is read anew each time.
                let product = bounds
                    .iter()
                    .fold(1_u64, |product, made| product.saturating_mul(made.units.max(1)));
                self.spend(product)?;
                Made::one(product)
            }
            "string join" => {
                let glue = bounds.get(1).map_or(0, |made| made.units);
                let units = all.saturating_add(first.items.saturating_mul(glue));
                self.spend(units)?;
                Made::one(units)
            }
            "range" => Made {
                items: u64::MAX,
                ..Made::one(all)
            },
            _ => {
                self.spend(all)?;
                Made::list(all, all, all.saturating_mul(2))
            }
        };
        Ok(Foreseen::Made(made))
    }

    /// Sorting asks of each pair which is the first.
    fn sorted(&mut self, given: &[Foreseen<'_>], list: &Made) -> Result<Made, String> {
        let (list_given, function) = match given {
            [Foreseen::Function(function), list] | [list, Foreseen::Function(function)] => (list, Some(function)),
            [list, ..] => (list, None),
            [] => return Ok(*list),
        };
        let bounds = list_given.made();
        let pairs = bounds.items.saturating_mul(bounds.items);
        let item = list_given.item();
        self.repeated(pairs, |reckoning| {
            reckoning.spend(bounds.each.saturating_mul(2))?;
            match function {
                Some(function) => reckoning
                    .entered(function, vec![(None, item.clone()), (None, item.clone())])
                    .map(|_| ()),
                None => Ok(()),
            }
        })?;
        Ok(bounds)
    }

    /// A function that is asked of each item.
    fn calls_given(&mut self, name: &str, given: &[Foreseen<'_>], list: &Made) -> Result<(), String> {
        if name != "list replace" {
            return Ok(());
        }
        for value in given {
            if let Foreseen::Function(function) = value {
                let item = given.first().map_or(Foreseen::Made(Made::one(1)), Foreseen::item);
                self.repeated(list.items, |reckoning| {
                    reckoning.entered(function, vec![(None, item.clone()), (None, item.clone())])
                })?;
            }
        }
        Ok(())
    }
}
