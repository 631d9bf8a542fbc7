//! What events wait for and what they make happen.

use super::Compiler;
use crate::{
    bpmn::source::{Xml, attr, engine_attr, flag, id, is_true, kid, kid_text, kids_of, label, local, name, text, zhulu_attr},
    model::{Catch, Text, Throw, ThrowResult, Timer, TimerCalendar, TimerKind, Trigger},
};

/// The calendar of working days, as dialects name it (`flowable:businessCalendarName`).
const WORKING_DAYS: [&str; 3] = ["workingDays", "workingDay", "working-days"];

impl<'a> Compiler<'_, 'a> {
    pub(super) fn catch(&mut self, event: Xml<'a>) -> Catch {
        let definitions = self.source.event_definitions(event);
        Catch {
            triggers: definitions
                .into_iter()
                .filter_map(|definition| self.trigger(definition, event))
                .collect(),
            parallel: flag(event, "parallelMultiple", false),
            outputs: self.event_outputs(event),
        }
    }

    pub(super) fn throw(&mut self, event: Xml<'a>) -> Throw {
        let definitions = self.source.event_definitions(event);
        Throw {
            results: definitions
                .into_iter()
                .filter_map(|definition| self.result(definition, event))
                .collect(),
            inputs: self.event_inputs(event),
        }
    }

    fn trigger(&mut self, definition: Xml<'a>, event: Xml<'a>) -> Option<Trigger> {
        Some(match name(definition) {
            "timerEventDefinition" => Trigger::Timer(self.timer(definition)?),
            "messageEventDefinition" => Trigger::Message(self.message(definition, event)?),
            "signalEventDefinition" => Trigger::Signal(self.signal(definition)?),
            "errorEventDefinition" => Trigger::Error(self.code(definition, "errorRef", "errorCode")),
            "escalationEventDefinition" => Trigger::Escalation(self.code(definition, "escalationRef", "escalationCode")),
            "conditionalEventDefinition" => Trigger::Condition(self.formal(kid(definition, "condition")?)?),
            "linkEventDefinition" => Trigger::Link(attr(definition, "name")?.to_owned()),
            "compensateEventDefinition" => Trigger::Compensation,
            "cancelEventDefinition" => Trigger::Cancel,
            _ => return None, // The rules of events say which may stand where.
        })
    }

    pub(super) fn result(&mut self, definition: Xml<'a>, event: Xml<'a>) -> Option<ThrowResult> {
        Some(match name(definition) {
            "messageEventDefinition" => ThrowResult::Message(self.message(definition, event)?),
            "signalEventDefinition" => ThrowResult::Signal(self.signal(definition)?),
            "errorEventDefinition" => ThrowResult::Error(self.code(definition, "errorRef", "errorCode").unwrap_or_default()),
            "escalationEventDefinition" => {
                ThrowResult::Escalation(self.code(definition, "escalationRef", "escalationCode").unwrap_or_default())
            }
            "compensateEventDefinition" => ThrowResult::Compensation {
                activity: attr(definition, "activityRef").map(|activity| local(activity).into()),
                wait: flag(definition, "waitForCompletion", true),
            },
            "linkEventDefinition" => ThrowResult::Link(self.link_target(definition)?),
            "terminateEventDefinition" => ThrowResult::Terminate,
            "cancelEventDefinition" => ThrowResult::Cancel,
            _ => return None, // As above.
        })
    }

    /// The link that a throwing link leads to: the one that it refers to, else the one of its name.
    fn link_target(&self, definition: Xml<'a>) -> Option<String> {
        let referred = kid_text(definition, "target").and_then(|target| self.source.referred(&target));
        let link = referred
            .and_then(|target| attr(target, "name"))
            .or_else(|| attr(definition, "name"))?;
        Some(link.to_owned())
    }

    fn signal(&mut self, definition: Xml<'a>) -> Option<Text> {
        let reference = attr(definition, "signalRef")?;
        let signal = self.source.referred(reference).filter(|found| name(*found) == "signal");
        let name = signal.and_then(|signal| attr(signal, "name").or_else(|| id(signal)));
        self.text_value(definition, name.unwrap_or_else(|| local(reference)))
    }

    /// The code of an error or an escalation: the code, or the id of what has none.
    fn code(&self, definition: Xml<'a>, reference: &'static str, code: &'static str) -> Option<String> {
        let reference = attr(definition, reference)?;
        let declared = self.source.referred(reference);
        let code = declared.and_then(|declared| attr(declared, code).or_else(|| id(declared)));
        Some(code.unwrap_or_else(|| local(reference)).to_owned())
    }

    /// The name that an event definition goes by: of its signal or message, or the code of its error or escalation.
    pub(super) fn event_name(&mut self, definition: Xml<'a>) -> Option<String> {
        let text = match name(definition) {
            "signalEventDefinition" => self.signal(definition)?,
            "messageEventDefinition" => self.message(definition, definition)?.name,
            "errorEventDefinition" => return self.code(definition, "errorRef", "errorCode"),
            "escalationEventDefinition" => return self.code(definition, "escalationRef", "escalationCode"),
            _ => return None,
        };
        match text {
            Text::Plain(name) => Some(name.to_string()),
            Text::Computed(_) => {
                self.error(
                    "event-name-computed",
                    definition,
                    format!("{} is thrown by name; its name must be a plain text.", label(definition)),
                    format!("{} 按名称抛出,其名称必须是普通文本。", label(definition)),
                );
                None
            }
        }
    }

    pub(super) fn timer(&mut self, definition: Xml<'a>) -> Option<Timer> {
        type Make = fn(Text) -> TimerKind;
        let kinds: [(&str, Make); 3] = [
            ("timeDate", TimerKind::Date),
            ("timeDuration", TimerKind::Duration),
            ("timeCycle", TimerKind::Cycle),
        ];
        let (when, make) = kinds
            .into_iter()
            .find_map(|(name, make)| Some((kid(definition, name)?, make)))?;
        let written = text(when);
        if written.is_empty() {
            return None; // The rule of timers says so.
        }
        let kind = make(self.time(when, &written)?);
        Some(Timer {
            kind,
            calendar: calendar(definition),
            pausable: zhulu_attr(definition, "pausable").is_some_and(is_true),
        })
    }

    /// A time as written: ISO 8601, `${…}` or `=feel`.
    pub(super) fn time(&mut self, at: Xml<'a>, written: &str) -> Option<Text> {
        self.text_value(at, written)
    }

    fn event_inputs(&mut self, event: Xml<'a>) -> Vec<crate::model::Mapping> {
        let mut inputs = self.associations(event, "dataInputAssociation");
        inputs.extend(self.engine_parameters(event, "in"));
        inputs
    }

    fn event_outputs(&mut self, event: Xml<'a>) -> Vec<crate::model::Mapping> {
        let mut outputs = self.associations(event, "dataOutputAssociation");
        outputs.extend(self.engine_parameters(event, "out"));
        outputs
    }

    /// `complexBehaviorDefinition`: each condition and the event that it throws.
    pub(super) fn complex_behaviours(&mut self, multi: Xml<'a>) -> Vec<(crate::expression::Expression, Throw)> {
        let mut behaviours = Vec::new();
        for definition in kids_of(multi, "complexBehaviorDefinition") {
            let condition = kid(definition, "condition").and_then(|condition| self.formal(condition));
            let event = kid(definition, "event").map(|event| self.throw(event));
            if let Some(condition) = condition {
                behaviours.push((condition, event.unwrap_or_default()));
            }
        }
        behaviours
    }
}

/// What a timer counts in.
pub(super) fn calendar(at: Xml<'_>) -> TimerCalendar {
    let named = engine_attr(at, "businessCalendarName").is_some_and(|name| WORKING_DAYS.contains(&name));
    if named || zhulu_attr(at, "workingDays").is_some_and(is_true) {
        TimerCalendar::WorkingDays
    } else {
        TimerCalendar::Natural
    }
}
