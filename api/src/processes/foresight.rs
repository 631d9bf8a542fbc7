//! 流程预测, 路径说明 and 试运行: what comes next, why tokens are where they are, and models that are tried before they are
//! deployed. Nothing is written.

use async_graphql::{Context, Error, ID, InputObject, Object};
use casework::{MAX_CHOICES, MAX_TABLES_PER_TRIAL, Trial, TrialError};
use domain::case::Explain as _;
use process_engine::instance::{Choice, MAX_FORESEEN_STEPS};
use serde_json::Value;
use uuid::Uuid;

use super::{
    definitions::of_the_bureau,
    foreseen::{ProcessDryRun, ProcessExplanation, ProcessForecast},
    words::{PersonInput, bindings, key_number, outcome},
};
use crate::{
    asked::{Travel, principal, state},
    cases::may_see,
    errors::{Code, UserError, refused},
    history::MomentInput,
    ids::GlobalId,
};

/// How somebody is taken to decide a step.
#[derive(Debug, InputObject)]
pub(crate) struct StepChoiceInput {
    /// The step, by its id in the model.
    element: String,
    /// `approved` (which is what is taken, if nothing is said), `rejected`, `abstained`, what the model offers, or a command
    /// that the step means.
    outcome: Option<String>,
    /// What is filled in, by field; the result, if it is a job.
    form: Option<Value>,
    /// Variables of the process that change before the step is decided.
    variables: Option<Value>,
}

impl StepChoiceInput {
    fn read(self, field: &str) -> Result<Choice, UserError> {
        Ok(Choice {
            element: self.element.as_str().into(),
            outcome: outcome(self.outcome.as_deref().unwrap_or("approved")),
            form: bindings(self.form, &format!("{field}.form"))?,
            told: bindings(self.variables, &format!("{field}.variables"))?,
        })
    }

    fn read_all(choices: Option<Vec<Self>>) -> Result<Vec<Choice>, UserError> {
        let choices = choices.unwrap_or_default();
        if choices.len() > MAX_CHOICES {
            let zh = format!("最多 {MAX_CHOICES} 项");
            return Err(UserError::invalid("choices", zh, format!("at most {MAX_CHOICES} choices")));
        }
        let numbered = choices.into_iter().enumerate();
        numbered
            .map(|(number, choice)| choice.read(&format!("choices.{number}")))
            .collect()
    }
}

/// 试运行
#[derive(Debug, InputObject)]
pub(crate) struct ProcessDryRunInput {
    /// The file of a model that is not deployed; otherwise `key` and `version` name one that was proposed.
    source: Option<String>,
    /// What the model is called among all models.
    key: Option<String>,
    /// Its version, whether it was approved or not.
    version: Option<i32>,
    /// Which process of the file; none: the first that may be started.
    process: Option<String>,
    /// Decision tables (DMN) that are tried with it; before those that are in force.
    tables: Option<Vec<String>>,
    /// Who starts it; none: the caller.
    starter: Option<PersonInput>,
    /// The variables that it starts with, such as `form`; what a new case would have besides is filled in.
    data: Option<Value>,
    /// How steps are decided; whoever is not named agrees.
    choices: Option<Vec<StepChoiceInput>>,
}

/// Whoever asks, now. A question needs no command id; what would be drawn is drawn from this one.
fn asking(ctx: &Context<'_>) -> Result<commands::Envelope, Error> {
    let travel = Travel {
        command_id: Uuid::nil(),
        occurred_at: None,
        legal_basis: None,
    };
    travel.envelope(ctx)
}

fn bad_input(error: UserError) -> Error {
    let field = error.field.unwrap_or_default();
    Code::BadInput.error(format!("{field}: {} / {}", error.message, error.message_en))
}

/// The trial that is asked for; what is wrong with the input, if it cannot be read.
async fn trial(ctx: &Context<'_>, input: ProcessDryRunInput) -> Result<Result<Trial, UserError>, Error> {
    let source = match (input.source, input.key, input.version) {
        (Some(source), None, None) => source,
        (None, Some(key), Some(version)) => {
            let number = u32::try_from(version).map_err(|_| Code::BadInput.error("versions count from 1"))?;
            let source = state(ctx)?.bureau.model_source(&key, number).await.map_err(refused)?;
            let Some(source) = source else {
                let zh = format!("“{key}”没有第 {version} 版");
                let en = format!("there is no version {version} of {key}");
                return Ok(Err(UserError {
                    code: "NO_SUCH_VERSION".to_owned(),
                    ..UserError::invalid("input.version", zh, en)
                }));
            };
            source
        }
        _ => {
            let zh = "请给出流程文件，或指明模型的键与版本，二者取一";
            return Ok(Err(UserError::invalid(
                "input.source",
                zh,
                "give a file, or the key and version of a model",
            )));
        }
    };
    let tables = input.tables.unwrap_or_default();
    if tables.len() > MAX_TABLES_PER_TRIAL {
        let zh = format!("最多 {MAX_TABLES_PER_TRIAL} 个决策表文件");
        let en = format!("at most {MAX_TABLES_PER_TRIAL} files of decision tables");
        return Ok(Err(UserError::invalid("input.tables", zh, en)));
    }
    let (data, choices) = match (bindings(input.data, "input.data"), StepChoiceInput::read_all(input.choices)) {
        (Ok(data), Ok(choices)) => (data, choices),
        (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
    };
    Ok(Ok(Trial {
        source: source.into_bytes(),
        tables: tables.into_iter().map(String::into_bytes).collect(),
        process: input.process,
        starter: input.starter.map(PersonInput::read),
        data,
        choices,
    }))
}

#[derive(Default)]
pub(crate) struct ForesightQueries;

#[Object]
impl ForesightQueries {
    /// 流程预测: what comes next in the process of a case, if everybody agrees or decides as said; who will be asked, and why
    /// it comes to that. None, if the case has no process.
    async fn process_forecast(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The case")] case_id: ID,
        #[graphql(desc = "How steps are decided; whoever is not named agrees")] choices: Option<Vec<StepChoiceInput>>,
    ) -> Result<Option<ProcessForecast>, Error> {
        let (category, case_id) = GlobalId::decode_case(&case_id).map_err(|cause| Code::BadInput.error(cause))?;
        let choices = StepChoiceInput::read_all(choices).map_err(bad_input)?;
        let bureau = &state(ctx)?.bureau;
        let found = bureau
            .foresee(category, case_id, &choices, &asking(ctx)?)
            .await
            .map_err(refused)?;
        let Some((found, steps)) = found.filter(|(found, _)| found.case.process.started.is_some()) else {
            return Ok(None);
        };
        if !may_see(principal(ctx)?, &found.case) {
            return Ok(None);
        }
        Ok(Some(ProcessForecast {
            truncated: steps.len() >= MAX_FORESEEN_STEPS,
            steps: steps.iter().map(Into::into).collect(),
            revision: key_number(found.revision),
        }))
    }

    /// 路径说明: why everything in the process of a case is where it is, now or at any moment of its past; none, if it had
    /// no process.
    async fn process_explain(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The case")] case_id: ID,
        #[graphql(desc = "The moment; none: now")] at: Option<MomentInput>,
    ) -> Result<Option<ProcessExplanation>, Error> {
        let (category, case_id) = GlobalId::decode_case(&case_id).map_err(|cause| Code::BadInput.error(cause))?;
        let moment = at.map_or(Ok(commands::Moment::Head), MomentInput::moment)?;
        let bureau = &state(ctx)?.bureau;
        let found = bureau.why(category, case_id, moment, &asking(ctx)?).await.map_err(refused)?;
        let Some((found, here)) = found.filter(|(found, _)| found.case.process.started.is_some()) else {
            return Ok(None);
        };
        if !may_see(principal(ctx)?, &found.case) {
            return Ok(None);
        }
        Ok(Some(ProcessExplanation {
            here: here.iter().map(Into::into).collect(),
            revision: key_number(found.revision),
        }))
    }

    /// 试运行: a model is tried that is not deployed, or a version that was only proposed: the path, who would get which
    /// task, what the decision tables would answer. Nothing is written.
    async fn process_dry_run(&self, ctx: &Context<'_>, input: ProcessDryRunInput) -> Result<ProcessDryRun, Error> {
        of_the_bureau(ctx)?;
        let trial = match trial(ctx, input).await? {
            Ok(trial) => trial,
            Err(error) => return Ok(ProcessDryRun::refused(error)),
        };
        let (bureau, envelope) = (state(ctx)?.bureau.clone(), asking(ctx)?);
        // A large model takes a while; other requests go on meanwhile.
        let tried = tokio::task::spawn_blocking(move || bureau.try_out(&trial, &envelope)).await;
        Ok(match tried.map_err(crate::errors::failed)? {
            Ok(tried) => ProcessDryRun::of(tried),
            Err(refused) => {
                let error = UserError {
                    code: refused.code(),
                    message: refused.zh(),
                    message_en: refused.to_string(),
                    field: refused.field(),
                };
                match refused {
                    TrialError::Faulty { findings, .. } => ProcessDryRun::faulty(error, &findings),
                    _ => ProcessDryRun::refused(error),
                }
            }
        })
    }
}
