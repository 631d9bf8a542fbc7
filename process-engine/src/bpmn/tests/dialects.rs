//! Flowable, Activiti, Camunda: what of theirs is done, what may stay, what is refused.

use super::{Severity, accepted, around, check, dialect, flows, process, read, refused, standard, the_node, the_process};
use crate::{
    bpmn::ReadOptions,
    model::{Job, NodeKind, Over, Repetition, Task, Text, Work},
};

fn job(xml: &str) -> Job {
    let definitions = accepted(xml).definitions;
    let mut process = std::sync::Arc::into_inner(definitions.processes.into_iter().next().unwrap()).unwrap();
    let at = process.find("a").unwrap().0 as usize;
    match process.nodes.swap_remove(at).kind {
        NodeKind::Task(Task {
            work: Work::Service(job),
        }) => *job,
        other => panic!("{other:?}"),
    }
}

#[test]
fn behaviour_that_is_not_done_is_refused_where_it_stands() {
    refused(&[
        (
            "unknown-extension",
            dialect(&around(r#"@@<userTask id="a" flowable:taskIdVariableName="x"/>"#)),
        ),
        (
            "unknown-extension",
            dialect(&around(r#"@@<userTask id="a" zhulu:magic="x"/>"#)),
        ),
        (
            "unknown-extension",
            dialect(&around(
                r#"<userTask id="a"><extensionElements>@@<flowable:variableAggregation target="x"/></extensionElements></userTask>"#,
            )),
        ),
        (
            "listener",
            dialect(&around(
                r#"<userTask id="a"><extensionElements>@@<activiti:taskListener event="create" class="x.Y"/></extensionElements></userTask>"#,
            )),
        ),
        (
            "setting-invalid",
            dialect(&around(r#"@@<userTask id="a" zhulu:vote="most"/>"#)),
        ),
        (
            "setting-invalid",
            dialect(&around(r#"@@<userTask id="a" flowable:candidateStrategy="99"/>"#)),
        ),
    ]);
}

#[test]
fn what_changes_nothing_and_what_is_of_others_may_stay() {
    let xml = dialect(&around(
        r#"<userTask id="a" flowable:async="true" activiti:exclusive="false" xmlns:m="http://flowable.org/modeler" m:colour="red"><extensionElements><m:json>{}</m:json></extensionElements></userTask>"#,
    ));
    assert!(accepted(&xml).findings.is_empty());
}

#[test]
fn listeners_may_be_left_to_the_host() {
    let xml = dialect(&around(
        r#"<userTask id="a"><extensionElements><flowable:taskListener event="create" class="x.Y"/></extensionElements></userTask>"#,
    ));
    let options = ReadOptions {
        listeners_done_by_host: true,
        ..ReadOptions::default()
    };
    let read = read(xml.as_bytes(), &options).unwrap();
    assert!(
        read.findings
            .iter()
            .any(|finding| finding.rule == "listener" && finding.severity == Severity::Warning)
    );
}

#[test]
fn what_java_did_becomes_a_job() {
    let named = |attributes: &str| {
        let job = job(&dialect(&around(&format!(r#"<serviceTask id="a" {attributes}/>"#))));
        match job.kind {
            Text::Plain(kind) => kind.to_string(),
            Text::Computed(expression) => expression.feel().to_owned(),
        }
    };
    assert_eq!(named(r#"flowable:class="com.example.Pay""#), "com.example.Pay");
    assert_eq!(named(r#"flowable:delegateExpression="${payer}""#), "payer");
    assert_eq!(named(r#"activiti:expression="${payer.pay(order)}""#), "payer.pay(order)");
    assert_eq!(named(r#"flowable:type="mail""#), "mail");
    assert_eq!(named(r#"zhulu:job="pay" flowable:class="x.Y""#), "pay");
    assert_eq!(named(""), "a");
}

#[test]
fn a_job_has_its_fields_and_its_retries() {
    let job = job(&dialect(&around(
        r#"<serviceTask id="a" zhulu:job="pay" flowable:resultVariable="receipt"><extensionElements>
        <flowable:field name="to" stringValue="bank"/><flowable:field name="sum"><flowable:expression>${sum}</flowable:expression></flowable:field>
        <flowable:failedJobRetryTimeCycle>R5/PT2M</flowable:failedJobRetryTimeCycle></extensionElements></serviceTask>"#,
    )));
    assert_eq!((job.retry.tries, job.retry.backoff_seconds), (5, 120));
    assert_eq!(job.result_variable.as_deref(), Some("receipt"));
    assert!(matches!(&job.fields[0], (name, Text::Plain(value)) if name == "to" && &**value == "bank"));
    assert!(matches!(&job.fields[1], (name, Text::Computed(value)) if name == "sum" && value.feel() == "sum"));
}

#[test]
fn expressions_in_braces_are_put_into_feel_and_that_is_told() {
    let xml = dialect(&process(&format!(
        r#"<startEvent id="s"/><exclusiveGateway id="x"/><userTask id="a"/><endEvent id="e"/>{}<sequenceFlow id="f" sourceRef="x" targetRef="e"><conditionExpression>${{amount > 5 &amp;&amp; !urgent}}</conditionExpression></sequenceFlow>"#,
        flows(&["s x a e"])
    )));
    let definitions = accepted(&xml).definitions;
    let [translation] = definitions.translations.as_slice() else {
        panic!("{:?}", definitions.translations)
    };
    assert_eq!(translation.element, "f");
    assert_eq!(translation.source, "${amount > 5 && !urgent}");
    let process = &definitions.processes[0];
    let condition = process.flow(process.find_flow("f").unwrap()).condition.as_ref().unwrap();
    assert_eq!(condition.feel(), translation.feel);
    assert!(
        translation.feel.contains(" and ") && translation.feel.contains("not("),
        "{}",
        translation.feel
    );
}

#[test]
fn a_text_with_an_expression_in_it_is_joined() {
    let process = the_process(&dialect(&around(
        r#"<userTask id="a" flowable:formKey="form-${kind}.json"/>"#,
    )));
    let Some(Text::Computed(key)) = &super::user(&process, "a").form_key else {
        panic!("no form key")
    };
    assert_eq!(key.feel(), r#""form-" + string(kind) + ".json""#);
}

#[test]
fn the_classic_countersign_of_flowable_is_a_plain_repetition() {
    let process = the_process(&dialect(&around(
        r#"<userTask id="a" flowable:assignee="${person}"><multiInstanceLoopCharacteristics isSequential="false" flowable:collection="${people}" flowable:elementVariable="person"><completionCondition>${nrOfCompletedInstances/nrOfInstances >= 0.5}</completionCondition></multiInstanceLoopCharacteristics></userTask>"#,
    )));
    let Repetition::Multi(multi) = &the_node(&process, "a").activity.as_ref().unwrap().repetition else {
        panic!("no rounds")
    };
    assert!(matches!(&multi.over, Over::Collection(people) if people.feel() == "people"));
    assert_eq!(multi.element_variable.as_deref(), Some("person"));
    assert!(multi.vote.is_none() && multi.completion.is_some() && !multi.sequential);
}

#[test]
fn scripts_of_other_languages_are_jobs_where_the_reader_allows_it() {
    let xml = standard(&around(
        r#"<scriptTask id="a" scriptFormat="text/groovy"><script>x = 1;</script></scriptTask>"#,
    ));
    assert!(
        check(xml.as_bytes(), &ReadOptions::default())
            .iter()
            .any(|finding| finding.rule == "script-language")
    );
    let options = ReadOptions {
        foreign_scripts: true,
        ..ReadOptions::default()
    };
    assert!(read(xml.as_bytes(), &options).is_ok());
}

#[test]
fn a_call_hands_in_and_takes_out_what_it_says() {
    let process = the_process(&dialect(&around(
        r#"<callActivity id="a" calledElement="other" flowable:inheritVariables="true" flowable:businessKey="${key}"><extensionElements><flowable:in source="x" target="y"/><flowable:out sourceExpression="${y + 1}" target="z"/></extensionElements></callActivity>"#,
    )));
    let NodeKind::Call(call) = &the_node(&process, "a").kind else {
        panic!("no call")
    };
    assert!(call.inherit_variables && call.business_key.is_some());
    assert_eq!((call.inputs[0].target.as_str(), call.inputs[0].value.feel()), ("y", "x"));
    assert_eq!(call.outputs[0].target, "z");
}
