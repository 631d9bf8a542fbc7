//! What events wait for, catch and throw, told as stories. Models are small BPMN files; the player replays every step.

mod compensation;
mod conditions;
mod errors;
mod messages;
mod moments;
mod pauses;
mod runs;
mod scopes;
mod starts;
mod timers;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    bpmn,
    instance::{Bindings, Event, Outcome, StartedBy},
    testing::{Player, World},
};

/// What all of these models may name.
const DECLARED: &str = r#"
    <message id="message-m1" name="m1"/><message id="message-m2" name="m2"/><message id="message-m3" name="m3"/>
    <signal id="signal-s1" name="s1"/><signal id="signal-s2" name="s2"/>
    <error id="error-e1" name="e1" errorCode="E1"/><error id="error-e2" name="e2" errorCode="E2"/>
    <escalation id="escalation-c1" name="c1" escalationCode="C1"/><escalation id="escalation-c2" name="c2" escalationCode="C2"/>
"#;

/// Flows from each to the next: `s > a > e`.
fn flows(lines: &[&str]) -> String {
    let flow = |pair: &[&str]| {
        let (from, to) = (pair[0], pair[1]);
        format!(r#"<sequenceFlow id="{from}_{to}" sourceRef="{from}" targetRef="{to}"/>"#)
    };
    let mut all = Vec::new();
    for line in lines {
        let nodes: Vec<&str> = line.split('>').map(str::trim).collect();
        all.extend(nodes.windows(2).map(flow));
    }
    all.concat()
}

/// Work for Li.
fn task(id: &str) -> String {
    format!(r#"<userTask id="{id}" name="{id}" flowable:assignee="li"/>"#)
}

fn start(id: &str) -> String {
    format!(r#"<startEvent id="{id}"/>"#)
}

fn end(id: &str) -> String {
    format!(r#"<endEvent id="{id}"/>"#)
}

/// `name` may carry attributes: `boundaryEvent attachedToRef="a"`.
fn event(name: &str, id: &str, inside: &str) -> String {
    let tag = name.split(' ').next().unwrap();
    format!(r#"<{name} id="{id}">{inside}</{tag}>"#)
}

fn timer(kind: &str, written: &str) -> String {
    format!("<timerEventDefinition><{kind}>{written}</{kind}></timerEventDefinition>")
}

fn message(name: &str) -> String {
    format!(r#"<messageEventDefinition messageRef="message-{name}"/>"#)
}

fn signal(name: &str) -> String {
    format!(r#"<signalEventDefinition signalRef="signal-{name}"/>"#)
}

fn error(name: &str) -> String {
    match name {
        "" => "<errorEventDefinition/>".to_owned(),
        name => format!(r#"<errorEventDefinition errorRef="error-{name}"/>"#),
    }
}

fn escalation(name: &str) -> String {
    match name {
        "" => "<escalationEventDefinition/>".to_owned(),
        name => format!(r#"<escalationEventDefinition escalationRef="escalation-{name}"/>"#),
    }
}

fn condition(feel: &str) -> String {
    format!(
        r#"<conditionalEventDefinition><condition xsi:type="tFormalExpression">{feel}</condition></conditionalEventDefinition>"#
    )
}

/// `name` may carry attributes: `subProcess triggeredByEvent="true"`.
fn inside(name: &str, id: &str, parts: &[String]) -> String {
    event(name, id, &parts.concat())
}

fn script(id: &str, feel: &str, variable: &str) -> String {
    format!(
        r#"<scriptTask id="{id}" scriptFormat="feel" flowable:resultVariable="{variable}"><script>{feel}</script></scriptTask>"#
    )
}

/// A process of this id.
fn process(id: &str, parts: &[String]) -> String {
    event(r#"process isExecutable="true""#, id, &parts.concat())
}

fn file(parts: &[String]) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xmlns:flowable="http://flowable.org/bpmn" xmlns:zhulu="http://zhulu.cn/bpmn" id="model" targetNamespace="http://zhulu.cn/test">
{DECLARED}{}</definitions>"#,
        parts.concat()
    )
}

fn world(parts: &[String]) -> World {
    let text = file(parts);
    match bpmn::read(text.as_bytes(), &bpmn::ReadOptions::default()) {
        Ok(read) => World::new().with(&read.definitions),
        Err(refused) => panic!("{:#?}\n{text}", refused.findings),
    }
}

/// The process of these parts, started in this world by Li.
fn started_in(world: World, variables: &[(&str, Value)]) -> Player {
    let mut player = Player::new(&Arc::new(world));
    player.be("li").start("p", bindings(variables)).unwrap();
    player
}

fn started(parts: &[String]) -> Player {
    started_with(parts, &[])
}

fn started_with(parts: &[String], variables: &[(&str, Value)]) -> Player {
    started_in(world(&[process("p", parts)]), variables)
}

fn started_by(parts: &[String], by: StartedBy) -> Player {
    let mut player = Player::new(&Arc::new(world(&[process("p", parts)])));
    player.start_by("p", bindings(&[("came", json!(1))]), by).unwrap();
    player
}

fn bindings(variables: &[(&str, Value)]) -> Bindings {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    variables.collect()
}

fn done(player: &mut Player, element: &str) {
    player.complete(element, Outcome::Approved, Bindings::new()).unwrap();
}

/// Li does the work and says this.
fn done_with(player: &mut Player, element: &str, form: &[(&str, Value)]) {
    player.complete(element, Outcome::Approved, bindings(form)).unwrap();
}

/// Where Li has work, in order.
fn open(player: &Player) -> Vec<&str> {
    let mut open: Vec<&str> = player.state().tasks.values().map(|task| &*task.element).collect();
    open.sort_unstable();
    open
}

fn is_over(player: &Player) -> bool {
    player.state().ended.is_some()
}

/// The elements that began, in order, of those that are named with this first letter.
fn began(player: &Player, letter: char) -> Vec<&str> {
    let entered = player.events().iter().filter_map(|event| match event {
        Event::ElementEntered { element, .. } => Some(&**element),
        _ => None,
    });
    entered.filter(|element| element.starts_with(letter)).collect()
}
