//! Flows and gateways: each rule fires where it is offended.

use super::{around, dialect, flows, offends, process, refused, standard};
use crate::bpmn::Severity;

const S: &str = r#"<startEvent id="s"/>"#;
const E: &str = r#"<endEvent id="e"/>"#;

#[test]
fn flows_are_refused_where_they_offend() {
    refused(&[
        (
            "flow-unlisted",
            standard(&process(&format!(
                r#"<startEvent id="s"><outgoing>s-e</outgoing></startEvent>@@{E}{}"#,
                flows(&["s e"])
            ))),
        ),
        (
            "flow-crosses",
            standard(&process(&format!(
                r#"{S}<subProcess id="sub"><task id="t"/></subProcess>@@<sequenceFlow id="f" sourceRef="s" targetRef="t"/>"#
            ))),
        ),
        (
            "flow-condition-source",
            standard(&process(&format!(
                r#"{S}{E}@@<sequenceFlow id="f" sourceRef="s" targetRef="e"><conditionExpression>a = 1</conditionExpression></sequenceFlow>"#
            ))),
        ),
        (
            "flow-condition-alone",
            standard(&process(&format!(
                r#"{S}<task id="a"/>{E}{}@@<sequenceFlow id="f" sourceRef="a" targetRef="e"><conditionExpression>a = 1</conditionExpression></sequenceFlow>"#,
                flows(&["s a"])
            ))),
        ),
        (
            "flow-default",
            standard(&process(&format!(
                r#"{S}@@<exclusiveGateway id="g" default="s-g"/><task id="a"/><task id="b"/>{E}{}"#,
                flows(&["s g a e", "g b e"])
            ))),
        ),
        (
            "flow-default-condition",
            standard(&process(&format!(
                r#"{S}<exclusiveGateway id="g" default="f"/><task id="a"/>{E}{}@@<sequenceFlow id="f" sourceRef="g" targetRef="e"><conditionExpression>a = 1</conditionExpression></sequenceFlow>"#,
                flows(&["s g a e"])
            ))),
        ),
        (
            "flow-not-immediate",
            standard(&process(&format!(
                r#"{S}{E}@@<sequenceFlow id="f" sourceRef="s" targetRef="e" isImmediate="false"/>"#
            ))),
        ),
        (
            "lane",
            standard(&format!(
                r#"{}<process id="q"><task id="t"/></process>"#,
                process(&format!(
                    r#"<laneSet><lane id="l">@@<flowNodeRef>t</flowNodeRef></lane></laneSet>{S}{E}{}"#,
                    flows(&["s e"])
                ))
            )),
        ),
        (
            "open-end",
            standard(&process(&format!(r#"{S}{E}{}@@<task id="t"/>"#, flows(&["s e"])))),
        ),
    ]);
}

#[test]
fn gateways_are_refused_where_they_offend() {
    let event = |id: &str| {
        format!(r#"<intermediateCatchEvent id="{id}"><signalEventDefinition signalRef="sig"/></intermediateCatchEvent>"#)
    };
    let signal = r#"<signal id="sig" name="sig"/>"#;
    let gated = |gateway: &str, rest: &str, chains: &[&str]| {
        standard(&format!(
            "{signal}{}",
            process(&format!("{S}{gateway}{rest}{E}{}", flows(chains)))
        ))
    };
    let both = [event("a"), event("b")].concat();
    refused(&[
        (
            "gateway-direction",
            gated(
                r#"@@<parallelGateway id="g" gatewayDirection="Converging"/>"#,
                r#"<task id="a"/><task id="b"/>"#,
                &["s g a e", "g b e"],
            ),
        ),
        ("gateway-connections", gated(r#"@@<parallelGateway id="g"/>"#, "", &["s g e"])),
        (
            "event-gateway-outgoing",
            gated(r#"@@<eventBasedGateway id="g"/>"#, &event("a"), &["s g a e"]),
        ),
        (
            "event-gateway-targets",
            gated(
                r#"<eventBasedGateway id="g"/>"#,
                &format!(r#"{}@@<task id="b"/>"#, event("a")),
                &["s g a e", "g b e"],
            ),
        ),
        (
            "event-gateway-receive",
            gated(
                r#"<eventBasedGateway id="g"/>"#,
                &format!(
                    r#"{}@@<receiveTask id="b"/><boundaryEvent id="t" attachedToRef="b"><signalEventDefinition signalRef="sig"/></boundaryEvent>"#,
                    event("a")
                ),
                &["s g a e", "g b e", "t e"],
            ),
        ),
        (
            "event-gateway-target-incoming",
            gated(
                r#"<parallelGateway id="f"/><eventBasedGateway id="g"/>"#,
                &format!("@@{both}"),
                &["s f g a e", "f a", "g b e"],
            ),
        ),
        (
            "event-gateway-instantiate",
            gated(
                r#"@@<eventBasedGateway id="g" instantiate="true"/>"#,
                &both,
                &["s g a e", "g b e"],
            ),
        ),
        (
            "event-gateway-instantiate",
            gated(
                r#"@@<eventBasedGateway id="g" eventGatewayType="Parallel"/>"#,
                &both,
                &["s g a e", "g b e"],
            ),
        ),
    ]);
}

#[test]
fn dialects_may_leave_out_what_they_always_did() {
    let xml = dialect(&around(r#"@@<exclusiveGateway id="a" gatewayDirection="Diverging"/>"#));
    assert_eq!(offends("gateway-direction", &xml).severity, Severity::Warning);
}

#[test]
fn all_violations_are_reported_in_the_order_of_the_file() {
    let xml = standard(&process(
        "<startEvent id=\"s\"/>\n<task id=\"t\" startQuantity=\"0\"/>\n<endEvent id=\"s\"/>\n<fancyTask id=\"x\"/>",
    ));
    let findings = crate::bpmn::check(xml.as_bytes(), &crate::bpmn::ReadOptions::default());
    let rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
    for rule in [
        "start-outgoing",
        "quantity-invalid",
        "id-twice",
        "unknown-element",
        "end-incoming",
    ] {
        assert!(rules.contains(&rule), "{rule} {findings:#?}");
    }
    assert!(findings.windows(2).all(|pair| pair[0].place <= pair[1].place));
}
