//! A process wants something done outside: what the platform itself can do is done at once. Other kinds of jobs wait for a
//! worker of their own, who asks for them and reports through the API.

use chrono::{DateTime, Utc};
use domain::{case::Party, metadata::bureau_date};
use process_engine::instance::{Command, Job, Key};
use serde_json::{Value, json};

use super::{CaseSeen, envelope, errand::Errand};

/// The reaction's name.
pub(super) const NAME: &str = "doJob";

/// The event that a job begins with.
const CREATED: &str = "JobCreated";
/// 通知: the applicant is told how the case stands; the result of the job is the notice, on record in the case.
const NOTICE: &str = "notice";
/// 存证: the settings of the job are put on record with the day.
const RECORD: &str = "record";

/// Only the key of the event: the rest is in the process.
#[derive(serde::Deserialize)]
struct Created {
    key: Key,
}

/// The errand that does the job; none, if it is not the platform's, or was done already.
pub(super) fn react(seen: &CaseSeen<'_>, now: DateTime<Utc>) -> Result<Option<Errand>, String> {
    if &*seen.event.name != CREATED {
        return Ok(None);
    }
    let Created { key } = serde_json::from_slice(&seen.event.data).map_err(|cause| cause.to_string())?;
    let Some(job) = seen.case.process.jobs.get(&key) else {
        return Ok(None);
    };
    let Some(result) = done(seen, job, now) else { return Ok(None) };
    let case_id = seen.event.stream.id().parse();
    let case_id = case_id.map_err(|_| format!("{} is no stream of a case", seen.event.stream))?;
    Ok(Some(Errand::ToProcess {
        category: seen.case.category().to_owned(),
        case_id,
        command: Box::new(Command::CompleteJob { job: key, result }),
        envelope: envelope(seen.event, seen.metadata, NAME, now),
    }))
}

/// What came of the job; none, if the platform does not know such jobs.
fn done(seen: &CaseSeen<'_>, job: &Job, now: DateTime<Utc>) -> Option<Value> {
    let on = bureau_date(now);
    match job.kind.as_str() {
        NOTICE => Some(notice(seen, job, on)),
        RECORD => Some(json!({ "on": on, "fields": job.fields })),
        _ => None,
    }
}

fn notice(seen: &CaseSeen<'_>, job: &Job, on: chrono::NaiveDate) -> Value {
    let kernel = seen.case.kernel();
    let to = kernel.agent.as_ref().or(kernel.applicant.as_ref());
    let project = seen.case.facts().into_iter().find(|fact| fact.name == "project_name");
    let what = project.map_or_else(|| "您的申请".to_owned(), |project| format!("“{}”的申请", project.value));
    json!({
        "on": on,
        "about": job.fields.get("about"),
        "to": to.map(|party: &Party| json!({ "name": party.name, "id_no": party.id_no, "phone": party.phone })),
        "text": format!("{what}现为：{}。", kernel.stage.name_zh()),
    })
}
