//! 施工许可证编号: the number of a construction permit.

use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    Region, ValueError, Wording,
    error::{DIGIT, Problem},
    text::{compact, date_at, each, has_length},
};

const FIELD: Wording = Wording::new("施工许可证编号", "construction permit number");
const LEGACY: Wording = Wording::new("原施工许可证编号", "former permit number");
const SEQUENCE: Wording = Wording::new("当日序号", "number within the day");
const SPECIALTY: Wording = Wording::new("专业代码", "specialty code");
const REGION: Wording = Wording::new("六位行政区划代码，如 330109", "a six-digit division code such as 330109");
const NOT_ZERO: Wording = Wording::new("01-99 的序号", "a number from 01 to 99");
/// Two digits are all that the number has for a day.
const OF_DAY_MAX: u8 = 99;
/// Longest number of another form that is kept; ours.
const LEGACY_CHARS_MAX: usize = 60;

/// Eighteen digits: division, day of filing, number within the day, specialty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PermitNo(pub(super) String);

/// The number's last two digits: what kind of building (`01` 一般工业与民用建筑).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Specialty(pub(super) String);

/// A permit's number of another form: older, local, of the province, or with a suffix for a duplicate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LegacyPermitNo(pub(super) String);

impl PermitNo {
    /// Reads a number. It has no check digit, but its day must exist.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let number = compact(FIELD, text)?;
        has_length(FIELD, &number, 18, "18")?;
        each(FIELD, &number, 0..18, |character| character.is_ascii_digit(), DIGIT)?;
        if Region::well_formed(&number[..6]).is_none() {
            return Err(ValueError::new(FIELD, Problem::WrongShape { example: REGION }));
        }
        if date_at(&number, 6).is_none() {
            return Err(ValueError::new(FIELD, Problem::NoSuchDate { at: 7 }));
        }
        for place in [14, 16] {
            if &number[place..place + 2] == "00" {
                return Err(ValueError::new(
                    FIELD,
                    Problem::UnexpectedCharacter {
                        at: place + 2,
                        found: '0',
                        expected: NOT_ZERO,
                    },
                ));
            }
        }
        Ok(Self(number))
    }

    /// The number of the `of_day`-th permit filed on this day.
    pub fn compose(region: &Region, filed_on: NaiveDate, of_day: u8, specialty: &Specialty) -> Result<Self, ValueError> {
        if !(1..=OF_DAY_MAX).contains(&of_day) {
            return Err(ValueError::new(
                SEQUENCE,
                Problem::OutOfRange {
                    least: "1".into(),
                    most: OF_DAY_MAX.to_string(),
                },
            ));
        }
        Self::parse(&format!("{region}{}{of_day:02}{specialty}", filed_on.format("%Y%m%d")))
    }

    /// The division whose bureau gave it.
    pub fn region(&self) -> Option<Region> {
        Region::well_formed(self.0.get(..6)?)
    }

    /// The day on which the project was filed (报建日期).
    pub fn filed_on(&self) -> Option<NaiveDate> {
        date_at(&self.0, 6)
    }

    /// Which one of that day.
    pub fn of_day(&self) -> Option<u8> {
        self.0.get(14..16)?.parse().ok()
    }

    /// What kind of building.
    pub fn specialty(&self) -> Option<Specialty> {
        Some(Specialty(self.0.get(16..18)?.to_owned()))
    }
}

/// The specialties whose names we know: code, 中文, English.
static SPECIALTIES: LazyLock<Vec<(&str, Wording)>> = LazyLock::new(|| {
    let rows = include_str!("../../data/codes/permit-specialties.csv").lines().skip(1);
    let read = |row: &'static str| {
        let (code, names) = row.split_once(',')?;
        let (zh, en) = names.split_once(',')?;
        Some((code, Wording { zh, en }))
    };
    rows.filter_map(read).collect()
});

impl Specialty {
    /// Reads two digits; not all of them have a name that we know.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let code = compact(SPECIALTY, text)?;
        has_length(SPECIALTY, &code, 2, "2")?;
        each(SPECIALTY, &code, 0..2, |character| character.is_ascii_digit(), DIGIT)?;
        if code == "00" {
            return Err(ValueError::new(
                SPECIALTY,
                Problem::OutOfRange {
                    least: "01".into(),
                    most: "99".into(),
                },
            ));
        }
        Ok(Self(code))
    }

    /// What it is called, if we know.
    pub fn name(&self) -> Option<Wording> {
        SPECIALTIES.iter().find(|(code, _)| *code == self.0).map(|(_, name)| *name)
    }
}

impl LegacyPermitNo {
    /// Reads any number that is not empty; dashes and brackets are put right.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let number = compact(LEGACY, text)?;
        let found = number.chars().count();
        if found > LEGACY_CHARS_MAX {
            return Err(ValueError::new(LEGACY, Problem::WrongLength { expected: "1-60", found }));
        }
        Ok(Self(number))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_real_number_is_read_and_made_again() {
        let number = PermitNo::parse("330109202101080201").unwrap();
        let (region, filed_on) = (number.region().unwrap(), number.filed_on().unwrap());
        assert_eq!(region.name(), Some("萧山区"));
        assert_eq!(filed_on, NaiveDate::from_ymd_opt(2021, 1, 8).unwrap());
        assert_eq!(number.of_day(), Some(2));
        assert_eq!(number.specialty().unwrap().name().unwrap().zh, "一般工业与民用建筑");
        assert_eq!(
            PermitNo::compose(&region, filed_on, 2, &number.specialty().unwrap()).unwrap(),
            number
        );
    }

    #[test]
    fn a_hundredth_permit_of_a_day_has_no_number() {
        let (region, specialty) = (Region::parse("330109").unwrap(), Specialty::parse("01").unwrap());
        for of_day in [0, 100] {
            let refused =
                PermitNo::compose(&region, NaiveDate::from_ymd_opt(2021, 1, 8).unwrap(), of_day, &specialty).unwrap_err();
            assert_eq!(refused.code(), "OUT_OF_RANGE");
        }
    }

    #[test]
    fn wrong_numbers_are_refused() {
        for (text, code) in [
            ("330109202113080201", "NO_SUCH_DATE"),
            ("000109202101080201", "WRONG_SHAPE"),
            ("330109202101080001", "UNEXPECTED_CHARACTER"),
            ("330109202101080200", "UNEXPECTED_CHARACTER"),
            ("330109202101080201S", "WRONG_LENGTH"),
            ("33010920210108020A", "UNEXPECTED_CHARACTER"),
        ] {
            assert_eq!(PermitNo::parse(text).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn numbers_of_other_forms_are_kept_as_they_are() {
        assert_eq!(LegacyPermitNo::parse("施〔2009〕第12号").unwrap().as_str(), "施(2009)第12号");
        assert_eq!(
            LegacyPermitNo::parse("330109202101080201S").unwrap().as_str(),
            "330109202101080201S"
        );
    }
}
