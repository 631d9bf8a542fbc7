//! 统一社会信用代码 (GB 32100): who an organisation is.

use serde::{Deserialize, Serialize};

use super::{
    Region, ValueError, Wording,
    checksum::{is_uscc_character, mod_31},
    error::{DIGIT, Problem},
    text::{compact, each, has_length},
};

const FIELD: Wording = Wording::new("统一社会信用代码", "unified social credit code");
const SYMBOL: Wording = Wording::new(
    "数字或除 I、O、S、V、Z 以外的大写字母",
    "a digit or a capital letter other than I, O, S, V, Z",
);

/// The eighteen characters by which an organisation is known everywhere.
///
/// The standard allows letters in the first two places, for registries that are neither 1 (机构编制), 5 (民政) nor 9 (市场监管).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uscc(pub(super) String);

impl Uscc {
    /// Reads a code and checks its last character.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let code = compact(FIELD, text)?;
        has_length(FIELD, &code, 18, "18")?;
        each(FIELD, &code, 0..2, is_uscc_character, SYMBOL)?;
        each(FIELD, &code, 2..8, |character| character.is_ascii_digit(), DIGIT)?;
        each(FIELD, &code, 8..18, is_uscc_character, SYMBOL)?;
        if mod_31(&code[..17]) != code.chars().last() {
            return Err(ValueError::new(FIELD, Problem::WrongCheckCharacter { at: 18 }));
        }
        Ok(Self(code))
    }

    /// The registry that gave it (登记管理部门), as its first character.
    pub fn registry(&self) -> Option<char> {
        self.0.chars().next()
    }

    /// Where it was registered.
    pub fn region(&self) -> Option<Region> {
        Region::well_formed(self.0.get(2..8)?)
    }

    /// The organisation code (GB 11714) within it.
    pub fn organisation_code(&self) -> Option<&str> {
        self.0.get(8..17)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn real_codes_are_accepted() {
        let codes = [
            "91110000600037341L",
            "11330109002514224B",
            "11110000000021135M",
            "11430000006122244L",
            "91440300708461136T",
            "91110108551385082Q",
        ];
        for code in codes {
            assert_eq!(Uscc::parse(code).unwrap().as_str(), code);
        }
        let hall = Uscc::parse(" 1133 0109 0025 1422 4b").unwrap();
        assert_eq!(hall.region(), Some(Region::parse("330109").unwrap()));
        assert_eq!((hall.registry(), hall.organisation_code()), (Some('1'), Some("002514224")));
    }

    #[test]
    fn letters_may_stand_in_the_first_two_places() {
        let body = "Y1110000600037341";
        let code = format!("{body}{}", mod_31(body).unwrap());
        assert!(Uscc::parse(&code).is_ok());
    }

    #[test]
    fn wrong_codes_are_refused_with_the_place() {
        for (text, code, at) in [
            ("911100006000373411", "WRONG_CHECK_CHARACTER", Some(18)),
            ("91110000100003962T", "WRONG_CHECK_CHARACTER", Some(18)),
            ("9I110000600037341L", "UNEXPECTED_CHARACTER", Some(2)),
            ("91110O00600037341L", "UNEXPECTED_CHARACTER", Some(6)),
            ("91110000600037341S", "UNEXPECTED_CHARACTER", Some(18)),
            ("9111000060003734", "WRONG_LENGTH", None),
        ] {
            let refused = Uscc::parse(text).unwrap_err();
            assert_eq!((refused.code(), refused.at()), (code, at), "{text}");
        }
    }
}
