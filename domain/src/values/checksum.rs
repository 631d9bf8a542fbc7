//! Check characters: ISO 7064 MOD 11-2, MOD 11,10 and MOD 37,36, and the modulus 31 of GB 32100.
//!
//! What they promise, and `properties.rs` tests: each of the four finds every single wrong character. MOD 11-2 and
//! modulus 31 also find every two neighbours exchanged; the hybrid systems MOD 11,10 and MOD 37,36 find most of these.
//! None of them finds every double error, nor says which character is wrong.

/// The symbols of GB 32100: no I, O, S, V, Z, which look like digits or are hard to tell apart.
const USCC_ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// The check character of a 公民身份号码 (GB 11643): ISO 7064 MOD 11-2, where ten is written X.
pub(super) fn mod_11_2(digits: &str) -> Option<char> {
    let sum = digits
        .chars()
        .try_fold(0, |sum, digit| Some((sum + digit.to_digit(10)?) * 2 % 11))?;
    match (12 - sum) % 11 {
        10 => Some('X'),
        check => char::from_digit(check, 10),
    }
}

/// The check digit of digits: ISO 7064 MOD 11,10.
pub(super) fn mod_11_10(digits: &str) -> Option<char> {
    hybrid(digits, 10)
}

/// The check character of digits and capital letters: ISO 7064 MOD 37,36.
pub(super) fn mod_37_36(text: &str) -> Option<char> {
    hybrid(text, 36)
}

/// An ISO 7064 hybrid system: modulus `symbols + 1` and `symbols`.
fn hybrid(text: &str, symbols: u32) -> Option<char> {
    let product = text.chars().try_fold(symbols, |product, character| {
        let value = character.to_digit(symbols).filter(|_| !character.is_ascii_lowercase())?;
        let sum = match (product + value) % symbols {
            0 => symbols,
            sum => sum,
        };
        Some(sum * 2 % (symbols + 1))
    })?;
    char::from_digit((symbols + 1 - product) % symbols, symbols).map(|check| check.to_ascii_uppercase())
}

/// The check character of a 统一社会信用代码 (GB 32100): weights are the powers of 3, modulo 31.
pub(super) fn mod_31(text: &str) -> Option<char> {
    let (sum, _) = text.chars().try_fold((0, 1), |(sum, weight), character| {
        let value = USCC_ALPHABET.find(character)?;
        Some(((sum + value * weight) % 31, weight * 3 % 31))
    })?;
    USCC_ALPHABET.chars().nth((31 - sum) % 31)
}

/// Whether a character may stand in a 统一社会信用代码.
pub(super) fn is_uscc_character(character: char) -> bool {
    USCC_ALPHABET.contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_examples_check() {
        assert_eq!(mod_11_2("11010519491231002"), Some('X'));
        assert_eq!(mod_11_2("44052418800101001"), Some('4'));
        assert_eq!(mod_11_10("0794"), Some('5'), "the standard's own example");
        assert_eq!(mod_37_36("A12425GABC1234002"), Some('M'), "a release identifier (GRid)");
        assert_eq!(mod_31("91110000600037341"), Some('L'));
    }

    #[test]
    fn characters_outside_the_alphabet_have_no_check_character() {
        assert_eq!(mod_11_2("1101X"), None);
        assert_eq!(mod_11_10("12a"), None);
        assert_eq!(mod_37_36("ab"), None);
        assert_eq!(mod_31("9111I"), None);
    }
}
