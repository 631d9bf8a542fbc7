//! The cost of what is done for each of many: filters, `for`, `some`, `every`.

use dsntk_feel::Name;
use dsntk_feel_parser::AstNode;

use super::{
    ITEM, MAX_ROUNDS, Reckoning, Scope,
    value::{Foreseen, Made, rounds_between},
    with,
};

/// The name under which a `for` sees what it has collected so far.
const PARTIAL: &str = "partial";

impl Reckoning {
    pub(super) fn filter<'a>(
        &mut self,
        list: &'a AstNode,
        condition: &'a AstNode,
        scope: &Scope<'a>,
    ) -> Result<Foreseen<'a>, String> {
        let list = self.of(list, scope)?;
        let bounds = list.made();
        let item = list.item();
        let inner = with(scope, Name::from(ITEM), item.clone());
        // The condition is asked of each item, which is copied, and once more at the end.
        let asked = self.repeated(counted(bounds.items)?.saturating_add(1), |reckoning| {
            reckoning.spend(bounds.each)?;
            reckoning.of(condition, &inner)
        })?;
        if asked.made().is_number {
            return Ok(item);
        }
        if is_condition(condition) {
            return Ok(Foreseen::Made(Made::list(
                bounds.items,
                bounds.each,
                bounds.units.saturating_add(1),
            )));
        }
        Ok(Foreseen::Made(bounds.or(item.made())))
    }

    pub(super) fn collected<'a>(
        &mut self,
        contexts: &'a AstNode,
        body: &'a AstNode,
        scope: &Scope<'a>,
    ) -> Result<Foreseen<'a>, String> {
        let (inner, rounds) = self.rounds(contexts, scope)?;
        let looks_back = mentions(body, PARTIAL);
        let partial = |each: u64| Foreseen::Made(Made::list(rounds, each, rounds.saturating_mul(each).saturating_add(1)));
        let mut each = self.repeated(rounds, |reckoning| {
            reckoning.of(body, &with(&inner, Name::from(PARTIAL), partial(1)))
        })?;
        if looks_back {
            // What is made of the results so far must not be greater than they are, or it grows with each round.
            let again = self.repeated(rounds, |reckoning| {
                reckoning.of(body, &with(&inner, Name::from(PARTIAL), partial(each.made().units)))
            })?;
            if again.made().units > each.made().units {
                return Err("collects what grows with each round".to_owned());
            }
            each = again;
        }
        let each = each.made().units;
        let units = rounds.saturating_mul(each).saturating_add(1);
        // All results so far are copied in each round.
        self.spend(rounds.saturating_mul(units) / 2)?;
        Ok(Foreseen::Made(Made::list(rounds, each, units)))
    }

    pub(super) fn quantified<'a>(
        &mut self,
        contexts: &'a AstNode,
        condition: &'a AstNode,
        scope: &Scope<'a>,
    ) -> Result<Foreseen<'a>, String> {
        let (inner, rounds) = self.rounds(contexts, scope)?;
        self.repeated(rounds, |reckoning| reckoning.of(condition, &inner))?;
        Ok(Foreseen::Made(Made::one(1)))
    }

    /// The scope inside of a loop, and how many rounds there are at the most.
    fn rounds<'a>(&mut self, contexts: &'a AstNode, scope: &Scope<'a>) -> Result<(Scope<'a>, u64), String> {
        let mut inner = scope.clone();
        let mut rounds = 1_u64;
        for context in super::super::syntax::parts(contexts) {
            let (name, over, range) = match context {
                AstNode::IterationContextInterval(name, from, to) => {
                    let from = self.of(from, &inner)?.made();
                    let to = self.of(to, &inner)?.made();
                    (
                        name,
                        Foreseen::Made(Made::number_in(&from, &to)),
                        Some(rounds_between(&from, &to)),
                    )
                }
                AstNode::IterationContextSingle(name, over) | AstNode::QuantifiedContext(name, over) => {
                    let range = match &**over {
                        AstNode::Range(from, to) => {
                            let from = self.of(from, &inner)?.made();
                            let to = self.of(to, &inner)?.made();
                            Some(rounds_between(&from, &to))
                        }
                        _ => None,
                    };
                    (name, self.of(over, &inner)?, range)
                }
                _ => continue,
            };
            let here = match range {
                Some(steps) if steps > MAX_ROUNDS => {
                    return Err(format!(
                        "counts through a range that has more than {MAX_ROUNDS} steps, or whose ends are not known beforehand"
                    ));
                }
                Some(steps) => steps,
                None => counted(over.made().items)?,
            };
            rounds = rounds.saturating_mul(here.max(1));
            let item = if range.is_some() {
                Foreseen::Made(Made::some_number())
            } else {
                over.item()
            };
            // What a round sees is put together anew in each.
            self.repeated(rounds, |reckoning| reckoning.spend(item.made().units.saturating_add(1)))?;
            if let AstNode::Name(name) | AstNode::ParameterName(name) = &**name {
                inner = with(&inner, name.clone(), item);
            }
        }
        Ok((inner, rounds))
    }
}

impl Made {
    /// A number of a range.
    fn number_in(from: &Self, to: &Self) -> Self {
        match (from.number, to.number) {
            (Some((a, b)), Some((c, d))) => Self::number(a.min(c), b.max(d)),
            _ => Self::some_number(),
        }
    }
}

/// So many rounds, if it is known how many.
fn counted(items: u64) -> Result<u64, String> {
    if items == u64::MAX {
        return Err("goes through a range whose ends are not known beforehand".to_owned());
    }
    Ok(items)
}

/// Whether this can only be true, false or null.
fn is_condition(node: &AstNode) -> bool {
    use AstNode as N;
    matches!(
        node,
        N::Eq(..)
            | N::Nq(..)
            | N::Lt(..)
            | N::Le(..)
            | N::Gt(..)
            | N::Ge(..)
            | N::And(..)
            | N::Or(..)
            | N::In(..)
            | N::Between(..)
            | N::InstanceOf(..)
            | N::Some(..)
            | N::Every(..)
            | N::Boolean(_)
    )
}

/// Whether a name stands anywhere in it.
fn mentions(node: &AstNode, name: &str) -> bool {
    let mut found = false;
    super::super::syntax::each(node, &mut |part| {
        if let AstNode::Name(known) = part {
            found |= known.as_str() == name;
        }
    });
    found
}
