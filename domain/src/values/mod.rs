//! The things that the bureau writes down, each with its own check.
