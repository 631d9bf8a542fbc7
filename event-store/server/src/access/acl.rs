//! Access control lists: which logins and groups may do what with a stream.
//!
//! A stream's own list is the `$acl` of its metadata. What it does not name is looked up in the defaults of the stream
//! `$settings`, and what these do not name in the defaults below.

use event_store_embedded::Acl;
use serde_json::Value;

/// Everybody who came in with a login.
pub(crate) const ALL: &str = "$all";
/// The group that may do everything.
pub(crate) const ADMINS: &str = "$admins";
/// The group that keeps the server running.
pub(crate) const OPS: &str = "$ops";

/// What is done with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Its events are read.
    Read,
    /// Events are appended.
    Write,
    /// It is deleted.
    Delete,
    /// Its metadata is read.
    ReadMetadata,
    /// Its metadata is written.
    WriteMetadata,
}

impl Deed {
    /// The logins and groups that a list names for this deed; nothing, if it does not speak of it.
    fn named(self, list: &Acl) -> Option<&[String]> {
        let named = match self {
            Self::Read => &list.read,
            Self::Write => &list.write,
            Self::Delete => &list.delete,
            Self::ReadMetadata => &list.read_metadata,
            Self::WriteMetadata => &list.write_metadata,
        };
        named.as_deref()
    }
}

/// The lists that stand in for what a stream's own list does not say: the newest event of `$settings`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Defaults {
    users_streams: Option<Acl>,
    system_streams: Option<Acl>,
}

impl Defaults {
    /// Reads what was written. Settings that cannot be read say nothing; the built-in lists hold.
    pub(crate) fn read(settings: &[u8]) -> Self {
        let settings: Value = serde_json::from_slice(settings).unwrap_or_default();
        let list = |key| settings.get(key).filter(|list| !list.is_null()).map(Acl::read);
        Self {
            users_streams: list("$userStreamAcl"),
            system_streams: list("$systemStreamAcl"),
        }
    }
}

/// Whether the stream belongs to the server rather than to its users.
pub(crate) fn is_system(stream: &str) -> bool {
    stream.starts_with('$')
}

/// Whether the lists let somebody do this with the stream. `is_one` says whether a login or group is that somebody.
pub(crate) fn permits(deed: Deed, stream: &str, own: Option<&Acl>, defaults: &Defaults, is_one: impl Fn(&str) -> bool) -> bool {
    let (defaults, built_in) = if is_system(stream) {
        (&defaults.system_streams, ADMINS)
    } else {
        (&defaults.users_streams, ALL)
    };
    let opens = |role: &str| role == ALL || is_one(role);
    let named = [own, defaults.as_ref()]
        .into_iter()
        .flatten()
        .find_map(|list| deed.named(list));
    match named {
        Some(roles) => roles.iter().any(|role| opens(role)),
        None => opens(built_in),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ouro_may(deed: Deed, stream: &str, own: &Value, settings: &Value) -> bool {
        let own = own.is_object().then(|| Acl::read(own));
        let defaults = Defaults::read(settings.to_string().as_bytes());
        permits(deed, stream, own.as_ref(), &defaults, |role| {
            ["ouro", "surveyors"].contains(&role)
        })
    }

    #[test]
    fn a_list_names_one_or_many_and_logins_or_groups() {
        let none = Value::Null;
        let own = json!({"$r": "ouro", "$w": ["greg", "surveyors"], "$d": ["greg"], "$mr": []});
        assert!(ouro_may(Deed::Read, "plans", &own, &none));
        assert!(ouro_may(Deed::Write, "plans", &own, &none));
        assert!(!ouro_may(Deed::Delete, "plans", &own, &none));
        assert!(!ouro_may(Deed::ReadMetadata, "plans", &own, &none));
        assert!(
            ouro_may(Deed::WriteMetadata, "plans", &own, &none),
            "not named, so the default"
        );
    }

    #[test]
    fn without_any_list_users_streams_are_open_and_system_streams_are_not() {
        let none = Value::Null;
        assert!(ouro_may(Deed::Read, "plans", &none, &none));
        assert!(!ouro_may(Deed::Read, "$ce-plans", &none, &none));
        assert!(!ouro_may(Deed::Read, "$all", &none, &none));
    }

    #[test]
    fn the_settings_stand_in_for_what_the_stream_does_not_say() {
        let settings = json!({"$userStreamAcl": {"$w": "$admins"}, "$systemStreamAcl": {"$r": ["$admins", "ouro"]}});
        let own = json!({"$w": "$all"});
        assert!(!ouro_may(Deed::Write, "plans", &Value::Null, &settings));
        assert!(ouro_may(Deed::Write, "plans", &own, &settings));
        assert!(ouro_may(Deed::Read, "$ce-plans", &Value::Null, &settings));
        assert!(!ouro_may(Deed::Write, "$ce-plans", &Value::Null, &settings));
    }

    #[test]
    fn a_list_that_cannot_be_read_opens_nothing() {
        for wrong in [json!(7), json!({"a": "$all"}), json!([7, null])] {
            assert!(!ouro_may(Deed::Read, "plans", &json!({"$r": wrong}), &Value::Null));
        }
    }
}
