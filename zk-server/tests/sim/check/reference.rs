//! The one history: every transaction that any server ever delivered, in
//! order, and the tree after each. All servers and clients are compared with
//! it. It refuses to know servers.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use zk_log::MemStorage;
use zk_proto::txn::{LoggedTxn, Txn};
use zk_proto::{Epoch, SessionId, Zxid};
use zk_tree::{DataTree, TreeConfig};

/// A znode as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Znode {
    pub(crate) czxid: Zxid,
    pub(crate) mzxid: Zxid,
    pub(crate) version: i32,
    pub(crate) value: u64,
}

/// A path from a transaction on.
type Change = (Zxid, Option<Znode>);

pub(crate) struct Reference {
    pub(crate) tree: DataTree,
    /// Every transaction, and the digest after it.
    chain: Vec<(Zxid, u64)>,
    /// The payload of every proposal that was ever made.
    proposals: HashMap<Zxid, Vec<u8>>,
    /// What the leader of an epoch began with.
    bases: BTreeMap<Epoch, Zxid>,
    changes: HashMap<String, Vec<Change>>,
    closed: HashMap<SessionId, Zxid>,
}

/// Why the history cannot go on to where a server says that it is.
pub(crate) enum Broken {
    /// The history of an epoch begins before what was committed before it.
    Lost {
        epoch: Epoch,
        base: Zxid,
        committed: Zxid,
    },
    /// An epoch that nobody established.
    NoEpoch(Epoch),
    /// A payload that nobody saw.
    Unseen(Zxid),
    Other(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost {
                epoch,
                base,
                committed,
            } => write!(
                f,
                "epoch {epoch} begins with {base}, and {committed} is committed"
            ),
            Self::NoEpoch(epoch) => write!(f, "nobody established epoch {epoch}"),
            Self::Unseen(zxid) => write!(f, "nobody proposed {zxid}"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl Reference {
    pub(crate) fn new() -> Self {
        let tree = DataTree::new(TreeConfig {
            hash_seed: 0,
            extended_types: false,
            digest: true,
        });
        let start = (tree.last_zxid(), tree.digest());
        Self {
            tree,
            chain: vec![start],
            proposals: HashMap::new(),
            bases: BTreeMap::new(),
            changes: HashMap::new(),
            closed: HashMap::new(),
        }
    }

    pub(crate) fn last(&self) -> Zxid {
        self.chain.last().map_or(Zxid::ZERO, |(zxid, _)| *zxid)
    }

    pub(crate) fn len(&self) -> usize {
        self.chain.len() - 1
    }

    /// What an answer may show at most.
    pub(crate) fn top(&self) -> Zxid {
        let epoch = self.bases.keys().next_back();
        let base = epoch.map_or(Zxid::ZERO, |epoch| Zxid::new(*epoch, 0));
        self.last().max(base)
    }

    /// The last transaction at or before a zxid, which may be the beginning
    /// of an epoch.
    pub(crate) fn resolve(&self, zxid: Zxid) -> Option<Zxid> {
        if zxid.counter() > 0 || zxid == Zxid::ZERO {
            return Some(zxid);
        }
        self.bases.get(&zxid.epoch()).copied()
    }

    /// A leader proposes, or passes on what was proposed. One zxid has one
    /// payload.
    pub(crate) fn note_proposal(&mut self, zxid: Zxid, payload: &[u8]) -> Result<(), String> {
        match self.proposals.get(&zxid) {
            None => {
                self.proposals.insert(zxid, payload.to_vec());
                Ok(())
            }
            Some(known) if known == payload => Ok(()),
            Some(known) => Err(format!(
                "{zxid} was proposed twice: {:?} and {:?}",
                LoggedTxn::decode(known),
                LoggedTxn::decode(payload)
            )),
        }
    }

    /// Learns of proposals by the log of who has them.
    pub(crate) fn read_log(&mut self, files: &MemStorage, from: Zxid) {
        let dir = Path::new("/data/version-2");
        let before = Zxid(from.0 - 1);
        let read = zk_log::read_txns(files, dir, before, &mut |txn| {
            let mut payload = Vec::new();
            txn.encode(&mut payload).expect("it was decoded");
            let known = self.proposals.entry(txn.header.zxid);
            known.or_insert(payload);
            Ok(())
        });
        // What cannot be read stays unseen.
        drop(read);
    }

    /// A leader serves in this epoch, with this history.
    pub(crate) fn note_established(&mut self, epoch: Epoch, base: Zxid) {
        self.bases.entry(epoch).or_insert(base);
    }

    /// A server delivered everything up to `to`.
    pub(crate) fn advance(&mut self, to: Zxid) -> Result<(), Broken> {
        let mut segments = Vec::new();
        let last = self.last();
        let mut end = to;
        while end > last {
            let epoch = end.epoch();
            let first = if epoch == last.epoch() {
                last.counter() + 1
            } else {
                1
            };
            segments.push((epoch, first, end.counter()));
            if epoch == last.epoch() {
                break;
            }
            end = *self.bases.get(&epoch).ok_or(Broken::NoEpoch(epoch))?;
            if end < last {
                return Err(Broken::Lost {
                    epoch,
                    base: end,
                    committed: last,
                });
            }
        }
        for (epoch, first, end) in segments.into_iter().rev() {
            for counter in first..=end {
                self.apply(Zxid::new(epoch, counter))?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, zxid: Zxid) -> Result<(), Broken> {
        let payload = self.proposals.get(&zxid).ok_or(Broken::Unseen(zxid))?;
        let payload = payload.clone();
        let txn = LoggedTxn::decode(&payload)
            .map_err(|error| Broken::Other(format!("{zxid} cannot be read: {error}")))?;
        let paths = self.touched(&txn);
        let applied = self.tree.apply(&txn, &mut |_| {});
        if let Some(mismatch) = applied.digest_mismatch {
            return Err(Broken::Other(format!(
                "the digest in {zxid} is wrong: {mismatch:?}"
            )));
        }
        for path in paths {
            let now = znode(&self.tree, &path);
            let changes = self.changes.entry(path).or_default();
            if changes.last().is_none_or(|(_, before)| *before != now) {
                changes.push((zxid, now));
            }
        }
        self.chain.push((zxid, self.tree.digest()));
        Ok(())
    }

    fn touched(&mut self, txn: &LoggedTxn<'_>) -> Vec<String> {
        if let Txn::CloseSession(_) = txn.txn {
            let session = txn.header.client_id;
            self.closed.insert(session, txn.header.zxid);
            return self.tree.ephemerals(session);
        }
        let mut paths = Vec::new();
        note_paths(&txn.txn, &mut paths);
        paths
    }

    /// The digest right after a transaction; `None` if it is none of ours.
    pub(crate) fn digest_at(&self, zxid: Zxid) -> Option<u64> {
        let zxid = self.resolve(zxid)?;
        let at = self.chain.binary_search_by_key(&zxid, |(zxid, _)| *zxid);
        at.ok().map(|at| self.chain[at].1)
    }

    /// A znode right after a zxid.
    pub(crate) fn znode_at(&self, path: &str, zxid: Zxid) -> Option<Znode> {
        let changes = self.changes.get(path)?;
        let behind = changes.partition_point(|(at, _)| *at <= zxid);
        changes[..behind].last().and_then(|(_, znode)| *znode)
    }

    /// Whether exactly this transaction changed the path.
    pub(crate) fn changed_at(&self, path: &str, zxid: Zxid) -> bool {
        let changes = self.changes.get(path);
        changes.is_some_and(|it| it.binary_search_by_key(&zxid, |(at, _)| *at).is_ok())
    }

    /// The first change of a path after a zxid.
    pub(crate) fn next_change(&self, path: &str, after: Zxid) -> Option<Zxid> {
        let changes = self.changes.get(path)?;
        let behind = changes.partition_point(|(at, _)| *at <= after);
        changes.get(behind).map(|(zxid, _)| *zxid)
    }

    /// When a session was closed, if it was.
    pub(crate) fn closed_at(&self, session: SessionId) -> Option<Zxid> {
        self.closed.get(&session).copied()
    }
}

fn note_paths(txn: &Txn<'_>, paths: &mut Vec<String>) {
    match txn {
        Txn::Create(it) | Txn::Create2(it) => paths.push(it.path.to_string()),
        Txn::Delete(path) => paths.push(path.to_string()),
        Txn::SetData(it) => paths.push(it.path.to_string()),
        Txn::Multi(parts) => {
            for part in parts {
                if let Ok(txn) = part.decode() {
                    note_paths(&txn, paths);
                }
            }
        }
        _ => {}
    }
}

fn znode(tree: &DataTree, path: &str) -> Option<Znode> {
    let node = tree.get(path)?;
    let stat = node.stat();
    let value = node.data().and_then(|data| data.first_chunk::<8>());
    Some(Znode {
        czxid: stat.czxid,
        mzxid: stat.mzxid,
        version: stat.version,
        value: value.map_or(0, |bytes| u64::from_be_bytes(*bytes)),
    })
}
