//! Loops and repeated activities.

use super::{
    data::{is_collection, item_of},
    io::structure,
};
use crate::bpmn::{
    report::Report,
    source::{Xml, attr, engine_attr, kid, kid_text, kids_of, label, name, zhulu_attr},
};

fn multis<'a>(report: &Report<'_, 'a>) -> impl Iterator<Item = Xml<'a>> + use<'a> {
    report.source.named("multiInstanceLoopCharacteristics")
}

/// A repeated activity has a number of instances or a list, not both.
pub(super) fn over(report: &mut Report<'_, '_>) {
    for multi in multis(report) {
        let collection = engine_attr(multi, "collection").is_some() || kid(multi, "loopDataInputRef").is_some();
        match (kid(multi, "loopCardinality").is_some(), collection) {
            (true, true) => report.strict(
                multi,
                "Give either a loopCardinality or a list to run over, not both.",
                "循环基数与集合只能给出其一。",
            ),
            (false, false) if !over_approvers(report, multi) => {
                report.error(
                    multi,
                    "Give a loopCardinality or a list to run over.",
                    "请给出循环基数或集合。",
                );
            }
            _ => {}
        }
    }
}

/// A user task may run over whoever its candidate rule finds.
fn over_approvers(report: &Report<'_, '_>, multi: Xml<'_>) -> bool {
    let task = multi
        .parent_element()
        .filter(|task| matches!(name(*task), "userTask" | "globalUserTask"));
    report.source.is_dialect() && task.is_some()
}

/// What `behavior` needs: an event for None and One, definitions for Complex.
pub(super) fn behaviors(report: &mut Report<'_, '_>) {
    for multi in multis(report) {
        let needed = match attr(multi, "behavior") {
            Some("None") => "noneBehaviorEventRef",
            Some("One") => "oneBehaviorEventRef",
            Some("Complex") if kid(multi, "complexBehaviorDefinition").is_none() => {
                report.error(
                    multi,
                    "The behavior Complex needs a complexBehaviorDefinition.",
                    "behavior 为 Complex 时必须有 complexBehaviorDefinition。",
                );
                continue;
            }
            _ => continue,
        };
        if attr(multi, needed).is_none() {
            report.error(
                multi,
                format!("This behavior needs {needed}: the event that it throws."),
                format!("此 behavior 必须有 {needed}。"),
            );
        }
    }
    for definition in report.source.named("complexBehaviorDefinition") {
        let Some(event) = kid(definition, "event") else { continue };
        if report.source.event_definitions(event).is_empty() {
            report.error(event, "This event must say what it throws.", "此事件必须说明抛出什么。");
        }
    }
    for standard in report.source.named("standardLoopCharacteristics") {
        let maximum = attr(standard, "loopMaximum").and_then(|maximum| maximum.parse::<i64>().ok());
        if maximum.is_some_and(|maximum| maximum < 1) {
            report.error(standard, "loopMaximum must be 1 or more.", "loopMaximum 必须不小于 1。");
        }
        if maximum.is_none() && kid(standard, "loopCondition").is_none() {
            report.error(
                standard,
                "A loop needs a loopCondition or a loopMaximum; else it would never end.",
                "循环必须有 loopCondition 或 loopMaximum,否则不会结束。",
            );
        }
    }
}

/// The list that is run over is a list of the activity's own, and an item is one of it.
pub(super) fn data_items(report: &mut Report<'_, '_>) {
    for multi in multis(report) {
        for (list, item) in [("loopDataInputRef", "inputDataItem"), ("loopDataOutputRef", "outputDataItem")] {
            let Some(reference) = kid_text(multi, list) else {
                if let Some(item) = kid(multi, item).filter(|item| item_of(report.source, *item).is_some()) {
                    report.strict(
                        item,
                        format!("{} is one of nothing: there is no {list}.", label(item)),
                        format!("{} 没有对应的 {list}。", label(item)),
                    );
                }
                continue;
            };
            let Some(collection) = report.source.referred(&reference) else {
                continue;
            };
            if matches!(name(collection), "dataInput" | "dataOutput") {
                own(report, multi, collection);
                if !is_collection(report.source, collection) {
                    report.strict(
                        collection,
                        format!("{} is run over and so must be a collection.", label(collection)),
                        format!("{} 被循环遍历,必须是集合。", label(collection)),
                    );
                }
            }
            let Some(item) = kid(multi, item) else { continue };
            let one = structure(report.source, item);
            let many = structure(report.source, collection);
            let collection_item = item_of(report.source, item).is_some_and(|item| attr(item, "isCollection") == Some("true"));
            if (one.is_some() && many.is_some() && one != many) || collection_item {
                report.error(
                    item,
                    format!(
                        "{} is not one of {}: their item definitions do not match.",
                        label(item),
                        label(collection)
                    ),
                    format!("{} 与 {} 的数据项定义不匹配。", label(item), label(collection)),
                );
            }
        }
    }
}

/// The list is declared by the activity itself; in a sub-process it may be any that it sees.
fn own<'a>(report: &mut Report<'_, 'a>, multi: Xml<'a>, collection: Xml<'a>) {
    let Some(activity) = multi.parent_element() else { return };
    let mut declared = kids_of(activity, "ioSpecification");
    let own = declared.any(|io| collection.parent().map(|parent| parent.id()) == Some(io.id()));
    let sub_process = crate::bpmn::source::is_sub_process(activity) || zhulu_attr(multi, "collection").is_some();
    if !own && !sub_process {
        report.error(
            multi,
            format!("{} is not declared by {}.", label(collection), label(activity)),
            format!("{} 不是 {} 声明的数据。", label(collection), label(activity)),
        );
    }
}
