//! A client like any other: GraphQL over HTTP, with a token.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::failure::Failure;

/// The longest that the demo waits for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Somebody with a token.
#[derive(Clone)]
pub(super) struct Person {
    agent: ureq::Agent,
    url: String,
    token: String,
}

impl Person {
    /// Somebody who asks this server.
    pub(super) fn new(address: SocketAddr, token: String) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_LIMIT))
            .build();
        Self {
            agent: config.into(),
            url: format!("http://{address}/graphql"),
            token,
        }
    }

    /// The data of a GraphQL operation.
    pub(super) async fn asks(&self, query: &str, variables: Value) -> Result<Value, Failure> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let person = self.clone();
        let answered = tokio::task::spawn_blocking(move || person.post(&body)).await;
        let answer = match answered {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(no_answer(error)),
            Err(error) => return Err(no_answer(error)),
        };
        match answer.get("errors") {
            None | Some(Value::Null) => Ok(answer["data"].clone()),
            Some(errors) => Err(no_answer(errors)),
        }
    }

    /// Has something done; the payload. A refusal by the law is a failure of the demo.
    pub(super) async fn does(&self, mutation: &str, mut input: Value) -> Result<Value, Failure> {
        input["commandId"] = json!(Uuid::now_v7());
        let mut letters = mutation.chars();
        let first: String = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter().collect();
        let query = format!(
            "mutation($input: {first}{}Input!) {{ done: {mutation}(input: $input) \
             {{ case {{ id caseId stage }} userErrors {{ code message messageEn field }} position }} }}",
            letters.as_str()
        );
        let data = self.asks(&query, json!({ "input": input })).await?;
        let payload = &data["done"];
        match payload["userErrors"].as_array() {
            Some(errors) if errors.is_empty() => Ok(payload.clone()),
            _ => Err(Failure::doing(
                &format!("{mutation} 被拒绝"),
                &format!("{mutation} was refused"),
                &payload["userErrors"],
            )),
        }
    }

    fn post(&self, body: &str) -> Result<Value, ureq::Error> {
        let mut response = self
            .agent
            .post(&self.url)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .send(body)?;
        let text = response.body_mut().read_to_string()?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}

fn no_answer(error: impl std::fmt::Display) -> Failure {
    Failure::doing("接口没有给出结果", "the API gave no result", error)
}
