//! delete, deleteContainer, setData, setACL and check.

use super::{Step, appended};
use crate::digest;
use crate::pending::{NodeState, Seen};
use zk_proto::path::{split, validate};
use zk_proto::{
    CheckVersionRequest, DeleteRequest, EphemeralType, ErrorCode, PathRequest, Perms,
    SetAclRequest, SetDataRequest, Ustr, jute,
};

/// Paths that nobody may delete.
const SPECIAL: [&str; 4] = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"];

impl Step<'_> {
    pub(super) fn delete(
        &mut self,
        request: &DeleteRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        self.check_session()?;
        let path = request
            .path
            .as_deref()
            .ok_or(ErrorCode::MARSHALLING_ERROR)?;
        let parent_path = deletable(path)?;
        let parent = self.find_node(parent_path)?;
        self.check_acl(&parent.1, Perms::DELETE)?;
        let (seen, state) = self.find_node(path)?;
        next_version(state.stat.version, request.version)?;
        if state.children > 0 {
            return Err(ErrorCode::NOT_EMPTY);
        }
        appended(jute::append(out, path))?;
        self.unlink(parent_path, parent, path, &seen);
        Ok(())
    }

    /// The server's own removal of a container or TTL znode. Apache serves it
    /// to clients, too: without looking at rights, and for plain znodes.
    pub(super) fn delete_container(
        &mut self,
        request: &PathRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let path = request
            .path
            .as_deref()
            .ok_or(ErrorCode::MARSHALLING_ERROR)?;
        let parent_path = deletable(path)?;
        let (seen, state) = self.find_node(path)?;
        if state.children > 0 {
            return Err(ErrorCode::NOT_EMPTY);
        }
        if let EphemeralType::Normal(_) = self.tree.kind(state.stat.ephemeral_owner) {
            return Err(ErrorCode::BAD_VERSION);
        }
        let parent = self.find_node(parent_path)?;
        appended(jute::append(out, path))?;
        self.unlink(parent_path, parent, path, &seen);
        Ok(())
    }

    /// Notes that a znode goes and its parent learns of it.
    pub(super) fn unlink(
        &mut self,
        parent_path: &str,
        (parent_seen, mut parent): (Seen, NodeState),
        path: &str,
        seen: &Seen,
    ) {
        parent.children = parent.children.saturating_sub(1);
        parent.stat.pzxid = parent.stat.pzxid.max(self.stamp.zxid);
        self.put(parent_path, &parent_seen, Some(parent));
        self.put(path, seen, None);
    }

    pub(super) fn set_data(
        &mut self,
        request: &SetDataRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        self.check_session()?;
        let path = valid(request.path.as_ref())?;
        let (seen, mut state) = self.find_node(path)?;
        self.check_acl(&state, Perms::WRITE)?;
        let data_len = request.data.map_or(0, |data| data.len());
        self.check_quota(path, 0, data_len as i64 - state.data_len as i64)?;
        let version = next_version(state.stat.version, request.version)?;
        appended(jute::append(out, &(path, request.data, version)))?;
        state.stat.version = version;
        state.stat.mtime = self.stamp.time_ms;
        state.stat.mzxid = self.stamp.zxid;
        state.data_len = data_len;
        if self.tree.is_digested(path) {
            state.content_crc = digest::content_crc(path, request.data.as_deref());
        }
        self.put(path, &seen, Some(state));
        Ok(())
    }

    pub(super) fn set_acl(
        &mut self,
        request: &SetAclRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        self.check_session()?;
        let path = valid(request.path.as_ref())?;
        let rules = &self.config.acl;
        let acl = rules.fix_up(request.acl.as_deref(), self.caller.identities)?;
        let (seen, mut state) = self.find_node(path)?;
        self.check_acl(&state, Perms::ADMIN)?;
        let version = next_version(state.stat.aversion, request.version)?;
        appended(jute::append(out, &(path, &*acl, version)))?;
        state.stat.aversion = version;
        state.acl = self.pending.keep_acl(&acl);
        self.put(path, &seen, Some(state));
        Ok(())
    }

    /// Only parts of a multi get here.
    pub(super) fn check(
        &mut self,
        request: &CheckVersionRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        self.check_session()?;
        let path = valid(request.path.as_ref())?;
        let (_, state) = self.find_node(path)?;
        self.check_acl(&state, Perms::READ)?;
        let version = next_version(state.stat.version, request.version)?;
        appended(jute::append(out, &(path, version)))
    }
}

/// The parent of what is to be deleted.
fn deletable(path: &str) -> Result<&str, ErrorCode> {
    match split(path) {
        Some((parent, _)) if !path.contains('\0') && !SPECIAL.contains(&path) => Ok(parent),
        _ => Err(ErrorCode::BAD_ARGUMENTS),
    }
}

fn valid<'r>(path: Option<&'r Ustr<'_>>) -> Result<&'r str, ErrorCode> {
    let path = path.ok_or(ErrorCode::BAD_ARGUMENTS)?;
    validate(path).map_err(|_| ErrorCode::BAD_ARGUMENTS)?;
    Ok(path)
}

/// The version after a change that expects `expected`, -1 for any.
const fn next_version(current: i32, expected: i32) -> Result<i32, ErrorCode> {
    if expected == -1 || expected == current {
        Ok(current.wrapping_add(1))
    } else {
        Err(ErrorCode::BAD_VERSION)
    }
}
