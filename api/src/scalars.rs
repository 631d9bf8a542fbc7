//! Values that GraphQL has no word for.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use event_store_contract::Position;

/// A place in the whole log. Opaque: pass it back as `minPosition` to read your own writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogPosition(pub(crate) Position);

#[Scalar(name = "Position")]
impl ScalarType for LogPosition {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => text.parse().map(|at| Self(Position(at))).map_err(InputValueError::custom),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.0.to_string())
    }
}

/// A count that a list may show: exact, or as far as it was counted.
pub(crate) fn small(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
