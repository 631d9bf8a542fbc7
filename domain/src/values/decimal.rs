//! Decimal numbers as people write them, kept as whole numbers of the smallest unit. No floats anywhere.

use super::{
    error::{DIGIT, Problem, ValueError, Wording},
    text::compact,
};

/// How a number with decimals is read and kept.
pub(super) struct Decimal {
    /// What it is.
    pub(super) field: Wording,
    /// How many decimals are kept.
    pub(super) decimals: usize,
    /// Units that may stand behind it, in upper case.
    pub(super) units: &'static [&'static str],
    /// The largest, in the smallest unit.
    pub(super) most: i64,
}

impl Decimal {
    /// Reads `9,460.00㎡` as a whole number of the smallest unit.
    pub(super) fn read(&self, text: &str) -> Result<i64, ValueError> {
        let refuse = |problem| Err(ValueError::new(self.field, problem));
        let compact = compact(self.field, text)?;
        let number = self
            .units
            .iter()
            .find_map(|unit| compact.strip_suffix(unit))
            .unwrap_or(&compact);
        let plain = without_grouping(number);
        let allowed = |character: char| character.is_ascii_digit() || character == '.';
        if let Some((place, found)) = plain.chars().enumerate().find(|(_, character)| !allowed(*character)) {
            return refuse(Problem::UnexpectedCharacter {
                at: place + 1,
                found,
                expected: DIGIT,
            });
        }
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, "0"));
        if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
            return refuse(Problem::WrongShape {
                example: Wording::new("“1234.56”", "“1234.56”"),
            });
        }
        // Zeros at the end say nothing and may be as many as they like.
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > self.decimals {
            return refuse(Problem::TooManyDecimals { allowed: self.decimals });
        }
        let digits = format!("{whole}{fraction:0<width$}", width = self.decimals);
        match digits.parse::<i64>() {
            Ok(value) if value <= self.most => Ok(value),
            _ => refuse(Problem::OutOfRange {
                least: "0".into(),
                most: write(self.most, self.decimals, 0),
            }),
        }
    }
}

/// Writes a whole number of the smallest unit with its decimals, of which at least so many stay when they are zeros.
pub(super) fn write(value: i64, decimals: usize, at_least: usize) -> String {
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let kept = fraction.trim_end_matches('0').len().max(at_least.min(decimals));
    let sign = if value < 0 { "-" } else { "" };
    let point = if kept > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{}", &fraction[..kept])
}

/// Takes out the commas of `1,234,567.8`. A comma anywhere else stays, and is refused: it may be meant as a decimal point.
fn without_grouping(number: &str) -> String {
    let whole = number.split('.').next().unwrap_or(number);
    let groups: Vec<&str> = whole.split(',').collect();
    let grouped = groups.len() > 1
        && (1..=3).contains(&groups[0].len())
        && groups[1..]
            .iter()
            .all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()));
    if grouped {
        format!("{}{}", groups.concat(), &number[whole.len()..])
    } else {
        number.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LENGTHS: Decimal = Decimal {
        field: Wording::new("长度", "length"),
        decimals: 2,
        units: &["M"],
        most: 1_000_000,
    };

    #[test]
    fn numbers_are_read_exactly() {
        for (text, value) in [
            ("0", 0),
            ("1", 100),
            ("1.5", 150),
            ("1.50", 150),
            ("0.01 m", 1),
            ("1,234.5", 123_450),
            ("１２．３", 1230),
        ] {
            assert_eq!(LENGTHS.read(text).unwrap(), value, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_refused_with_its_reason() {
        let refused = [
            ("", "EMPTY"),
            ("m", "WRONG_SHAPE"),
            (".5", "WRONG_SHAPE"),
            ("5.", "WRONG_SHAPE"),
            ("1.2.3", "WRONG_SHAPE"),
            ("-1", "UNEXPECTED_CHARACTER"),
            ("1e3", "UNEXPECTED_CHARACTER"),
            ("1,5", "UNEXPECTED_CHARACTER"),
            ("12,34,567", "UNEXPECTED_CHARACTER"),
            ("1.005", "TOO_MANY_DECIMALS"),
            ("10000.01", "OUT_OF_RANGE"),
            ("99999999999999999999", "OUT_OF_RANGE"),
        ];
        for (text, code) in refused {
            assert_eq!(LENGTHS.read(text).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn numbers_are_written_with_the_decimals_that_say_something() {
        assert_eq!(write(123_450, 2, 2), "1234.50");
        assert_eq!(write(123_450, 2, 0), "1234.5");
        assert_eq!(write(-5, 2, 0), "-0.05");
        assert_eq!(write(0, 6, 0), "0");
        assert_eq!(write(i64::MIN, 2, 2), "-92233720368547758.08");
    }
}
