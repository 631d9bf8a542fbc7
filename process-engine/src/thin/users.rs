//! User tasks: who is asked, how many, and what happens when nobody does anything.

use roxmltree::Node;

use super::{
    roots::Reader,
    xml::{ZHULU, extra},
};
use crate::model::{Candidates, Multi, MultiBehavior, NodeKind, OnReject, Over, Repetition, Strategy, UserTask, VoteRule};

impl<'a> Reader<'a> {
    pub(super) fn user_task(&mut self, node: &Node<'a, 'a>) -> UserTask {
        let list = |name: &str| -> Vec<String> {
            extra(node, name)
                .into_iter()
                .flat_map(|list| list.split(','))
                .map(|word| word.trim().to_owned())
                .filter(|word| !word.is_empty())
                .collect()
        };
        let mut user = UserTask {
            means: extra(node, "means")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            outcomes: list("outcomes"),
            opinion_templates: list("opinionTemplates"),
            opinion_required: [extra(node, "opinionRequired"), extra(node, "reasonRequire")].contains(&Some("true")),
            signature_required: [extra(node, "signatureRequired"), extra(node, "signEnable")].contains(&Some("true")),
            ..UserTask::default()
        };
        user.assignee = extra(node, "assignee").and_then(|text| self.text(node, text));
        user.owner = extra(node, "owner").and_then(|text| self.text(node, text));
        user.form_key = extra(node, "formKey").and_then(|text| self.text(node, text));
        user.priority = extra(node, "priority").and_then(|text| self.text(node, text));
        user.category = extra(node, "category").and_then(|text| self.text(node, text));
        for (name, strategy) in [("candidateUsers", Strategy::User), ("candidateGroups", Strategy::Role)] {
            if let Some(parameter) = extra(node, name).and_then(|text| self.text(node, text)) {
                user.candidates.push(Candidates {
                    strategy,
                    parameter: Some(parameter),
                });
            }
        }
        if let Some(reject) = node.attribute((ZHULU, "onReject")) {
            user.on_reject = match reject.strip_prefix("return:") {
                Some(target) => OnReject::ReturnTo(target.into()),
                None if reject == "end" => OnReject::End,
                None => OnReject::GoOn,
            };
        }
        user
    }

    /// 会签, 或签, 依次 without a loop of their own: one round for each person that is found.
    pub(super) fn approvers(&mut self, node: &Node<'a, 'a>, kind: &NodeKind) -> Option<Repetition> {
        if !matches!(kind, NodeKind::Task(_)) {
            return None;
        }
        let vote = self.vote(node)?;
        Some(Repetition::Multi(Box::new(Multi {
            sequential: node.attribute((ZHULU, "sequential")) == Some("true"),
            over: Over::Approvers,
            element_variable: None,
            index_variable: None,
            output: None,
            completion: None,
            behavior: MultiBehavior::All,
            vote: Some(vote),
        })))
    }

    /// The rule of a vote: `all`, `any`, `ratio:60`, `veto:60`.
    pub(super) fn vote(&mut self, node: &Node<'a, 'a>) -> Option<VoteRule> {
        let rule = node.attribute((ZHULU, "vote"))?;
        let percent = |text: &str| text.parse::<u32>().ok().filter(|percent| (1..=100).contains(percent));
        let read = match rule.split_once(':') {
            None if rule == "all" => Some(VoteRule::All),
            None if rule == "any" => Some(VoteRule::Any),
            Some(("ratio", text)) => percent(text).map(|percent| VoteRule::Ratio { percent }),
            Some(("veto", text)) => percent(text).map(|percent| VoteRule::Veto { percent }),
            _ => None,
        };
        if read.is_none() {
            self.wrong(
                "vote",
                node,
                format!("{rule} is no rule of a vote; write all, any, ratio:60 or veto:60"),
                format!("表决规则 {rule} 有误"),
            );
        }
        read
    }
}
