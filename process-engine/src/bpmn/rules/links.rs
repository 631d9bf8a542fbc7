//! Links: what leaves here arrives there.

use std::collections::HashMap;

use super::events::definitions;
use crate::bpmn::{
    report::Report,
    source::{Xml, attr, kid_text, kids_of, label, level, name, text},
};

/// The definitions of links with their events, throwing or catching.
fn ends<'a>(report: &Report<'_, 'a>, kind: &str) -> Vec<(Xml<'a>, Xml<'a>)> {
    let mut links = definitions(report, "linkEventDefinition");
    links.retain(|(event, _)| name(*event) == kind);
    links
}

/// Each link that leaves arrives on its own level at one event of its name, and each arrival has something that leaves.
pub(super) fn pairs(report: &mut Report<'_, '_>) {
    let (leaving, arriving) = (ends(report, "intermediateThrowEvent"), ends(report, "intermediateCatchEvent"));
    let mut seen = HashMap::new();
    for (event, definition) in &arriving {
        let place = (level(*event).map(|level| level.id()), attr(*definition, "name"));
        if seen.insert(place, *event).is_some() {
            report.error(
                *event,
                format!(
                    "{} is not the only one where the link of its name arrives on this level.",
                    label(*event)
                ),
                format!("同一层级中有多个同名链接到达 {}。", label(*event)),
            );
        }
    }
    for (event, definition) in &leaving {
        let target = kid_text(*definition, "target");
        let arrives = |(other, link): &(Xml<'_>, Xml<'_>)| {
            let by_reference = target.as_deref().is_some_and(|target| attr(*link, "id") == Some(target));
            let meant = by_reference || attr(*link, "name") == attr(*definition, "name");
            meant && level(*other).map(|level| level.id()) == level(*event).map(|level| level.id())
        };
        if !arriving.iter().any(arrives) {
            report.error(
                *event,
                format!("The link of {} arrives nowhere on this level.", label(*event)),
                format!("{} 的链接在同一层级没有对应的到达事件。", label(*event)),
            );
        }
    }
    for (event, definition) in &arriving {
        let own = attr(*definition, "id");
        let sources: Vec<String> = kids_of(*definition, "source").map(text).collect();
        let leaves = |(other, link): &(Xml<'_>, Xml<'_>)| {
            let by_reference = kid_text(*link, "target").is_some_and(|target| Some(target.as_str()) == own)
                || attr(*link, "id").is_some_and(|id| sources.iter().any(|source| source == id));
            let meant = by_reference || attr(*link, "name") == attr(*definition, "name");
            meant && level(*other).map(|level| level.id()) == level(*event).map(|level| level.id())
        };
        if !leaving.iter().any(leaves) {
            report.error(
                *event,
                format!("Nothing on this level leaves for the link of {}.", label(*event)),
                format!("同一层级没有事件链接到 {}。", label(*event)),
            );
        }
    }
}

/// No flow leads to where a link arrives, none away from where it leaves.
pub(super) fn flows(report: &mut Report<'_, '_>) {
    for (event, _) in ends(report, "intermediateCatchEvent") {
        for flow in report.source.incoming(event) {
            report.error(
                flow,
                format!(
                    "{} leads to {}, where a link arrives; nothing else may.",
                    label(flow),
                    label(event)
                ),
                format!("{} 指向链接到达事件 {},这是不允许的。", label(flow), label(event)),
            );
        }
    }
    for (event, _) in ends(report, "intermediateThrowEvent") {
        for flow in report.source.outgoing(event) {
            report.error(
                flow,
                format!("{} leads away from {}, which leaves by a link.", label(flow), label(event)),
                format!("{} 从链接离开事件 {} 流出,这是不允许的。", label(flow), label(event)),
            );
        }
    }
}
