//! Who is asked: the rules of a user task become people, once, and what is done when they find nobody.

use serde_json::Value;

use super::{Run, Stuck};
use crate::{
    instance::{
        command::Rejection,
        context::Ask,
        event::Event,
        words::{Key, Obstacle, Outcome, Person},
    },
    model::{
        Candidates, ElementId, Method, NodeIx, NodeKind, OnNobody, OnStarter, Process, Strategy, Task, Text, UserTask, Work,
    },
};

/// The most people that one task may be offered to or one vote may ask. More is a rule that was written wrongly.
pub const MAX_PEOPLE_PER_TASK: usize = 1_000;

/// The variable that holds whom the starter chose (发起人自选): people by the element that they are asked at.
pub const CHOSEN_BY_STARTER: &str = "chosenByStarter";

/// The variable that holds whom an earlier approver chose (审批人自选): people by the element that they are asked at.
pub const CHOSEN_BY_APPROVER: &str = "chosenByApprover";

/// Why nobody needs to decide: the only one who would be asked started the process.
pub const SKIPPED_STARTER: &str = "审批人与发起人为同一人，自动跳过";

/// Why nobody needs to decide: the rules found nobody, and the model approves then.
pub const NOBODY_APPROVES: &str = "未找到审批人，自动通过";

/// Why nobody needs to decide: the rules found nobody, and the model refuses then.
pub const NOBODY_REJECTS: &str = "未找到审批人，自动拒绝";

/// Who is asked.
pub(super) enum Asked {
    /// These people, and by which rule they were found.
    People(Vec<Person>, String),
    /// Nobody: it is settled.
    Settled(Outcome, &'static str, Vec<Person>),
}

impl Run<'_> {
    /// The people whom the rules of a user task find, one round each. None: it is settled, and the activity has been left.
    pub(crate) fn approvers(&mut self, process: &Process, at: NodeIx, key: Key) -> Result<Result<Vec<Person>, Stuck>, Rejection> {
        let node = process.node(at);
        let Some(user) = user_task(process, at) else {
            let message = format!("{} asks people, but it is no user task", node.id);
            return Self::refuse(Stuck::new(Obstacle::Nobody, message));
        };
        match self.asked(&node.id, user, key) {
            Ok(Asked::People(people, _)) => Ok(Ok(people)),
            Ok(Asked::Settled(outcome, reason, people)) => {
                self.skip(key, &outcome, reason, &people)?;
                Ok(Ok(Vec::new()))
            }
            Err(stuck) => Ok(Err(stuck)),
        }
    }

    /// Nobody needs to decide an activity.
    pub(super) fn skip(&mut self, key: Key, outcome: &Outcome, reason: &str, people: &[Person]) -> Result<(), Rejection> {
        let Some(element) = self.state.elements.get(&key).map(|element| element.element.clone()) else {
            return Ok(());
        };
        self.emit(Event::TaskSkipped {
            key,
            element,
            outcome: outcome.clone(),
            reason: reason.to_owned(),
            people: people.to_vec(),
        });
        self.decided(key, key, people.first(), outcome)
    }

    /// Who is asked, after the rules about the starter (审批人与发起人相同) and about nobody (审批人为空).
    pub(super) fn asked(&self, element: &ElementId, user: &UserTask, key: Key) -> Result<Asked, Stuck> {
        let (mut people, rule) = self.found(element, user, key)?;
        let starter = self.state.started.as_ref().and_then(|started| started.starter.clone());
        if let Some(starter) = starter
            && let Some(place) = people.iter().position(|person| person.id == starter.id)
        {
            match user.on_starter {
                OnStarter::Self_ => {}
                OnStarter::Skip if people.len() == 1 => {
                    return Ok(Asked::Settled(Outcome::Approved, SKIPPED_STARTER, people));
                }
                OnStarter::Skip => _ = people.remove(place),
                OnStarter::DepartmentLeader => {
                    people.remove(place);
                    let leaders = self.outside(Strategy::StarterDepartmentLeader, None, None)?;
                    add(&mut people, leaders.into_iter().filter(|leader| leader.id != starter.id));
                }
            }
        }
        if people.len() > MAX_PEOPLE_PER_TASK {
            let message = format!("{} people would be asked; at most {MAX_PEOPLE_PER_TASK} may be", people.len());
            return Err(Stuck::new(Obstacle::Nobody, message));
        }
        if people.is_empty() {
            return self.nobody(element, user);
        }
        Ok(Asked::People(people, rule))
    }

    /// The rules found nobody.
    fn nobody(&self, element: &ElementId, user: &UserTask) -> Result<Asked, Stuck> {
        let (people, rule) = match &user.on_nobody {
            OnNobody::Approve => return Ok(Asked::Settled(Outcome::Approved, NOBODY_APPROVES, Vec::new())),
            OnNobody::Reject => return Ok(Asked::Settled(Outcome::Rejected, NOBODY_REJECTS, Vec::new())),
            OnNobody::Incident => (Vec::new(), "Nobody"),
            OnNobody::Assign(ids) => (self.outside(Strategy::User, Some(&ids.join(",")), None)?, "Nobody:Assign"),
            OnNobody::Administrator => (self.outside(Strategy::AssignEmpty, None, None)?, "Nobody:Administrator"),
        };
        if people.is_empty() {
            let message = format!("nobody is found who could do {element}; name somebody, then try again");
            return Err(Stuck::new(Obstacle::Nobody, message));
        }
        Ok(Asked::People(people, rule.to_owned()))
    }

    /// The people whom the rules find, everybody once, and which rules these are.
    fn found(&self, element: &ElementId, user: &UserTask, key: Key) -> Result<(Vec<Person>, String), Stuck> {
        let mut people = Vec::new();
        let mut rules: Vec<&str> = Vec::new();
        let each = user.method != Method::Claim;
        for rule in &user.candidates {
            add(&mut people, self.by_rule(rule, element, key, each)?);
            rules.push(rule.strategy.into());
        }
        for name in &user.rules {
            let found = self.context.outside.rule(name);
            for (strategy, parameter) in found.map_err(|reason| Stuck::new(Obstacle::Nobody, reason))? {
                let parameter = parameter.map(|plain| Text::Plain(plain.as_str().into()));
                add(
                    &mut people,
                    self.by_rule(&Candidates { strategy, parameter }, element, key, each)?,
                );
            }
            rules.push(name);
        }
        if user.candidates.is_empty()
            && user.rules.is_empty()
            && let Some(assignee) = &user.assignee
        {
            people = self.person(assignee, key)?;
            rules.push("Assignee");
        }
        Ok((people, rules.join(",")))
    }

    /// Somebody whom a text names by their account; nobody, if it is not known.
    pub(super) fn person(&self, text: &Text, key: Key) -> Result<Vec<Person>, Stuck> {
        let id = self.text(text, key)?;
        self.outside(Strategy::User, Some(&id), None)
    }

    /// The people whom one rule finds.
    pub(super) fn by_rule(&self, rule: &Candidates, element: &ElementId, key: Key, each: bool) -> Result<Vec<Person>, Stuck> {
        let (parameter, computed) = match &rule.parameter {
            None => (None, None),
            Some(Text::Plain(plain)) => (Some(plain.to_string()), None),
            Some(Text::Computed(expression)) => match self.value(expression, key)? {
                Value::String(text) => (Some(text.clone()), Some(Value::String(text))),
                other => (None, Some(other)),
            },
        };
        let value = match rule.strategy {
            Strategy::Starter => {
                let starter = self.state.started.as_ref().and_then(|started| started.starter.clone());
                return Ok(starter.into_iter().collect());
            }
            Strategy::ApproverChooses => self.chosen(CHOSEN_BY_APPROVER, element, key),
            Strategy::StarterChooses => self.chosen(CHOSEN_BY_STARTER, element, key),
            Strategy::FormUser | Strategy::FormDepartmentLeader if computed.is_none() => {
                // The parameter of the second is `field|level`.
                let field = parameter.as_deref().unwrap_or_default().split('|').next().unwrap_or_default();
                self.state.variable(key, field).cloned()
            }
            _ => computed,
        };
        if matches!(rule.strategy, Strategy::ApproverChooses | Strategy::StarterChooses) {
            match value.as_ref().map(people_of) {
                None => return Ok(Vec::new()),
                Some(Some(people)) => return Ok(people),
                Some(None) => {}
            }
        }
        self.ask_outside(rule.strategy, parameter.as_deref(), value.as_ref(), each)
    }

    /// Whom somebody chose for an element.
    fn chosen(&self, variable: &str, element: &ElementId, key: Key) -> Option<Value> {
        self.state.variable(key, variable)?.get(&**element).cloned()
    }

    /// Asks outside for people.
    fn outside(&self, strategy: Strategy, parameter: Option<&str>, value: Option<&Value>) -> Result<Vec<Person>, Stuck> {
        self.ask_outside(strategy, parameter, value, false)
    }

    fn ask_outside(
        &self,
        strategy: Strategy,
        parameter: Option<&str>,
        value: Option<&Value>,
        each: bool,
    ) -> Result<Vec<Person>, Stuck> {
        let ask = Ask {
            strategy,
            parameter,
            starter: self.state.started.as_ref().and_then(|started| started.starter.as_ref()),
            previous: self
                .state
                .decisions
                .iter()
                .rev()
                .find(|decision| !decision.undone)
                .map(|decision| &decision.by),
            value,
            each,
        };
        let found = self.context.outside.people(&ask);
        found.map_err(|reason| Stuck::new(Obstacle::Nobody, reason))
    }
}

/// The user task of a node, if it is one.
pub(crate) fn user_task(process: &Process, at: NodeIx) -> Option<&UserTask> {
    match &process.node(at).kind {
        NodeKind::Task(Task { work: Work::User(user) }) => Some(user),
        _ => None,
    }
}

/// People that a value names in full: one, or a list. None: it holds only their accounts.
fn people_of(value: &Value) -> Option<Vec<Person>> {
    match value {
        Value::Array(items) => items.iter().map(|item| serde_json::from_value(item.clone()).ok()).collect(),
        one => serde_json::from_value(one.clone()).ok().map(|person| vec![person]),
    }
}

/// Adds whoever is not among them yet.
fn add(people: &mut Vec<Person>, more: impl IntoIterator<Item = Person>) {
    for person in more {
        if !people.iter().any(|known| known.id == person.id) {
            people.push(person);
        }
    }
}
