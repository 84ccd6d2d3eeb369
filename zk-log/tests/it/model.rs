//! A tree of the plainest kind, to see that files hold the state they should.
//! It follows Apache's rules for stats and replay and knows nothing of speed.

use flate2::Crc;
use std::collections::{BTreeMap, BTreeSet};
use zk_log::RecoverySink;
use zk_proto::snapshot::{
    AclEntry, NodeEntry, OPEN_ACL_INDEX, SessionEntry, SnapshotDigest, append_end,
};
use zk_proto::txn::{CreateTxn, LoggedTxn, Txn, TxnDigest, TxnHeader};
use zk_proto::{Acl, Buffer, OpCode, SessionId, StatPersisted, Ustr, Zxid, jute};

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) sessions: BTreeMap<i64, i32>,
    pub(crate) nodes: BTreeMap<String, Node>,
    /// Lists of the snapshot that is being read.
    acls: BTreeMap<i64, Vec<Acl<'static>>>,
    pub(crate) last: Zxid,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) acl: Vec<Acl<'static>>,
    pub(crate) stat: StatPersisted,
}

pub(crate) const CONTAINER: i64 = i64::MIN;
pub(crate) const TTL_MASK: i64 = 0xff << 56;

impl Model {
    /// A tree as Apache has it before the first transaction.
    pub(crate) fn fresh() -> Self {
        let mut model = Self::default();
        for path in ["", "/zookeeper", "/zookeeper/quota"] {
            let node = Node {
                data: Some(Vec::new()),
                acl: vec![Acl::open()],
                stat: StatPersisted::default(),
            };
            model.nodes.insert(path.to_owned(), node);
        }
        model
    }

    pub(crate) fn children(&self, path: &str) -> usize {
        let prefix = format!("{path}/");
        self.nodes
            .keys()
            .filter(|it| {
                it.strip_prefix(&prefix)
                    .is_some_and(|rest| !rest.contains('/') && !rest.is_empty())
            })
            .count()
    }

    pub(crate) fn ephemerals(&self, session: i64) -> BTreeSet<&str> {
        self.nodes
            .iter()
            .filter(|(_, node)| node.stat.ephemeral_owner == session)
            .map(|(path, _)| path.as_str())
            .collect()
    }

    /// PROTOCOL: the sum over nodes of the CRC-32 of path, data and stat.
    pub(crate) fn digest(&self) -> i64 {
        let counted = self
            .nodes
            .iter()
            .filter(|(path, _)| !path.starts_with("/zookeeper/"));
        let sum = counted.fold(0_u64, |sum, (path, node)| {
            let mut crc = Crc::new();
            crc.update(path.as_bytes());
            crc.update(node.data.as_deref().unwrap_or_default());
            let stat = &node.stat;
            for long in [
                stat.czxid.0,
                stat.mzxid.0,
                stat.pzxid.0,
                stat.ctime,
                stat.mtime,
            ] {
                crc.update(&long.to_be_bytes());
            }
            for int in [stat.version, stat.cversion, stat.aversion] {
                crc.update(&int.to_be_bytes());
            }
            crc.update(&stat.ephemeral_owner.to_be_bytes());
            sum.wrapping_add(u64::from(crc.sum()))
        });
        sum.cast_signed()
    }

    /// The content of a snapshot: sessions, lists, znodes, end mark.
    pub(crate) fn content(&self) -> Vec<u8> {
        let mut lists: Vec<&Vec<Acl<'static>>> = Vec::new();
        for node in self.nodes.values() {
            if node.acl != [Acl::open()] && !lists.contains(&&node.acl) {
                lists.push(&node.acl);
            }
        }
        let mut out = Vec::new();
        jute::append(&mut out, &i32::try_from(self.sessions.len()).unwrap()).unwrap();
        for (&id, &timeout_ms) in &self.sessions {
            let id = SessionId(id);
            jute::append(&mut out, &SessionEntry { id, timeout_ms }).unwrap();
        }
        jute::append(&mut out, &i32::try_from(lists.len()).unwrap()).unwrap();
        for (index, list) in (1..).zip(&lists) {
            let acl = Some((*list).clone());
            jute::append(&mut out, &AclEntry { index, acl }).unwrap();
        }
        for (path, node) in &self.nodes {
            let list = lists.iter().position(|list| **list == node.acl);
            let entry = NodeEntry {
                path: path.as_str().into(),
                data: node.data.as_deref().map(Buffer),
                acl: list.map_or(OPEN_ACL_INDEX, |at| i64::try_from(at).unwrap() + 1),
                stat: node.stat,
            };
            jute::append(&mut out, &entry).unwrap();
        }
        append_end(&mut out).unwrap();
        out
    }

    /// The payload that does `txn`, which is applied.
    pub(crate) fn write(&mut self, zxid: Zxid, client: i64, txn: Txn<'_>) -> Vec<u8> {
        let mut logged = LoggedTxn {
            header: TxnHeader {
                client_id: SessionId(client),
                cxid: 1,
                zxid,
                time: 1_700_000_000_000 + zxid.0,
                kind: txn.kind(),
            },
            txn,
            digest: None,
        };
        self.apply(&logged);
        logged.digest = Some(TxnDigest {
            version: 2,
            tree: self.digest(),
        });
        let mut payload = Vec::new();
        logged.encode(&mut payload).unwrap();
        payload
    }

    pub(crate) fn apply(&mut self, logged: &LoggedTxn<'_>) {
        let header = &logged.header;
        self.last = header.zxid;
        match &logged.txn {
            Txn::CreateSession(timeout) => {
                self.sessions.insert(header.client_id.0, *timeout);
            }
            Txn::CloseSession(paths) => self.close(header, paths.as_deref().unwrap_or_default()),
            Txn::Multi(parts) => {
                if parts.iter().all(|part| part.kind != OpCode::ERROR) {
                    for part in parts {
                        self.change(header, &part.decode().unwrap());
                    }
                }
            }
            txn => self.change(header, txn),
        }
    }

    fn close(&mut self, header: &TxnHeader, paths: &[Ustr<'_>]) {
        let session = header.client_id.0;
        let mut all: BTreeSet<String> = paths.iter().map(|path| path.to_string()).collect();
        all.extend(self.ephemerals(session).into_iter().map(str::to_owned));
        for path in all {
            self.delete(header, &path);
        }
        self.sessions.remove(&session);
    }

    fn change(&mut self, header: &TxnHeader, txn: &Txn<'_>) {
        match txn {
            Txn::Create(create) => self.create(header, create, true),
            Txn::Create2(create) => self.create(header, create, false),
            Txn::CreateContainer(it) => self.insert(
                header,
                &it.path,
                it.data,
                &it.acl,
                CONTAINER,
                it.parent_cversion,
                false,
            ),
            Txn::CreateTtl(it) => self.insert(
                header,
                &it.path,
                it.data,
                &it.acl,
                TTL_MASK | it.ttl,
                it.parent_cversion,
                false,
            ),
            Txn::Delete(path) | Txn::DeleteContainer(path) => self.delete(header, path),
            Txn::SetData(set) | Txn::Reconfig(set) => {
                if let Some(node) = self.nodes.get_mut(key(&set.path)) {
                    node.data = set.data.map(|data| data.to_vec());
                    node.stat.version = set.version;
                    node.stat.mzxid = header.zxid;
                    node.stat.mtime = header.time;
                }
            }
            Txn::SetAcl(set) => {
                if let Some(node) = self.nodes.get_mut(key(&set.path)) {
                    node.acl = owned(&set.acl);
                    node.stat.aversion = set.version;
                }
            }
            _ => {}
        }
    }

    fn create(&mut self, header: &TxnHeader, create: &CreateTxn<'_>, adjust: bool) {
        let owner = if create.ephemeral {
            header.client_id.0
        } else {
            0
        };
        self.insert(
            header,
            &create.path,
            create.data,
            &create.acl,
            owner,
            create.parent_cversion,
            adjust,
        );
    }

    #[allow(clippy::too_many_arguments)]
    fn insert(
        &mut self,
        header: &TxnHeader,
        path: &str,
        data: Option<Buffer<'_>>,
        acl: &Option<Vec<Acl<'_>>>,
        owner: i64,
        cversion: i32,
        adjust: bool,
    ) {
        let exists = self.nodes.contains_key(path);
        let Some(parent) = self.nodes.get_mut(parent(path)) else {
            return;
        };
        let cversion = if cversion == -1 {
            parent.stat.cversion + 1
        } else {
            cversion
        };
        if (!exists || adjust) && cversion > parent.stat.cversion {
            parent.stat.cversion = cversion;
            parent.stat.pzxid = header.zxid;
        }
        if exists {
            self.nodes.get_mut(path).unwrap().acl = owned(acl);
            return;
        }
        let stat = StatPersisted {
            czxid: header.zxid,
            mzxid: header.zxid,
            pzxid: header.zxid,
            ctime: header.time,
            mtime: header.time,
            ephemeral_owner: owner,
            ..StatPersisted::default()
        };
        let node = Node {
            data: data.map(|data| data.to_vec()),
            acl: owned(acl),
            stat,
        };
        self.nodes.insert(path.to_owned(), node);
    }

    fn delete(&mut self, header: &TxnHeader, path: &str) {
        if let Some(parent) = self.nodes.get_mut(parent(path)) {
            parent.stat.pzxid = parent.stat.pzxid.max(header.zxid);
            self.nodes.remove(path);
        }
    }
}

/// The root has two names in requests and one in the tree.
fn key(path: &str) -> &str {
    if path == "/" { "" } else { path }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn owned(acl: &Option<Vec<Acl<'_>>>) -> Vec<Acl<'static>> {
    let acl = acl.iter().flatten().cloned();
    acl.map(Acl::into_owned).collect()
}

impl RecoverySink for Model {
    fn session(&mut self, session: SessionEntry) -> Result<(), String> {
        self.sessions.insert(session.id.0, session.timeout_ms);
        Ok(())
    }

    fn acl(&mut self, entry: &AclEntry<'_>) -> Result<(), String> {
        self.acls.insert(entry.index, owned(&entry.acl));
        Ok(())
    }

    fn node(&mut self, node: &NodeEntry<'_>) -> Result<(), String> {
        let acl = match node.acl {
            OPEN_ACL_INDEX => vec![Acl::open()],
            index => self.acls.get(&index).cloned().ok_or("no such list")?,
        };
        let path = node.path.to_string();
        if !path.is_empty() && !self.nodes.contains_key(parent(&path)) {
            return Err(format!("{path} comes before its parent"));
        }
        let node = Node {
            data: node.data.map(|data| data.to_vec()),
            acl,
            stat: node.stat,
        };
        self.nodes.insert(path, node);
        Ok(())
    }

    fn snapshot_done(&mut self, zxid: Zxid, _: Option<SnapshotDigest>) -> Result<(), String> {
        self.last = zxid;
        self.acls.clear();
        Ok(())
    }

    fn discard(&mut self) {
        *self = Self::default();
    }

    fn txn(&mut self, txn: &LoggedTxn<'_>) -> Result<(), String> {
        self.apply(txn);
        Ok(())
    }
}
