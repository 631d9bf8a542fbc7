//! The file, its elements, attributes, references and collaborations: each rule fires where it is offended.

use super::{Read, around, dialect, offends, process, refused, standard};
use crate::bpmn::{MAX_MODEL_BYTES, MAX_NESTING, ReadOptions, Severity, check, read};

const PLAIN: &str = r#"<startEvent id="s"/><endEvent id="e"/><sequenceFlow id="f" sourceRef="s" targetRef="e"/>"#;

fn with(root: &str) -> String {
    standard(&format!("{root}{}", process(PLAIN)))
}

#[test]
fn how_a_file_is_built_is_looked_at() {
    refused(&[
        ("unknown-element", standard(&around(r#"@@<magicTask id="a"/>"#))),
        ("unknown-element", with(r#"@@<property id="x"/>"#)),
        (
            "unknown-element",
            standard(&around(r#"<task id="a">@@<x:y xmlns:x="urn:x"/></task>"#)),
        ),
        ("element-count", with(r#"@@<interface id="i" name="i"/>"#)),
        ("unknown-attribute", standard(&around(r#"@@<task id="a" colour="red"/>"#))),
        (
            "attribute-missing",
            standard(&process(&format!(r#"{PLAIN}@@<sequenceFlow id="g" sourceRef="s"/>"#))),
        ),
        (
            "attribute-value",
            standard(&around(r#"@@<task id="a" isForCompensation="maybe"/>"#)),
        ),
        (
            "attribute-value",
            standard(&around(r#"@@<exclusiveGateway id="a" gatewayDirection="Sideways"/>"#)),
        ),
        (
            "expression-type",
            standard(&around(
                r#"<task id="a"><standardLoopCharacteristics>@@<loopCondition xsi:type="tFancy">x</loopCondition></standardLoopCharacteristics></task>"#,
            )),
        ),
        ("id-missing", standard(&around(r#"<task id="a"/>@@<task name="b"/>"#))),
        ("id-twice", standard(&around(r#"<task id="a"/>@@<task id="s"/>"#))),
        ("id-malformed", standard(&around(r#"<task id="a"/>@@<task id="7 up"/>"#))),
        (
            "import",
            with(r#"@@<import namespace="urn:x" location="x.xsd" importType="http://www.w3.org/2001/XMLSchema"/>"#),
        ),
        ("extension-required", with(r#"@@<extension mustUnderstand="true"/>"#)),
        ("choreography", with(r#"@@<choreography id="c"/>"#)),
        ("conversation", with(r#"@@<globalConversation id="c"/>"#)),
        (
            "mime-type",
            standard(&around(
                r#"<task id="a">@@<documentation textFormat="prose">x</documentation></task>"#,
            )),
        ),
        (
            "public-executable",
            standard(&format!(
                r#"@@<process id="p" isExecutable="true" processType="Public">{PLAIN}</process>"#
            )),
        ),
    ]);
    let empty = standard("").replacen("<definitions", "@@<definitions", 1);
    refused(&[("no-process", empty)]);
}

#[test]
fn references_lead_to_an_element_of_the_right_kind_in_the_same_file() {
    refused(&[
        (
            "reference",
            standard(&process(&format!(
                r#"{PLAIN}@@<sequenceFlow id="g" sourceRef="s" targetRef="nobody"/>"#
            ))),
        ),
        ("reference", with(r#"@@<message id="m" itemRef="p"/>"#)),
        (
            "reference",
            standard(&around(r#"@@<callActivity id="a" calledElement="other:q"/>"#)),
        ),
        ("reference-empty", standard(&around(r#"<task id="a">@@<incoming/></task>"#))),
    ]);
    let open = dialect(&around(r#"@@<callActivity id="a" calledElement="elsewhere"/>"#));
    assert_eq!(offends("reference", &open).severity, Severity::Warning);
}

#[test]
fn collaborations_are_refused_where_they_offend() {
    let pools = |flow: &str| {
        let other = r#"<process id="q"><task id="t"/></process>"#;
        standard(&format!(
            r#"{}{other}<collaboration id="c"><participant id="one" processRef="p"/><participant id="two" processRef="q"/>{flow}</collaboration>"#,
            process(PLAIN)
        ))
    };
    refused(&[
        (
            "message-flow-pools",
            pools(r#"@@<messageFlow id="m" sourceRef="one" targetRef="s"/>"#),
        ),
        (
            "message-flow-event",
            pools(r#"@@<messageFlow id="m" sourceRef="s" targetRef="two"/>"#),
        ),
        (
            "participant-multiplicity",
            pools("").replace(
                r#"processRef="q"/>"#,
                r#"processRef="q">@@<participantMultiplicity minimum="3" maximum="2"/></participant>"#,
            ),
        ),
        (
            "correlation-executable",
            standard(&format!(
                r#"<message id="m"/><correlationProperty id="cp"><correlationPropertyRetrievalExpression messageRef="m"><messagePath>x</messagePath></correlationPropertyRetrievalExpression></correlationProperty><collaboration id="c"><correlationKey id="k"><correlationPropertyRef>cp</correlationPropertyRef></correlationKey></collaboration>{}"#,
                process(&format!(r#"{PLAIN}@@<correlationSubscription correlationKeyRef="k"/>"#))
            )),
        ),
    ]);
}

#[test]
fn a_picture_of_what_is_not_there_is_a_warning() {
    let xml = dialect(&format!(
        r#"{}<d:BPMNDiagram xmlns:d="http://www.omg.org/spec/BPMN/20100524/DI">@@<d:BPMNShape bpmnElement="gone"/></d:BPMNDiagram>"#,
        process(PLAIN)
    ));
    assert_eq!(offends("picture", &xml).severity, Severity::Warning);
}

#[test]
fn bytes_that_are_no_model_are_refused_with_a_place() {
    let refused = |bytes: &[u8]| read(bytes, &ReadOptions::default()).unwrap_err().findings[0].clone();
    assert_eq!(refused(b"\xff\xfe").rule, "not-utf8");
    assert_eq!(refused(b"<a>\n<b></a>").rule, "not-xml");
    assert_eq!(refused(b"<a>\n<b></a>").place.line, 2);
    assert_eq!(refused(&vec![b' '; MAX_MODEL_BYTES + 1]).rule, "too-large");
    assert_eq!(refused("<a>".repeat(MAX_NESTING + 1).as_bytes()).rule, "too-deep");
    let bomb = r#"<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>"#;
    assert_eq!(refused(bomb.as_bytes()).rule, "not-xml");
    assert_eq!(refused(b"<html/>").rule, "no-process");
}

#[test]
fn a_model_is_known_by_the_hash_of_its_bytes() {
    let xml = standard(&process(PLAIN));
    let Read { definitions, .. } = super::accepted(&xml);
    assert_eq!(definitions.hash.len(), 64);
    assert_eq!(definitions.processes[0].reference.model, definitions.hash);
    assert_ne!(super::accepted(&format!("{xml} ")).definitions.hash, definitions.hash);
    assert!(check(xml.as_bytes(), &ReadOptions::default()).is_empty());
}
