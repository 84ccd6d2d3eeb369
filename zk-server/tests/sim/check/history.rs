//! What clients were told, against the one history. It refuses to know how
//! they were told.

use super::reference::{Reference, Znode};
use crate::client::Op;
use zk_proto::{ErrorCode, MultiResult, OpCode, ReplyHeader, Response, Stat, Zxid};

/// What is wrong with an answer, if anything is.
pub(crate) fn problem(
    reference: &Reference,
    op: &Op,
    header: &ReplyHeader,
    body: &[u8],
) -> Option<String> {
    let answer = Answer {
        reference,
        op,
        zxid: header.zxid,
        err: header.err,
        body,
    };
    answer.check().err()
}

struct Answer<'a> {
    reference: &'a Reference,
    op: &'a Op,
    zxid: Zxid,
    err: ErrorCode,
    body: &'a [u8],
}

impl Answer<'_> {
    fn check(&self) -> Result<(), String> {
        if self.zxid > self.reference.top() {
            return Err("it shows what nobody committed".into());
        }
        match self.op.kind {
            OpCode::GET_DATA => self.check_read(),
            OpCode::SET_DATA | OpCode::CREATE | OpCode::DELETE | OpCode::MULTI => {
                self.check_write()
            }
            _ => Ok(()),
        }
    }

    fn check_read(&self) -> Result<(), String> {
        let expected = self.znode(&self.op.path);
        if self.op.is_strict && self.zxid < self.op.seen {
            return Err(format!(
                "somebody had seen {} before the sync",
                self.op.seen
            ));
        }
        match (self.err, self.record()?, expected) {
            (ErrorCode::OK, Response::Data(data, stat), Some(expected)) => {
                let value = data.and_then(|data| data.0.first_chunk::<8>().copied());
                self.check_stat(&stat, expected)?;
                self.agree(value.map(u64::from_be_bytes), Some(expected.value))
            }
            (ErrorCode::NO_NODE, _, None) => Ok(()),
            (_, _, expected) => Err(format!("the history says {expected:?}")),
        }
    }

    fn record(&self) -> Result<Response<'_>, String> {
        if !self.err.is_ok() {
            return Ok(Response::Empty);
        }
        Response::decode(self.op.kind, self.body)
            .map_err(|error| format!("it cannot be read: {error}"))
    }

    fn znode(&self, path: &str) -> Option<Znode> {
        self.reference.znode_at(path, self.zxid)
    }

    fn check_write(&self) -> Result<(), String> {
        if self.zxid < self.op.seen || (self.err.is_ok() && self.zxid == self.op.seen) {
            let seen = self.op.seen;
            return Err(format!("somebody had seen {seen} before it was asked for"));
        }
        match self.error()? {
            ErrorCode::OK => self.check_done(),
            error => self.check_refusal(error),
        }
    }

    /// A multi that failed says so in its parts.
    fn error(&self) -> Result<ErrorCode, String> {
        let Response::Multi(results) = self.record()? else {
            return Ok(self.err);
        };
        let mut errors = results.iter().filter_map(|result| match result {
            MultiResult::Error(code) if !code.is_ok() => Some(*code),
            _ => None,
        });
        // Those behind the one that failed have another error.
        Ok(errors.next().unwrap_or(self.err))
    }

    fn check_done(&self) -> Result<(), String> {
        let record = self.record()?;
        let path = match &record {
            Response::Path(Some(path)) => path.to_string(),
            _ => self.op.path.clone(),
        };
        if !path.starts_with(&self.op.path) {
            return Err(format!("it is about {path}"));
        }
        if !self.reference.changed_at(&path, self.zxid) {
            return Err("the history has no such change".into());
        }
        let now = self.znode(&path);
        let value = now.map(|znode| znode.value);
        let wanted = (self.op.kind != OpCode::DELETE).then_some(self.op.value);
        self.agree(value, wanted)?;
        match (&record, now) {
            (Response::Stat(stat), Some(now)) => self.check_stat(stat, now),
            _ => Ok(()),
        }
    }

    /// The versions of a znode form one chain, each with one value.
    fn check_stat(&self, stat: &Stat, expected: Znode) -> Result<(), String> {
        let told = (stat.czxid, stat.mzxid, stat.version);
        let known = (expected.czxid, expected.mzxid, expected.version);
        if told != known {
            return Err(format!("its stat is {told:?}, in the history {known:?}"));
        }
        let version = self.op.version;
        if self.op.kind == OpCode::SET_DATA && version >= 0 && version + 1 != stat.version {
            return Err(format!("the version after {version} is {}", stat.version));
        }
        Ok(())
    }

    fn agree(&self, told: Option<u64>, known: Option<u64>) -> Result<(), String> {
        if told == known {
            return Ok(());
        }
        Err(format!("it has {told:x?}, and not {known:x?}"))
    }

    /// A refusal must be right, too.
    fn check_refusal(&self, error: ErrorCode) -> Result<(), String> {
        let now = self.znode(&self.op.path);
        let is_right = match error {
            ErrorCode::BAD_VERSION => {
                now.is_some_and(|now| self.op.version >= 0 && now.version != self.op.version)
            }
            ErrorCode::NO_NODE => match self.op.kind {
                OpCode::CREATE => !self.has_parent(),
                OpCode::MULTI => {
                    let sibling = crate::client::sibling(&self.op.path);
                    now.is_none() || self.znode(&sibling).is_none()
                }
                _ => now.is_none(),
            },
            ErrorCode::NODE_EXISTS => now.is_some(),
            ErrorCode::SESSION_EXPIRED | ErrorCode::SESSION_MOVED => true,
            _ => false,
        };
        if is_right {
            return Ok(());
        }
        Err(format!("{error}, and the history says {now:?}"))
    }

    fn has_parent(&self) -> bool {
        let parent = self.op.path.rsplit_once('/').map(|(parent, _)| parent);
        parent.is_some_and(|it| it.is_empty() || self.znode(it).is_some())
    }
}
