//! The staff of the bureau (人员与机构): who works where, in which posts and roles, who leads whom, and who decides for
//! whom while they are away (代理). One stream for the whole bureau; candidate rules of processes are answered from it.

mod directory;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use decider::Decider;
use serde::{Deserialize, Serialize};

pub use directory::Directory;

use crate::{
    case::{Explain, code_of},
    rules::Desk,
};

/// The stream category.
pub const CATEGORY: &str = "staff";

/// The id of the one stream.
pub const STREAM_ID: &str = "bureau";

/// The longest name, code or account.
const MAX_WORD_BYTES: usize = 200;
/// The most posts, roles or groups of one person.
const MAX_WORDS: usize = 50;
/// The deepest line of departments: more is a circle.
pub const MAX_LEVELS: usize = 20;

/// Somebody who works at the bureau.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The account.
    pub id: String,
    /// 姓名
    pub name: String,
    /// 部门, by its code.
    pub department: String,
    /// 岗位
    #[serde(default)]
    pub posts: Vec<String>,
    /// 角色
    #[serde(default)]
    pub roles: Vec<String>,
    /// 用户组
    #[serde(default)]
    pub groups: Vec<String>,
}

/// A department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Department {
    /// Its code.
    pub code: String,
    /// 名称
    pub name: String,
    /// The department above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// 负责人, by their account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
}

/// Somebody who decides for somebody else for a time (代理).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Substitution {
    /// Who.
    pub substitute: String,
    /// From this day on.
    pub from: NaiveDate,
    /// Up to and with this day.
    pub until: NaiveDate,
}

/// What can happen to the staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::VariantNames, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum Event {
    /// Somebody came, or what is known of them changed.
    MemberRecorded { member: Member },
    /// 离职
    MemberLeft { id: String, on: NaiveDate },
    /// A department was founded, or what is known of it changed.
    DepartmentRecorded { department: Department },
    /// 代理
    SubstituteNamed { person: String, substitution: Substitution },
    /// 代理结束
    SubstituteEnded { person: String, on: NaiveDate },
}

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq, strum::VariantNames, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum Command {
    RecordMember { member: Member },
    LeaveMember { id: String },
    RecordDepartment { department: Department },
    NameSubstitute { person: String, substitution: Substitution },
    EndSubstitute { person: String },
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::AsRefStr)]
#[allow(missing_docs, reason = "the sentences explain themselves")]
pub enum Rejection {
    #[error("{field} must be written, in at most {MAX_WORD_BYTES} bytes")]
    WordMissing { field: String },
    #[error("at most {MAX_WORDS} {field}")]
    TooMany { field: String },
    #[error("there is no department {code}; record it first")]
    UnknownDepartment { code: String },
    #[error("nobody of the account {id} works here; record them first")]
    UnknownMember { id: String },
    #[error("the department {code} would stand above itself")]
    Circle { code: String },
    #[error("{from} to {until} is no time; the last day must not be before the first")]
    NoTime { from: NaiveDate, until: NaiveDate },
    #[error("nobody can stand in for themselves")]
    OwnSubstitute,
}

impl Explain for Rejection {
    fn code(&self) -> String {
        code_of(self.as_ref())
    }

    fn zh(&self) -> String {
        match self {
            Self::WordMissing { field } => format!("请填写 {field}，不超过 {MAX_WORD_BYTES} 字节"),
            Self::TooMany { field } => format!("{field} 最多 {MAX_WORDS} 个"),
            Self::UnknownDepartment { code } => format!("没有部门 {code}，请先登记"),
            Self::UnknownMember { id } => format!("没有账号为 {id} 的人员，请先登记"),
            Self::Circle { code } => format!("部门 {code} 不能是自己的上级"),
            Self::NoTime { from, until } => format!("代理期限 {from} 至 {until} 有误"),
            Self::OwnSubstitute => "不能由本人代理本人".to_owned(),
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::WordMissing { field } | Self::TooMany { field } => Some(field.clone()),
            _ => None,
        }
    }
}

/// Somebody who worked at the bureau.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Former {
    /// As they were known last.
    pub member: Member,
    /// The day on which they left.
    pub left_on: NaiveDate,
}

/// Everybody who works at the bureau.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Staff {
    /// By account.
    pub members: BTreeMap<String, Member>,
    /// By code.
    pub departments: BTreeMap<String, Department>,
    /// By the account of whoever is away.
    pub substitutions: BTreeMap<String, Substitution>,
    /// Those who left, by account: what was theirs is to be handed over.
    pub former: BTreeMap<String, Former>,
}

/// The decider of the staff.
pub struct StaffRegister;

impl Decider for StaffRegister {
    type State = Staff;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Context = Desk;

    fn decide(state: &Staff, command: &Command, desk: &Desk) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::RecordMember { member } => record_member(state, member),
            Command::LeaveMember { id } => {
                known(state, id)?;
                Ok(vec![Event::MemberLeft {
                    id: id.clone(),
                    on: desk.today(),
                }])
            }
            Command::RecordDepartment { department } => record_department(state, department),
            Command::NameSubstitute { person, substitution } => {
                known(state, person)?;
                known(state, &substitution.substitute)?;
                let Substitution { substitute, from, until } = substitution;
                if substitute == person {
                    return Err(Rejection::OwnSubstitute);
                }
                if until < from {
                    return Err(Rejection::NoTime {
                        from: *from,
                        until: *until,
                    });
                }
                Ok(vec![Event::SubstituteNamed {
                    person: person.clone(),
                    substitution: substitution.clone(),
                }])
            }
            Command::EndSubstitute { person } if state.substitutions.contains_key(person) => Ok(vec![Event::SubstituteEnded {
                person: person.clone(),
                on: desk.today(),
            }]),
            Command::EndSubstitute { .. } => Ok(Vec::new()),
        }
    }

    fn evolve(state: &mut Staff, event: &Event) {
        match event {
            Event::MemberRecorded { member } => {
                state.former.remove(&member.id);
                state.members.insert(member.id.clone(), member.clone());
            }
            Event::MemberLeft { id, on } => {
                if let Some(member) = state.members.remove(id) {
                    state.former.insert(id.clone(), Former { member, left_on: *on });
                }
                state.substitutions.remove(id);
            }
            Event::DepartmentRecorded { department } => {
                state.departments.insert(department.code.clone(), department.clone());
            }
            Event::SubstituteNamed { person, substitution } => {
                state.substitutions.insert(person.clone(), substitution.clone());
            }
            Event::SubstituteEnded { person, .. } => _ = state.substitutions.remove(person),
        }
    }
}

fn record_member(state: &Staff, member: &Member) -> Result<Vec<Event>, Rejection> {
    for (field, word) in [("id", &member.id), ("name", &member.name), ("department", &member.department)] {
        written(field, word)?;
    }
    for (field, words) in [("posts", &member.posts), ("roles", &member.roles), ("groups", &member.groups)] {
        if words.len() > MAX_WORDS {
            return Err(Rejection::TooMany { field: field.to_owned() });
        }
        words.iter().try_for_each(|word| written(field, word))?;
    }
    if !state.departments.contains_key(&member.department) {
        return Err(Rejection::UnknownDepartment {
            code: member.department.clone(),
        });
    }
    if state.members.get(&member.id) == Some(member) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::MemberRecorded { member: member.clone() }])
}

fn record_department(state: &Staff, department: &Department) -> Result<Vec<Event>, Rejection> {
    written("code", &department.code)?;
    written("name", &department.name)?;
    if let Some(leader) = &department.leader {
        // The first of all departments has a leader before anybody can be recorded in it.
        written("leader", leader)?;
    }
    let mut above = department.parent.as_ref();
    let mut levels = 0;
    while let Some(code) = above {
        levels += 1;
        if *code == department.code || levels > MAX_LEVELS {
            return Err(Rejection::Circle {
                code: department.code.clone(),
            });
        }
        let parent = state
            .departments
            .get(code)
            .ok_or_else(|| Rejection::UnknownDepartment { code: code.clone() })?;
        above = parent.parent.as_ref();
    }
    if state.departments.get(&department.code) == Some(department) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::DepartmentRecorded {
        department: department.clone(),
    }])
}

fn written(field: &str, word: &str) -> Result<(), Rejection> {
    if word.trim().is_empty() || word.len() > MAX_WORD_BYTES {
        return Err(Rejection::WordMissing { field: field.to_owned() });
    }
    Ok(())
}

fn known(state: &Staff, id: &str) -> Result<(), Rejection> {
    if state.members.contains_key(id) {
        return Ok(());
    }
    Err(Rejection::UnknownMember { id: id.to_owned() })
}
