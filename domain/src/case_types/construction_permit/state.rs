//! What a construction permit remembers after the decision, and what its own law makes due.

use std::borrow::Cow;

use chrono::NaiveDate;
use serde::Serialize;

use super::{ConstructionPermit, Event, PermitFace, START_TIMER, corresponding_day, face, months};
use crate::{
    case::{CaseState, Deadline, Task},
    rules::Rules,
};

/// Where the permit stands after it was issued.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, strum::Display, strum::IntoStaticStr, strum::EnumString,
)]
pub enum Phase {
    /// 已发证, not started.
    Issued,
    /// 在建
    Active,
    /// 中止施工
    Halted,
    /// 核验中
    Recheck,
    /// 自行废止
    Lapsed,
    /// 已注销
    Cancelled,
    /// 已竣工
    Closed,
}

impl Phase {
    /// 中文名称
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::Issued => "已发证",
            Self::Active => "在建",
            Self::Halted => "中止施工",
            Self::Recheck => "核验中",
            Self::Lapsed => "自行废止",
            Self::Cancelled => "已注销",
            Self::Closed => "已竣工",
        }
    }

    /// Whether works may go on, or go on again, under the permit.
    pub fn is_in_force(self) -> bool {
        matches!(self, Self::Issued | Self::Active | Self::Halted | Self::Recheck)
    }
}

/// What a construction permit remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of the events that set them")]
pub struct State {
    pub phase: Option<Phase>,
    /// Since when it stands there.
    pub phase_since: Option<NaiveDate>,
    pub permit_no: Option<String>,
    /// What the permit says now, amendments included.
    pub face: Option<Box<PermitFace>>,
    pub issued_on: Option<NaiveDate>,
    pub start_by: Option<NaiveDate>,
    pub started_on: Option<NaiveDate>,
    pub extensions: Vec<StartExtension>,
    /// When a request for an extension was made that waits for its answer.
    pub extension_asked_on: Option<NaiveDate>,
    pub halted_on: Option<NaiveDate>,
    pub recheck_asked_on: Option<NaiveDate>,
    pub replacements: u32,
    pub filing_no: Option<String>,
}

/// One granted extension of the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct StartExtension {
    pub sequence: u8,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

impl State {
    fn enter(&mut self, phase: Phase, on: NaiveDate) {
        self.phase = Some(phase);
        self.phase_since = Some(on);
    }
}

pub(super) fn evolve(state: &mut State, event: &Event) {
    match event {
        Event::PermitIssued {
            permit_no,
            face,
            issued_on,
            start_by,
        } => {
            state.permit_no = Some(permit_no.clone());
            state.face = Some(face.clone());
            state.issued_on = Some(*issued_on);
            state.start_by = Some(*start_by);
            state.enter(Phase::Issued, *issued_on);
        }
        Event::ConstructionStarted { on, .. } => {
            state.started_on = Some(*on);
            state.extension_asked_on = None;
            state.enter(Phase::Active, *on);
        }
        Event::StartExtensionRequested { on, .. } => state.extension_asked_on = Some(*on),
        Event::StartExtensionGranted { sequence, from, to, .. } => {
            state.extension_asked_on = None;
            state.start_by = Some(*to);
            state.extensions.push(StartExtension {
                sequence: *sequence,
                from: *from,
                to: *to,
            });
        }
        Event::StartExtensionRefused { .. } => state.extension_asked_on = None,
        Event::ConstructionSuspendedReported { halted_on, .. } => {
            state.halted_on = Some(*halted_on);
            state.enter(Phase::Halted, *halted_on);
        }
        Event::ResumptionReported { on } => {
            state.halted_on = None;
            state.enter(Phase::Active, *on);
        }
        Event::RecheckRequested { on } => {
            state.recheck_asked_on = Some(*on);
            state.enter(Phase::Recheck, *on);
        }
        Event::RecheckPassed { on, .. } => {
            state.halted_on = None;
            state.recheck_asked_on = None;
            state.enter(Phase::Active, *on);
        }
        Event::RecheckFailed { on, .. } => {
            state.recheck_asked_on = None;
            state.enter(Phase::Cancelled, *on);
        }
        Event::PermitAmended { field, new, .. } => {
            if let Some(face) = state.face.as_mut() {
                // What was amended was checked then; what no longer parses leaves the face as it was.
                let _ = face::set(face, field, new);
            }
        }
        Event::PermitReplaced { .. } => state.replacements += 1,
        Event::PermitLapsed { due_on } => state.enter(Phase::Lapsed, *due_on),
        Event::CompletionFiled { filing_no, on } => {
            state.filing_no = Some(filing_no.clone());
            state.enter(Phase::Closed, *on);
        }
    }
}

pub(super) fn deadlines(case: &CaseState<ConstructionPermit>, rules: &Rules) -> Vec<Deadline> {
    let own = &case.own;
    if !case.kernel.stage_has_licence() {
        return Vec::new();
    }
    match (own.phase, own.start_by, own.halted_on) {
        (Some(Phase::Issued), Some(start_by), _) => vec![Deadline {
            kind: Cow::Borrowed(START_TIMER),
            name_zh: "开工期限",
            due_on: start_by,
            // A request made in time is answered before the permit lapses.
            fires_on: if own.extension_asked_on.is_some() {
                None
            } else {
                start_by.succ_opt()
            },
            provisional: is_provisional(case, start_by, rules),
        }],
        (Some(Phase::Halted), _, Some(halted_on)) => {
            let Ok(months) = months(&case.kernel, rules, "recheck_after_months") else {
                return Vec::new();
            };
            let Some(due_on) = corresponding_day(halted_on, months).pred_opt() else {
                return Vec::new();
            };
            vec![Deadline {
                kind: Cow::Borrowed("resumeWithoutRecheck"),
                name_zh: "免核验恢复施工期限",
                due_on,
                fires_on: None,
                provisional: false,
            }]
        }
        _ => Vec::new(),
    }
}

/// The end of the time for starting reaches a year whose calendar is not published yet.
fn is_provisional(case: &CaseState<ConstructionPermit>, on: NaiveDate, rules: &Rules) -> bool {
    chrono::Datelike::year(&on) > case.kernel.calendar(rules).published_through()
}

pub(super) fn tasks(case: &CaseState<ConstructionPermit>) -> Vec<Task> {
    let own = &case.own;
    if !case.kernel.stage_has_licence() {
        return Vec::new();
    }
    let task = |key, name_zh, role, since| Task {
        key,
        name_zh,
        role,
        assignee: None,
        since,
    };
    let extension = own
        .extension_asked_on
        .map(|on| task("answerStartExtension", "答复开工延期申请", "sectionChief", on));
    let recheck = own.recheck_asked_on.map(|on| task("recheck", "核验", "inspector", on));
    extension.into_iter().chain(recheck).collect()
}
