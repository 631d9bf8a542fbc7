//! Data: each rule fires where it is offended.

use super::{around, refused, standard};

const ITEMS: &str = r#"<itemDefinition id="text" structureRef="String"/><itemDefinition id="number" structureRef="xsd:int"/>
<itemDefinition id="texts" structureRef="String" isCollection="true"/><message id="m" itemRef="text"/><message id="n" itemRef="number"/>
<signal id="sig" name="sig" structureRef="number"/>
<interface id="i" name="i"><operation id="o" name="o"><inMessageRef>m</inMessageRef><outMessageRef>n</outMessageRef></operation></interface>"#;

fn with(node: &str) -> String {
    standard(&format!("{ITEMS}{}", around(node)))
}

fn io(inputs: &str, outputs: &str, sets: &str) -> String {
    format!("<ioSpecification>{inputs}{outputs}{sets}</ioSpecification>")
}

const IN: &str = r#"<dataInput id="in" itemSubjectRef="text"/>"#;
const OUT: &str = r#"<dataOutput id="out" itemSubjectRef="number"/>"#;
const IN_SET: &str = "<inputSet><dataInputRefs>in</dataInputRefs></inputSet>";
const OUT_SET: &str = "<outputSet><dataOutputRefs>out</dataOutputRefs></outputSet>";

#[test]
fn data_and_its_associations_are_refused_where_they_offend() {
    let task = |inside: &str| {
        with(&format!(
            r#"<task id="a">{inside}</task><dataObject id="d" itemSubjectRef="number"/>"#
        ))
    };
    let reads = |inside: &str| format!("{}{inside}", io(IN, "", &format!("{IN_SET}<outputSet/>")));
    refused(&[
        (
            "data-collection",
            with(r#"<task id="a"/>@@<dataObject id="d" itemSubjectRef="texts"/>"#),
        ),
        ("data-reference", with(r#"<task id="a"/>@@<dataObjectReference id="r"/>"#)),
        (
            "data-io-place",
            with(&format!(
                r#"<subProcess id="a">@@{}</subProcess>"#,
                io("", "", "<inputSet/><outputSet/>")
            )),
        ),
        (
            "data-association-source",
            task(&reads(
                "@@<dataInputAssociation><sourceRef>d</sourceRef><sourceRef>d</sourceRef><targetRef>in</targetRef></dataInputAssociation>",
            )),
        ),
        (
            "data-association-target",
            task(&reads(
                "<dataOutputAssociation><sourceRef>d</sourceRef>@@<targetRef>in</targetRef></dataOutputAssociation>",
            )),
        ),
        (
            "data-association-match",
            task(&reads(
                "@@<dataInputAssociation><sourceRef>d</sourceRef><targetRef>in</targetRef></dataInputAssociation>",
            )),
        ),
        (
            "loop-data",
            task(&format!(
                r#"{}<multiInstanceLoopCharacteristics><loopDataInputRef>list</loopDataInputRef>@@<inputDataItem id="one" itemSubjectRef="number"/></multiInstanceLoopCharacteristics>"#,
                io(
                    r#"<dataInput id="list" itemSubjectRef="texts" isCollection="true"/>"#,
                    "",
                    "<inputSet><dataInputRefs>list</dataInputRefs></inputSet><outputSet/>"
                )
            )),
        ),
    ]);
}

#[test]
fn sets_are_refused_where_they_offend() {
    let task = |inside: &str| with(&format!(r#"<task id="a">{inside}</task>"#));
    refused(&[
        ("io-set", task(&io(&format!("@@{IN}"), "", "<inputSet/><outputSet/>"))),
        (
            "io-set-own",
            with(&format!(
                r#"<task id="a">{}</task><task id="b">{}</task>"#,
                io(IN, "", &format!("{IN_SET}<outputSet/>")),
                io("", "", "@@<inputSet><dataInputRefs>in</dataInputRefs></inputSet><outputSet/>")
            )),
        ),
        (
            "io-set-optional",
            task(&io(
                IN,
                "",
                "@@<inputSet><optionalInputRefs>in</optionalInputRefs></inputSet><outputSet/>",
            )),
        ),
        (
            "io-set-mutual",
            task(&io(
                IN,
                "",
                r#"@@<inputSet id="is"><dataInputRefs>in</dataInputRefs><outputSetRefs>os</outputSetRefs></inputSet><outputSet id="os"/>"#,
            )),
        ),
    ]);
}

#[test]
fn what_messages_carry_is_what_tasks_and_events_have() {
    let service = |io: &str| with(&format!(r#"<serviceTask id="a" operationRef="o">{io}</serviceTask>"#));
    refused(&[
        (
            "operation-sets",
            service(&format!("@@{}", io(IN, OUT, &format!("{IN_SET}{IN_SET}{OUT_SET}")))),
        ),
        ("operation-sets", with(r#"@@<serviceTask id="a" operationRef="o"/>"#)),
        (
            "operation-items",
            service(&io(
                IN,
                r#"@@<dataOutput id="out" itemSubjectRef="text"/>"#,
                &format!("{IN_SET}{OUT_SET}"),
            )),
        ),
        (
            "io-binding",
            standard(&format!(
                r#"{ITEMS}{}<globalTask id="g">{}@@<ioBinding operationRef="o" inputDataRef="in" outputDataRef="out"/></globalTask>"#,
                around(r#"<task id="a"/>"#),
                io(
                    IN,
                    r#"<dataOutput id="out" itemSubjectRef="text"/>"#,
                    &format!("{IN_SET}{OUT_SET}")
                )
            )),
        ),
        (
            "call-data",
            standard(&format!(
                r#"{ITEMS}{}<globalTask id="g">{}</globalTask>"#,
                around(r#"@@<callActivity id="a" calledElement="g"/>"#),
                io(IN, "", &format!("{IN_SET}<outputSet/>"))
            )),
        ),
        (
            "event-data",
            with(
                r#"@@<intermediateThrowEvent id="a"><dataInput id="x"/><dataInput id="y"/><inputSet><dataInputRefs>x</dataInputRefs><dataInputRefs>y</dataInputRefs></inputSet><signalEventDefinition signalRef="sig"/></intermediateThrowEvent>"#,
            ),
        ),
        (
            "event-data-item",
            with(
                r#"<intermediateThrowEvent id="a">@@<dataInput id="x" itemSubjectRef="text"/><inputSet><dataInputRefs>x</dataInputRefs></inputSet><signalEventDefinition signalRef="sig"/></intermediateThrowEvent>"#,
            ),
        ),
    ]);
}
