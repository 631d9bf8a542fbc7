//! A store in memory, for tests and as the model that the others are held against.

/// To come.
pub struct MemoryStore;
