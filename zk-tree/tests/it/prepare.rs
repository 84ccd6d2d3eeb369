//! The rules of single operations, with and without others pending.

use crate::leader::{Client, Leader, TREE};
use crate::requests::{self as make, clients, quota_leader};
use zk_proto::txn::{LoggedTxn, Txn};
use zk_proto::{
    Acl, CheckVersionRequest, CreateRequest, EphemeralType, ErrorCode, MultiOp, OpCode, Perms,
    Request,
};
use zk_tree::{DataTree, Outcome, PrepareConfig, QuotaKind};

fn leader() -> (Leader, Client) {
    let mut leader = Leader::new(PrepareConfig::default());
    let client = Client::new(0x10);
    leader.write(&client, &Request::CreateSession(4000));
    (leader, client)
}

#[test]
fn failed_writes_are_error_transactions_without_a_digest() {
    let (mut leader, client) = leader();
    let before = leader.tree.digest();
    let prepared = leader.prepare(&client, &make::create("/no/x", 0));
    assert_eq!(prepared.error, ErrorCode::NO_NODE);
    let payload = leader.outstanding.back().unwrap().clone();
    let txn = LoggedTxn::decode(&payload).unwrap();
    assert_eq!(txn.txn, Txn::Error(ErrorCode::NO_NODE));
    assert_eq!((txn.header.kind, txn.digest), (OpCode::ERROR, None));
    assert_eq!(txn.header.zxid, leader.zxid);
    leader.apply_all();
    assert_eq!(
        (leader.tree.last_zxid(), leader.tree.digest()),
        (leader.zxid, before)
    );
}

#[test]
fn numbers_count_creations_in_the_parent() {
    let (mut leader, client) = leader();
    leader.write(&client, &make::create("/p", 0));
    let mut paths = Vec::new();
    for (path, flags) in [("/p/a-", 2), ("/p/x", 0), ("/p/", 3), ("/p/a-", 2)] {
        assert_eq!(
            leader.prepare(&client, &make::create(path, flags)).error,
            ErrorCode::OK
        );
        let payload = leader.outstanding.back().unwrap();
        let Txn::Create(record) = LoggedTxn::decode(payload).unwrap().txn else {
            panic!()
        };
        paths.push(record.path.to_string());
    }
    assert_eq!(
        paths,
        [
            "/p/a-0000000000",
            "/p/x",
            "/p/0000000002",
            "/p/a-0000000003"
        ]
    );
    leader.apply_all();
}

/// A parent whose counter is used up: the name is the last number, and the
/// tree's counter stays. One that has overflown in Apache's hands is negative.
#[test]
fn numbers_overflow_as_java_formats_them() {
    for (cversion, name) in [
        (i32::MAX, "2147483647"),
        (i32::MIN, "-2147483648"),
        (-7, "-000000007"),
    ] {
        let mut loader = DataTree::loader(TREE);
        let root = zk_proto::StatPersisted {
            cversion,
            ..Default::default()
        };
        for (path, stat) in [("", root), ("/zookeeper", Default::default())] {
            let node = zk_proto::snapshot::NodeEntry {
                path: path.into(),
                data: None,
                acl: -1,
                stat,
            };
            loader.node(&node).unwrap();
        }
        let tree = loader.finish(zk_proto::Zxid(5), None).unwrap();
        let mut leader = Leader::over(tree, PrepareConfig::default());
        let client = Client::new(1);
        leader.write(&client, &Request::CreateSession(4000));
        assert_eq!(leader.write(&client, &make::create("/n", 2)), ErrorCode::OK);
        assert!(leader.tree.get(&format!("/n{name}")).is_some(), "{name}");
        let expected = cversion.checked_add(1).unwrap_or(cversion);
        assert_eq!(leader.tree.get("/").unwrap().stored().cversion, expected);
    }
}

#[test]
fn a_time_to_live_needs_its_flags() {
    let (mut leader, client) = leader();
    for (flags, ttl, answer) in [
        (5, 1, ErrorCode::OK),
        (6, 0xff_ffff_ffff, ErrorCode::OK),
        (5, 0, ErrorCode::BAD_ARGUMENTS),
        (5, -1, ErrorCode::BAD_ARGUMENTS),
        (5, 0x100_0000_0000, ErrorCode::BAD_ARGUMENTS),
        (0, 5000, ErrorCode::BAD_ARGUMENTS),
        // The four below kill Apache's server for good.
        (0, -1, ErrorCode::BAD_ARGUMENTS),
        (1, -1, ErrorCode::BAD_ARGUMENTS),
        (2, -7, ErrorCode::BAD_ARGUMENTS),
        (4, -1, ErrorCode::BAD_ARGUMENTS),
        (9, -1, ErrorCode::BAD_ARGUMENTS),
    ] {
        let path = format!("/t{flags}x{ttl}");
        let request = Request::CreateTtl(make::create_ttl_record(&path, flags, ttl));
        assert_eq!(leader.write(&client, &request), answer, "{flags} {ttl}");
    }
    let node = leader.tree.get("/t5x1").unwrap();
    assert_eq!(node.kind(), EphemeralType::Ttl(1));
}

#[test]
fn the_operation_decides_what_is_created() {
    let (mut leader, client) = leader();
    for (op, flags, kind) in [
        (OpCode::CREATE, 4, EphemeralType::Void),
        (OpCode::CREATE2, 4, EphemeralType::Void),
        (OpCode::CREATE_CONTAINER, 0, EphemeralType::Container),
        (OpCode::CREATE_CONTAINER, 1, EphemeralType::Container),
        (OpCode::CREATE_CONTAINER, 4, EphemeralType::Container),
        (OpCode::CREATE2, 1, EphemeralType::Normal(0x10)),
    ] {
        let path = format!("/n{}x{flags}", op.0);
        let request = Request::Create(op, make::create_record(&path, b"", flags));
        assert_eq!(leader.write(&client, &request), ErrorCode::OK);
        assert_eq!(
            leader.tree.get(&path).unwrap().kind(),
            kind,
            "{op:?} {flags}"
        );
    }
}

/// Inside a multi Java makes other operations of some flags.
#[test]
fn flags_decide_inside_a_multi() {
    let (mut leader, client) = leader();
    let ops = vec![
        MultiOp::Create(OpCode::CREATE, make::create_record("/a", b"", 4)),
        MultiOp::Create(OpCode::CREATE_CONTAINER, make::create_record("/b", b"", 0)),
        MultiOp::CreateTtl(make::create_ttl_record("/c", 0, -1)),
        MultiOp::CreateTtl(make::create_ttl_record("/d", 0, 5000)),
        MultiOp::CreateTtl(make::create_ttl_record("/e", 4, 5000)),
        MultiOp::CreateTtl(make::create_ttl_record("/f", 5, 5000)),
    ];
    leader
        .prepare(&client, &Request::Multi(ops))
        .error
        .is_ok()
        .then_some(())
        .unwrap();
    let payload = leader.outstanding.back().unwrap().clone();
    let Txn::Multi(parts) = LoggedTxn::decode(&payload).unwrap().txn else {
        panic!()
    };
    let kinds: Vec<_> = parts.iter().map(|part| part.kind.0).collect();
    assert_eq!(kinds, [19, 19, 1, 1, 19, 21]);
    leader.apply_all();
    assert_eq!(
        leader.tree.get("/f").unwrap().kind(),
        EphemeralType::Ttl(5000)
    );
    for op in [
        MultiOp::Create(OpCode::CREATE, make::create_record("/g", b"", 9)),
        MultiOp::Create(OpCode::CREATE, make::create_record("/g", b"", 5)),
        MultiOp::Create(
            OpCode::CREATE,
            CreateRequest {
                acl: None,
                ..make::create_record("/g", b"", 0)
            },
        ),
        MultiOp::Create(
            OpCode::CREATE,
            CreateRequest {
                path: None,
                ..make::create_record("/g", b"", 0)
            },
        ),
        MultiOp::Check(CheckVersionRequest {
            path: None,
            version: -1,
        }),
    ] {
        let ops = vec![
            MultiOp::Create(OpCode::CREATE, make::create_record("/h", b"", 0)),
            op,
        ];
        assert_eq!(
            leader.write(&client, &Request::Multi(ops)),
            ErrorCode::MARSHALLING_ERROR
        );
        assert!(leader.tree.get("/h").is_none());
    }
    let unknown = MultiOp::CreateTtl(make::create_ttl_record("/g", 9, 1));
    assert_eq!(
        multi(&mut leader, &client, vec![unknown]),
        [ErrorCode::BAD_ARGUMENTS]
    );
}

fn multi(leader: &mut Leader, client: &Client, ops: Vec<MultiOp<'_>>) -> Vec<ErrorCode> {
    let prepared = leader.prepare(client, &Request::Multi(ops));
    assert_eq!(
        prepared.error,
        ErrorCode::OK,
        "a multi that fails answers OK"
    );
    while leader.outstanding.len() > 1 {
        leader.apply_one();
    }
    let Outcome::Multi(parts) = leader.apply_one().outcome else {
        panic!()
    };
    parts
        .iter()
        .map(|part| match part {
            Outcome::Error(error) => *error,
            _ => ErrorCode::OK,
        })
        .collect()
}

#[test]
fn a_failed_multi_leaves_nothing_behind() {
    let (mut leader, client) = leader();
    leader.write(&client, &make::create("/p", 0));
    // Pending before the multi, and touched by it.
    assert_eq!(
        leader.prepare(&client, &make::create("/p/s-", 2)).error,
        ErrorCode::OK
    );
    assert_eq!(
        leader
            .prepare(&client, &make::set_data("/p", b"new", 0))
            .error,
        ErrorCode::OK
    );
    let ops = vec![
        MultiOp::Create(OpCode::CREATE, make::create_record("/p/s-", b"", 2)),
        MultiOp::SetData(make::set_data_record("/p", b"newer", 1)),
        MultiOp::Create(OpCode::CREATE, make::create_record("/p/s-", b"", 2)),
        MultiOp::Check(make::check_record("/p", 1)),
        MultiOp::Create(OpCode::CREATE, make::create_record("/never", b"", 0)),
    ];
    let answers = multi(&mut leader, &client, ops);
    let (ok, rest) = (ErrorCode::OK, ErrorCode::RUNTIME_INCONSISTENCY);
    assert_eq!(answers, [ok, ok, ok, ErrorCode::BAD_VERSION, rest]);
    assert_eq!(
        leader.write(&client, &make::set_data("/p", b"", 1)),
        ErrorCode::OK
    );
    assert_eq!(
        leader.write(&client, &make::create("/p/s-", 2)),
        ErrorCode::OK
    );
    let mut names: Vec<_> = leader.tree.get("/p").unwrap().child_names().collect();
    names.sort_unstable();
    assert_eq!(names, ["s-0000000000", "s-0000000001"]);
}

/// The tree knows the root by two names, and so does a batch.
#[test]
fn the_root_is_one_znode_in_a_batch() {
    let (mut leader, client) = leader();
    for request in [
        make::set_data("/", b"1", 0),
        make::create("/a", 0),
        make::set_data("/", b"2", 1),
        make::create("/b", 2),
        make::delete("/a", -1),
    ] {
        assert_eq!(
            leader.prepare(&client, &request).error,
            ErrorCode::OK,
            "{request:?}"
        );
    }
    leader.apply_all();
    assert!(leader.tree.get("/b0000000001").is_some());
}

/// A session's end is prepared, then its ephemeral: it would stay for ever.
#[test]
fn nothing_is_created_behind_the_end_of_a_session() {
    let (mut leader, client) = leader();
    leader.write(&client, &make::create("/kept", 0));
    leader.write(&client, &make::create("/e1", 1));
    leader.write(&client, &make::create("/e2", 1));
    let other = Client::new(0x11);
    leader.write(&other, &Request::CreateSession(4000));
    leader.write(&other, &make::create("/other", 1));
    // Pending: a new ephemeral, a deleted one, a changed one, one in a multi
    // that fails.
    for request in [
        make::create("/e3", 1),
        make::delete("/e1", -1),
        make::set_data("/e2", b"x", -1),
        Request::Multi(vec![
            MultiOp::Create(OpCode::CREATE, make::create_record("/e4", b"", 1)),
            MultiOp::Check(make::check_record("/nope", -1)),
        ]),
        Request::CloseSession,
    ] {
        assert_eq!(leader.prepare(&client, &request).error, ErrorCode::OK);
    }
    let payload = leader.outstanding.back().unwrap().clone();
    let txn = LoggedTxn::decode(&payload).unwrap().txn;
    assert_eq!(
        txn,
        Txn::CloseSession(Some(vec!["/e2".into(), "/e3".into()]))
    );
    let expired = ErrorCode::SESSION_EXPIRED;
    assert_eq!(
        leader.prepare(&client, &make::create("/late", 1)).error,
        expired
    );
    assert_eq!(
        leader.prepare(&client, &make::create("/late", 0)).error,
        expired
    );
    assert_eq!(
        leader.prepare(&other, &make::delete("/e3", -1)).error,
        ErrorCode::NO_NODE
    );
    assert_eq!(
        leader.prepare(&client, &Request::CloseSession).error,
        ErrorCode::OK
    );
    leader.apply_all();
    assert_eq!(leader.tree.ephemeral_count(), 1);
    assert_eq!(leader.write(&client, &make::create("/late", 1)), expired);
    assert_eq!(
        leader.write(&Client::new(0x99), &make::create("/late", 0)),
        expired
    );
}

#[test]
fn the_end_of_a_session_may_have_no_body() {
    let config = PrepareConfig {
        close_session_txn: false,
        ..PrepareConfig::default()
    };
    let mut leader = Leader::new(config);
    let client = Client::new(1);
    leader.write(&client, &Request::CreateSession(4000));
    leader.write(&client, &make::create("/e", 1));
    assert_eq!(
        leader.prepare(&client, &Request::CloseSession).error,
        ErrorCode::OK
    );
    let payload = leader.outstanding.back().unwrap().clone();
    assert_eq!(
        LoggedTxn::decode(&payload).unwrap().txn,
        Txn::CloseSession(None)
    );
    leader.apply_all();
    assert!(leader.tree.get("/e").is_none());
}

/// However many ephemerals a session has, the transaction of its end fits into
/// a packet, and all of them go.
#[test]
fn the_end_of_a_session_lists_no_more_than_fits() {
    let mut leader = Leader::new(PrepareConfig::default());
    let client = Client::new(1);
    leader.write(&client, &Request::CreateSession(4000));
    for number in 0..1_000 {
        let path = format!("/{number}-{}", "x".repeat(1_000));
        leader.write(&client, &make::create(&path, 1));
    }
    leader.apply_all();
    assert_eq!(leader.tree.ephemeral_count(), 1_000);
    let closed = leader.prepare(&client, &Request::CloseSession);
    assert_eq!(closed.error, ErrorCode::OK);
    let payload = leader.outstanding.back().unwrap().clone();
    assert!(payload.len() < 520 * 1024, "{} bytes", payload.len());
    let Txn::CloseSession(Some(listed)) = LoggedTxn::decode(&payload).unwrap().txn else {
        panic!("it lists nothing");
    };
    assert!(listed.len() > 400);
    leader.apply_all();
    assert_eq!(leader.tree.ephemeral_count(), 0);
}

/// The server's own request, which Apache serves to clients as well.
#[test]
fn containers_are_deleted_without_a_session() {
    let (mut leader, client) = leader();
    let nobody = Client::new(0);
    let read_only = Acl::new(Perms::READ, "world", "anyone");
    leader.write(&client, &make::create_with("/plain", read_only));
    leader.write(&client, &make::create("/full", 0));
    leader.write(&client, &make::create("/full/x", 1));
    for (path, answer) in [
        ("/plain", ErrorCode::OK),
        ("/plain", ErrorCode::NO_NODE),
        ("/full", ErrorCode::NOT_EMPTY),
        ("/full/x", ErrorCode::BAD_VERSION),
        ("/zookeeper", ErrorCode::BAD_ARGUMENTS),
        ("x", ErrorCode::BAD_ARGUMENTS),
    ] {
        assert_eq!(
            leader.write(&nobody, &make::delete_container(path)),
            answer,
            "{path}"
        );
    }
}

#[test]
fn a_server_alone_is_not_reconfigured() {
    let reconfig = Request::Reconfig(zk_proto::ReconfigRequest {
        joining: None,
        leaving: None,
        members: None,
        config_id: -1,
    });
    let (mut leader, client) = leader();
    assert_eq!(
        leader.write(&client, &reconfig),
        ErrorCode::RECONFIG_DISABLED
    );
    leader.config.reconfig = true;
    assert_eq!(leader.write(&client, &reconfig), ErrorCode::UNIMPLEMENTED);
    assert_eq!(
        leader.write(&Client::new(9), &reconfig),
        ErrorCode::SESSION_EXPIRED
    );
}

#[test]
fn quotas_count_what_is_pending() {
    let config = PrepareConfig {
        enforce_quota: true,
        ..PrepareConfig::default()
    };
    let mut leader = quota_leader(&config);
    let client = &clients()[0];
    let mut seen = Vec::new();
    for n in 0..8 {
        let path = if n == 0 {
            "/q".to_owned()
        } else {
            format!("/q/{n}")
        };
        let request = Request::Create(OpCode::CREATE, make::create_record(&path, b"12", 0));
        let prepared = leader.prepare(client, &request);
        seen.push((
            prepared.error,
            prepared
                .quota
                .map(|quota| (quota.kind, quota.used, quota.hard)),
        ));
    }
    // Six znodes fit; above three the soft limit of znodes would be told of,
    // were there no hard one, above nine bytes that of bytes is not.
    let (ok, full) = (ErrorCode::OK, ErrorCode::QUOTA_EXCEEDED);
    assert_eq!(
        seen.iter().map(|(error, _)| *error).collect::<Vec<_>>(),
        [ok, ok, ok, ok, ok, ok, full, full]
    );
    assert_eq!(seen[5].1, None);
    assert_eq!(seen[6].1, Some((QuotaKind::Count, 7, true)));
    assert_eq!(leader.prepare(client, &make::delete("/q/1", -1)).error, ok);
    assert_eq!(
        leader.prepare(client, &make::create("/q/again", 0)).error,
        ok
    );
    let prepared = leader.prepare(client, &make::set_data("/q", &[0; 30], -1));
    assert_eq!(prepared.error, full);
    let text = prepared.quota.unwrap().to_string();
    assert_eq!(
        text,
        "Quota exceeded: /q [current bytes=42, hardByteLimit=30]"
    );
    leader.apply_all();
    assert_eq!(leader.write(client, &make::create("/q/more", 0)), full);
    leader.config.enforce_quota = false;
    assert_eq!(leader.write(client, &make::create("/q/more", 0)), ok);
}

#[test]
fn soft_limits_only_ask_for_a_line_in_the_log() {
    let config = PrepareConfig {
        enforce_quota: true,
        ..PrepareConfig::default()
    };
    let mut leader = quota_leader(&config);
    let client = &clients()[0];
    let limits = "/zookeeper/quota/q/zookeeper_limits";
    leader.write(client, &make::set_data(limits, b"count=1,bytes=-1", -1));
    leader.write(client, &make::create("/q", 0));
    let prepared = leader.prepare(client, &make::create("/q/x", 0));
    assert_eq!(prepared.error, ErrorCode::OK);
    let text = prepared.quota.unwrap().to_string();
    assert_eq!(
        text,
        "Quota exceeded: /q [current count=2, softCountLimit=1]"
    );
    leader.apply_all();
    leader.write(client, &make::set_data(limits, b"nonsense", -1));
    assert_eq!(
        leader.write(client, &make::create("/q/y", 0)),
        ErrorCode::MARSHALLING_ERROR
    );
}
