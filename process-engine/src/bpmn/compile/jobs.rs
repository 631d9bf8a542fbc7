//! Jobs: what service tasks, and send tasks of some dialects, ask somebody outside to do.

use super::Compiler;
use crate::{
    bpmn::{
        iso,
        source::{Xml, attr, engine_attr, engine_elements, engine_setting, id, label, name, text, zhulu_attr},
    },
    model::{Job, Retry, Text},
};

/// Settings of designers that whoever does the job may need: they go along as fields.
const SETTINGS: [&str; 6] = [
    "candidateStrategy",
    "candidateParam",
    "triggerType",
    "triggerParam",
    "topic",
    "taskPriority",
];

/// More tries than these are no retry but a loop.
const MAX_TRIES: u32 = 100;

impl<'a> Compiler<'_, 'a> {
    /// Whether an element says what job it is, in whatever way.
    pub(super) fn names_a_job(xml: Xml<'a>) -> bool {
        zhulu_attr(xml, "job").is_some()
            || ["type", "topic", "class", "delegateExpression", "expression"]
                .iter()
                .any(|which| engine_attr(xml, which).is_some())
    }

    pub(super) fn job(&mut self, xml: Xml<'a>) -> Job {
        let kind = self
            .job_kind(xml)
            .unwrap_or_else(|| Text::Plain(id(xml).unwrap_or_default().into()));
        Job {
            kind,
            fields: self.fields(xml),
            result_variable: ["resultVariable", "resultVariableName"]
                .into_iter()
                .find_map(|which| engine_attr(xml, which))
                .or_else(|| zhulu_attr(xml, "resultVariable"))
                .map(str::to_owned),
            retry: self.retry(xml),
        }
    }

    fn job_kind(&mut self, xml: Xml<'a>) -> Option<Text> {
        if let Some(kind) = zhulu_attr(xml, "job") {
            return self.text_value(xml, kind);
        }
        if let Some(topic) = engine_attr(xml, "topic") {
            return self.text_value(xml, topic);
        }
        if let Some(kind) = engine_attr(xml, "type").filter(|kind| *kind != "external") {
            return self.text_value(xml, kind);
        }
        if let Some((how, written)) = ["class", "delegateExpression", "expression"]
            .into_iter()
            .find_map(|how| Some((how, engine_attr(xml, how)?)))
        {
            let kind = written.trim_start_matches(['$', '#', '{']).trim_end_matches('}').trim();
            self.warning(
                "java-becomes-job",
                xml,
                format!("{how}=\"{written}\" is not called here; it becomes a job of the kind \"{kind}\" that a worker must do."),
                format!("{how}=“{written}”不会在此调用,而是成为类型为“{kind}”的作业,须由外部执行者完成。"),
            );
            return Some(Text::Plain(kind.into()));
        }
        if let Some(implementation) = attr(xml, "implementation").filter(|written| !written.starts_with("##")) {
            return self.text_value(xml, implementation);
        }
        let operation = attr(xml, "operationRef").and_then(|operation| self.source.referred(operation));
        if let Some(operation) = operation.filter(|operation| name(*operation) == "operation") {
            let kind = attr(operation, "implementationRef")
                .or_else(|| attr(operation, "name"))
                .or_else(|| id(operation))?;
            return Some(Text::Plain(kind.into()));
        }
        self.warning(
            "job-unnamed",
            xml,
            format!(
                "{} does not say what is to be done; its job goes by its id. Set zhulu:job.",
                label(xml)
            ),
            format!("{} 未说明要执行的作业,将以其 id 作为作业类型。请设置 zhulu:job。", label(xml)),
        );
        None
    }

    fn fields(&mut self, xml: Xml<'a>) -> Vec<(String, Text)> {
        let mut fields = Vec::new();
        let named: Vec<Xml<'a>> = engine_elements(xml, "field").collect();
        for field in named {
            let Some(key) = attr(field, "name") else { continue };
            if let Some(value) = self.field_value(field) {
                fields.push((key.to_owned(), value));
            }
        }
        for setting in SETTINGS {
            let written = engine_setting(xml, setting);
            if let Some(value) = written.and_then(|written| self.text_value(xml, &written)) {
                fields.push((setting.to_owned(), value));
            }
        }
        fields
    }

    /// The field of this name.
    pub(super) fn field(&mut self, xml: Xml<'a>, wanted: &str) -> Option<Text> {
        let field = engine_elements(xml, "field").find(|field| attr(*field, "name") == Some(wanted))?;
        self.field_value(field)
    }

    fn field_value(&mut self, field: Xml<'a>) -> Option<Text> {
        let attribute = ["stringValue", "expression", "value"]
            .into_iter()
            .find_map(|which| attr(field, which));
        let written = attribute.map(str::to_owned).or_else(|| {
            let inner = field.children().find(roxmltree::Node::is_element);
            inner
                .map(text)
                .or_else(|| Some(text(field)))
                .filter(|written| !written.is_empty())
        });
        self.text_value(field, &written?)
    }

    /// `zhulu:retry` or `flowable:failedJobRetryTimeCycle`: `R3/PT10M`.
    fn retry(&mut self, xml: Xml<'a>) -> Retry {
        let written = zhulu_attr(xml, "retry")
            .map(str::to_owned)
            .or_else(|| engine_setting(xml, "failedJobRetryTimeCycle"));
        let Some(written) = written else { return Retry::default() };
        let parsed = iso::cycle(&written).and_then(|cycle| {
            let tries = cycle.times.filter(|tries| (1..=MAX_TRIES).contains(tries))?;
            let pause = iso::duration(cycle.interval)?.seconds();
            Some(Retry {
                tries,
                backoff_seconds: u32::try_from(pause).unwrap_or(u32::MAX),
            })
        });
        parsed.unwrap_or_else(|| {
            self.setting(xml, "retry", &written, "R3/PT10M and the like, at most 100 tries");
            Retry::default()
        })
    }
}
