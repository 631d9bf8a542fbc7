//! Working days, limits and the legal clock.
