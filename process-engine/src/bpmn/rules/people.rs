//! Who does it, in the words of the standard.

use crate::bpmn::{
    report::Report,
    source::{Xml, attr, kid, kid_text, kids_of, label, name},
};

/// Somebody is named by a resource with parameters or by an expression, not by both.
pub(super) fn resources(report: &mut Report<'_, '_>) {
    let roles = ["resourceRole", "performer", "humanPerformer", "potentialOwner"];
    for role in report.source.elements().filter(|node| roles.contains(&name(*node))) {
        let resource = kid_text(role, "resourceRef");
        let expression = kid(role, "resourceAssignmentExpression").is_some();
        if resource.is_some() && expression {
            report.error(
                role,
                format!(
                    "{} names a resource and has an expression; only one of them may be there.",
                    label(role)
                ),
                format!("{} 同时有 resourceRef 和表达式,只能有其一。", label(role)),
            );
        }
        for binding in kids_of(role, "resourceParameterBinding") {
            bound(report, role, resource.as_deref(), binding);
        }
    }
}

fn bound<'a>(report: &mut Report<'_, 'a>, role: Xml<'a>, resource: Option<&str>, binding: Xml<'a>) {
    let Some(resource) = resource else {
        report.error(
            binding,
            format!("{} binds a parameter but names no resource (resourceRef).", label(role)),
            format!("{} 绑定了参数却未指定资源(resourceRef)。", label(role)),
        );
        return;
    };
    let parameter = attr(binding, "parameterRef").and_then(|parameter| report.source.referred(parameter));
    let (Some(parameter), Some(resource)) = (parameter, report.source.referred(resource)) else {
        return;
    };
    if parameter.parent().map(|parent| parent.id()) != Some(resource.id()) {
        report.error(
            binding,
            format!("{} is no parameter of {}.", label(parameter), label(resource)),
            format!("{} 不是 {} 的参数。", label(parameter), label(resource)),
        );
    }
}
