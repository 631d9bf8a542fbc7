//! 行政区划代码 (GB/T 2260): province, city, county in six digits.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{
    ValueError, Wording,
    error::{DIGIT, Problem},
    text::{compact, each, has_length},
};

const FIELD: Wording = Wording::new("行政区划代码", "administrative division code");
const EXAMPLE: Wording = Wording::new(
    "330000（省）、330100（市）、330109（县区）",
    "330000 (province), 330100 (city), 330109 (county)",
);

/// The divisions in force when the data were made, by code.
static REGIONS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    include_str!("../../data/gb2260/regions.csv")
        .lines()
        .skip(1)
        .filter_map(|row| row.split_once(','))
        .collect()
});

/// An administrative division. Abolished ones are accepted, but are not [`known`](Region::known): old papers name them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(pub(super) String);

/// How far down a division stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display)]
pub enum RegionLevel {
    /// 全国, written 100000.
    Nation,
    /// 省级
    Province,
    /// 地级
    City,
    /// 县级
    County,
}

impl Region {
    /// Reads a code of the right form; whether the division exists is for [`Self::known`] to say.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let code = compact(FIELD, text)?;
        has_length(FIELD, &code, 6, "6")?;
        each(FIELD, &code, 0..6, |character| character.is_ascii_digit(), DIGIT)?;
        Self::well_formed(&code).ok_or(ValueError::new(FIELD, Problem::WrongShape { example: EXAMPLE }))
    }

    /// A region as it stands within another code.
    pub(super) fn well_formed(code: &str) -> Option<Self> {
        let form = code.len() == 6
            && code.bytes().all(|byte| byte.is_ascii_digit())
            && !code.starts_with('0')
            && (!code[2..].starts_with("00") || code.ends_with("0000"));
        form.then(|| Self(code.to_owned()))
    }

    /// How far down it stands.
    pub fn level(&self) -> RegionLevel {
        match self.0.as_str() {
            "100000" => RegionLevel::Nation,
            code if code.ends_with("0000") => RegionLevel::Province,
            code if code.ends_with("00") => RegionLevel::City,
            _ => RegionLevel::County,
        }
    }

    /// Whether it is in the list in force.
    pub fn known(&self) -> bool {
        self.name().is_some()
    }

    /// Its own name (`萧山区`), if it is in the list in force.
    pub fn name(&self) -> Option<&'static str> {
        let place = REGIONS.binary_search_by_key(&self.0.as_str(), |(code, _)| code).ok()?;
        REGIONS.get(place).map(|(_, name)| *name)
    }

    /// Its name with those of the divisions above it (`浙江省杭州市萧山区`), if it is in the list in force.
    pub fn full_name(&self) -> Option<String> {
        let own = self.name()?;
        let above = [self.province(), self.city()]
            .into_iter()
            .flatten()
            .filter(|region| region != self);
        // Counties directly under a province stand below a line that is no division and has no name of its own.
        let names = above
            .filter_map(|region| region.name())
            .filter(|name| !name.ends_with("直辖县级行政区划"));
        Some(names.chain([own]).collect())
    }

    /// The province that it lies in, or is.
    pub fn province(&self) -> Option<Self> {
        self.above(2)
    }

    /// The city that it lies in, or is; none for a province.
    pub fn city(&self) -> Option<Self> {
        if self.level() < RegionLevel::City {
            None
        } else {
            self.above(4)
        }
    }

    /// Whether it lies in the other, or is the other.
    pub fn is_within(&self, other: &Self) -> bool {
        let digits = match other.level() {
            RegionLevel::Nation => 0,
            RegionLevel::Province => 2,
            RegionLevel::City => 4,
            RegionLevel::County => other.0.len(),
        };
        other.0.get(..digits).is_some_and(|prefix| self.0.starts_with(prefix))
    }

    /// All divisions in force, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        REGIONS.iter().map(|(code, _)| Self((*code).to_owned()))
    }

    fn above(&self, digits: usize) -> Option<Self> {
        if self.level() == RegionLevel::Nation {
            return None;
        }
        Some(Self(format!("{:0<6}", self.0.get(..digits)?)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn region(code: &str) -> Region {
        Region::parse(code).unwrap()
    }

    #[test]
    fn the_list_is_whole_and_in_order() {
        let of_level = |level| Region::all().filter(|region| region.level() == level).count();
        assert_eq!(
            [RegionLevel::Province, RegionLevel::City, RegionLevel::County].map(of_level),
            [34, 337, 2846]
        );
        assert!(REGIONS.is_sorted(), "it is searched by halves");
        assert!(Region::all().all(|region| Region::parse(region.as_str()).as_ref() == Ok(&region) && region.known()));
    }

    #[test]
    fn a_region_has_a_name_and_lies_within_others() {
        let district = region("３３０１０９");
        assert_eq!(district.full_name().unwrap(), "浙江省杭州市萧山区");
        assert_eq!(region("429004").full_name().unwrap(), "湖北省仙桃市");
        assert_eq!(region("110101").full_name().unwrap(), "北京市东城区");
        assert_eq!(region("441900").name(), Some("东莞市"));
        for wider in ["330109", "330100", "330000", "100000"] {
            assert!(district.is_within(&region(wider)), "{wider}");
        }
        for other in ["330110", "330200", "340000"] {
            assert!(!district.is_within(&region(other)), "{other}");
        }
        assert!(!region("330000").is_within(&district));
    }

    #[test]
    fn an_abolished_code_is_accepted_but_not_known() {
        let chongwen = region("110103");
        assert!(!chongwen.known());
        assert_eq!(chongwen.full_name(), None);
        assert_eq!(chongwen.province(), Some(region("110000")));
    }

    #[test]
    fn what_cannot_be_a_code_is_refused() {
        for (text, code) in [
            ("33010", "WRONG_LENGTH"),
            ("3301O9", "UNEXPECTED_CHARACTER"),
            ("010000", "WRONG_SHAPE"),
            ("330009", "WRONG_SHAPE"),
        ] {
            assert_eq!(Region::parse(text).unwrap_err().code(), code, "{text}");
        }
    }
}
