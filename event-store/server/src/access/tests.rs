//! Who is let in, and what they may do.
#![allow(clippy::unwrap_used)]

use std::{
    os::unix::fs::PermissionsExt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use chrono::TimeDelta;
use event_store_contract::{Expected, NewEvent};
use event_store_embedded::{Draft, METADATA_NAME, Write};
use futures_util::future::join_all;
use tonic::metadata::MetadataMap;
use uuid::Uuid;

use super::*;
use crate::{
    testing::{ADMIN_PASSWORD, TestDesk, as_admin, desk, secure_desk, with},
    users::book::User,
};

/// A new user of these groups, whose password is its login and `-secret`.
async fn welcome(desk: &TestDesk, login: &str, groups: &[&str]) -> MetadataMap {
    let password = format!("{login}-secret");
    let user = User {
        login_name: login.to_owned(),
        full_name: String::new(),
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
        disabled: false,
        hash: password::hashed(&password).unwrap(),
    };
    desk.access.book().create(&user, Utc::now()).await.unwrap();
    with(login, &password)
}

/// Writes one event of JSON to a stream, as the server itself.
async fn write(desk: &TestDesk, stream: &str, name: &str, data: &str) {
    let event = NewEvent {
        id: Uuid::new_v4(),
        name: Arc::from(name),
        data: Bytes::from(data.to_owned()),
        metadata: Bytes::new(),
    };
    let write = Write {
        stream: StreamName::new(stream).unwrap(),
        expected: Expected::Any,
        events: vec![Draft { event, is_json: true }],
    };
    desk.store.write(vec![write], Vec::new()).await.unwrap();
}

/// What becomes of a deed: `None`, or the code and exception of its refusal.
async fn refusal(desk: &TestDesk, who: &MetadataMap, action: Action, stream: &str) -> Option<(Code, String)> {
    let asked = match desk.access.caller(who).await {
        Ok(caller) => desk.access.allow(&caller, action, stream),
        Err(status) => Err(status),
    };
    let status = asked.err()?;
    let exception = status.metadata().get("exception").unwrap().to_str().unwrap().to_owned();
    Some((status.code(), exception))
}

async fn may(desk: &TestDesk, who: &MetadataMap, action: Action, stream: &str) -> bool {
    match refusal(desk, who, action, stream).await {
        None => true,
        Some(refusal) => {
            assert_eq!(refusal, (Code::PermissionDenied, "access-denied".into()));
            false
        }
    }
}

async fn is_let_in(desk: &TestDesk, who: &MetadataMap) -> bool {
    match desk.access.caller(who).await {
        Ok(caller) => caller.login().is_some(),
        Err(status) => {
            assert_eq!(status.code(), Code::Unauthenticated);
            assert_eq!(status.metadata().get("exception").unwrap(), "access-denied");
            false
        }
    }
}

#[tokio::test]
async fn without_credentials_nobody_may_do_anything() {
    let desk = secure_desk().await;
    let nobody = MetadataMap::new();
    for action in [
        Action::Read,
        Action::Write,
        Action::SeeStatistics,
        Action::SeeSubscription,
        Action::ManageUsers,
    ] {
        assert!(!may(&desk, &nobody, action, "plans").await, "{action:?}");
    }
}

#[tokio::test]
async fn in_the_insecure_mode_everybody_may_do_everything() {
    let desk = desk(Security::Insecure).await;
    for who in [MetadataMap::new(), with("nobody", "knows")] {
        for action in [Action::Read, Action::Delete, Action::Operate, Action::ManageUsers] {
            assert!(may(&desk, &who, action, "$settings").await, "{action:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_login_are_answered_alike() {
    let desk = secure_desk().await;
    let wrong = desk.access.caller(&with("admin", "changeit")).await.unwrap_err();
    let unknown = desk.access.caller(&with("nobody", "changeit")).await.unwrap_err();
    assert_eq!(wrong.code(), Code::Unauthenticated);
    assert_eq!((wrong.code(), wrong.message()), (unknown.code(), unknown.message()));
    assert!(is_let_in(&desk, &as_admin()).await);
}

#[tokio::test]
async fn a_first_start_makes_a_password_that_only_the_owner_of_its_file_can_read_and_keeps_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(&directory.path().join("events")).unwrap();
    let security = Security::Secure { certificate: None };
    let open = || Access::open(store.clone(), &security, directory.path(), None, Utc::now);
    let first = open().await.unwrap();
    let file = first.password_file().unwrap().to_owned();
    let password = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    assert!(password.len() >= 24);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = open().await.unwrap();
    assert_eq!(again.password_file(), Some(&*file));
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), password);
    for access in [first, again] {
        let caller = access.caller(&with("admin", &password)).await.unwrap();
        assert_eq!(caller.login(), Some("admin"));
        access.allow(&caller, Action::ManageUsers, "").unwrap();
    }
}

#[tokio::test]
async fn a_password_that_was_given_is_written_nowhere() {
    let desk = secure_desk().await;
    assert_eq!(desk.access.password_file(), None);
    let files: Vec<_> = std::fs::read_dir(desk.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["events"]);
    let log = std::fs::read(desk.directory.path().join("events/events.sqlite-wal")).unwrap();
    assert!(
        !log.windows(ADMIN_PASSWORD.len())
            .any(|bytes| bytes == ADMIN_PASSWORD.as_bytes())
    );
}

#[tokio::test]
async fn the_operator_is_let_in_only_after_an_administrator_gave_it_a_password() {
    let desk = secure_desk().await;
    let (operator, password) = (with("ops", "given by the administrator"), "given by the administrator");
    assert!(!is_let_in(&desk, &operator).await);
    let hash = password::hashed(password).unwrap();
    let given = desk
        .access
        .book()
        .change::<crate::users::book::BookError>("ops", Utc::now(), |user| {
            user.hash.clone_from(&hash);
            Ok(())
        });
    given.await.unwrap();
    assert!(!is_let_in(&desk, &operator).await, "it is disabled still");
    let enabled = desk
        .access
        .book()
        .change::<crate::users::book::BookError>("ops", Utc::now(), |user| {
            user.disabled = false;
            Ok(())
        });
    enabled.await.unwrap();
    assert!(may(&desk, &operator, Action::Operate, "").await);
    assert!(may(&desk, &operator, Action::ManageSubscription, "plans").await);
    assert!(!may(&desk, &operator, Action::ManageUsers, "").await);
    assert!(!may(&desk, &operator, Action::Read, "$all").await);
}

#[tokio::test]
async fn administrators_may_do_everything_but_write_or_delete_the_log_of_all_streams() {
    let desk = secure_desk().await;
    let (admin, chief) = (as_admin(), welcome(&desk, "chief", &["$admins"]).await);
    write(
        &desk,
        "$$plans",
        METADATA_NAME,
        r#"{"$acl": {"$r": [], "$w": [], "$d": [], "$mr": [], "$mw": []}}"#,
    )
    .await;
    for who in [&admin, &chief] {
        for action in [
            Action::Read,
            Action::Write,
            Action::Delete,
            Action::ReadMetadata,
            Action::WriteMetadata,
            Action::ReceiveMessages,
        ] {
            assert!(may(&desk, who, action, "plans").await, "{action:?}");
        }
        assert!(may(&desk, who, Action::Read, "$all").await);
        assert!(may(&desk, who, Action::ManageUsers, "").await);
        assert!(!may(&desk, who, Action::Write, "$all").await);
        assert!(!may(&desk, who, Action::Delete, "$all").await);
        assert!(!may(&desk, who, Action::Delete, "$$plans").await);
    }
}

#[tokio::test]
async fn users_streams_are_open_to_every_user_and_system_streams_to_administrators() {
    let desk = secure_desk().await;
    let ouro = welcome(&desk, "ouro", &[]).await;
    for action in [
        Action::Read,
        Action::Write,
        Action::Delete,
        Action::ReadMetadata,
        Action::WriteMetadata,
        Action::ReceiveMessages,
    ] {
        assert!(may(&desk, &ouro, action, "plans").await, "{action:?}");
        for system in ["$ce-plans", "$streams", "$user-ouro", "$settings"] {
            assert!(!may(&desk, &ouro, action, system).await, "{action:?} of {system}");
        }
    }
    assert!(!may(&desk, &ouro, Action::Read, "$all").await);
    assert!(may(&desk, &ouro, Action::SeeStatistics, "").await);
    assert!(may(&desk, &ouro, Action::SeeSubscription, "plans").await);
    for action in [Action::Operate, Action::ManageUsers, Action::ManageSubscription] {
        assert!(!may(&desk, &ouro, action, "plans").await, "{action:?}");
    }
}

#[tokio::test]
async fn a_stream_s_own_list_names_logins_and_groups_and_holds_at_once() {
    let desk = secure_desk().await;
    let ouro = welcome(&desk, "ouro", &["surveyors"]).await;
    let greg = welcome(&desk, "greg", &[]).await;
    write(
        &desk,
        "$$plans",
        METADATA_NAME,
        r#"{"$acl": {"$r": ["surveyors", "greg"], "$w": "greg"}}"#,
    )
    .await;
    assert!(may(&desk, &ouro, Action::Read, "plans").await);
    assert!(may(&desk, &greg, Action::Read, "plans").await);
    assert!(!may(&desk, &ouro, Action::Write, "plans").await);
    assert!(may(&desk, &greg, Action::Write, "plans").await);
    write(&desk, "$$plans", METADATA_NAME, r#"{"$acl": {"$r": "ouro"}}"#).await;
    assert!(!may(&desk, &greg, Action::Read, "plans").await);
    assert!(may(&desk, &ouro, Action::Write, "plans").await);
}

#[tokio::test]
async fn the_metadata_stream_is_dealt_with_by_the_rights_on_metadata() {
    let desk = secure_desk().await;
    let ouro = welcome(&desk, "ouro", &[]).await;
    write(&desk, "$$plans", METADATA_NAME, r#"{"$acl": {"$mr": [], "$mw": "ouro"}}"#).await;
    for action in [Action::Read, Action::ReadMetadata] {
        assert!(!may(&desk, &ouro, action, "$$plans").await);
    }
    assert!(!may(&desk, &ouro, Action::ReadMetadata, "plans").await);
    for action in [Action::Write, Action::WriteMetadata] {
        assert!(may(&desk, &ouro, action, "$$plans").await);
    }
    assert!(!may(&desk, &ouro, Action::Delete, "$$plans").await);
    assert!(may(&desk, &ouro, Action::Read, "plans").await);
}

#[tokio::test]
async fn the_settings_change_the_defaults_and_the_log_of_all_streams_can_be_opened() {
    let desk = secure_desk().await;
    let ouro = welcome(&desk, "ouro", &[]).await;
    let settings = r#"{"$userStreamAcl": {"$w": "$admins"}, "$systemStreamAcl": {"$r": ["$admins", "ouro"]}}"#;
    write(&desk, "$settings", "update-default-acl", settings).await;
    assert!(!may(&desk, &ouro, Action::Write, "plans").await);
    assert!(may(&desk, &ouro, Action::Read, "plans").await);
    assert!(may(&desk, &ouro, Action::Read, "$ce-plans").await);
    assert!(may(&desk, &ouro, Action::Read, "$all").await);
    assert!(
        !may(&desk, &ouro, Action::Read, "$user-admin").await,
        "a user's stream says itself who may read it"
    );

    write(&desk, "$settings", "update-default-acl", "{}").await;
    assert!(!may(&desk, &ouro, Action::Read, "$all").await);
    write(&desk, "$$$all", METADATA_NAME, r#"{"$acl": {"$r": "ouro"}}"#).await;
    assert!(may(&desk, &ouro, Action::Read, "$all").await);
    assert!(may(&desk, &ouro, Action::Read, "").await, "no name means all streams");
}

#[tokio::test]
async fn after_too_many_wrong_passwords_even_the_right_one_has_to_wait_but_not_from_elsewhere() {
    let desk = secure_desk().await;
    let ouro = welcome(&desk, "ouro", &[]).await;
    let from = |who: &MetadataMap, address: &str| {
        let mut who = who.clone();
        who.insert("zhulu-came-from", address.parse().unwrap());
        who
    };
    let tries: Vec<_> = (0..10)
        .map(|number| from(&with("ouro", &number.to_string()), "10.0.0.1"))
        .collect();
    for wrong in join_all(tries.iter().map(|wrong| desk.access.caller(wrong))).await {
        assert_eq!(wrong.unwrap_err().code(), Code::Unauthenticated);
    }
    let held_up = desk.access.caller(&from(&ouro, "10.0.0.1")).await.unwrap_err();
    assert_eq!(held_up.code(), Code::Unauthenticated);
    assert!(held_up.message().contains("too many failed logins of ouro"), "{held_up}");
    assert!(is_let_in(&desk, &from(&ouro, "10.0.0.2")).await);
    assert!(
        is_let_in(&desk, &from(&ouro, "10.0.0.1")).await,
        "who was let in is not held up by others"
    );
}

#[tokio::test]
async fn a_user_who_was_changed_behind_the_server_s_back_is_looked_at_again_after_a_second() {
    static LATER: AtomicI64 = AtomicI64::new(0);
    fn clock() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(LATER.load(Ordering::SeqCst))
    }
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(&directory.path().join("events")).unwrap();
    let security = Security::Secure { certificate: None };
    let access = Access::open(store.clone(), &security, directory.path(), Some(ADMIN_PASSWORD.into()), clock)
        .await
        .unwrap();
    access.caller(&as_admin()).await.unwrap();
    let other_book = UserBook::of(store);
    let disabled = other_book.change::<crate::users::book::BookError>("admin", clock(), |user| {
        user.disabled = true;
        Ok(())
    });
    disabled.await.unwrap();
    LATER.store(999, Ordering::SeqCst);
    access.caller(&as_admin()).await.unwrap();
    LATER.store(1000, Ordering::SeqCst);
    assert_eq!(access.caller(&as_admin()).await.unwrap_err().code(), Code::Unauthenticated);
}
