//! 不动产权证号 and 不动产登记证明号: the number on a certificate of real estate.

use serde::{Deserialize, Serialize};

use super::{
    ValueError, Wording,
    error::Problem,
    text::{compact, is_han},
};

const FIELD: Wording = Wording::new("不动产权证号", "real estate certificate number");
const EXAMPLE: Wording = Wording::new("“苏(2017)海门市不动产权第0000183号”", "“苏(2017)海门市不动产权第0000183号”");
const PROVINCE: Wording = Wording::new(
    "省级行政区简称，如“浙”",
    "the one-character short name of a province, such as 浙",
);
/// The short names of the provinces; where a province has two, both.
const PROVINCES: &str = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川蜀黔贵滇云藏陕秦甘陇青宁新港澳台";
/// As many digits as the ministry's form has for the number.
const SEQUENCE_DIGITS: usize = 7;

/// `苏(2017)海门市不动产权第0000183号`. The certificate is not the register: where they differ, the register holds (民法典 217).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CertificateNo(pub(super) String);

/// What the certificate is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display)]
pub enum CertificateKind {
    /// 不动产权证书
    Ownership,
    /// 不动产登记证明: mortgages, notices, easements.
    Registration,
}

impl CertificateKind {
    fn title(self) -> &'static str {
        match self {
            Self::Ownership => "不动产权",
            Self::Registration => "不动产证明",
        }
    }
}

/// The parts of a number.
struct Parts<'a> {
    year: &'a str,
    place: &'a str,
    kind: CertificateKind,
    sequence: &'a str,
}

impl CertificateNo {
    /// Reads a number; brackets of every kind become half-width ones.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let number = compact(FIELD, text)?;
        let refuse = |problem| Err(ValueError::new(FIELD, problem));
        let first = number.chars().next().unwrap_or_default();
        if !PROVINCES.contains(first) {
            return refuse(Problem::UnexpectedCharacter {
                at: 1,
                found: first,
                expected: PROVINCE,
            });
        }
        let is_number = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        match parts(&number) {
            Some(parts)
                if is_number(parts.year, 4)
                    && is_number(parts.sequence, SEQUENCE_DIGITS)
                    && !parts.place.is_empty()
                    && parts.place.chars().all(is_han) =>
            {
                Ok(Self(number))
            }
            _ => refuse(Problem::WrongShape { example: EXAMPLE }),
        }
    }

    /// The short name of the province (`苏`).
    pub fn province(&self) -> Option<char> {
        self.0.chars().next()
    }

    /// The year of issue.
    pub fn year(&self) -> Option<i32> {
        parts(&self.0)?.year.parse().ok()
    }

    /// The city or county, as the certificate names it (`海门市`).
    pub fn place(&self) -> Option<&str> {
        parts(&self.0).map(|parts| parts.place)
    }

    /// What the certificate is of.
    pub fn kind(&self) -> Option<CertificateKind> {
        parts(&self.0).map(|parts| parts.kind)
    }

    /// The number within year and place.
    pub fn sequence(&self) -> Option<u32> {
        parts(&self.0)?.sequence.parse().ok()
    }
}

/// Cuts a number at the words that it is made with.
fn parts(number: &str) -> Option<Parts<'_>> {
    let (_, rest) = number.split_once('(')?;
    let (year, rest) = rest.split_once(')')?;
    [CertificateKind::Ownership, CertificateKind::Registration]
        .into_iter()
        .find_map(|kind| {
            let (place, rest) = rest.split_once(kind.title())?;
            let sequence = rest.strip_prefix('第')?.strip_suffix('号')?;
            (number.chars().nth(1) == Some('(')).then_some(Parts {
                year,
                place,
                kind,
                sequence,
            })
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn brackets_of_every_kind_are_read() {
        for text in [
            "苏(2017)海门市不动产权第0000183号",
            "苏（2017）海门市不动产权第0000183号",
            "苏〔２０１７〕海门市 不动产权第0000183号",
        ] {
            let number = CertificateNo::parse(text).unwrap();
            assert_eq!(number.as_str(), "苏(2017)海门市不动产权第0000183号");
            assert_eq!(
                (number.province(), number.year(), number.sequence()),
                (Some('苏'), Some(2017), Some(183))
            );
            assert_eq!(
                (number.place(), number.kind()),
                (Some("海门市"), Some(CertificateKind::Ownership))
            );
        }
        let proof = CertificateNo::parse("浙(2024)杭州市不动产证明第0012345号").unwrap();
        assert_eq!(proof.kind(), Some(CertificateKind::Registration));
    }

    #[test]
    fn wrong_numbers_are_refused() {
        for (text, code) in [
            ("海(2017)海门市不动产权第0000183号", "UNEXPECTED_CHARACTER"),
            ("苏(17)海门市不动产权第0000183号", "WRONG_SHAPE"),
            ("苏(2017)不动产权第0000183号", "WRONG_SHAPE"),
            ("苏(2017)海门市不动产权第183号", "WRONG_SHAPE"),
            ("苏(2017)海门市房权第0000183号", "WRONG_SHAPE"),
            ("苏海(2017)门市不动产权第0000183号", "WRONG_SHAPE"),
        ] {
            assert_eq!(CertificateNo::parse(text).unwrap_err().code(), code, "{text}");
        }
    }
}
