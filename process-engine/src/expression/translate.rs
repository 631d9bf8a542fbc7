//! Expressions of Flowable's models (`${…}`, JUEL) in FEEL: what has an equal there, and nothing else.

use super::shortened;

/// The longest expression that is translated.
pub(crate) const MAX_SOURCE_BYTES: usize = 2_048;
/// The longest translation: some methods have equals that say what they are asked of three times, so that a short row of
/// them would fill the memory. What is longer is no expression anyway.
const MAX_FEEL_BYTES: usize = super::fence::MAX_EXPRESSION_BYTES;
/// The deepest nesting that is translated.
const MAX_DEPTH: u32 = 32;

/// Why an expression could not be translated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}, at {rest:?}")]
pub struct TranslateError {
    /// What is not understood.
    pub reason: String,
    /// From where on.
    pub rest: String,
}

/// A text of a model: as written, or what is to be computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextOrFeel {
    /// As written.
    Plain(String),
    /// An expression in FEEL.
    Feel(String),
}

/// A text that may hold `${…}` (then a concatenation of its pieces, or the expression alone if it is nothing else), or that
/// is `=` and FEEL.
pub fn text(source: &str) -> Result<TextOrFeel, TranslateError> {
    let trimmed = source.trim();
    if let Some(feel) = trimmed.strip_prefix('=') {
        return Ok(TextOrFeel::Feel(feel.trim().to_owned()));
    }
    if trimmed.len() > MAX_SOURCE_BYTES && opening(trimmed).is_some() {
        return Err(error(format!("longer than {MAX_SOURCE_BYTES} bytes"), trimmed));
    }
    let mut parts = Vec::new();
    let mut rest = trimmed;
    while let Some(at) = opening(rest) {
        if at > 0 {
            parts.push(quoted(&rest[..at]));
        }
        let end = closing(&rest[at..]).ok_or_else(|| error("an expression does not end", &rest[at..]))?;
        let feel = juel_to_feel(&rest[at + 2..at + end])?;
        rest = &rest[at + end + 1..];
        if parts.is_empty() && rest.is_empty() {
            return Ok(TextOrFeel::Feel(feel));
        }
        parts.push(format!("string({feel})"));
    }
    if parts.is_empty() {
        return Ok(TextOrFeel::Plain(trimmed.to_owned()));
    }
    if !rest.is_empty() {
        parts.push(quoted(rest));
    }
    Ok(TextOrFeel::Feel(parts.join(" + ")))
}

/// What stands in a model where an expression is meant, in FEEL: `${…}` translated, anything else as it is.
pub fn feel_of(source: &str) -> Result<String, TranslateError> {
    Ok(match text(source)? {
        TextOrFeel::Feel(feel) | TextOrFeel::Plain(feel) => feel,
    })
}

/// Where the first expression of a text begins.
fn opening(text: &str) -> Option<usize> {
    text.find("${").into_iter().chain(text.find("#{")).min()
}

/// Where the expression that a text begins with ends: at the bracket that stands in no text of its own.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut letters = text.char_indices().skip(2);
    while let Some((at, c)) = letters.next() {
        match (quote, c) {
            (Some(_), '\\') => drop(letters.next()),
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '}') => return Some(at),
            _ => {}
        }
    }
    None
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn error(reason: impl Into<String>, rest: &str) -> TranslateError {
    TranslateError {
        reason: reason.into(),
        rest: shortened(rest),
    }
}

/// The inside of `${…}`, in FEEL.
pub fn juel_to_feel(source: &str) -> Result<String, TranslateError> {
    if source.len() > MAX_SOURCE_BYTES {
        return Err(error(format!("longer than {MAX_SOURCE_BYTES} bytes"), source));
    }
    let mut reader = Reader { rest: source, depth: 0 };
    let feel = reader.choice()?;
    reader.skip();
    if reader.rest.is_empty() {
        return Ok(unwrapped(&feel).to_owned());
    }
    Err(error("this is not understood", reader.rest))
}

/// An expression without the brackets around all of it.
fn unwrapped(feel: &str) -> &str {
    let Some(inner) = feel.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        return feel;
    };
    let (mut depth, mut in_text, mut escaped) = (0_i32, false, false);
    for c in inner.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return feel;
        }
    }
    inner
}

/// Reads JUEL from left to right; each method reads what binds at least so tightly.
struct Reader<'a> {
    rest: &'a str,
    depth: u32,
}

impl<'a> Reader<'a> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes a sign, if it stands here.
    fn sign(&mut self, sign: &str) -> bool {
        self.skip();
        let found = self.rest.starts_with(sign);
        if found {
            self.rest = &self.rest[sign.len()..];
        }
        found
    }

    /// Takes a word, if it stands here alone.
    fn word(&mut self, word: &str) -> bool {
        self.skip();
        let Some(after) = self.rest.strip_prefix(word) else {
            return false;
        };
        if after.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return false;
        }
        self.rest = after;
        true
    }

    fn choice(&mut self) -> Result<String, TranslateError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(error(format!("nested deeper than {MAX_DEPTH} levels"), self.rest));
        }
        let condition = self.either()?;
        let feel = if self.sign("?") {
            let yes = self.choice()?;
            if !self.sign(":") {
                return Err(error("a choice needs `:`", self.rest));
            }
            let no = self.choice()?;
            format!("if {condition} then {yes} else {no}")
        } else {
            condition
        };
        self.depth -= 1;
        Ok(feel)
    }

    fn either(&mut self) -> Result<String, TranslateError> {
        let mut feel = self.both()?;
        while self.sign("||") || self.word("or") {
            feel = format!("{feel} or {}", self.both()?);
        }
        Ok(feel)
    }

    fn both(&mut self) -> Result<String, TranslateError> {
        let mut feel = self.comparison()?;
        while self.sign("&&") || self.word("and") {
            feel = format!("{feel} and {}", self.comparison()?);
        }
        Ok(feel)
    }

    fn comparison(&mut self) -> Result<String, TranslateError> {
        let left = self.sum()?;
        let signs = [("==", "="), ("!=", "!="), ("<=", "<="), (">=", ">="), ("<", "<"), (">", ">")];
        let words = [
            ("eq", "="),
            ("ne", "!="),
            ("le", "<="),
            ("ge", ">="),
            ("lt", "<"),
            ("gt", ">"),
        ];
        let sign = signs.into_iter().find(|(sign, _)| self.sign(sign));
        let Some((_, feel)) = sign.or_else(|| words.into_iter().find(|(word, _)| self.word(word))) else {
            return Ok(left);
        };
        Ok(format!("{left} {feel} {}", self.sum()?))
    }

    fn sum(&mut self) -> Result<String, TranslateError> {
        let mut feel = self.product()?;
        loop {
            if self.sign("+") {
                feel = format!("{feel} + {}", self.product()?);
            } else if self.sign("-") {
                feel = format!("{feel} - {}", self.product()?);
            } else {
                return Ok(feel);
            }
        }
    }

    fn product(&mut self) -> Result<String, TranslateError> {
        let mut feel = self.unary()?;
        loop {
            if self.sign("*") {
                feel = format!("{feel} * {}", self.unary()?);
            } else if self.sign("/") || self.word("div") {
                feel = format!("{feel} / {}", self.unary()?);
            } else if self.sign("%") || self.word("mod") {
                feel = format!("modulo({feel}, {})", self.unary()?);
            } else {
                return Ok(feel);
            }
        }
    }

    fn unary(&mut self) -> Result<String, TranslateError> {
        self.skip();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(error(format!("nested deeper than {MAX_DEPTH} levels"), self.rest));
        }
        let is_not = self.rest.starts_with('!') && !self.rest.starts_with("!=");
        let feel = if is_not {
            self.rest = &self.rest[1..];
            format!("not({})", self.unary()?)
        } else if self.word("not") {
            format!("not({})", self.unary()?)
        } else if self.word("empty") {
            let of = self.unary()?;
            format!("list contains([null, \"\", []], {of})")
        } else if self.sign("-") {
            format!("-{}", self.unary()?)
        } else {
            self.path()?
        };
        self.depth -= 1;
        Ok(feel)
    }

    /// A value and what is asked of it: members, items, methods.
    fn path(&mut self) -> Result<String, TranslateError> {
        let mut feel = self.value()?;
        loop {
            if self.sign("[") {
                let index = self.choice()?;
                if !self.sign("]") {
                    return Err(error("an index needs `]`", self.rest));
                }
                // FEEL counts from 1; a name in brackets is a member.
                feel = match index.parse::<i64>() {
                    Ok(number) => format!("{feel}[{}]", number.saturating_add(1)),
                    Err(_) if index.starts_with('"') => format!("get value({feel}, {index})"),
                    Err(_) => format!("{feel}[({index}) + 1]"),
                };
            } else if self.sign(".") {
                let name = self
                    .name()
                    .ok_or_else(|| error("a name is needed after the point", self.rest))?;
                feel = if self.sign("(") {
                    let arguments = self.arguments()?;
                    method(&feel, name, &arguments, self.rest)?
                } else if matches!(feel.as_str(), "execution" | "task") {
                    return Err(error(
                        format!("{feel}.{name} belongs to the engine that the model was drawn for; use a variable"),
                        self.rest,
                    ));
                } else {
                    format!("{feel}.{name}")
                };
            } else {
                return Ok(feel);
            }
            if feel.len() > MAX_FEEL_BYTES {
                return Err(error(format!("longer than {MAX_FEEL_BYTES} bytes in FEEL"), self.rest));
            }
        }
    }

    fn arguments(&mut self) -> Result<Vec<String>, TranslateError> {
        let mut arguments = Vec::new();
        if self.sign(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.choice()?);
            if self.sign(")") {
                return Ok(arguments);
            }
            if !self.sign(",") {
                return Err(error("arguments end with `)`", self.rest));
            }
        }
    }

    fn name(&mut self) -> Option<&'a str> {
        self.skip();
        if !self.rest.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return None;
        }
        let length = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest;
        Some(name)
    }

    fn value(&mut self) -> Result<String, TranslateError> {
        self.skip();
        if self.sign("(") {
            let inner = self.choice()?;
            if !self.sign(")") {
                return Err(error("a bracket does not close", self.rest));
            }
            return Ok(format!("({inner})"));
        }
        match self.rest.chars().next() {
            Some(quote @ ('\'' | '"')) => self.quoted(quote),
            Some(c) if c.is_ascii_digit() => {
                let length = self
                    .rest
                    .find(|c: char| !(c.is_ascii_digit() || c == '.'))
                    .unwrap_or(self.rest.len());
                let (number, rest) = self.rest.split_at(length);
                self.rest = rest;
                Ok(number.to_owned())
            }
            _ => {
                let from = self.rest;
                let name = self.name().ok_or_else(|| error("a value is needed", from))?;
                self.named(name, from)
            }
        }
    }

    /// A variable, or one of the functions that models may call.
    fn named(&mut self, name: &str, from: &str) -> Result<String, TranslateError> {
        // Flowable's functions of variables: variables:get(x), var:equals(x, 1).
        let is_function = matches!(name, "variables" | "vars" | "var") && self.rest.starts_with(':');
        if is_function {
            self.rest = &self.rest[1..];
            let function = self.name().ok_or_else(|| error("a function is needed", from))?;
            if !self.sign("(") {
                return Err(error("a function needs its arguments", self.rest));
            }
            let arguments = self.arguments()?;
            let feel = variable_function(function, &arguments, from)?;
            if feel.len() > MAX_FEEL_BYTES {
                return Err(error(format!("longer than {MAX_FEEL_BYTES} bytes in FEEL"), from));
            }
            return Ok(feel);
        }
        self.skip();
        if self.rest.starts_with('(') {
            return Err(error(format!("the function {name} cannot be called here"), from));
        }
        Ok(name.to_owned())
    }

    fn quoted(&mut self, quote: char) -> Result<String, TranslateError> {
        let from = self.rest;
        let mut text = String::new();
        let mut letters = from.char_indices().skip(1);
        while let Some((at, c)) = letters.next() {
            if c == '\\' {
                text.extend(letters.next().map(|(_, escaped)| escaped));
            } else if c == quote {
                self.rest = &from[at + 1..];
                return Ok(quoted(&text));
            } else {
                text.push(c);
            }
        }
        Err(error("a text does not end", from))
    }
}

/// A method that has an equal in FEEL. Whatever could be torn apart by what stands beside it is put in brackets.
fn method(of: &str, name: &str, arguments: &[String], rest: &str) -> Result<String, TranslateError> {
    Ok(match (of, name, arguments) {
        ("execution" | "task", "getVariable" | "getVariableLocal", [name]) => unquoted(name, rest)?,
        ("execution" | "task", "hasVariable", [name]) => format!("({} != null)", unquoted(name, rest)?),
        (_, "contains", [what]) => contains(of, what),
        (_, "equals", [what]) => format!("({of} = {what})"),
        (_, "equalsIgnoreCase", [what]) => format!("(lower case({of}) = lower case({what}))"),
        (_, "startsWith", [what]) => format!("starts with({of}, {what})"),
        (_, "endsWith", [what]) => format!("ends with({of}, {what})"),
        (_, "matches", [what]) => format!("matches({of}, {what})"),
        (_, "containsKey", [key]) => format!("(get value({of}, {key}) != null)"),
        (_, "size", []) => format!("count({of})"),
        (_, "length", []) => format!("string length({of})"),
        (_, "isEmpty", []) => format!("list contains([\"\", []], {of})"),
        (_, "toLowerCase", []) => format!("lower case({of})"),
        (_, "toUpperCase", []) => format!("upper case({of})"),
        (_, "intValue" | "longValue" | "doubleValue" | "booleanValue", []) => of.to_owned(),
        (_, "toString", []) => format!("string({of})"),
        (_, "get", [index]) => match index.parse::<i64>() {
            Ok(number) => format!("{of}[{}]", number.saturating_add(1)),
            Err(_) => format!("get value({of}, {index})"),
        },
        _ => {
            return Err(error(
                format!("the method {name} of {of} has no equal in FEEL; write the condition over variables"),
                rest,
            ));
        }
    })
}

/// A text contains a piece, a list an item: one word for both in Java.
fn contains(of: &str, what: &str) -> String {
    if of.starts_with('"') {
        return format!("contains({of}, {what})");
    }
    format!("(if ({of} instance of string) then contains({of}, {what}) else list contains({of}, {what}))")
}

/// Flowable's functions of variables.
fn variable_function(name: &str, arguments: &[String], rest: &str) -> Result<String, TranslateError> {
    let variable = |at: usize| unquoted(arguments.get(at).map_or("", String::as_str), rest);
    let compared = |sign: &str, with: &str| Ok(format!("({} {sign} {with})", variable(0)?));
    match (name, arguments) {
        ("get", [_]) => variable(0),
        ("getOrDefault", [_, otherwise]) => {
            let name = variable(0)?;
            Ok(format!("(if {name} = null then {otherwise} else {name})"))
        }
        ("exists" | "exist", [_]) => compared("!=", "null"),
        ("isEmpty" | "empty", [_]) => {
            let name = variable(0)?;
            Ok(format!("list contains([null, \"\", []], {name})"))
        }
        ("isNotEmpty" | "notEmpty", [_]) => {
            let name = variable(0)?;
            Ok(format!("not(list contains([null, \"\", []], {name}))"))
        }
        ("equals" | "eq", [_, what]) => compared("=", what),
        ("notEquals" | "ne", [_, what]) => compared("!=", what),
        ("lowerThan" | "lessThan" | "lt", [_, what]) => compared("<", what),
        ("lowerThanOrEquals" | "lessThanOrEquals" | "lte", [_, what]) => compared("<=", what),
        ("greaterThan" | "gt", [_, what]) => compared(">", what),
        ("greaterThanOrEquals" | "gte", [_, what]) => compared(">=", what),
        ("contains", [_, what]) => Ok(contains(&variable(0)?, what)),
        ("containsAny", [_, first, others @ ..]) => {
            let name = variable(0)?;
            let any: Vec<String> = std::iter::once(first)
                .chain(others)
                .map(|what| contains(&name, what))
                .collect();
            Ok(format!("({})", any.join(" or ")))
        }
        _ => Err(error(format!("the function {name} has no equal in FEEL"), rest)),
    }
}

/// A variable's name, written plainly or as a text.
fn unquoted(name: &str, rest: &str) -> Result<String, TranslateError> {
    let plain = name.trim_matches('"');
    let is_name = plain.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && plain.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    if is_name {
        return Ok(plain.to_owned());
    }
    Err(error(format!("{name} is no name of a variable"), rest))
}
