//! The rules of the Users service.
#![allow(clippy::unwrap_used)]

use futures_util::TryStreamExt;
use tonic::metadata::MetadataMap;

use super::*;
use crate::{
    protocol::event_store::client::users::{
        change_password_req, create_req, delete_req, details_req, disable_req, enable_req, reset_password_req, update_req,
    },
    testing::{TestDesk, as_admin, request, secure_desk, with},
};

struct Room {
    desk: TestDesk,
    users: UsersDesk,
}

async fn room() -> Room {
    let desk = secure_desk().await;
    let users = UsersDesk(desk.desk.clone());
    Room { desk, users }
}

type Answer = Result<(), Status>;

impl Room {
    async fn create(&self, who: &MetadataMap, login: &str, password: &str, groups: &[&str]) -> Answer {
        let options = Some(create_req::Options {
            login_name: login.into(),
            password: password.into(),
            full_name: "Ouro Boros".into(),
            groups: groups.iter().map(|&group| group.into()).collect(),
        });
        self.users.create(request(who, CreateReq { options })).await.map(|_| ())
    }

    async fn update(&self, who: &MetadataMap, login: &str, full_name: &str, groups: &[&str]) -> Answer {
        let options = Some(update_req::Options {
            login_name: login.into(),
            password: String::new(),
            full_name: full_name.into(),
            groups: groups.iter().map(|&group| group.into()).collect(),
        });
        self.users.update(request(who, UpdateReq { options })).await.map(|_| ())
    }

    async fn delete(&self, who: &MetadataMap, login: &str) -> Answer {
        let options = Some(delete_req::Options {
            login_name: login.into(),
        });
        self.users.delete(request(who, DeleteReq { options })).await.map(|_| ())
    }

    async fn disable(&self, who: &MetadataMap, login: &str) -> Answer {
        let options = Some(disable_req::Options {
            login_name: login.into(),
        });
        self.users.disable(request(who, DisableReq { options })).await.map(|_| ())
    }

    async fn enable(&self, who: &MetadataMap, login: &str) -> Answer {
        let options = Some(enable_req::Options {
            login_name: login.into(),
        });
        self.users.enable(request(who, EnableReq { options })).await.map(|_| ())
    }

    async fn change_password(&self, who: &MetadataMap, login: &str, current: &str, new: &str) -> Answer {
        let options = Some(change_password_req::Options {
            login_name: login.into(),
            current_password: current.into(),
            new_password: new.into(),
        });
        let asked = request(who, ChangePasswordReq { options });
        self.users.change_password(asked).await.map(|_| ())
    }

    async fn reset_password(&self, who: &MetadataMap, login: &str, new: &str) -> Answer {
        let options = Some(reset_password_req::Options {
            login_name: login.into(),
            new_password: new.into(),
        });
        let asked = request(who, ResetPasswordReq { options });
        self.users.reset_password(asked).await.map(|_| ())
    }

    async fn details(&self, who: &MetadataMap, login: &str) -> Result<Vec<UserDetails>, Status> {
        let options = Some(details_req::Options {
            login_name: login.into(),
        });
        let answers = self.users.details(request(who, DetailsReq { options })).await?.into_inner();
        answers.map_ok(|answer| answer.user_details.unwrap()).try_collect().await
    }

    async fn is_let_in(&self, who: &MetadataMap) -> bool {
        self.desk.access.caller(who).await.is_ok()
    }
}

/// The code, the exception, and the login that a refusal names.
fn told(answer: Result<impl Sized, Status>) -> (Code, String, String) {
    let status = answer.err().unwrap();
    let trailer = |name: &str| {
        let value = status.metadata().get(name);
        value.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    (status.code(), trailer("exception"), trailer("login-name"))
}

fn not_found(login: &str) -> (Code, String, String) {
    (Code::NotFound, "user-not-found".into(), login.into())
}

fn denied_to_all() -> (Code, String, String) {
    (Code::PermissionDenied, "access-denied".into(), String::new())
}

#[tokio::test]
async fn a_user_who_was_made_is_let_in_and_shown() {
    let room = room().await;
    let (admin, ouro) = (as_admin(), with("ouro", "ouroboros"));
    assert!(!room.is_let_in(&ouro).await);
    room.create(&admin, "ouro", "ouroboros", &["surveyors"]).await.unwrap();
    assert!(room.is_let_in(&ouro).await);
    let shown = room.details(&admin, "ouro").await.unwrap();
    let [shown] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!((&*shown.login_name, &*shown.full_name), ("ouro", "Ouro Boros"));
    assert_eq!((&shown.groups[..], shown.disabled), (&["surveyors".to_owned()][..], false));
    let ticks = shown.last_updated.unwrap().ticks_since_epoch;
    let age = room.desk.now().timestamp_micros() - ticks / TICKS_PER_MICROSECOND;
    assert!((0..600_000_000).contains(&age), "{age} µs");
}

#[tokio::test]
async fn all_users_are_shown_by_their_logins() {
    let room = room().await;
    let admin = as_admin();
    for login in ["zoe", "ouro", "张三"] {
        room.create(&admin, login, "ouroboros", &[]).await.unwrap();
    }
    room.delete(&admin, "zoe").await.unwrap();
    let shown = room.details(&admin, "").await.unwrap();
    let logins: Vec<_> = shown.iter().map(|user| (&*user.login_name, user.disabled)).collect();
    assert_eq!(logins, [("admin", false), ("ops", true), ("ouro", false), ("张三", false)]);
}

#[tokio::test]
async fn the_same_login_again_is_a_conflict_unless_it_is_the_same_request() {
    let room = room().await;
    let admin = as_admin();
    room.create(&admin, "ouro", "ouroboros", &["surveyors"]).await.unwrap();
    room.create(&admin, "ouro", "ouroboros", &["surveyors"]).await.unwrap();
    let conflict = (Code::FailedPrecondition, "user-conflict".to_owned(), "ouro".to_owned());
    assert_eq!(told(room.create(&admin, "ouro", "another", &["surveyors"]).await), conflict);
    assert_eq!(told(room.create(&admin, "ouro", "ouroboros", &["$admins"]).await), conflict);
    assert_eq!(room.details(&admin, "ouro").await.unwrap()[0].groups, ["surveyors"]);
}

#[tokio::test]
async fn a_user_who_does_not_exist_is_named_in_the_refusal() {
    let room = room().await;
    let admin = as_admin();
    assert_eq!(told(room.update(&admin, "ouro", "", &[]).await), not_found("ouro"));
    assert_eq!(told(room.disable(&admin, "ouro").await), not_found("ouro"));
    assert_eq!(told(room.enable(&admin, "ouro").await), not_found("ouro"));
    assert_eq!(told(room.delete(&admin, "ouro").await), not_found("ouro"));
    assert_eq!(told(room.reset_password(&admin, "ouro", "new").await), not_found("ouro"));
    assert_eq!(told(room.details(&admin, "ouro").await), not_found("ouro"));
    assert_eq!(told(room.details(&admin, "$admins").await), not_found("$admins"));
}

#[tokio::test]
async fn an_update_changes_name_and_groups_but_not_the_password() {
    let room = room().await;
    let (admin, ouro) = (as_admin(), with("ouro", "ouroboros"));
    room.create(&admin, "ouro", "ouroboros", &[]).await.unwrap();
    assert_eq!(told(room.details(&ouro, "").await), denied_to_all());
    room.update(&admin, "ouro", "Ouro the Chief", &["$admins"]).await.unwrap();
    let shown = room.details(&ouro, "ouro").await.unwrap();
    assert_eq!(
        (&*shown[0].full_name, &*shown[0].groups),
        ("Ouro the Chief", &["$admins".to_owned()][..])
    );
    assert!(room.details(&ouro, "").await.is_ok(), "the new groups hold at once");
}

#[tokio::test]
async fn a_disabled_user_is_not_let_in_until_enabled() {
    let room = room().await;
    let (admin, ouro) = (as_admin(), with("ouro", "ouroboros"));
    room.create(&admin, "ouro", "ouroboros", &[]).await.unwrap();
    assert!(room.is_let_in(&ouro).await);
    room.disable(&admin, "ouro").await.unwrap();
    assert!(!room.is_let_in(&ouro).await);
    assert!(room.details(&admin, "ouro").await.unwrap()[0].disabled);
    room.enable(&admin, "ouro").await.unwrap();
    assert!(room.is_let_in(&ouro).await);
}

#[tokio::test]
async fn a_deleted_user_is_not_let_in_and_the_login_can_be_made_again() {
    let room = room().await;
    let (admin, ouro) = (as_admin(), with("ouro", "ouroboros"));
    room.create(&admin, "ouro", "ouroboros", &["$admins"]).await.unwrap();
    assert!(room.is_let_in(&ouro).await);
    room.delete(&admin, "ouro").await.unwrap();
    assert!(!room.is_let_in(&ouro).await);
    room.create(&admin, "ouro", "a second life", &[]).await.unwrap();
    assert!(!room.is_let_in(&ouro).await);
    let again = with("ouro", "a second life");
    assert!(room.is_let_in(&again).await);
    assert_eq!(told(room.details(&again, "").await), denied_to_all());
    let stream = event_store_contract::StreamName::new("$user-ouro").unwrap();
    let caller = room.desk.access.caller(&again).await.unwrap();
    let read = room.desk.access.allow(&caller, Action::Read, stream.as_str());
    assert_eq!(told(read), denied_to_all(), "who may see the hashes is said again");
}

#[tokio::test]
async fn a_user_changes_its_own_password_who_knows_the_current_one() {
    let room = room().await;
    let (admin, ouro) = (as_admin(), with("ouro", "ouroboros"));
    room.create(&admin, "ouro", "ouroboros", &[]).await.unwrap();
    assert_eq!(
        told(room.change_password(&ouro, "ouro", "wrong", "new one").await),
        denied_to_all()
    );
    assert_eq!(
        told(room.change_password(&ouro, "admin", "ouroboros", "mine").await),
        denied_to_all()
    );
    assert_eq!(
        told(room.change_password(&admin, "ouro", "wrong", "mine").await),
        denied_to_all(),
        "not even administrators: they reset it"
    );
    room.change_password(&ouro, "ouro", "ouroboros", "new one").await.unwrap();
    assert!(!room.is_let_in(&ouro).await);
    assert!(room.is_let_in(&with("ouro", "new one")).await);
}

#[tokio::test]
async fn an_administrator_resets_a_password_without_knowing_it() {
    let room = room().await;
    let (admin, ouro) = (as_admin(), with("ouro", "ouroboros"));
    room.create(&admin, "ouro", "ouroboros", &[]).await.unwrap();
    assert_eq!(told(room.reset_password(&ouro, "ouro", "mine").await), denied_to_all());
    room.reset_password(&admin, "ouro", "given").await.unwrap();
    assert!(!room.is_let_in(&ouro).await);
    assert!(room.is_let_in(&with("ouro", "given")).await);
}

#[tokio::test]
async fn users_are_kept_by_administrators_and_a_user_sees_itself_only() {
    let room = room().await;
    let (admin, ouro, nobody) = (as_admin(), with("ouro", "ouroboros"), MetadataMap::new());
    room.create(&admin, "ouro", "ouroboros", &["$ops"]).await.unwrap();
    for who in [&ouro, &nobody] {
        assert_eq!(told(room.create(who, "greg", "gregarious", &[]).await), denied_to_all());
        assert_eq!(told(room.update(who, "ouro", "", &["$admins"]).await), denied_to_all());
        assert_eq!(told(room.disable(who, "admin").await), denied_to_all());
        assert_eq!(told(room.enable(who, "ops").await), denied_to_all());
        assert_eq!(told(room.delete(who, "admin").await), denied_to_all());
        assert_eq!(told(room.details(who, "").await), denied_to_all());
        assert_eq!(told(room.details(who, "admin").await), denied_to_all());
    }
    assert_eq!(room.details(&ouro, "ouro").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_login_cannot_be_taken_for_a_group_or_break_a_header() {
    let room = room().await;
    let admin = as_admin();
    for login in [
        "",
        "$admins",
        "$all",
        "a:b",
        "line\nbreak",
        &"x".repeat(book::MAX_LOGIN_BYTES + 1),
    ] {
        let code = room.create(&admin, login, "ouroboros", &[]).await.unwrap_err().code();
        assert_eq!(code, Code::InvalidArgument, "{login:?}");
    }
    for password in ["", &"x".repeat(MAX_PASSWORD_BYTES + 1)] {
        let code = room.create(&admin, "ouro", password, &[]).await.unwrap_err().code();
        assert_eq!(code, Code::InvalidArgument);
    }
}
