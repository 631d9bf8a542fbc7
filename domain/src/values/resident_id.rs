//! 公民身份号码 (GB 11643): who a citizen is.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::{
    Region, ValueError, Wording,
    checksum::mod_11_2,
    error::{DIGIT, Problem},
    text::{compact, date_at, each, has_length},
};

const FIELD: Wording = Wording::new("公民身份号码", "resident identity number");
const DIGIT_OR_X: Wording = Wording::new("数字或 X", "a digit or X");

/// The eighteen characters of an identity card. Where they are printed for debugging they are masked.
///
/// The county is not looked up: it is the one of the day of registration and may long be abolished.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResidentId(pub(super) String);

/// As registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display)]
pub enum Sex {
    /// 女
    Female,
    /// 男
    Male,
}

impl ResidentId {
    /// Reads a number and checks its date and its last character.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let number = compact(FIELD, text)?;
        has_length(FIELD, &number, 18, "18")?;
        each(FIELD, &number, 0..17, |character| character.is_ascii_digit(), DIGIT)?;
        each(
            FIELD,
            &number,
            17..18,
            |character| character.is_ascii_digit() || character == 'X',
            DIGIT_OR_X,
        )?;
        // No register of citizens goes back further; it keeps a slipped digit from becoming the year 0199.
        if date_at(&number, 6).is_none_or(|born| born.year() < BORN_YEAR_MIN) {
            return Err(ValueError::new(FIELD, Problem::NoSuchDate { at: 7 }));
        }
        if mod_11_2(&number[..17]) != number.chars().last() {
            return Err(ValueError::new(FIELD, Problem::WrongCheckCharacter { at: 18 }));
        }
        Ok(Self(number))
    }

    /// Where the number was first registered.
    pub fn region(&self) -> Option<Region> {
        Region::well_formed(self.0.get(..6)?)
    }

    /// When the citizen was born.
    pub fn birth_date(&self) -> Option<NaiveDate> {
        date_at(&self.0, 6)
    }

    /// Odd sequence numbers are men's.
    pub fn sex(&self) -> Option<Sex> {
        let digit = self.0.chars().nth(16)?.to_digit(10)?;
        Some(if digit % 2 == 1 { Sex::Male } else { Sex::Female })
    }

    /// As it may be shown to those who need not know it: `110***********002X`.
    pub fn masked(&self) -> String {
        match (self.0.get(..3), self.0.get(14..)) {
            (Some(head), Some(tail)) => format!("{head}***********{tail}"),
            _ => "*".repeat(self.0.chars().count()),
        }
    }
}

/// The earliest year of birth that is believed.
const BORN_YEAR_MIN: i32 = 1800;

impl fmt::Debug for ResidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResidentId({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_standard_s_own_numbers_are_accepted() {
        for number in [
            "11010519491231002X",
            "440524188001010014",
            "110101199003070011",
            "110101199003070070",
        ] {
            assert_eq!(ResidentId::parse(number).unwrap().as_str(), number);
        }
        let citizen = ResidentId::parse("１１０１０５１９４９１２３１００２x").unwrap();
        assert_eq!(citizen.birth_date(), NaiveDate::from_ymd_opt(1949, 12, 31));
        assert_eq!(citizen.sex(), Some(Sex::Female));
        assert_eq!(citizen.region(), Some(Region::parse("110105").unwrap()));
        assert_eq!(format!("{citizen:?}"), "ResidentId(110***********002X)");
    }

    #[test]
    fn wrong_numbers_are_refused_with_the_place() {
        for (text, code, at) in [
            ("110105194912310021", "WRONG_CHECK_CHARACTER", Some(18)),
            ("11010119900307004X", "WRONG_CHECK_CHARACTER", Some(18)),
            ("44030119900230001X", "NO_SUCH_DATE", Some(7)),
            ("110105019912310021", "NO_SUCH_DATE", Some(7)),
            ("11010519491231X021", "UNEXPECTED_CHARACTER", Some(15)),
            ("110105491231002", "WRONG_LENGTH", None),
        ] {
            let refused = ResidentId::parse(text).unwrap_err();
            assert_eq!((refused.code(), refused.at()), (code, at), "{text}");
        }
    }
}
