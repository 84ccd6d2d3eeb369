//! Who the members are, and who they may be soon: what a reconfiguration
//! changes in this server. It refuses to know whether one is allowed.

use super::{Peer, Role};
use std::time::Duration;
use zk_election::Vote;
use zk_proto::ServerId;
use zk_proto::ensemble::{EnsembleConfig, Role as Part};
use zk_proto::quorum::PeerState;
use zk_tree::CONFIG_NODE;

/// Where members are written down for the next start.
pub trait MemberFiles: Send {
    /// Members that were proposed, and may not hold yet.
    fn write_next(&mut self, members: &EnsembleConfig);

    /// Members that hold from now on.
    fn write_committed(&mut self, members: &EnsembleConfig);
}

/// Writes nothing down: for servers whose members never change.
#[derive(Debug, Clone, Copy)]
pub struct NoFiles;

impl MemberFiles for NoFiles {
    fn write_next(&mut self, _: &EnsembleConfig) {}

    fn write_committed(&mut self, _: &EnsembleConfig) {}
}

impl Peer {
    /// A configuration is in the log, and may be committed one day.
    pub(super) fn note_proposed_members(&mut self, now: Duration, next: EnsembleConfig) {
        if next.version <= self.config.members.version {
            return;
        }
        tracing::info!("the members may soon be: {}", in_one_line(&next));
        self.files.write_next(&next);
        self.config.next = Some(next);
        self.tell_members(now);
    }

    /// What the leader's history says comes after the members that hold; what
    /// was proposed before is forgotten.
    pub(super) fn note_leaders_members(&mut self, now: Duration, text: &[u8]) {
        let text = std::str::from_utf8(text).ok();
        let members = text.and_then(|text| EnsembleConfig::parse(text, true).ok());
        let next = members.filter(|it| it.version > self.config.members.version);
        if next != self.config.next {
            self.config.next = next;
            self.tell_members(now);
        }
    }

    /// The log is the witness of what was proposed, and the tree has all of
    /// it: members that it names and that are not known to hold may hold one
    /// day. Files beside it count for less.
    pub(super) fn reread_next(&mut self, now: Duration) {
        if !self.config.reconfig {
            return;
        }
        let tree = self.shared.tree.read();
        let data = tree
            .get(CONFIG_NODE)
            .and_then(|node| Some(node.data()?.to_vec()));
        drop(tree);
        self.note_leaders_members(now, &data.unwrap_or_default());
    }

    /// A configuration holds from now on.
    pub(super) fn adopt_members(&mut self, now: Duration, members: EnsembleConfig) {
        if self.take_over(members) {
            self.tell_election(now);
        }
    }

    /// As [`Peer::adopt_members`], of a configuration that came with a vote.
    /// The election counts by it already, and what else it wants done comes
    /// behind: it is not to be told in the midst of that.
    pub(super) fn adopt_elections_members(&mut self, members: EnsembleConfig) {
        self.take_over(members);
    }

    /// `false` if it is not newer.
    fn take_over(&mut self, members: EnsembleConfig) -> bool {
        if members.version <= self.config.members.version {
            return false;
        }
        tracing::info!("the members are now: {}", in_one_line(&members));
        self.files.write_committed(&members);
        let next = self.config.next.take();
        self.config.next = next.filter(|next| next.version > members.version);
        self.config.members = members;
        self.show_members();
        self.write_config_node();
        self.tell_network();
        true
    }

    pub(super) fn tell_members(&mut self, now: Duration) {
        self.show_members();
        self.tell_network();
        self.tell_election(now);
    }

    fn tell_network(&mut self) {
        let mut reachable = self.config.members.clone();
        if let Some(next) = &self.config.next {
            for (id, member) in &next.members {
                reachable.members.insert(*id, member.clone());
            }
        }
        self.network.set_members(&reachable);
    }

    fn tell_election(&mut self, now: Duration) {
        let (members, next) = (self.config.members.clone(), self.config.next.clone());
        self.election.reconfigure(now, members, next);
        self.run_election(now);
    }

    /// Which configuration a server began with is in no log: each writes it
    /// into its tree, unless a transaction has.
    pub(super) fn write_config_node(&self) {
        let members = &self.config.members;
        let mut tree = self.shared.tree.write();
        let known = tree.get(CONFIG_NODE).map(|node| {
            let is_empty = node.data().is_none_or(<[u8]>::is_empty);
            (node.stat().mzxid, is_empty)
        });
        if known.is_some_and(|(mzxid, is_empty)| is_empty || mzxid < members.version) {
            let now_ms = self.shared.clock.wall_ms();
            tree.set_config(&members.to_string(), members.version, now_ms);
        }
    }

    /// A reconfiguration chose whom to follow, or this server: no election.
    pub(super) fn follow_designated(&mut self, now: Duration, leader: ServerId) {
        let own = self.disk.candidacy();
        let vote = Vote {
            peer_epoch: i64::from(own.current_epoch.0),
            zxid: own.zxid,
            leader,
        };
        let state = if leader == self.config.me {
            PeerState::Leading
        } else if self.config.is_observer() {
            PeerState::Observing
        } else {
            PeerState::Following
        };
        self.election.settle(state, vote);
        self.take_up(now, state, vote);
    }

    /// Whether it would be of any use to follow that server.
    pub(super) fn may_be_led_by(&self, leader: ServerId) -> bool {
        let member = self.config.members.members.get(&leader);
        member.is_some_and(|member| member.role == Part::Participant)
            && matches!(self.role, Role::Looking(_))
    }
}

fn in_one_line(members: &EnsembleConfig) -> String {
    members.to_string().replace('\n', ", ")
}
