//! Areas, in whole square centimetres.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    ValueError, Wording,
    decimal::{Decimal, write},
};

/// The largest area that is believed: 1,000 km².
const CM2_MAX: i64 = 10_000_000_000_000;
/// 1 ㎡ = 10,000 cm²; papers have two decimals.
const CM2_PER_HUNDREDTH_M2: i64 = 100;
const SQUARE_METRES: Decimal = Decimal {
    field: Wording::new("面积", "area"),
    decimals: 2,
    units: &["平方米", "㎡", "M²", "M2"],
    most: CM2_MAX / CM2_PER_HUNDREDTH_M2,
};

/// An area in cm². It is stored as a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Area(i64);

impl Area {
    /// None.
    pub const ZERO: Self = Self(0);

    /// So many cm².
    pub const fn from_cm2(cm2: i64) -> Self {
        Self(cm2)
    }

    /// Reads an area in ㎡ with up to two decimals: `9,460.00㎡`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        SQUARE_METRES
            .read(text)
            .map(|hundredths| Self(hundredths * CM2_PER_HUNDREDTH_M2))
    }

    /// How many cm².
    pub const fn cm2(self) -> i64 {
        self.0
    }

    /// In ㎡, exactly, with at least two decimals (`9460.00`).
    pub fn m2(self) -> String {
        write(self.0, 4, 2)
    }

    /// The sum, if it can be written.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}㎡", self.m2())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn square_metres_are_kept_as_square_centimetres() {
        for text in ["9460", "9,460.00 ㎡", "9460.0m²", "９４６０平方米"] {
            assert_eq!(Area::parse(text).unwrap().cm2(), 94_600_000, "{text}");
        }
        assert_eq!(Area::parse("89.05").unwrap().to_string(), "89.05㎡");
        assert_eq!(Area::from_cm2(1).m2(), "0.0001");
        assert_eq!(Area::parse("89.005").unwrap_err().code(), "TOO_MANY_DECIMALS");
        assert_eq!(Area::parse("1000000000.01").unwrap_err().code(), "OUT_OF_RANGE");
    }
}
