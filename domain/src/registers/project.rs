//! The register of projects (项目库): which project has which permits, one stream for each 项目代码.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use decider::Decider;
use serde::{Deserialize, Serialize};

use crate::{
    case::{Explain, code_of},
    rules::Desk,
};

/// The stream category; the id is the project's code.
pub const CATEGORY: &str = "project";

/// The most permits of one project.
pub const MAX_PERMITS: usize = 10_000;

/// What can happen to a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::VariantNames, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum Event {
    ProjectRegistered {
        name: String,
        region: String,
        address: String,
        client: String,
        on: NaiveDate,
    },
    PermitLinked {
        permit_no: String,
        case_id: String,
        on: NaiveDate,
    },
}

/// What may be asked of it. Reactions ask; the same entry twice is one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::VariantNames, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum Command {
    Register {
        name: String,
        region: String,
        address: String,
        client: String,
        on: NaiveDate,
    },
    LinkPermit {
        permit_no: String,
        case_id: String,
        on: NaiveDate,
    },
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::AsRefStr)]
#[allow(missing_docs, reason = "the sentences explain themselves")]
pub enum Rejection {
    #[error("this project is not in the register; register it first")]
    NotRegistered,
    #[error("permit {permit_no} is linked to case {case_id}")]
    LinkedToAnother { permit_no: String, case_id: String },
    #[error("a project has at most {MAX_PERMITS} permits")]
    TooManyPermits,
}

impl Explain for Rejection {
    fn code(&self) -> String {
        code_of(self.as_ref())
    }

    fn zh(&self) -> String {
        match self {
            Self::NotRegistered => "项目库中没有该项目，请先登记".to_owned(),
            Self::LinkedToAnother { permit_no, case_id } => format!("许可证 {permit_no} 已关联案件 {case_id}"),
            Self::TooManyPermits => format!("一个项目最多 {MAX_PERMITS} 个许可证"),
        }
    }
}

/// A project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "as the events")]
pub struct Project {
    pub name: Option<String>,
    pub region: String,
    pub address: String,
    pub client: String,
    pub registered_on: Option<NaiveDate>,
    /// The permits and their cases.
    pub permits: BTreeMap<String, String>,
}

/// The decider of a project.
pub struct ProjectRegister;

impl Decider for ProjectRegister {
    type State = Project;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Context = Desk;

    fn decide(project: &Project, command: &Command, _desk: &Desk) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Register { .. } if project.name.is_some() => Ok(Vec::new()),
            Command::Register {
                name,
                region,
                address,
                client,
                on,
            } => Ok(vec![Event::ProjectRegistered {
                name: name.clone(),
                region: region.clone(),
                address: address.clone(),
                client: client.clone(),
                on: *on,
            }]),
            Command::LinkPermit { .. } if project.name.is_none() => Err(Rejection::NotRegistered),
            Command::LinkPermit { permit_no, case_id, on } => match project.permits.get(permit_no) {
                Some(linked) if linked == case_id => Ok(Vec::new()),
                Some(linked) => Err(Rejection::LinkedToAnother {
                    permit_no: permit_no.clone(),
                    case_id: linked.clone(),
                }),
                None if project.permits.len() >= MAX_PERMITS => Err(Rejection::TooManyPermits),
                None => Ok(vec![Event::PermitLinked {
                    permit_no: permit_no.clone(),
                    case_id: case_id.clone(),
                    on: *on,
                }]),
            },
        }
    }

    fn evolve(project: &mut Project, event: &Event) {
        match event {
            Event::ProjectRegistered {
                name,
                region,
                address,
                client,
                on,
            } => {
                project.name = Some(name.clone());
                project.region.clone_from(region);
                project.address.clone_from(address);
                project.client.clone_from(client);
                project.registered_on = Some(*on);
            }
            Event::PermitLinked { permit_no, case_id, .. } => {
                project.permits.insert(permit_no.clone(), case_id.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use decider::testing::given;

    use super::*;
    use crate::case_types::construction_permit::testing::{day, desk};

    fn link(case_id: &str) -> Command {
        Command::LinkPermit {
            permit_no: "330109202609180101".into(),
            case_id: case_id.into(),
            on: day("2026-09-18"),
        }
    }

    #[test]
    fn a_project_is_registered_once_and_links_each_permit_to_one_case() {
        let desk = desk("2026-09-18");
        let register = Command::Register {
            name: "示范学校".into(),
            region: "330109".into(),
            address: "示范路".into(),
            client: "示范公司".into(),
            on: day("2026-09-18"),
        };
        given::<ProjectRegister>([])
            .at(&desk)
            .when(&link("c1"))
            .then_rejected(&Rejection::NotRegistered);
        let registered = given::<ProjectRegister>([]).at(&desk).when(&register).then_accepted();
        given::<ProjectRegister>(registered.clone())
            .at(&desk)
            .when(&register)
            .then([]);
        let linked = given::<ProjectRegister>(registered)
            .at(&desk)
            .when(&link("c1"))
            .then_accepted();
        given::<ProjectRegister>(linked.clone()).at(&desk).when(&link("c1")).then([]);
        let another = Rejection::LinkedToAnother {
            permit_no: "330109202609180101".into(),
            case_id: "c1".into(),
        };
        given::<ProjectRegister>(linked)
            .at(&desk)
            .when(&link("c2"))
            .then_rejected(&another);
    }
}
