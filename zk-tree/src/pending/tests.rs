//! Changes that are proposed: seen by the next request, undone by a failed
//! multi, forgotten once applied.

use crate::{Caller, DataTree, Pending, PrepareConfig, Stamp, TreeConfig, prepare};
use zk_proto::txn::LoggedTxn;
use zk_proto::{
    Acl, CreateRequest, ErrorCode, OpCode, Perms, Request, SessionId, SetAclRequest, Zxid,
};

struct Fixture {
    tree: DataTree,
    pending: Pending,
    log: Vec<Vec<u8>>,
}

impl Fixture {
    fn new() -> Self {
        let mut fixture = Self {
            tree: DataTree::new(TreeConfig {
                hash_seed: 1,
                extended_types: false,
                digest: true,
            }),
            pending: Pending::new(1),
            log: Vec::new(),
        };
        fixture.prepare(&Request::CreateSession(4000));
        fixture
    }

    fn prepare(&mut self, request: &Request<'_>) -> ErrorCode {
        let caller = Caller {
            session: SessionId(1),
            cxid: 0,
            identities: &[],
        };
        let stamp = Stamp {
            zxid: Zxid(self.log.len() as i64 + 1),
            time_ms: 0,
        };
        let config = PrepareConfig::default();
        let (tree, pending) = (&self.tree, &mut self.pending);
        let mut out = Vec::new();
        let prepared = prepare(tree, pending, &config, &caller, stamp, request, &mut out);
        self.log.push(out);
        prepared.error
    }

    fn create(&mut self, path: &str, perms: i32) -> ErrorCode {
        let record = CreateRequest {
            path: Some(path.into()),
            data: None,
            acl: Some(vec![Acl::new(Perms(perms), "world", "anyone")]),
            flags: 0,
        };
        self.prepare(&Request::Create(OpCode::CREATE, record))
    }

    /// Applies up to and with this zxid.
    fn apply(&mut self, zxid: i64) {
        let from = self.tree.last_zxid().0 as usize;
        for payload in &self.log[from..zxid as usize] {
            let txn = LoggedTxn::decode(payload).unwrap();
            self.tree.apply(&txn, &mut |_| {});
        }
        assert_eq!(self.tree.digest_mismatches(), 0);
        self.pending.applied(Zxid(zxid));
    }
}

/// The pipeline always holds ten transactions: memory stays bounded, and what
/// is not applied stays known, with its list.
#[test]
fn applied_changes_are_forgotten_while_others_wait() {
    let mut fixture = Fixture::new();
    for n in 2..20_000 {
        // Every other list is one of its own.
        let perms = if n % 2 == 0 { 31 } else { 32 * n };
        assert_eq!(fixture.create(&format!("/n{n}"), perms), ErrorCode::OK);
        if n > 10 {
            fixture.apply(i64::from(n) - 10);
        }
        let bound = super::SWEEP_MIN + 20;
        assert!(fixture.pending.records.len() < bound);
        assert!(fixture.pending.lists.len() < bound);
        assert_eq!(fixture.pending.index.len(), fixture.pending.records.len());
        assert_eq!(fixture.create_below(n - 5), fixture.expected(n - 5));
    }
    let last = fixture.log.len() as i64;
    fixture.apply(last);
    assert!(fixture.pending.is_empty());
    assert_eq!(
        fixture.pending.records.len() + fixture.pending.text.len(),
        0
    );
}

impl Fixture {
    /// What a child of that znode would meet; nothing is kept of it.
    fn create_below(&mut self, n: i32) -> Option<ErrorCode> {
        let path = format!("/n{n}");
        let seen = self.pending.find(&self.tree, &path).state?;
        let (entries, open) = self.pending.acl(&self.tree, seen.acl);
        let allowed = open || entries[0].perms.intersects(Perms::CREATE);
        Some(if allowed {
            ErrorCode::OK
        } else {
            ErrorCode::NO_AUTH
        })
    }

    fn expected(&self, n: i32) -> Option<ErrorCode> {
        (n >= 2).then_some(if n % 2 == 0 {
            ErrorCode::OK
        } else {
            ErrorCode::NO_AUTH
        })
    }
}

/// The same znode over and over: one record, but many lists and marks.
#[test]
fn one_busy_znode_takes_no_more_memory() {
    let mut fixture = Fixture::new();
    let ephemeral = CreateRequest {
        path: Some("/e".into()),
        data: None,
        acl: Some(vec![Acl::open()]),
        flags: 1,
    };
    fixture.prepare(&Request::Create(OpCode::CREATE, ephemeral));
    for n in 3..20_000 {
        let request = Request::SetAcl(SetAclRequest {
            path: Some("/e".into()),
            acl: Some(vec![Acl::new(Perms(31 | n << 5), "world", "anyone")]),
            version: -1,
        });
        assert_eq!(fixture.prepare(&request), ErrorCode::OK);
        if n > 10 {
            fixture.apply(i64::from(n) - 10);
        }
        assert!(fixture.pending.len() < super::SWEEP_MIN + 20);
    }
    assert_eq!(fixture.prepare(&Request::CloseSession), ErrorCode::OK);
    let last = fixture.log.len() as i64;
    fixture.apply(last);
    assert_eq!(fixture.tree.ephemeral_count(), 0);
}

/// A batch that was much larger than usual does not keep its memory.
#[test]
fn a_flood_is_not_remembered() {
    let mut fixture = Fixture::new();
    for n in 0..40_000 {
        fixture.create(&format!("/n{n}"), 31);
    }
    let flood = fixture.pending.index.capacity();
    let last = fixture.log.len() as i64;
    fixture.apply(last);
    assert!(fixture.pending.index.capacity() <= super::KEPT_MAX.min(flood));
    assert_eq!(fixture.create("/n1", 31), ErrorCode::NODE_EXISTS);
    assert_eq!(fixture.create("/more", 31), ErrorCode::OK);
    fixture.apply(last + 2);
}

#[test]
fn what_is_never_applied_can_be_forgotten() {
    let mut fixture = Fixture::new();
    fixture.apply(1);
    assert_eq!(fixture.create("/a", 31), ErrorCode::OK);
    assert_eq!(fixture.create("/a", 31), ErrorCode::NODE_EXISTS);
    fixture.pending.clear();
    assert!(fixture.pending.is_empty());
    assert_eq!(fixture.create("/a", 31), ErrorCode::OK);
}
