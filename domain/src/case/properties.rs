//! What holds whatever is asked, by whom and in whichever order.
#![allow(clippy::unwrap_used)]

use chrono::{Days, NaiveDate};
use decider::{Decider, replay};
use proptest::prelude::*;

use super::{CaseCommand, CaseEvent, Command, Event, Kernel, LimitKind, NumberKind, Stage, Told, matrix};
use crate::{
    case_types::construction_permit::{
        self as permit, ConstructionPermit, Finding,
        testing::{Permit, Story, assign, day, desk_of, fire},
    },
    rules::Rules,
};

/// Who may be asking.
const PEOPLE: [&str; 7] = ["client", "wang", "zhang", "zhou", "li", "chen", "system"];

const TIMERS: [&str; 6] = [
    "correctionNotice",
    "correctionReply",
    "statutory",
    "promisedYellow",
    "startConstruction",
    "tolerance:M06",
];

/// One question: what (by its place in the list of all commands), who (by habit, or somebody else), how many days later.
#[derive(Debug, Clone)]
struct Question {
    what: usize,
    who: Option<usize>,
    days_later: u64,
}

fn question() -> impl Strategy<Value = Question> {
    let who = prop_oneof![4 => Just(None), 1 => (0..PEOPLE.len()).prop_map(Some)];
    let days_later = prop_oneof![6 => Just(0), 3 => 1..4_u64, 1 => 20..200_u64];
    (0..110_usize, who, days_later).prop_map(|(what, who, days_later)| Question { what, who, days_later })
}

/// Any command there is, a timer, or more often than not the next step of the way that most cases go: so that stories get far.
fn asked(story: &Story, question: &Question) -> (&'static str, CaseCommand<ConstructionPermit>) {
    let stage = story.state.kernel.stage;
    let kernel = matrix::commands(stage);
    let own = own_commands(story.state.own.issued_on);
    let (who, command) = match question.what {
        what if what < kernel.len() => kernel[what].clone(),
        what if what < kernel.len() + own.len() => return ("li", CaseCommand::Own(own[what - kernel.len()].clone())),
        what if what < kernel.len() + own.len() + TIMERS.len() => ("system", fire(TIMERS[what - kernel.len() - own.len()])),
        _ => next_step(story, &kernel),
    };
    (who, CaseCommand::Kernel(command))
}

fn next_step(story: &Story, commands: &[(&'static str, Command)]) -> (&'static str, Command) {
    let name = match story.state.kernel.stage {
        Stage::Draft => "Submit",
        Stage::Received => "Accept",
        Stage::AwaitingCorrection => "SupplyCorrection",
        Stage::Accepted => return ("li", assign("zhang")),
        Stage::UnderReview => match &story.state.kernel.handler {
            Some(handler) if handler.id == "zhang" => "CompleteReview",
            _ => return ("li", assign("zhang")),
        },
        Stage::Suspended => "Resume",
        Stage::PendingApproval => "ApproveBySection",
        Stage::PendingDecision => "Grant",
        Stage::WithdrawPending => "DeclineWithdrawal",
        Stage::Granted | Stage::GrantedTolerance if story.state.own.permit_no.is_none() => return ("system", number()),
        Stage::Granted | Stage::GrantedTolerance | Stage::Refused => "Deliver",
        _ => "Archive",
    };
    let named = |(_, command): &&(&'static str, Command)| <&str>::from(command) == name;
    commands.iter().find(named).cloned().unwrap()
}

fn number() -> Command {
    Command::AssignNumber {
        kind: NumberKind::Licence,
        number: "330109202609180101".into(),
        wanted_by: uuid::Uuid::from_u128(7),
    }
}

fn own_commands(issued_on: Option<NaiveDate>) -> Vec<permit::Command> {
    let on = issued_on.unwrap_or_else(|| day("2026-09-18"));
    let findings = vec![Finding {
        condition: "资金".into(),
        passed: true,
        note: String::new(),
    }];
    vec![
        permit::Command::ReportStart { started_on: on },
        permit::Command::RequestStartExtension { reason: "融资".into() },
        permit::Command::GrantStartExtension { months: 3 },
        permit::Command::RefuseStartExtension { reason: "不符".into() },
        permit::Command::ReportSuspension {
            halted_on: on,
            reason: "资金".into(),
            maintenance_plan: "看护".into(),
        },
        permit::Command::ReportResumption,
        permit::Command::RequestRecheck,
        permit::Command::RecordRecheck {
            findings,
            second_officer: "zhou".into(),
        },
        permit::Command::AmendPermit {
            field: "scale".into(),
            new: "六层".into(),
            basis: "变更".into(),
        },
        permit::Command::ReplacePermit { reason: "污损".into() },
        permit::Command::FileCompletion { filing_no: "BA1".into() },
    ]
}

/// Every way from stage to stage that the law knows.
#[allow(clippy::match_same_arms, reason = "a line for each way, as the law has")]
fn is_a_way(from: Stage, to: Stage) -> bool {
    use Stage as S;
    let in_hand = |stage| {
        matches!(
            stage,
            S::Accepted | S::UnderReview | S::Suspended | S::PendingApproval | S::PendingDecision
        )
    };
    from == to
        || match (from, to) {
            (S::Draft | S::RolledBack, S::Received | S::UnderReview | S::Granted | S::Refused) => true,
            (S::Received, S::AwaitingCorrection | S::Accepted | S::UnderReview | S::NotRequired | S::OutOfScope) => true,
            (S::AwaitingCorrection, S::Received | S::Withdrawn) => true,
            (S::Accepted | S::PendingApproval, S::UnderReview) => true,
            (S::UnderReview | S::PendingDecision, S::PendingApproval) => true,
            (S::PendingApproval, S::PendingDecision) | (S::PendingDecision, S::UnderReview) => true,
            (S::Suspended, to) => in_hand(to) || to == S::WithdrawPending,
            (from, S::Suspended) => in_hand(from) || from == S::WithdrawPending,
            (from, S::WithdrawPending) => in_hand(from) || matches!(from, S::Received | S::AwaitingCorrection),
            (S::WithdrawPending, to) => in_hand(to) || matches!(to, S::Received | S::AwaitingCorrection | S::Withdrawn),
            (S::PendingDecision, S::Granted | S::GrantedTolerance | S::Refused) => true,
            (S::Granted | S::GrantedTolerance, S::Delivered | S::Revoked | S::Cancelled) => true,
            (S::Refused, S::Delivered) | (S::Delivered, S::Revoked | S::Cancelled) => true,
            (S::Delivered | S::NotRequired | S::OutOfScope | S::Withdrawn | S::Revoked | S::Cancelled, S::Archived) => true,
            (_, S::RolledBack) => true,
            _ => false,
        }
}

fn due(case: &Kernel, rules: &Rules) -> Option<NaiveDate> {
    case.due(LimitKind::Statutory, rules).map(|due| due.on)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_the_law_holds(questions in prop::collection::vec(question(), 1..60)) {
        let rules = Rules::embedded();
        let mut story = Story::default();
        let mut today = day("2026-01-05");
        for question in &questions {
            today = today + Days::new(question.days_later);
            let (by_habit, command) = asked(&story, question);
            let who = question.who.map_or(by_habit, |who| PEOPLE[who]);
            let Ok(events) = Permit::decide(&story.state, &command, &desk_of(who, &today.to_string())) else { continue };
            for event in events {
                let (stage, due_before) = (story.state.kernel.stage, due(&story.state.kernel, &rules));
                Permit::evolve(&mut story.state, &event);
                let after = &story.state.kernel;
                prop_assert!(is_a_way(stage, after.stage), "{stage} to {} by {event:?}", after.stage);
                if let CaseEvent::Kernel(Event::ClockSuspended { .. } | Event::ClockResumed { .. }) = &event {
                    prop_assert!(due(after, &rules) >= due_before, "a pause made the limit end earlier: {event:?}");
                }
                let (name, data) = event.write().unwrap();
                prop_assert_eq!(&CaseEvent::<ConstructionPermit>::read(&name, &data).unwrap(), &event);
                story.events.push(event);
            }
            // Whatever can be told is told without a panic.
            let _ = (story.state.deadlines(&rules), story.state.tasks(), story.state.facts(), story.state.phase());
            let _ = (story.state.kernel.on_time(LimitKind::Promised, &rules), story.state.kernel.handling_working_days(&rules));
        }
        prop_assert_eq!(&replay::<Permit>(&story.events), &story.state, "history tells the same state");
    }

    #[test]
    fn events_in_any_order_fold(order in prop::collection::vec((0..80_usize, 0..400_u64), 0..40)) {
        let mut kernel = Kernel::default();
        let mut all = matrix::stories().into_iter().flat_map(|(_, story)| story.events).collect::<Vec<_>>();
        all.dedup();
        for (place, _) in order {
            if let Some(CaseEvent::Kernel(event)) = all.get(place) {
                super::evolve::evolve(&mut kernel, event);
                let _ = (kernel.deadlines(&Rules::embedded()), kernel.tasks());
            }
        }
    }
}

#[test]
fn the_way_that_most_cases_go_leads_to_a_delivered_permit() {
    let story = (0..8).fold(Story::default(), |story, _| {
        let (who, command) = next_step(&story, &matrix::commands(story.state.kernel.stage));
        story.then("2026-01-05", who, command)
    });
    assert_eq!(story.state.kernel.stage, Stage::Delivered);
    assert!(story.state.own.permit_no.is_some());
}
