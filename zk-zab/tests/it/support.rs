//! What all tests share: configurations, transactions, and a learner or
//! leader whose every action is at hand.

use std::time::Duration;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::{AckEpoch, LearnerInfo, PacketType};
use zk_proto::txn::{SetDataTxn, TxnHeader};
use zk_proto::{Buffer, Epoch, OpCode, ServerId, SessionId, Zxid, jute};
use zk_zab::{
    Action, Leader, Learner, LearnerId, OwnHistory, Packet, Persist, PersistToken, Txn, Upcall,
    ZabConfig,
};

pub(crate) const NOW: Duration = Duration::ZERO;
pub(crate) const TICK: Duration = Duration::from_millis(200);

/// `server` of servers 1 to `voters`.
pub(crate) fn config(server: i64, voters: i64) -> ZabConfig {
    let voters: Vec<i64> = (1..=voters).collect();
    config_of(server, members(&voters, &[], Zxid::ZERO))
}

pub(crate) fn config_of(server: i64, ensemble: EnsembleConfig) -> ZabConfig {
    ZabConfig {
        tick: TICK,
        reconfig: true,
        ..ZabConfig::new(ServerId(server), ensemble)
    }
}

pub(crate) fn members(voters: &[i64], observers: &[i64], version: Zxid) -> EnsembleConfig {
    let line =
        |id: &i64, role| format!("server.{id}=127.0.0.1:{}:{}:{role}\n", 2800 + id, 3800 + id);
    let voters = voters.iter().map(|id| line(id, "participant"));
    let observers = observers.iter().map(|id| line(id, "observer"));
    let text: String = voters.chain(observers).collect();
    let config = EnsembleConfig::parse(&text, false).unwrap();
    EnsembleConfig { version, ..config }
}

/// The transaction that proposes a configuration, as Apache writes it.
pub(crate) fn reconfig(new: &EnsembleConfig) -> Txn {
    let zxid = new.version;
    let header = TxnHeader {
        client_id: SessionId(1),
        cxid: 1,
        zxid,
        time: 0,
        kind: OpCode::RECONFIG,
    };
    let text = new.to_string();
    let record = SetDataTxn {
        path: "/zookeeper/config".into(),
        data: Some(Buffer(text.as_bytes())),
        version: -1,
    };
    let mut payload = Vec::new();
    jute::append(&mut payload, &header).unwrap();
    jute::append(&mut payload, &record).unwrap();
    let payload = payload.into();
    Txn { zxid, payload }
}

pub(crate) fn zxid(epoch: u32, counter: u32) -> Zxid {
    Zxid::new(Epoch(epoch), counter)
}

pub(crate) fn txn(number: i64) -> Txn {
    let zxid = Zxid(number);
    let payload = format!("{number:x}").into();
    Txn { zxid, payload }
}

pub(crate) fn txn_of(epoch: u32, counter: u32) -> Txn {
    txn(zxid(epoch, counter).0)
}

pub(crate) fn own(accepted: u32, current: u32, recent: Vec<Txn>) -> OwnHistory {
    OwnHistory {
        accepted_epoch: Epoch(accepted),
        current_epoch: Epoch(current),
        last_zxid: recent.last().map_or(Zxid::ZERO, |txn| txn.zxid),
        committed: Zxid::ZERO,
        recent,
    }
}

pub(crate) fn bare(kind: PacketType, zxid: Zxid) -> Packet {
    Packet::bare(kind, zxid)
}

pub(crate) fn with_txn(kind: PacketType, txn: &Txn) -> Packet {
    Packet::with_data(kind, txn.zxid, txn.payload.clone())
}

pub(crate) fn proposal(epoch: u32, counter: u32) -> Packet {
    with_txn(PacketType::PROPOSAL, &txn_of(epoch, counter))
}

pub(crate) fn commit(epoch: u32, counter: u32) -> Packet {
    bare(PacketType::COMMIT, zxid(epoch, counter))
}

pub(crate) fn leader_info(epoch: u32) -> Packet {
    let version = vec![0, 1, 0, 0];
    Packet::with_data(PacketType::LEADERINFO, zxid(epoch, 0), version)
}

pub(crate) fn hello(server: i64, accepted: u32) -> Packet {
    let info = LearnerInfo {
        server: ServerId(server),
        protocol: LearnerInfo::PROTOCOL,
        config_version: Zxid::ZERO,
    };
    Packet::with_data(PacketType::FOLLOWERINFO, zxid(accepted, 0), info.encode())
}

pub(crate) fn ack_epoch(current: Option<u32>, last: Zxid) -> Packet {
    let data = AckEpoch(current.map(Epoch)).encode();
    Packet::with_data(PacketType::ACKEPOCH, last, data)
}

/// Short words for actions, so that tests read as traces.
fn word(action: &Action) -> String {
    match action {
        Action::Send { to, packet } => format!("{}<-{:?} {}", to.0, packet.kind, packet.zxid),
        Action::StreamSnapshot { to, at } => format!("{}<-snapshot {at}", to.0),
        Action::ReadHistory { to, after, .. } => format!("read for {} {after}", to.0),
        Action::Close { to, reason } => format!("close {}: {reason}", to.0),
        Action::InstallSnapshot { at } => format!("install {at}"),
        Action::Persist { what, .. } => match what {
            Persist::Append(txn) => format!("append {}", txn.zxid),
            other => format!("{other:?}"),
        },
        Action::Deliver(txn) => format!("deliver {}", txn.zxid),
        Action::Enter(phase) => format!("{phase:?}"),
        Action::Upcall(Upcall::Proposed(config)) => format!("proposed {}", config.version),
        Action::Upcall(Upcall::Reconfigured { config, leader }) => {
            format!(
                "holds {}, led by {:?}",
                config.version,
                leader.map(|it| it.0)
            )
        }
        Action::Upcall(upcall) => format!("{upcall:?}").chars().take(30).collect(),
        Action::Abdicate(reason) => format!("abdicate: {reason}"),
    }
}

/// A learner whose disk finishes when told.
pub(crate) struct Follower {
    pub(crate) machine: Learner,
    pub(crate) work: Vec<PersistToken>,
}

impl Follower {
    pub(crate) fn new(config: ZabConfig, own: OwnHistory) -> Self {
        let machine = Learner::new(NOW, config, own);
        let work = Vec::new();
        Self { machine, work }
    }

    /// What it wants now.
    pub(crate) fn actions(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        while let Some(action) = self.machine.poll_action() {
            if let Action::Persist { token, .. } = &action {
                self.work.push(*token);
            }
            words.push(word(&action));
        }
        words
    }

    pub(crate) fn take(&mut self, packet: &Packet) -> Vec<String> {
        self.machine.handle_leader(NOW, packet);
        self.actions()
    }

    pub(crate) fn take_all(&mut self, packets: &[Packet]) -> Vec<String> {
        packets
            .iter()
            .flat_map(|packet| self.take(packet))
            .collect()
    }

    /// The oldest disk work is done.
    pub(crate) fn one_persisted(&mut self) -> Vec<String> {
        let token = self.work.remove(0);
        self.machine.handle_persisted(token);
        self.actions()
    }

    pub(crate) fn all_persisted(&mut self) -> Vec<String> {
        if let Some(token) = self.work.drain(..).next_back() {
            self.machine.handle_persisted(token);
        }
        self.actions()
    }

    /// One that has accepted epoch 1 of a leader, and waits for its plan.
    pub(crate) fn accepted(own: OwnHistory, epoch: u32) -> Self {
        let mut follower = Self::new(config(2, 3), own);
        follower.take(&leader_info(epoch));
        follower.all_persisted();
        follower
    }

    /// One in broadcast of epoch 1, with an empty history.
    pub(crate) fn serving() -> Self {
        let mut follower = Self::accepted(own(0, 0, vec![]), 1);
        follower.take_all(&[
            bare(PacketType::DIFF, Zxid::ZERO),
            bare(PacketType::NEWLEADER, zxid(1, 0)),
        ]);
        follower.all_persisted();
        follower.take(&bare(PacketType::UPTODATE, Zxid::NONE));
        follower
    }
}

/// A leader whose disk finishes when told.
pub(crate) struct Lead {
    pub(crate) machine: Leader,
    pub(crate) work: Vec<PersistToken>,
}

impl Lead {
    pub(crate) fn new(config: ZabConfig, own: OwnHistory) -> Self {
        let machine = Leader::new(NOW, config, own);
        let work = Vec::new();
        Self { machine, work }
    }

    pub(crate) fn actions(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        while let Some(action) = self.machine.poll_action() {
            if let Action::Persist { token, .. } = &action {
                self.work.push(*token);
            }
            words.push(word(&action));
        }
        words
    }

    pub(crate) fn take(&mut self, from: u64, packet: &Packet) -> Vec<String> {
        self.machine.handle_learner(NOW, LearnerId(from), packet);
        self.actions()
    }

    pub(crate) fn all_persisted(&mut self) -> Vec<String> {
        if let Some(token) = self.work.drain(..).next_back() {
            self.machine.handle_persisted(NOW, token);
        }
        self.actions()
    }

    pub(crate) fn propose(&mut self) -> Vec<String> {
        let zxid = self.machine.next_zxid().unwrap();
        self.machine.propose(NOW, txn(zxid.0)).unwrap();
        self.actions()
    }

    pub(crate) fn ack(&mut self, from: u64, zxid: Zxid) -> Vec<String> {
        self.take(from, &bare(PacketType::ACK, zxid))
    }

    pub(crate) fn at(&mut self, now: Duration) -> Vec<String> {
        self.machine.handle_timeout(now);
        self.actions()
    }

    /// Server 3 of three, with servers 1 and 2 up to ACKEPOCH.
    pub(crate) fn synchronizing(own: OwnHistory) -> Self {
        Self::synchronizing_with(config(3, 3), own)
    }

    fn synchronizing_with(config: ZabConfig, own: OwnHistory) -> Self {
        let (accepted, current) = (own.accepted_epoch.0, own.current_epoch.0);
        let last = own.last_zxid;
        let mut lead = Self::new(config, own);
        lead.take(1, &hello(1, accepted));
        lead.all_persisted();
        lead.take(2, &hello(2, accepted));
        lead.take(1, &ack_epoch(Some(current), last));
        lead.take(2, &ack_epoch(Some(current), last));
        lead
    }

    /// Server 3 of three in broadcast of epoch 1, both followers active.
    pub(crate) fn serving() -> Self {
        Self::serving_with(config(3, 3))
    }

    pub(crate) fn serving_with(config: ZabConfig) -> Self {
        let mut lead = Self::synchronizing_with(config, own(0, 0, vec![]));
        lead.all_persisted();
        lead.ack(1, zxid(1, 0));
        lead.ack(2, zxid(1, 0));
        lead
    }
}
