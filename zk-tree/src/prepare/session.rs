//! createSession and closeSession, and whether a session may still write.

use super::{Step, appended};
use crate::pending::SessionChange;
use zk_proto::mutation::is_back;
use zk_proto::path::split;
use zk_proto::{ErrorCode, jute};

/// How many bytes of paths a closeSession lists. A packet of any server has
/// room for as many, however few a client may send (ZOOKEEPER-4306).
const LISTED_MAX: usize = 512 * 1024;

impl Step<'_> {
    /// A session may write from its creation until its end, both as prepared:
    /// what arrives after the end was prepared must not leave an ephemeral
    /// behind that nobody deletes.
    pub(super) fn check_session(&self) -> Result<(), ErrorCode> {
        let is_elsewhere = || self.config.local_sessions;
        self.check_known(self.is_alive().unwrap_or_else(is_elsewhere))
    }

    /// Whether the session may own znodes: the tree must know it, or nobody
    /// would delete them when it ends. (`SessionTracker.checkGlobalSession`)
    pub(super) fn check_global_session(&self) -> Result<(), ErrorCode> {
        self.check_known(self.is_alive().unwrap_or(false))
    }

    fn check_known(&self, may_write: bool) -> Result<(), ErrorCode> {
        match may_write || is_back("closing_is_open") {
            true => Ok(()),
            false => Err(ErrorCode::SESSION_EXPIRED),
        }
    }

    /// `None` if nothing is known of it.
    fn is_alive(&self) -> Option<bool> {
        let session = self.caller.session;
        match self.pending.session(session) {
            Some(change) => Some(change == SessionChange::Opened),
            None => self.tree.session_timeout(session).map(|_| true),
        }
    }

    pub(super) fn create_session(
        &mut self,
        timeout_ms: i32,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        appended(jute::append(out, &timeout_ms))?;
        let session = self.caller.session;
        self.pending
            .put_session(session, SessionChange::Opened, self.stamp.zxid);
        Ok(())
    }

    /// Lists the ephemerals that the session will have by then, as many as
    /// fit: all of them go, listed or not. It is never refused: expiry closes
    /// sessions that are nobody's.
    pub(super) fn close_session(&mut self, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
        let session = self.caller.session;
        let paths = self.pending.ephemerals(self.tree, session);
        if self.config.close_session_txn {
            appended(jute::append(out, listed(&paths)))?;
        }
        for path in &paths {
            self.unlink_ephemeral(path);
        }
        self.pending
            .put_session(session, SessionChange::Closing, self.stamp.zxid);
        Ok(())
    }

    fn unlink_ephemeral(&mut self, path: &str) {
        let parent_path = split(path).map_or("", |(parent, _)| parent);
        if let Ok(parent) = self.find_node(parent_path) {
            let seen = self.find(path);
            self.unlink(parent_path, parent, path, &seen);
        }
    }
}

/// The first of the paths, as many as a packet has room for.
fn listed(paths: &[String]) -> &[String] {
    let mut bytes = 0;
    let fits = |path: &&String| {
        bytes += path.len() + 4;
        bytes <= LISTED_MAX
    };
    &paths[..paths.iter().take_while(fits).count()]
}
