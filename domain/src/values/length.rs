//! Lengths, heights and depths, in whole millimetres.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    ValueError, Wording,
    decimal::{Decimal, write},
};

/// The longest that is believed: 10,000 km, longer than any road or pipe of one project.
const MM_MAX: i64 = 10_000_000_000;
const METRES: Decimal = Decimal {
    field: Wording::new("长度", "length"),
    decimals: 3,
    units: &["米", "M"],
    most: MM_MAX,
};

/// A length in mm. It is stored as a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Length(i64);

impl Length {
    /// So many mm.
    pub const fn from_mm(mm: i64) -> Self {
        Self(mm)
    }

    /// Reads a length in metres with up to three decimals: `24.5`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        METRES.read(text).map(Self)
    }

    /// How many mm.
    pub const fn mm(self) -> i64 {
        self.0
    }

    /// In metres, exactly (`24.5`).
    pub fn metres(self) -> String {
        write(self.0, METRES.decimals, 0)
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}m", self.metres())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn metres_are_kept_as_millimetres() {
        assert_eq!(Length::parse("24.5 m").unwrap(), Length::from_mm(24_500));
        assert_eq!(Length::parse("50米").unwrap().to_string(), "50m");
        assert_eq!(Length::parse("0.0001").unwrap_err().code(), "TOO_MANY_DECIMALS");
    }
}
