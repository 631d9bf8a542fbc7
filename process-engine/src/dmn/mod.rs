//! Decision tables (DMN 1.2 to 1.5).
