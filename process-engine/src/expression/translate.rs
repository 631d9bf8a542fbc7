//! Expressions of Flowable's models (`${…}`, JUEL) in FEEL: what has an equal there, and nothing else.

use super::shortened;

/// The longest expression that is translated.
const MAX_SOURCE_BYTES: usize = 2_048;
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

/// What stands in a model, in FEEL: `${…}` translated, anything else as it is.
pub fn feel_of(source: &str) -> Result<String, TranslateError> {
    let trimmed = source.trim();
    match braced(trimmed) {
        Some(inner) => juel_to_feel(inner),
        None if trimmed.contains("${") || trimmed.contains("#{") => text_to_feel(trimmed),
        None => Ok(trimmed.strip_prefix('=').unwrap_or(trimmed).trim().to_owned()),
    }
}

/// The inside of an expression that is nothing else than `${…}`.
fn braced(source: &str) -> Option<&str> {
    let inner = source
        .strip_prefix("${")
        .or_else(|| source.strip_prefix("#{"))?
        .strip_suffix('}')?;
    (!inner.contains("${") && !inner.contains("#{")).then_some(inner)
}

/// A text with expressions in it, as a concatenation.
fn text_to_feel(source: &str) -> Result<String, TranslateError> {
    let mut parts = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find("${").or_else(|| rest.find("#{")) {
        if at > 0 {
            parts.push(quoted(&rest[..at]));
        }
        let Some(end) = rest[at..].find('}') else {
            return Err(error("an expression does not end", &rest[at..]));
        };
        parts.push(format!("string({})", juel_to_feel(&rest[at + 2..at + end])?));
        rest = &rest[at + end + 1..];
    }
    if !rest.is_empty() {
        parts.push(quoted(rest));
    }
    Ok(parts.join(" + "))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
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
        return Ok(feel);
    }
    Err(error("this is not understood", reader.rest))
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
            format!("({of} = null or {of} = \"\" or {of} = [])")
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
                    Ok(number) => format!("{feel}[{}]", number + 1),
                    Err(_) if index.starts_with('"') => format!("get value({feel}, {index})"),
                    Err(_) => format!("{feel}[{index} + 1]"),
                };
            } else if self.sign(".") {
                let name = self
                    .name()
                    .ok_or_else(|| error("a name is needed after the point", self.rest))?;
                feel = if self.sign("(") {
                    let arguments = self.arguments()?;
                    method(&feel, name, &arguments, self.rest)?
                } else {
                    format!("{feel}.{name}")
                };
            } else {
                return Ok(feel);
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
            return variable_function(function, &arguments, from);
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

/// A method that has an equal in FEEL.
fn method(of: &str, name: &str, arguments: &[String], rest: &str) -> Result<String, TranslateError> {
    Ok(match (of, name, arguments) {
        ("execution" | "task", "getVariable" | "getVariableLocal", [name]) => unquoted(name, rest)?,
        ("execution" | "task", "hasVariable", [name]) => format!("{} != null", unquoted(name, rest)?),
        (_, "contains", [what]) => format!("contains({of}, {what})"),
        (_, "equals", [what]) => format!("{of} = {what}"),
        (_, "equalsIgnoreCase", [what]) => format!("lower case({of}) = lower case({what})"),
        (_, "startsWith", [what]) => format!("starts with({of}, {what})"),
        (_, "endsWith", [what]) => format!("ends with({of}, {what})"),
        (_, "matches", [what]) => format!("matches({of}, {what})"),
        (_, "size", []) => format!("count({of})"),
        (_, "length", []) => format!("string length({of})"),
        (_, "isEmpty", []) => format!("({of} = \"\" or {of} = [])"),
        (_, "toLowerCase", []) => format!("lower case({of})"),
        (_, "toUpperCase", []) => format!("upper case({of})"),
        (_, "intValue" | "longValue" | "doubleValue" | "booleanValue", []) => of.to_owned(),
        (_, "toString", []) => format!("string({of})"),
        (_, "get", [index]) => match index.parse::<i64>() {
            Ok(number) => format!("{of}[{}]", number + 1),
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

/// Flowable's functions of variables.
fn variable_function(name: &str, arguments: &[String], rest: &str) -> Result<String, TranslateError> {
    let variable = |at: usize| unquoted(arguments.get(at).map_or("", String::as_str), rest);
    Ok(match (name, arguments) {
        ("get", [_]) => variable(0)?,
        ("getOrDefault", [_, otherwise]) => {
            let name = variable(0)?;
            format!("if {name} = null then {otherwise} else {name}")
        }
        ("exists" | "exist", [_]) => format!("{} != null", variable(0)?),
        ("isEmpty" | "empty", [_]) => {
            let name = variable(0)?;
            format!("({name} = null or {name} = \"\" or {name} = [])")
        }
        ("isNotEmpty" | "notEmpty", [_]) => {
            let name = variable(0)?;
            format!("({name} != null and {name} != \"\" and {name} != [])")
        }
        ("equals" | "eq", [_, what]) => format!("{} = {what}", variable(0)?),
        ("notEquals" | "ne", [_, what]) => format!("{} != {what}", variable(0)?),
        ("lowerThan" | "lessThan" | "lt", [_, what]) => format!("{} < {what}", variable(0)?),
        ("lowerThanOrEquals" | "lessThanOrEquals" | "lte", [_, what]) => format!("{} <= {what}", variable(0)?),
        ("greaterThan" | "gt", [_, what]) => format!("{} > {what}", variable(0)?),
        ("greaterThanOrEquals" | "gte", [_, what]) => format!("{} >= {what}", variable(0)?),
        ("contains", [_, what]) => format!("contains({}, {what})", variable(0)?),
        _ => return Err(error(format!("the function {name} has no equal in FEEL"), rest)),
    })
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
