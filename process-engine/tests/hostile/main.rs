//! Files, expressions, tables and paths that somebody made to stop the house: each is refused or stops at a limit that says
//! its name. Nothing here asks how long anything takes: a limit counts bytes, levels, steps, and would be the same on any
//! machine. Everything runs on a small stack, because a server's threads have no large ones.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::format_collect, reason = "models are put together piece by piece, once")]

mod corpus;
mod decisions;
mod expressions;
mod mutants;
mod running;
mod times;
mod xml;

use std::{collections::BTreeMap, fmt::Write as _, thread};

use process_engine::{
    bpmn::{self, ReadOptions},
    expression::Expression,
};
use serde_json::Value;

/// Half of what a thread of the server has; debug builds take several times the stack of release builds.
const STACK_BYTES: usize = 1024 * 1024;

/// Does something on a small stack. An overflow would end the whole test program, whoever catches panics.
fn on_a_small_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let running = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        running
            .unwrap()
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The rules that a BPMN file offends; empty, if it is read.
fn offended(bytes: &[u8]) -> Vec<String> {
    on_a_small_stack(|| match bpmn::read(bytes, &ReadOptions::default()) {
        Ok(_) => Vec::new(),
        Err(rejected) => rejected.findings.iter().map(|finding| finding.rule.to_owned()).collect(),
    })
}

/// What is said of an expression: why it is refused, or what it gives.
fn said_of(feel: &str, variables: &BTreeMap<String, Value>) -> String {
    on_a_small_stack(|| match Expression::compile(feel) {
        Err(error) => error.to_string(),
        Ok(expression) => match expression.evaluate(variables) {
            Err(error) => error.to_string(),
            Ok(value) => value.to_string(),
        },
    })
}

/// A BPMN file with this at its root.
fn file(content: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:zhulu="http://zhulu.cn/bpmn" xmlns:flowable="http://flowable.org/bpmn" id="file" targetNamespace="t">
{content}
</definitions>"#
    )
}

/// A file with an executable process `p`.
fn process(content: &str) -> String {
    file(&format!("<process id=\"p\" isExecutable=\"true\">{content}</process>"))
}

/// Flows from each to the next.
fn flows(chain: &[&str]) -> String {
    chain.windows(2).fold(String::new(), |mut text, pair| {
        let (from, to) = (pair[0], pair[1]);
        let _ = write!(
            text,
            r#"<sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}"/>"#
        );
        text
    })
}

/// A process from `s` through one node `a` to `e`.
fn around(node: &str) -> String {
    let flows = flows(&["s", "a", "e"]);
    process(&format!(r#"<startEvent id="s"/>{node}<endEvent id="e"/>{flows}"#))
}
