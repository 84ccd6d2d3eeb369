//! Answers of the write path: from an applied transaction, or from a request
//! that only waited for its turn.

use super::inbox::{Item, Origin};
use crate::auth::{self, Verdict};
use crate::conn::{Class, Conn, class, respond};
use crate::reads::{self, header_only, put_buffer, put_int, put_multi_header, put_stat, reply};
use crate::shared::Shared;
use zk_proto::txn::{LoggedTxn, SubTxn, Txn};
use zk_proto::{AuthPacket, ErrorCode, OpCode, PathRequest, RequestHeader, Xid, Zxid, jute};
use zk_tree::{Applied, DataTree, Outcome};

/// Appends the answer to the request whose transaction was applied.
pub(super) fn append(item: &Item, txn: &LoggedTxn<'_>, applied: &Applied, out: &mut Vec<u8>) {
    let zxid = txn.header.zxid;
    match (&applied.outcome, &txn.txn) {
        (Outcome::SessionCreated, _) => session_created(item, out),
        (Outcome::Multi(outcomes), Txn::Multi(parts)) => {
            reply(out, item.xid, zxid, |out| multi(parts, outcomes, out));
        }
        (Outcome::Error(code), _) => header_only(out, item.xid, zxid, *code),
        (Outcome::Created(stat), record) => reply(out, item.xid, zxid, |out| {
            put_buffer(out, Some(created_path(record).as_bytes()));
            if item.op != OpCode::CREATE {
                put_stat(out, stat);
            }
        }),
        (Outcome::DataSet(stat), Txn::Reconfig(record)) => reply(out, item.xid, zxid, |out| {
            put_buffer(out, record.data.map(|data| data.0));
            put_stat(out, stat);
        }),
        (Outcome::DataSet(stat) | Outcome::AclSet(stat), _) => {
            reply(out, item.xid, zxid, |out| put_stat(out, stat));
        }
        (Outcome::SessionClosed | Outcome::Deleted | Outcome::Checked | Outcome::Multi(_), _) => {
            header_only(out, item.xid, zxid, ErrorCode::OK);
        }
    }
}

/// The answer to a handshake, or to a client that sent createSession itself.
fn session_created(item: &Item, out: &mut Vec<u8>) {
    opened(item, false, out);
}

/// The answer to a handshake whose session began.
pub(super) fn opened(item: &Item, is_read_only: bool, out: &mut Vec<u8>) {
    let Origin::Client(conn) = &item.origin else {
        return;
    };
    let session = conn.session().map(AsRef::as_ref);
    respond(out, session, read_only_flag(conn, is_read_only));
}

/// The answer to a client that came back with its session: with it, or with a
/// refusal if none is bound to its connection.
pub(super) fn resumed(item: &Item, is_read_only: bool, out: &mut Vec<u8>) {
    let Origin::Resuming(conn) = &item.origin else {
        return;
    };
    let session = conn.session().map(AsRef::as_ref);
    respond(out, session, read_only_flag(conn, is_read_only));
}

fn read_only_flag(conn: &Conn, is_read_only: bool) -> Option<bool> {
    conn.has_read_only().then_some(is_read_only)
}

fn created_path<'t>(txn: &'t Txn<'_>) -> &'t str {
    match txn {
        Txn::Create(record) | Txn::Create2(record) => &record.path,
        Txn::CreateContainer(record) => &record.path,
        Txn::CreateTtl(record) => &record.path,
        _ => "",
    }
}

fn multi(parts: &[SubTxn<'_>], outcomes: &[Outcome], out: &mut Vec<u8>) {
    for (part, outcome) in parts.iter().zip(outcomes) {
        multi_part(part, outcome, out);
    }
    put_multi_header(out, OpCode::ERROR, true, -1);
}

fn multi_part(part: &SubTxn<'_>, outcome: &Outcome, out: &mut Vec<u8>) {
    match outcome {
        Outcome::Created(stat) => {
            let record = part.decode();
            let path = record.as_ref().map_or("", created_path);
            let kind = if part.kind == OpCode::CREATE {
                OpCode::CREATE
            } else {
                OpCode::CREATE2
            };
            put_multi_header(out, kind, false, 0);
            put_buffer(out, Some(path.as_bytes()));
            if kind == OpCode::CREATE2 {
                put_stat(out, stat);
            }
        }
        Outcome::DataSet(stat) => {
            put_multi_header(out, OpCode::SET_DATA, false, 0);
            put_stat(out, stat);
        }
        Outcome::Error(code) => {
            put_multi_header(out, OpCode::ERROR, false, code.0);
            put_int(out, code.0);
        }
        _ => put_multi_header(out, part.kind, false, 0),
    }
}

/// Appends the answer to a request that makes no transaction and had to wait
/// for those before it; whether the connection ends behind it.
pub(super) fn in_order(
    shared: &Shared,
    tree: &DataTree,
    conn: &Conn,
    header: RequestHeader,
    body: &[u8],
    out: &mut Vec<u8>,
) -> bool {
    match class(header.op) {
        Class::Read => {
            let reader = reads::Reader {
                tree,
                watches: &shared.watches,
                conn,
                config: &shared.settings.reads,
            };
            reads::answer(&reader, header, body, out);
            false
        }
        Class::Write | Class::Auth => {
            sync(header.xid, tree.last_zxid(), body, out);
            false
        }
        Class::Unknown => {
            header_only(out, header.xid, Zxid::NONE, ErrorCode::UNIMPLEMENTED);
            true
        }
    }
}

/// Everything that was submitted before it is applied now.
fn sync(xid: Xid, zxid: Zxid, body: &[u8], out: &mut Vec<u8>) {
    match jute::from_prefix::<PathRequest<'_>>(body) {
        Ok(request) => reply(out, xid, zxid, |out| {
            put_buffer(out, request.path.as_deref().map(str::as_bytes));
        }),
        Err(_) => header_only(out, xid, zxid, ErrorCode::MARSHALLING_ERROR),
    }
}

/// Adds the identities that an auth request proves; its error code. An
/// undecodable one proves nothing.
pub(crate) fn authenticate(shared: &Shared, conn: &Conn, body: &[u8]) -> ErrorCode {
    let (config, metrics) = (&shared.settings.auth, &shared.stats.metrics);
    let address = conn.remote().ip();
    let judged = jute::from_prefix::<AuthPacket<'_>>(body)
        .map(|packet| auth::authenticate(config, &packet, address, metrics));
    match judged {
        Ok(Verdict::Proven(identities)) => {
            conn.add_identities(identities);
            ErrorCode::OK
        }
        Ok(Verdict::Elsewhere) => {
            conn.close();
            ErrorCode::AUTH_FAILED
        }
        Ok(Verdict::Failed) | Err(_) => ErrorCode::AUTH_FAILED,
    }
}
