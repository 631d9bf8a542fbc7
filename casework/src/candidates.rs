//! Whom a rule for candidates finds (候选人策略): answered from the staff of the bureau.

use domain::registers::staff::{Directory, Member};
use process_engine::{
    instance::{Ask, Person},
    model::Strategy,
};
use serde_json::Value;

use crate::desk::person;

/// Whoever the rule finds; why it cannot be answered, if it cannot.
///
/// A role stands for everybody in it (`role:handler`), so that a task waits for whoever comes, also for those who come to
/// the bureau later. Where each of them decides, or one is drawn, they are the people whom the staff register knows. A
/// rule that needs a line of leaders names people.
pub(crate) fn found(directory: &Directory, ask: &Ask<'_>) -> Result<Vec<Person>, String> {
    let named = || named(ask.parameter);
    match ask.strategy {
        Strategy::Role if ask.each => Ok(all(named().flat_map(|role| directory.of_role(role)))),
        Strategy::Role => Ok(named().map(|role| group("role", role)).collect()),
        Strategy::Group => Ok(all(named().flat_map(|group| directory.of_group(group)))),
        Strategy::Post => Ok(all(named().flat_map(|post| directory.of_post(post)))),
        Strategy::User | Strategy::AssignEmpty => Ok(named().map(|id| known(directory, id)).collect()),
        Strategy::DepartmentMember => Ok(all(named().flat_map(|code| directory.of_department(code)))),
        Strategy::DepartmentLeader => Ok(all(named().filter_map(|code| directory.leader_of(code)))),
        Strategy::MultiLevelDepartmentLeader => {
            let (codes, levels) = levels(ask.parameter);
            Ok(all(codes.flat_map(|code| directory.leaders_above(code, levels))))
        }
        Strategy::Starter => Ok(ask.starter.cloned().into_iter().collect()),
        Strategy::StarterDepartmentLeader => {
            let levels = number(ask.parameter).unwrap_or(1);
            let leaders = directory.leaders_above(department_of_starter(directory, ask)?, levels);
            Ok(leaders.last().copied().map(person_of).into_iter().collect())
        }
        Strategy::StarterMultiLevelDepartmentLeader => {
            let levels = number(ask.parameter).unwrap_or(usize::MAX);
            Ok(all(directory.leaders_above(department_of_starter(directory, ask)?, levels)))
        }
        Strategy::Expression | Strategy::FormUser | Strategy::ApproverChooses | Strategy::StarterChooses => {
            let people = people_in(ask.value)?;
            Ok(people.into_iter().map(|found| better_known(directory, found)).collect())
        }
        Strategy::FormDepartmentLeader => {
            let codes = people_in(ask.value)?;
            Ok(all(codes.iter().filter_map(|code| directory.leader_of(&code.id))))
        }
    }
}

/// A member of the staff as somebody of a process.
pub(crate) fn person_of(member: &Member) -> Person {
    person(&member.id, &member.name)
}

fn all<'a>(members: impl IntoIterator<Item = &'a Member>) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    for found in members.into_iter().map(person_of) {
        if !people.contains(&found) {
            people.push(found);
        }
    }
    people
}

/// Somebody by their account: under their name, if they are on the staff.
fn known(directory: &Directory, id: &str) -> Person {
    directory.member(id).map_or_else(|| person(id, id), person_of)
}

fn better_known(directory: &Directory, found: Person) -> Person {
    directory.member(&found.id).map_or(found, person_of)
}

fn department_of_starter<'a>(directory: &'a Directory, ask: &Ask<'_>) -> Result<&'a str, String> {
    let starter = ask.starter.ok_or("nobody started the process")?;
    let member = directory.member(&starter.id);
    let member = member.ok_or_else(|| format!("{} is not on the staff, and so in no department", starter.id))?;
    Ok(&member.department)
}

/// The names in a parameter, which are parted by commas.
fn named(parameter: Option<&str>) -> impl Iterator<Item = &str> {
    let names = parameter.unwrap_or_default().split([',', '，']);
    names.map(str::trim).filter(|name| !name.is_empty())
}

fn number(parameter: Option<&str>) -> Option<usize> {
    parameter?.trim().parse().ok()
}

/// Departments, and behind `|` how many levels of leaders.
fn levels(parameter: Option<&str>) -> (impl Iterator<Item = &str>, usize) {
    let text = parameter.unwrap_or_default();
    let (codes, levels) = text.split_once('|').unwrap_or((text, ""));
    (named(Some(codes)), levels.trim().parse().unwrap_or(usize::MAX))
}

/// Everybody of a group, as one candidate.
fn group(kind: &str, name: &str) -> Person {
    let id = format!("{kind}:{name}");
    person(&id, &id)
}

/// The people that a value names: ids, or contexts with an id.
fn people_in(value: Option<&Value>) -> Result<Vec<Person>, String> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(values)) => values.iter().map(one_person).collect(),
        Some(value) => Ok(vec![one_person(value)?]),
    }
}

fn one_person(value: &Value) -> Result<Person, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let id = text(value).or_else(|| value.get("id").and_then(text));
    let id = id.ok_or_else(|| format!("{value} names nobody"))?;
    let name = value.get("name").and_then(text).unwrap_or_else(|| id.clone());
    Ok(person(&id, &name))
}
