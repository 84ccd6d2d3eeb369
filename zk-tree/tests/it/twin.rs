//! A tree that is too simple to be wrong: paths in a map, everything else
//! computed when asked for.

use std::collections::{BTreeMap, BTreeSet};
use zk_proto::txn::{LoggedTxn, Txn, TxnHeader};
use zk_proto::{Acl, OpCode, StatPersisted};
use zk_tree::{DataTree, StatsTrack};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TwinNode {
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) stat: StatPersisted,
    pub(crate) acl: Option<Vec<Acl<'static>>>,
}

const CONTAINER: i64 = i64::MIN;
const TTL: i64 = 0xff << 56;

impl TwinNode {
    pub(crate) fn owner_is_session(&self) -> bool {
        let owner = self.stat.ephemeral_owner;
        owner != 0 && owner != CONTAINER && owner & TTL != TTL
    }
}

/// The root is "".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Twin {
    pub(crate) nodes: BTreeMap<String, TwinNode>,
    pub(crate) sessions: BTreeMap<i64, i32>,
}

impl Twin {
    pub(crate) fn new() -> Self {
        let read = vec![Acl::new(zk_proto::Perms::READ, "world", "anyone")];
        let nodes = ["", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"].map(|path| {
            let mut node = TwinNode {
                data: Some(Vec::new()),
                stat: StatPersisted::default(),
                acl: None,
            };
            if path == "/zookeeper/config" {
                node.acl = Some(read.clone());
                node.stat.aversion = -1;
            }
            (path.to_owned(), node)
        });
        Self {
            nodes: nodes.into(),
            sessions: BTreeMap::new(),
        }
    }

    /// What a tree holds, to compare it with others.
    pub(crate) fn of(tree: &DataTree) -> Self {
        let mut nodes = BTreeMap::new();
        let mut ahead = vec![String::new()];
        while let Some(path) = ahead.pop() {
            let node = tree.get(&path).unwrap();
            ahead.extend(node.child_names().map(|name| format!("{path}/{name}")));
            let acl = node.acl();
            let twin = TwinNode {
                data: node.data().map(<[u8]>::to_vec),
                stat: node.stored(),
                acl: (acl.index() != zk_tree::AclIndex::OPEN).then(|| acl.entries().to_vec()),
            };
            assert!(nodes.insert(path, twin).is_none());
        }
        Self {
            nodes,
            sessions: tree
                .sessions()
                .map(|(id, timeout)| (id.0, timeout))
                .collect(),
        }
    }

    pub(crate) fn assert_is(&self, expected: &Self, what: &str) {
        assert_eq!(self.sessions, expected.sessions, "{what}");
        let paths: BTreeSet<&String> = self.nodes.keys().chain(expected.nodes.keys()).collect();
        for path in paths {
            let (node, expected) = (self.nodes.get(path), expected.nodes.get(path));
            assert_eq!(node, expected, "{path} in {what}");
        }
    }

    pub(crate) fn parent(&self, path: &str) -> Option<&TwinNode> {
        self.nodes.get(path.rsplit_once('/')?.0)
    }

    pub(crate) fn below(&self, path: &str) -> impl Iterator<Item = (&String, &TwinNode)> {
        let prefix = format!("{path}/");
        self.nodes
            .iter()
            .filter(move |(path, _)| path.starts_with(&prefix))
    }

    pub(crate) fn children(&self, path: &str) -> impl Iterator<Item = &String> {
        let start = path.len() + 1;
        self.below(path)
            .map(|(path, _)| path)
            .filter(move |path| !path[start..].contains('/'))
    }

    pub(crate) fn ephemerals(&self, session: i64) -> Vec<String> {
        self.nodes
            .iter()
            .filter(|(_, node)| node.stat.ephemeral_owner == session)
            .map(|(path, _)| path.clone())
            .collect()
    }

    pub(crate) fn digest(&self) -> u64 {
        self.nodes
            .iter()
            .filter(|(path, _)| !path.starts_with("/zookeeper/"))
            .map(|(path, node)| node_digest(path, node))
            .fold(0, u64::wrapping_add)
    }

    /// Sets the stats of quotas that are in force to what they count, and
    /// those that are not to nothing: they count no more.
    pub(crate) fn with_quotas_counted(mut self) -> Self {
        for name in ["a", "b"] {
            let top = format!("/{name}");
            let counted = self
                .below(&top)
                .map(|(_, node)| node)
                .chain(self.nodes.get(&top));
            let (count, bytes) = counted.fold((0, 0), |(count, bytes), node| {
                (count + 1, bytes + node.data.as_ref().map_or(0, Vec::len))
            });
            let track = StatsTrack::new(count, bytes as i64).to_string();
            let stats = format!("/zookeeper/quota/{name}/zookeeper_stats");
            if let Some(node) = self.nodes.get_mut(&stats) {
                node.data = Some(track.into_bytes());
            }
        }
        self
    }

    pub(crate) fn apply(&mut self, txn: &LoggedTxn<'_>) {
        match &txn.txn {
            Txn::Multi(parts) => {
                if parts.iter().all(|part| part.kind != OpCode::ERROR) {
                    for part in parts {
                        self.apply_one(&txn.header, &part.decode().unwrap());
                    }
                }
            }
            single => self.apply_one(&txn.header, single),
        }
    }

    fn apply_one(&mut self, header: &TxnHeader, txn: &Txn<'_>) {
        match txn {
            Txn::CreateSession(timeout) => {
                self.sessions.insert(header.client_id.0, *timeout);
            }
            Txn::CloseSession(paths) => {
                self.sessions.remove(&header.client_id.0);
                let listed = paths.iter().flatten().map(|path| path.to_string());
                for path in listed.collect::<Vec<_>>() {
                    self.delete(&path, header);
                }
                for path in self.ephemerals(header.client_id.0) {
                    self.delete(&path, header);
                }
            }
            Txn::Create(it) | Txn::Create2(it) => {
                let owner = if it.ephemeral { header.client_id.0 } else { 0 };
                self.create(
                    &it.path,
                    it.data,
                    &it.acl,
                    owner,
                    it.parent_cversion,
                    header,
                );
            }
            Txn::CreateContainer(it) => {
                self.create(
                    &it.path,
                    it.data,
                    &it.acl,
                    CONTAINER,
                    it.parent_cversion,
                    header,
                );
            }
            Txn::CreateTtl(it) => {
                let owner = TTL | it.ttl;
                self.create(
                    &it.path,
                    it.data,
                    &it.acl,
                    owner,
                    it.parent_cversion,
                    header,
                );
            }
            Txn::Delete(path) | Txn::DeleteContainer(path) => self.delete(path, header),
            Txn::SetData(it) => {
                if let Some(node) = self.nodes.get_mut(it.path.as_str()) {
                    node.data = it.data.map(|data| data.to_vec());
                    node.stat.mzxid = header.zxid;
                    node.stat.mtime = header.time;
                    node.stat.version = it.version;
                }
            }
            Txn::SetAcl(it) => {
                if let Some(node) = self.nodes.get_mut(it.path.as_str()) {
                    node.acl = owned(&it.acl);
                    node.stat.aversion = it.version;
                }
            }
            _ => {}
        }
    }

    fn create(
        &mut self,
        path: &str,
        data: Option<zk_proto::Buffer<'_>>,
        acl: &Option<Vec<Acl<'_>>>,
        owner: i64,
        parent_cversion: i32,
        header: &TxnHeader,
    ) {
        let parent = path.rsplit_once('/').unwrap().0;
        let Some(parent) = self.nodes.get_mut(parent) else {
            return;
        };
        if parent_cversion > parent.stat.cversion {
            parent.stat.cversion = parent_cversion;
            parent.stat.pzxid = header.zxid;
        }
        if let Some(node) = self.nodes.get_mut(path) {
            node.acl = owned(acl);
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
        let node = TwinNode {
            data: data.map(|data| data.to_vec()),
            stat,
            acl: owned(acl),
        };
        self.nodes.insert(path.to_owned(), node);
    }

    fn delete(&mut self, path: &str, header: &TxnHeader) {
        let parent = path.rsplit_once('/').unwrap().0;
        let Some(parent) = self.nodes.get_mut(parent) else {
            return;
        };
        parent.stat.pzxid = parent.stat.pzxid.max(header.zxid);
        if self.nodes.remove(path).is_some() {
            let below: Vec<String> = self.below(path).map(|(path, _)| path.clone()).collect();
            for path in below {
                self.nodes.remove(&path);
            }
        }
    }
}

fn owned(acl: &Option<Vec<Acl<'_>>>) -> Option<Vec<Acl<'static>>> {
    let list = acl.as_ref()?;
    Some(list.iter().cloned().map(Acl::into_owned).collect())
}

fn node_digest(path: &str, node: &TwinNode) -> u64 {
    let stat = &node.stat;
    let mut bytes = path.as_bytes().to_vec();
    bytes.extend(node.data.iter().flatten());
    for zxid in [stat.czxid, stat.mzxid, stat.pzxid] {
        bytes.extend(zxid.0.to_be_bytes());
    }
    bytes.extend(stat.ctime.to_be_bytes());
    bytes.extend(stat.mtime.to_be_bytes());
    bytes.extend(stat.version.to_be_bytes());
    bytes.extend(stat.cversion.to_be_bytes());
    bytes.extend(stat.aversion.to_be_bytes());
    bytes.extend(stat.ephemeral_owner.to_be_bytes());
    u64::from(crc32fast::hash(&bytes))
}
