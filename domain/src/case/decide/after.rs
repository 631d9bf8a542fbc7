//! 容缺补齐, 承诺核查, 好差评, 督办, 数据更正, 换用新历.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{
    super::{Command, Event, Kernel, Material, Rejection, Stage, kernel::WORST_GRADES_THROUGH},
    distinct, not_before, written,
};
use crate::rules::Desk;

/// How many officers verify a commitment, and approve a correction of archived data (行政许可法 34).
const TWO: usize = 2;

/// The article by which a decision is revoked that was got by deceit or without its conditions (行政许可法 69).
const REVOCATION_ARTICLE: &str = "行政许可法 69";

#[allow(clippy::too_many_lines, reason = "a table: one arm for each command")]
pub(super) fn decide(case: &Kernel, command: &Command, desk: &Desk) -> Result<Vec<Event>, Rejection> {
    let on = desk.today();
    let by = desk.actor.id.clone();
    match command {
        Command::SupplyTolerated { material } => supply_tolerated(case, material, desk),
        Command::VerifyCommitment { .. } => verify_commitment(case, command, desk),
        Command::RectifyCommitment { by } => {
            two_verifiers(by)?;
            match &case.commitment {
                Some(commitment) if commitment.breached && commitment.rectified_on.is_none() => {
                    Ok(vec![Event::CommitmentRectified { by: by.clone(), on }])
                }
                _ => Err(Rejection::NothingThere {
                    what: "a breached commitment to rectify (待整改的承诺)".to_owned(),
                }),
            }
        }
        Command::Rate {
            grade,
            channel,
            tags,
            comment,
        } => {
            if case.rating.is_some() {
                return Err(Rejection::AlreadyRated);
            }
            if !(1..=5).contains(grade) {
                return Err(Rejection::InvalidGrade);
            }
            let (grade, channel, tags, comment) = (*grade, channel.clone(), tags.clone(), comment.clone());
            Ok(vec![Event::SatisfactionRated {
                grade,
                channel,
                tags,
                comment,
                on,
            }])
        }
        Command::HandleBadReview {
            verdict,
            measures,
            contacted_on,
        } => {
            written("measures", measures)?;
            let Some(rating) = case
                .rating
                .as_ref()
                .filter(|rating| rating.grade <= WORST_GRADES_THROUGH && rating.handled_on.is_none())
            else {
                return Err(Rejection::NoBadReview);
            };
            not_before("the contact", *contacted_on, "the review", rating.on)?;
            not_before("the closing", on, "the contact", *contacted_on)?;
            let (verdict, measures, contacted_on) = (*verdict, measures.clone(), *contacted_on);
            Ok(vec![Event::BadReviewHandled {
                verdict,
                measures,
                contacted_on,
                closed_on: on,
            }])
        }
        Command::Supervise { opinion, reply_due_on } => {
            written("opinion", opinion)?;
            not_before("the reply", *reply_due_on, "the supervision", on)?;
            Ok(vec![Event::Supervised {
                by,
                opinion: opinion.clone(),
                reply_due_on: *reply_due_on,
                on,
            }])
        }
        Command::AnswerSupervision { reply } => {
            written("reply", reply)?;
            if case.supervisions.iter().all(|supervision| supervision.reply.is_some()) {
                return Err(Rejection::NothingThere {
                    what: "a supervision to answer (待答复的督办)".to_owned(),
                });
            }
            Ok(vec![Event::SupervisionAnswered {
                by,
                reply: reply.clone(),
                on,
            }])
        }
        Command::CorrectData {
            path,
            new,
            reason,
            approvers,
        } => {
            written("reason", reason)?;
            let others: BTreeSet<&str> = distinct(approvers).into_iter().filter(|approver| *approver != by).collect();
            if case.stage == Stage::Archived && others.len() < TWO {
                return Err(Rejection::TwoApproversNeeded);
            }
            let old = case.as_read(path)?;
            if old == *new {
                return Ok(Vec::new());
            }
            let mut corrected = case.clone();
            corrected.read_differently(path, new);
            if corrected.as_read(path)? != *new {
                let reason = "this value does not fit there (该值不适用于此处)".to_owned();
                return Err(Rejection::InvalidInput {
                    field: "new".to_owned(),
                    reason,
                });
            }
            let (path, new, reason, approvers) = (path.clone(), new.clone(), reason.clone(), approvers.clone());
            Ok(vec![Event::DataCorrected {
                path,
                old,
                new,
                reason,
                approvers,
                on,
            }])
        }
        Command::AdoptCalendar { edition } => adopt_calendar(case, edition, desk),
        _ => Ok(Vec::new()),
    }
}

pub(super) fn supply_tolerated(case: &Kernel, material: &Material, desk: &Desk) -> Result<Vec<Event>, Rejection> {
    let promised = case
        .tolerance
        .iter()
        .any(|tolerance| tolerance.promised.code == material.code && tolerance.supplied_on.is_none());
    if !promised {
        return Err(Rejection::NothingThere {
            what: format!("a promise to supply {} (容缺材料)", material.code),
        });
    }
    Ok(vec![Event::ToleranceMaterialSupplied {
        material: material.clone(),
        on: desk.today(),
    }])
}

/// Kept; or breached and to be rectified; or false, or breached still after its time: then the decision is revoked.
fn verify_commitment(case: &Kernel, command: &Command, desk: &Desk) -> Result<Vec<Event>, Rejection> {
    let Command::VerifyCommitment {
        kept,
        false_commitment,
        rectify_due_on,
        by,
        note,
    } = command
    else {
        return Ok(Vec::new());
    };
    let on = desk.today();
    let Some(commitment) = &case.commitment else {
        return Err(Rejection::NothingThere {
            what: "a commitment (告知承诺)".to_owned(),
        });
    };
    two_verifiers(by)?;
    let verified = Event::CommitmentVerified {
        kept: *kept,
        by: by.clone(),
        note: note.clone(),
        on,
    };
    if *kept {
        return Ok(vec![verified]);
    }
    let revoked = |reason: &str| Event::DecisionRevoked {
        article: REVOCATION_ARTICLE.to_owned(),
        reason: reason.to_owned(),
        on,
    };
    if *false_commitment {
        let breached = Event::CommitmentBreached {
            false_commitment: true,
            rectify_due_on: None,
            on,
        };
        return Ok(vec![verified, breached, revoked("虚假承诺")]);
    }
    if let Some(due_on) = commitment.rectify_due_on.filter(|_| commitment.breached) {
        not_before("the second verification", on, "the end of the time for rectifying", due_on)?;
        return Ok(vec![verified, revoked("承诺未履行，逾期未整改到位")]);
    }
    let Some(due_on) = *rectify_due_on else {
        let reason = "say by when it must be rectified (请注明整改期限)".to_owned();
        return Err(Rejection::InvalidInput {
            field: "rectify_due_on".to_owned(),
            reason,
        });
    };
    not_before("the end of the time for rectifying", due_on, "the verification", on)?;
    Ok(vec![
        verified,
        Event::CommitmentBreached {
            false_commitment: false,
            rectify_due_on: Some(due_on),
            on,
        },
    ])
}

fn two_verifiers(by: &[String]) -> Result<(), Rejection> {
    if distinct(by).len() < TWO {
        return Err(Rejection::TwoVerifiersNeeded);
    }
    Ok(())
}

/// A running case goes over to a newer calendar only where it makes a difference: a date of it may still move.
fn adopt_calendar(case: &Kernel, edition: &str, desk: &Desk) -> Result<Vec<Event>, Rejection> {
    let newer = desk.rules.calendar(edition);
    if newer.edition().to_string() != edition {
        return Err(Rejection::NothingThere {
            what: format!("a calendar edition {edition}"),
        });
    }
    let pinned = case.calendar(&desk.rules);
    // What was imported was counted elsewhere and pins no calendar.
    if case.imported.is_some() || case.calendar_edition == edition || newer.published_through() < pinned.published_through() {
        return Ok(Vec::new());
    }
    if case.deadlines(&desk.rules).is_empty() && !case.stage.is_open() && case.licence_version == 0 {
        return Ok(Vec::new());
    }
    let on: NaiveDate = desk.today();
    Ok(vec![Event::CalendarAdopted {
        edition: edition.to_owned(),
        on,
    }])
}
