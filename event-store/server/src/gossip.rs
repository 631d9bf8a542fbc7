//! Who belongs to the cluster: this one server, and it leads.

use std::sync::Arc;

use serde_json::json;
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use crate::{
    Desk,
    features::PROTOCOL_VERSION,
    protocol::event_store::client::{
        self as protocol,
        gossip::{ClusterInfo, EndPoint, MemberInfo, gossip_server::Gossip, member_info::VNodeState},
    },
};

/// Answers for the one member.
pub(crate) struct OneMember {
    desk: Arc<Desk>,
    instance: Uuid,
}

impl OneMember {
    pub(crate) fn new(desk: Arc<Desk>) -> Self {
        Self {
            desk,
            instance: Uuid::new_v4(),
        }
    }

    /// The same as a page, for clients that look over HTTP, with the words of the protocol's own server: there is no TCP, and
    /// there are no epochs.
    pub(crate) fn page(&self) -> serde_json::Value {
        let there = self.advertised();
        let is_stopping = *self.desk.stopping.borrow();
        let head = self.desk.store.committed().borrow().head;
        let member = json!({
            "instanceId": self.instance,
            "timeStamp": self.desk.now(),
            "state": if is_stopping { "ShuttingDown" } else { "Leader" },
            "isAlive": true,
            "internalTcpIp": there.address,
            "internalTcpPort": 0,
            "internalSecureTcpPort": 0,
            "externalTcpIp": there.address,
            "externalTcpPort": 0,
            "externalSecureTcpPort": 0,
            "internalHttpEndPointIp": there.address,
            "internalHttpEndPointPort": there.port,
            "httpEndPointIp": there.address,
            "httpEndPointPort": there.port,
            "lastCommitPosition": head,
            "writerCheckpoint": head,
            "chaserCheckpoint": head,
            "epochPosition": 0,
            "epochNumber": 0,
            "epochId": Uuid::nil(),
            "nodePriority": 0,
            "isReadOnlyReplica": false,
            "esVersion": PROTOCOL_VERSION,
        });
        json!({ "members": [member], "serverIp": there.address, "serverPort": there.port })
    }

    /// By which host and port others reach this server.
    fn advertised(&self) -> EndPoint {
        let listening = self.desk.address;
        let advertised = self.desk.config.advertise.as_deref();
        let Some((host, port)) = advertised.and_then(|advertised| advertised.rsplit_once(':')) else {
            return EndPoint {
                address: advertised.map_or_else(|| listening.ip().to_string(), str::to_owned),
                port: u32::from(listening.port()),
            };
        };
        EndPoint {
            address: host.into(),
            port: port.parse().unwrap_or_else(|_| u32::from(listening.port())),
        }
    }
}

#[async_trait]
impl Gossip for OneMember {
    async fn read(&self, _request: Request<()>) -> Result<Response<ClusterInfo>, Status> {
        let state = if *self.desk.stopping.borrow() {
            VNodeState::ShuttingDown
        } else {
            VNodeState::Leader
        };
        let member = MemberInfo {
            instance_id: Some(protocol::Uuid {
                value: Some(protocol::uuid::Value::String(self.instance.to_string())),
            }),
            // The protocol counts in ticks of 100 ns since the year 1; clients only compare.
            time_stamp: self.desk.now().timestamp_micros() * 10,
            state: state.into(),
            is_alive: true,
            http_end_point: Some(self.advertised()),
        };
        Ok(Response::new(ClusterInfo { members: vec![member] }))
    }
}
