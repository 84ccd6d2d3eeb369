//! What is known of each other server on the election port.

use super::LinkKey;
use super::link::Wire;
use super::outgoing::{Outgoing, Written};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::task::AbortHandle;
use zk_proto::ServerId;
use zk_proto::ensemble::HostPort;

/// Servers that are remembered. Anybody may come with any id.
const MAX: usize = 1024;

/// The id of observers that have none (`QuorumPeer.OBSERVER_ID`).
const OBSERVER: ServerId = ServerId(i64::MAX);

/// All servers that were heard of.
#[derive(Default)]
pub(super) struct Voters {
    by_id: HashMap<ServerId, Voter>,
    last_number: u64,
    last_observer: i64,
}

/// One other server.
#[derive(Default)]
pub(super) struct Voter {
    /// Where it said that its election port is.
    pub(super) told: Vec<HostPort>,
    /// Whether it is being dialled.
    pub(super) is_dialled: bool,
    pub(super) outgoing: Outgoing,
    pub(super) link: Option<Link>,
}

/// A link to a server. It ends when this is dropped.
pub(super) struct Link {
    pub(super) number: u64,
    pub(super) wire: Arc<Wire>,
    pub(super) task: Option<AbortHandle>,
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Voter {
    /// Writes what waits for it; what the socket does not take is left to the
    /// link's task.
    pub(super) fn write(&mut self) {
        if self.try_write() == Written::Blocked
            && let Some(link) = &self.link
        {
            link.wire.wake();
        }
    }

    pub(super) fn try_write(&mut self) -> Written {
        match &self.link {
            Some(link) => self.outgoing.write(link.wire.stream()),
            None => Written::Failed,
        }
    }
}

impl Voters {
    /// A server, remembered from now on; `None` if there are too many. Then
    /// those are forgotten first of whom there is neither a link nor anything
    /// in the configuration.
    pub(super) fn get(
        &mut self,
        id: ServerId,
        is_member: impl Fn(ServerId) -> bool,
    ) -> Option<&mut Voter> {
        if self.by_id.len() >= MAX && !self.by_id.contains_key(&id) {
            self.by_id
                .retain(|id, voter| voter.link.is_some() || voter.is_dialled || is_member(*id));
            if self.by_id.len() >= MAX && !is_member(id) {
                return None;
            }
        }
        Some(self.by_id.entry(id).or_default())
    }

    /// A server that is remembered.
    pub(super) fn known(&mut self, id: ServerId) -> Option<&mut Voter> {
        self.by_id.get_mut(&id)
    }

    /// The server of a link, if that is still its link.
    pub(super) fn linked(&mut self, on: LinkKey) -> Option<&mut Voter> {
        let voter = self.by_id.get_mut(&on.server)?;
        let number = voter.link.as_ref()?.number;
        (number == on.number).then_some(voter)
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// The id by which a server is known: observers without one get one.
    pub(super) fn name(&mut self, id: ServerId) -> ServerId {
        if id != OBSERVER {
            return id;
        }
        self.last_observer -= 1;
        ServerId(self.last_observer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::{TcpListener, TcpStream};

    async fn link(number: u64) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await;
        Link {
            number,
            wire: Arc::new(Wire::new(stream.unwrap())),
            task: None,
        }
    }

    #[tokio::test]
    async fn a_replaced_link_is_nobodys() {
        let mut voters = Voters::default();
        let server = ServerId(1);
        let key = |number| LinkKey { server, number };
        assert!(voters.linked(key(1)).is_none());
        voters.get(server, |_| true).unwrap().link = Some(link(1).await);
        assert!(voters.linked(key(1)).is_some());
        voters.known(server).unwrap().link = Some(link(2).await);
        assert!(voters.linked(key(1)).is_none());
        assert!(voters.linked(key(2)).is_some());
    }

    #[tokio::test]
    async fn idle_strangers_are_forgotten_first() {
        let mut voters = Voters::default();
        let is_member = |id: ServerId| id.0 == 0;
        for id in 0..MAX as i64 {
            let voter = voters.get(ServerId(id), is_member).unwrap();
            voter.is_dialled = id != 0 && id != 7;
        }
        assert!(voters.get(ServerId(-1), is_member).is_some());
        assert!(voters.known(ServerId(0)).is_some(), "a member");
        assert!(voters.known(ServerId(7)).is_none(), "idle");
        voters.known(ServerId(-1)).unwrap().is_dialled = true;
        assert!(voters.get(ServerId(-2), is_member).is_none(), "all busy");
        assert!(voters.get(ServerId(5), is_member).is_some(), "known");
    }
}
