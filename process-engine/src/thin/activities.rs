//! Tasks, calls, ad-hoc sub-processes, loops.

use roxmltree::Node;

use super::{
    roots::Reader,
    xml::{child, extensions, extra, flag, is_bpmn, local, text_of},
};
use crate::model::{
    AdHoc, Call, DecisionCall, Job, Multi, MultiBehavior, NodeKind, Over, Repetition, Retry, Script, Sending, Task, Text, Work,
};

impl<'a> Reader<'a> {
    pub(super) fn task(&mut self, node: &Node<'a, 'a>) -> Option<Task> {
        let work = match node.tag_name().name() {
            "task" => Work::Nothing,
            "manualTask" => Work::Manual,
            "userTask" => Work::User(Box::new(self.user_task(node))),
            "serviceTask" => Work::Service(Box::new(self.job(node)?)),
            "scriptTask" => Work::Script(self.script(node)?),
            "businessRuleTask" => Work::Decision(self.decision(node)?),
            "sendTask" => Work::Send(self.sending(node)),
            _ => Work::Receive {
                message: self.message(node, node.attribute("messageRef")),
                instantiate: flag(node, "instantiate", false),
            },
        };
        Some(Task { work })
    }

    fn sending(&mut self, node: &Node<'a, 'a>) -> Sending {
        let message = self.message(node, node.attribute("messageRef"));
        let job = if message.is_none() {
            self.job(node).map(Box::new)
        } else {
            None
        };
        Sending { message, job }
    }

    fn job(&mut self, node: &Node<'a, 'a>) -> Option<Job> {
        let names = ["job", "type", "topic", "class", "delegateExpression", "expression"];
        let found = names.into_iter().find_map(|name| extra(node, name));
        let kind = match found.or(node.attribute("implementation")).or(node.attribute("operationRef")) {
            // What a bean or class was called is the job's kind, not something to compute.
            Some(kind) => Text::Plain(kind.trim_start_matches("${").trim_end_matches('}').into()),
            None => Text::Plain(node.attribute("id").unwrap_or_default().into()),
        };
        let mut fields = Vec::new();
        for field in extensions(node).filter(|extension| extension.tag_name().name() == "field") {
            let value = field
                .attribute("stringValue")
                .or(field.attribute("expression"))
                .map(str::to_owned)
                .or_else(|| field.children().find(Node::is_element).map(|value| text_of(&value)))
                .unwrap_or_default();
            if let (Some(name), Some(value)) = (field.attribute("name"), self.text(&field, &value)) {
                fields.push((name.to_owned(), value));
            }
        }
        Some(Job {
            kind,
            fields,
            result_variable: extra(node, "resultVariable").map(str::to_owned),
            retry: Retry::default(),
        })
    }

    fn script(&mut self, node: &Node<'a, 'a>) -> Option<Script> {
        let format = node.attribute("scriptFormat").unwrap_or_default();
        let text = child(node, "script").map(|script| text_of(&script)).unwrap_or_default();
        if format.to_ascii_lowercase().contains("feel") {
            return Some(Script::Feel {
                expression: self.expression(node, &text)?,
                result_variable: extra(node, "resultVariable").map(str::to_owned),
            });
        }
        if !self.options.foreign_scripts {
            self.wrong(
                "script",
                node,
                format!("scripts are written in FEEL, not in {format:?}"),
                "脚本必须使用 FEEL",
            );
            return None;
        }
        Some(Script::Foreign {
            format: format.to_owned(),
            text,
        })
    }

    fn decision(&mut self, node: &Node<'a, 'a>) -> Option<DecisionCall> {
        let names = ["decision", "decisionRef", "decisionTableReferenceKey"];
        let field = extensions(node)
            .find(|field| field.attribute("name") == Some("decisionTableReferenceKey"))
            .and_then(|field| {
                let inner = field.children().find(Node::is_element).map(|value| text_of(&value));
                inner.or(field.attribute("stringValue").map(str::to_owned))
            });
        let name = names
            .into_iter()
            .find_map(|name| extra(node, name))
            .map(str::to_owned)
            .or(field);
        let Some(name) = name else {
            self.wrong(
                "decision",
                node,
                "a business rule task needs a decision",
                "业务规则任务缺少决策表",
            );
            return None;
        };
        Some(DecisionCall {
            decision: self.text(node, &name)?,
            result_variable: extra(node, "resultVariable").map(str::to_owned),
        })
    }

    pub(super) fn call(&mut self, node: &Node<'a, 'a>) -> Option<Call> {
        let Some(called) = node.attribute("calledElement") else {
            self.wrong(
                "calledElement",
                node,
                "a call needs the process that it calls",
                "调用活动缺少被调用流程",
            );
            return None;
        };
        let (inputs, outputs) = self.data_associations(node);
        Some(Call {
            called: if called.contains("${") {
                self.text(node, called)?
            } else {
                Text::Plain(local(called).into())
            },
            inherit_variables: extra(node, "inheritVariables") == Some("true"),
            inputs,
            outputs,
            business_key: extra(node, "businessKey").and_then(|key| self.expression(node, key)),
        })
    }

    pub(super) fn ad_hoc(&mut self, node: &Node<'a, 'a>) -> AdHoc {
        AdHoc {
            sequential: node.attribute("ordering") == Some("Sequential"),
            completion: child(node, "completionCondition").and_then(|at| self.expression(&at, &text_of(&at))),
            cancel_remaining: flag(node, "cancelRemainingInstances", true),
        }
    }

    pub(super) fn repetition(&mut self, node: &Node<'a, 'a>, kind: &NodeKind) -> Repetition {
        if let Some(standard) = child(node, "standardLoopCharacteristics") {
            return Repetition::Standard {
                test_before: flag(&standard, "testBefore", false),
                condition: child(&standard, "loopCondition").and_then(|at| self.expression(&at, &text_of(&at))),
                maximum: standard.attribute("loopMaximum").and_then(|text| text.trim().parse().ok()),
            };
        }
        if let Some(multi) = child(node, "multiInstanceLoopCharacteristics") {
            return self
                .multi(node, &multi)
                .map_or(Repetition::Once, |multi| Repetition::Multi(Box::new(multi)));
        }
        self.approvers(node, kind).unwrap_or(Repetition::Once)
    }

    fn multi(&mut self, node: &Node<'a, 'a>, multi: &Node<'a, 'a>) -> Option<Multi> {
        let over = self.over(node, multi)?;
        let element_variable = extra(multi, "elementVariable").map(str::to_owned).or_else(|| {
            child(multi, "inputDataItem").and_then(|item| item.attribute("name").or(item.attribute("id")).map(str::to_owned))
        });
        let behavior = match multi.attribute("behavior") {
            Some("None") => MultiBehavior::None(self.behavior_event(multi, "noneBehaviorEventRef")),
            Some("One") => MultiBehavior::One(self.behavior_event(multi, "oneBehaviorEventRef")),
            _ => MultiBehavior::All,
        };
        Some(Multi {
            sequential: flag(multi, "isSequential", false),
            over,
            element_variable,
            index_variable: extra(multi, "elementIndexVariable").map(str::to_owned),
            output: None,
            completion: child(multi, "completionCondition").and_then(|at| self.expression(&at, &text_of(&at))),
            behavior,
            vote: self.vote(node),
        })
    }

    fn over(&mut self, node: &Node<'a, 'a>, multi: &Node<'a, 'a>) -> Option<Over> {
        if let Some(cardinality) = child(multi, "loopCardinality") {
            return self.expression(&cardinality, &text_of(&cardinality)).map(Over::Cardinality);
        }
        let collection = extra(multi, "collection")
            .map(str::to_owned)
            .or_else(|| child(multi, "loopDataInputRef").map(|at| text_of(&at)));
        match collection {
            Some(collection) => self.expression(multi, &collection).map(Over::Collection),
            None if is_bpmn(node, "userTask") => Some(Over::Approvers),
            None => {
                self.wrong(
                    "multiInstance",
                    multi,
                    "a multi-instance activity needs a cardinality or a collection",
                    "多实例缺少基数或集合",
                );
                None
            }
        }
    }

    fn behavior_event(&mut self, multi: &Node<'a, 'a>, name: &str) -> Option<String> {
        multi.attribute(name).map(|reference| local(reference).to_owned())
    }
}
