//! Stories of instances: a model, what is asked of it, and where it stands then. After every command a replay of the
//! stored events must come to the same state; the player asks for that.

#![allow(clippy::unwrap_used, reason = "a story that fails may panic")]

mod changing;
mod gateways;
mod migrating;
mod property;
mod rounds;
mod scopes;
mod work;

use std::{fmt::Write, sync::Arc};

use serde_json::Value;

use super::{Bindings, Outcome};
use crate::{
    bpmn,
    testing::{Player, World},
};

/// A process `p` with these nodes and the flows of these chains (`start ask end`), each called by its two ends.
fn process(nodes: &str, chains: &[&str]) -> String {
    process_called("p", nodes, chains)
}

fn process_called(id: &str, nodes: &str, chains: &[&str]) -> String {
    format!(r#"<process id="{id}" isExecutable="true">{nodes}{}</process>"#, flows(chains))
}

fn flows(chains: &[&str]) -> String {
    let mut text = String::new();
    for chain in chains {
        let ids: Vec<&str> = chain.split(' ').collect();
        for pair in ids.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let _ = write!(
                text,
                r#"<sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}"/>"#
            );
        }
    }
    text
}

/// A flow with a condition.
fn flow_if(from: &str, to: &str, condition: &str) -> String {
    format!(
        r#"<sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}"><conditionExpression>{condition}</conditionExpression></sequenceFlow>"#
    )
}

fn read(content: &str) -> crate::model::Definitions {
    let xml = format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zhulu="http://zhulu.cn/bpmn"
            xmlns:flowable="http://flowable.org/bpmn" id="d" targetNamespace="t">{content}</definitions>"#
    );
    let read = bpmn::read(xml.as_bytes(), &bpmn::ReadOptions::default());
    read.unwrap_or_else(|rejected| panic!("{rejected:#?}")).definitions
}

fn world(contents: &[&str]) -> World {
    contents
        .iter()
        .fold(World::new(), |world, content| world.with(&read(content)))
}

/// The process `p` of this model has begun.
fn begun(content: &str, variables: &[(&str, Value)]) -> Player {
    begun_in(world(&[content]), variables)
}

fn begun_in(world: World, variables: &[(&str, Value)]) -> Player {
    let mut player = Player::new(&Arc::new(world));
    player.start("p", bindings(variables)).unwrap();
    player
}

fn bindings(variables: &[(&str, Value)]) -> Bindings {
    variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

/// The oldest task of an element is approved.
fn approve(player: &mut Player, element: &str) {
    if let Err(cause) = player.complete(element, Outcome::Approved, Bindings::new()) {
        panic!("{cause}\n{}", player.story());
    }
}

/// The one thing that must be repaired, as the sentence that says so.
fn incident(player: &Player) -> (u64, String) {
    let all: Vec<_> = player.state().incidents.iter().collect();
    match all.as_slice() {
        [(key, incident)] => (**key, incident.message.clone()),
        _ => panic!("one incident was expected\n{}", player.story()),
    }
}

fn has_ended(player: &Player) -> bool {
    player.state().ended.is_some()
}
