//! The data that events carry: in the number and order of what they are about.

use super::io::structure;
use crate::bpmn::{
    report::Report,
    source::{Source, Xml, attr, id, is_catch, is_event, kids_of, label, name},
};

/// The item that an event definition carries, if it carries any.
fn carried<'a>(source: &Source<'a>, definition: Xml<'a>) -> Option<&'a str> {
    let (reference, item) = match name(definition) {
        "messageEventDefinition" => ("messageRef", "itemRef"),
        "signalEventDefinition" => ("signalRef", "structureRef"),
        "errorEventDefinition" => ("errorRef", "structureRef"),
        "escalationEventDefinition" => ("escalationRef", "structureRef"),
        _ => return None,
    };
    let about = attr(definition, reference).and_then(|reference| source.referred(reference))?;
    let item = attr(about, item).and_then(|item| source.referred(item))?;
    attr(item, "structureRef").or_else(|| id(item))
}

/// The data of an event, and the items of its definitions.
fn both<'a>(report: &Report<'_, 'a>, event: Xml<'a>) -> (Vec<Xml<'a>>, Vec<&'a str>) {
    let data = if is_catch(event) { "dataOutput" } else { "dataInput" };
    let definitions = report.source.event_definitions(event);
    let items = definitions
        .into_iter()
        .filter_map(|definition| carried(report.source, definition));
    (kids_of(event, data).collect(), items.collect())
}

/// An event with data has one for each thing that carries any.
pub(super) fn counts(report: &mut Report<'_, '_>) {
    for event in report.source.elements().filter(|node| is_event(*node)) {
        let (data, items) = both(report, event);
        if !data.is_empty() && !items.is_empty() && data.len() != items.len() {
            report.strict(
                event,
                format!(
                    "{} has {} data items for {} things that carry data.",
                    label(event),
                    data.len(),
                    items.len()
                ),
                format!(
                    "{} 有 {} 个数据项,却有 {} 个携带数据的事件定义。",
                    label(event),
                    data.len(),
                    items.len()
                ),
            );
        }
    }
}

/// Each of them is of the kind that is carried.
pub(super) fn items(report: &mut Report<'_, '_>) {
    for event in report.source.elements().filter(|node| is_event(*node)) {
        let (data, items) = both(report, event);
        for (data, item) in data.into_iter().zip(items) {
            if structure(report.source, data) != Some(item) {
                report.strict(
                    data,
                    format!("{} is not of the item definition that {} carries.", label(data), label(event)),
                    format!("{} 与 {} 携带的数据项定义不一致。", label(data), label(event)),
                );
            }
        }
    }
}
