//! Random transactions as a leader would propose them, from one seed.

use crate::twin::Twin;
use zk_proto::txn::{
    CreateContainerTxn, CreateTtlTxn, CreateTxn, DIGEST_VERSION, LoggedTxn, SetAclTxn, SetDataTxn,
    SubTxn, Txn, TxnDigest, TxnHeader,
};
use zk_proto::{Acl, Buffer, ErrorCode, OpCode, Perms, SessionId, Ustr, Zxid};

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const NAMES: [&str; 5] = ["a", "b", "é", "n0000000001", " "];
const TEXTS: [&[u8]; 4] = [b"", b"x", b"yyyy", b"some longer data of a znode"];

/// A leader: it knows the tree by a twin of it and writes a log.
pub(crate) struct Leader {
    pub(crate) random: Random,
    pub(crate) twin: Twin,
    /// Payloads of records; zxids from 1.
    pub(crate) log: Vec<Vec<u8>>,
    /// Whether a closeSession may come without its paths, as old servers
    /// wrote it.
    pub(crate) is_old: bool,
}

impl Leader {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Random(seed),
            twin: Twin::new(),
            log: Vec::new(),
            is_old: false,
        }
    }

    /// Proposes a transaction and answers its payload. All that can be
    /// applied without an error.
    pub(crate) fn propose(&mut self) -> &[u8] {
        let client_id = self.session();
        match self.random.below(20) {
            0 => self.log(client_id, &Txn::CreateSession(4000)),
            1 => self.close_session(client_id),
            2 => self.log(client_id, &Txn::Error(ErrorCode::NO_NODE)),
            3 | 4 => self.multi(client_id),
            5 => self.quota(client_id),
            _ => {
                let path = self.path();
                match self.change(&path) {
                    Some(change) => self.log(client_id, &change.txn()),
                    None => self.log(client_id, &Txn::Error(ErrorCode::NO_NODE)),
                }
            }
        }
        self.log.last().unwrap()
    }

    fn session(&mut self) -> SessionId {
        SessionId(0x1000 + self.random.below(3) as i64)
    }

    fn path(&mut self) -> String {
        let depth = 1 + self.random.below(3);
        (0..depth)
            .flat_map(|_| ["/", self.random.pick(&NAMES)])
            .collect()
    }

    /// A change that can be made at `path` now; multis of several are made
    /// of changes at different paths with different parents.
    fn change(&mut self, path: &str) -> Option<Change> {
        let path = path.to_owned();
        let parent = self.twin.parent(&path)?;
        if parent.owner_is_session() {
            return None;
        }
        let parent_cversion = parent.stat.cversion + 1;
        let Some(node) = self.twin.nodes.get(&path) else {
            let kind = self.random.pick(&[0, 0, 1, 1, 2, 3, 4]);
            return Some(Change::Create(
                path,
                self.data(),
                self.acl(),
                kind,
                parent_cversion,
            ));
        };
        let (version, aversion) = (node.stat.version + 1, node.stat.aversion + 1);
        let is_leaf = self.twin.children(&path).next().is_none();
        Some(match self.random.below(4) {
            0 => Change::SetAcl(path, self.acl(), aversion),
            1 | 2 if is_leaf => Change::Delete(path),
            _ => Change::SetData(path, self.data(), version),
        })
    }

    fn data(&mut self) -> Option<&'static [u8]> {
        match self.random.below(5) {
            0 => None,
            _ => Some(self.random.pick(&TEXTS)),
        }
    }

    fn acl(&mut self) -> Vec<Acl<'static>> {
        match self.random.below(3) {
            0 => vec![Acl::open()],
            1 => vec![Acl::new(Perms::READ, "ip", "10.0.0.1")],
            _ => vec![Acl::new(
                Perms(self.random.below(31) as i32),
                "world",
                "anyone",
            )],
        }
    }

    fn close_session(&mut self, client_id: SessionId) {
        let paths: Vec<Ustr<'static>> = self
            .twin
            .ephemerals(client_id.0)
            .into_iter()
            .map(Ustr::from)
            .collect();
        let is_listed = !self.is_old || self.random.below(2) == 0;
        self.log(client_id, &Txn::CloseSession(is_listed.then_some(paths)));
    }

    fn multi(&mut self, client_id: SessionId) {
        let mut changes: Vec<Change> = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let path = self.path();
            let apart = |other: &Change| {
                !path.starts_with(other.path()) && !other.path().starts_with(&path)
            };
            if changes.iter().all(apart)
                && let Some(change) = self.change(&path)
            {
                changes.push(change);
            }
        }
        let mut parents: Vec<String> = Vec::new();
        changes.retain(|change| {
            let parent = zk_proto::path::parent(change.path()).unwrap().to_owned();
            let is_new = !parents.contains(&parent);
            parents.push(parent);
            is_new && !matches!(change, Change::SetAcl(..))
        });
        let mut txns: Vec<Txn<'_>> = changes.iter().map(Change::txn).collect();
        if self.random.below(4) == 0 {
            txns.push(Txn::Error(ErrorCode::BAD_VERSION));
        }
        self.log_multi(client_id, &txns);
    }

    /// Sets or removes the quota of a top-level path.
    fn quota(&mut self, client_id: SessionId) {
        let name = self.random.pick(&["a", "b"]);
        let top = format!("/zookeeper/quota/{name}");
        let limits = format!("{top}/zookeeper_limits");
        let stats = format!("{top}/zookeeper_stats");
        let txns = if self.twin.nodes.contains_key(&top) {
            vec![delete(&stats), delete(&limits), delete(&top)]
        } else {
            let cversion = self.twin.nodes["/zookeeper/quota"].stat.cversion + 1;
            vec![
                create(&top, b"", cversion),
                create(&limits, b"count=5,bytes=-1", 1),
                create(&stats, b"count=0,bytes=0", 2),
            ]
        };
        self.log_multi(client_id, &txns);
    }

    fn log_multi(&mut self, client_id: SessionId, txns: &[Txn<'_>]) {
        let failed = txns.iter().any(|txn| matches!(txn, Txn::Error(_)));
        let parts: Vec<(OpCode, Vec<u8>)> = txns
            .iter()
            .map(|txn| {
                let txn = match failed {
                    true => &Txn::Error(ErrorCode::OK),
                    false => txn,
                };
                let mut record = Vec::new();
                txn.encode(&mut record).unwrap();
                (txn.kind(), record)
            })
            .collect();
        let parts = parts
            .iter()
            .map(|(kind, record)| SubTxn {
                kind: *kind,
                data: Buffer(record),
            })
            .collect();
        self.log(client_id, &Txn::Multi(parts));
    }

    /// Applies the transaction to the twin, and logs it with the digest.
    fn log(&mut self, client_id: SessionId, txn: &Txn<'_>) {
        let zxid = self.log.len() as i64 + 1;
        let mut logged = LoggedTxn {
            header: TxnHeader {
                client_id,
                cxid: 0,
                zxid: Zxid(zxid),
                time: 1_000_000 + 10 * zxid,
                kind: txn.kind(),
            },
            txn: txn.clone(),
            digest: None,
        };
        self.twin.apply(&logged);
        logged.digest = Some(TxnDigest {
            version: DIGEST_VERSION,
            tree: self.twin.digest() as i64,
        });
        let mut payload = Vec::new();
        logged.encode(&mut payload).unwrap();
        self.log.push(payload);
    }
}

/// A change of one znode, with everything a transaction needs.
enum Change {
    /// Path, data, ACL, kind (0 persistent, 1 ephemeral, 2 container, 3 TTL,
    /// 4 by create2), parent's cversion.
    Create(String, Option<&'static [u8]>, Vec<Acl<'static>>, i32, i32),
    Delete(String),
    SetData(String, Option<&'static [u8]>, i32),
    SetAcl(String, Vec<Acl<'static>>, i32),
}

impl Change {
    fn path(&self) -> &str {
        let (Self::Create(path, ..)
        | Self::Delete(path)
        | Self::SetData(path, ..)
        | Self::SetAcl(path, ..)) = self;
        path
    }

    fn txn(&self) -> Txn<'_> {
        let path = Ustr::from(self.path());
        match self {
            Self::Delete(_) => Txn::Delete(path),
            Self::SetData(_, data, version) => Txn::SetData(SetDataTxn {
                path,
                data: data.map(Buffer),
                version: *version,
            }),
            Self::SetAcl(_, acl, version) => Txn::SetAcl(SetAclTxn {
                path,
                acl: Some(acl.clone()),
                version: *version,
            }),
            Self::Create(_, data, acl, kind, parent_cversion) => {
                let (data, acl) = (data.map(Buffer), Some(acl.clone()));
                creation(path, data, acl, *kind, *parent_cversion)
            }
        }
    }
}

fn creation<'t>(
    path: Ustr<'t>,
    data: Option<Buffer<'t>>,
    acl: Option<Vec<Acl<'t>>>,
    kind: i32,
    parent_cversion: i32,
) -> Txn<'t> {
    match kind {
        2 => Txn::CreateContainer(CreateContainerTxn {
            path,
            data,
            acl,
            parent_cversion,
        }),
        3 => Txn::CreateTtl(CreateTtlTxn {
            path,
            data,
            acl,
            parent_cversion,
            ttl: 100,
        }),
        _ => {
            let create = CreateTxn {
                path,
                data,
                acl,
                ephemeral: kind == 1,
                parent_cversion,
            };
            match kind {
                4 => Txn::Create2(create),
                _ => Txn::Create(create),
            }
        }
    }
}

pub(crate) fn create<'t>(path: &'t str, data: &'t [u8], parent_cversion: i32) -> Txn<'t> {
    let acl = Some(vec![Acl::open()]);
    creation(
        Ustr::from(path),
        Some(Buffer(data)),
        acl,
        0,
        parent_cversion,
    )
}

pub(crate) fn delete(path: &str) -> Txn<'_> {
    Txn::Delete(Ustr::from(path))
}
