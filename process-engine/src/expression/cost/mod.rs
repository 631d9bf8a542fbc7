//! What an evaluation can cost at the most, reckoned before it is begun.
//!
//! The evaluator cannot be stopped and keeps no account, so the account is made beforehand: the expression is walked once
//! with the values that it will see, and for each part the most that it can hold and the most work that it can be are
//! added up. Loops multiply, what is kept grows, a function is entered with what it is called with. Whatever comes to
//! more than the budget, or cannot be foreseen, is not begun. The reckoning itself has a budget, too.

mod functions;
mod loops;
mod value;

use std::rc::Rc;

use dsntk_feel::Name;
use dsntk_feel_parser::AstNode;

pub(crate) use value::{Foreseen, Made};

/// The most work of one evaluation. A unit is about the copying of one value or one byte of text: all of it together is
/// some tenths of a second, and no more memory than a few hundred megabytes.
pub(crate) const MAX_COST: u64 = 4_000_000;
/// The most steps that the reckoning itself may take: functions are entered at each call.
const MAX_STEPS: u64 = 200_000;
/// The most rounds through ranges of numbers.
pub(crate) const MAX_ROUNDS: u64 = 1_000;
/// The deepest that functions may call each other.
const MAX_CALLS: u32 = 32;

/// A name and what it stands for, with those outside of it.
pub(crate) struct Known<'a> {
    name: Name,
    value: Foreseen<'a>,
    outer: Scope<'a>,
}

/// What names stand for at one place of an expression.
pub(crate) type Scope<'a> = Option<Rc<Known<'a>>>;

/// The scope with one more name in it.
#[allow(clippy::unnecessary_wraps)] // A scope may have no name in it.
pub(crate) fn with<'a>(scope: &Scope<'a>, name: Name, value: Foreseen<'a>) -> Scope<'a> {
    Some(Rc::new(Known {
        name,
        value,
        outer: scope.clone(),
    }))
}

/// The name under which an item of a list that is filtered is kept; its own members are names as well.
pub(super) const ITEM: &str = "item";

/// The account of one evaluation.
pub(crate) struct Reckoning {
    cost: u64,
    steps: u64,
    calls: u32,
    /// How many times over the part is done that is being looked at.
    pub(super) times: u64,
}

impl Default for Reckoning {
    fn default() -> Self {
        Self {
            cost: 0,
            steps: 0,
            calls: 0,
            times: 1,
        }
    }
}

impl Reckoning {
    /// What it came to.
    pub(crate) fn cost(&self) -> u64 {
        self.cost
    }

    /// Adds work that is done as many times as the part that is being looked at.
    pub(crate) fn spend(&mut self, units: u64) -> Result<(), String> {
        self.cost = self.cost.saturating_add(units.saturating_mul(self.times));
        if self.cost > MAX_COST {
            return Err(format!("could take more than {MAX_COST} steps with these values"));
        }
        Ok(())
    }

    /// The most that a part of an expression can give.
    pub(crate) fn of<'a>(&mut self, node: &'a AstNode, scope: &Scope<'a>) -> Result<Foreseen<'a>, String> {
        use AstNode as N;
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err("calls functions too often".to_owned());
        }
        self.spend(1)?;
        Ok(match node {
            N::Numeric(before, after, ..) => Foreseen::Made(Made::number_written(before, after)),
            N::String(text) | N::At(text) => Foreseen::Made(Made::one(1 + text.len() as u64)),
            N::Name(name) | N::QualifiedNameSegment(name) => self.named(name, scope)?,
            N::QualifiedName(segments) => {
                let mut segments = segments.iter();
                let mut value = match segments.next() {
                    Some(first) => self.of(first, scope)?,
                    None => Foreseen::Made(Made::one(1)),
                };
                for segment in segments {
                    if let N::QualifiedNameSegment(name) | N::Name(name) = segment {
                        value = value.member(name);
                    }
                }
                value
            }
            N::Path(of, name) => {
                let of = self.of(of, scope)?;
                self.spend(of.made().units)?;
                match &**name {
                    N::Name(name) => of.member(name),
                    _ => Foreseen::Made(of.made().flat()),
                }
            }
            N::If(condition, then, otherwise) => {
                self.of(condition, scope)?;
                let then = self.of(then, scope)?;
                let otherwise = self.of(otherwise, scope)?;
                then.or(&otherwise)
            }
            N::List(items) | N::CommaList(items) | N::ExpressionList(items) | N::NegatedList(items) => self.list(items, scope)?,
            N::Context(entries) => self.context(entries, scope)?,
            N::Filter(list, condition) => self.filter(list, condition, scope)?,
            N::For(contexts, body) => self.collected(contexts, body, scope)?,
            N::Some(contexts, condition) | N::Every(contexts, condition) => self.quantified(contexts, condition, scope)?,
            N::FunctionDefinition(parameters, body) => Foreseen::Function(Rc::new(value::Function {
                parameters: value::parameters_of(parameters),
                body,
                scope: scope.clone(),
            })),
            N::FunctionInvocation(callee, arguments) => self.invocation(callee, arguments, scope)?,
            N::Range(from, to) => {
                let from = self.of(from, scope)?.made();
                let to = self.of(to, scope)?.made();
                Foreseen::Made(Made::range(&from, &to))
            }
            N::Add(left, right) => self.arithmetic(left, right, scope, |a, b| a + b)?,
            N::Sub(left, right) => self.arithmetic(left, right, scope, |a, b| a - b)?,
            N::Mul(left, right) => self.arithmetic(left, right, scope, |a, b| a * b)?,
            N::EvaluatedExpression(inner)
            | N::Satisfies(inner)
            | N::IntervalStart(inner, _)
            | N::IntervalEnd(inner, _)
            | N::FunctionBody(inner, _) => self.of(inner, scope)?,
            N::Out(value, tests) => {
                let tests = self.of(tests, scope)?.made();
                let value = self.of(value, scope)?;
                self.spend(value.made().units.saturating_mul(tests.units.saturating_add(1)))?;
                value
            }
            N::In(value, tests) => {
                // A value may be compared with each of the tests and of the items that they hold.
                let value = self.of(value, scope)?.made();
                let tests = self.of(tests, scope)?.made();
                self.spend(value.units.saturating_mul(tests.units.saturating_add(1)))?;
                Foreseen::Made(Made::one(1))
            }
            other => {
                let mut units = 0_u64;
                for part in super::syntax::parts(other) {
                    units = units.saturating_add(self.of(part, scope)?.made().units);
                }
                self.spend(units)?;
                Foreseen::Made(Made::one(1))
            }
        })
    }

    /// What a name stands for: a value that is known, a member of an item that is looked at, or a function of the language.
    fn named<'a>(&mut self, name: &Name, scope: &Scope<'a>) -> Result<Foreseen<'a>, String> {
        let mut found: Option<Foreseen<'a>> = None;
        let mut at = scope;
        while let Some(known) = at {
            self.steps += 1;
            if known.name == *name {
                found = Some(match found {
                    Some(member) => member.or(&known.value),
                    None => known.value.clone(),
                });
                break;
            }
            if known.name.as_str() == ITEM
                && let Some(member) = known.value.own_member(name)
            {
                found = Some(match found {
                    Some(inner) => inner.or(&member),
                    None => member,
                });
            }
            at = &known.outer;
        }
        let found = found.unwrap_or_else(|| Foreseen::Made(Made::one(1)));
        self.spend(found.made().units)?;
        Ok(found)
    }

    fn list<'a>(&mut self, items: &'a [AstNode], scope: &Scope<'a>) -> Result<Foreseen<'a>, String> {
        let mut list = Made::list(items.len() as u64, 0, 1);
        for item in items {
            let item = self.of(item, scope)?.made();
            list.each = list.each.max(item.units);
            list.units = list.units.saturating_add(item.units);
        }
        self.spend(list.units)?;
        Ok(Foreseen::Made(list))
    }

    /// A context: each entry sees those before it.
    fn context<'a>(&mut self, entries: &'a [AstNode], scope: &Scope<'a>) -> Result<Foreseen<'a>, String> {
        let mut inner = scope.clone();
        let mut fields = Vec::new();
        for entry in entries {
            let AstNode::ContextEntry(key, value) = entry else {
                continue;
            };
            let value = self.of(value, &inner)?;
            // The entries so far are copied whenever one is added.
            self.spend(value.made().units)?;
            if let AstNode::ContextEntryKey(name) | AstNode::Name(name) = &**key {
                inner = with(&inner, name.clone(), value.clone());
                fields.push((name.clone(), value));
            }
        }
        Ok(Foreseen::Fields(Rc::new(fields)))
    }

    fn arithmetic<'a>(
        &mut self,
        left: &'a AstNode,
        right: &'a AstNode,
        scope: &Scope<'a>,
        of: fn(f64, f64) -> f64,
    ) -> Result<Foreseen<'a>, String> {
        let left = self.of(left, scope)?.made();
        let right = self.of(right, scope)?.made();
        self.spend(left.units.saturating_add(right.units))?;
        Ok(Foreseen::Made(Made::arithmetic(&left, &right, of)))
    }

    /// Does something so many times.
    pub(super) fn repeated<T>(&mut self, times: u64, work: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        let before = self.times;
        self.times = before.saturating_mul(times);
        let result = work(self);
        self.times = before;
        result
    }

    /// Does something inside a function that is called.
    pub(super) fn called<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        if self.calls >= MAX_CALLS {
            return Err(format!("calls functions deeper than {MAX_CALLS} levels"));
        }
        self.calls += 1;
        let result = work(self);
        self.calls -= 1;
        result
    }
}
