//! Why something that was written is not what it should be: which field, where, and what to do.

use std::fmt;

/// The same words in both languages of the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wording {
    /// 中文
    pub zh: &'static str,
    /// English
    pub en: &'static str,
}

impl Wording {
    pub(super) const fn new(zh: &'static str, en: &'static str) -> Self {
        Self { zh, en }
    }
}

pub(super) const DIGIT: Wording = Wording::new("数字 0-9", "a digit 0-9");
pub(super) const DIGIT_OR_LETTER: Wording = Wording::new("数字或大写字母", "a digit or a capital letter");

/// A value was refused. Its text never repeats the value: it may be somebody's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    /// What was being read.
    pub field: Wording,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a value. Places count characters from 1, without spaces.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Problem {
    /// Nothing was written.
    Empty,
    /// There are more or fewer characters than there should be.
    WrongLength {
        /// How many there should be (`18`, `1-40`).
        expected: &'static str,
        /// How many there are.
        found: usize,
    },
    /// A character is none of those that may stand there.
    UnexpectedCharacter {
        /// Where.
        at: usize,
        /// Which.
        found: char,
        /// What may stand there.
        expected: Wording,
    },
    /// The check character does not fit the others: at least one of them is wrong.
    WrongCheckCharacter {
        /// Where the check character stands.
        at: usize,
    },
    /// There is no such day.
    NoSuchDate {
        /// Where the date begins.
        at: usize,
    },
    /// There are more decimals than can be kept.
    TooManyDecimals {
        /// How many can be kept.
        allowed: usize,
    },
    /// The number is too small or too large.
    OutOfRange {
        /// The smallest.
        least: String,
        /// The largest.
        most: String,
    },
    /// The parts are not in their place.
    WrongShape {
        /// What it looks like.
        example: Wording,
    },
}

impl ValueError {
    pub(super) const fn new(field: Wording, problem: Problem) -> Self {
        Self { field, problem }
    }

    /// The problem's name for programs.
    pub fn code(&self) -> &'static str {
        (&self.problem).into()
    }

    /// The character that is wrong, counted from 1, where one is known.
    pub fn at(&self) -> Option<usize> {
        match self.problem {
            Problem::UnexpectedCharacter { at, .. } | Problem::WrongCheckCharacter { at } | Problem::NoSuchDate { at } => {
                Some(at)
            }
            _ => None,
        }
    }

    /// The same in English.
    pub fn en(&self) -> String {
        let field = self.field.en;
        match &self.problem {
            Problem::Empty => format!("The {field} is empty: please fill it in."),
            Problem::WrongLength { expected, found } => {
                format!("The {field} has {found} characters and must have {expected}: look for what is missing or too much.")
            }
            Problem::UnexpectedCharacter { at, found, expected } => {
                format!(
                    "Character {at} of the {field} is “{found}”, but there must be {}: please correct it.",
                    expected.en
                )
            }
            Problem::WrongCheckCharacter { at } => {
                format!("The check character {at} of the {field} does not fit: compare every character with the original.")
            }
            Problem::NoSuchDate { at } => {
                format!("There is no such day as the {field} has from character {at} on: compare it with the original.")
            }
            Problem::TooManyDecimals { allowed: 0 } => format!("The {field} must be a whole number."),
            Problem::TooManyDecimals { allowed } => format!("The {field} has more than {allowed} decimals: please round it."),
            Problem::OutOfRange { least, most } => {
                format!("The {field} must be between {least} and {most}: check the number and its unit.")
            }
            Problem::WrongShape { example } => format!("The {field} does not have the form {}: please write it so.", example.en),
        }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field.zh;
        match &self.problem {
            Problem::Empty => write!(f, "{field}未填写，请填写。"),
            Problem::WrongLength { expected, found } => {
                write!(f, "{field}应为 {expected} 位，现为 {found} 位，请检查是否缺字或多字。")
            }
            Problem::UnexpectedCharacter { at, found, expected } => {
                write!(f, "{field}第 {at} 位“{found}”有误，应为{}，请更正。", expected.zh)
            }
            Problem::WrongCheckCharacter { at } => write!(f, "{field}第 {at} 位校验码不符，请对照原件逐位核对。"),
            Problem::NoSuchDate { at } => write!(f, "{field}自第 {at} 位起的日期不存在，请对照原件核对。"),
            Problem::TooManyDecimals { allowed: 0 } => write!(f, "{field}应为整数。"),
            Problem::TooManyDecimals { allowed } => write!(f, "{field}小数超过 {allowed} 位，请四舍五入后填写。"),
            Problem::OutOfRange { least, most } => write!(f, "{field}应在 {least} 至 {most} 之间，请核对数值和单位。"),
            Problem::WrongShape { example } => write!(f, "{field}格式不符，应形如{}，请按此填写。", example.zh),
        }
    }
}

impl std::error::Error for ValueError {}
