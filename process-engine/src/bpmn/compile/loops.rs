//! How often an activity is done.

use super::Compiler;
use crate::{
    bpmn::source::{Xml, attr, engine_attr, flag, is_true, kid, kid_text, kids_of, label, name, text, variable_of, zhulu_attr},
    expression::Expression,
    model::{Multi, MultiBehavior, Over, Repetition},
};

impl<'a> Compiler<'_, 'a> {
    pub(super) fn repetition(&mut self, xml: Xml<'a>) -> Repetition {
        if let Some(standard) = kid(xml, "standardLoopCharacteristics") {
            return self.standard(standard);
        }
        let multi = kid(xml, "multiInstanceLoopCharacteristics");
        if let Some(vote) = self.vote_of_approvers(xml, multi) {
            return Repetition::Multi(Box::new(vote));
        }
        match multi.and_then(|multi| self.multi(xml, multi)) {
            Some(multi) => Repetition::Multi(Box::new(multi)),
            None => Repetition::Once,
        }
    }

    fn standard(&mut self, standard: Xml<'a>) -> Repetition {
        let written = attr(standard, "loopMaximum");
        let maximum = written
            .and_then(|written| written.parse::<u32>().ok())
            .filter(|maximum| *maximum > 0);
        if let Some(written) = written.filter(|_| maximum.is_none()) {
            self.setting(standard, "loopMaximum", written, "a whole number from 1");
        }
        Repetition::Standard {
            test_before: flag(standard, "testBefore", false),
            condition: kid(standard, "loopCondition").and_then(|condition| self.formal(condition)),
            maximum,
        }
    }

    fn multi(&mut self, xml: Xml<'a>, multi: Xml<'a>) -> Option<Multi> {
        let over = self.over(xml, multi)?;
        let item = kid(multi, "inputDataItem").and_then(variable_of);
        let element_variable = engine_attr(multi, "elementVariable")
            .or_else(|| zhulu_attr(multi, "elementVariable"))
            .or(item);
        let index_variable = engine_attr(multi, "elementIndexVariable").or_else(|| zhulu_attr(multi, "indexVariable"));
        Some(Multi {
            sequential: flag(multi, "isSequential", false),
            over,
            element_variable: element_variable.map(str::to_owned),
            index_variable: index_variable.map(str::to_owned),
            output: self.collected(xml, multi),
            completion: self.completion(multi),
            behavior: self.behavior(multi),
            vote: self.vote(xml, multi),
        })
    }

    pub(super) fn completion(&mut self, multi: Xml<'a>) -> Option<Expression> {
        kid(multi, "completionCondition").and_then(|condition| self.formal(condition))
    }

    fn over(&mut self, xml: Xml<'a>, multi: Xml<'a>) -> Option<Over> {
        if let Some(cardinality) = kid(multi, "loopCardinality") {
            return self.formal(cardinality).map(Over::Cardinality);
        }
        if let Some(collection) = engine_attr(multi, "collection").or_else(|| zhulu_attr(multi, "collection")) {
            return self.expression(multi, collection).map(Over::Collection);
        }
        if let Some(input) = kid_text(multi, "loopDataInputRef") {
            let name = self.outer_of(xml, &input, "dataInputAssociation", "targetRef", "sourceRef");
            // Engines of the Activiti family let it name a variable that is declared nowhere.
            let name = name.unwrap_or(input);
            return self.variable(multi, &name).map(Over::Collection);
        }
        self.error(
            "multi-instance-over-nothing",
            multi,
            format!(
                "{} does not say how many instances it has: give a loopCardinality or a collection.",
                label(xml)
            ),
            format!("{} 未说明实例数量:请给出 loopCardinality 或集合。", label(xml)),
        );
        None
    }

    /// The variable outside that an activity's own data is filled from, or written to.
    fn outer_of(&self, xml: Xml<'a>, own: &str, which: &'a str, inner: &'a str, outer: &'a str) -> Option<String> {
        let association = kids_of(xml, which).find(|association| kid_text(*association, inner).as_deref() == Some(own));
        let reference = association.and_then(|association| kid_text(association, outer));
        reference
            .and_then(|reference| self.data_name(&reference))
            .or_else(|| self.data_name(own))
    }

    /// The outer collection that takes results, and the variable of an instance that it takes.
    fn collected(&self, xml: Xml<'a>, multi: Xml<'a>) -> Option<(String, String)> {
        if let Some(collection) = zhulu_attr(multi, "outputCollection") {
            let element = zhulu_attr(multi, "outputElement").unwrap_or("result");
            return Some((collection.to_owned(), element.to_owned()));
        }
        let output = kid_text(multi, "loopDataOutputRef")?;
        let outer = self.outer_of(xml, &output, "dataOutputAssociation", "sourceRef", "targetRef")?;
        let item = kid(multi, "outputDataItem").and_then(variable_of)?;
        Some((outer, item.to_owned()))
    }

    fn behavior(&mut self, multi: Xml<'a>) -> MultiBehavior {
        let event = |compiler: &mut Self, which| {
            let definition = attr(multi, which).and_then(|event| compiler.source.referred(event));
            definition.and_then(|definition| compiler.event_name(definition))
        };
        match attr(multi, "behavior") {
            Some("None") => MultiBehavior::None(event(self, "noneBehaviorEventRef")),
            Some("One") => MultiBehavior::One(event(self, "oneBehaviorEventRef")),
            Some("Complex") => MultiBehavior::Complex(self.complex_behaviours(multi)),
            _ => MultiBehavior::All,
        }
    }
}

/// Whether a designer marks a repeated task as run over the people that its candidate rule finds.
pub(super) fn runs_over_approvers(multi: Xml<'_>) -> bool {
    let collection = engine_attr(multi, "collection").unwrap_or_default();
    collection.contains("coll_userList") || zhulu_attr(multi, "overApprovers").is_some_and(is_true)
}

/// Whether it says in any way over what it runs.
pub(super) fn runs_over_something(multi: Xml<'_>) -> bool {
    engine_attr(multi, "collection").is_some()
        || zhulu_attr(multi, "collection").is_some()
        || multi
            .children()
            .any(|child| matches!(name(child), "loopCardinality" | "loopDataInputRef"))
}

/// What the condition for being done says, without spaces.
pub(super) fn condition_of(multi: Xml<'_>) -> String {
    let condition = kid(multi, "completionCondition").map(text).unwrap_or_default();
    condition.chars().filter(|char| !char.is_whitespace()).collect()
}
