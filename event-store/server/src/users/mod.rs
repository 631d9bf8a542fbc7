//! The Users service: who may come in, and which groups they belong to.
//!
//! Administrators keep the users; a user may change its own password and look at itself. Whoever changes a password in
//! that way has to know the current one; an administrator who does not, resets it.

pub(crate) mod book;
#[cfg(test)]
mod tests;

use std::{pin::Pin, sync::Arc};

use futures_util::{Stream, stream};
use tonic::{Code, Request, Response, Status};

use self::book::{BookError, Entry, User};
use crate::{
    Desk,
    access::{Action, Caller, MAX_PASSWORD_BYTES, denied},
    protocol::event_store::client::users::{
        ChangePasswordReq, ChangePasswordResp, CreateReq, CreateResp, DeleteReq, DeleteResp, DetailsReq, DetailsResp, DisableReq,
        DisableResp, EnableReq, EnableResp, ResetPasswordReq, ResetPasswordResp, UpdateReq, UpdateResp,
        details_resp::{UserDetails, user_details},
        users_server::{Users, UsersServer},
    },
    refusal::{self, with_trailers},
};

/// Ticks of .NET in a microsecond.
const TICKS_PER_MICROSECOND: i64 = 10;
/// The most groups of a user.
const MAX_GROUPS: usize = 256;

/// The service.
pub(crate) fn service(desk: Arc<Desk>) -> UsersServer<UsersDesk> {
    UsersServer::new(UsersDesk(desk))
}

/// Answers the calls of the Users service.
pub(crate) struct UsersDesk(Arc<Desk>);

impl UsersDesk {
    async fn caller<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        self.0.access.caller(request.metadata()).await
    }

    /// Lets administrators pass.
    async fn keeper<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        let caller = self.caller(request).await?;
        self.0.access.allow(&caller, Action::ManageUsers, "")?;
        Ok(caller)
    }

    /// Changes a user, and forgets what was known of its password.
    async fn change(&self, login: &str, change: impl Fn(&mut User) -> Result<(), Refused>) -> Result<(), Status> {
        let access = &self.0.access;
        let changed = access.book().change(login, self.0.now(), change).await;
        access.forget(login);
        changed.map_err(|refused| refused.status(login))
    }
}

/// Why a user was not changed.
enum Refused {
    Book(BookError),
    /// The caller has no right to it.
    Denied,
}

impl From<BookError> for Refused {
    fn from(error: BookError) -> Self {
        Self::Book(error)
    }
}

impl Refused {
    fn status(self, login: &str) -> Status {
        match self {
            Self::Book(error) => status_of(login, &error),
            Self::Denied => denied(),
        }
    }
}

#[tonic::async_trait]
impl Users for UsersDesk {
    type DetailsStream = Pin<Box<dyn Stream<Item = Result<DetailsResp, Status>> + Send>>;

    async fn create(&self, request: Request<CreateReq>) -> Result<Response<CreateResp>, Status> {
        let keeper = self.keeper(&request).await?;
        let options = given(request.into_inner().options)?;
        let login = options.login_name;
        let user = User {
            full_name: options.full_name,
            groups: checked_groups(options.groups)?,
            disabled: false,
            hash: self.0.access.hashed(checked_password(&options.password)?).await?,
            login_name: login.clone(),
        };
        let created = self.0.access.book().create(&user, self.0.now()).await;
        self.0.access.forget(&login);
        match created {
            // The same request again is the same user.
            Err(BookError::Exists(_)) if self.is_the_same(&user, options.password).await? => {}
            created => created.map_err(|error| status_of(&login, &error))?,
        }
        tell(&keeper, &login, "made");
        Ok(Response::new(CreateResp {}))
    }

    async fn update(&self, request: Request<UpdateReq>) -> Result<Response<UpdateResp>, Status> {
        let keeper = self.keeper(&request).await?;
        let options = given(request.into_inner().options)?;
        let groups = checked_groups(options.groups)?;
        self.change(&options.login_name, |user| {
            user.full_name.clone_from(&options.full_name);
            user.groups.clone_from(&groups);
            Ok(())
        })
        .await?;
        tell(&keeper, &options.login_name, "given another name and groups");
        Ok(Response::new(UpdateResp {}))
    }

    async fn delete(&self, request: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        let keeper = self.keeper(&request).await?;
        let login = given(request.into_inner().options)?.login_name;
        let deleted = self.0.access.book().delete(&login, self.0.now()).await;
        self.0.access.forget(&login);
        deleted.map_err(|error| status_of(&login, &error))?;
        tell(&keeper, &login, "deleted");
        Ok(Response::new(DeleteResp {}))
    }

    async fn disable(&self, request: Request<DisableReq>) -> Result<Response<DisableResp>, Status> {
        let keeper = self.keeper(&request).await?;
        let login = given(request.into_inner().options)?.login_name;
        self.change(&login, |user| {
            user.disabled = true;
            Ok(())
        })
        .await?;
        tell(&keeper, &login, "disabled");
        Ok(Response::new(DisableResp {}))
    }

    async fn enable(&self, request: Request<EnableReq>) -> Result<Response<EnableResp>, Status> {
        let keeper = self.keeper(&request).await?;
        let login = given(request.into_inner().options)?.login_name;
        self.change(&login, |user| {
            user.disabled = false;
            Ok(())
        })
        .await?;
        tell(&keeper, &login, "enabled");
        Ok(Response::new(EnableResp {}))
    }

    async fn details(&self, request: Request<DetailsReq>) -> Result<Response<Self::DetailsStream>, Status> {
        let caller = self.caller(&request).await?;
        let login = request.into_inner().options.unwrap_or_default().login_name;
        if login.is_empty() || caller.login() != Some(&login) {
            self.0.access.allow(&caller, Action::ManageUsers, "")?;
        }
        let (book, now) = (self.0.access.book(), self.0.now());
        let found = if login.is_empty() {
            book.all(now)
        } else {
            book.find(&login, now)
                .and_then(|entry| Ok(vec![entry.ok_or_else(|| BookError::NotFound(login.clone()))?]))
        };
        let found = found.map_err(|error| status_of(&login, &error))?;
        let answers = stream::iter(found.into_iter().map(|entry| Ok(shown(entry))));
        Ok(Response::new(Box::pin(answers)))
    }

    async fn change_password(&self, request: Request<ChangePasswordReq>) -> Result<Response<ChangePasswordResp>, Status> {
        let caller = self.caller(&request).await?;
        let options = given(request.into_inner().options)?;
        let login = options.login_name;
        let access = &self.0.access;
        if caller.login() != Some(&login) {
            access.allow(&caller, Action::ManageUsers, "")?;
        }
        let new = access.hashed(checked_password(&options.new_password)?).await?;
        let entry = access.book().find(&login, self.0.now());
        let entry = entry
            .and_then(|entry| entry.ok_or_else(|| BookError::NotFound(login.clone())))
            .map_err(|error| status_of(&login, &error))?;
        if !access.fits(options.current_password, entry.user.hash.clone()).await? {
            return Err(denied());
        }
        self.change(&login, |user| {
            if user.hash != entry.user.hash {
                return Err(Refused::Denied);
            }
            user.hash.clone_from(&new);
            Ok(())
        })
        .await?;
        tell(&caller, &login, "given a new password");
        Ok(Response::new(ChangePasswordResp {}))
    }

    async fn reset_password(&self, request: Request<ResetPasswordReq>) -> Result<Response<ResetPasswordResp>, Status> {
        let keeper = self.keeper(&request).await?;
        let options = given(request.into_inner().options)?;
        let new = self.0.access.hashed(checked_password(&options.new_password)?).await?;
        self.change(&options.login_name, |user| {
            user.hash.clone_from(&new);
            Ok(())
        })
        .await?;
        tell(&keeper, &options.login_name, "given a new password");
        Ok(Response::new(ResetPasswordResp {}))
    }
}

impl UsersDesk {
    /// Whether the user of this login came from the same request.
    async fn is_the_same(&self, asked: &User, password: String) -> Result<bool, Status> {
        let found = self.0.access.book().find(&asked.login_name, self.0.now());
        let found = found.map_err(|error| status_of(&asked.login_name, &error))?;
        let Some(Entry { user, .. }) = found else { return Ok(false) };
        let same = User {
            hash: asked.hash.clone(),
            ..user.clone()
        };
        Ok(same == *asked && self.0.access.fits(password, user.hash).await?)
    }
}

/// Leaves a trace of who did what to whom.
fn tell(by: &Caller, login: &str, what: &str) {
    let by = by.login().unwrap_or("somebody without a login");
    tracing::info!(by, login, "a user of the protocol server was {what}");
}

fn given<T>(options: Option<T>) -> Result<T, Status> {
    options.ok_or_else(|| Status::invalid_argument("the request has no options"))
}

fn checked_password(password: &str) -> Result<String, Status> {
    if password.is_empty() || password.len() > MAX_PASSWORD_BYTES {
        return Err(Status::invalid_argument(format!(
            "a password has 1 to {MAX_PASSWORD_BYTES} bytes; this one has {}",
            password.len()
        )));
    }
    Ok(password.to_owned())
}

fn checked_groups(groups: Vec<String>) -> Result<Vec<String>, Status> {
    if groups.len() > MAX_GROUPS {
        return Err(Status::invalid_argument(format!(
            "a user is in at most {MAX_GROUPS} groups; these are {}",
            groups.len()
        )));
    }
    Ok(groups)
}

fn shown(Entry { user, changed_at, .. }: Entry) -> DetailsResp {
    DetailsResp {
        user_details: Some(UserDetails {
            login_name: user.login_name,
            full_name: user.full_name,
            groups: user.groups,
            last_updated: Some(user_details::DateTime {
                ticks_since_epoch: changed_at.timestamp_micros() * TICKS_PER_MICROSECOND,
            }),
            disabled: user.disabled,
        }),
    }
}

/// The protocol's face of a refusal.
fn status_of(login: &str, error: &BookError) -> Status {
    let named = [("login-name", login)];
    match error {
        BookError::NotFound(_) => with_trailers(
            Code::NotFound,
            format!("User '{login}' is not found."),
            "user-not-found",
            &named,
        ),
        BookError::Exists(_) => with_trailers(
            Code::FailedPrecondition,
            format!("Conflict: {error}."),
            "user-conflict",
            &named,
        ),
        BookError::Busy(_) => with_trailers(
            Code::DeadlineExceeded,
            format!("Try again: {error}."),
            "user-conflict",
            &named,
        ),
        BookError::NoLogin(_) => Status::invalid_argument(error.to_string()),
        BookError::Store(store) => refusal::of_store(store),
        BookError::Unreadable { .. } => Status::internal(error.to_string()),
    }
}
