//! Models are read as they mean, and refused where they mean nothing.

mod approvals;
mod dialects;
mod refused;
mod rules_of_data;
mod rules_of_events;
mod rules_of_files;
mod rules_of_flows;
mod shapes;
mod sound;

use super::{Finding, Read, ReadOptions, Severity, check, read};
use crate::model::{Node, Place, Process, Task, UserTask, Work};

/// Where the finding is expected; it is taken out of the model.
const HERE: &str = "@@";

/// A file in plain BPMN, held to the letter of the standard.
fn standard(content: &str) -> String {
    file("", content)
}

/// A file that speaks dialects.
fn dialect(content: &str) -> String {
    file(
        r#" xmlns:flowable="http://flowable.org/bpmn" xmlns:activiti="http://activiti.org/bpmn" xmlns:zhulu="http://zhulu.cn/bpmn""#,
        content,
    )
}

fn file(namespaces: &str, content: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"{namespaces} id="file" targetNamespace="t">
{content}
</definitions>"#
    )
}

/// An executable process with this in it.
fn process(content: &str) -> String {
    format!("<process id=\"p\" isExecutable=\"true\">\n{content}\n</process>")
}

/// Flows from each to the next, with ids such as `a-b`.
fn flows(chains: &[&str]) -> String {
    let pair = |pair: &[&str]| {
        format!(
            r#"<sequenceFlow id="{0}-{1}" sourceRef="{0}" targetRef="{1}"/>"#,
            pair[0], pair[1]
        )
    };
    let chain = |chain: &&str| chain.split(' ').collect::<Vec<_>>().windows(2).map(pair).collect::<String>();
    chains.iter().map(chain).collect()
}

/// A process that starts at `s`, goes through this node `a` and ends at `e`.
fn around(node: &str) -> String {
    process(&format!(
        r#"<startEvent id="s"/>{node}<endEvent id="e"/>{}"#,
        flows(&["s a e"])
    ))
}

fn accepted(xml: &str) -> Read {
    read(xml.as_bytes(), &ReadOptions::default()).unwrap_or_else(|rejected| panic!("{rejected:#?}\n{xml}"))
}

fn the_process(xml: &str) -> std::sync::Arc<Process> {
    accepted(xml).definitions.processes[0].clone()
}

fn the_node<'p>(process: &'p Process, id: &str) -> &'p Node {
    process.node(process.find(id).unwrap())
}

fn user<'p>(process: &'p Process, id: &str) -> &'p UserTask {
    match &the_node(process, id).kind {
        crate::model::NodeKind::Task(Task { work: Work::User(user) }) => user,
        other => panic!("{other:?}"),
    }
}

/// Takes the mark out of a model and tells where it stood.
fn marked(xml: &str) -> (String, Place) {
    let at = xml.find(HERE).unwrap_or_else(|| panic!("no mark in {xml}"));
    let line = xml[..at].split('\n').count();
    let column = xml[..at].rsplit('\n').next().unwrap().chars().count() + 1;
    let place = Place {
        line: u32::try_from(line).unwrap(),
        column: u32::try_from(column).unwrap(),
    };
    (xml.replacen(HERE, "", 1), place)
}

/// A rule is offended where the mark stands.
fn offends(rule: &str, xml: &str) -> Finding {
    let (xml, place) = marked(xml);
    let findings = check(xml.as_bytes(), &ReadOptions::default());
    let found = findings.iter().find(|finding| finding.rule == rule && finding.place == place);
    found
        .cloned()
        .unwrap_or_else(|| panic!("{rule} at {place:?} is not among {findings:#?}\n{xml}"))
}

/// Each of these models is refused by the rule, where its mark stands.
fn refused(cases: &[(&str, String)]) {
    for (rule, xml) in cases {
        let finding = offends(rule, xml);
        assert_eq!(finding.severity, Severity::Error, "{rule}: {finding}");
        assert!(!finding.message_zh.is_empty() && finding.message.ends_with('.'), "{finding}");
    }
}
