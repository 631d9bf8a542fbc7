//! 宗地代码: which parcel of land.

use serde::{Deserialize, Serialize};

use super::{
    Region, ValueError, Wording,
    error::DIGIT,
    text::{compact, each, has_length},
};

const FIELD: Wording = Wording::new("宗地代码", "parcel code");
const OWNERSHIP: Wording = Wording::new(
    "G（国有）、J（集体）或 Z（未定）",
    "G (state), J (collective) or Z (undecided)",
);
const RIGHT: Wording = Wording::new("A-H、S、W、X 或 Y", "A-H, S, W, X or Y");

/// Nineteen characters: county, cadastral district and block, two characteristic letters, sequence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParcelCode(pub(super) String);

/// Whose the land is, by the first characteristic letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display)]
pub enum LandOwnership {
    /// G 国有
    State,
    /// J 集体
    Collective,
    /// Z 未定
    Undecided,
}

impl ParcelCode {
    /// Reads a code. It has no check character.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let code = compact(FIELD, text)?;
        has_length(FIELD, &code, 19, "19")?;
        Self::check(FIELD, &code)?;
        Ok(Self(code))
    }

    /// The first nineteen characters, on their own or at the head of a longer code.
    pub(super) fn check(field: Wording, code: &str) -> Result<(), ValueError> {
        each(field, code, 0..12, |character| character.is_ascii_digit(), DIGIT)?;
        each(
            field,
            code,
            12..13,
            |character| matches!(character, 'G' | 'J' | 'Z'),
            OWNERSHIP,
        )?;
        each(
            field,
            code,
            13..14,
            |character| matches!(character, 'A'..='H' | 'S' | 'W'..='Y'),
            RIGHT,
        )?;
        each(field, code, 14..19, |character| character.is_ascii_digit(), DIGIT)
    }

    /// The county.
    pub fn region(&self) -> Option<Region> {
        Region::well_formed(self.0.get(..6)?)
    }

    /// Whose the land is.
    pub fn ownership(&self) -> Option<LandOwnership> {
        match self.0.as_bytes().get(12)? {
            b'G' => Some(LandOwnership::State),
            b'J' => Some(LandOwnership::Collective),
            b'Z' => Some(LandOwnership::Undecided),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_real_parcel_is_read() {
        let parcel = ParcelCode::parse("320684 413219 gb00029").unwrap();
        assert_eq!(parcel.as_str(), "320684413219GB00029");
        assert!(
            !parcel.region().unwrap().known(),
            "海门市 became a district in 2020; its parcels kept their codes"
        );
        assert_eq!(parcel.ownership(), Some(LandOwnership::State));
    }

    #[test]
    fn letters_that_mean_nothing_are_refused() {
        for (text, at) in [
            ("320684413219AB00029", 13),
            ("320684413219GI00029", 14),
            ("32068441321XGB00029", 12),
            ("320684413219GB0002O", 19),
        ] {
            assert_eq!(ParcelCode::parse(text).unwrap_err().at(), Some(at), "{text}");
        }
        assert_eq!(ParcelCode::parse("320684413219GB0002").unwrap_err().code(), "WRONG_LENGTH");
    }
}
