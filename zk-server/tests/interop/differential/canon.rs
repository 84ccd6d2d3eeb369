//! Answers as text in which only what must be equal is left: session ids by
//! the order in which they were given out, times by how they relate, sets in
//! one order.

use super::call::{Call, hex, shortened};
use zk_proto::{
    Acl, ConnectResponse, ErrorCode, MultiReadResult, MultiResult, OpCode, ReplyHeader, Response,
    SessionId, Stat, WatcherEvent, jute,
};

/// Which server: 0 is Apache's.
pub(crate) type Side = usize;

/// What one frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A watch event of this zxid.
    Event(i64),
    /// The answer to a call.
    Answer { zxid: i64, err: ErrorCode },
    /// The end of the connection, or silence.
    End,
}

impl Line {
    pub(crate) fn closed() -> Self {
        Self::end("closed")
    }

    pub(crate) fn silence() -> Self {
        Self::end("no answer")
    }

    /// Something that was said outside of any connection.
    pub(crate) fn said(text: &str) -> Self {
        Self::end(text)
    }

    fn end(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            kind: Kind::End,
        }
    }
}

/// The sessions of both servers, in the order in which they came to be.
#[derive(Debug, Default)]
pub(crate) struct Sessions([Vec<SessionId>; 2]);

impl Sessions {
    pub(crate) fn add(&mut self, ids: [SessionId; 2]) {
        for (known, id) in self.0.iter_mut().zip(ids) {
            known.push(id);
        }
    }

    pub(crate) fn label(&self, side: Side, id: SessionId) -> String {
        if id == SessionId::NONE {
            return "none".into();
        }
        let at = self.0[side].iter().rposition(|known| *known == id);
        at.map_or_else(|| format!("unknown {id}"), |at| format!("#{at}"))
    }

    pub(crate) fn connected(&self, side: Side, response: &ConnectResponse<'_>) -> String {
        let password = response.password.map(|password| password.len());
        format!(
            "connected: version {}, timeout {}, session {}, {password:?} password bytes, readOnly {:?}",
            response.protocol_version,
            response.timeout_ms,
            self.label(side, response.session_id),
            response.read_only
        )
    }

    /// A frame that came while `call` was waiting for its answer.
    pub(crate) fn line(&self, side: Side, call: &Call, payload: &[u8]) -> Line {
        if call.op == OpCode::CREATE_SESSION
            && let Some(line) = self.session_answer(side, payload)
        {
            return line;
        }
        let mut reader = jute::Reader::new(payload);
        let Ok(header) = reader.read::<ReplyHeader>() else {
            return Line::end(&format!("no reply header: {}", hex(payload)));
        };
        let body = reader.remaining();
        if header.xid.0 == -1 && call.xid != Some(-1) {
            return event(&header, body);
        }
        let text = format!(
            "xid {}, zxid {}, {:?}, {} bytes: {}",
            header.xid.0,
            header.zxid,
            header.err,
            body.len(),
            self.body(side, call.op, &header, body)
        );
        Line {
            text,
            kind: Kind::Answer {
                zxid: header.zxid.0,
                err: header.err,
            },
        }
    }

    /// createSession is answered without a reply header, unless it fails.
    fn session_answer(&self, side: Side, payload: &[u8]) -> Option<Line> {
        if !matches!(payload.len(), 36 | 37) || !payload.starts_with(&[0; 4]) {
            return None;
        }
        let response = ConnectResponse::decode(payload).ok()?;
        Some(Line {
            text: self.connected(side, &response),
            kind: Kind::Answer {
                zxid: 0,
                err: ErrorCode::OK,
            },
        })
    }

    fn body(&self, side: Side, op: OpCode, header: &ReplyHeader, body: &[u8]) -> String {
        if !header.err.is_ok() && op != OpCode::MULTI_READ {
            return hex(body);
        }
        match Response::decode(op, body) {
            Ok(response) => shortened(self.response(side, response)),
            Err(_) => hex(body),
        }
    }

    fn response(&self, side: Side, response: Response<'_>) -> String {
        match response {
            Response::PathStat(path, stat) => format!("{path:?} {}", self.stat(side, &stat)),
            Response::Stat(stat) => self.stat(side, &stat),
            Response::Data(data, stat) => format!("{data:?} {}", self.stat(side, &stat)),
            Response::Acl(acl, stat) => format!("{} {}", acl_list(acl), self.stat(side, &stat)),
            Response::Names(names) => sorted(names),
            Response::NamesStat(names, stat) => {
                format!("{} {}", sorted(names), self.stat(side, &stat))
            }
            Response::ClientInfos(infos) => {
                sorted(infos.map(|infos| infos.iter().map(|info| format!("{info:?}")).collect()))
            }
            Response::Multi(results) => self.list(results, |result| self.multi(side, result)),
            Response::MultiRead(results) => {
                self.list(results, |result| self.multi_read(side, result))
            }
            other => format!("{other:?}"),
        }
    }

    fn list<T>(&self, items: Vec<T>, text: impl Fn(T) -> String) -> String {
        let texts: Vec<_> = items.into_iter().map(text).collect();
        format!("[{}]", texts.join(", "))
    }

    fn multi(&self, side: Side, result: MultiResult<'_>) -> String {
        match result {
            MultiResult::Create2(path, stat) => format!("{path:?} {}", self.stat(side, &stat)),
            MultiResult::SetData(stat) => self.stat(side, &stat),
            other => format!("{other:?}"),
        }
    }

    fn multi_read(&self, side: Side, result: MultiReadResult<'_>) -> String {
        match result {
            MultiReadResult::Ok(op, response) => {
                format!("{op:?} {}", self.response(side, response))
            }
            MultiReadResult::Error(code) => format!("{code:?}"),
        }
    }

    fn stat(&self, side: Side, stat: &Stat) -> String {
        format!(
            "{{c {}, m {}, p {}, versions {} {} {}, owner {}, {} bytes, {} children, {}}}",
            stat.czxid,
            stat.mzxid,
            stat.pzxid,
            stat.version,
            stat.cversion,
            stat.aversion,
            self.label(side, SessionId(stat.ephemeral_owner)),
            stat.data_length,
            stat.num_children,
            times(stat)
        )
    }
}

/// Times differ between servers, but not how they relate: changes of one
/// transaction have one time, and later ones no earlier time.
fn times(stat: &Stat) -> &'static str {
    if stat.ctime == 0 && stat.mtime == 0 {
        return "no times";
    }
    let agree = match stat.czxid == stat.mzxid {
        true => stat.ctime == stat.mtime,
        false => stat.ctime <= stat.mtime,
    };
    if agree { "times" } else { "odd times" }
}

fn sorted<T: Ord + std::fmt::Debug>(items: Option<Vec<T>>) -> String {
    let Some(mut items) = items else {
        return "null".into();
    };
    items.sort();
    format!("{items:?}")
}

/// Lists are in order, but the identities that `auth` stands for are in none.
fn acl_list(acl: Option<Vec<Acl<'_>>>) -> String {
    let identities = |acl: &Vec<Acl<'_>>| {
        acl.iter()
            .filter(|entry| entry.id.scheme() == "digest")
            .count()
    };
    match acl {
        Some(acl) if identities(&acl) > 1 => sorted(Some(acl)),
        acl => format!("{acl:?}"),
    }
}

fn event(header: &ReplyHeader, body: &[u8]) -> Line {
    let text = match jute::from_slice::<WatcherEvent<'_>>(body) {
        Ok(event) => format!("event {}, {:?}: {event:?}", header.zxid, header.err),
        Err(_) => format!("odd event {}", hex(body)),
    };
    Line {
        text,
        kind: Kind::Event(header.zxid.0),
    }
}
