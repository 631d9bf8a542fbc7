//! What the elements of the standard become.

use super::{accepted, dialect, flows, process, standard, the_node, the_process};
use crate::model::{
    Activity, Catch, MultiBehavior, NodeKind, Over, Repetition, Script, SubProcess, Task, Text, ThrowResult, TimerKind, Trigger,
    Work,
};

const S: &str = r#"<startEvent id="s"/>"#;
const E: &str = r#"<endEvent id="e"/>"#;

fn activity<'p>(process: &'p crate::model::Process, id: &str) -> &'p Activity {
    the_node(process, id).activity.as_ref().unwrap()
}

#[test]
fn flows_keep_the_order_of_the_file_and_gateways_their_default() {
    let xml = standard(&process(&format!(
        r#"{S}<exclusiveGateway id="x" default="x-e"/><task id="a"/>{E}{}<sequenceFlow id="big" name="大" sourceRef="x" targetRef="a"><conditionExpression xsi:type="tFormalExpression">n &gt; 5</conditionExpression></sequenceFlow>{}"#,
        flows(&["s x", "a e"]),
        flows(&["x e"])
    )));
    let process = the_process(&xml);
    let gateway = the_node(&process, "x");
    let ids: Vec<&str> = gateway.outgoing.iter().map(|flow| &*process.flow(*flow).id).collect();
    assert_eq!(ids, ["big", "x-e"]);
    assert_eq!(gateway.default, process.find_flow("x-e"));
    let big = process.flow(process.find_flow("big").unwrap());
    assert_eq!(big.condition.as_ref().map(crate::expression::Expression::feel), Some("n > 5"));
    assert_eq!(big.name.as_deref(), Some("大"));
}

#[test]
fn sub_processes_hold_their_own_level() {
    let inner = format!(r#"<startEvent id="i"/><task id="t"/><endEvent id="o"/>{}"#, flows(&["i t o"]));
    let xml = standard(&process(&format!(
        r#"{S}<transaction id="a">{inner}</transaction>{E}{}"#,
        flows(&["s a e"])
    )));
    let process = the_process(&xml);
    assert!(matches!(
        the_node(&process, "a").kind,
        NodeKind::SubProcess(SubProcess::Transaction)
    ));
    assert_eq!(process.level(process.find("a")).len(), 3);
    assert_eq!(the_node(&process, "t").parent, process.find("a"));
    assert_eq!(process.children.len(), 3);
}

#[test]
fn events_may_be_about_several_things_and_refer_to_what_stands_at_the_root() {
    let xml = standard(&format!(
        r#"<signal id="sig" name="警报"/><timerEventDefinition id="later"><timeDuration xsi:type="tFormalExpression">PT1H</timeDuration></timerEventDefinition>{}"#,
        process(&format!(
            r#"{S}<intermediateCatchEvent id="a" parallelMultiple="true"><signalEventDefinition signalRef="sig"/><eventDefinitionRef>later</eventDefinitionRef></intermediateCatchEvent>{E}{}"#,
            flows(&["s a e"])
        ))
    ));
    let process = the_process(&xml);
    let NodeKind::Catch(Catch {
        triggers,
        parallel: true,
        ..
    }) = &the_node(&process, "a").kind
    else {
        panic!("no multiple event")
    };
    assert!(matches!(&triggers[0], Trigger::Signal(Text::Plain(name)) if &**name == "警报"));
    assert!(
        matches!(&triggers[1], Trigger::Timer(timer) if matches!(&timer.kind, TimerKind::Duration(Text::Plain(time)) if &**time == "PT1H"))
    );
}

#[test]
fn errors_go_by_their_code_and_compensation_by_its_activity() {
    let xml = standard(&format!(
        r#"<error id="err" errorCode="NO_MONEY"/>{}"#,
        process(&format!(
            r#"{S}<subProcess id="a"><startEvent id="i"/><endEvent id="o"><errorEventDefinition errorRef="err"/></endEvent>{}</subProcess>
            <boundaryEvent id="b" attachedToRef="a"><errorEventDefinition errorRef="err"/></boundaryEvent>
            <boundaryEvent id="c" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>
            <task id="undo" isForCompensation="true"/><association id="as" sourceRef="c" targetRef="undo"/>
            {E}<endEvent id="x"><compensateEventDefinition activityRef="a"/></endEvent>{}"#,
            flows(&["i o"]),
            flows(&["s a e", "b x"])
        ))
    ));
    let process = the_process(&xml);
    let NodeKind::End(end) = &the_node(&process, "o").kind else {
        panic!("no end")
    };
    assert!(matches!(&end.results[0], ThrowResult::Error(code) if code == "NO_MONEY"));
    assert_eq!(activity(&process, "a").compensated_by, process.find("undo"));
    assert_eq!(the_node(&process, "a").boundary.len(), 2);
    let NodeKind::End(end) = &the_node(&process, "x").kind else {
        panic!("no end")
    };
    assert!(matches!(&end.results[0], ThrowResult::Compensation { activity: Some(activity), wait: true } if &**activity == "a"));
}

#[test]
fn a_message_flow_gives_both_of_its_ends_one_message() {
    let xml = dialect(&format!(
        r#"{}<process id="q" isExecutable="true"><startEvent id="qs"><messageEventDefinition/></startEvent><endEvent id="qe"/>{}</process>
        <collaboration id="c"><participant id="one" processRef="p"/><participant id="two" processRef="q"/><messageFlow id="order" sourceRef="a" targetRef="qs"/></collaboration>"#,
        process(&format!(r#"{S}<sendTask id="a"/>{E}{}"#, flows(&["s a e"]))),
        flows(&["qs qe"])
    ));
    let definitions = accepted(&xml).definitions;
    let sent = match &the_node(&definitions.processes[0], "a").kind {
        NodeKind::Task(Task {
            work: Work::Send(sending),
        }) => format!("{:?}", sending.message),
        other => panic!("{other:?}"),
    };
    let received = match &the_node(&definitions.processes[1], "qs").kind {
        NodeKind::Start { catch, .. } => format!("{:?}", catch.triggers),
        other => panic!("{other:?}"),
    };
    assert!(sent.contains("order") && received.contains("order"), "{sent} {received}");
}

#[test]
fn loops_and_repeated_activities_keep_what_they_say() {
    let xml = standard(&format!(
        r#"<signalEventDefinition id="done" signalRef="sig"/><signal id="sig" name="one-done"/>{}"#,
        process(&format!(
            r#"{S}<task id="a"><standardLoopCharacteristics testBefore="true" loopMaximum="3"><loopCondition xsi:type="tFormalExpression">n &lt; 3</loopCondition></standardLoopCharacteristics></task>
            <task id="b"><multiInstanceLoopCharacteristics isSequential="true" behavior="One" oneBehaviorEventRef="done"><loopCardinality xsi:type="tFormalExpression">3</loopCardinality></multiInstanceLoopCharacteristics></task>{E}{}"#,
            flows(&["s a b e"])
        ))
    ));
    let process = the_process(&xml);
    assert!(matches!(
        activity(&process, "a").repetition,
        Repetition::Standard {
            test_before: true,
            condition: Some(_),
            maximum: Some(3)
        }
    ));
    let Repetition::Multi(multi) = &activity(&process, "b").repetition else {
        panic!("no rounds")
    };
    assert!(multi.sequential && matches!(multi.over, Over::Cardinality(_)));
    assert!(matches!(&multi.behavior, MultiBehavior::One(Some(event)) if event == "one-done"));
}

#[test]
fn a_list_is_run_over_by_the_data_object_that_it_comes_from() {
    let xml = standard(&format!(
        r#"<itemDefinition id="texts" isCollection="true" structureRef="String"/>{}"#,
        process(&format!(
            r#"<dataObject id="people" itemSubjectRef="texts" isCollection="true"/><dataObjectReference id="ref" dataObjectRef="people"/>{S}
            <task id="a"><ioSpecification><dataInput id="list" itemSubjectRef="texts" isCollection="true"/><inputSet><dataInputRefs>list</dataInputRefs></inputSet><outputSet/></ioSpecification>
            <dataInputAssociation><sourceRef>ref</sourceRef><targetRef>list</targetRef></dataInputAssociation>
            <multiInstanceLoopCharacteristics><loopDataInputRef>list</loopDataInputRef><inputDataItem id="one"/></multiInstanceLoopCharacteristics></task>{E}{}"#,
            flows(&["s a e"])
        ))
    ));
    let process = the_process(&xml);
    let Repetition::Multi(multi) = &activity(&process, "a").repetition else {
        panic!("no rounds")
    };
    assert!(matches!(&multi.over, Over::Collection(list) if list.feel() == "people"));
    assert_eq!(multi.element_variable.as_deref(), Some("one"));
    assert_eq!(process.data[0].name, "people");
    assert_eq!(activity(&process, "a").inputs[0].target, "list");
}

#[test]
fn a_call_of_a_global_task_is_the_task() {
    let xml = standard(&format!(
        r#"<globalScriptTask id="g" scriptLanguage="application/feel"><script>1 + 1</script></globalScriptTask>{}"#,
        process(&format!(
            r#"{S}<callActivity id="a" calledElement="g"/>{E}{}"#,
            flows(&["s a e"])
        ))
    ));
    let process = the_process(&xml);
    assert!(matches!(
        &the_node(&process, "a").kind,
        NodeKind::Task(Task {
            work: Work::Script(Script::Feel { .. })
        })
    ));
}

#[test]
fn a_link_leads_to_the_event_that_it_refers_to() {
    let xml = standard(&process(&format!(
        r#"{S}<intermediateThrowEvent id="a"><linkEventDefinition id="out" name="x"><target>in</target></linkEventDefinition></intermediateThrowEvent>
        <intermediateCatchEvent id="b"><linkEventDefinition id="in" name="y"><source>out</source></linkEventDefinition></intermediateCatchEvent>{E}{}"#,
        flows(&["s a", "b e"])
    )));
    let process = the_process(&xml);
    let NodeKind::Throw(throw) = &the_node(&process, "a").kind else {
        panic!("no link")
    };
    assert!(matches!(&throw.results[0], ThrowResult::Link(name) if name == "y"));
}
