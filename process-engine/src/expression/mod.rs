//! Expressions: FEEL (DMN 1.5, chapter 10), fenced. What an expression may look at is handed to it; it reads no clock.

use std::{borrow::Cow, fmt, sync::Arc};

use serde_json::Value;

/// What an expression may look at.
pub trait Variables {
    /// The value of this name; none, if there is none.
    fn get(&self, name: &str) -> Option<Cow<'_, Value>>;
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
pub struct Expression {
    feel: Arc<str>,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({})", self.feel)
    }
}

impl Expression {
    /// Reads and checks an expression.
    pub fn compile(feel: &str) -> Result<Self, ExpressionError> {
        Ok(Self { feel: feel.into() })
    }

    /// The expression in FEEL.
    pub fn feel(&self) -> &str {
        &self.feel
    }

    /// Its value.
    pub fn evaluate(&self, _variables: &dyn Variables) -> Result<Value, ExpressionError> {
        Err(ExpressionError {
            feel: self.feel.to_string(),
            reason: "expressions are not evaluated yet".to_owned(),
        })
    }

    /// Its value as a condition: anything but true and false is an error, null above all.
    pub fn holds(&self, variables: &dyn Variables) -> Result<bool, ExpressionError> {
        self.evaluate(variables)?.as_bool().ok_or_else(|| ExpressionError {
            feel: self.feel.to_string(),
            reason: "is neither true nor false".to_owned(),
        })
    }
}
