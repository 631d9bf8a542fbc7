//! What people write, made comparable: full-width forms, spaces and dashes of all kinds; and looking at single places.

use std::ops::Range;

use chrono::NaiveDate;

use super::error::{Problem, ValueError, Wording};

/// More characters than any value has; what is longer is refused without being looked at further.
const TEXT_CHARS_MAX: usize = 200;

/// Half-width, upper case, one kind of dash and bracket, and nothing that cannot be seen.
pub(super) fn compact(field: Wording, text: &str) -> Result<String, ValueError> {
    let invisible = |character: &char| {
        character.is_whitespace()
            || character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
    };
    let compact: String = text
        .chars()
        .take(TEXT_CHARS_MAX + 1)
        .map(plain)
        .filter(|character| !invisible(character))
        .collect();
    if compact.is_empty() {
        return Err(ValueError::new(field, Problem::Empty));
    }
    let found = text.chars().count();
    if found > TEXT_CHARS_MAX {
        return Err(ValueError::new(
            field,
            Problem::WrongLength {
                expected: "1-200",
                found,
            },
        ));
    }
    Ok(compact)
}

/// The ordinary form of a character.
fn plain(character: char) -> char {
    let half = match character {
        // Full-width forms stand at a fixed distance from ASCII.
        '\u{ff01}'..='\u{ff5e}' => u32::from(character)
            .checked_sub(0xfee0)
            .and_then(char::from_u32)
            .unwrap_or(character),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' => '-',
        other => other,
    };
    match half {
        '〔' | '［' | '[' | '【' => '(',
        '〕' | '］' | ']' | '】' => ')',
        other => other.to_ascii_uppercase(),
    }
}

/// Refuses any other number of characters.
pub(super) fn has_length(field: Wording, text: &str, length: usize, expected: &'static str) -> Result<(), ValueError> {
    let found = text.chars().count();
    if found == length {
        Ok(())
    } else {
        Err(ValueError::new(field, Problem::WrongLength { expected, found }))
    }
}

/// Refuses the first character in these places (from 0) that may not stand there.
pub(super) fn each(
    field: Wording,
    text: &str,
    places: Range<usize>,
    allowed: impl Fn(char) -> bool,
    expected: Wording,
) -> Result<(), ValueError> {
    let wrong = text
        .chars()
        .enumerate()
        .skip(places.start)
        .take(places.len())
        .find(|(_, character)| !allowed(*character));
    match wrong {
        Some((place, found)) => Err(ValueError::new(
            field,
            Problem::UnexpectedCharacter {
                at: place + 1,
                found,
                expected,
            },
        )),
        None => Ok(()),
    }
}

/// A capital letter or a digit.
pub(super) fn is_code_character(character: char) -> bool {
    character.is_ascii_digit() || character.is_ascii_uppercase()
}

/// A Chinese character of the basic block, as in the names of places.
pub(super) fn is_han(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}')
}

/// The date in the eight digits from this place on, if there is such a day.
pub(super) fn date_at(text: &str, place: usize) -> Option<NaiveDate> {
    let number = |range: Range<usize>| text.get(range)?.parse::<u32>().ok();
    let year = i32::try_from(number(place..place + 4)?).ok()?;
    NaiveDate::from_ymd_opt(year, number(place + 4..place + 6)?, number(place + 6..place + 8)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FIELD: Wording = Wording::new("编号", "number");

    #[test]
    fn full_width_text_is_made_half_width() {
        assert_eq!(
            compact(FIELD, " ９１ab－（２０１７）〔x〕\u{3000}\u{feff}\t").unwrap(),
            "91AB-(2017)(X)"
        );
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        assert_eq!(compact(FIELD, " \u{3000}").unwrap_err().code(), "EMPTY");
        assert_eq!(compact(FIELD, &"9".repeat(201)).unwrap_err().code(), "WRONG_LENGTH");
    }

    #[test]
    fn a_refusal_says_where_and_what_to_do_in_both_languages() {
        let refused = each(
            FIELD,
            "12O4",
            0..4,
            |character| character.is_ascii_digit(),
            super::super::error::DIGIT,
        )
        .unwrap_err();
        assert_eq!(refused.to_string(), "编号第 3 位“O”有误，应为数字 0-9，请更正。");
        assert_eq!(
            refused.en(),
            "Character 3 of the number is “O”, but there must be a digit 0-9: please correct it."
        );
        assert_eq!((refused.code(), refused.at()), ("UNEXPECTED_CHARACTER", Some(3)));
    }
}
