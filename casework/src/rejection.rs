//! Why a case at work may refuse: by its law, by its process, or because the two are not at the same step.

use domain::case::{CaseRejection, Explain, Stage, code_of};
use process_engine::instance;

pub(crate) mod process_zh;

use crate::forms::FormFaulty;

/// Why not.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WorkRejection<R: std::error::Error> {
    /// By the law of the case.
    #[error(transparent)]
    Case(CaseRejection<R>),
    /// By its process.
    #[error(transparent)]
    Process(#[from] instance::Rejection),
    /// Because the two do not go together.
    #[error(transparent)]
    Step(#[from] OutOfStep),
    /// Because the form of the task is not filled in as it should be.
    #[error(transparent)]
    Form(#[from] FormFaulty),
}

/// What the law would allow but the process does not wait for, or the other way round.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::AsRefStr)]
#[allow(missing_docs, reason = "the sentences say what the fields are")]
pub enum OutOfStep {
    #[error("{command} does not belong to the present step of the process; what waits: {}", said(.waiting))]
    NotAtThisStep { command: String, waiting: Vec<String> },
    #[error("task {task} is done by a command of the case: {}", .means.join(", "))]
    MeansACommand { task: u64, means: Vec<String> },
    #[error("task {task} means no command of the case; {command} is not done with it")]
    MeansNoCommand { task: u64, command: String },
    #[error("the process would go to {task}, but by law the case is {stage} ({})", stage.name_zh())]
    LawStandsElsewhere { task: String, stage: Stage },
    #[error("{message} is what happens to the case; only the case says so")]
    ToldByTheCase { message: String },
}

/// What waits, in words.
fn said(waiting: &[String]) -> String {
    if waiting.is_empty() {
        return "nothing that somebody could do now".to_owned();
    }
    waiting.join(", ")
}

impl Explain for OutOfStep {
    fn code(&self) -> String {
        code_of(self.as_ref())
    }

    fn zh(&self) -> String {
        match self {
            Self::NotAtThisStep { command, waiting } if waiting.is_empty() => {
                format!("流程当前环节不能执行“{command}”；当前没有待办任务")
            }
            Self::NotAtThisStep { command, waiting } => {
                format!("流程当前环节不能执行“{command}”；当前待办：{}", waiting.join("、"))
            }
            Self::MeansACommand { task, means } => format!("任务 {task} 须通过业务操作办理：{}", means.join("、")),
            Self::MeansNoCommand { task, command } => format!("任务 {task} 不对应业务操作，不能与“{command}”一并办理"),
            Self::ToldByTheCase { message } => format!("“{message}”是案件自身的事件，只能由案件告知流程"),
            Self::LawStandsElsewhere { task, stage } => {
                format!("流程将进入“{task}”，但案件依法处于“{}”，不能如此流转", stage.name_zh())
            }
        }
    }
}

impl<R: std::error::Error + Explain> Explain for WorkRejection<R> {
    fn code(&self) -> String {
        match self {
            Self::Case(rejection) => rejection.code(),
            Self::Process(rejection) => code_of(rejection.as_ref()),
            Self::Step(rejection) => rejection.code(),
            Self::Form(rejection) => rejection.code(),
        }
    }

    fn zh(&self) -> String {
        match self {
            Self::Case(rejection) => rejection.zh(),
            Self::Process(rejection) => process_zh::zh(rejection),
            Self::Step(rejection) => rejection.zh(),
            Self::Form(rejection) => rejection.zh(),
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Case(rejection) => rejection.field(),
            Self::Process(instance::Rejection::FieldNotEditable { field }) => Some(field.clone()),
            Self::Form(rejection) => rejection.field(),
            Self::Process(_) | Self::Step(_) => None,
        }
    }
}
