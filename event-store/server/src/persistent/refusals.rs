//! What can go wrong with a group, in the words and trailers that clients know.

use tonic::{Code, Status};

use super::names::GroupName;
use crate::refusal::with_trailers;

fn of_group(code: Code, exception: &'static str, name: &GroupName, message: String) -> Status {
    let trailers = [("stream-name", name.source.as_str()), ("group-name", &*name.group)];
    with_trailers(code, message, exception, &trailers)
}

pub(super) fn does_not_exist(name: &GroupName) -> Status {
    let message = format!(
        "Subscription group {} on stream {} does not exist.",
        name.group,
        name.source.as_str()
    );
    of_group(Code::NotFound, "persistent-subscription-does-not-exist", name, message)
}

pub(super) fn exists(name: &GroupName) -> Status {
    let message = format!("Subscription group {} on stream {} exists.", name.group, name.source.as_str());
    of_group(Code::AlreadyExists, "persistent-subscription-exists", name, message)
}

pub(super) fn is_full(name: &GroupName) -> Status {
    let message = format!(
        "Maximum subscriptions reached for subscription group {} on stream {}.",
        name.group,
        name.source.as_str()
    );
    of_group(Code::FailedPrecondition, "maximum-subscribers-reached", name, message)
}

pub(super) fn dropped(name: &GroupName) -> Status {
    let message = format!(
        "Subscription group {} on stream {} was dropped.",
        name.group,
        name.source.as_str()
    );
    of_group(Code::Cancelled, "persistent-subscription-dropped", name, message)
}

pub(super) fn failed(name: &GroupName, reason: &str) -> Status {
    let message = format!(
        "Subscription group {} on stream {} failed: '{reason}'",
        name.group,
        name.source.as_str()
    );
    let trailers = [
        ("stream-name", name.source.as_str()),
        ("group-name", &*name.group),
        ("reason", reason),
    ];
    with_trailers(Code::Internal, message, "persistent-subscription-failed", &trailers)
}
