//! Money, in whole 分.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    ValueError, Wording,
    decimal::{Decimal, write},
};

/// The largest amount that is believed: ten thousand 亿元, more than any city builds for in a year.
const FEN_MAX: i64 = 100_000_000_000_000;
const FIELD: Wording = Wording::new("金额", "amount");
/// 1 万元 = 1,000,000 分: six decimals.
const WAN_YUAN: Decimal = Decimal {
    field: FIELD,
    decimals: 6,
    units: &["万元"],
    most: FEN_MAX,
};
/// 1 元 = 100 分: two decimals.
const YUAN: Decimal = Decimal {
    field: FIELD,
    decimals: 2,
    units: &["元"],
    most: FEN_MAX,
};

/// An amount in 分 (0.01 元). It is stored as a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many 分.
    pub const fn from_fen(fen: i64) -> Self {
        Self(fen)
    }

    /// Reads an amount in 万元, as contracts write it: `2972.6398`, up to six decimals.
    pub fn parse_wan_yuan(text: &str) -> Result<Self, ValueError> {
        WAN_YUAN.read(text).map(Self)
    }

    /// Reads an amount in 元: `29,726,398.00`, up to two decimals.
    pub fn parse_yuan(text: &str) -> Result<Self, ValueError> {
        YUAN.read(text).map(Self)
    }

    /// How many 分.
    pub const fn fen(self) -> i64 {
        self.0
    }

    /// In 万元, exactly (`2972.6398`).
    pub fn wan_yuan(self) -> String {
        write(self.0, WAN_YUAN.decimals, 0)
    }

    /// In 元, exactly (`29726398.00`).
    pub fn yuan(self) -> String {
        write(self.0, YUAN.decimals, YUAN.decimals)
    }

    /// The sum, if it can be written.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, if it can be written.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}元", self.yuan())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_real_contract_price_is_read_exactly() {
        let price = Money::parse_wan_yuan("2972.6398").unwrap();
        assert_eq!(price.fen(), 2_972_639_800);
        assert_eq!(price.wan_yuan(), "2972.6398");
        assert_eq!(price.to_string(), "29726398.00元");
        assert_eq!(Money::parse_yuan("29,726,398.00 元").unwrap(), price);
        assert_eq!(serde_json::to_string(&price).unwrap(), "2972639800");
    }

    #[test]
    fn the_units_are_not_mistaken_for_each_other() {
        assert_eq!(Money::parse_wan_yuan("0.000001万元").unwrap(), Money::from_fen(1));
        assert!(Money::parse_yuan("1万元").is_err());
        assert_eq!(Money::parse_wan_yuan("0.0000001").unwrap_err().code(), "TOO_MANY_DECIMALS");
        assert_eq!(Money::parse_wan_yuan("100000001").unwrap_err().code(), "OUT_OF_RANGE");
    }
}
