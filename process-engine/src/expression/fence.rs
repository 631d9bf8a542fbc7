//! What an expression may not hold: whatever has no bounds. Looked at before it is parsed, because the parser is recursive
//! and the language can count to any number.

/// The longest expression.
pub(crate) const MAX_EXPRESSION_BYTES: usize = 2_048;
/// The deepest nesting of brackets.
pub(crate) const MAX_NESTING: usize = 32;
/// The most operators in a row: the parser keeps one frame for each.
const MAX_TOKENS: usize = 800;
/// The widest range that is counted through.
pub(crate) const MAX_RANGE: f64 = 1_000.0;

/// Words that begin something without bounds, or reach outside.
const FORBIDDEN: [&str; 3] = ["for", "function", "external"];

/// Words of the language itself.
const KEYWORDS: [&str; 16] = [
    "and",
    "or",
    "not",
    "if",
    "then",
    "else",
    "in",
    "between",
    "some",
    "every",
    "satisfies",
    "null",
    "true",
    "false",
    "instance",
    "of",
];

/// Built-in functions whose names have several words (DMN 1.5, 10.3.4).
const FUNCTIONS_OF_WORDS: [&str; 26] = [
    "date and time",
    "years and months duration",
    "string length",
    "substring before",
    "substring after",
    "upper case",
    "lower case",
    "starts with",
    "ends with",
    "string join",
    "list contains",
    "list replace",
    "insert before",
    "index of",
    "distinct values",
    "round up",
    "round down",
    "round half up",
    "round half down",
    "get value",
    "get entries",
    "context put",
    "context merge",
    "day of year",
    "day of week",
    "month of year",
];

/// An expression that may be parsed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fenced {
    /// The expression, with the moment of the command in place of the clock.
    pub(crate) text: String,
    /// Everything in it that could be the name of a variable, each once.
    pub(crate) names: Vec<String>,
}

/// A piece of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    Number(&'a str),
    Text(&'a str),
    Space(&'a str),
    /// Two points.
    Range,
    Other(char),
}

/// Says of an expression that loops and functions are allowed in whether it may be parsed: only its size is looked at.
pub(crate) fn check_trusted(feel: &str, max_bytes: usize) -> Result<(), String> {
    if feel.len() > max_bytes {
        return Err(format!("is longer than {max_bytes} bytes"));
    }
    let tokens: Vec<Token<'_>> = tokens(feel)?;
    nesting(&tokens)
}

/// The names that an expression may look up.
pub(crate) fn names(feel: &str) -> Result<Vec<String>, String> {
    let solid: Vec<Token<'_>> = tokens(feel)?
        .into_iter()
        .filter(|token| !matches!(token, Token::Space(_)))
        .collect();
    Ok(looked_up(&solid))
}

/// Says what may not be parsed, and what names there are.
pub(crate) fn check(feel: &str, max_bytes: usize) -> Result<Fenced, String> {
    let feel = feel.trim();
    if feel.is_empty() {
        return Err("is empty".to_owned());
    }
    if feel.len() > max_bytes {
        return Err(format!("is longer than {max_bytes} bytes"));
    }
    let tokens = tokens(feel)?;
    let solid: Vec<Token<'_>> = tokens
        .iter()
        .copied()
        .filter(|token| !matches!(token, Token::Space(_)))
        .collect();
    if max_bytes == MAX_EXPRESSION_BYTES && solid.len() > MAX_TOKENS {
        return Err(format!("has more than {MAX_TOKENS} parts"));
    }
    nesting(&solid)?;
    ranges(&solid)?;
    if let Some(word) = solid.iter().find_map(|token| match token {
        Token::Name(name) if FORBIDDEN.contains(name) => Some(*name),
        _ => None,
    }) {
        return Err(format!("may not use {word:?}"));
    }
    let names = looked_up(&solid);
    Ok(Fenced {
        text: without_clock(&tokens),
        names,
    })
}

/// Everything that could be the name of a variable, each once.
fn looked_up(solid: &[Token<'_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut at = 0;
    while at < solid.len() {
        let words = function_at(&solid[at..]);
        let Token::Name(name) = solid[at] else {
            at += 1;
            continue;
        };
        let is_member = at > 0 && solid[at - 1] == Token::Other('.');
        let is_clock = matches!(name, "now" | "today");
        let is_variable = (words == 0 || is_clock) && !is_member && !KEYWORDS.contains(&name);
        if is_variable && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
        at += words.max(1);
    }
    names
}

/// How many words the function has that is called here; none, if none is.
fn function_at(tokens: &[Token<'_>]) -> usize {
    let word = |at: usize| match tokens.get(at) {
        Some(Token::Name(name)) => Some(*name),
        _ => None,
    };
    let is_called = |words: usize| tokens.get(words) == Some(&Token::Other('('));
    let of_words = FUNCTIONS_OF_WORDS.iter().find_map(|function| {
        let words = function.split(' ').count();
        let same = function.split(' ').enumerate().all(|(at, part)| word(at) == Some(part));
        (same && is_called(words)).then_some(words)
    });
    of_words.unwrap_or_else(|| usize::from(word(0).is_some_and(|name| !KEYWORDS.contains(&name)) && is_called(1)))
}

fn nesting(tokens: &[Token<'_>]) -> Result<(), String> {
    let mut depth = 0_usize;
    for token in tokens {
        match token {
            Token::Other('(' | '[' | '{') => depth += 1,
            Token::Other(')' | ']' | '}') => depth = depth.saturating_sub(1),
            // Each of these goes one level deeper without a bracket.
            Token::Name("if" | "some" | "every") => depth += 1,
            _ => {}
        }
        if depth > MAX_NESTING {
            return Err(format!("is nested deeper than {MAX_NESTING} levels"));
        }
    }
    let signs = tokens.iter().filter(|token| matches!(token, Token::Other('-'))).count();
    if signs > MAX_NESTING * 4 {
        return Err("has too many signs".to_owned());
    }
    Ok(())
}

/// A range that is counted through must have its ends written, and few enough steps between them.
fn ranges(tokens: &[Token<'_>]) -> Result<(), String> {
    let counts = tokens.iter().any(|token| matches!(token, Token::Name("some" | "every")));
    for at in tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| **token == Token::Range)
        .map(|(at, _)| at)
    {
        let number = |token: Option<&Token<'_>>| match token {
            Some(Token::Number(text)) => text.parse::<f64>().ok(),
            _ => None,
        };
        let ends = (
            number(at.checked_sub(1).and_then(|before| tokens.get(before))),
            number(tokens.get(at + 1)),
        );
        match ends {
            (Some(from), Some(to)) if counts && (to - from).abs() > MAX_RANGE => {
                return Err(format!("counts through more than {MAX_RANGE} steps"));
            }
            (Some(_), Some(_)) => {}
            _ if counts => return Err("counts through a range whose ends are not written as numbers".to_owned()),
            _ => {}
        }
    }
    Ok(())
}

/// `now()` and `today()` are the moment of the command, which the variables `now` and `today` hold.
fn without_clock(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    let mut at = 0;
    while at < tokens.len() {
        let call = |name: &str| {
            tokens[at] == Token::Name(name)
                && (at == 0 || tokens[at - 1] != Token::Other('.'))
                && tokens.get(at + 1) == Some(&Token::Other('('))
                && tokens.get(at + 2) == Some(&Token::Other(')'))
        };
        if call("now") {
            text.push_str("date and time(now)");
            at += 3;
        } else if call("today") {
            text.push_str("date(today)");
            at += 3;
        } else {
            match tokens[at] {
                Token::Name(part) | Token::Number(part) | Token::Text(part) | Token::Space(part) => text.push_str(part),
                Token::Range => text.push_str(".."),
                Token::Other(c) => text.push(c),
            }
            at += 1;
        }
    }
    text
}

fn tokens(feel: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut rest = feel;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '"' => {
                let length = text_length(rest).ok_or("has a text that does not end")?;
                (Token::Text(&rest[..length]), length)
            }
            c if c.is_whitespace() => {
                let length = run(rest, char::is_whitespace);
                (Token::Space(&rest[..length]), length)
            }
            c if c.is_ascii_digit() => {
                let length = number_length(rest);
                (Token::Number(&rest[..length]), length)
            }
            c if is_name_start(c) => {
                let length = run(rest, |c| is_name_start(c) || c.is_numeric() || c == '\'');
                (Token::Name(&rest[..length]), length)
            }
            '/' if rest.starts_with("//") || rest.starts_with("/*") => return Err("may not hold comments".to_owned()),
            '.' if rest.starts_with("..") => (Token::Range, 2),
            c if c.is_control() => return Err("holds a control character".to_owned()),
            c => (Token::Other(c), c.len_utf8()),
        };
        tokens.push(token);
        rest = &rest[length..];
    }
    Ok(tokens)
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '?'
}

/// How long the beginning of a text is whose characters are all so.
fn run(text: &str, is_so: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_so(c)).unwrap_or(text.len())
}

fn number_length(text: &str) -> usize {
    let whole = run(text, |c| c.is_ascii_digit());
    match text[whole..].strip_prefix('.') {
        Some(fraction) if fraction.starts_with(|c: char| c.is_ascii_digit()) => whole + 1 + run(fraction, |c| c.is_ascii_digit()),
        _ => whole,
    }
}

fn text_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}
