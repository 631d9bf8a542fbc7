//! Expressions: FEEL (DMN 1.5, chapter 10), fenced. What an expression may look at is handed to it; it reads no clock.
//!
//! The language itself is dsntk's. Around it stand a fence: what is too long or too deep is refused before it is parsed
//! ([`fence`]), what defines functions or reaches outside before it is accepted ([`syntax`]), what could take too long with
//! the values at hand before it is evaluated ([`cost`]). Between its values and JSON stands a bridge ([`bridge`]).
//! Why so: docs/decisions/0008-feel.md.

pub(crate) mod bridge;
pub(crate) mod cost;
pub(crate) mod fence;
pub(crate) mod syntax;
#[cfg(test)]
mod tests;
pub mod translate;

use std::{
    borrow::Cow,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use dsntk_feel::{Evaluator, FeelScope, Name, context::FeelContext, values::Value as FeelValue};
use dsntk_feel_parser::AstNode;
use serde_json::Value;

/// What an expression may look at.
pub trait Variables {
    /// The value of this name; none, if there is none.
    fn get(&self, name: &str) -> Option<Cow<'_, Value>>;
}

/// Variables in a map see themselves.
impl Variables for std::collections::BTreeMap<String, Value> {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.get(name).map(Cow::Borrowed)
    }
}

/// Why an expression was not accepted or gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{feel}: {reason}")]
pub struct ExpressionError {
    /// The expression.
    pub feel: String,
    /// What is wrong with it, as a sentence.
    pub reason: String,
}

/// An expression that was read and checked.
#[derive(Clone)]
pub struct Expression(Arc<Compiled>);

struct Compiled {
    feel: String,
    /// The names that it may look up, each once: no other variable is handed over.
    names: Vec<(String, Name)>,
    evaluator: Evaluator,
    /// What was parsed, for reckoning what an evaluation costs.
    node: AstNode,
    /// What it costs for each unit that it looks at, if it has no loops; then there is nothing else to reckon.
    plain: Option<u64>,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({})", self.0.feel)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.0.feel == other.0.feel
    }
}

impl Expression {
    /// Reads and checks an expression.
    pub fn compile(feel: &str) -> Result<Self, ExpressionError> {
        let feel = feel.trim();
        let (node, evaluator) = parsed(feel).map_err(|reason| ExpressionError {
            feel: shortened(feel),
            reason,
        })?;
        Ok(Self(Arc::new(Compiled {
            feel: feel.to_owned(),
            names: syntax::names(&node)
                .into_iter()
                .map(|name| (name.to_string(), name))
                .collect(),
            evaluator,
            plain: syntax::plain(&node),
            node,
        })))
    }

    /// The expression in FEEL.
    pub fn feel(&self) -> &str {
        &self.0.feel
    }

    /// The names that it may look up.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.names.iter().map(|(name, _)| name.as_str())
    }

    /// Its value. What is not there is null, by the rules of FEEL.
    pub fn evaluate(&self, variables: &dyn Variables) -> Result<Value, ExpressionError> {
        bridge::to_json(self.raw(variables)?).map_err(|reason| self.error(reason))
    }

    /// Its value as a condition: anything but true and false is an error, null above all.
    pub fn holds(&self, variables: &dyn Variables) -> Result<bool, ExpressionError> {
        match self.raw(variables)? {
            FeelValue::Boolean(holds) => Ok(holds),
            FeelValue::Null(why) => Err(self.error(format!(
                "is null, neither true nor false{}",
                why.map(|why| format!(" ({why})")).unwrap_or_default()
            ))),
            other => Err(self.error(format!("is {}, neither true nor false", shortened(&other.to_string())))),
        }
    }

    fn raw(&self, variables: &dyn Variables) -> Result<FeelValue, ExpressionError> {
        let mut context = FeelContext::default();
        let mut seen = Vec::new();
        let mut size = bridge::Size::default();
        for (name, as_feel) in &self.0.names {
            if let Some(value) = variables.get(name) {
                let value_feel = bridge::to_feel(&value, &mut size).map_err(|reason| self.error(reason))?;
                context.set_entry(as_feel, value_feel);
                seen.push((as_feel, value));
            }
        }
        self.afford(size.units(), &seen).map_err(|reason| self.error(reason))?;
        let scope: FeelScope = context.into();
        // The evaluator is not ours: whatever it stumbles over is a bad expression, not the end of the program.
        catch_unwind(AssertUnwindSafe(|| (self.0.evaluator)(&scope))).map_err(|_| self.error("could not be evaluated".to_owned()))
    }

    /// Whether an evaluation keeps to the budget with these values.
    fn afford(&self, units: u64, seen: &[(&Name, Cow<'_, Value>)]) -> Result<(), String> {
        let at_most = self.0.plain.map(|each| each.saturating_mul(units.saturating_add(1)));
        if at_most.is_some_and(|cost| cost <= cost::MAX_COST) {
            return Ok(());
        }
        let scope = seen.iter().fold(None, |scope, (name, value)| {
            cost::with(&scope, (*name).clone(), cost::Foreseen::seen(value))
        });
        cost::Reckoning::default().of(&self.0.node, &scope).map(|_| ())
    }

    fn error(&self, reason: String) -> ExpressionError {
        ExpressionError {
            feel: shortened(&self.0.feel),
            reason,
        }
    }
}

/// Reads an expression that keeps to the bounds.
fn parsed(feel: &str) -> Result<(AstNode, Evaluator), String> {
    // A name may hold signs and blanks in FEEL: only what is known to be a name ends where it should.
    let mut known = FeelContext::default();
    for name in fence::check(feel, fence::MAX_EXPRESSION_BYTES)? {
        known.set_null(Name::from(name.as_str()));
    }
    let mut node = parse(&known.into(), feel, dsntk_feel_parser::parse_expression)?;
    syntax::check(&node)?;
    syntax::without_clock(&mut node);
    let evaluator = catch_unwind(AssertUnwindSafe(|| dsntk_feel_evaluator::prepare(&node)));
    let evaluator = evaluator.map_err(|_| "cannot be read as FEEL".to_owned())?;
    Ok((node, evaluator))
}

/// Parses a text. The parser is not ours: whatever it stumbles over is a bad expression, not the end of the program.
pub(crate) fn parse<E: fmt::Display>(
    known: &FeelScope,
    feel: &str,
    parse: fn(&FeelScope, &str, bool) -> Result<AstNode, E>,
) -> Result<AstNode, String> {
    match catch_unwind(AssertUnwindSafe(|| {
        parse(known, feel, false).map_err(|cause| cause.to_string())
    })) {
        Ok(Ok(node)) => Ok(node),
        Ok(Err(cause)) => Err(format!("cannot be read as FEEL: {cause}")),
        Err(_) => Err("cannot be read as FEEL".to_owned()),
    }
}

/// As much of a text as an error shows.
fn shortened(text: &str) -> String {
    const MAX_SHOWN: usize = 200;
    let text = text.trim();
    match text.char_indices().nth(MAX_SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
