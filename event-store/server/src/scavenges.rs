//! What is remembered of scavenges: a stream for each, and `$scavenges`, which links to all their beginnings and ends.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use chrono::TimeDelta;
use event_store_contract::{Expected, NewEvent, StoreError, StreamName};
use event_store_embedded::{Draft, EmbeddedStore, LINK_NAME, METADATA_NAME, ScavengeReport, Write};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::OPS;

/// The stream that links to what is remembered of all scavenges.
const SCAVENGES: &str = "$scavenges";
/// How long it is remembered.
const REMEMBERED_FOR: TimeDelta = TimeDelta::days(30);

/// Remembers that a scavenge began.
pub(crate) async fn write_start(store: &EmbeddedStore, id: Uuid, node: SocketAddr) {
    let told = json!({"scavengeId": id, "nodeEndpoint": node.to_string()});
    write(store, id, 0, "$scavengeStarted", &told).await;
}

/// Remembers how it ended.
pub(crate) async fn write_end(
    store: &EmbeddedStore,
    id: Uuid,
    node: SocketAddr,
    took: TimeDelta,
    ended: &Result<ScavengeReport, StoreError>,
) {
    let mut told = json!({
        "scavengeId": id,
        "nodeEndpoint": node.to_string(),
        "timeTaken": clock_face(took),
    });
    let result = match ended {
        Ok(report) => {
            told["spaceSaved"] = report.bytes.into();
            told["eventsRemoved"] = report.events.into();
            told["streamsTouched"] = report.streams.into();
            if report.stopped { "Stopped" } else { "Success" }
        }
        Err(error) => {
            told["error"] = error.to_string().into();
            "Errored"
        }
    };
    told["result"] = result.into();
    write(store, id, 1, "$scavengeCompleted", &told).await;
}

/// Writes one event to the scavenge's own stream, and a link to it. A failure is told of and changes nothing.
async fn write(store: &EmbeddedStore, id: Uuid, revision: u64, name: &str, told: &Value) {
    let own = format!("{SCAVENGES}-{id}");
    let mut events = vec![
        (own.clone(), draft(name, told.to_string())),
        (SCAVENGES.to_owned(), draft(LINK_NAME, format!("{revision}@{own}"))),
    ];
    if revision == 0 {
        let metadata = json!({"$maxAge": REMEMBERED_FOR.num_seconds(), "$acl": {"$r": [OPS]}}).to_string();
        for stream in [&own, SCAVENGES] {
            events.push((format!("$${stream}"), draft(METADATA_NAME, metadata.clone())));
        }
    }
    let writes = events.into_iter().filter_map(|(stream, event)| {
        Some(Write {
            stream: StreamName::new(stream).ok()?,
            expected: Expected::Any,
            events: vec![event],
        })
    });
    if let Err(error) = store.write(writes.collect(), Vec::new()).await {
        tracing::warn!(%error, "what is to be remembered of a scavenge could not be written");
    }
}

fn draft(name: &str, data: String) -> Draft {
    Draft {
        is_json: name != LINK_NAME,
        event: NewEvent {
            id: Uuid::new_v4(),
            name: Arc::from(name),
            data: Bytes::from(data),
            metadata: Bytes::new(),
        },
    }
}

/// A length of time as .NET writes it: `hh:mm:ss.fffffff`.
fn clock_face(time: TimeDelta) -> String {
    let micros = time.num_microseconds().unwrap_or(0).max(0);
    let seconds = micros / 1_000_000;
    format!(
        "{:02}:{:02}:{:02}.{:06}0",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        micros % 1_000_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_written_as_dot_net_writes_it() {
        assert_eq!(clock_face(TimeDelta::microseconds(3_723_000_042)), "01:02:03.0000420");
    }
}
