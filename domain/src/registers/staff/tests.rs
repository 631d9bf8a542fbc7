//! What the staff register accepts, and whom it finds.

#![allow(clippy::unwrap_used)]

use decider::{replay, stored, testing::given};
use strum::VariantNames as _;

use super::*;
use crate::case_types::construction_permit::testing as permit;

fn department(code: &str, parent: Option<&str>, leader: &str) -> Event {
    Event::DepartmentRecorded {
        department: Department {
            code: code.to_owned(),
            name: format!("{code} 科"),
            parent: parent.map(str::to_owned),
            leader: Some(leader.to_owned()),
        },
    }
}

fn member(id: &str, department: &str, role: &str) -> Event {
    Event::MemberRecorded {
        member: Member {
            id: id.to_owned(),
            name: format!("{id} 某"),
            department: department.to_owned(),
            posts: vec!["审查岗".to_owned()],
            roles: vec![role.to_owned()],
            groups: Vec::new(),
        },
    }
}

fn bureau() -> Vec<Event> {
    vec![
        department("bureau", None, "chen"),
        department("permits", Some("bureau"), "li"),
        department("fire", Some("bureau"), "sun"),
        member("chen", "bureau", "director"),
        member("li", "permits", "sectionChief"),
        member("wang", "permits", "handler"),
        member("sun", "fire", "sectionChief"),
    ]
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn ids(members: Vec<&Member>) -> Vec<&str> {
    members.into_iter().map(|member| member.id.as_str()).collect()
}

#[test]
fn people_are_found_by_role_post_department_and_line_of_leaders() {
    let directory = Directory::from(replay::<StaffRegister>(&bureau()));
    assert_eq!(ids(directory.of_role("sectionChief")), ["li", "sun"]);
    assert_eq!(directory.of_post("审查岗").len(), 4);
    assert_eq!(ids(directory.of_department("permits")), ["li", "wang"]);
    assert_eq!(directory.of_department("bureau").len(), 4, "with the departments below");
    assert_eq!(directory.leader_of("fire").unwrap().id, "sun");
    assert_eq!(ids(directory.leaders_above("permits", 9)), ["li", "chen"]);
    assert_eq!(ids(directory.leaders_above("permits", 1)), ["li"]);
}

#[test]
fn a_substitute_decides_within_the_days_that_were_named() {
    let mut events = bureau();
    events.push(Event::SubstituteNamed {
        person: "li".to_owned(),
        substitution: Substitution {
            substitute: "wang".to_owned(),
            from: day("2026-05-01"),
            until: day("2026-05-07"),
        },
    });
    let directory = Directory::from(replay::<StaffRegister>(&events));
    assert_eq!(directory.substitute_of("li", day("2026-05-07")).unwrap().id, "wang");
    assert_eq!(directory.substitute_of("li", day("2026-05-08")), None);
    events.push(Event::MemberLeft {
        id: "li".to_owned(),
        on: day("2026-05-02"),
    });
    let directory = Directory::from(replay::<StaffRegister>(&events));
    assert_eq!(
        directory.substitute_of("li", day("2026-05-03")),
        None,
        "who left needs nobody"
    );
}

#[test]
fn who_left_is_remembered_until_they_come_back() {
    let mut events = bureau();
    events.push(Event::MemberLeft {
        id: "li".to_owned(),
        on: day("2026-05-02"),
    });
    let staff = replay::<StaffRegister>(&events);
    assert_eq!(staff.former["li"].left_on, day("2026-05-02"));
    assert!(Directory::from(staff).member("li").is_none());
    events.push(member("li", "fire", "handler"));
    let staff = replay::<StaffRegister>(&events);
    assert!(staff.former.is_empty() && staff.members["li"].department == "fire");
}

#[test]
fn what_contradicts_itself_is_refused() {
    let desk = permit::desk("2026-05-04");
    let substitution = |substitute: &str, from: &str, until: &str| Command::NameSubstitute {
        person: "li".to_owned(),
        substitution: Substitution {
            substitute: substitute.to_owned(),
            from: day(from),
            until: day(until),
        },
    };
    let ask = |command: &Command, expected: &Rejection| {
        given::<StaffRegister>(bureau())
            .at(&desk)
            .when(command)
            .then_rejected(expected);
    };
    ask(&substitution("li", "2026-05-01", "2026-05-02"), &Rejection::OwnSubstitute);
    ask(
        &substitution("wang", "2026-05-03", "2026-05-02"),
        &Rejection::NoTime {
            from: day("2026-05-03"),
            until: day("2026-05-02"),
        },
    );
    ask(
        &substitution("nobody", "2026-05-01", "2026-05-02"),
        &Rejection::UnknownMember { id: "nobody".to_owned() },
    );
    let circle = Department {
        code: "bureau".to_owned(),
        name: "局".to_owned(),
        parent: Some("permits".to_owned()),
        leader: None,
    };
    ask(
        &Command::RecordDepartment { department: circle },
        &Rejection::Circle {
            code: "bureau".to_owned(),
        },
    );
}

#[test]
fn every_sample_that_was_ever_stored_can_be_read() {
    for (name, data) in [
        ("MemberRecorded", include_str!("../samples/MemberRecorded.json")),
        ("MemberLeft", include_str!("../samples/MemberLeft.json")),
        ("DepartmentRecorded", include_str!("../samples/DepartmentRecorded.json")),
        ("SubstituteNamed", include_str!("../samples/SubstituteNamed.json")),
        ("SubstituteEnded", include_str!("../samples/SubstituteEnded.json")),
    ] {
        let event: Event = stored::decode(name, data.as_bytes()).unwrap();
        let (written, again) = stored::encode(&event).unwrap();
        assert_eq!(written, name);
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&again).unwrap(),
            serde_json::from_str::<serde_json::Value>(data).unwrap()
        );
    }
    assert_eq!(Event::VARIANTS.len(), 5, "a new event needs a sample");
}
