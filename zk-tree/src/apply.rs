//! Applies transactions (`DataTree.processTxn`). The result depends on the
//! tree and the transaction only.
//!
//! Replay over a fuzzy snapshot meets znodes that are newer than the
//! transaction, or gone already. So every change is written such that doing
//! it again, or over a later state, leads to the same tree once the log has
//! been replayed to the end of the snapshot's time:
//!
//! * versions are set, not counted;
//! * a parent's cversion and pzxid only grow;
//! * a create that meets its znode, and a delete that misses it, still see to
//!   the parent;
//! * a delete takes along children, which can only be ones that the log
//!   creates later.
//!
//! Nothing here panics on a transaction, however odd: what cannot be done is
//! the transaction's result.

use crate::node::{Node, NodeId};
use crate::{AclIndex, Applied, DataTree, Outcome, TreeEvent, digest};
use zk_proto::path::split;
use zk_proto::txn::{CreateTxn, LoggedTxn, SetAclTxn, SetDataTxn, SubTxn, Txn, TxnHeader};
use zk_proto::{Acl, EphemeralType, ErrorCode, EventType, OpCode, Stat, StatPersisted, Ustr, Zxid};
use zk_proto::{MAX_TTL_MS, SessionId};

/// Who is told of changes.
type Events<'e> = dyn FnMut(TreeEvent<'_>) + 'e;

impl DataTree {
    /// Applies `txn` and tells `events` what changed, in Apache's order.
    ///
    /// Transactions come in the order of their zxids; that is the caller's
    /// duty. During replay the caller passes a closure that does nothing.
    pub fn apply(&mut self, txn: &LoggedTxn<'_>, events: &mut Events<'_>) -> Applied {
        let outcome = match &txn.txn {
            Txn::Multi(parts) => self.apply_multi(&txn.header, parts, events),
            single => self.apply_single(&txn.header, single, events),
        };
        self.last_zxid = self.last_zxid.max(txn.header.zxid);
        let digest_mismatch = if self.config.digest {
            self.digest_check
                .applied(txn.header.zxid, txn.digest, self.digest)
        } else {
            self.digest_check.passed(txn.header.zxid);
            None
        };
        Applied {
            outcome,
            digest_mismatch,
        }
    }

    /// All parts, or none if one of them is an error.
    fn apply_multi(
        &mut self,
        header: &TxnHeader,
        parts: &[SubTxn<'_>],
        events: &mut Events<'_>,
    ) -> Outcome {
        if parts.iter().any(|part| part.kind == OpCode::ERROR) {
            return Outcome::Multi(failed_parts(parts));
        }
        let mut outcomes = Vec::with_capacity(parts.len());
        for part in parts {
            let Some(txn) = decode_part(part) else {
                // Java gives up here, too, and keeps what it has done.
                outcomes.push(Outcome::Error(ErrorCode::MARSHALLING_ERROR));
                break;
            };
            outcomes.push(self.apply_single(header, &txn, events));
        }
        Outcome::Multi(outcomes)
    }

    fn apply_single(
        &mut self,
        header: &TxnHeader,
        txn: &Txn<'_>,
        events: &mut Events<'_>,
    ) -> Outcome {
        match txn {
            Txn::CreateSession(timeout_ms) => self.create_session(header.client_id, *timeout_ms),
            Txn::CloseSession(paths) => self.close_session(header, paths.as_deref(), events),
            Txn::Create(_) | Txn::Create2(_) | Txn::CreateContainer(_) | Txn::CreateTtl(_) => {
                match Creation::new(header, txn) {
                    Some(creation) => result(self.create(header, &creation, events)),
                    None => Outcome::Error(ErrorCode::BAD_ARGUMENTS),
                }
            }
            Txn::Delete(path) | Txn::DeleteContainer(path) => {
                result(self.delete(path, header.zxid, events))
            }
            Txn::SetData(record) | Txn::Reconfig(record) => {
                result(self.set_data(header, record, events))
            }
            Txn::SetAcl(record) => result(self.set_acl(record)),
            Txn::Error(code) => Outcome::Error(*code),
            Txn::Check(..) => Outcome::Checked,
            // A multi never gets here, and there is no other kind.
            _ => Outcome::Error(ErrorCode::UNIMPLEMENTED),
        }
    }

    fn create_session(&mut self, session: SessionId, timeout_ms: i32) -> Outcome {
        self.sessions.insert(session, timeout_ms);
        Outcome::SessionCreated
    }

    /// Deletes the znodes that the transaction lists, whoever owns them now,
    /// and any other ephemeral of the session.
    fn close_session(
        &mut self,
        header: &TxnHeader,
        paths: Option<&[Ustr<'_>]>,
        events: &mut Events<'_>,
    ) -> Outcome {
        let session = header.client_id;
        self.sessions.remove(&session);
        for path in paths.unwrap_or_default() {
            self.delete_if_there(path, header.zxid, events);
        }
        for path in self.ephemerals(session) {
            self.delete_if_there(&path, header.zxid, events);
        }
        self.owners.close(session);
        Outcome::SessionClosed
    }

    fn delete_if_there(&mut self, path: &str, zxid: Zxid, events: &mut Events<'_>) {
        if self.delete(path, zxid, events).is_err() {
            tracing::debug!(path, %zxid, "an ephemeral of a closed session is gone already");
        }
    }

    fn create(
        &mut self,
        header: &TxnHeader,
        creation: &Creation<'_>,
        events: &mut Events<'_>,
    ) -> Result<Outcome, ErrorCode> {
        let path = creation.path;
        let (parent_path, name) = split_path(path)?;
        let parent = self.lookup(parent_path).ok_or(ErrorCode::NO_NODE)?;
        let hash = self.index.hash(path);
        let existing = self.lookup_hashed(path, hash);
        let acl = self.acls.acquire(creation.acl);
        self.raise_cversion(parent, parent_path, creation.parent_cversion, header.zxid);
        if let Some(existing) = existing {
            self.replace_acl(existing, acl);
            return Err(ErrorCode::NODE_EXISTS);
        }
        let stat = new_stat(header, creation.owner);
        let id = self.insert(parent, path, hash, name, creation.data, &stat, acl);
        self.quota_znode_created(parent_path, name);
        self.count_change(path, 1, length(creation.data));
        self.tell(EventType::NodeCreated, path, header.zxid, acl, events);
        self.tell_parent(parent, parent_path, header.zxid, events);
        Ok(Outcome::Created(self.client_stat(id)))
    }

    /// Counts a creation in the parent, unless the parent knows of it, or of
    /// a later one, already.
    fn raise_cversion(&mut self, parent: NodeId, path: &str, cversion: i32, zxid: Zxid) {
        let known = self.node(parent).cversion;
        let cversion = match cversion {
            -1 => known.wrapping_add(1),
            given => given,
        };
        if cversion > known {
            self.change(parent, path, |node| {
                node.cversion = cversion;
                node.pzxid = zxid;
            });
        }
    }

    fn delete(
        &mut self,
        path: &str,
        zxid: Zxid,
        events: &mut Events<'_>,
    ) -> Result<Outcome, ErrorCode> {
        let (parent_path, name) = split_path(path)?;
        let parent = self.lookup(parent_path).ok_or(ErrorCode::NO_NODE)?;
        if zxid > self.node(parent).pzxid {
            self.change(parent, parent_path, |node| node.pzxid = zxid);
        }
        let id = self.lookup(path).ok_or(ErrorCode::NO_NODE)?;
        self.delete_descendants(id);
        let node = self.remove(id, path);
        let acl = AclIndex(node.acl);
        self.quota_znode_deleted(parent_path, name);
        self.count_change(path, -1, -(node.data_len() as i64));
        self.tell(EventType::NodeDeleted, path, zxid, acl, events);
        self.tell_parent(parent, parent_path, zxid, events);
        self.acls.release(acl);
        Ok(Outcome::Deleted)
    }

    /// A znode that the leader deleted had no children, so any that are here
    /// came with a fuzzy snapshot and will be created again.
    fn delete_descendants(&mut self, id: NodeId) {
        if self.node(id).children().is_empty() {
            return;
        }
        let below: Vec<NodeId> = self.subtree(id).skip(1).collect();
        for &id in below.iter().rev() {
            let path = self.path_of(id);
            let node = self.remove(id, &path);
            if let Ok((parent_path, name)) = split_path(&path) {
                self.quota_znode_deleted(parent_path, name);
            }
            self.count_change(&path, -1, -(node.data_len() as i64));
            self.acls.release(AclIndex(node.acl));
        }
    }

    pub(crate) fn set_data(
        &mut self,
        header: &TxnHeader,
        record: &SetDataTxn<'_>,
        events: &mut Events<'_>,
    ) -> Result<Outcome, ErrorCode> {
        let path: &str = &record.path;
        let data = record.data.map(|data| data.0);
        let id = self.lookup(path).ok_or(ErrorCode::NO_NODE)?;
        let digested = self.is_digested(path);
        let old_length = self.node(id).data_len() as i64;
        self.change(id, path, |node: &mut Node| {
            node.set_data(data);
            if digested {
                node.content_crc = digest::content_crc(path, data);
            }
            node.mtime = header.time;
            node.mzxid = header.zxid;
            node.version = record.version;
        });
        let stat = self.client_stat(id);
        let grown = length(data) - old_length;
        self.count_change(path, 0, grown);
        self.data_size += grown;
        let acl = AclIndex(self.node(id).acl);
        self.tell(EventType::NodeDataChanged, path, header.zxid, acl, events);
        Ok(Outcome::DataSet(stat))
    }

    fn set_acl(&mut self, record: &SetAclTxn<'_>) -> Result<Outcome, ErrorCode> {
        let id = self.lookup(&record.path).ok_or(ErrorCode::NO_NODE)?;
        let acl = self.acls.acquire(record.acl.as_deref());
        self.replace_acl(id, acl);
        self.change(id, &record.path, |node| node.aversion = record.version);
        Ok(Outcome::AclSet(self.client_stat(id)))
    }

    fn replace_acl(&mut self, id: NodeId, acl: AclIndex) {
        let node = self.slab.node_mut(id);
        let old = AclIndex(std::mem::replace(&mut node.acl, acl.0));
        self.acls.release(old);
    }

    pub(crate) fn client_stat(&self, id: NodeId) -> Stat {
        self.node_ref(id).stat()
    }

    fn tell_parent(&self, parent: NodeId, path: &str, zxid: Zxid, events: &mut Events<'_>) {
        let acl = AclIndex(self.node(parent).acl);
        self.tell(EventType::NodeChildrenChanged, path, zxid, acl, events);
    }

    fn tell(
        &self,
        kind: EventType,
        path: &str,
        zxid: Zxid,
        acl: AclIndex,
        events: &mut Events<'_>,
    ) {
        let path = if path.is_empty() { "/" } else { path };
        let acl = self.acls.get(acl);
        events(TreeEvent {
            kind,
            path,
            zxid,
            acl,
        });
    }
}

/// The four kinds of creating transaction in one form.
struct Creation<'t> {
    path: &'t str,
    data: Option<&'t [u8]>,
    acl: Option<&'t [Acl<'t>]>,
    owner: i64,
    parent_cversion: i32,
}

impl<'t> Creation<'t> {
    /// `None` for a time to live that no znode can have.
    fn new(header: &TxnHeader, txn: &'t Txn<'_>) -> Option<Self> {
        Some(match txn {
            Txn::Create(record) | Txn::Create2(record) => Self {
                path: &record.path,
                data: record.data.map(|data| data.0),
                acl: record.acl.as_deref(),
                owner: session_owner(header, record),
                parent_cversion: record.parent_cversion,
            },
            Txn::CreateContainer(record) => Self {
                path: &record.path,
                data: record.data.map(|data| data.0),
                acl: record.acl.as_deref(),
                owner: EphemeralType::Container.owner(),
                parent_cversion: record.parent_cversion,
            },
            Txn::CreateTtl(record) if (1..=MAX_TTL_MS).contains(&record.ttl) => Self {
                path: &record.path,
                data: record.data.map(|data| data.0),
                acl: record.acl.as_deref(),
                owner: EphemeralType::Ttl(record.ttl).owner(),
                parent_cversion: record.parent_cversion,
            },
            _ => return None,
        })
    }
}

const fn session_owner(header: &TxnHeader, record: &CreateTxn<'_>) -> i64 {
    if record.ephemeral {
        header.client_id.0
    } else {
        0
    }
}

const fn new_stat(header: &TxnHeader, owner: i64) -> StatPersisted {
    StatPersisted {
        czxid: header.zxid,
        mzxid: header.zxid,
        ctime: header.time,
        mtime: header.time,
        version: 0,
        cversion: 0,
        aversion: 0,
        ephemeral_owner: owner,
        pzxid: header.zxid,
    }
}

/// The parent's path, "" for the root, and the name. The root itself has
/// none, and a second slash at the start would make the root its own parent.
fn split_path(path: &str) -> Result<(&str, &str), ErrorCode> {
    split(path)
        .filter(|&(parent, _)| path != "/" && parent != "/")
        .ok_or(ErrorCode::BAD_ARGUMENTS)
}

/// The kinds that may stand in a multi.
fn decode_part<'t>(part: &SubTxn<'t>) -> Option<Txn<'t>> {
    match part.kind {
        OpCode::CREATE
        | OpCode::CREATE2
        | OpCode::CREATE_CONTAINER
        | OpCode::CREATE_TTL
        | OpCode::DELETE
        | OpCode::DELETE_CONTAINER
        | OpCode::SET_DATA
        | OpCode::CHECK => part.decode().ok(),
        _ => None,
    }
}

/// The answers of a multi that failed: what its error parts say, 0 before the
/// first of them and RUNTIMEINCONSISTENCY for anything else behind it.
fn failed_parts(parts: &[SubTxn<'_>]) -> Vec<Outcome> {
    let mut rest = ErrorCode::OK;
    let mut outcomes = Vec::with_capacity(parts.len());
    for part in parts {
        let code = match part.kind {
            OpCode::ERROR => {
                rest = ErrorCode::RUNTIME_INCONSISTENCY;
                match part.decode() {
                    Ok(Txn::Error(code)) => code,
                    _ => ErrorCode::MARSHALLING_ERROR,
                }
            }
            _ => rest,
        };
        outcomes.push(Outcome::Error(code));
    }
    outcomes
}

fn result(result: Result<Outcome, ErrorCode>) -> Outcome {
    result.unwrap_or_else(Outcome::Error)
}

fn length(data: Option<&[u8]>) -> i64 {
    data.map_or(0, <[u8]>::len) as i64
}
