//! Events: what they wait for and what they make happen.

use roxmltree::Node;

use super::{
    roots::Reader,
    xml::{BPMN, ZHULU, child, children, extra, flag, is_bpmn, local, text_of},
};
use crate::model::{Catch, Mapping, Message, Text, Throw, ThrowResult, Timer, TimerCalendar, TimerKind, Trigger};

impl<'a> Reader<'a> {
    /// The definitions of an event: its own, and those of the root that it refers to.
    fn event_definitions_of(&mut self, node: &Node<'a, 'a>) -> Vec<Node<'a, 'a>> {
        let mut found = Vec::new();
        for at in node.children().filter(|at| at.tag_name().namespace() == Some(BPMN)) {
            if is_bpmn(&at, "eventDefinitionRef") {
                let reference = text_of(&at);
                match self.event_definitions.get(local(&reference)) {
                    Some(definition) => found.push(*definition),
                    None => self.wrong(
                        "eventDefinitionRef",
                        &at,
                        format!("there is no event definition {reference}"),
                        format!("事件定义 {reference} 不存在"),
                    ),
                }
            } else if at.tag_name().name().ends_with("EventDefinition") {
                found.push(at);
            }
        }
        found
    }

    pub(super) fn catch(&mut self, node: &Node<'a, 'a>) -> Catch {
        let definitions = self.event_definitions_of(node);
        let triggers = definitions.iter().filter_map(|at| self.trigger(at)).collect();
        Catch {
            triggers,
            parallel: flag(node, "parallelMultiple", false),
            outputs: self.data_associations(node).1,
        }
    }

    pub(super) fn throw(&mut self, node: &Node<'a, 'a>) -> Throw {
        let definitions = self.event_definitions_of(node);
        let results = definitions.iter().filter_map(|at| self.result(at, node)).collect();
        Throw {
            results,
            inputs: self.data_associations(node).0,
        }
    }

    fn trigger(&mut self, at: &Node<'a, 'a>) -> Option<Trigger> {
        Some(match at.tag_name().name() {
            "timerEventDefinition" => Trigger::Timer(self.timer(at)?),
            "messageEventDefinition" => Trigger::Message(self.message(at, at.attribute("messageRef"))?),
            "signalEventDefinition" => Trigger::Signal(self.signal(at)?),
            "errorEventDefinition" => Trigger::Error(self.code(at, "errorRef")),
            "escalationEventDefinition" => Trigger::Escalation(self.code(at, "escalationRef")),
            "conditionalEventDefinition" => {
                let condition = child(at, "condition")?;
                Trigger::Condition(self.expression(&condition, &text_of(&condition))?)
            }
            "linkEventDefinition" => Trigger::Link(at.attribute("name").unwrap_or_default().to_owned()),
            "compensateEventDefinition" => Trigger::Compensation,
            "cancelEventDefinition" => Trigger::Cancel,
            other => {
                self.wrong(
                    "eventDefinition",
                    at,
                    format!("an event cannot wait for a {other}"),
                    format!("捕获事件不支持 {other}"),
                );
                return None;
            }
        })
    }

    fn result(&mut self, at: &Node<'a, 'a>, event: &Node<'a, 'a>) -> Option<ThrowResult> {
        Some(match at.tag_name().name() {
            "messageEventDefinition" => ThrowResult::Message(self.message(at, at.attribute("messageRef"))?),
            "signalEventDefinition" => ThrowResult::Signal(self.signal(at)?),
            "errorEventDefinition" => ThrowResult::Error(self.code(at, "errorRef").unwrap_or_default()),
            "escalationEventDefinition" => ThrowResult::Escalation(self.code(at, "escalationRef").unwrap_or_default()),
            "linkEventDefinition" => ThrowResult::Link(at.attribute("name").unwrap_or_default().to_owned()),
            "compensateEventDefinition" => ThrowResult::Compensation {
                activity: at.attribute("activityRef").map(|activity| local(activity).into()),
                wait: flag(at, "waitForCompletion", true),
            },
            "terminateEventDefinition" if is_bpmn(event, "endEvent") => ThrowResult::Terminate,
            "cancelEventDefinition" if is_bpmn(event, "endEvent") => ThrowResult::Cancel,
            other => {
                self.wrong(
                    "eventDefinition",
                    at,
                    format!("this event cannot throw a {other}"),
                    format!("抛出事件不支持 {other}"),
                );
                return None;
            }
        })
    }

    fn signal(&mut self, at: &Node<'a, 'a>) -> Option<Text> {
        let reference = at.attribute("signalRef")?;
        let name = self.name_of(at, reference);
        self.text(at, &name)
    }

    fn code(&mut self, at: &Node<'a, 'a>, attribute: &str) -> Option<String> {
        let reference = at.attribute(attribute)?;
        Some(self.name_of(at, reference))
    }

    pub(super) fn message(&mut self, at: &Node<'a, 'a>, reference: Option<&str>) -> Option<Message> {
        let name = self.name_of(at, reference?);
        let correlation = extra(at, "correlationKey").and_then(|key| self.expression(at, key));
        Some(Message {
            name: self.text(at, &name)?,
            correlation,
        })
    }

    /// A timer with its date, duration or cycle.
    pub(super) fn timer(&mut self, at: &Node<'a, 'a>) -> Option<Timer> {
        let found = ["timeDate", "timeDuration", "timeCycle"]
            .into_iter()
            .find_map(|name| child(at, name));
        let Some(found) = found else {
            self.wrong("timer", at, "a timer needs a date, a duration or a cycle", "定时器缺少时间");
            return None;
        };
        let text = self.text(&found, &text_of(&found))?;
        let kind = match found.tag_name().name() {
            "timeDate" => TimerKind::Date(text),
            "timeDuration" => TimerKind::Duration(text),
            _ => TimerKind::Cycle(text),
        };
        let is_set = |name: &str| at.attribute((ZHULU, name)) == Some("true");
        let calendar = if is_set("workingDays") || extra(at, "businessCalendarName") == Some("workingDays") {
            TimerCalendar::WorkingDays
        } else {
            TimerCalendar::Natural
        };
        Some(Timer {
            kind,
            calendar,
            pausable: is_set("pausable"),
        })
    }

    /// What goes in and what comes out.
    pub(super) fn data_associations(&mut self, node: &Node<'a, 'a>) -> (Vec<Mapping>, Vec<Mapping>) {
        let mut inputs = Vec::new();
        let mut outputs = Vec::new();
        for (name, into) in [("dataInputAssociation", &mut inputs), ("dataOutputAssociation", &mut outputs)] {
            for association in children(node, name) {
                let assignments: Vec<_> = children(&association, "assignment").collect();
                for assignment in &assignments {
                    let (Some(from), Some(to)) = (child(assignment, "from"), child(assignment, "to")) else {
                        continue;
                    };
                    if let Some(value) = self.expression(&from, &text_of(&from)) {
                        into.push(Mapping {
                            target: text_of(&to),
                            value,
                        });
                    }
                }
            }
        }
        for extension in super::xml::extensions(node) {
            let into = match extension.tag_name().name() {
                "in" => &mut inputs,
                "out" => &mut outputs,
                _ => continue,
            };
            let source = extension.attribute("sourceExpression").or(extension.attribute("source"));
            if let (Some(source), Some(target)) = (source, extension.attribute("target"))
                && let Some(value) = self.expression(&extension, source)
            {
                into.push(Mapping {
                    target: target.to_owned(),
                    value,
                });
            }
        }
        (inputs, outputs)
    }
}
