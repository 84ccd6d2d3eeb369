//! Answers from the tree: every operation that makes no transaction.
//!
//! Each function appends one whole frame. The caller holds the tree's read
//! lock for as long as it likes, so that all answers of a batch show one
//! state, and a watch that is set here cannot miss the next transaction.
//! Order among the requests of a connection is the caller's business.

mod encode;
mod multi_read;
mod watching;

pub(crate) use encode::{
    header_only, notification, put_buffer, put_int, put_multi_header, put_stat, reply,
};

use crate::conn::Conn;
use parking_lot::Mutex;
use zk_proto::{
    ErrorCode, OpCode, PathRequest, Perms, ReadRequest, Request, RequestHeader, Ustr, Xid, Zxid,
    jute,
};
use zk_tree::{AclRules, DataTree, NodeRef, WatchKind, Watches};

/// What reads need to know of the configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadConfig {
    /// Which schemes there are, and whether lists are looked at.
    pub(crate) acl: AclRules,
}

/// Everything that an answer may look at.
pub(crate) struct Reader<'a> {
    pub(crate) tree: &'a DataTree,
    pub(crate) watches: &'a Mutex<Watches>,
    pub(crate) conn: &'a Conn,
    pub(crate) config: &'a ReadConfig,
}

/// Appends the answer to a request, as one frame (setWatches may put events
/// before it).
pub(crate) fn answer(reader: &Reader<'_>, header: RequestHeader, body: &[u8], out: &mut Vec<u8>) {
    let zxid = reader.tree.last_zxid();
    match header.op {
        OpCode::PING => return header_only(out, Xid::PING, zxid, ErrorCode::OK),
        OpCode::SASL => return sasl(header, body, out),
        _ => {}
    }
    let result = match Request::decode(header.op, body) {
        Ok(Request::MultiRead(ops)) => return reader.multi_read(header.xid, &ops, out),
        Ok(request) => reader.serve(header.xid, &request, out),
        Err(_) if multi_read::has_writes_only(header.op, body) => {
            return reader.multi_read_of_writes(header.xid, out);
        }
        Err(_) => Err(ErrorCode::MARSHALLING_ERROR),
    };
    if let Err(code) = result {
        header_only(out, header.xid, zxid, code);
    }
}

/// Without a SASL provider: no error, and a null token.
fn sasl(header: RequestHeader, body: &[u8], out: &mut Vec<u8>) {
    match jute::from_prefix::<Option<zk_proto::Buffer<'_>>>(body) {
        Ok(_) => reply(out, header.xid, Zxid::ZERO, |out| {
            out.extend_from_slice(&(-1i32).to_be_bytes());
        }),
        Err(_) => header_only(out, header.xid, Zxid::ZERO, ErrorCode::MARSHALLING_ERROR),
    }
}

impl Reader<'_> {
    fn serve(&self, xid: Xid, request: &Request<'_>, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
        match request {
            Request::GetData(read) => self.get_data(xid, read, out),
            Request::Exists(read) => self.exists(xid, read, out),
            Request::GetChildren(read) => self.get_children(xid, read, false, out),
            Request::GetChildren2(read) => self.get_children(xid, read, true, out),
            Request::GetAcl(path) => self.get_acl(xid, path, out),
            Request::GetAllChildrenNumber(path) => self.count(xid, path, out),
            Request::GetEphemerals(path) => self.get_ephemerals(xid, path, out),
            Request::WhoAmI => self.who_am_i(xid, out),
            Request::AddWatch(add) => self.add_watch(xid, add, out),
            Request::CheckWatches(what) => self.check_watches(xid, what, out),
            Request::RemoveWatches(what) => self.remove_watches(xid, what, out),
            Request::SetWatches(set) => self.set_watches(xid, &set.into(), out),
            Request::SetWatches2(set) => self.set_watches(xid, &set.into(), out),
            _ => Err(ErrorCode::UNIMPLEMENTED),
        }
    }

    fn zxid(&self) -> Zxid {
        self.tree.last_zxid()
    }

    /// The znode, if it is there and the connection may do one of `perms`.
    fn node(&self, path: &str, perms: Perms) -> Result<NodeRef<'_>, ErrorCode> {
        let node = self.tree.get(path).ok_or(ErrorCode::NO_NODE)?;
        if self.may(&node, perms) {
            Ok(node)
        } else {
            Err(ErrorCode::NO_AUTH)
        }
    }

    fn may(&self, node: &NodeRef<'_>, perms: Perms) -> bool {
        let acl = node.acl();
        acl.is_open()
            || self
                .config
                .acl
                .allows(acl.entries(), perms, &self.conn.identities())
    }

    fn get_data(
        &self,
        xid: Xid,
        read: &ReadRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let path = path(&read.path)?;
        let node = self.node(path, Perms::READ)?;
        self.watch_if(read.watch, &read.path, WatchKind::Data);
        reply(out, xid, self.zxid(), |out| {
            put_buffer(out, node.data());
            put_stat(out, &node.stat());
        });
        Ok(())
    }

    /// Sets its watch even on a znode that is not there.
    fn exists(&self, xid: Xid, read: &ReadRequest<'_>, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
        let path = path(&read.path)?;
        if path.contains('\0') {
            return Err(ErrorCode::BAD_ARGUMENTS);
        }
        let node = self.tree.get(path);
        if let Some(node) = &node
            && !self.may(node, Perms::READ)
        {
            return Err(ErrorCode::NO_AUTH);
        }
        self.watch_if(read.watch, &read.path, WatchKind::Data);
        let stat = node.ok_or(ErrorCode::NO_NODE)?.stat();
        reply(out, xid, self.zxid(), |out| put_stat(out, &stat));
        Ok(())
    }

    fn get_children(
        &self,
        xid: Xid,
        read: &ReadRequest<'_>,
        with_stat: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let path = path(&read.path)?;
        let node = self.node(path, Perms::READ)?;
        self.watch_if(read.watch, &read.path, WatchKind::Child);
        reply(out, xid, self.zxid(), |out| {
            put_children(out, &node);
            if with_stat {
                put_stat(out, &node.stat());
            }
        });
        Ok(())
    }

    /// Needs READ or ADMIN; without ADMIN the hashes of digest ids are hidden.
    fn get_acl(
        &self,
        xid: Xid,
        request: &PathRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let node = self.node(path(&request.path)?, Perms::READ.union(Perms::ADMIN))?;
        let entries = if self.may(&node, Perms::ADMIN) {
            node.acl().entries().to_vec()
        } else {
            zk_tree::masked(node.acl().entries())
        };
        reply(out, xid, self.zxid(), |out| {
            encode::put_record(out, &entries);
            put_stat(out, &node.stat());
        });
        Ok(())
    }

    fn count(
        &self,
        xid: Xid,
        request: &PathRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let path = path(&request.path)?;
        self.node(path, Perms::READ)?;
        // Under its name without a slash the root counts itself too
        // (`DataTree.getAllChildrenNumber`).
        let itself = usize::from(path.is_empty());
        let count = self.tree.count_descendants(path).unwrap_or(0) + itself;
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        reply(out, xid, self.zxid(), |out| put_int(out, count));
        Ok(())
    }

    /// The session's own ephemerals whose path starts with the prefix.
    fn get_ephemerals(
        &self,
        xid: Xid,
        request: &PathRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let prefix = request.path.as_ref().map_or("", Ustr::as_str);
        // Java's `String.trim` takes away everything up to a space.
        let prefix = match prefix.trim_matches(|c| c <= ' ') {
            "" | "/" => "",
            _ => prefix,
        };
        let paths: Vec<String> = self
            .tree
            .ephemerals(self.conn.session_id())
            .into_iter()
            .filter(|path| path.starts_with(prefix))
            .collect();
        reply(out, xid, self.zxid(), |out| encode::put_record(out, &paths));
        Ok(())
    }

    fn who_am_i(&self, xid: Xid, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
        let identities = self.conn.identities();
        let infos: Vec<_> = identities
            .iter()
            .map(|id| (id.scheme(), user(id)))
            .collect();
        reply(out, xid, self.zxid(), |out| encode::put_record(out, &infos));
        Ok(())
    }
}

/// The path of a request; null is what Apache stumbles over.
fn path<'a>(path: &'a Option<Ustr<'_>>) -> Result<&'a str, ErrorCode> {
    path.as_deref().ok_or(ErrorCode::MARSHALLING_ERROR)
}

fn put_children(out: &mut Vec<u8>, node: &NodeRef<'_>) {
    let count = i32::try_from(node.num_children()).unwrap_or(i32::MAX);
    put_int(out, count);
    for name in node.child_names() {
        put_buffer(out, Some(name.as_bytes()));
    }
}

/// Digest ids are shown without their hash.
fn user<'a>(id: &'a zk_proto::Id<'_>) -> &'a str {
    match id.scheme() {
        "digest" => id.id().split(':').next().unwrap_or(""),
        _ => id.id(),
    }
}
