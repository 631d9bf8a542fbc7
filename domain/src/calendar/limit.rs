//! A limit of time as the law writes it: a number and what it counts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display, strum::EnumString)]
pub enum LimitUnit {
    /// 工作日: statutory holidays are not counted (行政许可法 82).
    WorkingDay,
    /// 自然日: every day counts; a last day that is no working day moves to the next one (民法典 203).
    NaturalDay,
    /// 月: ends on the corresponding day, else at the month's end (民法典 202).
    Month,
}

/// A number of working days, natural days or months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Limit {
    /// How many.
    pub n: u32,
    /// Of what.
    pub unit: LimitUnit,
}

impl Limit {
    /// A limit in working days (工作日).
    pub const fn working_days(n: u32) -> Self {
        Self {
            n,
            unit: LimitUnit::WorkingDay,
        }
    }

    /// A limit in natural days (自然日).
    pub const fn natural_days(n: u32) -> Self {
        Self {
            n,
            unit: LimitUnit::NaturalDay,
        }
    }

    /// A limit in months (月).
    pub const fn months(n: u32) -> Self {
        Self {
            n,
            unit: LimitUnit::Month,
        }
    }

    /// The same in English.
    pub fn en(&self) -> String {
        let unit = match self.unit {
            LimitUnit::WorkingDay => "working day",
            LimitUnit::NaturalDay => "day",
            LimitUnit::Month => "month",
        };
        format!("{} {unit}{}", self.n, if self.n == 1 { "" } else { "s" })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            LimitUnit::WorkingDay => "个工作日",
            LimitUnit::NaturalDay => "日",
            LimitUnit::Month => "个月",
        };
        write!(f, "{}{unit}", self.n)
    }
}
