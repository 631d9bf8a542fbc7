//! The dialects: what of their attributes and elements is done here, what may be left out, and that the rest is refused.
//!
//! Flowable's vocabulary is the native one; Activiti's and Camunda 7's are the same words in other namespaces, and our own
//! namespace takes them as well (`zhulu:assignee`). The words that only we have are listed in [`zhulu`](super::zhulu).

use super::{
    report::Report,
    source::{ENGINES, Xml, ZHULU, extensions as extension_elements, label, name, text},
    zhulu,
};

/// Attributes, or settings written as elements, that are done.
const DONE: &[&str] = &[
    // Who does it, and when.
    "assignee",
    "owner",
    "candidateUsers",
    "candidateGroups",
    "candidateStarterUsers",
    "candidateStarterGroups",
    "initiator",
    "dueDate",
    "businessCalendarName",
    "priority",
    "category",
    "formKey",
    "skipExpression",
    // Repetition.
    "collection",
    "elementVariable",
    "elementIndexVariable",
    // Calls.
    "calledElementType",
    "inheritVariables",
    "inheritBusinessKey",
    "businessKey",
    // Jobs, scripts, decisions.
    "type",
    "topic",
    "class",
    "delegateExpression",
    "expression",
    "resultVariable",
    "resultVariableName",
    "decisionRef",
    "decisionTableReferenceKey",
    "decisionServiceReferenceKey",
    "failedJobRetryTimeCycle",
    "value",
    "correlationKey",
    // What Chinese designers add.
    "candidateStrategy",
    "candidateParam",
    "approveType",
    "approveMethod",
    "rejectHandlerType",
    "rejectReturnTaskId",
    "returnTaskId",
    "timeoutHandlerType",
    "boundaryEventType",
    "assignStartUserHandlerType",
    "assignEmptyHandlerType",
    "assignEmptyUserIds",
    "signEnable",
    "reasonRequire",
    "triggerType",
    "triggerParam",
];

/// Attributes and elements that change nothing here: every job waits for its worker, every step is stored, and what only
/// designers show is theirs.
const WITHOUT_EFFECT: &[&str] = &[
    "async",
    "asyncBefore",
    "asyncAfter",
    "asyncLeave",
    "completeAsync",
    "exclusive",
    "triggerable",
    "jobPriority",
    "taskPriority",
    "formFieldValidation",
    "historyTimeToLive",
    "versionTag",
    "isStartableInTasklist",
    "sameDeployment",
    "fallbackToDefaultTenant",
    "nodeType",
    "dataType",
    "userType",
    "text",
    "name",
    "properties",
    "property",
    "customProperties",
    "modelVersion",
];

/// Elements in `extensionElements` that are done.
const ELEMENTS: &[&str] = &[
    "field",
    "in",
    "out",
    "inputOutput",
    "formProperty",
    "fieldsPermission",
    "buttonsSetting",
];

/// Settings that are fine as long as they say what is done anyway.
const AS_EVER: &[(&str, &[&str])] = &[
    ("autoStoreVariables", &["false"]),
    ("calledElementBinding", &["latest", "deployment"]),
    ("decisionRefBinding", &["latest", "deployment"]),
    ("useLocalScopeForResultVariable", &["false"]),
    ("storeResultVariableAsTransient", &["false"]),
    ("calledElementType", &["key"]),
];

/// Listeners, in all dialects.
const LISTENERS: [&str; 4] = ["executionListener", "taskListener", "eventListener", "completionListener"];

/// Settings of the dialects that nobody does here: ignoring them would change what the model means.
pub(super) fn extensions(report: &mut Report<'_, '_>) {
    for node in report.source.elements() {
        for attribute in node.attributes() {
            let Some(uri) = attribute.namespace().filter(|uri| ENGINES.contains(uri)) else {
                continue;
            };
            if !is_known(uri, attribute.name(), attribute.value().trim()) {
                refuse(report, node, attribute.name());
            }
        }
        for element in extension_elements(node) {
            let tag = element.tag_name();
            let Some(uri) = tag.namespace().filter(|uri| ENGINES.contains(uri)) else {
                continue;
            };
            let known = ELEMENTS.contains(&tag.name())
                || LISTENERS.contains(&tag.name())
                || (uri == ZHULU && zhulu::ELEMENTS.iter().any(|(name, _)| *name == tag.name()))
                || is_known(uri, tag.name(), &text(element));
            if !known {
                refuse(report, element, tag.name());
            }
        }
    }
}

fn is_known(uri: &str, word: &str, value: &str) -> bool {
    let own = uri == ZHULU && zhulu::ATTRIBUTES.iter().any(|(name, _)| *name == word);
    let as_ever = AS_EVER.iter().find(|(name, _)| *name == word);
    match as_ever {
        Some((_, values)) => values.contains(&value),
        None => own || DONE.contains(&word) || WITHOUT_EFFECT.contains(&word),
    }
}

fn refuse<'a>(report: &mut Report<'_, 'a>, at: Xml<'a>, word: &str) {
    let owner = at
        .ancestors()
        .find(|around| !name(*around).is_empty() && name(*around) != "extensionElements");
    let owner = owner.map(label).unwrap_or_default();
    report.error(
        at,
        format!("The setting {word} of {owner} is not done here; remove it or model it otherwise."),
        format!("{owner} 的设置 {word} 不受支持;请删除,或用其他方式建模。"),
    );
}

/// Listeners run code of the host; only the host can say that it is done otherwise.
pub(super) fn listeners(report: &mut Report<'_, '_>) {
    for node in report.source.elements() {
        for listener in extension_elements(node) {
            let tag = listener.tag_name();
            if !LISTENERS.contains(&tag.name()) || !tag.namespace().is_some_and(|uri| ENGINES.contains(&uri)) {
                continue;
            }
            let (kind, owner) = (tag.name(), label(node));
            if report.options.listeners_done_by_host {
                report.warning(
                    listener,
                    format!("The {kind} of {owner} is left out; the host does what it did."),
                    format!("{owner} 的 {kind} 已略过,由宿主系统处理。"),
                );
            } else {
                report.error(
                    listener,
                    format!("The {kind} of {owner} is not run; model what it does as a job, or let the host take it over."),
                    format!("{owner} 的 {kind} 不会运行;请建模为作业,或由宿主系统接管。"),
                );
            }
        }
    }
}
