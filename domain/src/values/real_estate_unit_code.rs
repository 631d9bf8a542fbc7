//! 不动产单元代码 (GB/T 37346): which parcel, building and unit a right is in.

use serde::{Deserialize, Serialize};

use super::{
    ParcelCode, ValueError, Wording,
    error::{DIGIT, DIGIT_OR_LETTER, Problem},
    text::{compact, each, has_length, is_code_character},
};

const FIELD: Wording = Wording::new("不动产单元代码", "real estate unit code");
const FIXTURE: Wording = Wording::new(
    "F（房屋）、L（林木）、Q（其他）或 W（无定着物）",
    "F (building), L (trees), Q (other) or W (none)",
);
const ZERO: Wording = Wording::new("0（无定着物的单元号为八个 0）", "0 (land without a fixture has eight zeros)");
const TEMPORARY: Wording = Wording::new("临时单元代码", "temporary unit code");
/// Longest temporary code that is kept; ours, well over any that was seen.
const TEMPORARY_CHARS_MAX: usize = 40;

/// Twenty-eight characters: the parcel, what stands on it, and the unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RealEstateUnitCode(pub(super) String);

/// What stands on the land (定着物).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display)]
pub enum Fixture {
    /// F 房屋等建筑物、构筑物
    Building,
    /// L 林木
    Trees,
    /// Q 其他
    Other,
    /// W 无定着物
    None,
}

impl RealEstateUnitCode {
    /// Reads the code of one unit. It has no check character. A list (`…等`) must be entered unit by unit.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let code = compact(FIELD, text)?;
        has_length(FIELD, &code, 28, "28")?;
        ParcelCode::check(FIELD, &code)?;
        each(
            FIELD,
            &code,
            19..20,
            |character| matches!(character, 'F' | 'L' | 'Q' | 'W'),
            FIXTURE,
        )?;
        each(FIELD, &code, 20..28, |character| character.is_ascii_digit(), DIGIT)?;
        if code[19..].starts_with('W') {
            each(FIELD, &code, 20..28, |character| character == '0', ZERO)?;
        }
        Ok(Self(code))
    }

    /// The parcel that the unit is on.
    pub fn parcel(&self) -> Option<ParcelCode> {
        Some(ParcelCode(self.0.get(..19)?.to_owned()))
    }

    /// What stands on the land.
    pub fn fixture(&self) -> Option<Fixture> {
        match self.0.as_bytes().get(19)? {
            b'F' => Some(Fixture::Building),
            b'L' => Some(Fixture::Trees),
            b'Q' => Some(Fixture::Other),
            b'W' => Some(Fixture::None),
            _ => None,
        }
    }

    /// The number of the building on the parcel (幢号), for a building.
    pub fn building_no(&self) -> Option<u32> {
        self.fixture().filter(|fixture| *fixture == Fixture::Building)?;
        self.0.get(20..24)?.parse().ok()
    }

    /// In the groups that certificates print: parcel, characteristic and unit apart.
    pub fn spaced(&self) -> String {
        match (self.0.get(..6), self.0.get(6..12), self.0.get(12..19), self.0.get(19..)) {
            (Some(county), Some(block), Some(parcel), Some(unit)) => format!("{county} {block} {parcel} {unit}"),
            _ => self.0.clone(),
        }
    }
}

/// A code that a local system gives a unit until it is surveyed. It says nothing and is never taken for the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TemporaryUnitCode(pub(super) String);

impl TemporaryUnitCode {
    /// Reads any code of digits, letters and dashes that is not a full unit code.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let code = compact(TEMPORARY, text)?;
        let found = code.chars().count();
        if found > TEMPORARY_CHARS_MAX {
            return Err(ValueError::new(TEMPORARY, Problem::WrongLength { expected: "1-40", found }));
        }
        each(
            TEMPORARY,
            &code,
            0..found,
            |character| is_code_character(character) || character == '-',
            DIGIT_OR_LETTER,
        )?;
        if RealEstateUnitCode::parse(&code).is_ok() {
            let example = Wording::new(
                "临时编号；正式的 28 位代码请填入不动产单元代码",
                "a temporary number; enter a 28-character code as the unit code",
            );
            return Err(ValueError::new(TEMPORARY, Problem::WrongShape { example }));
        }
        Ok(Self(code))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_flat_and_bare_land_are_read() {
        let flat = RealEstateUnitCode::parse("320684413219GB00029F00010002").unwrap();
        assert_eq!((flat.fixture(), flat.building_no()), (Some(Fixture::Building), Some(1)));
        assert_eq!(flat.parcel().unwrap(), ParcelCode::parse("320684413219GB00029").unwrap());
        assert_eq!(flat.spaced(), "320684 413219 GB00029 F00010002");
        assert_eq!(RealEstateUnitCode::parse(&flat.spaced()).unwrap(), flat);
        let land = RealEstateUnitCode::parse("320684413219GB00029W00000000").unwrap();
        assert_eq!((land.fixture(), land.building_no()), (Some(Fixture::None), None));
    }

    #[test]
    fn wrong_codes_are_refused() {
        for (text, code, at) in [
            ("320684413219GB00029F0001000", "WRONG_LENGTH", None),
            ("320684413219GB00029F000100021", "WRONG_LENGTH", None),
            ("320684413219GB00029F00010002等", "WRONG_LENGTH", None),
            ("320684413219GB00029W00000001", "UNEXPECTED_CHARACTER", Some(28)),
            ("320684413219GB00029E00010002", "UNEXPECTED_CHARACTER", Some(20)),
        ] {
            let refused = RealEstateUnitCode::parse(text).unwrap_err();
            assert_eq!((refused.code(), refused.at()), (code, at), "{text}");
        }
    }

    #[test]
    fn a_temporary_code_is_never_a_unit_code() {
        assert_eq!(TemporaryUnitCode::parse("ls-2024-001").unwrap().as_str(), "LS-2024-001");
        assert!(TemporaryUnitCode::parse("320684413219GB00029F00010002").is_err());
        assert!(TemporaryUnitCode::parse(&"9".repeat(41)).is_err());
    }
}
