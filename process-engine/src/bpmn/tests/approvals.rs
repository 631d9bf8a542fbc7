//! Approvals, in our words and in those of the designers.

use super::{around, dialect, process, the_node, the_process, user};
use crate::model::{
    Deduplicate, FieldPermission, Method, Multi, NodeKind, OnNobody, OnReject, OnStarter, Over, Process, Repetition, Strategy,
    Text, TimeoutAction, TimerCalendar, TimerKind, VoteRule,
};

fn task(attributes: &str, inside: &str) -> std::sync::Arc<Process> {
    the_process(&dialect(&around(&format!(
        r#"<userTask id="a" {attributes}>{inside}</userTask>"#
    ))))
}

fn settings(inside: &str) -> std::sync::Arc<Process> {
    task("", &format!("<extensionElements>{inside}</extensionElements>"))
}

fn multi(process: &Process) -> &Multi {
    match &the_node(process, "a").activity.as_ref().unwrap().repetition {
        Repetition::Multi(multi) => multi,
        other => panic!("{other:?}"),
    }
}

fn plain(text: Option<&Text>) -> &str {
    match text {
        Some(Text::Plain(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn our_words_say_everything_about_an_approval() {
    let process = task(
        r#"zhulu:candidateGroups="handler" zhulu:vote="ratio:60" zhulu:sequential="true" zhulu:onReject="return:a" zhulu:onTimeout="remind"
        zhulu:timeout="P3D" zhulu:reminders="2" zhulu:workingDays="true" zhulu:pausable="true" zhulu:onNobody="assign:1,2" zhulu:onStarter="skip"
        zhulu:deduplicate="whole" zhulu:opinionRequired="true" zhulu:signatureRequired="true" zhulu:outcomes="补正,退件" zhulu:means="Accept NotAccept"
        zhulu:tolerance="true" zhulu:due="P5D" zhulu:legalBasis="《行政许可法》第四十二条""#,
        r#"<extensionElements><zhulu:copies strategy="Post" parameter="clerk"/><zhulu:field name="area" permission="edit"/></extensionElements>"#,
    );
    let approval = user(&process, "a");
    assert_eq!(plain(approval.candidates[0].parameter.as_ref()), "handler");
    assert_eq!(approval.method, Method::Each);
    assert_eq!(approval.on_reject, OnReject::ReturnTo("a".into()));
    let late = approval.on_timeout.as_ref().unwrap();
    assert_eq!(
        (late.action, late.maximum, late.after.calendar, late.after.pausable),
        (TimeoutAction::Remind, 2, TimerCalendar::WorkingDays, true)
    );
    assert_eq!(approval.on_nobody, OnNobody::Assign(vec!["1".to_owned(), "2".to_owned()]));
    assert_eq!(
        (approval.on_starter, approval.deduplicate),
        (OnStarter::Skip, Some(Deduplicate::Whole))
    );
    assert!(approval.opinion_required && approval.signature_required && approval.tolerance);
    assert_eq!((approval.outcomes.len(), approval.means.len()), (2, 2));
    assert_eq!(approval.copies[0].strategy, Strategy::Post);
    assert_eq!(approval.fields, [("area".to_owned(), FieldPermission::Edit)]);
    assert!(matches!(
        approval.due.as_ref().map(|due| &due.kind),
        Some(TimerKind::Duration(_))
    ));
    assert_eq!(
        the_node(&process, "a").legal_basis.as_deref(),
        Some("《行政许可法》第四十二条")
    );
    let vote = multi(&process);
    assert!(
        vote.sequential && matches!(vote.over, Over::Approvers) && matches!(vote.vote, Some(VoteRule::Ratio { percent: 60 }))
    );
}

#[test]
fn votes_may_be_all_any_a_ratio_a_veto_or_a_formula() {
    let vote = |written: &str| format!("{:?}", multi(&task(&format!(r#"zhulu:vote="{written}""#), "")).vote);
    assert_eq!(vote("all"), "Some(All)");
    assert_eq!(vote("any"), "Some(Any)");
    assert_eq!(vote("veto:75"), "Some(Veto { percent: 75 })");
    let formula = settings(r#"<zhulu:voteRule pass="approvals >= 2" fail="rejections > 1"/>"#);
    assert!(matches!(&multi(&formula).vote, Some(VoteRule::Feel { fail: Some(_), .. })));
}

#[test]
fn the_settings_of_designers_are_done() {
    let process = settings(
        r#"<flowable:candidateStrategy>10</flowable:candidateStrategy><flowable:candidateParam>7,8</flowable:candidateParam>
        <flowable:approveMethod>1</flowable:approveMethod><flowable:rejectHandlerType>1</flowable:rejectHandlerType>
        <flowable:assignStartUserHandlerType>3</flowable:assignStartUserHandlerType><flowable:assignEmptyHandlerType>4</flowable:assignEmptyHandlerType>
        <flowable:signEnable>true</flowable:signEnable><flowable:reasonRequire>true</flowable:reasonRequire>
        <flowable:fieldsPermission field="area" title="面积" permission="1"/><flowable:buttonsSetting id="1" displayName="同意" enable="true"/>
        <flowable:buttonsSetting id="2" displayName="拒绝" enable="false"/>"#
            .replace("title=\"面积\" ", "")
            .as_str(),
    );
    let approval = user(&process, "a");
    assert_eq!(
        (approval.candidates[0].strategy, approval.method),
        (Strategy::Role, Method::Random)
    );
    assert_eq!(plain(approval.candidates[0].parameter.as_ref()), "7,8");
    assert_eq!(
        (&approval.on_reject, approval.on_starter),
        (&OnReject::End, OnStarter::DepartmentLeader)
    );
    assert_eq!(approval.on_nobody, OnNobody::Administrator);
    assert!(approval.signature_required && approval.opinion_required);
    assert_eq!(approval.fields, [("area".to_owned(), FieldPermission::Read)]);
    assert_eq!(approval.buttons, [("1".to_owned(), Some("同意".to_owned()))]);
}

#[test]
fn the_countersigns_of_designers_are_votes_of_those_who_are_found() {
    let designed = |method: u8, condition: &str, sequential: bool| {
        task(
            "",
            &format!(
                r#"<extensionElements><flowable:candidateStrategy>30</flowable:candidateStrategy><flowable:candidateParam>1,2</flowable:candidateParam><flowable:approveMethod>{method}</flowable:approveMethod></extensionElements>
                <multiInstanceLoopCharacteristics isSequential="{sequential}" flowable:collection="${{coll_userList}}"><completionCondition>{condition}</completionCondition></multiInstanceLoopCharacteristics>"#
            ),
        )
    };
    let ratio = designed(2, "${ nrOfCompletedInstances/nrOfInstances >= 0.67 }", false);
    assert!(matches!(multi(&ratio).vote, Some(VoteRule::Ratio { percent: 67 })));
    assert!(matches!(multi(&ratio).over, Over::Approvers));
    let all = designed(2, "${ nrOfCompletedInstances/nrOfInstances >= 1 }", false);
    assert!(matches!(multi(&all).vote, Some(VoteRule::All)));
    let any = designed(3, "${ nrOfCompletedInstances > 0 }", false);
    assert!(matches!(multi(&any).vote, Some(VoteRule::Any)));
    let in_order = designed(4, "${ nrOfCompletedInstances >= nrOfInstances }", true);
    assert!(multi(&in_order).sequential && matches!(multi(&in_order).vote, Some(VoteRule::All)));
}

#[test]
fn a_timer_that_a_designer_marks_is_the_delay_of_its_task() {
    let process = the_process(&dialect(&around(
        r#"<userTask id="a"/><boundaryEvent id="late" attachedToRef="a" cancelActivity="false"><extensionElements><flowable:boundaryEventType>1</flowable:boundaryEventType><flowable:timeoutHandlerType>1</flowable:timeoutHandlerType></extensionElements><timerEventDefinition><timeCycle>R3/PT6H</timeCycle></timerEventDefinition></boundaryEvent>"#,
    )));
    let late = user(&process, "a").on_timeout.clone().unwrap();
    assert_eq!((late.action, late.maximum), (TimeoutAction::Remind, 3));
    assert!(matches!(&late.after.kind, TimerKind::Duration(Text::Plain(time)) if &**time == "PT6H"));
    assert!(process.find("late").is_none());
}

#[test]
fn what_a_machine_approves_asks_nobody() {
    let process =
        settings("<flowable:approveType>2</flowable:approveType><flowable:candidateStrategy>36</flowable:candidateStrategy>");
    let approval = user(&process, "a");
    assert!(approval.candidates.is_empty());
    assert_eq!(approval.on_nobody, OnNobody::Approve);
}

#[test]
fn owners_in_the_words_of_the_standard_are_candidates() {
    let process = task(
        "",
        "<potentialOwner><resourceAssignmentExpression><formalExpression>user(zhang), group(clerks)</formalExpression></resourceAssignmentExpression></potentialOwner>",
    );
    let candidates = &user(&process, "a").candidates;
    assert_eq!(
        (candidates[0].strategy, plain(candidates[0].parameter.as_ref())),
        (Strategy::User, "zhang")
    );
    assert_eq!(
        (candidates[1].strategy, plain(candidates[1].parameter.as_ref())),
        (Strategy::Role, "clerks")
    );
}

#[test]
fn a_process_knows_who_may_start_it_and_where_the_starter_is_kept() {
    let xml = dialect(&process(
        r#"<startEvent id="s" flowable:initiator="applicant"/><endEvent id="e"/><sequenceFlow id="f" sourceRef="s" targetRef="e"/>"#,
    ))
    .replace("<process id", r#"<process flowable:candidateStarterGroups="clerks,chiefs" zhulu:deduplicate="consecutive" id"#);
    let process = the_process(&xml);
    assert_eq!(process.candidate_starters, ["clerks", "chiefs"]);
    assert_eq!(
        (process.deduplicate, process.starter_variable.as_deref()),
        (Deduplicate::Consecutive, Some("applicant"))
    );
    assert!(matches!(the_node(&process, "s").kind, NodeKind::Start { .. }));
}
