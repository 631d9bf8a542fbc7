//! The parts of an expression that was parsed, and what may not be among them.

use std::str::FromStr;

use dsntk_feel::{Name, bif::Bif};
use dsntk_feel_parser::AstNode;

/// The parts that a part is made of.
pub(crate) fn parts(node: &AstNode) -> Vec<&AstNode> {
    use AstNode as N;
    match node {
        N::Add(a, b)
        | N::And(a, b)
        | N::ContextEntry(a, b)
        | N::ContextTypeEntry(a, b)
        | N::Div(a, b)
        | N::Eq(a, b)
        | N::Every(a, b)
        | N::Exp(a, b)
        | N::Filter(a, b)
        | N::For(a, b)
        | N::FormalParameter(a, b)
        | N::FunctionDefinition(a, b)
        | N::FunctionInvocation(a, b)
        | N::FunctionType(a, b)
        | N::Ge(a, b)
        | N::Gt(a, b)
        | N::In(a, b)
        | N::InstanceOf(a, b)
        | N::IterationContextSingle(a, b)
        | N::Le(a, b)
        | N::Lt(a, b)
        | N::Mul(a, b)
        | N::NamedParameter(a, b)
        | N::Nq(a, b)
        | N::Or(a, b)
        | N::Out(a, b)
        | N::Path(a, b)
        | N::QuantifiedContext(a, b)
        | N::Range(a, b)
        | N::Some(a, b)
        | N::Sub(a, b) => vec![a, b],
        N::Between(a, b, c) | N::If(a, b, c) | N::IterationContextInterval(a, b, c) => vec![a, b, c],
        N::CommaList(all)
        | N::Context(all)
        | N::ContextType(all)
        | N::ExpressionList(all)
        | N::FormalParameters(all)
        | N::IterationContexts(all)
        | N::List(all)
        | N::NamedParameters(all)
        | N::NegatedList(all)
        | N::ParameterTypes(all)
        | N::PositionalParameters(all)
        | N::QualifiedName(all)
        | N::QuantifiedContexts(all) => all.iter().collect(),
        N::EvaluatedExpression(a)
        | N::FunctionBody(a, _)
        | N::IntervalEnd(a, _)
        | N::IntervalStart(a, _)
        | N::ListType(a)
        | N::Neg(a)
        | N::RangeType(a)
        | N::Satisfies(a)
        | N::UnaryGe(a)
        | N::UnaryGt(a)
        | N::UnaryLe(a)
        | N::UnaryLt(a)
        | N::UnaryEq(a)
        | N::UnaryNe(a) => vec![a],
        N::At(_)
        | N::Boolean(_)
        | N::ContextEntryKey(_)
        | N::ContextTypeEntryKey(_)
        | N::FeelType(_)
        | N::Irrelevant
        | N::Name(_)
        | N::Null
        | N::Numeric(..)
        | N::ParameterName(_)
        | N::QualifiedNameSegment(_)
        | N::String(_) => Vec::new(),
    }
}

/// Calls something with a part and all parts of it.
pub(crate) fn each<'a>(node: &'a AstNode, look: &mut impl FnMut(&'a AstNode)) {
    look(node);
    for part in parts(node) {
        each(part, look);
    }
}

/// Whether the language has a function of this name.
pub(crate) fn is_built_in(name: &str) -> bool {
    Bif::from_str(name).is_ok()
}

/// The function that reads the clock by this name, if it is one.
pub(crate) fn is_clock(name: &str) -> bool {
    matches!(name, "now" | "today")
}

/// What one expression of a process may not hold: functions of its own (they may call themselves; only what a list is
/// sorted by may be given), calls of anything that is not a function of the language, and whatever is outside.
pub(crate) fn check(node: &AstNode) -> Result<(), String> {
    match node {
        AstNode::FunctionInvocation(callee, arguments) => {
            let AstNode::Name(name) = &**callee else {
                return Err("calls something that is not named".to_owned());
            };
            if !is_built_in(name.as_str()) {
                return Err(format!("calls {name:?}, which is no function of FEEL", name = name.as_str()));
            }
            for argument in parts(arguments) {
                match argument {
                    AstNode::FunctionDefinition(_, body) if name.as_str() == "sort" => check(body)?,
                    AstNode::NamedParameter(_, value) if name.as_str() == "sort" => match &**value {
                        AstNode::FunctionDefinition(_, body) => check(body)?,
                        other => check(other)?,
                    },
                    other => check(other)?,
                }
            }
            Ok(())
        }
        AstNode::FunctionDefinition(..) => Err("may not define a function, except the one that a list is sorted by".to_owned()),
        AstNode::FunctionBody(_, true) => Err("may not use a function from outside".to_owned()),
        other => parts(other).into_iter().try_for_each(check),
    }
}

/// What a decision model may not hold: calls of what is neither a function of the language nor known, functions outside, and
/// the clock, for a decision that is asked again must give the same.
pub(crate) fn check_calls(node: &AstNode, is_known: &dyn Fn(&Name) -> bool) -> Result<(), String> {
    match node {
        AstNode::FunctionInvocation(callee, _) => {
            if let AstNode::Name(name) = &**callee {
                if is_clock(name.as_str()) && !is_known(name) {
                    return Err(format!(
                        "reads the clock; let {:?} be an input of the decision",
                        name.as_str()
                    ));
                }
                if !is_built_in(name.as_str()) && !is_known(name) {
                    return Err(format!("calls {:?}, which is no function", name.as_str()));
                }
            }
        }
        AstNode::FunctionBody(_, true) => return Err("may not use a function from outside".to_owned()),
        _ => {}
    }
    parts(node).into_iter().try_for_each(|part| check_calls(part, is_known))
}

/// The names that an expression itself gives to something.
pub(crate) fn bound(node: &AstNode) -> Vec<Name> {
    let mut names = Vec::new();
    each(node, &mut |part| match part {
        AstNode::ContextEntryKey(name) | AstNode::ParameterName(name) => names.push(name.clone()),
        AstNode::IterationContextSingle(name, _)
        | AstNode::IterationContextInterval(name, _, _)
        | AstNode::QuantifiedContext(name, _) => {
            if let AstNode::Name(name) = &**name {
                names.push(name.clone());
            }
        }
        _ => {}
    });
    names
}

/// The names that an expression looks up, each once; what it only calls is none of them.
pub(crate) fn names(node: &AstNode) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    // Names that are no variables: what is called, and members.
    let mut others: Vec<*const AstNode> = Vec::new();
    each(node, &mut |part| match part {
        AstNode::FunctionInvocation(callee, _) => others.push(&raw const **callee),
        AstNode::Path(_, member) => others.push(&raw const **member),
        AstNode::Name(name) if !others.contains(&std::ptr::from_ref(part)) && !names.contains(name) => names.push(name.clone()),
        AstNode::QualifiedName(segments) => {
            if let Some(AstNode::QualifiedNameSegment(name)) = segments.first()
                && !names.contains(name)
            {
                names.push(name.clone());
            }
        }
        _ => {}
    });
    names
}

/// Calls something with every name that an expression looks up: with the member of it, if only that is looked at.
pub(crate) fn each_look_up<'a>(node: &'a AstNode, look: &mut impl FnMut(&'a Name, Option<&'a Name>)) {
    use AstNode as N;
    match node {
        N::Name(name) | N::QualifiedNameSegment(name) => look(name, None),
        N::Path(of, member) => match (&**of, &**member) {
            (N::Name(name), N::Name(member)) => look(name, Some(member)),
            _ => [of, member].into_iter().for_each(|part| each_look_up(part, look)),
        },
        N::QualifiedName(segments) => match segments.as_slice() {
            [N::QualifiedNameSegment(name), N::QualifiedNameSegment(member), ..] => look(name, Some(member)),
            segments => segments.iter().for_each(|segment| each_look_up(segment, look)),
        },
        other => parts(other).into_iter().for_each(|part| each_look_up(part, look)),
    }
}

/// What an expression can cost at the most for each unit of all that it looks at, if that is so simple to say: each of its
/// parts can hold no more than all of its names together, and is looked at once.
pub(crate) fn plain(node: &AstNode) -> Option<u64> {
    let (mut parts, mut looked_up, mut is_plain) = (0_u64, 1_u64, true);
    each(node, &mut |part| {
        parts += 1;
        match part {
            AstNode::Name(_) | AstNode::QualifiedName(_) => looked_up += 1,
            AstNode::String(text) => looked_up += text.len() as u64,
            AstNode::Filter(_, position) => is_plain &= matches!(**position, AstNode::Numeric(..)),
            AstNode::For(..)
            | AstNode::Some(..)
            | AstNode::Every(..)
            | AstNode::Context(_)
            | AstNode::FunctionDefinition(..)
            | AstNode::Out(..) => is_plain = false,
            AstNode::In(_, tests) => is_plain &= names(tests).is_empty(),
            AstNode::FunctionInvocation(callee, _) => {
                is_plain &= matches!(&**callee, AstNode::Name(name) if is_linear(name.as_str()));
            }
            _ => {}
        }
    });
    is_plain.then(|| parts.saturating_mul(looked_up))
}

/// Whether a function of the language only goes through what it is given, and makes nothing greater of it.
fn is_linear(name: &str) -> bool {
    !matches!(
        name,
        "string"
            | "sort"
            | "distinct values"
            | "union"
            | "mode"
            | "index of"
            | "list contains"
            | "remove"
            | "replace"
            | "matches"
            | "string join"
            | "range"
            | "list replace"
    )
}

/// Puts the moment of the command in the place of the clock: `now()` reads the variable `now`, `today()` the variable `today`.
pub(crate) fn without_clock(node: &mut AstNode) {
    if let AstNode::FunctionInvocation(callee, arguments) = node
        && let AstNode::Name(name) = &**callee
        && is_clock(name.as_str())
    {
        let reader = if name.as_str() == "now" { "date and time" } else { "date" };
        **arguments = AstNode::PositionalParameters(vec![AstNode::Name(name.clone())]);
        **callee = AstNode::Name(Name::from(reader));
        return;
    }
    for part in parts_mut(node) {
        without_clock(part);
    }
}

/// The parts in which a call can stand.
fn parts_mut(node: &mut AstNode) -> Vec<&mut AstNode> {
    use AstNode as N;
    match node {
        N::Add(a, b)
        | N::And(a, b)
        | N::ContextEntry(a, b)
        | N::Div(a, b)
        | N::Eq(a, b)
        | N::Every(a, b)
        | N::Exp(a, b)
        | N::Filter(a, b)
        | N::For(a, b)
        | N::FunctionDefinition(a, b)
        | N::FunctionInvocation(a, b)
        | N::Ge(a, b)
        | N::Gt(a, b)
        | N::In(a, b)
        | N::InstanceOf(a, b)
        | N::IterationContextSingle(a, b)
        | N::Le(a, b)
        | N::Lt(a, b)
        | N::Mul(a, b)
        | N::NamedParameter(a, b)
        | N::Nq(a, b)
        | N::Or(a, b)
        | N::Out(a, b)
        | N::Path(a, b)
        | N::QuantifiedContext(a, b)
        | N::Range(a, b)
        | N::Some(a, b)
        | N::Sub(a, b) => vec![a, b],
        N::Between(a, b, c) | N::If(a, b, c) | N::IterationContextInterval(a, b, c) => vec![a, b, c],
        N::CommaList(all)
        | N::Context(all)
        | N::ExpressionList(all)
        | N::IterationContexts(all)
        | N::List(all)
        | N::NamedParameters(all)
        | N::NegatedList(all)
        | N::PositionalParameters(all)
        | N::QuantifiedContexts(all) => all.iter_mut().collect(),
        N::EvaluatedExpression(a)
        | N::FunctionBody(a, _)
        | N::IntervalEnd(a, _)
        | N::IntervalStart(a, _)
        | N::Neg(a)
        | N::Satisfies(a)
        | N::UnaryGe(a)
        | N::UnaryGt(a)
        | N::UnaryLe(a)
        | N::UnaryLt(a)
        | N::UnaryEq(a)
        | N::UnaryNe(a) => vec![a],
        _ => Vec::new(),
    }
}
