//! Random but repeatable histories of cases, told through the domain's own law.

#![allow(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    reason = "shared with the bench that measures rebuilds"
)]

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use decider::Decider;
use domain::{
    case::commands::{ImportDecision, ImportStep},
    case::{
        AcceptanceMode, Case, CaseCommand, CaseEvent, CaseState, Command, Conclusion, DeliveryMethod, Gap, GapKind, IdKind,
        ImportedStep, Material, MaterialSource, NumberKind, Officer, Party, PartyKind, PauseKind, Step,
    },
    case_types::construction_permit::{self as permit, ConstructionPermit, ITEM_CODE},
    metadata::{Actor, Channel, Metadata, SCHEMA_VERSION, bureau_midnight},
    rules::{Desk, Rules},
};
use event_store_contract::{NewEvent, StreamName};
use uuid::Uuid;

/// Numbers that look random and are the same each time.
pub struct Dice(u64);

impl Dice {
    /// The same seed, the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below this.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

/// One case on its way.
pub struct History {
    /// What tells it from others.
    pub seed: u64,
    /// Its id.
    pub id: Uuid,
    /// Where it stands.
    pub state: CaseState<ConstructionPermit>,
    /// What is not written yet.
    pub unwritten: Vec<NewEvent>,
    dice: Dice,
    now: DateTime<Utc>,
    events: u128,
    rules: Rules,
}

const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2025, 1, 6) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

impl History {
    /// A case of which nothing is known yet.
    pub fn new(seed: u64, rules: &Rules) -> Self {
        let mut dice = Dice::new(seed + 1);
        let day = FIRST_DAY + Days::new(dice.below(300));
        Self {
            seed,
            id: Uuid::from_u128((u128::from(seed) << 80) | 0x7000_8000_0000_0000_0000),
            state: CaseState::default(),
            unwritten: Vec::new(),
            dice,
            now: bureau_midnight(day) + TimeDelta::hours(9),
            events: 0,
            rules: rules.clone(),
        }
    }

    /// The case's stream.
    pub fn stream(&self) -> StreamName {
        StreamName::of("constructionPermit", self.id).unwrap()
    }

    fn desk(&self, who: &str) -> Desk {
        let actor = Actor {
            id: who.to_owned(),
            name: format!("{who}·经办"),
            role: "handler".to_owned(),
            organisation: "11330109002514224B".to_owned(),
            channel: Channel::Window,
            on_behalf_of: None,
        };
        Desk {
            now: self.now,
            occurred_at: self.now,
            actor,
            region: "330109".to_owned(),
            rules: self.rules.clone(),
        }
    }

    /// Asks for something; whether anything happened.
    pub fn ask(&mut self, who: &str, command: Command) -> bool {
        let desk = self.desk(who);
        let name: &'static str = (&command).into();
        let Ok(events) = Case::<ConstructionPermit>::decide(&self.state, &CaseCommand::Kernel(command), &desk) else {
            return false;
        };
        for event in &events {
            Case::<ConstructionPermit>::evolve(&mut self.state, event);
            self.write(name, event, &desk);
        }
        !events.is_empty()
    }

    fn write(&mut self, command: &str, event: &CaseEvent<ConstructionPermit>, desk: &Desk) {
        let (name, data) = event.write().unwrap();
        let own_time = match event {
            CaseEvent::Kernel(event) => event.occurred_at(),
            CaseEvent::Own(_) => None,
        };
        self.store(command, (name, data), own_time, desk);
    }

    /// Something happens to the process of the case, as it is stored.
    pub fn of_process(&mut self, name: &str, data: &serde_json::Value) {
        let desk = self.desk("operator");
        self.store("Process", (name.to_owned(), serde_json::to_vec(data).unwrap()), None, &desk);
    }

    fn store(&mut self, command: &str, (name, data): (String, Vec<u8>), own_time: Option<DateTime<Utc>>, desk: &Desk) {
        self.events += 1;
        let command_id = Uuid::from_u128(self.id.as_u128() ^ (self.events << 32));
        let metadata = Metadata {
            command_id,
            command: command.to_owned(),
            correlation_id: command_id,
            causation_id: command_id,
            actor: desk.actor.clone(),
            occurred_at: own_time.unwrap_or(desk.occurred_at),
            recorded_at: desk.now,
            region: desk.region.clone(),
            legal_basis: self.events.is_multiple_of(3).then(|| "行政许可法 42".to_owned()),
            schema_version: SCHEMA_VERSION,
            trace_id: None,
            key_id: None,
        };
        self.unwritten.push(NewEvent {
            id: Uuid::from_u128(self.id.as_u128() ^ self.events),
            name: name.into(),
            data: data.into(),
            metadata: serde_json::to_vec(&metadata).unwrap().into(),
        });
    }

    /// Files a complete application.
    pub fn submit(&mut self) -> bool {
        let number = self.dice.below(50);
        let material = |code: &str| Material {
            code: code.to_owned(),
            document: None,
            source: MaterialSource::Scan,
            originals: 1,
            copies: 0,
        };
        self.ask(
            "client",
            Command::Submit {
                item_code: ITEM_CODE.to_owned(),
                project_code: None,
                applicant: Party {
                    kind: PartyKind::LegalPerson,
                    name: format!("示范建设{number}有限公司 Co"),
                    id_no: "91110000600037341L".to_owned(),
                    id_kind: IdKind::Uscc,
                    legal_representative: Some("王建国".to_owned()),
                    phone: Some("13800138000".to_owned()),
                    address: None,
                },
                agent: None,
                form: permit::example_form(),
                materials: ["M01", "M02", "M03", "M04", "M05", "M06", "M07"]
                    .into_iter()
                    .map(material)
                    .collect(),
            },
        ) && self.ask(
            "system",
            Command::AssignNumber {
                kind: NumberKind::Case,
                number: format!("SGXK2025{:08}", self.seed),
                wanted_by: Uuid::from_u128(self.id.as_u128() ^ 1),
            },
        )
    }

    /// Imports the case from a former system.
    pub fn import(&mut self, batch: &str) -> bool {
        let steps = self.dice.below(3);
        let decided = self.dice.below(3) > 0;
        let submitted_at = self.now - TimeDelta::days(400);
        let at = |days: i64| submitted_at + TimeDelta::days(days);
        self.ask(
            "migration",
            Command::ImportCase {
                batch: batch.to_owned(),
                source: "permits".to_owned(),
                legacy_id: format!("L-{}", self.seed),
                item_code: ITEM_CODE.to_owned(),
                attributes: [("city", "los-angeles"), ("in_mature_cohort", "yes")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
                submitted_at,
                activity: None,
                resource: None,
                steps: (0..steps)
                    .map(|step| ImportStep {
                        step: ImportedStep::Checked,
                        activity: "T02".to_owned(),
                        resource: None,
                        attributes: std::collections::BTreeMap::new(),
                        at: at(i64::try_from(step).unwrap() + 1),
                    })
                    .collect(),
                decision: decided.then(|| ImportDecision {
                    granted: true,
                    licence_no: None,
                    at: at(30),
                }),
            },
        )
    }

    /// Takes the import back.
    pub fn roll_back(&mut self, batch: &str) -> bool {
        self.ask(
            "migration",
            Command::RollBackImport {
                batch: batch.to_owned(),
                reason: "试验".to_owned(),
            },
        )
    }

    /// Tries something or other, and lets time pass.
    pub fn step(&mut self) {
        let hours = i64::try_from(self.dice.below(30)).unwrap();
        self.now += TimeDelta::hours(hours);
        let wanted_by = Uuid::from_u128(self.id.as_u128() ^ (u128::from(self.dice.below(1 << 20)) << 40));
        let (who, command) = match self.dice.below(18) {
            0 => (
                "wang",
                Command::Accept {
                    mode: AcceptanceMode::Normal,
                    tolerance: Vec::new(),
                    commitment: None,
                },
            ),
            1 => ("li", assign("zhang")),
            2 => ("li", assign("sun")),
            3 => ("zhang", opinion()),
            4 => (
                "zhang",
                Command::CompleteReview {
                    conclusion: Conclusion::Agree,
                    second_officer: "zhou".to_owned(),
                },
            ),
            5 => ("li", Command::ApproveBySection),
            6 => ("chen", Command::Grant { conditions: Vec::new() }),
            7 => (
                "system",
                Command::AssignNumber {
                    kind: NumberKind::Licence,
                    number: format!("3301092026{:08}", self.seed),
                    wanted_by,
                },
            ),
            8 => (
                "wang",
                Command::Deliver {
                    method: DeliveryMethod::Window,
                    receiver: "王建国".to_owned(),
                },
            ),
            9 => (
                "client",
                Command::Rate {
                    grade: 2,
                    channel: "窗口".to_owned(),
                    tags: Vec::new(),
                    comment: "慢".to_owned(),
                },
            ),
            10 => ("zhang", suspend()),
            11 => (
                "zhang",
                Command::Resume {
                    kind: PauseKind::SiteVisit,
                    evidence: "踏勘完成".to_owned(),
                },
            ),
            12 => ("wang", correction()),
            13 => (
                "client",
                Command::RequestWithdrawal {
                    reason: "不建了".to_owned(),
                },
            ),
            14 => (
                "wang",
                Command::DeclineWithdrawal {
                    reason: "已审查".to_owned(),
                },
            ),
            15 => (
                "chen",
                Command::ExtendDeadline {
                    add_working_days: 5,
                    reason: "情况复杂".to_owned(),
                },
            ),
            16 => (
                "ma",
                Command::Supervise {
                    opinion: "请加快".to_owned(),
                    reply_due_on: domain::metadata::bureau_date(self.now) + Days::new(9),
                },
            ),
            _ => (
                "zhang",
                Command::AnswerSupervision {
                    reply: "正在办理".to_owned(),
                },
            ),
        };
        self.ask(who, command);
    }

    /// The straight way to a delivered permit: about ten events.
    pub fn straight(&mut self) {
        self.submit();
        self.ask(
            "wang",
            Command::Accept {
                mode: AcceptanceMode::Normal,
                tolerance: Vec::new(),
                commitment: None,
            },
        );
        self.now += TimeDelta::days(1);
        self.ask("li", assign("zhang"));
        self.ask("zhang", opinion());
        self.ask(
            "zhang",
            Command::CompleteReview {
                conclusion: Conclusion::Agree,
                second_officer: "zhou".to_owned(),
            },
        );
        self.now += TimeDelta::days(1);
        self.ask("li", Command::ApproveBySection);
        self.ask("chen", Command::Grant { conditions: Vec::new() });
        let number = format!("3301092025{:08}", self.seed);
        self.ask(
            "system",
            Command::AssignNumber {
                kind: NumberKind::Licence,
                number,
                wanted_by: Uuid::from_u128(self.id.as_u128() ^ 7),
            },
        );
        self.ask(
            "wang",
            Command::Deliver {
                method: DeliveryMethod::Window,
                receiver: "王建国".to_owned(),
            },
        );
    }
}

fn assign(to: &str) -> Command {
    Command::Assign {
        to: Officer {
            id: to.to_owned(),
            name: format!("{to}·承办"),
        },
        reason: "轮值".to_owned(),
    }
}

fn opinion() -> Command {
    Command::RecordOpinion {
        step: Step::Handling,
        conclusion: Conclusion::Agree,
        text: "材料齐全".to_owned(),
        signature: None,
    }
}

fn suspend() -> Command {
    Command::Suspend {
        kind: PauseKind::SiteVisit,
        basis: "行政许可法 45".to_owned(),
        expected_working_days: 3,
    }
}

fn correction() -> Command {
    let gap = Gap {
        code: "M05".to_owned(),
        kind: GapKind::Defective,
        reason: "缺章".to_owned(),
    };
    Command::NotifyCorrection {
        gaps: vec![gap],
        delivered_by: "窗口".to_owned(),
    }
}
