//! Files that are hard on whoever parses them.

use std::fmt::Write as _;

use process_engine::bpmn::{
    self, MAX_ATTRIBUTES, MAX_FLOWS, MAX_ID_CHARACTERS, MAX_MODEL_BYTES, MAX_NAMESPACE_DECLARATIONS, MAX_NESTING, ReadOptions,
};

use crate::{around, file, offended, process};

/// How a file that was made up is refused: by the rule that is found first.
fn is_refused_by(rule: &str, xml: &str) {
    let offended = offended(xml.as_bytes());
    assert!(offended.iter().any(|one| one == rule), "{rule}: {offended:?}");
}

#[test]
fn what_is_larger_than_a_model_is_not_looked_at() {
    is_refused_by("too-large", &process(&" ".repeat(MAX_MODEL_BYTES)));
    is_refused_by("too-large", &"<".repeat(MAX_MODEL_BYTES + 1));
}

#[test]
fn what_nests_without_end_is_not_parsed() {
    for (open, close) in [
        ("<subProcess>", "</subProcess>"),
        ("<a>", "</a>"),
        ("<extensionElements>", "</extensionElements>"),
    ] {
        for levels in [MAX_NESTING, 1_000, 100_000] {
            is_refused_by(
                "too-deep",
                &process(&format!("{}{}", open.repeat(levels), close.repeat(levels))),
            );
            is_refused_by("too-deep", &process(&open.repeat(levels)));
        }
    }
}

#[test]
fn sub_processes_as_deep_as_they_may_stand_are_read() {
    // The root, the process and what stands in the innermost: the rest is sub-processes.
    let levels = MAX_NESTING - 3;
    let mut inside = String::new();
    for level in 0..levels {
        inside = format!(
            r#"<startEvent id="s{level}"/><subProcess id="a{level}">{inside}</subProcess><endEvent id="e{level}"/>
<sequenceFlow id="f{level}" sourceRef="s{level}" targetRef="a{level}"/><sequenceFlow id="g{level}" sourceRef="a{level}" targetRef="e{level}"/>"#
        );
    }
    assert_eq!(offended(process(&inside).as_bytes()), Vec::<String>::new());
}

#[test]
fn entities_are_not_expanded() {
    let laughs = (1..10).fold(String::from("<!ENTITY l0 \"ha\">"), |mut text, n| {
        let inner = format!("&l{};", n - 1).repeat(10);
        let _ = write!(text, "<!ENTITY l{n} \"{inner}\">");
        text
    });
    let bomb = format!(
        "<!DOCTYPE d [{laughs}]>{}",
        around("<task id=\"a\" name=\"&l9;\"/>").split_once("?>").unwrap().1
    );
    is_refused_by("not-xml", &bomb);
    let outside = r#"<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><definitions>&x;</definitions>"#;
    is_refused_by("not-xml", outside);
    is_refused_by("not-xml", r#"<!DOCTYPE d SYSTEM "http://example.com/d.dtd"><definitions/>"#);
}

#[test]
fn attributes_and_namespaces_without_number_are_not_parsed() {
    let attributes = (0..100_000).fold(String::new(), |mut text, n| {
        let _ = write!(text, " a{n}=\"\"");
        text
    });
    is_refused_by("too-many-attributes", &around(&format!("<task id=\"a\"{attributes}/>")));
    let namespaces = (0..=MAX_NAMESPACE_DECLARATIONS).fold(String::new(), |mut text, n| {
        let _ = write!(text, "<task xmlns:n{n}=\"urn:{n}\" id=\"t{n}\"/>");
        text
    });
    is_refused_by("too-many-attributes", &process(&namespaces));
    // Signs that look like attributes in a value are a value.
    let written = "=".repeat(MAX_ATTRIBUTES * 10);
    assert_eq!(
        offended(around(&format!("<task id=\"a\" name=\"{written}\"/>")).as_bytes()),
        Vec::<String>::new()
    );
}

#[test]
fn a_huge_attribute_or_text_is_a_text_like_any_other() {
    let huge = "长".repeat(1_000_000);
    assert_eq!(
        offended(around(&format!("<task id=\"a\" name=\"{huge}\"/>")).as_bytes()),
        Vec::<String>::new()
    );
    assert_eq!(
        offended(around(&format!("<task id=\"a\"><documentation>{huge}</documentation></task>")).as_bytes()),
        Vec::<String>::new()
    );
    is_refused_by(
        "attribute-value",
        &around(&format!("<task id=\"a\" startQuantity=\"{}\"/>", "9".repeat(1_000_000))),
    );
}

#[test]
fn a_hundred_thousand_elements_are_refused_by_their_number() {
    let many = (0..100_000).fold(String::new(), |mut text, n| {
        let _ = write!(text, "<task id=\"t{n}\"/>");
        text
    });
    is_refused_by("too-many-nodes", &process(&many));
    let many = (0..100_000).fold(String::new(), |mut text, n| {
        let _ = write!(text, "<message id=\"m{n}\"/>");
        text
    });
    is_refused_by("too-many-elements", &file(&many));
}

#[test]
fn as_many_offences_as_a_file_can_hold_are_told_up_to_a_limit() {
    let many = "<nothing/>".repeat(20_000);
    let offended = offended(process(&many).as_bytes());
    assert!((1..=1_001).contains(&offended.len()), "{}", offended.len());
}

#[test]
fn flows_without_number_are_refused_by_their_number() {
    let flows: String = (0..=MAX_FLOWS)
        .map(|n| format!("<sequenceFlow id=\"f{n}\" sourceRef=\"a\" targetRef=\"e\"/>"))
        .collect();
    is_refused_by("too-many-flows", &process(&flows));
}

#[test]
fn what_could_begin_beside_a_task_in_any_combination_is_not_tried_in_all_of_them() {
    let border = |n: usize| {
        format!(
            r#"<boundaryEvent id="b{n}" attachedToRef="a" cancelActivity="false"><timerEventDefinition id="t{n}"><timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent><sequenceFlow id="f{n}" sourceRef="b{n}" targetRef="e"/>"#
        )
    };
    for count in [7, 64, 1_000] {
        let borders: String = (0..count).map(border).collect();
        let xml = around(&format!(r#"<userTask id="a"/>{borders}"#));
        assert_eq!(offended(xml.as_bytes()), Vec::<String>::new(), "{count}");
    }
}

#[test]
fn inclusive_gateways_that_all_lead_to_each_other_are_read_or_refused() {
    let count = 70;
    let mesh: String = (0..count)
        .map(|from| {
            let flows: String = (0..count)
                .map(|to| format!("<sequenceFlow id=\"f{from}_{to}\" sourceRef=\"g{from}\" targetRef=\"g{to}\"/>"))
                .collect();
            format!("<inclusiveGateway id=\"g{from}\"/>{flows}")
        })
        .collect();
    assert!(
        offended(process(&mesh).as_bytes())
            .iter()
            .any(|rule| rule == "endless-circle")
    );
    let row: String = (0..1_400)
        .map(|n| {
            let next = n + 1;
            format!(
                "<inclusiveGateway id=\"g{n}\"/><sequenceFlow id=\"x{n}\" sourceRef=\"g{n}\" targetRef=\"g{next}\"/><sequenceFlow id=\"y{n}\" sourceRef=\"g{n}\" targetRef=\"g{next}\"/>"
            )
        })
        .collect();
    let xml = process(&format!(
        "<startEvent id=\"s\"/><sequenceFlow id=\"in\" sourceRef=\"s\" targetRef=\"g0\"/>{row}<inclusiveGateway id=\"g1400\"/><sequenceFlow id=\"out\" sourceRef=\"g1400\" targetRef=\"e\"/><endEvent id=\"e\"/>"
    ));
    assert_eq!(offended(xml.as_bytes()), Vec::<String>::new());
}

#[test]
fn an_error_is_told_however_many_warnings_come_before_it() {
    let pictures: String = (0..2_000)
        .map(|n| format!("<di:BPMNShape id=\"shape{n}\" bpmnElement=\"nothing{n}\"/>"))
        .collect();
    let drawn = |content: &str| {
        file(&format!(
            "<process id=\"p\" isExecutable=\"true\">{content}</process><di:BPMNDiagram xmlns:di=\"http://www.omg.org/spec/BPMN/20100524/DI\" id=\"d\"><di:BPMNPlane id=\"pl\" bpmnElement=\"p\">{pictures}</di:BPMNPlane></di:BPMNDiagram>"
        ))
    };
    assert_eq!(
        offended(
            drawn("<startEvent id=\"s\"/><endEvent id=\"e\"/><sequenceFlow id=\"f\" sourceRef=\"s\" targetRef=\"e\"/>")
                .as_bytes()
        ),
        Vec::<String>::new()
    );
    is_refused_by("start-outgoing", &drawn("<startEvent id=\"s\"/>"));
}

#[test]
fn a_name_without_end_is_not_said_again_in_every_message() {
    let name = "长".repeat(500_000);
    let tasks: String = (0..1_500).map(|n| format!("<task id=\"t{n}\"/>")).collect();
    let xml = file(&format!(
        "<process id=\"p\" name=\"{name}\"><startEvent id=\"s\"/>{tasks}</process>"
    ));
    let findings = bpmn::check(xml.as_bytes(), &ReadOptions::default());
    let said: usize = findings.iter().map(|one| one.message.len() + one.message_zh.len()).sum();
    assert!(
        findings.len() >= 1_000 && said < 2_000_000,
        "{} findings, {said} bytes",
        findings.len()
    );
    let id = "i".repeat(MAX_ID_CHARACTERS + 1);
    is_refused_by("id-too-long", &process(&format!("<task id=\"{id}\"/>")));
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    for bytes in [
        &b"\xff\xfe<\0d\0/\0>\0"[..],
        b"\xc3\x28",
        b"<a>\xed\xa0\x80</a>",
        b"\xf0\x28\x8c\xbc",
    ] {
        assert_eq!(offended(bytes), ["not-utf8"]);
    }
    for bytes in [
        &b""[..],
        b"\0",
        b"<\0a/>",
        b"<a>\0</a>",
        b"\xef\xbb\xbf",
        b"<",
        b"<?",
        b"<!",
        b"<!--",
        b"<![CDATA[",
        b"&#x0;",
    ] {
        assert_eq!(offended(bytes), ["not-xml"], "{bytes:?}");
    }
}

#[test]
fn a_file_that_was_cut_off_anywhere_is_refused() {
    let whole = around("<userTask id=\"a\" name=\"审查\" zhulu:onReject=\"end\"/>");
    assert_eq!(offended(whole.as_bytes()), Vec::<String>::new());
    for length in 0..whole.trim_end().len() {
        assert!(!offended(&whole.as_bytes()[..length]).is_empty(), "cut off at {length}");
    }
}
