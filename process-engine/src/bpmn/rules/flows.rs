//! Sequence flows and lanes.

use std::collections::HashSet;

use crate::bpmn::{
    report::Report,
    source::{
        Xml, attr, flag, id, is_event, is_executable, is_flow_node, kid, kids_of, label, level, local, name, process_of, text,
    },
};

/// A node lists the flows that lead to it and away from it, and only those.
///
/// A file in which no node lists any uses the short form that many tools write; then the flows alone count.
pub(super) fn listed(report: &mut Report<'_, '_>) {
    let nodes = || report.source.elements().filter(|node| is_flow_node(*node));
    let lists = |node: Xml<'_>| kid(node, "incoming").is_some() || kid(node, "outgoing").is_some();
    if !nodes().any(lists) {
        return;
    }
    for node in nodes() {
        for (list, flows) in [
            ("incoming", report.source.incoming(node)),
            ("outgoing", report.source.outgoing(node)),
        ] {
            compare(report, node, list, &flows);
        }
    }
}

fn compare<'a>(report: &mut Report<'_, 'a>, node: Xml<'a>, list: &'a str, flows: &[Xml<'a>]) {
    let real: HashSet<&str> = flows.iter().filter_map(|flow| id(*flow)).collect();
    let written: Vec<(Xml<'a>, String)> = kids_of(node, list).map(|entry| (entry, text(entry))).collect();
    for (entry, flow) in &written {
        if !real.contains(local(flow)) {
            let end = if list == "incoming" { "targetRef" } else { "sourceRef" };
            report.strict(
                *entry,
                format!("{} lists the {list} flow {flow}, whose {end} does not name it.", label(node)),
                format!("{} 的 {list} 列出了 {flow},但该顺序流的 {end} 并未指向它。", label(node)),
            );
        }
    }
    for flow in flows {
        let Some(id) = id(*flow) else { continue };
        if !written.iter().any(|(_, one)| local(one) == id) {
            report.strict(
                node,
                format!(
                    "{} does not list the flow {id} under {list}, though the flow names it.",
                    label(node)
                ),
                format!("顺序流 {id} 指向 {},但其 {list} 中未列出。", label(node)),
            );
        }
    }
}

/// A flow stays within its process and its level.
pub(super) fn within_a_level(report: &mut Report<'_, '_>) {
    for flow in report.source.named("sequenceFlow") {
        let end = |which| {
            attr(flow, which)
                .and_then(|end| report.source.referred(end))
                .filter(|end| is_flow_node(*end))
        };
        let (Some(from), Some(to)) = (end("sourceRef"), end("targetRef")) else {
            continue;
        };
        let same = |one: Option<Xml<'_>>, other: Option<Xml<'_>>| one.map(|node| node.id()) == other.map(|node| node.id());
        if !same(process_of(from), process_of(to)) {
            report.error(
                flow,
                format!(
                    "{} leads out of its process; between processes only message flows lead.",
                    label(flow)
                ),
                format!("{} 跨越了流程;流程之间只能用消息流。", label(flow)),
            );
        } else if !same(level(from), level(to)) {
            report.error(
                flow,
                format!(
                    "{} crosses the border of a sub-process; connect the sub-process itself.",
                    label(flow)
                ),
                format!("{} 跨越了子流程边界;请连接子流程本身。", label(flow)),
            );
        } else if !same(level(from), level(flow)) {
            report.error(
                flow,
                format!("{} stands on another level than the nodes that it connects.", label(flow)),
                format!("{} 与其所连接的节点不在同一层级。", label(flow)),
            );
        }
    }
}

fn source_of<'a>(report: &Report<'_, 'a>, flow: Xml<'a>) -> Option<Xml<'a>> {
    attr(flow, "sourceRef").and_then(|source| report.source.referred(source))
}

/// Conditions stand on flows from activities and from exclusive, inclusive and complex gateways.
pub(super) fn condition_sources(report: &mut Report<'_, '_>) {
    for flow in report
        .source
        .named("sequenceFlow")
        .filter(|flow| kid(*flow, "conditionExpression").is_some())
    {
        let Some(source) = source_of(report, flow) else { continue };
        let is_not_looked_at = name(source) == "parallelGateway" && !report.options.by_the_letter;
        let never = is_not_looked_at || name(source) == "eventBasedGateway" || is_event(source);
        if never {
            report.error(
                flow,
                format!(
                    "{} has a condition, but flows from a {} have none; put an exclusive gateway between.",
                    label(flow),
                    name(source)
                ),
                format!(
                    "{} 带有条件,但 {} 的流出不能带条件;请在中间加排他网关。",
                    label(flow),
                    name(source)
                ),
            );
        }
    }
}

/// A flow with a condition is not the only one: what would happen if the condition did not hold?
pub(super) fn conditions_have_alternatives(report: &mut Report<'_, '_>) {
    for flow in report
        .source
        .named("sequenceFlow")
        .filter(|flow| kid(*flow, "conditionExpression").is_some())
    {
        let Some(source) = source_of(report, flow) else { continue };
        if report.source.outgoing(source).len() == 1 {
            report.strict(
                flow,
                format!(
                    "{} has a condition, but {} has no other way out; add one or drop the condition.",
                    label(flow),
                    label(source)
                ),
                format!(
                    "{} 带有条件,但 {} 没有其他出口;请增加出口或去掉条件。",
                    label(flow),
                    label(source)
                ),
            );
        }
    }
}

/// A default flow is one of the node's own outgoing flows.
pub(super) fn defaults(report: &mut Report<'_, '_>) {
    for node in report.source.elements().filter(|node| is_flow_node(*node)) {
        let Some(default) = attr(node, "default") else { continue };
        let own = report
            .source
            .outgoing(node)
            .iter()
            .any(|flow| id(*flow) == Some(local(default)));
        if !own {
            report.error(
                node,
                format!("The default flow {default} of {} does not lead away from it.", label(node)),
                format!("{} 的默认流 {default} 不是由它流出的。", label(node)),
            );
        }
    }
}

/// A condition on a default flow is never asked.
pub(super) fn defaults_have_no_condition(report: &mut Report<'_, '_>) {
    for node in report.source.elements().filter(|node| is_flow_node(*node)) {
        let default = attr(node, "default").and_then(|flow| report.source.referred(flow));
        if let Some(flow) = default.filter(|flow| kid(*flow, "conditionExpression").is_some()) {
            report.strict(
                flow,
                format!(
                    "{} is the default of {}; its condition is never asked. Remove it.",
                    label(flow),
                    label(node)
                ),
                format!("{} 是 {} 的默认流,其条件永远不会被求值,请删除。", label(flow), label(node)),
            );
        }
    }
    for gateway in report
        .source
        .elements()
        .filter(|node| matches!(name(*node), "exclusiveGateway" | "inclusiveGateway"))
    {
        let flows = report.source.outgoing(gateway);
        let default = attr(gateway, "default").map(local);
        let bare = |flow: &&Xml<'_>| kid(**flow, "conditionExpression").is_none() && id(**flow) != default;
        if let Some(flow) = flows.iter().find(bare).filter(|_| flows.len() > 1) {
            report.warning(
                *flow,
                format!(
                    "{} leads away from {} without a condition and counts as always true.",
                    label(*flow),
                    label(gateway)
                ),
                format!("{} 从 {} 流出但无条件,视为恒真。", label(*flow), label(gateway)),
            );
        }
    }
}

/// In an executable process nothing happens between two nodes that the model does not show.
pub(super) fn immediate(report: &mut Report<'_, '_>) {
    for flow in report.source.named("sequenceFlow").filter(|flow| is_executable(*flow)) {
        if !flag(flow, "isImmediate", true) {
            report.error(
                flow,
                format!("{} may not have isImmediate=\"false\" in an executable process.", label(flow)),
                format!("可执行流程中 {} 的 isImmediate 不能为 false。", label(flow)),
            );
        }
    }
}

/// A lane holds nodes of its own process.
pub(super) fn lanes(report: &mut Report<'_, '_>) {
    for entry in report.source.named("flowNodeRef") {
        let Some(node) = report.source.referred(&text(entry)).filter(|node| is_flow_node(*node)) else {
            continue;
        };
        if process_of(node).map(|process| process.id()) != process_of(entry).map(|process| process.id()) {
            report.error(
                entry,
                format!("The lane holds {}, which is of another process.", label(node)),
                format!("泳道包含了其他流程的 {}。", label(node)),
            );
        }
    }
}
