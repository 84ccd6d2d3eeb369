//! create, create2, createContainer and createTTL.

use super::{Step, appended};
use crate::digest;
use crate::pending::{NodeState, Seen};
use std::fmt::Write;
use zk_proto::path::{split, validate};
use zk_proto::{
    Acl, Buffer, CreateMode, CreateRequest, CreateTtlRequest, EphemeralType, ErrorCode, MAX_TTL_MS,
    OpCode, Perms, SessionId, StatPersisted, Zxid, jute,
};

/// What the four requests have in common. A time to live of -1 is none.
pub(super) struct NewNode<'r, 'a> {
    pub(super) path: Option<&'r str>,
    pub(super) data: Option<Buffer<'a>>,
    pub(super) acl: Option<&'r [Acl<'a>]>,
    pub(super) flags: i32,
    pub(super) ttl: i64,
}

impl<'r, 'a> From<&'r CreateRequest<'a>> for NewNode<'r, 'a> {
    fn from(request: &'r CreateRequest<'a>) -> Self {
        Self {
            path: request.path.as_deref(),
            data: request.data,
            acl: request.acl.as_deref(),
            flags: request.flags,
            ttl: -1,
        }
    }
}

impl<'r, 'a> From<&'r CreateTtlRequest<'a>> for NewNode<'r, 'a> {
    fn from(request: &'r CreateTtlRequest<'a>) -> Self {
        Self {
            path: request.path.as_deref(),
            data: request.data,
            acl: request.acl.as_deref(),
            flags: request.flags,
            ttl: request.ttl,
        }
    }
}

/// A creation of which all but the name is settled.
struct Creation<'r, 'a> {
    op: OpCode,
    mode: CreateMode,
    new: &'r NewNode<'r, 'a>,
    /// The list to store.
    acl: &'r [Acl<'a>],
    parent_path: &'r str,
    parent: (Seen, NodeState),
}

impl Step<'_> {
    pub(super) fn create(
        &mut self,
        op: OpCode,
        new: &NewNode<'_, '_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let mode = CreateMode::from_flags(new.flags).ok_or(ErrorCode::BAD_ARGUMENTS)?;
        self.check_mode(op, mode, new.ttl)?;
        if mode.is_ephemeral() {
            self.check_global_session()?;
        } else {
            self.check_session()?;
        }
        let asked = new.path.ok_or(ErrorCode::MARSHALLING_ERROR)?;
        let parent_path = parent_of(asked)?;
        let acl = self.config.acl.fix_up(new.acl, self.caller.identities)?;
        let parent = self.find_node(parent_path)?;
        self.check_acl(&parent.1, Perms::CREATE)?;
        let creation = Creation {
            op,
            mode,
            new,
            acl: &acl,
            parent_path,
            parent,
        };
        if !mode.is_sequential() {
            return self.create_at(asked, &creation, out);
        }
        let mut name = std::mem::take(&mut self.pending.name);
        number(&mut name, asked, parent.1.stat.cversion);
        let result = self.create_at(&name, &creation, out);
        self.pending.name = name;
        result
    }

    /// The time to live belongs to its flags. Apache lets createTTL pass with
    /// other flags and a negative one, and ends when it applies that.
    fn check_mode(&self, op: OpCode, mode: CreateMode, ttl: i64) -> Result<(), ErrorCode> {
        if mode.is_ttl() && !self.tree.config().extended_types {
            return Err(ErrorCode::UNIMPLEMENTED);
        }
        let fits = if mode.is_ttl() {
            (1..=MAX_TTL_MS).contains(&ttl)
        } else {
            ttl < 0 && op != OpCode::CREATE_TTL
        };
        if fits {
            Ok(())
        } else {
            Err(ErrorCode::BAD_ARGUMENTS)
        }
    }

    fn create_at(
        &mut self,
        path: &str,
        creation: &Creation<'_, '_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        validate(path).map_err(|_| ErrorCode::BAD_ARGUMENTS)?;
        let seen = self.find(path);
        if seen.state.is_some() {
            return Err(ErrorCode::NODE_EXISTS);
        }
        let (parent_seen, parent) = creation.parent;
        if let EphemeralType::Normal(_) = self.tree.kind(parent.stat.ephemeral_owner) {
            return Err(ErrorCode::NO_CHILDREN_FOR_EPHEMERALS);
        }
        let data_len = creation.new.data.map_or(0, |data| data.len());
        self.check_quota(path, 1, data_len as i64)?;
        let cversion = parent.stat.cversion.wrapping_add(1);
        creation.append(path, cversion, out)?;

        let parent = with_child(parent, cversion, self.stamp.zxid);
        self.put(creation.parent_path, &parent_seen, Some(parent));
        let state = self.new_node(path, creation);
        self.put(path, &seen, Some(state));
        Ok(())
    }

    fn new_node(&mut self, path: &str, creation: &Creation<'_, '_>) -> NodeState {
        let data = creation.new.data;
        let content_crc = if self.tree.is_digested(path) {
            digest::content_crc(path, data.as_deref())
        } else {
            0
        };
        let zxid = self.stamp.zxid;
        NodeState {
            stat: StatPersisted {
                czxid: zxid,
                mzxid: zxid,
                pzxid: zxid,
                ctime: self.stamp.time_ms,
                mtime: self.stamp.time_ms,
                ephemeral_owner: creation.owner(self.caller.session),
                ..StatPersisted::default()
            },
            children: 0,
            data_len: data.map_or(0, |data| data.len()),
            content_crc,
            acl: self.pending.keep_acl(creation.acl),
        }
    }
}

impl Creation<'_, '_> {
    /// The operation decides, not the flags: create with the flags of a
    /// container makes a plain znode, createContainer with any flags a
    /// container.
    const fn owner(&self, session: SessionId) -> i64 {
        let kind = match self.op {
            OpCode::CREATE_CONTAINER => EphemeralType::Container,
            OpCode::CREATE_TTL => EphemeralType::Ttl(self.new.ttl),
            _ if self.mode.is_ephemeral() => EphemeralType::Normal(session.0),
            _ => EphemeralType::Void,
        };
        kind.owner()
    }

    fn append(&self, path: &str, cversion: i32, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
        let start = (path, self.new.data, self.acl);
        appended(match self.op {
            OpCode::CREATE_CONTAINER => jute::append(out, &(start, cversion)),
            OpCode::CREATE_TTL => jute::append(out, &(start, cversion, self.new.ttl)),
            _ => jute::append(out, &(start, self.mode.is_ephemeral(), cversion)),
        })
    }
}

/// The parent of what is to be created, before the path is known to be good:
/// sequential znodes may be named "".
fn parent_of(path: &str) -> Result<&str, ErrorCode> {
    match split(path) {
        Some((parent, _)) if !path.contains('\0') => Ok(parent),
        _ => Err(ErrorCode::BAD_ARGUMENTS),
    }
}

/// Ten digits of the parent's stored cversion. Counters that have overflown
/// are negative and keep their sign, as Java formats them.
fn number(name: &mut String, asked: &str, cversion: i32) {
    name.clear();
    name.push_str(asked);
    write!(name, "{cversion:010}").expect("strings take what is written");
}

/// A parent after the creation of a child. The tree lets cversion grow only,
/// so an overflow leaves it as it is.
const fn with_child(mut parent: NodeState, cversion: i32, zxid: Zxid) -> NodeState {
    if cversion > parent.stat.cversion {
        parent.stat.cversion = cversion;
        parent.stat.pzxid = zxid;
    }
    parent.children += 1;
    parent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_ten_digits_and_keep_their_sign() {
        let mut name = "left over".to_owned();
        for (cversion, expected) in [
            (0, "/a-0000000000"),
            (42, "/a-0000000042"),
            (i32::MAX, "/a-2147483647"),
            (i32::MIN, "/a--2147483648"),
            (-5, "/a--000000005"),
        ] {
            number(&mut name, "/a-", cversion);
            assert_eq!(name, expected);
        }
    }
}
