//! What holds data, and the associations between.

use super::io::structure;
use crate::bpmn::{
    report::Report,
    source::{Source, Xml, attr, flag, is_sub_process, kid, kids_of, label, name, text},
};

/// The item definition of something that holds data; a reference means what it refers to.
pub(super) fn item_of<'a>(source: &Source<'a>, node: Xml<'a>) -> Option<Xml<'a>> {
    let holder = held_by(source, node);
    attr(holder, "itemSubjectRef")
        .and_then(|item| source.referred(item))
        .filter(|item| name(*item) == "itemDefinition")
}

fn held_by<'a>(source: &Source<'a>, node: Xml<'a>) -> Xml<'a> {
    let reference = match name(node) {
        "dataObjectReference" => attr(node, "dataObjectRef"),
        "dataStoreReference" => attr(node, "dataStoreRef"),
        _ => None,
    };
    reference.and_then(|reference| source.referred(reference)).unwrap_or(node)
}

/// Whether something holds several values.
pub(super) fn is_collection<'a>(source: &Source<'a>, node: Xml<'a>) -> bool {
    let holder = held_by(source, node);
    flag(holder, "isCollection", false) || item_of(source, holder).is_some_and(|item| flag(item, "isCollection", false))
}

/// What holds data is a collection if its item definition says so, and only then.
pub(super) fn collections(report: &mut Report<'_, '_>) {
    let holders = ["dataObject", "dataInput", "dataOutput", "inputDataItem", "outputDataItem"];
    for holder in report.source.elements().filter(|node| holders.contains(&name(*node))) {
        let Some(item) = item_of(report.source, holder) else {
            continue;
        };
        if flag(item, "isCollection", false) != flag(holder, "isCollection", false) {
            report.error(
                holder,
                format!(
                    "{} and its {} must agree whether it is a collection.",
                    label(holder),
                    label(item)
                ),
                format!("{} 与其 {} 的 isCollection 必须一致。", label(holder), label(item)),
            );
        }
    }
}

/// A reference to a data object has no item definition of its own; a data object has no state of its own.
pub(super) fn object_references(report: &mut Report<'_, '_>) {
    for reference in report.source.named("dataObjectReference") {
        if attr(reference, "dataObjectRef").is_none() {
            report.strict(
                reference,
                format!("{} refers to no data object (dataObjectRef).", label(reference)),
                format!("{} 未引用数据对象(dataObjectRef)。", label(reference)),
            );
        }
        if attr(reference, "itemSubjectRef").is_some() {
            report.strict(
                reference,
                format!(
                    "{} has an item definition; only the data object itself may.",
                    label(reference)
                ),
                format!("{} 不能有数据项定义,只有数据对象本身可以。", label(reference)),
            );
        }
    }
    for object in report
        .source
        .named("dataObject")
        .filter(|object| kid(*object, "dataState").is_some())
    {
        report.strict(
            object,
            format!("{} has a state; only references to it may.", label(object)),
            format!("{} 不能有状态,只有对它的引用可以。", label(object)),
        );
    }
    for reference in report.source.named("dataStoreReference") {
        report.warning(
            reference,
            format!(
                "{} is drawn only: nothing is read from or written to a data store.",
                label(reference)
            ),
            format!("{} 仅作图示:不读写数据存储。", label(reference)),
        );
    }
}

/// Data comes into and out of processes, tasks and calls; a sub-process sees what is around it.
pub(super) fn io_places(report: &mut Report<'_, '_>) {
    for io in report.source.named("ioSpecification") {
        if let Some(owner) = io.parent_element().filter(|owner| is_sub_process(*owner)) {
            report.error(
                io,
                format!(
                    "{} is a sub-process and may not declare data inputs and outputs.",
                    label(owner)
                ),
                format!("{} 是子流程,不能声明数据输入输出。", label(owner)),
            );
        }
    }
}

fn associations<'a>(report: &Report<'_, 'a>) -> impl Iterator<Item = Xml<'a>> + use<'a> {
    report
        .source
        .elements()
        .filter(|node| matches!(name(*node), "dataInputAssociation" | "dataOutputAssociation"))
}

/// Without a transformation there is one source; data does not come out of an input of the activity or go into an output.
pub(super) fn sources(report: &mut Report<'_, '_>) {
    for association in associations(report) {
        let sources: Vec<Xml<'_>> = kids_of(association, "sourceRef").collect();
        let computed = kid(association, "transformation").is_some() || kid(association, "assignment").is_some();
        // Drawing tools leave the source of what comes out open.
        let drawn = sources.is_empty() && name(association) == "dataOutputAssociation" && report.source.is_dialect();
        let none = sources.is_empty() && !computed && !drawn;
        if kid(association, "transformation").is_none() && (sources.len() > 1 || none) {
            report.error(
                association,
                format!(
                    "{} has {} sources; without a transformation it must have one.",
                    label(association),
                    sources.len()
                ),
                format!("{} 有 {} 个来源;没有转换时必须恰有一个。", label(association), sources.len()),
            );
        }
        let input = name(association) == "dataInputAssociation";
        for entry in sources {
            let Some(source) = report.source.referred(&text(entry)) else {
                continue;
            };
            let right = if input {
                // The data outputs of a process or an activity are only ever written.
                name(source) != "dataOutput"
            } else {
                name(source) != "dataInput" && (name(source) != "dataOutput" || owns(association, source))
            };
            if !right {
                report.error(
                    entry,
                    format!("{} cannot be read by a {}.", label(source), name(association)),
                    format!("{} 不能作为 {} 的来源。", label(source), name(association)),
                );
            }
        }
    }
}

/// What comes in goes to an input of the activity itself; what comes out goes to something that can be written.
pub(super) fn targets(report: &mut Report<'_, '_>) {
    for association in associations(report) {
        let Some(entry) = kid(association, "targetRef") else {
            continue;
        };
        let Some(target) = report.source.referred(&text(entry)) else {
            continue;
        };
        let right = if name(association) == "dataInputAssociation" {
            match name(target) {
                "dataInput" => owns(association, target),
                // Drawing tools lead the arrow to a property that they invent.
                "property" => target.parent().map(|parent| parent.id()) == association.parent().map(|parent| parent.id()),
                "inputDataItem" => true,
                _ => false,
            }
        } else {
            name(target) != "dataInput" && (name(target) != "dataOutput" || !owns(association, target))
        };
        if !right {
            report.error(
                entry,
                format!("{} cannot be written by a {} there.", label(target), name(association)),
                format!("{} 不能作为此处 {} 的目标。", label(target), name(association)),
            );
        }
    }
}

/// Whether whoever has an association declares this data itself.
fn owns(association: Xml<'_>, data: Xml<'_>) -> bool {
    let owner = association.parent_element();
    let declared = data.ancestors().skip(1).find(|around| name(*around) != "ioSpecification");
    owner.map(|owner| owner.id()) == declared.map(|declared| declared.id())
}

/// Without a transformation what is read and what is written are of one kind.
pub(super) fn matching(report: &mut Report<'_, '_>) {
    for association in associations(report) {
        if kid(association, "transformation").is_some() || kid(association, "assignment").is_some() {
            continue;
        }
        let end = |which| kid(association, which).and_then(|entry| report.source.referred(&text(entry)));
        let (Some(from), Some(to)) = (end("sourceRef"), end("targetRef")) else {
            continue;
        };
        let (one, other) = (structure(report.source, from), structure(report.source, to));
        if one.is_some() && other.is_some() && one != other {
            report.strict(
                association,
                format!(
                    "{} and {} are of different item definitions; add a transformation.",
                    label(from),
                    label(to)
                ),
                format!("{} 与 {} 的数据项定义不同,请添加转换。", label(from), label(to)),
            );
        }
    }
}
