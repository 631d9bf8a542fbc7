//! Expressions and texts that may hold some: `${…}` becomes FEEL, and it is noted what became of it.

use super::Compiler;
use crate::{
    bpmn::source::{Xml, attr, id, label, text},
    expression::{Expression, translate},
    model::{Text, Translation},
};

/// The language that an expression is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    /// FEEL, whether or not it says so.
    Feel,
    /// `${…}` of the engines' dialects.
    Juel,
    /// One that is not understood here.
    Other,
}

/// A piece of a text: as written, or to be computed.
enum Piece<'t> {
    Plain(&'t str),
    Computed(&'t str),
}

impl<'a> Compiler<'_, 'a> {
    /// The expression that an element holds (`conditionExpression`, `completionCondition`, …).
    pub(super) fn formal(&mut self, node: Xml<'a>) -> Option<Expression> {
        let body = text(node);
        if body.is_empty() {
            return None;
        }
        match Self::language(node) {
            Language::Other if !self.options.foreign_scripts => {
                let language = attr(node, "language").unwrap_or_default();
                self.error(
                    "expression-language",
                    node,
                    format!("Expressions in {language} are not run; write this one in FEEL."),
                    format!("不运行 {language} 表达式;请改用 FEEL 书写。"),
                );
                None
            }
            Language::Feel => self.expression(node, &body),
            Language::Juel | Language::Other => self.translated(node, &body, unwrapped(&body).unwrap_or(&body)),
        }
    }

    fn language(node: Xml<'a>) -> Language {
        // The standard's own default for a whole file is XPath; no tool means it, so only what an expression says counts.
        let Some(said) = attr(node, "language") else {
            return Language::Feel;
        };
        let said = said.to_ascii_lowercase();
        if said.contains("feel") {
            Language::Feel
        } else if said.contains("juel") || said.ends_with("java") {
            Language::Juel
        } else {
            Language::Other
        }
    }

    /// An expression as it is written in an attribute or a text: `${…}`, `=feel` or FEEL.
    pub(super) fn expression(&mut self, at: Xml<'a>, written: &str) -> Option<Expression> {
        let written = written.trim();
        if let Some(body) = unwrapped(written) {
            return self.translated(at, written, body);
        }
        if written.contains("${") || written.contains("#{") {
            return match self.text_value(at, written)? {
                Text::Computed(expression) => Some(expression),
                Text::Plain(plain) => self.compiled(at, &quoted(&plain)),
            };
        }
        if self.options.foreign_scripts
            && let Ok(feel) = translate::juel_to_feel(written)
        {
            self.note(at, written, &feel);
            return self.compiled(at, &feel);
        }
        self.compiled(at, written.strip_prefix('=').unwrap_or(written))
    }

    /// A text that may hold `${…}`.
    pub(super) fn text_value(&mut self, at: Xml<'a>, written: &str) -> Option<Text> {
        let written = written.trim();
        if let Some(feel) = written.strip_prefix('=') {
            return self.compiled(at, feel).map(Text::Computed);
        }
        if !written.contains("${") && !written.contains("#{") {
            return Some(Text::Plain(written.into()));
        }
        if written.len() > translate::MAX_SOURCE_BYTES {
            self.error(
                "expression-not-translated",
                at,
                format!(
                    "A text with expressions in it may have {} bytes; this one is longer. Put it together from variables.",
                    translate::MAX_SOURCE_BYTES
                ),
                format!("含表达式的文本不得超过 {} 字节;请改用变量拼接。", translate::MAX_SOURCE_BYTES),
            );
            return None;
        }
        if let Some(body) = unwrapped(written) {
            return self.translated(at, written, body).map(Text::Computed);
        }
        let mut parts = Vec::new();
        for piece in pieces(written) {
            match piece {
                Piece::Plain(plain) => parts.push(quoted(plain)),
                Piece::Computed(body) => parts.push(format!("string({})", self.feel_of(at, written, body)?)),
            }
        }
        let feel = parts.join(" + ");
        self.note(at, written, &feel);
        self.compiled(at, &feel).map(Text::Computed)
    }

    /// A variable of this name, as an expression.
    pub(super) fn variable(&mut self, at: Xml<'a>, name: &str) -> Option<Expression> {
        self.compiled(at, name)
    }

    fn translated(&mut self, at: Xml<'a>, written: &str, body: &str) -> Option<Expression> {
        let feel = self.feel_of(at, written, body)?;
        self.note(at, written, &feel);
        self.compiled(at, &feel)
    }

    fn feel_of(&mut self, at: Xml<'a>, written: &str, body: &str) -> Option<String> {
        match translate::juel_to_feel(body) {
            Ok(feel) => Some(feel),
            Err(why) => {
                self.error(
                    "expression-not-translated",
                    at,
                    format!("\"{written}\" cannot be put into FEEL: {why}. Write it in FEEL."),
                    format!("“{written}”无法转换为 FEEL:{why}。请直接用 FEEL 书写。"),
                );
                None
            }
        }
    }

    fn note(&mut self, at: Xml<'a>, written: &str, feel: &str) {
        if written == feel {
            return;
        }
        let element = at.ancestors().find_map(id).map_or_else(|| label(at), str::to_owned);
        self.translations.push(Translation {
            element,
            place: self.source.place(at),
            source: written.to_owned(),
            feel: feel.to_owned(),
        });
    }

    /// Reads an expression in FEEL.
    pub(super) fn compiled(&mut self, at: Xml<'a>, feel: &str) -> Option<Expression> {
        match Expression::compile(feel) {
            Ok(expression) => Some(expression),
            Err(why) => {
                self.error(
                    "expression-invalid",
                    at,
                    format!("The expression \"{feel}\" is not accepted: {}.", why.reason),
                    format!("表达式“{feel}”不被接受:{}。", why.reason),
                );
                None
            }
        }
    }
}

/// A text as a FEEL literal.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// What stands in a text that is one `${…}` from end to end.
fn unwrapped(written: &str) -> Option<&str> {
    let mut pieces = pieces(written).into_iter();
    match (pieces.next(), pieces.next()) {
        (Some(Piece::Computed(body)), None) => Some(body.trim()),
        _ => None,
    }
}

fn pieces(written: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = written;
    while let Some(open) = rest.find("${").into_iter().chain(rest.find("#{")).min() {
        let Some(length) = closing(&rest[open + 2..]) else { break };
        if open > 0 {
            pieces.push(Piece::Plain(&rest[..open]));
        }
        pieces.push(Piece::Computed(&rest[open + 2..open + 2 + length]));
        rest = &rest[open + 2 + length + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Plain(rest));
    }
    pieces
}

/// Where the brace closes that was opened before this text; braces in quotes do not count.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0usize, None);
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (Some(open), char) if open == char => quote = None,
            (None, '"' | '\'') => quote = Some(char),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(at),
            (None, '}') => depth -= 1,
            _ => {}
        }
    }
    None
}
