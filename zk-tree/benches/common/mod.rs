//! The tree that all benches start from, and transactions for it.

#![allow(dead_code, unreachable_pub, reason = "each bench uses a part")]

use zk_proto::txn::{CreateTxn, LoggedTxn, SetDataTxn, Txn, TxnHeader};
use zk_proto::{Acl, Buffer, SessionId, Ustr, Zxid};
use zk_tree::{DataTree, TreeConfig};

pub const DATA: [u8; 100] = [b'x'; 100];
pub const PARENTS: usize = 100;

/// `nodes` znodes of 100 bytes under 100 parents.
pub fn tree(nodes: usize) -> DataTree {
    let mut tree = DataTree::new(TreeConfig {
        hash_seed: 0x5eed,
        extended_types: true,
        digest: true,
    });
    let parents = (0..PARENTS).map(|parent| format!("/bench/d{parent:04}"));
    let all = std::iter::once("/bench".to_owned())
        .chain(parents)
        .chain((0..nodes).map(path));
    for (zxid, path) in (1..).zip(all) {
        tree.apply(&logged(zxid, create(&path)), &mut |_| {});
    }
    tree
}

/// Path of the znode with this number.
pub fn path(node: usize) -> String {
    format!("/bench/d{:04}/n{node:09}", node % PARENTS)
}

pub fn create(path: &str) -> Txn<'_> {
    Txn::Create(CreateTxn {
        path: Ustr::from(path),
        data: Some(Buffer(&DATA)),
        acl: Some(vec![Acl::open()]),
        ephemeral: false,
        parent_cversion: -1,
    })
}

pub fn delete(path: &str) -> Txn<'_> {
    Txn::Delete(Ustr::from(path))
}

pub fn set_data(path: &str) -> Txn<'_> {
    Txn::SetData(SetDataTxn {
        path: Ustr::from(path),
        data: Some(Buffer(&DATA)),
        version: 1,
    })
}

pub fn logged(zxid: i64, txn: Txn<'_>) -> LoggedTxn<'_> {
    LoggedTxn {
        header: TxnHeader {
            client_id: SessionId(1),
            cxid: 1,
            zxid: Zxid(zxid),
            time: zxid,
            kind: txn.kind(),
        },
        txn,
        digest: None,
    }
}

/// Numbers from 0 to `bound`, all over the place.
pub struct Scattered {
    at: usize,
    bound: usize,
}

impl Scattered {
    pub fn new(bound: usize) -> Self {
        Self { at: 0, bound }
    }

    pub fn next(&mut self) -> usize {
        self.at = (self.at + 611_953) % self.bound;
        self.at
    }
}
