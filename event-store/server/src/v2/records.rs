//! Records of the second version, as events: their properties are the event's metadata, in JSON.

use std::sync::Arc;

use event_store_contract::{MAX_EVENT_BYTES, NewEvent, StreamName};
use event_store_embedded::Draft;
use prost_types::value::Kind;
use serde_json::{Map, Value};
use tonic::Status;
use uuid::Uuid;

use crate::{
    protocol::kurrentdb::protocol::v2::streams::{AppendRecord, SchemaFormat},
    streams::words::event_bytes,
    v2::errors,
};

/// Where readers of the first version find what the second one says of an event's type.
const SCHEMA_NAME: &str = "$schema.name";
const SCHEMA_FORMAT: &str = "$schema.format";
const SCHEMA_ID: &str = "$schema.id";
/// How deep the properties of a record may be nested.
const MAX_DEPTH: usize = 64;

/// An event on its way in, and how many bytes it counts.
pub(crate) fn draft(stream: &StreamName, record: AppendRecord) -> Result<(Draft, usize), Status> {
    let schema = record
        .schema
        .ok_or_else(|| Status::invalid_argument("a record says what its schema is"))?;
    let format = match schema.format() {
        SchemaFormat::Json => "Json",
        SchemaFormat::Protobuf => "Protobuf",
        SchemaFormat::Avro => "Avro",
        SchemaFormat::Bytes => "Bytes",
        SchemaFormat::Unspecified => return Err(Status::invalid_argument("Schema format must not be Unspecified.")),
    };
    if schema.name.is_empty() {
        return Err(Status::invalid_argument("Schema name must not be empty"));
    }
    let id = match &record.record_id {
        None => Uuid::new_v4(),
        Some(id) => Uuid::try_parse(id)
            .ok()
            .filter(|id| !id.is_nil())
            .ok_or_else(|| Status::invalid_argument("Record ID must be a valid and non-empty UUID."))?,
    };
    let mut metadata = Map::new();
    for (key, value) in record.properties {
        metadata.insert(key, json(value, MAX_DEPTH)?);
    }
    if let Some(id) = &schema.id {
        metadata.insert(SCHEMA_ID.into(), id.as_str().into());
    }
    metadata.insert(SCHEMA_NAME.into(), schema.name.as_str().into());
    metadata.insert(SCHEMA_FORMAT.into(), format.into());
    let metadata = Value::Object(metadata).to_string();
    let bytes = event_bytes(&schema.name, metadata.as_bytes(), &record.data);
    if bytes > MAX_EVENT_BYTES {
        return Err(errors::record_too_large(stream, id, bytes));
    }
    let event = NewEvent {
        id,
        name: Arc::from(schema.name),
        data: record.data,
        metadata: metadata.into(),
    };
    let is_json = format == "Json";
    Ok((Draft { event, is_json }, bytes))
}

fn json(value: prost_types::Value, depth: usize) -> Result<Value, Status> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| Status::invalid_argument(format!("properties are nested at most {MAX_DEPTH} deep")))?;
    Ok(match value.kind {
        None => return Err(Status::invalid_argument("Property values must have a type set.")),
        Some(Kind::NullValue(_)) => Value::Null,
        // What JSON has no number for (an infinity) is nothing.
        Some(Kind::NumberValue(number)) => number.into(),
        Some(Kind::StringValue(text)) => text.into(),
        Some(Kind::BoolValue(truth)) => truth.into(),
        Some(Kind::StructValue(fields)) => {
            let fields = fields.fields.into_iter();
            let fields = fields.map(|(key, value)| Ok((key, json(value, depth)?)));
            Value::Object(fields.collect::<Result<_, Status>>()?)
        }
        Some(Kind::ListValue(list)) => {
            let values = list.values.into_iter().map(|value| json(value, depth));
            Value::Array(values.collect::<Result<_, Status>>()?)
        }
    })
}
