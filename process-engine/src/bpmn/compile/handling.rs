//! User tasks: when they are due, and what happens on refusal, on delay, when nobody is found, or when it is the starter.

use super::{Compiler, approvals::listed, events::calendar, graph::Draft};
use crate::{
    bpmn::{
        iso,
        source::{Xml, engine_attr, engine_setting, id, is_true, label, name, zhulu_attr},
    },
    model::{OnNobody, OnReject, OnStarter, OnTimeout, TimeoutAction, Timer, TimerKind},
};

impl<'a> Compiler<'_, 'a> {
    pub(super) fn due(&mut self, xml: Xml<'a>) -> Option<Timer> {
        let written = zhulu_attr(xml, "due").or_else(|| engine_attr(xml, "dueDate"))?;
        let time = self.time(xml, written)?;
        let kind = if written.starts_with('P') {
            TimerKind::Duration(time)
        } else {
            TimerKind::Date(time)
        };
        let plain = !written.contains('{') && !written.starts_with('=');
        if plain && iso::duration(written).is_none() && !iso::is_date(written) {
            self.setting(xml, "due", written, "a date or a duration in ISO 8601");
            return None;
        }
        Some(Self::timed(xml, kind))
    }

    fn timed(xml: Xml<'a>, kind: TimerKind) -> Timer {
        Timer {
            kind,
            calendar: calendar(xml),
            pausable: zhulu_attr(xml, "pausable").is_some_and(is_true),
        }
    }

    pub(super) fn on_reject(&mut self, xml: Xml<'a>, draft: &Draft<'a>) -> OnReject {
        let returned = engine_setting(xml, "rejectReturnTaskId").or_else(|| engine_setting(xml, "returnTaskId"));
        let (setting, written) = match zhulu_attr(xml, "onReject") {
            Some(written) => ("zhulu:onReject", written.to_owned()),
            None => match (engine_setting(xml, "rejectHandlerType").as_deref(), returned) {
                (None, _) => return OnReject::GoOn,
                (Some("1"), _) => return OnReject::End,
                (Some("2"), Some(target)) => ("rejectReturnTaskId", format!("return:{target}")),
                (Some(other), _) => ("rejectHandlerType", other.to_owned()),
            },
        };
        match written.split_once(':') {
            None if written == "goOn" => OnReject::GoOn,
            None if written == "end" => OnReject::End,
            Some(("return", target)) if draft.find(target).is_some() => OnReject::ReturnTo(target.into()),
            _ => {
                self.setting(
                    xml,
                    setting,
                    &written,
                    "goOn, end, return: and the id of a node of this process",
                );
                OnReject::GoOn
            }
        }
    }

    pub(super) fn on_nobody(&mut self, xml: Xml<'a>) -> OnNobody {
        let users = || listed(engine_setting(xml, "assignEmptyUserIds").as_deref());
        if let Some(written) = zhulu_attr(xml, "onNobody") {
            return match written.split_once(':') {
                None if written == "incident" => OnNobody::Incident,
                None if written == "approve" => OnNobody::Approve,
                None if written == "reject" => OnNobody::Reject,
                None if written == "administrator" => OnNobody::Administrator,
                Some(("assign", users)) => OnNobody::Assign(listed(Some(users))),
                _ => {
                    self.setting(
                        xml,
                        "zhulu:onNobody",
                        written,
                        "incident, approve, reject, administrator, assign:1,2",
                    );
                    OnNobody::Incident
                }
            };
        }
        match engine_setting(xml, "assignEmptyHandlerType").as_deref() {
            None => OnNobody::Incident,
            Some("1") => OnNobody::Approve,
            Some("2") => OnNobody::Reject,
            Some("3") => OnNobody::Assign(users()),
            Some("4") => OnNobody::Administrator,
            Some(other) => {
                self.setting(xml, "assignEmptyHandlerType", other, "1, 2, 3, 4");
                OnNobody::Incident
            }
        }
    }

    pub(super) fn on_starter(&mut self, xml: Xml<'a>) -> OnStarter {
        let engine = engine_setting(xml, "assignStartUserHandlerType");
        match (zhulu_attr(xml, "onStarter"), engine.as_deref()) {
            (Some("self"), _) | (None, None | Some("1")) => OnStarter::Self_,
            (Some("skip"), _) | (None, Some("2")) => OnStarter::Skip,
            (Some("departmentLeader"), _) | (None, Some("3")) => OnStarter::DepartmentLeader,
            (Some(other), _) => {
                self.setting(xml, "zhulu:onStarter", other, "self, skip, departmentLeader");
                OnStarter::Self_
            }
            (None, Some(other)) => {
                self.setting(xml, "assignStartUserHandlerType", other, "1, 2, 3");
                OnStarter::Self_
            }
        }
    }

    pub(super) fn on_timeout(&mut self, xml: Xml<'a>, draft: &Draft<'a>) -> Option<OnTimeout> {
        if let Some(written) = zhulu_attr(xml, "onTimeout") {
            let action = match written {
                "remind" => TimeoutAction::Remind,
                "approve" => TimeoutAction::Approve,
                "reject" => TimeoutAction::Reject,
                "return" => TimeoutAction::Return,
                _ => {
                    self.setting(xml, "zhulu:onTimeout", written, "remind, approve, reject, return");
                    return None;
                }
            };
            let Some(after) = zhulu_attr(xml, "timeout").filter(|after| is_time(after)) else {
                self.setting(
                    xml,
                    "zhulu:timeout",
                    zhulu_attr(xml, "timeout").unwrap_or_default(),
                    "a duration such as P3D",
                );
                return None;
            };
            let after = self.time(xml, after)?;
            let after = Self::timed(xml, TimerKind::Duration(after));
            let maximum = zhulu_attr(xml, "reminders").and_then(|times| times.parse().ok()).unwrap_or(1);
            return Some(OnTimeout { after, action, maximum });
        }
        let event = *draft.timeouts.get(id(xml)?)?;
        self.engine_timeout(event)
    }

    fn engine_timeout(&mut self, event: Xml<'a>) -> Option<OnTimeout> {
        let action = match engine_setting(event, "timeoutHandlerType").as_deref() {
            Some("1") => TimeoutAction::Remind,
            Some("2") => TimeoutAction::Approve,
            Some("3") => TimeoutAction::Reject,
            other => {
                self.setting(event, "timeoutHandlerType", other.unwrap_or_default(), "1, 2, 3");
                return None;
            }
        };
        let definition = self
            .source
            .event_definitions(event)
            .into_iter()
            .find(|one| name(*one) == "timerEventDefinition");
        let Some(mut after) = definition.and_then(|definition| self.timer(definition)) else {
            self.error(
                "timeout-without-time",
                event,
                format!("{} says what happens on delay but not after what time.", label(event)),
                format!("{} 说明了超时处理方式,但未给出超时时间。", label(event)),
            );
            return None;
        };
        let mut maximum = 1;
        if let TimerKind::Cycle(crate::model::Text::Plain(written)) = &after.kind
            && let Some(cycle) = iso::cycle(written)
        {
            maximum = cycle.times.unwrap_or(u32::MAX);
            after.kind = TimerKind::Duration(crate::model::Text::Plain(cycle.interval.into()));
        }
        Some(OnTimeout { after, action, maximum })
    }
}

fn is_time(written: &str) -> bool {
    written.contains('{') || written.starts_with('=') || iso::duration(written).is_some()
}
