//! The stored form of an event: its name, and its data as JSON.
//!
//! An event is an enum of struct variants with serde's own (externally tagged) shape. The variant's name is stored
//! beside the data, so a reader can choose by name before it parses a byte of the data.

use serde::{
    Serialize,
    de::{self, DeserializeOwned, IntoDeserializer},
};

/// Why stored bytes could not be read as an event.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// The name or the data does not fit the type that it was read as.
    #[error("the stored event {name} cannot be read: {cause}")]
    Unreadable {
        /// The stored name.
        name: String,
        /// What the parser said.
        cause: serde_json::Error,
    },
    /// Only enums of struct or newtype variants have a stored form.
    #[error("this value has no name of its own and cannot be stored as an event")]
    Nameless,
}

/// The name and the JSON data of an event.
pub fn encode<E: Serialize>(event: &E) -> Result<(String, Vec<u8>), StoredError> {
    let mut whole = serde_json::to_vec(event).map_err(|cause| StoredError::Unreadable {
        name: String::new(),
        cause,
    })?;
    // serde_json writes `{"Name":data}` without white space, or `"Name"` for a variant without fields.
    let quote = |from: usize| whole[from..].iter().position(|byte| *byte == b'"').map(|at| from + at);
    let open = quote(0).ok_or(StoredError::Nameless)?;
    let close = quote(open + 1).ok_or(StoredError::Nameless)?;
    let name = String::from_utf8_lossy(&whole[open + 1..close]).into_owned();
    match whole.first() {
        Some(b'{') if whole.get(close + 1) == Some(&b':') => {
            whole.pop();
            whole.drain(..close + 2);
            Ok((name, whole))
        }
        Some(b'"') => Ok((name, b"{}".to_vec())),
        _ => Err(StoredError::Nameless),
    }
}

/// The event with this name, read from its JSON data.
pub fn decode<E: DeserializeOwned>(name: &str, data: &[u8]) -> Result<E, StoredError> {
    E::deserialize(Named { name, data }).map_err(|cause| StoredError::Unreadable {
        name: name.to_owned(),
        cause,
    })
}

/// A name and its data, offered to serde as one variant of an enum.
struct Named<'a> {
    name: &'a str,
    data: &'a [u8],
}

impl<'de, 'a: 'de> de::Deserializer<'de> for Named<'a> {
    type Error = serde_json::Error;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_enum(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, 'a: 'de> de::EnumAccess<'de> for Named<'a> {
    type Error = serde_json::Error;
    type Variant = Data<'a>;

    fn variant_seed<V: de::DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self::Variant), Self::Error> {
        let name: de::value::StrDeserializer<'_, Self::Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Data(self.data)))
    }
}

/// The data of a variant whose name has been read.
struct Data<'a>(&'a [u8]);

impl<'de, 'a: 'de> de::VariantAccess<'de> for Data<'a> {
    type Error = serde_json::Error;

    fn unit_variant(self) -> Result<(), Self::Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: de::DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Self::Error> {
        let mut json = serde_json::Deserializer::from_slice(self.0);
        let value = seed.deserialize(&mut json)?;
        json.end()?;
        Ok(value)
    }

    fn tuple_variant<V: de::Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Self::Error> {
        let mut json = serde_json::Deserializer::from_slice(self.0);
        let value = de::Deserializer::deserialize_seq(&mut json, visitor)?;
        json.end()?;
        Ok(value)
    }

    fn struct_variant<V: de::Visitor<'de>>(self, _fields: &'static [&'static str], visitor: V) -> Result<V::Value, Self::Error> {
        let mut json = serde_json::Deserializer::from_slice(self.0);
        let value = de::Deserializer::deserialize_map(&mut json, visitor)?;
        json.end()?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Event {
        PermitIssued { permit_no: String, floors: u32 },
        PermitLapsed,
        Wrapped(Vec<u32>),
    }

    #[test]
    fn every_shape_of_event_survives_a_round_trip() {
        for event in [
            Event::PermitIssued {
                permit_no: "a\"b:c}".into(),
                floors: 3,
            },
            Event::PermitLapsed,
            Event::Wrapped(vec![1, 2]),
        ] {
            let (name, data) = encode(&event).expect("encodes");
            assert_eq!(decode::<Event>(&name, &data).expect("decodes"), event);
        }
    }

    #[test]
    fn the_name_is_stored_beside_the_data() {
        let (name, data) = encode(&Event::PermitIssued {
            permit_no: "1".into(),
            floors: 3,
        })
        .expect("encodes");
        assert_eq!(name, "PermitIssued");
        assert_eq!(data, br#"{"permit_no":"1","floors":3}"#);
    }

    #[test]
    fn unknown_names_and_torn_data_are_refused_with_the_name() {
        assert!(
            decode::<Event>("PermitSold", b"{}")
                .expect_err("unknown")
                .to_string()
                .contains("PermitSold")
        );
        assert!(decode::<Event>("PermitIssued", b"{\"permit_no\":").is_err());
        assert!(decode::<Event>("Wrapped", b"[1,2] [3]").is_err());
    }

    #[test]
    fn a_value_without_a_name_cannot_be_stored() {
        assert!(matches!(encode(&[1, 2]), Err(StoredError::Nameless)));
    }
}
