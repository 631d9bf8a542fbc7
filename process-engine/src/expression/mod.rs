//! Expressions: FEEL (DMN 1.5, chapter 10), fenced. What an expression may look at is handed to it; it reads no clock.
//!
//! The language itself is dsntk's. Around it stand a fence ([`fence`]), which refuses what has no bounds before it is
//! parsed, and a bridge ([`bridge`]) between its values and JSON.

pub(crate) mod bridge;
pub(crate) mod fence;
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
        let error = |reason: String| ExpressionError {
            feel: shortened(feel),
            reason,
        };
        let fenced = fence::check(feel, fence::MAX_EXPRESSION_BYTES).map_err(error)?;
        let names: Vec<(String, Name)> = fenced
            .names
            .into_iter()
            .map(|name| {
                let as_feel = Name::from(name.as_str());
                (name, as_feel)
            })
            .collect();
        // A name may hold signs and blanks in FEEL: only what is known to be a name ends where it should.
        let mut known = FeelContext::default();
        for (_, name) in &names {
            known.set_null(name.clone());
        }
        let known: FeelScope = known.into();
        // The parser is not ours: whatever it stumbles over is a bad expression, not the end of the program.
        let parsed = catch_unwind(AssertUnwindSafe(|| {
            let node = dsntk_feel_parser::parse_expression(&known, &fenced.text, false).map_err(|cause| cause.to_string())?;
            Ok::<_, String>(dsntk_feel_evaluator::prepare(&node))
        }));
        let evaluator = match parsed {
            Ok(Ok(evaluator)) => evaluator,
            Ok(Err(cause)) => return Err(error(format!("cannot be read as FEEL: {cause}"))),
            Err(_) => return Err(error("cannot be read as FEEL".to_owned())),
        };
        Ok(Self(Arc::new(Compiled {
            feel: feel.trim().to_owned(),
            names,
            evaluator,
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
        let mut size = 0;
        for (name, as_feel) in &self.0.names {
            if let Some(value) = variables.get(name) {
                context.set_entry(
                    as_feel,
                    bridge::to_feel(&value, &mut size).map_err(|reason| self.error(reason))?,
                );
            }
        }
        let scope: FeelScope = context.into();
        catch_unwind(AssertUnwindSafe(|| (self.0.evaluator)(&scope))).map_err(|_| self.error("could not be evaluated".to_owned()))
    }

    fn error(&self, reason: String) -> ExpressionError {
        ExpressionError {
            feel: shortened(&self.0.feel),
            reason,
        }
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
