//! 手机号码: where somebody can be called.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    ValueError, Wording,
    error::DIGIT,
    text::{compact, each, has_length},
};

const FIELD: Wording = Wording::new("手机号码", "mobile phone number");
const ONE: Wording = Wording::new("1", "1");
const SECOND: Wording = Wording::new("数字 3-9", "a digit 3-9");

/// Eleven digits of a mainland mobile number. Where it is printed for debugging it is masked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(pub(super) String);

impl Phone {
    /// Reads a number, with or without +86, spaces and dashes.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let written = compact(FIELD, text)?.replace('-', "");
        let number = written
            .strip_prefix("+86")
            .or_else(|| written.strip_prefix("0086"))
            .unwrap_or(&written);
        has_length(FIELD, number, 11, "11")?;
        each(FIELD, number, 0..1, |character| character == '1', ONE)?;
        each(FIELD, number, 1..2, |character| matches!(character, '3'..='9'), SECOND)?;
        each(FIELD, number, 2..11, |character| character.is_ascii_digit(), DIGIT)?;
        Ok(Self(number.to_owned()))
    }

    /// As it may be shown to those who need not know it: `138****5678`.
    pub fn masked(&self) -> String {
        match (self.0.get(..3), self.0.get(7..)) {
            (Some(head), Some(tail)) => format!("{head}****{tail}"),
            _ => "*".repeat(self.0.chars().count()),
        }
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_number_is_read_however_it_is_written() {
        for text in ["13812345678", "+86 138-1234-5678", "００８６１３８１２３４５６７８"] {
            assert_eq!(Phone::parse(text).unwrap().as_str(), "13812345678", "{text}");
        }
        assert_eq!(format!("{:?}", Phone::parse("13812345678").unwrap()), "Phone(138****5678)");
    }

    #[test]
    fn what_cannot_be_called_is_refused() {
        for (text, at) in [
            ("23812345678", Some(1)),
            ("12812345678", Some(2)),
            ("1381234567A", Some(11)),
            ("1381234567", None),
        ] {
            assert_eq!(Phone::parse(text).unwrap_err().at(), at, "{text}");
        }
    }
}
