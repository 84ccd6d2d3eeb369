//! reconfig at the leader of an ensemble: against what Apache ZooKeeper 3.9.5
//! answered and logged.

use crate::files::{fixture, payloads};
use crate::leader::{Client, TREE};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::jute::Reader;
use zk_proto::txn::{LoggedTxn, Txn};
use zk_proto::{
    Acl, ErrorCode, Id, OpCode, Perms, ReconfigRequest, ReplyHeader, Request, RequestHeader,
    Response, ServerId, SetAclRequest, Ustr, Zxid,
};
use zk_tree::{
    AclRules, CONFIG_NODE, Caller, DataTree, Outcome, Pending, PrepareConfig, Prepared,
    PreparedReconfig, ReconfigContext, Stamp, prepare, prepare_reconfig,
};

/// A leader, and what only it knows.
struct Leader {
    tree: DataTree,
    pending: Pending,
    rules: PrepareConfig,
    current: EnsembleConfig,
    in_progress: bool,
    standalone_enabled: bool,
    synced: BTreeSet<ServerId>,
}

impl Leader {
    fn new(current: &str, synced: &[i64]) -> Self {
        let mut tree = DataTree::new(TREE);
        let current = EnsembleConfig::parse(current, false).unwrap();
        tree.set_config(&current.to_string(), current.version, 0);
        Self {
            pending: Pending::new(TREE.hash_seed),
            tree,
            rules: PrepareConfig {
                reconfig: true,
                ..PrepareConfig::default()
            },
            current,
            in_progress: false,
            standalone_enabled: true,
            synced: synced.iter().copied().map(ServerId).collect(),
        }
    }

    fn prepare(&mut self, client: &Client, stamp: Stamp, request: &Request<'_>) -> Prepared {
        let (caller, mut out) = (caller(client, 0), Vec::new());
        let rules = &self.rules;
        let pending = &mut self.pending;
        let prepared = prepare(
            &self.tree, pending, rules, &caller, stamp, request, &mut out,
        );
        self.apply(&out);
        prepared
    }

    /// Prepares, and appends the transaction to `out`.
    fn reconfigure(
        &mut self,
        client: &Client,
        cxid: i32,
        stamp: Stamp,
        request: &ReconfigRequest<'_>,
        out: &mut Vec<u8>,
    ) -> PreparedReconfig {
        let synced = &self.synced;
        let context = ReconfigContext {
            rules: &self.rules,
            current: &self.current,
            in_progress: self.in_progress,
            standalone_enabled: self.standalone_enabled,
            many_addresses: false,
            is_quorum_synced: &|new| new.quorum_system().is_quorum(synced),
        };
        let caller = caller(client, cxid);
        let pending = &mut self.pending;
        prepare_reconfig(&self.tree, pending, &context, &caller, stamp, request, out)
    }

    /// It is committed.
    fn apply(&mut self, payload: &[u8]) -> Outcome {
        let txn = LoggedTxn::decode(payload).unwrap();
        let applied = self.tree.apply(&txn, &mut |_| {});
        assert_eq!(applied.digest_mismatch, None);
        self.pending.applied(txn.header.zxid);
        applied.outcome
    }

    /// The answer of a leader with this request, which is its next.
    fn answer(&mut self, client: &Client, request: &ReconfigRequest<'_>) -> ErrorCode {
        let zxid = self.tree.last_zxid().next().unwrap();
        let mut out = Vec::new();
        let stamp = Stamp { zxid, time_ms: 0 };
        let answer = self.reconfigure(client, 0, stamp, request, &mut out);
        assert_eq!(answer.prepared.error.is_ok(), answer.new.is_some());
        self.apply(&out);
        self.current = answer.new.unwrap_or_else(|| self.current.clone());
        answer.prepared.error
    }

    /// A client that may do everything, with a session.
    fn superuser(&mut self) -> Client {
        let mut client = Client::new(1);
        client.identities.push(Id::new("super", ""));
        self.open(&client, Zxid(1));
        client
    }

    fn open(&mut self, client: &Client, zxid: Zxid) {
        let stamp = Stamp { zxid, time_ms: 0 };
        let opened = self.prepare(client, stamp, &Request::CreateSession(30_000));
        assert!(opened.error.is_ok());
    }
}

fn caller(client: &Client, cxid: i32) -> Caller<'_> {
    Caller {
        session: client.session,
        cxid,
        identities: &client.identities,
    }
}

const fn request<'a>(
    joining: Option<Ustr<'a>>,
    leaving: Option<Ustr<'a>>,
    members: Option<Ustr<'a>>,
) -> ReconfigRequest<'a> {
    ReconfigRequest {
        joining,
        leaving,
        members,
        config_id: -1,
    }
}

fn joining(text: &str) -> ReconfigRequest<'_> {
    request(Some(text.into()), None, None)
}

fn leaving(text: &str) -> ReconfigRequest<'_> {
    request(None, Some(text.into()), None)
}

fn whole(text: &str) -> ReconfigRequest<'_> {
    request(None, None, Some(text.into()))
}

fn unhex(row: &Value) -> Vec<u8> {
    let text = row["hex"].as_str().unwrap();
    let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// Every reconfig of a client of Apache's leader, its errors and its answers.
#[test]
fn answers_are_those_of_apache() {
    let text = fs::read_to_string(fixture("client-wire/08-reconfig-and-config.jsonl")).unwrap();
    let rows = text.lines().map(|row| serde_json::from_str(row).unwrap());
    let rows: Vec<Value> = rows.collect();
    let first = unhex(&rows[3]);
    let Response::Data(Some(first), _) = Response::decode(OpCode::GET_DATA, &first[20..]).unwrap()
    else {
        panic!("it is no answer to getData");
    };
    let mut leader = Leader::new(std::str::from_utf8(first.0).unwrap(), &[1, 2, 3]);
    let mut client = Client::new(0x0300_0036_0f1f_0000);
    leader.open(&client, Zxid(0x1_0000_0001));
    let (mut right, mut wrong) = (0, 0);
    for (at, row) in rows.iter().enumerate() {
        if row["name"] == "auth-super" {
            client.identities = vec![Id::new("super", "")];
        }
        let asked = unhex(row);
        let mut reader = Reader::new(&asked[4..]);
        if row["direction"] != "c2s" || row["name"] == "connect" {
            continue;
        }
        let header: RequestHeader = reader.read().unwrap();
        if header.op != OpCode::RECONFIG {
            continue;
        }
        let request: ReconfigRequest<'_> = reader.read().unwrap();
        let answer = rows[at + 1..]
            .iter()
            .map(unhex)
            .find(|it| it[4..8] == asked[4..8]);
        match compare(
            &mut leader,
            &client,
            header.xid.0,
            &request,
            &answer.unwrap(),
        ) {
            true => right += 1,
            false => wrong += 1,
        }
    }
    assert_eq!((right, wrong), (7, 6));
}

/// Whether it was no error.
fn compare(
    leader: &mut Leader,
    client: &Client,
    cxid: i32,
    request: &ReconfigRequest<'_>,
    answer: &[u8],
) -> bool {
    let mut reader = Reader::new(&answer[4..]);
    let header: ReplyHeader = reader.read().unwrap();
    let response = Response::decode(OpCode::RECONFIG, &answer[20..]).ok();
    let mut stamp = Stamp {
        zxid: header.zxid,
        time_ms: 0,
    };
    if let Some(Response::Data(_, stat)) = &response {
        stamp.time_ms = stat.mtime;
    }
    let mut out = Vec::new();
    let ours = leader.reconfigure(client, cxid, stamp, request, &mut out);
    assert_eq!(ours.prepared.error, header.err, "{request:?}");
    leader.apply(&out);
    let Some(new) = ours.new else { return false };
    let Some(Response::Data(Some(data), stat)) = response else {
        panic!("{response:?}");
    };
    assert_eq!(new.to_string().as_bytes(), data.0);
    let node = leader.tree.get(CONFIG_NODE).unwrap();
    assert_eq!((node.data(), node.stat()), (Some(data.0), stat));
    leader.current = new;
    true
}

/// The transactions are Apache's byte for byte.
#[test]
fn transactions_are_those_of_apache() {
    let log = fs::read(fixture("ensemble/txns.log")).unwrap();
    let mut leader = Leader::new("server.1=a:1:2\nserver.2=a:1:3", &[]);
    leader.rules.acl = AclRules {
        skip: true,
        ..AclRules::default()
    };
    let mut compared = 0;
    for payload in payloads(&log) {
        let txn = LoggedTxn::decode(payload).unwrap();
        if let Txn::Reconfig(record) = &txn.txn {
            let text = std::str::from_utf8(record.data.unwrap().0).unwrap();
            let new = EnsembleConfig::parse(text, false).unwrap();
            leader.synced = new.participants().map(|it| it.id).collect();
            let (client, stamp) = (
                Client::new(txn.header.client_id.0),
                Stamp {
                    zxid: txn.header.zxid,
                    time_ms: txn.header.time,
                },
            );
            let mut out = b"before".to_vec();
            let cxid = txn.header.cxid;
            let ours = leader.reconfigure(&client, cxid, stamp, &whole(text), &mut out);
            assert_eq!(ours.new, Some(new));
            assert_eq!(out[6..], *payload);
            compared += 1;
        }
        leader.apply(payload);
    }
    assert_eq!(compared, 2);
}

/// What Apache's leader of an ensemble of one answered
/// (`standaloneEnabled=false`).
#[test]
fn errors_are_those_of_apache() {
    const ONE: &str = "server.1=127.0.0.1:27281:27381:participant;127.0.0.1:27181";
    let mut leader = Leader::new(ONE, &[1]);
    leader.standalone_enabled = false;
    let client = leader.superuser();
    let one_and = |rest: &str| format!("{ONE},{rest}");
    let (ok, bad) = (ErrorCode::OK, ErrorCode::BAD_ARGUMENTS);
    let (odd, none) = (
        ErrorCode::MARSHALLING_ERROR,
        ErrorCode::NEW_CONFIG_NO_QUORUM,
    );
    for (text, error) in [
        ("server.2=127.0.0.1:1:2:observer;3".to_owned(), odd),
        (one_and("server.2=127.0.0.1:1:2:observer;3"), ok),
        (one_and("server.x=127.0.0.1:1:2;3"), odd),
        (one_and("version=zz"), odd),
        (one_and("version=77"), ok),
        (one_and("hello=1"), bad),
        (one_and("hello"), bad),
        ("server.1=a:1".to_owned(), bad),
        (one_and("server.2=127.0.0.1:27281:27281;27181"), bad),
        (one_and("group.1=1:3"), odd),
        (one_and("group.1=1:1"), bad),
        (one_and("weight.1=2"), bad),
        (one_and("group.1=1,weight.1=0"), none),
        (one_and("server.2=127.0.0.1:1:2;3"), none),
        (one_and("group.1=1,weight.1=2"), ok),
    ] {
        assert_eq!(leader.answer(&client, &whole(&text)), error, "{text}");
    }
    assert_eq!(leader.answer(&client, &leaving("9")), bad, "in groups");
    assert_eq!(leader.answer(&client, &whole(ONE)), ok);
    for (text, error) in [
        ("server.9", bad),
        ("server.9=127.0.0.1:1:2", bad),
        ("9=127.0.0.1:1:2:observer;3", ok),
        ("x.y.8=127.0.0.1:1:2:observer;3", ok),
        ("server. 7=127.0.0.1:1:2:observer;3", odd),
        ("server.7=127.0.0.1:1:2:boss;3", bad),
        ("server.7=127.0.0.1:x:2;3", bad),
        ("server.7=nosuchhost.invalid:1:2:observer;3", ok),
        ("server.5=10.0.0.9:1:2:observer;3", ok),
        ("server.4=10.0.0.9:3:7:observer;9", ok),
    ] {
        assert_eq!(leader.answer(&client, &joining(text)), error, "{text}");
    }
    assert_eq!(leader.answer(&client, &leaving("+5, 4,,")), ok);
    assert_eq!(leader.answer(&client, &leaving("1")), bad);
    assert_eq!(leader.answer(&client, &leaving("1,7,8,9")), bad);
    leader.standalone_enabled = true;
    assert_eq!(
        leader.answer(&client, &whole(ONE)),
        bad,
        "two voters at least"
    );
    let observed = one_and("server.2=127.0.0.1:1:2:observer;3");
    assert_eq!(leader.answer(&client, &whole(&observed)), odd);
    assert_eq!(leader.answer(&client, &whole("")), bad);
}

/// Which error wins when there are several.
#[test]
fn errors_have_their_order() {
    const TWO: &str = "server.1=a:1:2;3\nserver.2=b:1:2;3\nversion=5";
    let bad = ReconfigRequest {
        config_id: 4,
        ..joining("server.3=nonsense")
    };
    let mut leader = Leader::new(TWO, &[]);
    leader.in_progress = true;
    leader.rules.reconfig = false;
    let nobody = Client::new(9);
    let wanted = |leader: &mut Leader, request: &ReconfigRequest<'_>, error| {
        assert_eq!(leader.answer(&nobody, request), error);
    };
    wanted(&mut leader, &bad, ErrorCode::RECONFIG_DISABLED);
    leader.rules.reconfig = true;
    wanted(&mut leader, &bad, ErrorCode::SESSION_EXPIRED);
    let zxid = leader.tree.last_zxid().next().unwrap();
    leader.open(&nobody, zxid);
    wanted(&mut leader, &bad, ErrorCode::RECONFIG_IN_PROGRESS);
    leader.in_progress = false;
    wanted(&mut leader, &bad, ErrorCode::BAD_VERSION);
    let bad = ReconfigRequest {
        config_id: 5,
        ..bad
    };
    wanted(&mut leader, &bad, ErrorCode::BAD_ARGUMENTS);
    let good = leaving("7");
    wanted(&mut leader, &good, ErrorCode::NEW_CONFIG_NO_QUORUM);
    leader.synced = [ServerId(1), ServerId(2)].into();
    wanted(&mut leader, &good, ErrorCode::NO_AUTH);
    // Who is given the right has it.
    let superuser = Client {
        identities: vec![Id::new("super", "")],
        ..nobody.clone()
    };
    let everything = Acl {
        perms: Perms::ALL,
        id: Id::new("world", "anyone"),
    };
    let stamp = Stamp {
        zxid: leader.tree.last_zxid().next().unwrap(),
        time_ms: 0,
    };
    let open = Request::SetAcl(SetAclRequest {
        path: Some(CONFIG_NODE.into()),
        acl: Some(vec![everything]),
        version: -1,
    });
    assert!(leader.prepare(&superuser, stamp, &open).error.is_ok());
    assert_eq!(leader.answer(&nobody, &good), ErrorCode::OK);
}

/// A server that stands alone, or that is not asked in an ensemble's way.
#[test]
fn alone_it_is_refused() {
    let mut leader = Leader::new("server.1=a:1:2;3\nserver.2=b:1:2;3", &[1, 2]);
    let client = leader.superuser();
    let stamp = Stamp {
        zxid: Zxid(2),
        time_ms: 0,
    };
    let refused = leader.prepare(&client, stamp, &Request::Reconfig(leaving("7")));
    assert_eq!(refused.error, ErrorCode::UNIMPLEMENTED);
}

/// The znode has no version, and the zxid and time of the transaction; what
/// is prepared and not applied is pending.
#[test]
fn it_changes_the_znode() {
    let mut leader = Leader::new("server.1=a:1:2;3\nserver.2=b:1:2;3", &[1, 2]);
    let client = leader.superuser();
    let mut out = Vec::new();
    let stamp = |zxid| Stamp {
        zxid: Zxid(zxid),
        time_ms: 7,
    };
    let done = leader.reconfigure(&client, 0, stamp(2), &leaving("7"), &mut out);
    assert_eq!(done.new.map(|it| it.version), Some(Zxid(2)));
    assert!(!leader.pending.is_empty());
    leader.apply(&out);
    let node = leader.tree.get(CONFIG_NODE).unwrap();
    assert_eq!((node.stat().version, node.stat().mzxid), (-1, Zxid(2)));
    assert_eq!(node.stat().mtime, 7);
}
