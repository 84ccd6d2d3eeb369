//! What the machines ask of their caller, and under which condition each may
//! be done. It does not know how.

use crate::{Packet, PersistToken, Txn};
use bytes::Bytes;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::SessionTouch;
use zk_proto::{Epoch, ServerId, SessionId, Zxid};

/// A connection between a leader and a learner. The caller of a leader gives
/// each connection a new number, and so does that of a learner to those with
/// observers that it hosts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LearnerId(pub u64);

impl LearnerId {
    /// The connection of a learner with its leader.
    pub const LEADER: Self = Self(0);
}

/// What is to be done next, in this order. One queue, so that a packet behind
/// a delivery leaves behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub enum Action {
    /// Send a packet. Each connection is an ordered stream.
    Send {
        /// On which connection.
        to: LearnerId,
        /// What.
        packet: Packet,
    },
    /// To a learner: send a snapshot on the same stream, before any later packet.
    /// It holds everything delivered so far and may hold some of what is
    /// delivered while it is written.
    StreamSnapshot {
        /// On which connection.
        to: LearnerId,
        /// The last transaction that it holds for certain.
        at: Zxid,
    },
    /// For a learner: read the log from the last transaction at or before
    /// `after` up to at least `through`, and give it to `handle_history`;
    /// nothing, if the log does not reach back, has a hole, or is too large
    /// compared with a snapshot.
    ReadHistory {
        /// For which connection.
        to: LearnerId,
        /// The learner's last zxid.
        after: Zxid,
        /// Where the memory of who asks begins.
        through: Zxid,
    },
    /// Close the connection of a learner, which is forgotten already.
    Close {
        /// Which connection.
        to: LearnerId,
        /// Why.
        reason: Refusal,
    },
    /// A learner: a snapshot follows in the stream. Read it into an empty
    /// tree, feed no packet before `Learner::handle_installed`.
    InstallSnapshot {
        /// The last transaction that it holds for certain.
        at: Zxid,
    },
    /// Disk work. It is done in this order, and each is durable before its
    /// token is given back.
    Persist {
        /// To be given to `handle_persisted`.
        token: PersistToken,
        /// What.
        what: Persist,
    },
    /// A committed transaction, to be applied: once, in order, for ever.
    Deliver(Txn),
    /// A phase begins. Clients are served from [`Phase::Broadcast`] on.
    Enter(Phase),
    /// Something for the layers above.
    Upcall(Upcall),
    /// The role is over: close its connections and look for a leader.
    /// Nothing follows.
    Abdicate(Abdication),
}

/// Disk work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Persist {
    /// Write the file `acceptedEpoch`.
    AcceptedEpoch(Epoch),
    /// Write the file `currentEpoch`.
    CurrentEpoch(Epoch),
    /// Append to the log.
    Append(Txn),
    /// Cut everything behind a zxid out of the log and out of snapshots, and
    /// make the tree again without it.
    TruncateAfter(Zxid),
    /// Write the tree that was just installed as the only snapshot, and
    /// discard every log file before it.
    Snapshot(Zxid),
}

/// The phases of the protocol (`QuorumPeer.ZabState`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// Which epoch?
    Discovery,
    /// One history for all.
    Synchronization,
    /// New transactions.
    Broadcast,
}

/// What the layers above are told or asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Upcall {
    /// A leader: clients of these sessions were heard by a learner.
    Touched {
        /// By whom.
        from: LearnerId,
        /// The sessions.
        sessions: Vec<SessionTouch>,
    },
    /// A leader: may the session go on at that learner? The answer is
    /// `Leader::revalidated`.
    Revalidate {
        /// Who asks.
        from: LearnerId,
        /// The session, and the timeout it shall have.
        session: SessionTouch,
    },
    /// A leader: a client's request, a `ForwardedRequest` with identities.
    Request {
        /// From whom.
        from: LearnerId,
        /// As it came.
        packet: Packet,
    },
    /// A client's sync is done: everything committed before it was asked for
    /// has been delivered here. The ticket is the caller's own.
    Synced(u64),
    /// A learner: whether the session may go on here.
    Revalidated {
        /// The session.
        session: SessionId,
        /// Whether it may.
        valid: bool,
    },
    /// The configuration of the epoch, as NEWLEADER says it. It holds once
    /// [`Phase::Broadcast`] is entered; if it is newer than what held before,
    /// [`Upcall::Reconfigured`] says so, too.
    Ensemble(Bytes),
    /// A reconfiguration is proposed: from now on it may be committed without
    /// this server hearing of it, until another configuration holds. It comes
    /// before the transaction is given to the disk.
    Proposed(Box<EnsembleConfig>),
    /// A newer configuration holds from now on. Its transaction has been
    /// delivered, or is part of the history and delivered when that is. When
    /// this server may not go on as it is, [`Action::Abdicate`] follows.
    Reconfigured {
        /// Its version is the zxid of its transaction, or that of the epoch
        /// for one that no transaction made.
        config: Box<EnsembleConfig>,
        /// Who shall lead it, if somebody was chosen.
        leader: Option<ServerId>,
    },
}

/// Why the connection of a learner is closed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// A packet that says something else than its type promises.
    #[error("the learner sent a packet that cannot be read")]
    Malformed,
    /// A packet at a time when it makes no sense.
    #[error("the learner sent {0:?} where it may not")]
    Unexpected(zk_proto::quorum::PacketType),
    /// It speaks the protocol of before 3.4.
    #[error("the learner speaks protocol {0:#x}, which is too old")]
    TooOld(i32),
    /// It knows a configuration that this leader does not.
    #[error("the learner's configuration {0} is newer")]
    NewerConfig(Zxid),
    /// It has a later history than this leader.
    #[error("the learner is ahead, with epoch {epoch} and zxid {zxid}")]
    Ahead {
        /// The epoch of its history.
        epoch: Epoch,
        /// Its last transaction.
        zxid: Zxid,
    },
    /// It acknowledged what was never proposed to it.
    #[error("the learner acknowledged {0}, which was never proposed")]
    NeverProposed(Zxid),
    /// It left a proposal out.
    #[error("the learner acknowledged {acked} and not {missing} before it")]
    AckGap {
        /// What it acknowledged.
        acked: Zxid,
        /// What comes first.
        missing: Zxid,
    },
    /// It says that it is the leader itself.
    #[error("the learner has the leader's own id {0}")]
    OwnId(ServerId),
    /// The same server has connected again.
    #[error("the learner has a newer connection")]
    Replaced,
    /// Nothing came for too long.
    #[error("the learner was silent for too long")]
    Silent,
    /// A proposal was not acknowledged for too long.
    #[error("the learner did not acknowledge {0} in time")]
    Slow(Zxid),
}

impl Refusal {
    /// What the learner did wrong, if only a bug explains it: no fault of
    /// networks, disks or clocks makes a learner do that.
    #[must_use]
    pub const fn breach(&self) -> Option<&'static str> {
        match self {
            Self::Malformed => Some("a learner's packet that cannot be read"),
            Self::Unexpected(_) => Some("a learner's packet out of place"),
            Self::NeverProposed(_) => Some("an acknowledgement of nothing"),
            Self::AckGap { .. } => Some("an acknowledgement that leaves one out"),
            Self::OwnId(_) => Some("a learner with the leader's own id"),
            _ => None,
        }
    }
}

/// Why a role is over.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Abdication {
    /// A leader: a step before broadcast took longer than the init limit.
    #[error("no quorum within the init limit in {0:?}")]
    NoQuorumInTime(Phase),
    /// A leader: fewer than a quorum were heard within the sync limit.
    #[error("no quorum of followers was heard within the sync limit")]
    QuorumLost,
    /// A leader: a member has promised a later epoch, and can follow none but
    /// a leader of one later still. This server has promised it, too, so that
    /// the next leader opens such an epoch.
    #[error("a member has promised epoch {accepted}, and this one is {epoch}")]
    Outpromised {
        /// That of this leader.
        epoch: Epoch,
        /// What was promised.
        accepted: Epoch,
    },
    /// A leader: every zxid of its epoch is used.
    #[error("the zxids of epoch {0} are used up")]
    ZxidsUsedUp(Epoch),
    /// A leader: there is no later epoch.
    #[error("the epochs are used up")]
    EpochsUsedUp,
    /// A learner: the connection is gone.
    #[error("the connection to the leader is gone")]
    LeaderLost,
    /// A learner: nothing came for too long.
    #[error("the leader was silent for too long")]
    LeaderSilent,
    /// A learner: the leader's epoch is behind what this server has promised.
    #[error("the leader's epoch {leader} is before the accepted {accepted}")]
    StaleLeader {
        /// The leader's.
        leader: Epoch,
        /// This server's.
        accepted: Epoch,
    },
    /// A learner: the leader would take away what is known to be committed.
    #[error("the leader goes back to {to}, before the committed {committed}")]
    WouldLoseCommitted {
        /// Where it would go back to.
        to: Zxid,
        /// What is committed.
        committed: Zxid,
    },
    /// A learner: proposals with a hole between them.
    #[error("{next} was proposed after {last}")]
    Gap {
        /// The last in the log.
        last: Zxid,
        /// What came.
        next: Zxid,
    },
    /// A learner: a proposal of an epoch that it does not follow.
    #[error("{zxid} was proposed in epoch {epoch}")]
    WrongEpoch {
        /// What came.
        zxid: Zxid,
        /// What this learner follows.
        epoch: Epoch,
    },
    /// A learner: a commit of something else than the oldest proposal.
    #[error("{committed} was committed, and the oldest proposal is {oldest:?}")]
    WrongCommit {
        /// What came.
        committed: Zxid,
        /// What should have.
        oldest: Option<Zxid>,
    },
    /// A learner: a packet at a time when it makes no sense.
    #[error("the leader sent {0:?} where it may not")]
    Unexpected(zk_proto::quorum::PacketType),
    /// A learner: a packet that says something else than its type promises.
    #[error("the leader sent a {0:?} that cannot be read")]
    Malformed(zk_proto::quorum::PacketType),
    /// A reconfiguration is committed, and this server is to lead, or to have
    /// another leader or another role. A leader's learners have left it.
    #[error("a reconfiguration gives this server another role or leader")]
    Reconfigured {
        /// Whom to follow at once, or this server; an election if nobody.
        leader: Option<ServerId>,
    },
}

impl Abdication {
    /// What the leader did wrong, if only a bug explains it: no fault of
    /// networks, disks or clocks makes a leader do that.
    #[must_use]
    pub const fn breach(&self) -> Option<&'static str> {
        match self {
            Self::WouldLoseCommitted { .. } => Some("a leader that goes back behind commits"),
            Self::Gap { .. } => Some("a proposal that leaves one out"),
            Self::WrongEpoch { .. } => Some("a proposal of another epoch"),
            Self::WrongCommit { .. } => Some("a commit that leaves one out"),
            Self::Unexpected(_) => Some("a leader's packet out of place"),
            Self::Malformed(_) => Some("a leader's packet that cannot be read"),
            _ => None,
        }
    }
}
