//! Logs that Apache ZooKeeper 3.9.5 wrote, read as the requests that led to
//! them.

use crate::files::{fixture, payloads};
use crate::leader::{Client, Leader, TREE};
use std::fs;
use zk_proto::txn::{CreateTxn, LoggedTxn, SubTxn, Txn};
use zk_proto::{
    CheckVersionRequest, CreateRequest, CreateTtlRequest, DeleteRequest, ErrorCode, MultiOp,
    OpCode, PathRequest, Request, SetAclRequest, SetDataRequest, Ustr,
};
use zk_tree::{AclRules, DataTree, PrepareConfig, SaslScheme, Stamp, TreeConfig, X509Scheme};

/// From each transaction of Apache's logs the request that must have led to
/// it; preparing that gives the same bytes, digest included.
#[test]
fn transactions_are_those_of_apache() {
    for (directory, digest, close_session_txn) in [
        ("standalone", true, true),
        ("ensemble", true, true),
        ("digest-nolastzxid", true, false),
        ("nodigest", false, true),
    ] {
        let log = fs::read(fixture(directory).join("txns.log")).unwrap();
        let compared = replay_as_requests(&log, digest, close_session_txn);
        assert!(compared > 120, "{directory}: {compared}");
    }
}

fn replay_as_requests(log: &[u8], digest: bool, close_session_txn: bool) -> usize {
    let mut acl = AclRules {
        skip: true,
        ..AclRules::default()
    };
    acl.schemes.sasl = Some(SaslScheme::default());
    acl.schemes.x509 = Some(X509Scheme::default());
    let config = PrepareConfig {
        acl,
        close_session_txn,
        ..PrepareConfig::default()
    };
    let mut leader = Leader::over(DataTree::new(TreeConfig { digest, ..TREE }), config);
    let mut compared = 0;
    for payload in payloads(log) {
        let txn = LoggedTxn::decode(payload).unwrap();
        if let Some(request) = request_of(&txn.txn) {
            let header = txn.header;
            let client = Client::new(header.client_id.0);
            let stamp = Stamp {
                zxid: header.zxid,
                time_ms: header.time,
            };
            let prepared = leader.prepare_at(&client, header.cxid, stamp, &request);
            assert_eq!(prepared.error, ErrorCode::OK, "{txn:?}");
            let ours = leader.outstanding.back_mut().unwrap();
            assert_eq!(level(LoggedTxn::decode(ours).unwrap()), level(txn.clone()));
            if !matches!(txn.txn, Txn::CloseSession(_)) {
                assert_eq!(ours, payload, "{txn:?}");
            }
            compared += 1;
        } else {
            assert!(is_left_out(&txn.txn), "{txn:?}");
            leader.outstanding.push_back(payload.to_vec());
        }
        leader.apply_all();
    }
    compared
}

fn is_left_out(txn: &Txn<'_>) -> bool {
    match txn {
        Txn::Multi(parts) => parts.iter().any(|part| part.kind == OpCode::ERROR),
        txn => matches!(txn, Txn::Error(_) | Txn::Reconfig(_)),
    }
}

/// Apache lists the ephemerals of a closed session in no order.
fn level(mut txn: LoggedTxn<'_>) -> LoggedTxn<'_> {
    if let Txn::CloseSession(Some(paths)) = &mut txn.txn {
        paths.sort();
    }
    txn
}

/// `None` where the transaction says too little: errors, a new ensemble.
fn request_of<'a>(txn: &Txn<'a>) -> Option<Request<'a>> {
    Some(match txn {
        Txn::CreateSession(timeout_ms) => Request::CreateSession(*timeout_ms),
        Txn::CloseSession(_) => Request::CloseSession,
        Txn::Create(record) => Request::Create(OpCode::CREATE, creation(record)),
        Txn::Create2(record) => Request::Create(OpCode::CREATE2, creation(record)),
        Txn::CreateContainer(record) => {
            let record = CreateRequest {
                path: Some(record.path.clone()),
                data: record.data,
                acl: record.acl.clone(),
                flags: 4,
            };
            Request::Create(OpCode::CREATE_CONTAINER, record)
        }
        Txn::CreateTtl(record) => Request::CreateTtl(CreateTtlRequest {
            path: Some(record.path.clone()),
            data: record.data,
            acl: record.acl.clone(),
            flags: 5,
            ttl: record.ttl,
        }),
        Txn::Delete(path) => Request::Delete(deletion(path)),
        Txn::DeleteContainer(path) => Request::DeleteContainer(PathRequest {
            path: Some(path.clone()),
        }),
        Txn::SetData(record) => Request::SetData(SetDataRequest {
            path: Some(record.path.clone()),
            data: record.data,
            version: record.version - 1,
        }),
        Txn::SetAcl(record) => Request::SetAcl(SetAclRequest {
            path: Some(record.path.clone()),
            acl: record.acl.clone(),
            version: record.version - 1,
        }),
        Txn::Multi(parts) => Request::Multi(parts.iter().map(op_of).collect::<Option<_>>()?),
        _ => return None,
    })
}

fn creation<'a>(record: &CreateTxn<'a>) -> CreateRequest<'a> {
    CreateRequest {
        path: Some(record.path.clone()),
        data: record.data,
        acl: record.acl.clone(),
        flags: i32::from(record.ephemeral),
    }
}

fn deletion<'a>(path: &Ustr<'a>) -> DeleteRequest<'a> {
    DeleteRequest {
        path: Some(path.clone()),
        version: -1,
    }
}

fn op_of<'a>(part: &SubTxn<'a>) -> Option<MultiOp<'a>> {
    let txn = part.decode().unwrap();
    if let Txn::Check(path, version) = txn {
        return Some(MultiOp::Check(CheckVersionRequest {
            path: Some(path),
            version: version - 1,
        }));
    }
    Some(match request_of(&txn)? {
        Request::Create(op, record) => MultiOp::Create(op, record),
        Request::CreateTtl(record) => MultiOp::CreateTtl(record),
        Request::Delete(record) => MultiOp::Delete(record),
        Request::SetData(record) => MultiOp::SetData(record),
        other => panic!("{other:?} is no part of a multi"),
    })
}
