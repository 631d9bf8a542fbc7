//! 车牌号: which vehicle brought the earth, the concrete, the inspectors.

use serde::{Deserialize, Serialize};

use super::{
    ValueError, Wording,
    error::Problem,
    text::{compact, each},
};

const FIELD: Wording = Wording::new("车牌号", "plate number");
const PROVINCES: &str = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新";
const PROVINCE: Wording = Wording::new(
    "省级行政区简称，如“浙”",
    "the one-character short name of a province, such as 浙",
);
const LETTER: Wording = Wording::new("大写字母", "a capital letter");
const SYMBOL: Wording = Wording::new(
    "数字或除 I、O 以外的大写字母",
    "a digit or a capital letter other than I and O",
);
/// 普通号牌
const ORDINARY_CHARS: usize = 7;
/// 新能源号牌
const NEW_ENERGY_CHARS: usize = 8;

/// A civil vehicle's plate: province, city letter, five or (新能源) six symbols.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlateNo(pub(super) String);

impl PlateNo {
    /// Reads a plate; the dot or dash that is painted on it is left out.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let plate = compact(FIELD, text)?.replace(['·', '•', '-'], "");
        let found = plate.chars().count();
        if found != ORDINARY_CHARS && found != NEW_ENERGY_CHARS {
            return Err(ValueError::new(FIELD, Problem::WrongLength { expected: "7-8", found }));
        }
        each(FIELD, &plate, 0..1, |character| PROVINCES.contains(character), PROVINCE)?;
        each(FIELD, &plate, 1..2, |character| character.is_ascii_uppercase(), LETTER)?;
        let symbol =
            |character: char| character.is_ascii_digit() || character.is_ascii_uppercase() && !matches!(character, 'I' | 'O');
        each(FIELD, &plate, 2..found, symbol, SYMBOL)?;
        Ok(Self(plate))
    }

    /// Whether it is a 新能源 plate.
    pub fn is_new_energy(&self) -> bool {
        self.0.chars().count() == NEW_ENERGY_CHARS
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn plates_are_read_with_and_without_the_dot() {
        assert_eq!(PlateNo::parse("浙a·12345").unwrap().as_str(), "浙A12345");
        assert!(PlateNo::parse("浙AD12345").unwrap().is_new_energy());
        for (text, at) in [
            ("AA12345", Some(1)),
            ("浙112345", Some(2)),
            ("浙A1234O", Some(7)),
            ("浙A1234", None),
        ] {
            assert_eq!(PlateNo::parse(text).unwrap_err().at(), at, "{text}");
        }
    }
}
