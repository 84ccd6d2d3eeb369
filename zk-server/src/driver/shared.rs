//! What all ports share: who this server is, who the others are, and where
//! events go.

use super::port::Port;
use super::tasks::Tasks;
use super::unread::Unread;
use super::{Emit, Options};
use crate::peer::PeerEvent;
use parking_lot::RwLock;
use zk_proto::ServerId;
use zk_proto::ensemble::{EnsembleConfig, HostPort, Role};

pub(super) struct Shared {
    /// The members in there are those of the start.
    pub(super) options: Options,
    members: RwLock<EnsembleConfig>,
    emit: Emit,
    pub(super) tasks: Tasks,
    pub(super) unread: Unread,
}

impl Shared {
    /// To be called in a runtime.
    pub(super) fn new(options: Options, emit: Emit) -> Self {
        Self {
            members: RwLock::new(options.members.clone()),
            options,
            emit,
            tasks: Tasks::new(),
            unread: Unread::default(),
        }
    }

    pub(super) fn own(&self) -> ServerId {
        self.options.own
    }

    pub(super) fn emit(&self, event: PeerEvent) {
        (self.emit)(event);
    }

    pub(super) fn set_members(&self, members: &EnsembleConfig) {
        self.members.write().clone_from(members);
    }

    pub(super) fn is_member(&self, server: ServerId) -> bool {
        self.members.read().members.contains_key(&server)
    }

    /// Whether a server has a vote.
    pub(super) fn is_voter(&self, server: ServerId) -> bool {
        let members = self.members.read();
        let member = members.members.get(&server);
        member.is_some_and(|member| member.role == Role::Participant)
    }

    /// All members but this server.
    pub(super) fn others(&self) -> Vec<ServerId> {
        let members = self.members.read();
        let ids = members.members.keys().copied();
        ids.filter(|id| *id != self.own()).collect()
    }

    /// Where a server has that port; nowhere if it is not a member.
    pub(super) fn addresses(&self, port: Port, server: ServerId) -> Vec<HostPort> {
        port.addresses(&self.members.read(), server)
    }
}
