//! Records in the shape that the captures have them decoded in.

use crate::fixtures::hex;
use serde_json::{Value, json};
use zk_proto::txn::{CreateTxn, LoggedTxn, SetDataTxn, Txn, TxnHeader};
use zk_proto::{
    Acl, Buffer, ClientInfo, ConnectRequest, ConnectResponse, CreateRequest, MultiOp, MultiReadOp,
    MultiReadResult, MultiResult, OpCode, ReadRequest, ReplyHeader, Request, RequestHeader,
    Response, Stat, Ustr, WatcherEvent,
};

type Text<'a, 'b> = &'b Option<Ustr<'a>>;

fn text(value: Text<'_, '_>) -> Value {
    value.as_ref().map_or(Value::Null, |text| json!(&**text))
}

fn bytes(value: &Option<Buffer<'_>>) -> Value {
    value.map_or(Value::Null, |bytes| json!(hex(&bytes)))
}

fn texts(value: &Option<Vec<Ustr<'_>>>) -> Value {
    let list = |texts: &Vec<Ustr<'_>>| texts.iter().map(|text| json!(&**text)).collect();
    value.as_ref().map_or(Value::Null, list)
}

pub(crate) fn acl(value: &Option<Vec<Acl<'_>>>) -> Value {
    let entry = |acl: &Acl<'_>| {
        let id = json!({"scheme": text(&acl.id.scheme), "id": text(&acl.id.id)});
        json!({"perms": acl.perms.0, "id": id})
    };
    let list = |acls: &Vec<Acl<'_>>| acls.iter().map(entry).collect();
    value.as_ref().map_or(Value::Null, list)
}

fn stat(stat: &Stat) -> Value {
    json!({
        "czxid": stat.czxid.0, "mzxid": stat.mzxid.0, "ctime": stat.ctime, "mtime": stat.mtime,
        "version": stat.version, "cversion": stat.cversion, "aversion": stat.aversion,
        "ephemeralOwner": stat.ephemeral_owner, "dataLength": stat.data_length,
        "numChildren": stat.num_children, "pzxid": stat.pzxid.0,
    })
}

/// The capture's name of an operation: as ours, but for codes without one.
fn op_name(op: OpCode) -> &'static str {
    op.name().unwrap_or("unknown")
}

pub(crate) fn connect_request(request: &ConnectRequest<'_>) -> Value {
    let mut value = json!({
        "protocolVersion": request.protocol_version,
        "lastZxidSeen": request.last_zxid_seen.to_string(),
        "timeOut": request.timeout_ms,
        "sessionId": request.session_id.to_string(),
        "passwd": bytes(&request.password),
    });
    if let Some(read_only) = request.read_only {
        value["readOnly"] = json!(read_only);
    }
    value
}

pub(crate) fn connect_response(response: &ConnectResponse<'_>) -> Value {
    let mut value = json!({
        "protocolVersion": response.protocol_version,
        "timeOut": response.timeout_ms,
        "sessionId": response.session_id.to_string(),
        "passwd": bytes(&response.password),
    });
    if let Some(read_only) = response.read_only {
        value["readOnly"] = json!(read_only);
    }
    value
}

pub(crate) fn request(header: &RequestHeader, request: &Request<'_>) -> Value {
    json!({
        "header": {"xid": header.xid.0, "type": header.op.0},
        "op": op_name(header.op),
        "record": request_record(request),
    })
}

fn create(r: &CreateRequest<'_>) -> Value {
    json!({"path": text(&r.path), "data": bytes(&r.data), "acl": acl(&r.acl), "flags": r.flags})
}

fn read(r: &ReadRequest<'_>) -> Value {
    json!({"path": text(&r.path), "watch": r.watch})
}

fn request_record(request: &Request<'_>) -> Value {
    match request {
        Request::Create(_, r) => create(r),
        Request::CreateTtl(r) => json!({
            "path": text(&r.path), "data": bytes(&r.data), "acl": acl(&r.acl),
            "flags": r.flags, "ttl": r.ttl,
        }),
        Request::Delete(r) => json!({"path": text(&r.path), "version": r.version}),
        Request::Exists(r)
        | Request::GetData(r)
        | Request::GetChildren(r)
        | Request::GetChildren2(r) => read(r),
        Request::SetData(r) => {
            json!({"path": text(&r.path), "data": bytes(&r.data), "version": r.version})
        }
        Request::GetAcl(r)
        | Request::Sync(r)
        | Request::DeleteContainer(r)
        | Request::GetAllChildrenNumber(r) => json!({"path": text(&r.path)}),
        Request::GetEphemerals(r) => json!({"prefixPath": text(&r.path)}),
        Request::SetAcl(r) => {
            json!({"path": text(&r.path), "acl": acl(&r.acl), "version": r.version})
        }
        Request::Check(r) => json!({"path": text(&r.path), "version": r.version}),
        Request::Multi(ops) => ended(ops.iter().map(multi_op)),
        Request::MultiRead(ops) => ended(ops.iter().map(multi_read_op)),
        Request::Reconfig(r) => json!({
            "joiningServers": text(&r.joining), "leavingServers": text(&r.leaving),
            "newMembers": text(&r.members), "curConfigId": r.config_id,
        }),
        Request::CheckWatches(r) | Request::RemoveWatches(r) => {
            json!({"path": text(&r.path), "type": r.watcher_type})
        }
        Request::Auth(r) => {
            json!({"type": r.auth_type, "scheme": text(&r.scheme), "auth": bytes(&r.auth)})
        }
        Request::SetWatches(r) => json!({
            "relativeZxid": r.relative_zxid.0, "dataWatches": texts(&r.data),
            "existWatches": texts(&r.exist), "childWatches": texts(&r.child),
        }),
        Request::SetWatches2(r) => json!({
            "relativeZxid": r.relative_zxid.0, "dataWatches": texts(&r.data),
            "existWatches": texts(&r.exist), "childWatches": texts(&r.child),
            "persistentWatches": texts(&r.persistent),
            "persistentRecursiveWatches": texts(&r.recursive),
        }),
        Request::Sasl(token) => json!({"token": bytes(token)}),
        Request::AddWatch(r) => json!({"path": text(&r.path), "mode": r.mode}),
        Request::Ping | Request::WhoAmI | Request::CloseSession => json!({}),
        other => panic!("{other:?} is in no capture"),
    }
}

/// The items of a multi and the header that ends it.
fn ended(items: impl Iterator<Item = Value>) -> Value {
    let end = json!({"header": {"type": -1, "done": true, "err": -1}});
    items.chain([end]).collect()
}

fn item(op: OpCode, err: i32, record: Value) -> Value {
    let header = json!({"type": op.0, "done": false, "err": err});
    json!({"header": header, "op": op_name(op), "record": record})
}

fn multi_op(op: &MultiOp<'_>) -> Value {
    let record = match op.clone() {
        MultiOp::Create(op, r) => request_record(&Request::Create(op, r)),
        MultiOp::CreateTtl(r) => request_record(&Request::CreateTtl(r)),
        MultiOp::Delete(r) => request_record(&Request::Delete(r)),
        MultiOp::SetData(r) => request_record(&Request::SetData(r)),
        MultiOp::Check(r) => request_record(&Request::Check(r)),
    };
    item(op.op(), -1, record)
}

fn multi_read_op(op: &MultiReadOp<'_>) -> Value {
    let (MultiReadOp::GetData(r) | MultiReadOp::GetChildren(r)) = op;
    item(op.op(), -1, read(r))
}

pub(crate) fn reply_header(header: &ReplyHeader) -> Value {
    json!({"xid": header.xid.0, "zxid": header.zxid.0, "err": header.err.0})
}

pub(crate) fn event(event: &WatcherEvent<'_>) -> Value {
    json!({"type": event.event_type, "state": event.state, "path": text(&event.path)})
}

/// The record of an answer to `op`, which names its fields.
pub(crate) fn response(op: OpCode, response: &Response<'_>) -> Value {
    match response {
        Response::Empty => json!({}),
        Response::Path(path) => json!({"path": text(path)}),
        Response::PathStat(path, s) => json!({"path": text(path), "stat": stat(s)}),
        Response::Stat(s) => json!({"stat": stat(s)}),
        Response::Data(data, s) => json!({"data": bytes(data), "stat": stat(s)}),
        Response::Acl(list, s) => json!({"acl": acl(list), "stat": stat(s)}),
        Response::Names(names) if op == OpCode::GET_EPHEMERALS => {
            json!({"ephemerals": texts(names)})
        }
        Response::Names(names) => json!({"children": texts(names)}),
        Response::NamesStat(names, s) => json!({"children": texts(names), "stat": stat(s)}),
        Response::Count(count) => json!({"totalNumber": count}),
        Response::Error(code) => json!({"err": code.0}),
        Response::Sasl(token) => json!({"token": bytes(token)}),
        Response::ClientInfos(infos) => {
            let infos: Vec<Value> = infos.iter().flatten().map(client_info).collect();
            json!({"clientInfo": infos})
        }
        Response::Multi(results) => ended(results.iter().map(multi_result)),
        Response::MultiRead(results) => ended(results.iter().map(multi_read_result)),
        other => panic!("{other:?} is in no capture"),
    }
}

fn client_info(info: &ClientInfo<'_>) -> Value {
    json!({"authScheme": text(&info.scheme), "user": text(&info.user)})
}

fn multi_result(result: &MultiResult<'_>) -> Value {
    match result {
        MultiResult::Create(path) => item(OpCode::CREATE, 0, json!({"path": &**path})),
        MultiResult::Create2(path, s) => item(
            OpCode::CREATE2,
            0,
            json!({"path": &**path, "stat": stat(s)}),
        ),
        MultiResult::SetData(s) => item(OpCode::SET_DATA, 0, json!({"stat": stat(s)})),
        MultiResult::Delete => item(OpCode::DELETE, 0, json!({})),
        MultiResult::Check => item(OpCode::CHECK, 0, json!({})),
        MultiResult::Error(code) => item(OpCode::ERROR, code.0, json!({"err": code.0})),
    }
}

fn multi_read_result(result: &MultiReadResult<'_>) -> Value {
    match result {
        MultiReadResult::Ok(op, answer) => item(*op, 0, response(*op, answer)),
        MultiReadResult::Error(code) => item(OpCode::ERROR, code.0, json!({"err": code.0})),
    }
}

pub(crate) fn logged(logged: &LoggedTxn<'_>) -> Value {
    let mut value = json!({
        "header": txn_header(&logged.header),
        "op": op_name(logged.header.kind),
        "txn": txn(&logged.txn),
    });
    if let Some(digest) = logged.digest {
        value["digest"] = json!({"version": digest.version, "treeDigest": digest.tree});
    }
    value
}

fn txn_header(header: &TxnHeader) -> Value {
    json!({
        "clientId": header.client_id.0, "cxid": header.cxid, "zxid": header.zxid.0,
        "time": header.time, "type": header.kind.0,
    })
}

fn create_txn(t: &CreateTxn<'_>) -> Value {
    json!({
        "path": &*t.path, "data": bytes(&t.data), "acl": acl(&t.acl),
        "ephemeral": t.ephemeral, "parentCVersion": t.parent_cversion,
    })
}

fn set_data_txn(t: &SetDataTxn<'_>) -> Value {
    json!({"path": &*t.path, "data": bytes(&t.data), "version": t.version})
}

fn txn(txn: &Txn<'_>) -> Value {
    match txn {
        Txn::CreateSession(timeout) => json!({"timeOut": timeout}),
        Txn::CloseSession(None) => Value::Null,
        Txn::CloseSession(paths) => json!({"paths2Delete": texts(paths)}),
        Txn::Create(t) | Txn::Create2(t) => create_txn(t),
        Txn::CreateContainer(t) => json!({
            "path": &*t.path, "data": bytes(&t.data), "acl": acl(&t.acl),
            "parentCVersion": t.parent_cversion,
        }),
        Txn::CreateTtl(t) => json!({
            "path": &*t.path, "data": bytes(&t.data), "acl": acl(&t.acl),
            "parentCVersion": t.parent_cversion, "ttl": t.ttl,
        }),
        Txn::Delete(path) | Txn::DeleteContainer(path) => json!({"path": &**path}),
        Txn::SetData(t) | Txn::Reconfig(t) => set_data_txn(t),
        Txn::SetAcl(t) => json!({"path": &*t.path, "acl": acl(&t.acl), "version": t.version}),
        Txn::Check(path, version) => json!({"path": &**path, "version": version}),
        Txn::Error(code) => json!({"err": code.0}),
        Txn::Multi(parts) => {
            let part = |part: &zk_proto::txn::SubTxn<'_>| {
                json!({
                    "type": part.kind.0, "data": hex(&part.data), "op": op_name(part.kind),
                    "record": self::txn(&part.decode().unwrap()),
                })
            };
            json!({"txns": parts.iter().map(part).collect::<Vec<_>>()})
        }
        other => panic!("{other:?} is in no capture"),
    }
}
