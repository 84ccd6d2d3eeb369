//! reconfig, as the leader of an ensemble judges it. A server that stands
//! alone refuses every one.

use super::{Caller, PrepareConfig, Prepared, Stamp, Step, appended, finished};
use crate::config_node::CONFIG_NODE;
use crate::{DataTree, Pending, digest};
use zk_proto::ensemble::{ChangeError, EnsembleConfig, EnsembleError};
use zk_proto::{Buffer, ErrorCode, OpCode, Perms, ReconfigRequest, jute};

/// What a reconfiguration is judged by, besides the tree.
#[derive(Clone, Copy)]
pub struct ReconfigContext<'a> {
    /// As for every other request.
    pub rules: &'a PrepareConfig,
    /// The configuration that holds: the last one committed.
    pub current: &'a EnsembleConfig,
    /// Whether another one is prepared or proposed, and not committed.
    pub in_progress: bool,
    /// `standaloneEnabled`, with which an ensemble has two voters at least.
    pub standalone_enabled: bool,
    /// `multiAddress.enabled`.
    pub many_addresses: bool,
    /// Whether a quorum of its voters follows the leader, the leader
    /// included, and holds its history (`Leader.isQuorumSynced`).
    pub is_quorum_synced: &'a dyn Fn(&EnsembleConfig) -> bool,
}

impl std::fmt::Debug for ReconfigContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut context = f.debug_struct("ReconfigContext");
        context.field("current", self.current);
        context.field("in_progress", &self.in_progress);
        context.finish_non_exhaustive()
    }
}

/// A prepared reconfiguration.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct PreparedReconfig {
    /// As of every other request.
    pub prepared: Prepared,
    /// What the transaction proposes, its version the transaction's zxid;
    /// `None` if it is an error. From here on one is in progress.
    pub new: Option<EnsembleConfig>,
}

/// As [`prepare`](super::prepare), for a reconfig at the leader of an
/// ensemble. The transaction is a setData of [`CONFIG_NODE`] of another type;
/// it is to be committed by the old and by the new voters.
pub fn prepare_reconfig(
    tree: &DataTree,
    pending: &mut Pending,
    context: &ReconfigContext<'_>,
    caller: &Caller<'_>,
    stamp: Stamp,
    request: &ReconfigRequest<'_>,
    out: &mut Vec<u8>,
) -> PreparedReconfig {
    let mut step = Step {
        tree,
        pending,
        config: context.rules,
        caller,
        stamp,
        quota: None,
    };
    let mut new = None;
    let prepared = finished(&mut step, OpCode::RECONFIG, out, |step, out| {
        new = Some(step.reconfigure(context, request, out)?);
        Ok(())
    });
    let new = new.filter(|_| prepared.error.is_ok());
    PreparedReconfig { prepared, new }
}

impl Step<'_> {
    /// A server that stands alone never changes its ensemble.
    pub(super) fn reconfigure_alone(&self) -> Result<(), ErrorCode> {
        self.check_enabled()?;
        self.check_session()?;
        Err(ErrorCode::UNIMPLEMENTED)
    }

    const fn check_enabled(&self) -> Result<(), ErrorCode> {
        if self.config.reconfig {
            Ok(())
        } else {
            Err(ErrorCode::RECONFIG_DISABLED)
        }
    }

    /// The right to do it is looked at last.
    fn reconfigure(
        &mut self,
        context: &ReconfigContext<'_>,
        request: &ReconfigRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<EnsembleConfig, ErrorCode> {
        self.check_enabled()?;
        self.check_session()?;
        let mut new = context.wanted(request)?;
        new.version = self.stamp.zxid;
        if !(context.is_quorum_synced)(&new) {
            return Err(ErrorCode::NEW_CONFIG_NO_QUORUM);
        }
        self.write_config(&new.to_string(), out)?;
        Ok(new)
    }

    /// The version of the znode is -1 for ever.
    fn write_config(&mut self, text: &str, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
        let (seen, mut state) = self.find_node(CONFIG_NODE)?;
        self.check_acl(&state, Perms::WRITE)?;
        let data = text.as_bytes();
        appended(jute::append(out, &(CONFIG_NODE, Some(Buffer(data)), -1)))?;
        state.stat.version = -1;
        state.stat.mtime = self.stamp.time_ms;
        state.stat.mzxid = self.stamp.zxid;
        state.data_len = data.len();
        if self.tree.is_digested(CONFIG_NODE) {
            state.content_crc = digest::content_crc(CONFIG_NODE, Some(data));
        }
        self.put(CONFIG_NODE, &seen, Some(state));
        Ok(())
    }
}

impl ReconfigContext<'_> {
    /// The membership that is asked for.
    fn wanted(&self, request: &ReconfigRequest<'_>) -> Result<EnsembleConfig, ErrorCode> {
        if self.in_progress {
            return Err(ErrorCode::RECONFIG_IN_PROGRESS);
        }
        if request.config_id != -1 && request.config_id != self.current.version.0 {
            return Err(ErrorCode::BAD_VERSION);
        }
        let new = match &request.members {
            Some(members) => self.whole(members)?,
            None => self.changed(request)?,
        };
        let least = if self.standalone_enabled { 2 } else { 1 };
        if new.participants().count() < least {
            return Err(ErrorCode::BAD_ARGUMENTS);
        }
        Ok(new)
    }

    fn changed(&self, request: &ReconfigRequest<'_>) -> Result<EnsembleConfig, ErrorCode> {
        let (joining, leaving) = (request.joining.as_deref(), request.leaving.as_deref());
        let changed = self.current.changed(joining, leaving, self.many_addresses);
        changed.map_err(|error| code_of(&error))
    }

    /// Observers that nobody leads are an error of its own
    /// (`QuorumPeerConfig.parseDynamicConfig`).
    fn whole(&self, members: &str) -> Result<EnsembleConfig, ErrorCode> {
        let new = EnsembleConfig::of_members(members, self.many_addresses);
        let new = new.map_err(|error| code_of(&error))?;
        let observed = new.observers().next().is_some();
        let alone = match new.participants().count() {
            0 => observed || !self.standalone_enabled,
            1 => observed && self.standalone_enabled,
            _ => false,
        };
        if alone {
            return Err(ErrorCode::MARSHALLING_ERROR);
        }
        Ok(new)
    }
}

/// What is no number ends in Apache as what it did not expect.
const fn code_of(error: &ChangeError) -> ErrorCode {
    match error {
        ChangeError::Id(_)
        | ChangeError::NoWeight(_)
        | ChangeError::Text(EnsembleError::Number { .. }) => ErrorCode::MARSHALLING_ERROR,
        _ => ErrorCode::BAD_ARGUMENTS,
    }
}
