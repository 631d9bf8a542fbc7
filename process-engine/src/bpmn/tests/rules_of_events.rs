//! Events, activities, expressions: each rule fires where it is offended.

use super::{around, dialect, flows, process, refused, standard};

const S: &str = r#"<startEvent id="s"/>"#;
const E: &str = r#"<endEvent id="e"/>"#;
const ROOT: &str = r#"<signal id="sig" name="sig"/><error id="err"/><escalation id="esc"/><message id="msg"/>"#;

fn rooted(content: &str) -> String {
    standard(&format!("{ROOT}{}", process(content)))
}

fn bordered(host: &str, event: &str) -> String {
    rooted(&format!("{S}{host}{event}{E}{}", flows(&["s a e", "b e"])))
}

#[test]
fn start_and_end_events_are_refused_where_they_offend() {
    let flow = |from: &str, to: &str| format!(r#"@@<sequenceFlow id="f" sourceRef="{from}" targetRef="{to}"/>"#);
    refused(&[
        (
            "start-incoming",
            rooted(&format!(r#"{S}<task id="a"/>{E}{}{}"#, flows(&["s a e"]), flow("a", "s"))),
        ),
        ("start-outgoing", rooted(&format!("@@{S}"))),
        (
            "start-trigger",
            rooted(&format!(
                r#"@@<startEvent id="s"><errorEventDefinition errorRef="err"/></startEvent>{E}{}"#,
                flows(&["s e"])
            )),
        ),
        (
            "start-trigger",
            standard(&format!(
                "{ROOT}{}",
                around(&format!(
                    r#"<subProcess id="a">@@<startEvent id="i"><signalEventDefinition signalRef="sig"/></startEvent><endEvent id="o"/>{}</subProcess>"#,
                    flows(&["i o"])
                ))
            )),
        ),
        (
            "start-several",
            standard(&around(&format!(
                r#"<subProcess id="a"><startEvent id="i"/>@@<startEvent id="j"/><endEvent id="o"/>{}</subProcess>"#,
                flows(&["i o", "j o"])
            ))),
        ),
        (
            "start-without-end",
            rooted(&format!(r#"@@{S}<task id="a"/>{}"#, flows(&["s a"]))),
        ),
        (
            "end-without-start",
            rooted(&format!(r#"<task id="a"/>@@{E}{}"#, flows(&["a e"]))),
        ),
        (
            "end-outgoing",
            rooted(&format!(r#"{S}<task id="a"/>{E}{}{}"#, flows(&["s a e"]), flow("e", "a"))),
        ),
        (
            "end-incoming",
            rooted(&format!(r#"{S}{E}{}@@<endEvent id="x"/>"#, flows(&["s e"]))),
        ),
    ]);
}

#[test]
fn intermediate_events_are_refused_where_they_offend() {
    let throw = |id: &str, inside: &str| format!(r#"<intermediateThrowEvent id="{id}">{inside}</intermediateThrowEvent>"#);
    let signal = r#"<signalEventDefinition signalRef="sig"/>"#;
    refused(&[
        (
            "intermediate-incoming",
            rooted(&format!("{S}{E}@@{}{}", throw("a", signal), flows(&["s e", "a e"]))),
        ),
        (
            "intermediate-outgoing",
            rooted(&format!(
                r#"{S}<task id="x"/>@@{}{E}{}"#,
                throw("a", signal),
                flows(&["s x a", "x e"])
            )),
        ),
        ("event-trigger", standard(&around(r#"@@<intermediateCatchEvent id="a"/>"#))),
        (
            "event-trigger",
            standard(&around(&format!("@@{}", throw("a", "<terminateEventDefinition/>")))),
        ),
        (
            "event-definition-own",
            rooted(&format!(
                r#"{S}<intermediateCatchEvent id="a"><signalEventDefinition id="own" signalRef="sig"/></intermediateCatchEvent><intermediateCatchEvent id="b">@@<eventDefinitionRef>own</eventDefinitionRef></intermediateCatchEvent>{E}{}"#,
                flows(&["s a b e"])
            )),
        ),
        (
            "event-parallel-multiple",
            rooted(&format!(
                r#"{S}@@<intermediateCatchEvent id="a" parallelMultiple="true">{signal}</intermediateCatchEvent>{E}{}"#,
                flows(&["s a e"])
            )),
        ),
        ("event-message", standard(&around(&throw("a", "@@<messageEventDefinition/>")))),
        (
            "event-operation",
            rooted(&format!(
                "{S}{}{E}{}",
                throw("a", r#"@@<messageEventDefinition messageRef="msg"/>"#),
                flows(&["s a e"])
            )),
        ),
        ("event-signal", standard(&around(&throw("a", "@@<signalEventDefinition/>")))),
        (
            "event-error",
            standard(&format!(
                r#"@@<error id="err"/>{}"#,
                process(&format!(
                    r#"{S}<endEvent id="e"><errorEventDefinition errorRef="err"/></endEvent>{}"#,
                    flows(&["s e"])
                ))
            )),
        ),
        (
            "event-escalation",
            standard(&around(&throw("a", "@@<escalationEventDefinition/>"))),
        ),
        (
            "event-cancel",
            standard(&process(&format!(
                r#"{S}<endEvent id="e">@@<cancelEventDefinition/></endEvent>{}"#,
                flows(&["s e"])
            ))),
        ),
        (
            "link",
            standard(&process(&format!(
                "{S}@@{}{}",
                throw("a", r#"<linkEventDefinition name="x"/>"#),
                flows(&["s a"])
            ))),
        ),
        (
            "link-flow",
            standard(&process(&format!(
                r#"{S}<intermediateCatchEvent id="a"><linkEventDefinition name="x"/></intermediateCatchEvent>{E}@@{}{}"#,
                flows(&["s a"]),
                flows(&["a e"])
            ))),
        ),
        (
            "timer-one-time",
            standard(&around(
                r#"<intermediateCatchEvent id="a">@@<timerEventDefinition/></intermediateCatchEvent>"#,
            )),
        ),
        (
            "timer-format",
            dialect(&around(
                r#"<intermediateCatchEvent id="a"><timerEventDefinition>@@<timeCycle>0 0 25 * * ?</timeCycle></timerEventDefinition></intermediateCatchEvent>"#,
            )),
        ),
    ]);
}

#[test]
fn events_on_borders_are_refused_where_they_offend() {
    let task = r#"<task id="a"/>"#;
    let event = |attributes: &str, inside: &str| {
        format!(r#"<boundaryEvent id="b" attachedToRef="a"{attributes}>{inside}</boundaryEvent>"#)
    };
    let signal = r#"<signalEventDefinition signalRef="sig"/>"#;
    let compensate = "<compensateEventDefinition/>";
    refused(&[
        (
            "boundary-incoming",
            rooted(&format!(
                "{S}{task}{}{E}{}@@{}",
                event("", signal),
                flows(&["s a e", "b e"]),
                flows(&["s b"])
            )),
        ),
        (
            "boundary-outgoing",
            rooted(&format!("{S}{task}@@{}{E}{}", event("", signal), flows(&["s a e"]))),
        ),
        (
            "boundary-trigger",
            bordered(task, &format!("@@{}", event("", "<terminateEventDefinition/>"))),
        ),
        (
            "boundary-interrupting",
            bordered(
                task,
                &format!(
                    "@@{}",
                    event(r#" cancelActivity="false""#, r#"<errorEventDefinition errorRef="err"/>"#)
                ),
            ),
        ),
        (
            "boundary-level",
            rooted(&format!(
                r#"{S}{task}<subProcess id="sub">@@{}</subProcess>{E}{}"#,
                event("", signal),
                flows(&["s a sub e"])
            )),
        ),
        (
            "compensation-association",
            rooted(&format!("{S}{task}@@{}{E}{}", event("", compensate), flows(&["s a e"]))),
        ),
        (
            "compensation-flow",
            rooted(&format!(
                r#"{S}{task}{}<task id="h" isForCompensation="true"/><association id="as" sourceRef="b" targetRef="h"/>{E}{}@@{}"#,
                event("", compensate),
                flows(&["s a e"]),
                flows(&["h e"])
            )),
        ),
        (
            "compensation-visible",
            rooted(&format!(
                r#"{S}<subProcess id="sub">{task}</subProcess><endEvent id="e">@@<compensateEventDefinition activityRef="a"/></endEvent>{}"#,
                flows(&["s sub e"])
            )),
        ),
    ]);
}

#[test]
fn activities_are_refused_where_they_offend() {
    let handler = |inside: &str| format!(r#"<subProcess id="h" triggeredByEvent="true">{inside}</subProcess>"#);
    refused(&[
        (
            "event-sub-process-flow",
            rooted(&format!("{S}{E}{}@@{}{}", flows(&["s e"]), flows(&["h e"]), handler(""))),
        ),
        (
            "event-sub-process-start",
            rooted(&format!("{S}{E}{}@@{}", flows(&["s e"]), handler(""))),
        ),
        (
            "event-sub-process-interrupting",
            rooted(&format!(
                "{S}{E}{}{}",
                flows(&["s e"]),
                handler(r#"@@<startEvent id="hs" isInterrupting="false"><errorEventDefinition/></startEvent>"#)
            )),
        ),
        ("ad-hoc-content", standard(&around(r#"@@<adHocSubProcess id="a"/>"#))),
        (
            "transaction-method",
            standard(&around(r#"@@<transaction id="a" method="urn:protocol"/>"#)),
        ),
        (
            "receive-instantiate",
            standard(&process(&format!(
                r#"{S}<task id="x"/>@@<receiveTask id="a" instantiate="true"/>{E}{}"#,
                flows(&["s x a e"])
            ))),
        ),
    ]);
}

#[test]
fn calls_loops_and_scripts_are_refused_where_they_offend() {
    let looped = |inside: &str| standard(&around(&format!(r#"<task id="a">{inside}</task>"#)));
    let formal = |name: &str, text: &str| format!(r#"<{name} xsi:type="tFormalExpression">{text}</{name}>"#);
    refused(&[
        ("call-target", standard(&around(r#"@@<callActivity id="a"/>"#))),
        (
            "call-start",
            standard(&format!(
                r#"{ROOT}{}<process id="q"><startEvent id="qs"><signalEventDefinition signalRef="sig"/></startEvent><endEvent id="qe"/>{}</process>"#,
                around(r#"@@<callActivity id="a" calledElement="q"/>"#),
                flows(&["qs qe"])
            )),
        ),
        ("loop-over", looped("@@<multiInstanceLoopCharacteristics/>")),
        (
            "loop-behavior",
            looped(&format!(
                r#"@@<multiInstanceLoopCharacteristics behavior="None">{}</multiInstanceLoopCharacteristics>"#,
                formal("loopCardinality", "3")
            )),
        ),
        ("loop-behavior", looped("@@<standardLoopCharacteristics/>")),
        (
            "resource",
            standard(&format!(
                r#"<resource id="r" name="clerks"/>{}"#,
                around(
                    r#"<userTask id="a">@@<potentialOwner><resourceRef>r</resourceRef><resourceAssignmentExpression><formalExpression>x</formalExpression></resourceAssignmentExpression></potentialOwner></userTask>"#
                )
            )),
        ),
        (
            "script-format",
            standard(&around(r#"@@<scriptTask id="a"><script>x = 1;</script></scriptTask>"#)),
        ),
        (
            "script-language",
            standard(&around(
                r#"@@<scriptTask id="a" scriptFormat="text/groovy"><script>x = 1;</script></scriptTask>"#,
            )),
        ),
        ("quantity-invalid", standard(&around(r#"@@<task id="a" startQuantity="0"/>"#))),
        ("decision-missing", standard(&around(r#"@@<businessRuleTask id="a"/>"#))),
        (
            "expression-not-formal",
            looped(
                "<standardLoopCharacteristics>@@<loopCondition>until it is good</loopCondition></standardLoopCharacteristics>",
            ),
        ),
        (
            "condition-not-boolean",
            looped(
                "<standardLoopCharacteristics>@@<loopCondition xsi:type=\"tFormalExpression\">23</loopCondition></standardLoopCharacteristics>",
            ),
        ),
        (
            "expression-empty",
            looped(
                "<standardLoopCharacteristics>@@<loopCondition xsi:type=\"tFormalExpression\"/></standardLoopCharacteristics>",
            ),
        ),
        (
            "expression-invalid",
            looped(&format!(
                "<standardLoopCharacteristics>@@{}</standardLoopCharacteristics>",
                formal("loopCondition", "a =")
            )),
        ),
        (
            "expression-not-translated",
            looped(&format!(
                "<standardLoopCharacteristics>@@{}</standardLoopCharacteristics>",
                formal("loopCondition", "${a ~~ b}")
            )),
        ),
        (
            "expression-language",
            looped(
                r#"<standardLoopCharacteristics>@@<loopCondition xsi:type="tFormalExpression" language="http://www.w3.org/1999/XPath">x</loopCondition></standardLoopCharacteristics>"#,
            ),
        ),
    ]);
}
