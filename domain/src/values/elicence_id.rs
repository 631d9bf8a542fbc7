//! 电子证照标识 (GB/T 36904): which electronic licence.

use serde::{Deserialize, Serialize};

use super::{
    ValueError, Wording,
    checksum::mod_37_36,
    error::{DIGIT_OR_LETTER, Problem},
    text::{compact, is_code_character},
};

const FIELD: Wording = Wording::new("电子证照标识", "electronic licence identifier");
const EXAMPLE: Wording = Wording::new(
    "“1.2.156.3005.2.证照类型(21位).颁发机构.流水号.版本(3位).校验位”",
    "“1.2.156.3005.2.TYPE(21).ISSUER.SERIAL.VERSION(3).CHECK”",
);
/// The object identifier under which the standard's numbers stand.
const ROOT: &str = "1.2.156.3005.2.";
/// The code of a licence's type: the 统一社会信用代码 of who defined it, and three digits.
const TYPE_CHARS: usize = 21;
/// An issuer is an organisation (18) or a division (6).
const ISSUER_CHARS_MAX: usize = 18;
/// Longest serial number that is kept; ours.
const SERIAL_CHARS_MAX: usize = 40;
/// Versions are three digits.
const VERSION_CHARS: usize = 3;

/// Type, issuer, serial number and version of an electronic licence, with a check character.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ELicenceId(pub(super) String);

impl ELicenceId {
    /// Reads an identifier and checks its last character.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let identifier = compact(FIELD, text)?;
        let wrong_shape = || ValueError::new(FIELD, Problem::WrongShape { example: EXAMPLE });
        let body = identifier.strip_prefix(ROOT).ok_or_else(wrong_shape)?;
        let at = ROOT.len();
        let strange = body
            .chars()
            .enumerate()
            .find(|(_, character)| !is_code_character(*character) && *character != '.');
        if let Some((place, found)) = strange {
            let problem = Problem::UnexpectedCharacter {
                at: at + place + 1,
                found,
                expected: DIGIT_OR_LETTER,
            };
            return Err(ValueError::new(FIELD, problem));
        }
        let parts: Vec<&str> = body.split('.').collect();
        let [kind, issuer, serial, version, check] = parts[..] else {
            return Err(wrong_shape());
        };
        let sizes = kind.len() == TYPE_CHARS
            && (1..=ISSUER_CHARS_MAX).contains(&issuer.len())
            && (1..=SERIAL_CHARS_MAX).contains(&serial.len())
            && version.len() == VERSION_CHARS
            && version.bytes().all(|byte| byte.is_ascii_digit())
            && check.len() == 1;
        if !sizes {
            return Err(wrong_shape());
        }
        if mod_37_36(&[kind, issuer, serial, version].concat()) != check.chars().next() {
            return Err(ValueError::new(FIELD, Problem::WrongCheckCharacter { at: identifier.len() }));
        }
        Ok(Self(identifier))
    }

    /// The identifier of these parts.
    pub fn compose(kind: &str, issuer: &str, serial: &str, version: u16) -> Result<Self, ValueError> {
        let body = format!("{kind}{issuer}{serial}{version:03}").to_ascii_uppercase();
        // Parts with other characters have no check character; reading them says which one is wrong.
        let check = mod_37_36(&body).unwrap_or('0');
        Self::parse(&format!("{ROOT}{kind}.{issuer}.{serial}.{version:03}.{check}"))
    }

    /// The type of the licence.
    pub fn kind(&self) -> Option<&str> {
        self.part(0)
    }

    /// Who issued it: a 统一社会信用代码 or a division.
    pub fn issuer(&self) -> Option<&str> {
        self.part(1)
    }

    /// The number that the issuer gave it.
    pub fn serial(&self) -> Option<&str> {
        self.part(2)
    }

    /// Which version of it.
    pub fn version(&self) -> Option<u16> {
        self.part(3)?.parse().ok()
    }

    fn part(&self, place: usize) -> Option<&str> {
        self.0.strip_prefix(ROOT)?.split('.').nth(place)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const REAL: [&str; 3] = [
        "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
        "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    ];

    #[test]
    fn real_identifiers_are_read_and_made_again() {
        for text in REAL {
            let id = ELicenceId::parse(text).unwrap();
            assert_eq!(id.as_str(), text);
            let again = ELicenceId::compose(
                id.kind().unwrap(),
                id.issuer().unwrap(),
                id.serial().unwrap(),
                id.version().unwrap(),
            );
            assert_eq!(again.unwrap(), id);
        }
    }

    #[test]
    fn wrong_identifiers_are_refused() {
        for (text, code) in [
            (
                "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.8",
                "WRONG_CHECK_CHARACTER",
            ),
            ("1.2.156.3005.2.11100000MB03271699022.340100.000000016.1.9", "WRONG_SHAPE"),
            ("1.2.156.3005.2.11100000MB03271699022.340100.000000016.001", "WRONG_SHAPE"),
            ("1.2.156.3005.3.11100000MB03271699022.340100.000000016.001.9", "WRONG_SHAPE"),
            (
                "1.2.156.3005.2.11100000MB0327169902_.340100.000000016.001.9",
                "UNEXPECTED_CHARACTER",
            ),
        ] {
            assert_eq!(ELicenceId::parse(text).unwrap_err().code(), code, "{text}");
        }
        assert!(ELicenceId::compose("短", "340100", "1", 1).is_err());
    }
}
