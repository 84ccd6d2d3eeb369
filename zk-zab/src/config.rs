//! What a machine is told when it is made: the ensemble and its limits, and
//! what this server's disk holds. It refuses to know where either was read.

use crate::Txn;
use std::time::Duration;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::{Epoch, ServerId, Zxid};

/// The part of the configuration that the protocol needs.
#[derive(Clone, Debug)]
pub struct ZabConfig {
    /// This server.
    pub server: ServerId,
    /// Who votes, and the version of that: the last configuration that is
    /// known to be committed.
    pub ensemble: EnsembleConfig,
    /// A later configuration that was proposed and may have been committed,
    /// because this server's log has it. A leader then needs a quorum of
    /// both. Ignored when its version is not above that of `ensemble`. See
    /// the crate's documentation for where to take it from.
    pub next: Option<EnsembleConfig>,
    /// Of a learner: it has no vote and is not asked for one.
    pub observer: bool,
    /// Of a learner: whom it follows. With `None` every reconfiguration ends
    /// the role, as it cannot be told whether the leader stays the same.
    pub leader: Option<ServerId>,
    /// Whether configurations are taken from leaders, and given a version by
    /// them (`reconfigEnabled`). Without it the one above stays, whatever
    /// others say.
    pub reconfig: bool,
    /// The unit of the limits below. A leader pings twice in it. 2 s is
    /// usual.
    pub tick: Duration,
    /// How long each step until the first UPTODATE may take. 10 is usual;
    /// more for states so large that a snapshot takes longer.
    pub init_limit_ticks: u32,
    /// How long leader and learner may hear nothing of one another, and a
    /// proposal may stay without an acknowledgement. 5 is usual; a leader
    /// that hears no quorum serves this long.
    pub sync_limit_ticks: u32,
    /// How many committed transactions a leader keeps for learners that come
    /// late (`zookeeper.commitLogCount`, 500); who lacks more is served from
    /// the disk or by a snapshot.
    pub committed_log_max: usize,
}

impl ZabConfig {
    /// A voter's, with the values that Apache has when nothing is configured.
    #[must_use]
    pub const fn new(server: ServerId, ensemble: EnsembleConfig) -> Self {
        Self {
            server,
            ensemble,
            next: None,
            observer: false,
            leader: None,
            reconfig: false,
            tick: Duration::from_secs(2),
            init_limit_ticks: 10,
            sync_limit_ticks: 5,
            committed_log_max: 500,
        }
    }

    pub(crate) fn init_limit(&self) -> Duration {
        self.tick * self.init_limit_ticks
    }

    pub(crate) fn sync_limit(&self) -> Duration {
        self.tick * self.sync_limit_ticks
    }
}

/// What this server's disk holds, all of it durable. The tree must have the
/// whole log applied, also what nobody knows to be committed.
#[derive(Clone, Debug)]
pub struct OwnHistory {
    /// The highest epoch that this server has promised to serve.
    pub accepted_epoch: Epoch,
    /// The epoch of its history.
    pub current_epoch: Epoch,
    /// The last transaction of its log or, behind that, of its snapshot.
    pub last_zxid: Zxid,
    /// The highest zxid that it knows to be committed: what it delivered in
    /// an earlier role. [`Zxid::ZERO`] after a restart. A learner refuses a
    /// leader that would take from it what is at or below this.
    pub committed: Zxid,
    /// The last transactions of the log, oldest first, for a leader to serve
    /// others from; as many as it likes.
    pub recent: Vec<Txn>,
}
