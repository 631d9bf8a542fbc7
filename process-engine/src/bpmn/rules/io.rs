//! Data inputs and outputs, and the sets that they come in.

use super::data::item_of;
use crate::bpmn::{
    report::Report,
    source::{Source, Xml, attr, id, kids, kids_of, label, local, name, text},
};

/// The data inputs of a declaration.
pub(super) fn inputs(io: Option<Xml<'_>>) -> Vec<Xml<'_>> {
    io.map(|io| kids(io).filter(|kid| name(*kid) == "dataInput").collect())
        .unwrap_or_default()
}

/// Its data outputs.
pub(super) fn outputs(io: Option<Xml<'_>>) -> Vec<Xml<'_>> {
    io.map(|io| kids(io).filter(|kid| name(*kid) == "dataOutput").collect())
        .unwrap_or_default()
}

/// What identifies the kind of some data: the structure of its item definition, or the definition itself.
pub(super) fn structure<'a>(source: &Source<'a>, node: Xml<'a>) -> Option<&'a str> {
    let item = item_of(source, node)?;
    attr(item, "structureRef").or_else(|| id(item))
}

/// Whether two things hold data of one kind. Nothing said on both sides is one kind as well.
pub(super) fn same_item<'a>(source: &Source<'a>, one: Xml<'a>, other: Xml<'a>) -> bool {
    structure(source, one) == structure(source, other)
}

/// A set, what is declared for it, the list of its members, and the lists of those that are optional or come later.
type Lists = (&'static str, &'static str, &'static str, [&'static str; 2]);

const IN: Lists = (
    "inputSet",
    "dataInput",
    "dataInputRefs",
    ["optionalInputRefs", "whileExecutingInputRefs"],
);
const OUT: Lists = (
    "outputSet",
    "dataOutput",
    "dataOutputRefs",
    ["optionalOutputRefs", "whileExecutingOutputRefs"],
);

/// Whatever declares data with sets: specifications, and events.
fn declarations<'a>(report: &Report<'_, 'a>, declared: &'static str) -> Vec<Xml<'a>> {
    let has = |node: &Xml<'a>| {
        kids_of(*node, declared).next().is_some()
            || kids_of(*node, if declared == "dataInput" { "inputSet" } else { "outputSet" })
                .next()
                .is_some()
    };
    report.source.elements().filter(has).collect()
}

fn members(set: Xml<'_>, list: &str) -> Vec<String> {
    kids(set)
        .filter(|kid| name(*kid) == list)
        .map(|entry| local(&text(entry)).to_owned())
        .collect()
}

/// Each input is in a set, and so is each output.
pub(super) fn in_sets(report: &mut Report<'_, '_>) {
    for (set, declared, list, _) in [IN, OUT] {
        for holder in declarations(report, declared) {
            let listed: Vec<String> = kids_of(holder, set).flat_map(|set| members(set, list)).collect();
            for data in kids_of(holder, declared) {
                if id(data).is_some_and(|id| !listed.iter().any(|one| one == id)) {
                    report.strict(
                        data,
                        format!("{} is in no {set}; name it in {list}.", label(data)),
                        format!("{} 不在任何 {set} 中;请列入 {list}。", label(data)),
                    );
                }
            }
        }
    }
}

/// A set holds what is declared beside it.
pub(super) fn own(report: &mut Report<'_, '_>) {
    for (set, declared, list, others) in [IN, OUT] {
        for holder in declarations(report, declared) {
            let own: Vec<&str> = kids_of(holder, declared).filter_map(id).collect();
            for set in kids_of(holder, set) {
                for list in [list, others[0], others[1]] {
                    for member in members(set, list).iter().filter(|member| !own.contains(&member.as_str())) {
                        report.error(
                            set,
                            format!("{member} in {list} is not a {declared} declared beside this {}.", name(set)),
                            format!("{list} 中的 {member} 不是在此声明的 {declared}。"),
                        );
                    }
                }
            }
        }
    }
}

/// What is optional in a set, or comes while the activity runs, is in the set.
pub(super) fn subsets(report: &mut Report<'_, '_>) {
    for (set, _, list, others) in [IN, OUT] {
        for set in report.source.named(set) {
            let all = members(set, list);
            for other in others {
                for member in members(set, other).iter().filter(|member| !all.contains(member)) {
                    report.error(
                        set,
                        format!("{member} is in {other} but not in {list} of the same {}.", name(set)),
                        format!("{member} 在 {other} 中,却不在同一 {} 的 {list} 中。", name(set)),
                    );
                }
            }
        }
    }
}

/// An input set that names an output set is named by it, and conversely.
pub(super) fn mutual(report: &mut Report<'_, '_>) {
    for (set, list, back) in [
        ("inputSet", "outputSetRefs", "inputSetRefs"),
        ("outputSet", "inputSetRefs", "outputSetRefs"),
    ] {
        for set in report.source.named(set) {
            for named in members(set, list) {
                let Some(other) = report.source.by_id(&named) else { continue };
                let answers = id(set).is_some_and(|id| members(other, back).iter().any(|one| one == id));
                if !answers {
                    report.error(
                        set,
                        format!(
                            "{} names {named} in {list}, but {named} does not name it in {back}.",
                            label(set)
                        ),
                        format!("{} 在 {list} 中列出了 {named},但 {named} 未在 {back} 中列出它。", label(set)),
                    );
                }
            }
        }
    }
}
