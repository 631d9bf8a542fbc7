//! User tasks: who does them, how several people vote, what happens on refusal, delay, or when nobody is found.
//!
//! Two vocabularies say it: the extension elements of the Chinese designers in Flowable's namespace, and our own attributes
//! (see [`zhulu`](crate::bpmn::zhulu)). Ours wins where both speak.

use std::str::FromStr;

use super::{
    Compiler,
    graph::Draft,
    loops::{condition_of, runs_over_approvers, runs_over_something},
};
use crate::{
    bpmn::source::{
        Xml, attr, engine_attr, engine_elements, engine_setting, flag, id, is_true, kid, kid_text, kids_of, name, text,
        zhulu_attr, zhulu_elements,
    },
    model::{Candidates, FieldPermission, Method, Multi, MultiBehavior, OnNobody, Over, Strategy, UserTask, VoteRule},
};

/// The user task whose delay a timer on its border is about, if a designer marked it so (`boundaryEventType` 1).
pub(in crate::bpmn) fn timeout_of(event: Xml<'_>) -> Option<&str> {
    let marked = name(event) == "boundaryEvent" && engine_setting(event, "boundaryEventType").as_deref() == Some("1");
    attr(event, "attachedToRef").filter(|_| marked)
}

/// The strategies by the numbers that designers write.
fn strategy_of(written: &str) -> Option<Strategy> {
    Some(match written {
        "1" => Strategy::AssignEmpty,
        "10" => Strategy::Role,
        "20" => Strategy::DepartmentMember,
        "21" => Strategy::DepartmentLeader,
        "22" => Strategy::Post,
        "23" => Strategy::MultiLevelDepartmentLeader,
        "30" => Strategy::User,
        "34" => Strategy::ApproverChooses,
        "35" => Strategy::StarterChooses,
        "36" => Strategy::Starter,
        "37" => Strategy::StarterDepartmentLeader,
        "38" => Strategy::StarterMultiLevelDepartmentLeader,
        "40" => Strategy::Group,
        "50" => Strategy::FormUser,
        "51" => Strategy::FormDepartmentLeader,
        "60" => Strategy::Expression,
        name => return Strategy::from_str(name).ok(),
    })
}

impl<'a> Compiler<'_, 'a> {
    pub(super) fn user_task(&mut self, xml: Xml<'a>, draft: &Draft<'a>) -> UserTask {
        let performer = kids_of(xml, "humanPerformer")
            .chain(kids_of(xml, "performer"))
            .find_map(assigned);
        let mut text_of = |which| engine_attr(xml, which).and_then(|written| self.text_value(xml, written));
        let (assignee, owner) = (text_of("assignee"), text_of("owner"));
        let (priority, category, form_key) = (text_of("priority"), text_of("category"), text_of("formKey"));
        let automatic = engine_setting(xml, "approveType");
        let on_nobody = match automatic.as_deref() {
            Some("2") => OnNobody::Approve,
            Some("3") => OnNobody::Reject,
            _ => self.on_nobody(xml),
        };
        // What a machine approves or rejects has no approvers: nobody is found, and that decides.
        let by_machine = matches!(automatic.as_deref(), Some("2" | "3"));
        let performer = performer.filter(|_| assignee.is_none());
        UserTask {
            assignee: assignee.or_else(|| performer.and_then(|written| self.text_value(xml, &written))),
            owner,
            candidates: if by_machine { Vec::new() } else { self.candidates(xml) },
            rules: if by_machine {
                Vec::new()
            } else {
                listed(zhulu_attr(xml, "candidateRule"))
            },
            method: self.method(xml),
            due: self.due(xml),
            priority,
            category,
            form_key,
            fields: self.form_fields(xml),
            buttons: buttons(xml),
            on_reject: self.on_reject(xml, draft),
            on_timeout: self.on_timeout(xml, draft),
            on_nobody,
            on_starter: self.on_starter(xml),
            deduplicate: self.deduplicate(xml),
            opinion_required: says(xml, "opinionRequired", "reasonRequire"),
            signature_required: says(xml, "signatureRequired", "signEnable"),
            opinion_templates: listed(zhulu_attr(xml, "opinionTemplates")),
            outcomes: listed(zhulu_attr(xml, "outcomes")),
            means: listed(zhulu_attr(xml, "means")),
            copies: self.candidate_elements(xml, "copies"),
            tolerance: zhulu_attr(xml, "tolerance").is_some_and(is_true),
        }
    }

    fn candidates(&mut self, xml: Xml<'a>) -> Vec<Candidates> {
        let mut candidates = self.candidate_elements(xml, "candidates");
        if let Some(written) = zhulu_attr(xml, "candidateStrategy") {
            candidates.extend(self.candidate(xml, written, zhulu_attr(xml, "candidateParameter")));
        }
        if let Some(written) = engine_setting(xml, "candidateStrategy") {
            let parameter = engine_setting(xml, "candidateParam");
            candidates.extend(self.candidate(xml, &written, parameter.as_deref()));
        }
        for (which, strategy) in [("candidateUsers", Strategy::User), ("candidateGroups", Strategy::Role)] {
            let Some(written) = engine_attr(xml, which) else { continue };
            if let Some(parameter) = self.text_value(xml, written) {
                candidates.push(Candidates {
                    strategy,
                    parameter: Some(parameter),
                });
            }
        }
        candidates.extend(self.potential_owners(xml));
        candidates
    }

    /// `potentialOwner` in the words of the standard: a list such as `user(zhang), group(clerks)`, or a resource by its name.
    fn potential_owners(&mut self, xml: Xml<'a>) -> Vec<Candidates> {
        let owners: Vec<Xml<'a>> = kids_of(xml, "potentialOwner").collect();
        let mut candidates = Vec::new();
        for owner in owners {
            let resource = kid_text(owner, "resourceRef").and_then(|resource| self.source.referred(&resource));
            let resource = resource.and_then(|resource| attr(resource, "name")).map(str::to_owned);
            let written = assigned(owner).or(resource).unwrap_or_default();
            let entries = if written.contains('{') {
                vec![written.as_str()]
            } else {
                written.split(',').collect()
            };
            for entry in entries.into_iter().map(str::trim).filter(|entry| !entry.is_empty()) {
                let inner = |kind: &str| entry.strip_prefix(kind).and_then(|rest| rest.strip_suffix(')'));
                let (strategy, who) = match (inner("user("), inner("group(")) {
                    (Some(user), _) => (Strategy::User, user),
                    (None, Some(group)) => (Strategy::Role, group),
                    (None, None) => (Strategy::Role, entry),
                };
                let parameter = self.text_value(owner, who);
                candidates.extend(parameter.map(|parameter| Candidates {
                    strategy,
                    parameter: Some(parameter),
                }));
            }
        }
        candidates
    }

    fn candidate_elements(&mut self, xml: Xml<'a>, which: &'a str) -> Vec<Candidates> {
        let elements: Vec<Xml<'a>> = zhulu_elements(xml, which).collect();
        let one = |element: Xml<'a>| self.candidate(element, attr(element, "strategy")?, attr(element, "parameter"));
        elements.into_iter().filter_map(one).collect()
    }

    fn candidate(&mut self, at: Xml<'a>, strategy: &str, parameter: Option<&str>) -> Option<Candidates> {
        let Some(known) = strategy_of(strategy) else {
            self.setting(
                at,
                "candidateStrategy",
                strategy,
                "a name such as Role, Post or User, or its number",
            );
            return None;
        };
        let parameter = match parameter {
            Some(parameter) => Some(self.text_value(at, parameter)?),
            None => None,
        };
        Some(Candidates {
            strategy: known,
            parameter,
        })
    }

    fn method(&mut self, xml: Xml<'a>) -> Method {
        let multi = kid(xml, "multiInstanceLoopCharacteristics");
        let votes = zhulu_attr(xml, "vote").is_some() || zhulu_elements(xml, "voteRule").next().is_some();
        match (zhulu_attr(xml, "method"), engine_setting(xml, "approveMethod").as_deref()) {
            (Some("random"), _) | (None, Some("1")) => Method::Random,
            (Some("each"), _) | (None, Some("2" | "3" | "4")) => Method::Each,
            (None, None) if multi.is_some() || votes => Method::Each,
            (Some("claim"), _) | (None, None) => Method::Claim,
            (Some(other), _) => {
                self.setting(xml, "zhulu:method", other, "claim, random, each");
                Method::Claim
            }
            (None, Some(other)) => {
                self.setting(xml, "approveMethod", other, "1 (random), 2 (ratio), 3 (any), 4 (in order)");
                Method::Claim
            }
        }
    }

    /// The loop of a task that each of its approvers does; none, if it has none or runs over something else.
    pub(super) fn vote_of_approvers(&mut self, xml: Xml<'a>, multi: Option<Xml<'a>>) -> Option<Multi> {
        if !matches!(name(xml), "userTask" | "globalUserTask") {
            return None;
        }
        let method = engine_setting(xml, "approveMethod");
        let by_method = matches!(method.as_deref(), Some("2" | "3" | "4"));
        let by_strategy = engine_setting(xml, "candidateStrategy").is_some();
        let votes = zhulu_attr(xml, "vote").is_some() || zhulu_elements(xml, "voteRule").next().is_some();
        let each = zhulu_attr(xml, "method") == Some("each");
        let approvers = match multi {
            Some(multi) => by_method || by_strategy || runs_over_approvers(multi) || !runs_over_something(multi),
            None => by_method || votes || each,
        };
        if !approvers {
            return None;
        }
        let in_order = method.as_deref() == Some("4") || zhulu_attr(xml, "sequential").is_some_and(is_true);
        let rule = self.vote(xml, multi.unwrap_or(xml)).or_else(|| match method.as_deref() {
            Some("3") => Some(VoteRule::Any),
            Some("4") => Some(VoteRule::All),
            _ => multi.and_then(|multi| rule_of_condition(&condition_of(multi))),
        });
        let completion = multi.filter(|_| rule.is_none()).and_then(|multi| self.completion(multi));
        let vote = rule.or_else(|| completion.is_none().then_some(VoteRule::All));
        Some(Multi {
            sequential: in_order || multi.is_some_and(|multi| flag(multi, "isSequential", false)),
            over: Over::Approvers,
            element_variable: multi
                .and_then(|multi| engine_attr(multi, "elementVariable"))
                .map(str::to_owned),
            index_variable: None,
            output: None,
            completion,
            behavior: MultiBehavior::All,
            vote,
        })
    }

    /// `zhulu:vote` or `zhulu:voteRule`, of the task or its loop.
    pub(super) fn vote(&mut self, xml: Xml<'a>, multi: Xml<'a>) -> Option<VoteRule> {
        if let Some(rule) = zhulu_elements(xml, "voteRule")
            .chain(zhulu_elements(multi, "voteRule"))
            .next()
        {
            let pass = attr(rule, "pass").and_then(|pass| self.expression(rule, pass))?;
            let fail = attr(rule, "fail").and_then(|fail| self.expression(rule, fail));
            return Some(VoteRule::Feel { pass, fail });
        }
        let written = zhulu_attr(xml, "vote").or_else(|| zhulu_attr(multi, "vote"))?;
        let percent = |percent: &str| percent.trim().parse().ok().filter(|percent| (1..=100).contains(percent));
        let rule = match written.split_once(':') {
            None if written == "all" => Some(VoteRule::All),
            None if written == "any" => Some(VoteRule::Any),
            Some(("ratio", ratio)) => percent(ratio).map(|percent| VoteRule::Ratio { percent }),
            Some(("veto", ratio)) => percent(ratio).map(|percent| VoteRule::Veto { percent }),
            _ => None,
        };
        if rule.is_none() {
            self.setting(xml, "zhulu:vote", written, "all, any, ratio:60, veto:60");
        }
        rule
    }

    fn form_fields(&mut self, xml: Xml<'a>) -> Vec<(String, FieldPermission)> {
        let mut fields = Vec::new();
        for field in engine_elements(xml, "fieldsPermission") {
            let permission = match attr(field, "permission") {
                Some("1") => FieldPermission::Read,
                Some("2") => FieldPermission::Edit,
                _ => FieldPermission::Hide,
            };
            fields.extend(attr(field, "field").map(|name| (name.to_owned(), permission)));
        }
        for property in engine_elements(xml, "formProperty") {
            let permission = match (flag(property, "readable", true), flag(property, "writable", true)) {
                (false, _) => FieldPermission::Hide,
                (true, false) => FieldPermission::Read,
                (true, true) => FieldPermission::Edit,
            };
            fields.extend(id(property).map(|name| (name.to_owned(), permission)));
        }
        let own: Vec<Xml<'a>> = zhulu_elements(xml, "field").collect();
        for field in own {
            let permission = match attr(field, "permission") {
                Some("read") => FieldPermission::Read,
                Some("edit") => FieldPermission::Edit,
                Some("hide") => FieldPermission::Hide,
                other => {
                    self.setting(field, "permission", other.unwrap_or_default(), "read, edit, hide");
                    continue;
                }
            };
            fields.extend(attr(field, "name").map(|name| (name.to_owned(), permission)));
        }
        fields
    }
}

/// The vote rule that the classic conditions over counters mean: `nrOfCompletedInstances/nrOfInstances >= 0.6`.
fn rule_of_condition(condition: &str) -> Option<VoteRule> {
    let bare = condition.trim_start_matches(['$', '#', '{']).trim_end_matches('}');
    if matches!(
        bare,
        "nrOfCompletedInstances>0" | "nrOfCompletedInstances>=1" | "nrOfCompletedInstances==1"
    ) {
        return Some(VoteRule::Any);
    }
    if matches!(
        bare,
        "nrOfCompletedInstances>=nrOfInstances" | "nrOfCompletedInstances==nrOfInstances" | "nrOfActiveInstances==0"
    ) {
        return Some(VoteRule::All);
    }
    let ratio = [
        "nrOfCompletedInstances/nrOfInstances>=",
        "nrOfCompletedInstances/nrOfInstances==",
    ]
    .iter()
    .find_map(|start| bare.strip_prefix(start))?;
    let percent = percent_of(ratio)?;
    Some(if percent == 100 {
        VoteRule::All
    } else {
        VoteRule::Ratio { percent }
    })
}

/// A share between 0 and 1 as whole per cent, rounded up; no floating point: `0.67` is 67.
fn percent_of(share: &str) -> Option<u32> {
    let (whole, fraction) = share.split_once('.').unwrap_or((share, ""));
    let digits: String = fraction.chars().chain("00".chars()).take(2).collect();
    let rest = fraction.get(2..).unwrap_or_default().bytes().any(|digit| digit != b'0');
    let percent = whole
        .parse::<u32>()
        .ok()?
        .checked_mul(100)?
        .checked_add(digits.parse().ok()?)?;
    let percent = percent + u32::from(rest);
    (1..=100).contains(&percent).then_some(percent)
}

fn buttons(xml: Xml<'_>) -> Vec<(String, Option<String>)> {
    let shown = engine_elements(xml, "buttonsSetting").filter(|button| flag(*button, "enable", true));
    let button = |button: Xml<'_>| Some((id(button)?.to_owned(), attr(button, "displayName").map(str::to_owned)));
    shown.filter_map(button).collect()
}

/// The expression that assigns somebody.
fn assigned(role: Xml<'_>) -> Option<String> {
    let assignment = kid(role, "resourceAssignmentExpression")?;
    let expression = kid(assignment, "formalExpression").or_else(|| kid(assignment, "expression"))?;
    Some(text(expression)).filter(|written| !written.is_empty())
}

fn says(xml: Xml<'_>, ours: &str, engines: &str) -> bool {
    let ours = zhulu_attr(xml, ours).map(is_true);
    ours.unwrap_or_else(|| engine_setting(xml, engines).is_some_and(|written| is_true(&written)))
}

pub(super) fn listed(written: Option<&str>) -> Vec<String> {
    let words = written.unwrap_or_default().split([',', '，', ' ']).map(str::trim);
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
