//! To be written.
use crate::{ApiState, auth::Principal, http::Asked};
use async_graphql::parser::types::ExecutableDocument;
pub(crate) struct Plan;
impl Plan {
    pub(crate) fn of(_document: &ExecutableDocument) -> Option<Self> {
        None
    }
}
pub(crate) async fn answer(_plan: &Plan, _state: &ApiState, _asked: &Asked, _principal: &Principal) -> Option<Vec<u8>> {
    None
}
