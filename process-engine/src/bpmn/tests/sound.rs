//! Whether a process can run to its end.

use super::{Severity, accepted, dialect, flows, offends, process, refused};

fn model(nodes: &str, chains: &[&str]) -> String {
    dialect(&process(&format!(
        r#"<startEvent id="s"/>{nodes}<endEvent id="e"/>{}"#,
        flows(chains)
    )))
}

fn warnings(xml: &str) -> Vec<&'static str> {
    accepted(xml)
        .findings
        .iter()
        .map(|finding| finding.rule)
        .filter(|rule| *rule != "flow-default-condition")
        .collect()
}

const TASKS: &str = r#"<userTask id="a"/><userTask id="b"/>"#;

#[test]
fn what_nothing_leads_to_is_refused() {
    refused(&[("unreachable", model(r#"@@<userTask id="a"/>"#, &["s e", "a e"]))]);
}

#[test]
fn a_parallel_join_behind_an_exclusive_choice_is_refused() {
    let nodes = format!(r#"<exclusiveGateway id="x"/>{TASKS}@@<parallelGateway id="j"/>"#);
    refused(&[("join-never", model(&nodes, &["s x a j e", "x b j"]))]);
}

#[test]
fn a_join_that_only_may_wait_is_a_warning() {
    let nodes = format!(r#"<inclusiveGateway id="x"/>{TASKS}@@<parallelGateway id="j"/>"#);
    let finding = offends("join-may-wait", &model(&nodes, &["s x a j e", "x b j"]));
    assert_eq!(finding.severity, Severity::Warning);
}

#[test]
fn structured_splits_and_joins_of_all_kinds_are_fine() {
    for kind in ["exclusiveGateway", "parallelGateway", "inclusiveGateway"] {
        let nodes = format!(r#"<{kind} id="x"/>{TASKS}<{kind} id="j"/>"#);
        assert_eq!(
            warnings(&model(&nodes, &["s x a j e", "x b j"])),
            Vec::<&str>::new(),
            "{kind}"
        );
    }
}

#[test]
fn multiple_merges_and_implicit_ends_are_fine() {
    let nodes = format!(r#"<parallelGateway id="x"/>{TASKS}<userTask id="c"/>"#);
    assert_eq!(warnings(&model(&nodes, &["s x a c e", "x b c"])), Vec::<&str>::new());
}

#[test]
fn an_inclusive_join_waits_only_for_what_may_still_come() {
    let nodes = format!(r#"<exclusiveGateway id="x"/>{TASKS}<inclusiveGateway id="j"/>"#);
    assert_eq!(warnings(&model(&nodes, &["s x a j e", "x b j"])), Vec::<&str>::new());
}

#[test]
fn a_circle_in_which_nothing_waits_is_refused() {
    let nodes = r#"@@<exclusiveGateway id="x"/><manualTask id="m"/>"#;
    refused(&[("endless-circle", model(nodes, &["s x m x", "x e"]))]);
    let waits = r#"<exclusiveGateway id="x"/><userTask id="m"/>"#;
    assert_eq!(warnings(&model(waits, &["s x m x", "x e"])), Vec::<&str>::new());
}

#[test]
fn a_circle_of_scripts_is_a_warning() {
    let nodes = r#"@@<exclusiveGateway id="x"/><scriptTask id="m" scriptFormat="feel" zhulu:resultVariable="n"><script>n + 1</script></scriptTask>"#;
    assert_eq!(
        offends("circle-without-wait", &model(nodes, &["s x m x", "x e"])).severity,
        Severity::Warning
    );
}

#[test]
fn a_level_that_can_never_end_is_refused() {
    let xml = dialect(&process(&format!(
        r#"@@<startEvent id="s"/><exclusiveGateway id="x"/><userTask id="a"/><userTask id="b"/><endEvent id="e"/>{}"#,
        flows(&["s x a b x"])
    )));
    refused(&[("never-ends", xml.replace(r#"<endEvent id="e"/>"#, ""))]);
}

#[test]
fn a_level_with_too_many_states_is_a_warning() {
    let ids: Vec<String> = (0..20).map(|n| format!("t{n}")).collect();
    let tasks: Vec<String> = ids.iter().map(|id| format!(r#"<userTask id="{id}"/>"#)).collect();
    let chains: Vec<String> = ids.iter().map(|id| format!("x {id} j")).collect();
    let mut chains: Vec<&str> = chains.iter().map(String::as_str).collect();
    chains.extend(["s x", "j e"]);
    let xml = model(
        &format!(r#"<parallelGateway id="x"/>{}<parallelGateway id="j"/>"#, tasks.concat()),
        &chains,
    );
    assert_eq!(warnings(&xml), ["not-searched"]);
}

#[test]
fn a_border_event_ends_the_other_branch_of_a_join() {
    let nodes = format!(
        r#"<parallelGateway id="x"/>{TASKS}<boundaryEvent id="t" attachedToRef="b"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent>@@<parallelGateway id="j"/>"#
    );
    let finding = offends("join-may-wait", &model(&nodes, &["s x a j e", "x b j", "t e"]));
    assert_eq!(finding.severity, Severity::Warning);
}
