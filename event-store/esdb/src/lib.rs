//! The contract over the official client of KurrentDB.
