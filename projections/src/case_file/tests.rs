//! What this view shows of cases.
