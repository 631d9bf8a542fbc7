//! How the numbers of cases, notices and permits are made: `{prefix}{yyyy}{seq:05}`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ValueError, Wording, error::Problem, text::compact};

const TEMPLATE: Wording = Wording::new("编号规则", "number template");
const NUMBER: Wording = Wording::new("编号", "number");
const EXAMPLE: Wording = Wording::new("“{prefix}{yyyy}{seq:05}”", "“{prefix}{yyyy}{seq:05}”");
const NUMBER_EXAMPLE: Wording = Wording::new("本类编号的规则", "that this kind of number has");
/// Years have four digits.
const YEARS: std::ops::RangeInclusive<i32> = 1000..=9999;
/// The widest that a sequence is filled up to; ours.
const WIDTH_MAX: usize = 12;

/// A pattern of fixed text, the prefix, one year and one sequence. A sequence that outgrows its width goes on wider:
/// numbers have no gap and no end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NumberTemplate {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Prefix,
    Year,
    Sequence { width: usize },
}

impl NumberTemplate {
    /// Reads a template. It needs one `{yyyy}` and one `{seq:0N}`, which no digit may follow.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let wrong = || ValueError::new(TEMPLATE, Problem::WrongShape { example: EXAMPLE });
        let mut parts = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (before, behind) = rest.split_once('{').unwrap_or((rest, ""));
            if before.contains('}') {
                return Err(wrong());
            }
            if !before.is_empty() {
                parts.push(Part::Text(compact(TEMPLATE, before)?));
            }
            if before.len() == rest.len() {
                break;
            }
            let (name, after) = behind.split_once('}').ok_or_else(wrong)?;
            parts.push(placeholder(name).ok_or_else(wrong)?);
            rest = after;
        }
        let template = Self { parts };
        if template.is_unambiguous() {
            Ok(template)
        } else {
            Err(wrong())
        }
    }

    /// The number with this prefix, year and place in the sequence.
    pub fn format(&self, prefix: &str, year: i32, sequence: u64) -> Result<String, ValueError> {
        if !YEARS.contains(&year) {
            let (least, most) = (YEARS.start().to_string(), YEARS.end().to_string());
            return Err(ValueError::new(
                Wording::new("年份", "year"),
                Problem::OutOfRange { least, most },
            ));
        }
        let write = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Prefix => prefix.to_owned(),
            Part::Year => year.to_string(),
            Part::Sequence { width } => format!("{sequence:0width$}"),
        };
        Ok(self.parts.iter().map(write).collect())
    }

    /// The year and the place in the sequence of a number that was made with this prefix.
    pub fn read(&self, prefix: &str, number: &str) -> Result<(i32, u64), ValueError> {
        let number = compact(NUMBER, number)?;
        let found = self.take_apart(prefix, &number);
        // Only what would be written again is a number: 2026000012 is not 202600012.
        found
            .filter(|(year, sequence)| {
                self.format(prefix, *year, *sequence)
                    .is_ok_and(|again| again.eq_ignore_ascii_case(&number))
            })
            .ok_or(ValueError::new(NUMBER, Problem::WrongShape { example: NUMBER_EXAMPLE }))
    }

    fn take_apart(&self, prefix: &str, number: &str) -> Option<(i32, u64)> {
        let prefix = prefix.to_ascii_uppercase();
        let (mut year, mut sequence, mut rest) = (None, None, number);
        for part in &self.parts {
            match part {
                Part::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Part::Prefix => rest = rest.strip_prefix(prefix.as_str())?,
                Part::Year => {
                    year = rest.get(..4)?.parse().ok();
                    rest = &rest[4..];
                }
                Part::Sequence { .. } => {
                    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
                    sequence = rest[..end].parse().ok();
                    rest = &rest[end..];
                }
            }
        }
        if rest.is_empty() { Some((year?, sequence?)) } else { None }
    }

    /// One year and one sequence, whose end can be told from what follows.
    fn is_unambiguous(&self) -> bool {
        let count = |wanted: fn(&Part) -> bool| self.parts.iter().filter(|part| wanted(part)).count();
        let sequence = self.parts.iter().position(|part| matches!(part, Part::Sequence { .. }));
        let follower = sequence.and_then(|place| self.parts.get(place + 1));
        let follows_well = match follower {
            None => true,
            Some(Part::Text(text)) => !text.starts_with(|character: char| character.is_ascii_digit()),
            Some(_) => false,
        };
        count(|part| matches!(part, Part::Year)) == 1 && count(|part| matches!(part, Part::Sequence { .. })) == 1 && follows_well
    }
}

fn placeholder(name: &str) -> Option<Part> {
    match name {
        "prefix" => Some(Part::Prefix),
        "yyyy" => Some(Part::Year),
        "seq" => Some(Part::Sequence { width: 1 }),
        _ => {
            let width = name.strip_prefix("seq:0")?.parse().ok()?;
            (1..=WIDTH_MAX).contains(&width).then_some(Part::Sequence { width })
        }
    }
}

impl fmt::Display for NumberTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Prefix => f.write_str("{prefix}"),
            Part::Year => f.write_str("{yyyy}"),
            Part::Sequence { width } => write!(f, "{{seq:0{width}}}"),
        })
    }
}

impl TryFrom<String> for NumberTemplate {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        Self::parse(&text)
    }
}

impl From<NumberTemplate> for String {
    fn from(template: NumberTemplate) -> Self {
        template.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_are_made_and_read() {
        let template = NumberTemplate::parse("{prefix}{yyyy}{seq:05}").unwrap();
        assert_eq!(template.format("SGXK", 2026, 42).unwrap(), "SGXK202600042");
        assert_eq!(template.read("SGXK", "sgxk2026 00042").unwrap(), (2026, 42));
        assert_eq!(
            template.format("SGXK", 2026, 123_456).unwrap(),
            "SGXK2026123456",
            "it goes on when the width is full"
        );
        assert_eq!(template.read("SGXK", "SGXK2026123456").unwrap(), (2026, 123_456));
    }

    #[test]
    fn words_may_stand_around_the_number() {
        let template = NumberTemplate::parse("筑建({yyyy})第{seq:04}号").unwrap();
        assert_eq!(template.format("", 2026, 7).unwrap(), "筑建(2026)第0007号");
        assert_eq!(template.read("", "筑建（2026）第0007号").unwrap(), (2026, 7));
        assert_eq!(template.to_string(), "筑建({yyyy})第{seq:04}号");
    }

    #[test]
    fn a_number_of_another_kind_is_refused() {
        let template = NumberTemplate::parse("{prefix}{yyyy}{seq:05}").unwrap();
        for number in ["YSXK202600042", "SGXK202642", "SGXK2026000042", "SGXK", "SGXK2026A0042", ""] {
            assert!(template.read("SGXK", number).is_err(), "{number}");
        }
    }

    #[test]
    fn a_template_that_cannot_be_read_back_is_refused() {
        for template in [
            "",
            "{prefix}{yyyy}",
            "{seq:05}",
            "{yyyy}{seq:05}{prefix}",
            "{yyyy}{seq:05}1",
            "{yyyy}{seq:99}",
            "{yyyy}{seq:05",
            "a}{yyyy}{seq}",
        ] {
            assert!(NumberTemplate::parse(template).is_err(), "{template}");
        }
        assert!(NumberTemplate::parse("{yyyy}{seq:05}").unwrap().format("", 99, 1).is_err());
    }
}
