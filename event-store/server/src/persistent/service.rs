//! The `PersistentSubscriptions` service: what a request says, in the words of groups.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming, async_trait, metadata::MetadataMap};

use super::{
    answers,
    configuration::StoredFilter,
    consuming::{self, Messages, Who},
    names::{ALL, GroupName, Source},
    refusals,
    register::{FoundGroup, Wanted},
    settings::{Settings, SettingsError, StartFrom},
};
use crate::{
    Desk,
    access::{Action, Caller},
    protocol::event_store::client::{
        StreamIdentifier,
        persistent_subscriptions::{
            CreateReq, CreateResp, DeleteReq, DeleteResp, GetInfoReq, GetInfoResp, ListReq, ListResp, ReadReq, ReplayParkedReq,
            ReplayParkedResp, SubscriptionInfo, UpdateReq, UpdateResp, create_req, delete_req, get_info_req, list_req,
            persistent_subscriptions_server::{PersistentSubscriptions, PersistentSubscriptionsServer},
            replay_parked_req, update_req,
        },
    },
    streams::words,
};

/// How somebody is called who did not say who they are.
const NOBODY: &str = "anonymous";

/// Answers the calls of the `PersistentSubscriptions` service.
pub(crate) struct Groups(Arc<Desk>);

/// The service, ready to take calls.
pub(crate) fn service(desk: Arc<Desk>) -> PersistentSubscriptionsServer<Groups> {
    PersistentSubscriptionsServer::new(Groups(desk))
}

/// A position that names one event: both its halves are the same here, and the second is never greater.
fn position(name: &GroupName, commit: u64, prepare: u64) -> Result<StartFrom, Status> {
    if prepare > commit {
        let reason = "Invalid Start From position: prepare position must be less than or equal to the commit position.";
        return Err(refusals::failed(name, reason));
    }
    Ok(at(commit))
}

fn at(place: u64) -> StartFrom {
    match place {
        0 => StartFrom::Start,
        u64::MAX => StartFrom::End,
        place => StartFrom::At(place),
    }
}

fn missing(what: &str) -> Status {
    Status::invalid_argument(format!("the request does not say {what}"))
}

fn stream(identifier: Option<StreamIdentifier>) -> Result<Source, Status> {
    let stream = words::stream(identifier)?;
    if stream.as_str() == ALL {
        return Err(Status::invalid_argument(
            "$all is no stream: ask for a group on the whole log instead",
        ));
    }
    Ok(Source::Stream(stream))
}

/// What a group is to read, as requests say it in several places.
macro_rules! source {
    ($option:expr, $kind:path) => {{
        use $kind as Kind;
        match $option {
            Some(Kind::StreamIdentifier(identifier)) => stream(Some(identifier)),
            Some(Kind::All(())) => Ok(Source::All),
            None => Err(missing("which stream, or all")),
        }
    }};
}

impl Groups {
    async fn admit(&self, metadata: &MetadataMap, action: Action, source: &Source) -> Result<Caller, Status> {
        let caller = self.0.access.caller(metadata).await?;
        self.0.access.allow(&caller, action, source.as_str())?;
        Ok(caller)
    }

    async fn info(&self, found: &FoundGroup) -> Result<SubscriptionInfo, Status> {
        let look = found.door.look().await?;
        let (name, groups) = (&found.config.name, &self.0.persistent);
        let parked = groups.parked_range(name)?.map_or(0, |(first, last)| last - first + 1);
        Ok(answers::info(&found.config, &look, groups.last_known(&name.source)?, parked))
    }
}

fn by(caller: &Caller) -> String {
    caller.login().unwrap_or(NOBODY).to_owned()
}

fn unusable(name: &GroupName) -> impl Fn(SettingsError) -> Status {
    move |error| refusals::failed(name, &error.to_string())
}

#[async_trait]
impl PersistentSubscriptions for Groups {
    async fn create(&self, request: Request<CreateReq>) -> Result<Response<CreateResp>, Status> {
        let (metadata, _, message) = request.into_parts();
        let options = message.options.ok_or_else(|| missing("what to create"))?;
        let settings = options.settings.ok_or_else(|| missing("how the group works"))?;
        let group = options.group_name;
        let (name, start_from, filter) = match options.stream_option {
            Some(create_req::options::StreamOption::Stream(options)) => {
                use create_req::stream_options::RevisionOption;
                let source = stream(options.stream_identifier)?;
                let start_from = match options.revision_option {
                    Some(RevisionOption::Revision(revision)) => at(revision),
                    Some(RevisionOption::Start(())) => StartFrom::Start,
                    Some(RevisionOption::End(())) => StartFrom::End,
                    None => return Err(missing("where to begin")),
                };
                (GroupName { source, group }, start_from, None)
            }
            Some(create_req::options::StreamOption::All(options)) => {
                use create_req::all_options::{AllOption, FilterOption};
                let source = Source::All;
                let name = GroupName { source, group };
                let start_from = match options.all_option {
                    Some(AllOption::Position(place)) => position(&name, place.commit_position, place.prepare_position)?,
                    Some(AllOption::Start(())) => StartFrom::Start,
                    Some(AllOption::End(())) => StartFrom::End,
                    None => return Err(missing("where to begin")),
                };
                let filter = match options.filter_option {
                    Some(FilterOption::Filter(filter)) => Some(filter_of(filter)?),
                    Some(FilterOption::NoFilter(())) | None => None,
                };
                (name, start_from, filter)
            }
            #[allow(deprecated, reason = "older clients know no other way")]
            None => {
                let source = stream(options.stream_identifier)?;
                (GroupName { source, group }, at(settings.revision), None)
            }
        };
        let caller = self.admit(&metadata, Action::ManageSubscription, &name.source).await?;
        let settings = Settings::of_create(&settings, start_from).map_err(unusable(&name))?;
        let by = by(&caller);
        let wanted = Wanted {
            name,
            settings,
            filter,
            by,
        };
        self.0.persistent.create(wanted).await?;
        Ok(Response::new(CreateResp {}))
    }

    async fn update(&self, request: Request<UpdateReq>) -> Result<Response<UpdateResp>, Status> {
        let (metadata, _, message) = request.into_parts();
        let options = message.options.ok_or_else(|| missing("what to change"))?;
        let settings = options.settings.ok_or_else(|| missing("how the group works"))?;
        let group = options.group_name;
        let (name, start_from) = match options.stream_option {
            Some(update_req::options::StreamOption::Stream(options)) => {
                use update_req::stream_options::RevisionOption;
                let source = stream(options.stream_identifier)?;
                let start_from = match options.revision_option {
                    Some(RevisionOption::Revision(revision)) => at(revision),
                    Some(RevisionOption::Start(())) => StartFrom::Start,
                    Some(RevisionOption::End(())) => StartFrom::End,
                    None => return Err(missing("where to begin")),
                };
                (GroupName { source, group }, start_from)
            }
            Some(update_req::options::StreamOption::All(options)) => {
                use update_req::all_options::AllOption;
                let source = Source::All;
                let name = GroupName { source, group };
                let start_from = match options.all_option {
                    Some(AllOption::Position(place)) => position(&name, place.commit_position, place.prepare_position)?,
                    Some(AllOption::Start(())) => StartFrom::Start,
                    Some(AllOption::End(())) => StartFrom::End,
                    None => return Err(missing("where to begin")),
                };
                (name, start_from)
            }
            #[allow(deprecated, reason = "older clients know no other way")]
            None => {
                let source = stream(options.stream_identifier)?;
                (GroupName { source, group }, at(settings.revision))
            }
        };
        let caller = self.admit(&metadata, Action::ManageSubscription, &name.source).await?;
        let settings = Settings::of_update(&settings, start_from).map_err(unusable(&name))?;
        let (filter, by) = (None, by(&caller));
        let wanted = Wanted {
            name,
            settings,
            filter,
            by,
        };
        self.0.persistent.update(wanted).await?;
        Ok(Response::new(UpdateResp {}))
    }

    async fn delete(&self, request: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        let (metadata, _, message) = request.into_parts();
        let options = message.options.ok_or_else(|| missing("what to delete"))?;
        let source = source!(options.stream_option, delete_req::options::StreamOption)?;
        let caller = self.admit(&metadata, Action::ManageSubscription, &source).await?;
        let group = options.group_name;
        self.0.persistent.delete(&GroupName { source, group }, &by(&caller)).await?;
        Ok(Response::new(DeleteResp {}))
    }

    type ReadStream = Messages;

    async fn read(&self, request: Request<Streaming<ReadReq>>) -> Result<Response<Self::ReadStream>, Status> {
        let (metadata, _, requests) = request.into_parts();
        let (options, requests) = consuming::introduction(requests).await?;
        let source = source!(
            options.stream_option.clone(),
            crate::protocol::event_store::client::persistent_subscriptions::read_req::options::StreamOption
        )?;
        let caller = self.admit(&metadata, Action::ReceiveMessages, &source).await?;
        let group = options.group_name.clone();
        let found = self.0.persistent.find(&GroupName { source, group }).await?;
        let who = Who {
            user: by(&caller),
            sight: self.0.access.sight(&caller),
        };
        let messages = consuming::consume(&found, &options, requests, who, &metadata).await?;
        Ok(Response::new(messages))
    }

    async fn get_info(&self, request: Request<GetInfoReq>) -> Result<Response<GetInfoResp>, Status> {
        let (metadata, _, message) = request.into_parts();
        let options = message.options.ok_or_else(|| missing("which group"))?;
        let source = source!(options.stream_option, get_info_req::options::StreamOption)?;
        self.admit(&metadata, Action::SeeSubscription, &source).await?;
        let group = options.group_name;
        let found = self.0.persistent.find(&GroupName { source, group }).await?;
        let subscription_info = Some(self.info(&found).await?);
        Ok(Response::new(GetInfoResp { subscription_info }))
    }

    async fn replay_parked(&self, request: Request<ReplayParkedReq>) -> Result<Response<ReplayParkedResp>, Status> {
        use replay_parked_req::options::StopAtOption;
        let (metadata, _, message) = request.into_parts();
        let options = message.options.ok_or_else(|| missing("which group"))?;
        let source = source!(options.stream_option, replay_parked_req::options::StreamOption)?;
        let stop_at = match options.stop_at_option {
            Some(StopAtOption::StopAt(stop_at)) => {
                let negative = |_| Status::invalid_argument("a place among the parked messages is not negative");
                Some(u64::try_from(stop_at).map_err(negative)?)
            }
            Some(StopAtOption::NoLimit(())) => None,
            None => return Err(missing("where to stop")),
        };
        self.admit(&metadata, Action::ManageSubscription, &source).await?;
        let group = options.group_name;
        let found = self.0.persistent.find(&GroupName { source, group }).await?;
        if let Some((_, last)) = self.0.persistent.parked_range(&found.config.name)? {
            let before = stop_at.map_or(last + 1, |stop_at| stop_at.min(last + 1));
            found.door.replay(before).await?;
        }
        Ok(Response::new(ReplayParkedResp {}))
    }

    async fn list(&self, request: Request<ListReq>) -> Result<Response<ListResp>, Status> {
        use list_req::{options::ListOption, stream_option::StreamOption};
        let (metadata, _, message) = request.into_parts();
        let option = message.options.and_then(|options| options.list_option);
        let source = match option.ok_or_else(|| missing("which groups"))? {
            ListOption::ListAllSubscriptions(()) => None,
            ListOption::ListForStream(option) => match option.stream_option {
                Some(StreamOption::Stream(identifier)) => Some(stream(Some(identifier))?),
                Some(StreamOption::All(())) => Some(Source::All),
                None => return Err(missing("which stream, or all")),
            },
        };
        self.admit(&metadata, Action::SeeSubscription, source.as_ref().unwrap_or(&Source::All))
            .await?;
        let found = self.0.persistent.list(source.as_ref()).await?;
        if let (true, Some(source)) = (found.is_empty(), source) {
            let group = String::new();
            return Err(refusals::does_not_exist(&GroupName { source, group }));
        }
        let mut subscriptions = Vec::with_capacity(found.len());
        for found in &found {
            // A group that was deleted in the meantime is in no list.
            if let Ok(info) = self.info(found).await {
                subscriptions.push(info);
            }
        }
        Ok(Response::new(ListResp { subscriptions }))
    }

    async fn restart_subsystem(&self, request: Request<()>) -> Result<Response<()>, Status> {
        let caller = self.0.access.caller(request.metadata()).await?;
        self.0.access.allow(&caller, Action::ManageSubscription, ALL)?;
        self.0.persistent.restart().await?;
        Ok(Response::new(()))
    }
}

/// A filter that can be used.
fn filter_of(filter: create_req::all_options::FilterOptions) -> Result<StoredFilter, Status> {
    use create_req::all_options::filter_options::Filter;
    let (on_streams, expression) = match filter.filter {
        Some(Filter::StreamIdentifier(expression)) => (true, expression),
        Some(Filter::EventType(expression)) => (false, expression),
        None => return Err(missing("what the filter looks at")),
    };
    let stored = StoredFilter::new(on_streams, expression.regex, expression.prefix);
    stored.compiled().map(|_| stored)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::testing::{self, ADMIN_PASSWORD};

    fn letters() -> StreamIdentifier {
        let stream_name = "letters".into();
        StreamIdentifier { stream_name }
    }

    fn create() -> CreateReq {
        let stream = create_req::StreamOptions {
            stream_identifier: Some(letters()),
            revision_option: Some(create_req::stream_options::RevisionOption::Start(())),
        };
        let settings = create_req::Settings {
            read_batch_size: 1,
            history_buffer_size: 2,
            ..Default::default()
        };
        CreateReq {
            options: Some(create_req::Options {
                group_name: "readers".into(),
                settings: Some(settings),
                stream_option: Some(create_req::options::StreamOption::Stream(stream)),
                ..Default::default()
            }),
        }
    }

    fn info() -> GetInfoReq {
        let stream = get_info_req::options::StreamOption::StreamIdentifier(letters());
        GetInfoReq {
            options: Some(get_info_req::Options {
                group_name: "readers".into(),
                stream_option: Some(stream),
            }),
        }
    }

    fn by_admin<T>(message: T) -> Request<T> {
        let metadata = testing::with("admin", ADMIN_PASSWORD);
        Request::from_parts(metadata, tonic::Extensions::default(), message)
    }

    #[tokio::test]
    async fn groups_are_for_those_who_say_who_they_are() {
        let desk = testing::secure_desk().await;
        let groups = Groups(desk.desk.clone());
        let delete = delete_req::Options {
            stream_option: Some(delete_req::options::StreamOption::All(())),
            group_name: "readers".into(),
        };
        let delete = DeleteReq { options: Some(delete) };
        let codes = [
            groups.create(Request::new(create())).await.unwrap_err().code(),
            groups.delete(Request::new(delete)).await.unwrap_err().code(),
            groups.get_info(Request::new(info())).await.unwrap_err().code(),
            groups.restart_subsystem(Request::new(())).await.unwrap_err().code(),
        ];
        assert_eq!(codes, [Code::PermissionDenied; 4]);

        groups.create(by_admin(create())).await.unwrap();
        groups.restart_subsystem(by_admin(())).await.unwrap();
        let SubscriptionInfo { group_name, .. } = groups
            .get_info(by_admin(info()))
            .await
            .unwrap()
            .into_inner()
            .subscription_info
            .unwrap();
        assert_eq!(group_name, "readers");
    }
}
