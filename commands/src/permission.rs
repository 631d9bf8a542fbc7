//! Who may ask what: denied, unless `permission.json` says otherwise. The law itself (who handles, who decides) is the
//! domain's; here is only which role stands at which door, in which region, and whose case it is.

use std::{collections::BTreeMap, sync::LazyLock};

use crate::{
    aggregate::Aggregate,
    envelope::{CommandError, Envelope},
};

/// Table (`case`, a case type, a register) → command → roles.
type Table = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// A file that cannot be read permits nothing; a test reads it.
static TABLE: LazyLock<Table> = LazyLock::new(|| serde_json::from_str(include_str!("permission.json")).unwrap_or_default());

/// The table of the commands that any case takes.
pub const CASE_TABLE: &str = "case";
/// The table of what any process is asked: what people do with their tasks, what administrators repair.
pub const PROCESS_TABLE: &str = "process";

/// Every role that an account can have.
pub const ROLES: &[&str] = &[
    "applicant",
    "windowClerk",
    "handler",
    "sectionChief",
    "director",
    "inspector",
    "archivist",
    "supervisor",
    "statistician",
    "operator",
    "system",
    "migration",
];

/// Sees to its own cases only.
pub const APPLICANT: &str = "applicant";
/// The platform itself: timers and reactions.
pub const SYSTEM: &str = "system";
/// Brings in what a former system knew.
pub const MIGRATION: &str = "migration";

/// Whether this role may ask this.
pub fn may(role: &str, table: &str, command: &str) -> bool {
    TABLE
        .get(table)
        .and_then(|commands| commands.get(command))
        .is_some_and(|roles| roles.iter().any(|one| one == role))
}

/// Everything that this role may ask, by the names of the commands.
pub fn commands_of<'a>(role: &'a str, table: &str) -> impl Iterator<Item = &'static str> + use<'a> {
    let commands = TABLE.get(table).into_iter().flatten();
    commands
        .filter(move |(_, roles)| roles.iter().any(|one| one == role))
        .map(|(command, _)| command.as_str())
}

/// Whether a division contains another: `320600` contains `320684`, `000000` contains every one.
pub fn region_contains(outer: &str, inner: &str) -> bool {
    let mut significant = outer;
    while let Some(shorter) = significant.strip_suffix("00") {
        significant = shorter;
    }
    inner.starts_with(significant)
}

/// Lets the command through, or says why not.
pub(crate) fn check<D: Aggregate>(state: &D::State, command: &D::Command, envelope: &Envelope) -> Result<(), CommandError> {
    let (table, name, role) = (
        D::permission_table(command),
        D::command_name(command),
        envelope.actor.role.as_str(),
    );
    let forbidden = |why: &str| {
        Err(CommandError::Forbidden {
            role: role.to_owned(),
            action: format!("{name} ({why})"),
        })
    };
    if !may(role, table, name) {
        return forbidden("not among the commands of this role");
    }
    if let Some((table, besides)) = D::asks_besides(command)
        && !may(role, table, besides)
    {
        return forbidden(&format!("{besides} is not among the commands of this role"));
    }
    if matches!(role, SYSTEM | MIGRATION) {
        return Ok(());
    }
    if let Some(region) = D::region(state)
        && !region_contains(&envelope.region, region)
    {
        return forbidden(&format!("it belongs to region {region}, not to {}", envelope.region));
    }
    if role == APPLICANT && !D::is_own(state, command, &envelope.actor) {
        return forbidden("it is not the applicant's own case");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_division_contains_what_begins_with_its_code() {
        for (outer, inner, contained) in [
            ("000000", "320684", true),
            ("320000", "320684", true),
            ("320600", "320684", true),
            ("320684", "320684", true),
            ("320684", "320600", false),
            ("320500", "320684", false),
            ("110000", "320684", false),
        ] {
            assert_eq!(region_contains(outer, inner), contained, "{outer} and {inner}");
        }
    }

    #[test]
    fn the_table_names_only_roles_that_exist() {
        assert!(!TABLE.is_empty());
        for (table, commands) in &*TABLE {
            for (command, roles) in commands {
                for role in roles {
                    assert!(ROLES.contains(&role.as_str()), "{table}.{command} names {role}");
                }
            }
        }
    }

    #[test]
    fn what_nobody_wrote_down_is_denied() {
        assert!(!may("director", "case", "Explode"));
        assert!(!may("director", "nowhere", "Grant"));
        assert!(!may("", "case", "Grant"));
        assert!(may("director", "case", "Grant"));
    }
}
