//! Names of streams: a camelCase category, the first dash ends it, then a UUID or a business code.

use std::{fmt, sync::Arc};

/// The longest stream name, in bytes.
pub const MAX_STREAM_NAME_BYTES: usize = 1_024;

/// The name of a stream, such as `constructionPermit-0192f0c1-…`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(Arc<str>);

/// Why this is no name for a stream.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum StreamNameError {
    /// Nothing, or too long.
    #[error("a stream name has 1 to {MAX_STREAM_NAME_BYTES} bytes; this one has {0}")]
    Length(usize),
    /// Control characters cannot be printed, logged or typed.
    #[error("a stream name has no control characters")]
    Control,
}

impl StreamName {
    /// A name as it stands.
    pub fn new(name: impl AsRef<str>) -> Result<Self, StreamNameError> {
        let name = name.as_ref();
        if name.is_empty() || name.len() > MAX_STREAM_NAME_BYTES {
            return Err(StreamNameError::Length(name.len()));
        }
        if name.chars().any(char::is_control) {
            return Err(StreamNameError::Control);
        }
        Ok(Self(name.into()))
    }

    /// The stream of one thing of a category.
    pub fn of(category: &str, id: impl fmt::Display) -> Result<Self, StreamNameError> {
        Self::new(format!("{category}-{id}"))
    }

    /// What stands before the first dash; the whole name, if there is none.
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or(&*self.0, |(category, _)| category)
    }

    /// What stands after the first dash; nothing, if there is none.
    pub fn id(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, id)| id)
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_dash_ends_the_category() {
        let name = StreamName::of("constructionPermit", "0192-af").expect("a name");
        assert_eq!((name.category(), name.id()), ("constructionPermit", "0192-af"));
    }

    #[test]
    fn empty_endless_and_unprintable_names_are_refused() {
        assert_eq!(StreamName::new(""), Err(StreamNameError::Length(0)));
        assert!(StreamName::new("x".repeat(MAX_STREAM_NAME_BYTES + 1)).is_err());
        assert_eq!(StreamName::new("a-\n"), Err(StreamNameError::Control));
    }
}
