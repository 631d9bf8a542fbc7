//! Tasks, calls, and what every activity has.

use super::{Compiler, graph::Draft};
use crate::{
    bpmn::source::{Xml, attr, engine_attr, engine_elements, flag, id, is_true, kid, label, local, name, text, zhulu_attr},
    model::{Activity, Call, DecisionCall, NodeKind, Script, Sending, Task, Text, Work},
};

/// Activities that take or give more tokens than this at once are a slip of the hand.
const MAX_QUANTITY: u32 = 1_000;

impl<'a> Compiler<'_, 'a> {
    pub(super) fn activity(&mut self, xml: Xml<'a>) -> Activity {
        let mut inputs = self.associations(xml, "dataInputAssociation");
        inputs.extend(self.engine_mappings(xml, "inputParameter"));
        let mut outputs = self.associations(xml, "dataOutputAssociation");
        outputs.extend(self.engine_mappings(xml, "outputParameter"));
        Activity {
            repetition: self.repetition(xml),
            for_compensation: flag(xml, "isForCompensation", false),
            start_quantity: self.quantity(xml, "startQuantity"),
            completion_quantity: self.quantity(xml, "completionQuantity"),
            inputs,
            outputs,
            data: Self::data(xml),
            compensated_by: None,
            skip: engine_attr(xml, "skipExpression").and_then(|written| self.expression(xml, written)),
        }
    }

    fn quantity(&mut self, xml: Xml<'a>, which: &str) -> u32 {
        let Some(written) = attr(xml, which) else { return 1 };
        match written.parse() {
            Ok(quantity) if (1..=MAX_QUANTITY).contains(&quantity) => quantity,
            _ => {
                self.error(
                    "quantity-invalid",
                    xml,
                    format!(
                        "The {which} of {} must be from 1 to {MAX_QUANTITY}, not {written}.",
                        label(xml)
                    ),
                    format!("{} 的 {which} 必须在 1 到 {MAX_QUANTITY} 之间,不能是 {written}。", label(xml)),
                );
                1
            }
        }
    }

    /// A task; what is called globally (`globalUserTask`) is a task like its namesake.
    pub(super) fn task(&mut self, xml: Xml<'a>, draft: &Draft<'a>) -> Task {
        let nothing = Work::Nothing;
        let work = match name(xml) {
            "manualTask" | "globalManualTask" => Work::Manual,
            "userTask" | "globalUserTask" => Work::User(Box::new(self.user_task(xml, draft))),
            "serviceTask" => self.service(xml),
            "scriptTask" | "globalScriptTask" => self.script(xml).map_or(nothing, Work::Script),
            "businessRuleTask" | "globalBusinessRuleTask" => self.decision(xml).map_or(nothing, Work::Decision),
            "sendTask" => Work::Send(self.sending(xml)),
            "receiveTask" => Work::Receive {
                message: self.message(xml, xml),
                instantiate: flag(xml, "instantiate", false),
            },
            _ => nothing,
        };
        Task { work }
    }

    fn service(&mut self, xml: Xml<'a>) -> Work {
        if engine_attr(xml, "type") == Some("dmn") {
            return self.decision(xml).map_or(Work::Nothing, Work::Decision);
        }
        Work::Service(Box::new(self.job(xml)))
    }

    fn sending(&mut self, xml: Xml<'a>) -> Sending {
        let message = self.message(xml, xml);
        let job = (Self::names_a_job(xml)).then(|| Box::new(self.job(xml)));
        if message.is_none() && job.is_none() {
            self.warning(
                "sends-nothing",
                xml,
                format!("{} names no message and no job: it sends nothing.", label(xml)),
                format!("{} 未指定消息或作业,不会发送任何内容。", label(xml)),
            );
        }
        Sending { message, job }
    }

    /// A script. What FEEL is not is the host's, if the reader allows it.
    fn script(&mut self, xml: Xml<'a>) -> Option<Script> {
        let format = attr(xml, "scriptFormat")
            .or_else(|| attr(xml, "scriptLanguage"))
            .unwrap_or_default();
        let body = kid(xml, "script").map(text).unwrap_or_default();
        let lower = format.to_ascii_lowercase();
        let result_variable = ["resultVariable", "resultVariableName"]
            .into_iter()
            .find_map(|which| engine_attr(xml, which))
            .or_else(|| zhulu_attr(xml, "resultVariable"))
            .map(str::to_owned);
        let wrapped = body.starts_with("${") || body.starts_with("#{");
        if lower.contains("feel") || lower.contains("juel") || (wrapped && !self.options.foreign_scripts) {
            let expression = self.expression(xml, &body)?;
            return Some(Script::Feel {
                expression,
                result_variable,
            });
        }
        if self.options.foreign_scripts {
            return Some(Script::Foreign {
                format: format.to_owned(),
                text: body,
            });
        }
        self.error(
            "script-language",
            xml,
            format!(
                "{} is a script in \"{format}\"; only FEEL is run. Write it in FEEL (scriptFormat=\"application/feel\") or make it \
                 a job.",
                label(xml)
            ),
            format!(
                "{} 的脚本语言为“{format}”,系统只运行 FEEL。请改用 FEEL(scriptFormat=\"application/feel\")或改为作业。",
                label(xml)
            ),
        );
        None
    }

    fn decision(&mut self, xml: Xml<'a>) -> Option<DecisionCall> {
        let field = self
            .field(xml, "decisionTableReferenceKey")
            .or_else(|| self.field(xml, "decisionServiceReferenceKey"));
        let decision = match zhulu_attr(xml, "decision") {
            Some(decision) => Some(decision),
            None => ["decisionTableReferenceKey", "decisionRef", "decisionServiceReferenceKey"]
                .into_iter()
                .find_map(|which| engine_attr(xml, which)),
        };
        let written = decision.map(str::to_owned);
        let decision = match (written, field) {
            (Some(written), _) => self.text_value(xml, &written)?,
            (None, Some(field)) => field,
            (None, None) => {
                self.error(
                    "decision-missing",
                    xml,
                    format!(
                        "{} names no decision; set zhulu:decision or flowable:decisionTableReferenceKey.",
                        label(xml)
                    ),
                    format!(
                        "{} 未指定决策;请设置 zhulu:decision 或 flowable:decisionTableReferenceKey。",
                        label(xml)
                    ),
                );
                return None;
            }
        };
        Some(DecisionCall {
            decision,
            result_variable: ["resultVariable", "resultVariableName"]
                .into_iter()
                .find_map(|which| engine_attr(xml, which))
                .or_else(|| zhulu_attr(xml, "resultVariable"))
                .map(str::to_owned),
        })
    }

    pub(super) fn call(&mut self, xml: Xml<'a>, draft: &Draft<'a>) -> NodeKind {
        let written = attr(xml, "calledElement")
            .or_else(|| engine_attr(xml, "caseRef"))
            .unwrap_or_default();
        let called = self.source.referred(written);
        if let Some(global) = called.filter(|called| name(*called).starts_with("global") && name(*called).ends_with("Task")) {
            return NodeKind::Task(self.task(global, draft));
        }
        let known = called.filter(|called| name(*called) == "process").and_then(id);
        let called = match known {
            Some(process) => Text::Plain(process.into()),
            None => self
                .text_value(xml, local_call(written))
                .unwrap_or_else(|| Text::Plain("".into())),
        };
        let everything =
            |which: &'a str| engine_elements(xml, which).any(|parameter| attr(parameter, "variables") == Some("all"));
        let business_key = engine_elements(xml, "in").find_map(|parameter| attr(parameter, "businessKey"));
        let same_key = engine_attr(xml, "inheritBusinessKey").is_some_and(is_true);
        let business_key = engine_attr(xml, "businessKey").or(business_key);
        NodeKind::Call(Call {
            called,
            inherit_variables: engine_attr(xml, "inheritVariables").is_some_and(is_true)
                || everything("in")
                || zhulu_attr(xml, "inheritVariables").is_some_and(is_true),
            inputs: self.engine_parameters(xml, "in"),
            outputs: self.engine_parameters(xml, "out"),
            business_key: match business_key {
                Some(written) => self.value_of(xml, written),
                None if same_key => self.variable(xml, "businessKey"),
                None => None,
            },
        })
    }

    pub(super) fn deduplicate(&mut self, xml: Xml<'a>) -> Option<crate::model::Deduplicate> {
        use crate::model::Deduplicate;
        let written = zhulu_attr(xml, "deduplicate")?;
        match written {
            "never" => Some(Deduplicate::Never),
            "whole" => Some(Deduplicate::Whole),
            "consecutive" => Some(Deduplicate::Consecutive),
            _ => {
                self.setting(xml, "zhulu:deduplicate", written, "never, whole, consecutive");
                None
            }
        }
    }

    /// Says that a setting has a value that is not known.
    pub(super) fn setting(&mut self, at: Xml<'a>, setting: &str, written: &str, allowed: &str) {
        self.error(
            "setting-invalid",
            at,
            format!("{setting} of {} is \"{written}\"; it can be: {allowed}.", label(at)),
            format!("{} 的 {setting} 为“{written}”;可取值:{allowed}。", label(at)),
        );
    }
}

/// The name of a process that is not in this file: a prefix says nothing then, an expression is left alone.
fn local_call(written: &str) -> &str {
    if written.contains('{') { written } else { local(written) }
}
