//! Prepares requests and applies the transactions, with any number of them
//! between the two.

use std::collections::VecDeque;
use zk_proto::txn::LoggedTxn;
use zk_proto::{ErrorCode, Id, Request, SessionId, Zxid};
use zk_tree::{
    Applied, Caller, DataTree, Pending, PrepareConfig, Prepared, Stamp, TreeConfig, prepare,
};

pub(crate) const TREE: TreeConfig = TreeConfig {
    hash_seed: 0x5eed,
    extended_types: true,
    digest: true,
};

pub(crate) struct Leader {
    pub(crate) tree: DataTree,
    pub(crate) pending: Pending,
    pub(crate) config: PrepareConfig,
    pub(crate) zxid: Zxid,
    /// What is prepared and not applied.
    pub(crate) outstanding: VecDeque<Vec<u8>>,
}

/// A session and who is behind it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) session: SessionId,
    pub(crate) identities: Vec<Id<'static>>,
}

impl Client {
    pub(crate) const fn new(session: i64) -> Self {
        Self {
            session: SessionId(session),
            identities: Vec::new(),
        }
    }
}

impl Leader {
    pub(crate) fn new(config: PrepareConfig) -> Self {
        Self::over(DataTree::new(TREE), config)
    }

    pub(crate) fn over(tree: DataTree, config: PrepareConfig) -> Self {
        Self {
            pending: Pending::new(tree.config().hash_seed),
            zxid: tree.last_zxid(),
            tree,
            config,
            outstanding: VecDeque::new(),
        }
    }

    /// Prepares a request; its payload is the last of the outstanding ones.
    pub(crate) fn prepare(&mut self, client: &Client, request: &Request<'_>) -> Prepared {
        self.zxid = self.zxid.next().unwrap();
        let stamp = Stamp {
            zxid: self.zxid,
            time_ms: 1_700_000_000_000 + self.zxid.0,
        };
        self.prepare_at(client, 7, stamp, request)
    }

    pub(crate) fn prepare_at(
        &mut self,
        client: &Client,
        cxid: i32,
        stamp: Stamp,
        request: &Request<'_>,
    ) -> Prepared {
        let caller = Caller {
            session: client.session,
            cxid,
            identities: &client.identities,
        };
        let mut payload = b"before".to_vec();
        let prepared = prepare(
            &self.tree,
            &mut self.pending,
            &self.config,
            &caller,
            stamp,
            request,
            &mut payload,
        );
        assert!(payload.starts_with(b"before"));
        self.outstanding.push_back(payload.split_off(6));
        prepared
    }

    /// Applies the oldest transaction; its digest must be the tree's.
    pub(crate) fn apply_one(&mut self) -> Applied {
        let payload = self.outstanding.pop_front().unwrap();
        let txn = LoggedTxn::decode(&payload).unwrap();
        let applied = self.tree.apply(&txn, &mut |_| {});
        if let Some(digest) = txn.digest {
            assert_eq!(digest.tree.cast_unsigned(), self.tree.digest(), "{txn:?}");
        }
        assert_eq!(applied.digest_mismatch, None, "{txn:?}");
        self.pending.applied(txn.header.zxid);
        applied
    }

    pub(crate) fn apply_all(&mut self) {
        while !self.outstanding.is_empty() {
            self.apply_one();
        }
    }

    /// Prepares and applies; the error that prepare found.
    pub(crate) fn write(&mut self, client: &Client, request: &Request<'_>) -> ErrorCode {
        let prepared = self.prepare(client, request);
        self.apply_all();
        prepared.error
    }
}
