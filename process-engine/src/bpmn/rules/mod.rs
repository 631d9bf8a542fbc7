//! The rules that a model must keep: a list of named functions, each a sentence or two of the standard.
//!
//! A rule looks at the XML, not at the graph, so that it can say where something stands; it reports all that offends it.

mod activities;
mod boundaries;
mod calls;
mod collaborations;
mod compensation;
mod data;
mod event_data;
mod events;
mod expressions;
mod file;
mod flows;
mod gateways;
mod ids;
mod io;
mod links;
mod loops;
mod operations;
mod people;
mod starts;
mod sub_processes;
mod timers;

use super::{
    dialect, references,
    report::{Findings, Report},
    schema,
    source::Source,
};

/// A rule: its name, and what looks whether it is kept.
pub(crate) struct Rule {
    /// A stable name for tools and tests.
    pub(crate) name: &'static str,
    check: for<'r, 'a> fn(&mut Report<'r, 'a>),
}

const fn rule(name: &'static str, check: for<'r, 'a> fn(&mut Report<'r, 'a>)) -> Rule {
    Rule { name, check }
}

/// All of them.
pub(crate) const RULES: &[Rule] = &[
    // How the file is built.
    rule("unknown-element", schema::elements),
    rule("element-count", schema::occurrences),
    rule("unknown-attribute", schema::attributes),
    rule("attribute-missing", schema::required),
    rule("attribute-value", schema::values),
    rule("expression-type", schema::types),
    rule("reference", references::resolve),
    rule("reference-empty", references::filled),
    rule("unknown-extension", dialect::extensions),
    rule("listener", dialect::listeners),
    // The file.
    rule("id-missing", ids::present),
    rule("id-twice", ids::unique),
    rule("id-malformed", ids::well_formed),
    rule("import", file::imports),
    rule("extension-required", file::extensions),
    rule("no-process", file::has_a_process),
    rule("choreography", file::choreographies),
    rule("conversation", file::conversations),
    rule("mime-type", file::mime_types),
    rule("public-executable", file::public_processes),
    rule("picture", file::pictures),
    // Sequence flows.
    rule("flow-unlisted", flows::listed),
    rule("flow-crosses", flows::within_a_level),
    rule("flow-condition-source", flows::condition_sources),
    rule("flow-condition-alone", flows::conditions_have_alternatives),
    rule("flow-default", flows::defaults),
    rule("flow-default-condition", flows::defaults_have_no_condition),
    rule("flow-not-immediate", flows::immediate),
    rule("lane", flows::lanes),
    // Gateways.
    rule("gateway-direction", gateways::directions),
    rule("gateway-connections", gateways::connections),
    rule("event-gateway-outgoing", gateways::event_outgoing),
    rule("event-gateway-targets", gateways::event_targets),
    rule("event-gateway-receive", gateways::event_receives),
    rule("event-gateway-target-incoming", gateways::event_target_incoming),
    rule("event-gateway-instantiate", gateways::event_instantiates),
    // Events.
    rule("start-incoming", starts::no_incoming),
    rule("start-outgoing", starts::outgoing),
    rule("start-trigger", starts::triggers),
    rule("start-several", starts::plain_starts),
    rule("start-without-end", starts::start_needs_end),
    rule("end-without-start", starts::end_needs_start),
    rule("end-outgoing", starts::end_no_outgoing),
    rule("end-incoming", starts::end_incoming),
    rule("open-end", starts::beginnings_and_ends),
    rule("intermediate-incoming", events::incoming),
    rule("intermediate-outgoing", events::outgoing),
    rule("event-trigger", events::triggers),
    rule("event-definition-own", events::shared_definitions),
    rule("event-parallel-multiple", events::parallel_multiple),
    rule("event-message", events::messages),
    rule("event-operation", events::operations),
    rule("event-signal", events::signals),
    rule("event-error", events::errors),
    rule("event-escalation", events::escalations),
    rule("event-cancel", events::cancels),
    rule("event-properties", events::properties),
    rule("boundary-incoming", boundaries::no_incoming),
    rule("boundary-outgoing", boundaries::outgoing),
    rule("boundary-trigger", boundaries::triggers),
    rule("boundary-interrupting", boundaries::interrupting),
    rule("boundary-level", boundaries::level_of_host),
    rule("link", links::pairs),
    rule("link-flow", links::flows),
    rule("timer-one-time", timers::one_time),
    rule("timer-format", timers::formats),
    rule("compensation-association", compensation::handlers),
    rule("compensation-flow", compensation::no_flows),
    rule("compensation-visible", compensation::visible),
    // Activities.
    rule("event-sub-process-flow", sub_processes::event_flows),
    rule("event-sub-process-start", sub_processes::event_starts),
    rule("event-sub-process-interrupting", sub_processes::event_interrupting),
    rule("ad-hoc-content", sub_processes::ad_hoc),
    rule("transaction-method", sub_processes::transactions),
    rule("receive-instantiate", activities::instantiating),
    rule("call-target", calls::targets),
    rule("call-start", calls::none_start),
    rule("call-data", calls::data),
    rule("loop-over", loops::over),
    rule("loop-behavior", loops::behaviors),
    rule("loop-data", loops::data_items),
    rule("resource", people::resources),
    rule("script-format", activities::script_formats),
    // Data.
    rule("data-collection", data::collections),
    rule("data-reference", data::object_references),
    rule("data-io-place", data::io_places),
    rule("data-association-source", data::sources),
    rule("data-association-target", data::targets),
    rule("data-association-match", data::matching),
    rule("io-set", io::in_sets),
    rule("io-set-own", io::own),
    rule("io-set-optional", io::subsets),
    rule("io-set-mutual", io::mutual),
    rule("operation-sets", operations::sets),
    rule("operation-items", operations::items),
    rule("io-binding", operations::bindings),
    rule("event-data", event_data::counts),
    rule("event-data-item", event_data::items),
    // Expressions.
    rule("expression-not-formal", expressions::formal),
    rule("condition-not-boolean", expressions::boolean),
    rule("expression-empty", expressions::filled),
    // Collaborations.
    rule("participant-multiplicity", collaborations::multiplicities),
    rule("message-flow-pools", collaborations::different_pools),
    rule("message-flow-event", collaborations::event_ends),
    rule("correlation-executable", collaborations::correlations),
];

/// Looks whether a file keeps all rules.
pub(super) fn look(source: &Source<'_>, options: super::ReadOptions, findings: &mut Findings) {
    for rule in RULES {
        (rule.check)(&mut Report {
            source,
            options,
            rule: rule.name,
            findings,
        });
    }
}
