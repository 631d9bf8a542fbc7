//! What an expression may not be: too long, too deep. Looked at before it is parsed, because the parser is recursive. What
//! its parts may be is looked at afterwards ([`syntax`](super::syntax)), and what they can cost before each evaluation
//! ([`cost`](super::cost)).

/// The longest expression: a condition that is longer is a decision table.
pub(crate) const MAX_EXPRESSION_BYTES: usize = 2_048;
/// The deepest nesting of brackets: nobody reads more, and the parser takes a frame of the stack for each.
pub(crate) const MAX_NESTING: usize = 32;
/// The most parts in a row without a comma: parsing and evaluating go one level deeper for each operator.
const MAX_CHAIN: usize = 800;

/// Words of the language itself.
const KEYWORDS: [&str; 20] = [
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
    "for",
    "return",
    "function",
    "external",
    "null",
    "true",
    "false",
    "instance",
    "of",
];

/// Words of which the names of types are made, after `instance of`.
const TYPE_WORDS: [&str; 17] = [
    "number", "string", "boolean", "date", "time", "and", "days", "years", "months", "duration", "list", "context", "range",
    "function", "Any", "any", "Null",
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

/// A piece of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    Number(&'a str),
    Text(&'a str),
    Space,
    Other(char),
}

/// Says of an expression why it may not be parsed; otherwise, everything in it that could be the name of a variable.
pub(crate) fn check(feel: &str, max_bytes: usize) -> Result<Vec<String>, String> {
    if feel.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    if feel.len() > max_bytes {
        return Err(format!("is longer than {max_bytes} bytes"));
    }
    let solid: Vec<Token<'_>> = tokens(feel)?.into_iter().filter(|token| *token != Token::Space).collect();
    nesting(&solid)?;
    Ok(looked_up(&solid))
}

/// Everything that could be the name of a variable, each once. Names that stand side by side can only be one name of
/// several words.
fn looked_up(solid: &[Token<'_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    let mut note = |words: &mut Vec<&str>| {
        let name = words.join(" ");
        words.clear();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    };
    let mut torn: Vec<&str> = Vec::new();
    let (mut at, mut in_type) = (0, false);
    while at < solid.len() {
        in_type = match solid[at] {
            Token::Name("of") => at > 0 && solid[at - 1] == Token::Name("instance"),
            Token::Name(name) => in_type && TYPE_WORDS.contains(&name),
            Token::Other('<' | '>') => in_type,
            _ => false,
        };
        if in_type {
            note(&mut words);
            at += 1;
            continue;
        }
        let of_function = function_at(&solid[at..]);
        if of_function > 1
            && let Token::Name(first) = solid[at]
        {
            torn.push(first);
        }
        let is_clock = matches!(solid[at], Token::Name("now" | "today"));
        match solid[at] {
            Token::Name(name) if (of_function == 0 || is_clock) && !KEYWORDS.contains(&name) => words.push(name),
            Token::Number(number) if !words.is_empty() => words.push(number),
            _ => note(&mut words),
        }
        at += of_function.max(1);
    }
    note(&mut words);
    // A variable `list` that is known would tear `list contains(…)` apart.
    names.retain(|name| !torn.contains(&name.as_str()));
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

/// Brackets within brackets, and how many operators stand in a row: what is separated by commas stands side by side.
fn nesting(tokens: &[Token<'_>]) -> Result<(), String> {
    let mut depth = 0_usize;
    // The parts since the last comma, on each level of brackets that is open.
    let mut chains = vec![0_usize];
    let mut all = 0_usize;
    for token in tokens {
        match token {
            Token::Other('(' | '[' | '{') => {
                depth += 1;
                // Each index and each call goes one level deeper as well.
                if let Some(chain) = chains.last_mut() {
                    *chain += 1;
                    all += 1;
                }
                chains.push(0);
            }
            Token::Other(')' | ']' | '}') => {
                depth = depth.saturating_sub(1);
                if chains.len() > 1 {
                    all -= chains.pop().unwrap_or_default();
                }
            }
            Token::Other(',') => {
                if let Some(chain) = chains.last_mut() {
                    all -= std::mem::take(chain);
                }
                continue;
            }
            // Each of these goes one level deeper without a bracket.
            Token::Name("if" | "some" | "every" | "for" | "function") => depth += 1,
            _ => {}
        }
        if let Some(chain) = chains.last_mut() {
            *chain += 1;
            all += 1;
        }
        if depth > MAX_NESTING {
            return Err(format!("is nested deeper than {MAX_NESTING} levels"));
        }
        if all > MAX_CHAIN {
            return Err(format!("has more than {MAX_CHAIN} parts in a row"));
        }
    }
    Ok(())
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
            c if c.is_whitespace() => (Token::Space, run(rest, char::is_whitespace)),
            c if c.is_ascii_digit() => {
                let length = number_length(rest);
                (Token::Number(&rest[..length]), length)
            }
            c if is_name_start(c) => {
                let length = run(rest, |c| is_name_start(c) || c.is_numeric() || c == '\'');
                (Token::Name(&rest[..length]), length)
            }
            '/' if rest.starts_with("//") => (Token::Space, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => {
                let end = rest.find("*/").ok_or("has a comment that does not end")?;
                (Token::Space, end + 2)
            }
            '.' if rest.starts_with("..") => (Token::Other('…'), 2),
            c if c.is_control() && !c.is_whitespace() => return Err("holds a control character".to_owned()),
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
