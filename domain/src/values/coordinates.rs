//! Longitude and latitude (CGCS2000): where a site is.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    ValueError, Wording,
    decimal::{Decimal, write},
    error::Problem,
    text::compact,
};

const FIELD: Wording = Wording::new("经纬度", "longitude and latitude");
const EXAMPLE: Wording = Wording::new(
    "“120.264250,30.185013”（先经度后纬度）",
    "“120.264250,30.185013” (longitude first)",
);
/// Six decimals are about a tenth of a metre.
const DECIMALS: usize = 6;
const DEGREES: Decimal = Decimal {
    field: FIELD,
    decimals: DECIMALS,
    units: &["°", "°E", "°N", "E", "N"],
    most: 180_000_000,
};
/// From the Pamirs to the Ussuri, in millionths of a degree.
const LONGITUDES: std::ops::RangeInclusive<i64> = 73_000_000..=136_000_000;
/// From the reefs of Zengmu to the Heilongjiang, in millionths of a degree.
const LATITUDES: std::ops::RangeInclusive<i64> = 3_000_000..=54_000_000;

/// A place in China, in millionths of a degree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coordinates {
    longitude: i64,
    latitude: i64,
}

impl Coordinates {
    /// Reads `120.264250,30.185013`: longitude first.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let read = Self::read(text)?;
        for (value, range) in [(read.longitude, LONGITUDES), (read.latitude, LATITUDES)] {
            if !range.contains(&value) {
                let [least, most] = [*range.start(), *range.end()].map(|bound| write(bound, DECIMALS, 0));
                return Err(ValueError::new(FIELD, Problem::OutOfRange { least, most }));
            }
        }
        Ok(read)
    }

    /// Degrees east, in millionths.
    pub const fn longitude_microdegrees(self) -> i64 {
        self.longitude
    }

    /// Degrees north, in millionths.
    pub const fn latitude_microdegrees(self) -> i64 {
        self.latitude
    }

    fn read(text: &str) -> Result<Self, ValueError> {
        let pair = compact(FIELD, text)?;
        let (longitude, latitude) = pair
            .split_once([',', '、', ';'])
            .ok_or(ValueError::new(FIELD, Problem::WrongShape { example: EXAMPLE }))?;
        Ok(Self {
            longitude: DEGREES.read(longitude)?,
            latitude: DEGREES.read(latitude)?,
        })
    }
}

impl fmt::Display for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{},{}",
            write(self.longitude, DECIMALS, DECIMALS),
            write(self.latitude, DECIMALS, DECIMALS)
        )
    }
}

impl Serialize for Coordinates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Coordinates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).map_err(|refused| de::Error::custom(refused.en()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_place_is_read_and_written_exactly() {
        let place = Coordinates::parse("１２０．２６４２５，30.1850131").unwrap_err();
        assert_eq!(place.code(), "TOO_MANY_DECIMALS");
        let place = Coordinates::parse("120.26425°E, 30.185013°N").unwrap();
        assert_eq!(place.to_string(), "120.264250,30.185013");
        let stored = serde_json::to_string(&place).unwrap();
        assert_eq!(stored, r#""120.264250,30.185013""#);
        assert_eq!(serde_json::from_str::<Coordinates>(&stored).unwrap(), place);
    }

    #[test]
    fn latitude_first_is_refused() {
        assert_eq!(Coordinates::parse("30.185013,120.264250").unwrap_err().code(), "OUT_OF_RANGE");
        assert_eq!(Coordinates::parse("120.264250").unwrap_err().code(), "WRONG_SHAPE");
    }
}
