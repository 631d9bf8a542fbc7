//! What expressions see: the variables of a scope and of those around it, and the moment.

use std::borrow::Cow;

use serde_json::Value;

use super::Run;
use crate::{
    expression::{Expression, ExpressionError, Variables},
    instance::{
        Instance,
        state::Rounds,
        words::{Bindings, Key},
    },
    model::Text,
};

/// The variables as seen from a scope.
pub(crate) struct Seen<'a> {
    pub(crate) state: &'a Instance,
    pub(crate) scope: Key,
    pub(crate) now: chrono::DateTime<chrono::Utc>,
    /// How far the local time is ahead of UTC.
    pub(crate) offset_seconds: i32,
    /// Values that stand before all others.
    pub(crate) besides: Option<&'a Bindings>,
}

impl Variables for Seen<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        if let Some(value) = self.besides.and_then(|besides| besides.get(name)) {
            return Some(Cow::Borrowed(value));
        }
        if let Some(value) = self.state.variable(self.scope, name) {
            return Some(Cow::Borrowed(value));
        }
        match name {
            "now" => Some(Cow::Owned(Value::String(
                self.local().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            ))),
            "today" => Some(Cow::Owned(Value::String(self.local().date_naive().to_string()))),
            "starter" | "initiator" => {
                let starter = self.state.started.as_ref()?.starter.as_ref()?;
                Some(Cow::Owned(Value::String(starter.id.to_string())))
            }
            "businessKey" => {
                let key = self.state.started.as_ref()?.business_key.as_ref()?;
                Some(Cow::Owned(Value::String(key.clone())))
            }
            _ => self.counted(name).map(Cow::Owned),
        }
    }
}

impl Seen<'_> {
    fn local(&self) -> chrono::DateTime<chrono::FixedOffset> {
        use chrono::Offset;
        let offset = chrono::FixedOffset::east_opt(self.offset_seconds).unwrap_or(chrono::Utc.fix());
        self.now.with_timezone(&offset)
    }

    /// What the nearest repeated activity around here counts.
    fn counted(&self, name: &str) -> Option<Value> {
        if !(name.starts_with("nrOf")
            || matches!(
                name,
                "loopCounter" | "approvals" | "rejections" | "abstentions" | "total" | "open"
            ))
        {
            return None;
        }
        let mut at = self.scope;
        let mut round = None;
        loop {
            let element = self.state.elements.get(&at)?;
            if let Some(rounds) = &element.rounds {
                return count_of(rounds, round, name);
            }
            if at == crate::instance::ROOT {
                return None;
            }
            round = element.round;
            at = element.scope;
        }
    }
}

/// What expressions may ask of a repeated activity, by Flowable's names and by those of a vote.
fn count_of(rounds: &Rounds, round: Option<u32>, name: &str) -> Option<Value> {
    let total = u32::try_from(rounds.items.len() - rounds.removed.len()).unwrap_or(u32::MAX);
    let count = match name {
        "nrOfInstances" | "numberOfInstances" => total,
        "nrOfCompletedInstances" | "numberOfCompletedInstances" => rounds.completed,
        "nrOfActiveInstances" | "numberOfActiveInstances" => rounds.active,
        "nrOfTerminatedInstances" | "numberOfTerminatedInstances" => rounds.terminated,
        "loopCounter" => round.unwrap_or(rounds.begun),
        "approvals" => rounds.tally.approvals,
        "rejections" => rounds.tally.rejections,
        "abstentions" => rounds.tally.abstentions,
        "total" => rounds.tally.total,
        "open" => rounds.tally.open(),
        _ => return None,
    };
    Some(count.into())
}

impl Run<'_> {
    /// The variables as seen from a scope.
    pub(crate) fn seen<'a>(&'a self, scope: Key, besides: Option<&'a Bindings>) -> Seen<'a> {
        Seen {
            state: self.state,
            scope,
            now: self.context.now,
            offset_seconds: self.context.outside.utc_offset_seconds(),
            besides,
        }
    }

    /// The variables of an element itself.
    pub(crate) fn own(&self, key: Key) -> Bindings {
        self.state.variables.get(&key).map(Bindings::from).unwrap_or_default()
    }

    /// The value of an expression.
    pub(crate) fn value(&self, expression: &Expression, scope: Key) -> Result<Value, ExpressionError> {
        expression.evaluate(&self.seen(scope, None))
    }

    /// Whether a condition holds.
    pub(crate) fn holds(&self, condition: &Expression, scope: Key) -> Result<bool, ExpressionError> {
        condition.holds(&self.seen(scope, None))
    }

    /// A text, computed if it has an expression.
    pub(crate) fn text(&self, text: &Text, scope: Key) -> Result<String, ExpressionError> {
        match text {
            Text::Plain(plain) => Ok(plain.to_string()),
            Text::Computed(expression) => Ok(match self.value(expression, scope)? {
                Value::String(text) => text,
                Value::Null => {
                    return Err(ExpressionError {
                        feel: expression.feel().to_owned(),
                        reason: "gives nothing, and a text is needed".to_owned(),
                    });
                }
                other => other.to_string(),
            }),
        }
    }
}
