//! Between FEEL's values and JSON. Numbers are decimals on the way in and out; dates, times and durations leave as ISO 8601
//! texts and come in as texts, to be read with `date(…)`, `date and time(…)`, `duration(…)`.

use std::str::FromStr;

use dsntk_feel::{FeelNumber, Name, context::FeelContext, values::Value as FeelValue};
use serde_json::Value;

/// The most values that one evaluation takes in: ten thousand rows of a list, and no whole register.
pub(crate) const MAX_VALUES: u64 = 100_000;
/// The most text that one evaluation takes in.
pub(crate) const MAX_TEXT_BYTES: u64 = 1024 * 1024;

/// How much an evaluation takes in.
#[derive(Debug, Default)]
pub(crate) struct Size {
    values: u64,
    bytes: u64,
}

impl Size {
    /// Values and bytes of text.
    pub(crate) fn units(&self) -> u64 {
        self.values + self.bytes
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        self.values += 1;
        self.bytes += text.len() as u64;
        if self.values > MAX_VALUES {
            return Err(format!("looks at more than {MAX_VALUES} values"));
        }
        if self.bytes > MAX_TEXT_BYTES {
            return Err(format!("looks at more than {MAX_TEXT_BYTES} bytes of text"));
        }
        Ok(())
    }
}

/// JSON as FEEL sees it.
pub(crate) fn to_feel(value: &Value, size: &mut Size) -> Result<FeelValue, String> {
    size.add(value.as_str().unwrap_or_default())?;
    Ok(match value {
        Value::Null => FeelValue::Null(None),
        Value::Bool(value) => FeelValue::Boolean(*value),
        Value::Number(number) => number_in(number),
        Value::String(text) => FeelValue::String(text.clone()),
        Value::Array(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(|item| to_feel(item, size)).collect();
            FeelValue::List(items?)
        }
        Value::Object(entries) => {
            let mut context = FeelContext::default();
            for (name, entry) in entries {
                size.bytes += name.len() as u64;
                context.set_entry(&Name::from(name.as_str()), to_feel(entry, size)?);
            }
            FeelValue::Context(context)
        }
    })
}

/// What FEEL gave, as JSON.
pub(crate) fn to_json(value: FeelValue) -> Result<Value, String> {
    Ok(match value {
        FeelValue::Null(_) => Value::Null,
        FeelValue::Boolean(value) => Value::Bool(value),
        FeelValue::Number(number) => number_of(&number.to_string()),
        FeelValue::String(text) => Value::String(text),
        FeelValue::List(items) => {
            let items: Result<Vec<_>, _> = items.into_iter().map(to_json).collect();
            Value::Array(items?)
        }
        FeelValue::Context(context) => {
            let entries: Result<serde_json::Map<_, _>, String> = context
                .iter()
                .map(|(name, entry)| Ok((name.to_string(), to_json(entry.clone())?)))
                .collect();
            Value::Object(entries?)
        }
        FeelValue::Date(date) => Value::String(date.to_string()),
        FeelValue::DateTime(at) => Value::String(at.to_string()),
        FeelValue::Time(time) => Value::String(time.to_string()),
        FeelValue::DaysAndTimeDuration(duration) => Value::String(duration.to_string()),
        FeelValue::YearsAndMonthsDuration(duration) => Value::String(duration.to_string()),
        _ => return Err("gives something that is no value, such as a function or a range".to_owned()),
    })
}

/// A JSON number as a decimal: every whole number, and the fraction as it is written.
fn number_in(number: &serde_json::Number) -> FeelValue {
    if let Some(whole) = number.as_i64() {
        return FeelValue::Number(FeelNumber::from(whole));
    }
    FeelNumber::from_str(&number.to_string()).map_or(FeelValue::Null(None), FeelValue::Number)
}

/// A decimal as a JSON number; one that has none, such as infinity, is null.
fn number_of(text: &str) -> Value {
    // A whole number may be written with nothing but zeros behind the point.
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => text,
    };
    if let Ok(whole) = whole.parse::<i64>() {
        return whole.into();
    }
    if let Ok(whole) = whole.parse::<u64>() {
        return whole.into();
    }
    text.parse::<f64>()
        .ok()
        .and_then(serde_json::Number::from_f64)
        .map_or(Value::Null, Value::Number)
}
