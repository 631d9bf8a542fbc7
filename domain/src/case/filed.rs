//! What an applicant wrote into the form, as it was written: kept as text, read when somebody asks for a field.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, value::RawValue};

/// A filled-in form. Nearly all events of a case never look into it, so it is not taken apart before somebody does.
#[derive(Clone)]
pub struct FiledForm(Arc<RawValue>);

impl FiledForm {
    /// The form taken apart. Worth keeping for who reads several fields.
    pub fn read(&self) -> Value {
        serde_json::from_str(self.0.get()).unwrap_or(Value::Null)
    }
}

impl Default for FiledForm {
    fn default() -> Self {
        Self(RawValue::NULL.to_owned().into())
    }
}

impl From<&Value> for FiledForm {
    fn from(value: &Value) -> Self {
        serde_json::value::to_raw_value(value).map_or_else(|_| Self::default(), |raw| Self(raw.into()))
    }
}

impl PartialEq for FiledForm {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get() || self.read() == other.read()
    }
}

impl fmt::Debug for FiledForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get())
    }
}

impl Serialize for FiledForm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FiledForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.into()))
    }
}
