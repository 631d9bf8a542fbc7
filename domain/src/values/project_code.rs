//! 项目代码 (GB/T 40058): which investment project, from approval to completion.

use serde::{Deserialize, Serialize};

use super::{
    Region, ValueError, Wording,
    checksum::mod_11_10,
    error::{DIGIT, Problem},
    text::{compact, each, has_length},
};

const FIELD: Wording = Wording::new("项目代码", "project code");
const EXAMPLE: Wording = Wording::new("2603-141124-89-05-346948", "2603-141124-89-05-346948");
/// Where the dashes stand in the written form.
const DASHES: [usize; 4] = [4, 11, 14, 17];

/// Twenty digits in five groups. New codes end in a check digit, those of before November 2020 do not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectCode(pub(super) String);

/// By which rule a code was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display)]
pub enum ProjectCodeRule {
    /// `YYYY-…`, until November 2020; no check digit.
    Old,
    /// `YYMM-…`, with a check digit.
    New,
}

impl ProjectCode {
    /// Reads a code, with its dashes or without, and checks the last digit of a new one.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let written = compact(FIELD, text)?;
        let code = if written.contains('-') {
            written
        } else {
            with_dashes(&written)
        };
        has_length(FIELD, &code, 24, "24")?;
        if code
            .char_indices()
            .any(|(place, character)| (character == '-') != DASHES.contains(&place))
        {
            return Err(ValueError::new(FIELD, Problem::WrongShape { example: EXAMPLE }));
        }
        each(
            FIELD,
            &code,
            0..24,
            |character| character.is_ascii_digit() || character == '-',
            DIGIT,
        )?;
        let digits = code.replace('-', "");
        if rule_of(&code) == ProjectCodeRule::New && mod_11_10(&digits[..19]) != digits.chars().last() {
            return Err(ValueError::new(FIELD, Problem::WrongCheckCharacter { at: 24 }));
        }
        Ok(Self(code))
    }

    /// By which rule it was made.
    pub fn rule(&self) -> ProjectCodeRule {
        rule_of(&self.0)
    }

    /// Where the project is registered.
    pub fn region(&self) -> Option<Region> {
        Region::well_formed(self.0.get(5..11)?)
    }

    /// The year of registration.
    pub fn year(&self) -> Option<i32> {
        match self.rule() {
            ProjectCodeRule::Old => self.0.get(..4)?.parse().ok(),
            ProjectCodeRule::New => Some(2000 + self.0.get(..2)?.parse::<i32>().ok()?),
        }
    }

    /// The month of registration, which only new codes tell.
    pub fn month(&self) -> Option<u32> {
        if self.rule() == ProjectCodeRule::Old {
            return None;
        }
        self.0.get(2..4)?.parse().ok()
    }
}

/// The third and fourth digit of a new code are a month; those of an old one, from 2013 on, are a year's.
fn rule_of(code: &str) -> ProjectCodeRule {
    let month = code.get(2..4).and_then(|digits| digits.parse::<u32>().ok());
    if month.is_some_and(|month| (1..=12).contains(&month)) {
        ProjectCodeRule::New
    } else {
        ProjectCodeRule::Old
    }
}

/// The written form of bare digits.
fn with_dashes(digits: &str) -> String {
    // Each dash before it moves a digit's place by one.
    let before = |place: usize| DASHES.iter().enumerate().any(|(dashes, dash)| dash - dashes == place);
    digits
        .chars()
        .enumerate()
        .flat_map(|(place, digit)| before(place).then_some('-').into_iter().chain([digit]))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn new_codes_are_checked_and_old_ones_are_read() {
        for code in ["2603-141124-89-05-346948", "2411-130202-89-01-637015"] {
            assert_eq!(ProjectCode::parse(code).unwrap().rule(), ProjectCodeRule::New, "{code}");
        }
        for code in ["2020-451421-88-03-016343", "2020-330327-48-01-167360"] {
            assert_eq!(ProjectCode::parse(code).unwrap().rule(), ProjectCodeRule::Old, "{code}");
        }
        let code = ProjectCode::parse("26031411248905346948").unwrap();
        assert_eq!(code.as_str(), "2603-141124-89-05-346948");
        assert_eq!((code.year(), code.month()), (Some(2026), Some(3)));
        assert_eq!(code.region(), Some(Region::parse("141124").unwrap()));
        assert_eq!(ProjectCode::parse("2020-451421-88-03-016343").unwrap().year(), Some(2020));
    }

    #[test]
    fn wrong_codes_are_refused() {
        for (text, code) in [
            ("2603-141124-89-05-346947", "WRONG_CHECK_CHARACTER"),
            ("2603-14112-489-05-346948", "WRONG_SHAPE"),
            ("2603-141124-89-05-34694", "WRONG_LENGTH"),
            ("2603-141124-89-O5-346948", "UNEXPECTED_CHARACTER"),
            ("目录-141124-89-05-346948", "WRONG_LENGTH"),
        ] {
            assert_eq!(ProjectCode::parse(text).unwrap_err().code(), code, "{text}");
        }
    }
}
