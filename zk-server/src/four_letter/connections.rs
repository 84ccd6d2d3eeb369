//! The words `cons` and the clients in `stat`: a line for each connection
//! (`ServerCnxn.dumpConnectionInfo`).

use super::java::Address;
use std::fmt;
use std::net::SocketAddr;
use zk_proto::{OpCode, SessionId, Zxid};

/// What a line shows of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Connection {
    pub(super) remote: SocketAddr,
    pub(super) interest: Interest,
    pub(super) queued: u64,
    pub(super) received: u64,
    pub(super) sent: u64,
    /// What is shown of a connection that has a session.
    pub(super) client: Option<Client>,
}

/// What the server waits for at a socket: the bits of Java's `SelectionKey`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interest {
    /// A word was read and is being answered.
    Nothing,
    /// Requests.
    Read,
    /// Requests, and that the client takes its answers.
    ReadAndWrite,
}

/// A client with a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) session: SessionId,
    pub(super) timeout_ms: i32,
    /// Wall clock.
    pub(super) established_ms: i64,
    /// `None` before the first answer.
    pub(super) last_op: Option<OpCode>,
    /// Below zero before the first request with a number.
    pub(super) last_cxid: i32,
    pub(super) last_zxid: Zxid,
    /// The machine's monotonic clock; 0 before the first answer.
    pub(super) last_response_ms: i64,
    pub(super) last_latency_ms: u64,
    pub(super) min_latency_ms: u64,
    pub(super) avg_latency_ms: u64,
    pub(super) max_latency_ms: u64,
}

impl Interest {
    const fn bits(self) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::Read => 1,
            Self::ReadAndWrite => 5,
        }
    }
}

/// The whole answer to `cons`.
pub(super) fn cons(connections: &[Connection]) -> String {
    lines(connections, |line| line.to_string())
}

/// The part of `stat` between `Clients:` and the server's numbers.
pub(super) fn clients(connections: &[Connection]) -> String {
    lines(connections, |line| {
        let client = None;
        Connection { client, ..*line }.to_string()
    })
}

fn lines(connections: &[Connection], line: impl Fn(&Connection) -> String) -> String {
    let mut text: String = connections.iter().map(|of| line(of) + "\n").collect();
    text.push('\n');
    text
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (remote, interest) = (Address(self.remote), self.interest.bits());
        write!(f, " {remote}[{interest:x}](queued={}", self.queued)?;
        write!(f, ",recved={},sent={}", self.received, self.sent)?;
        if let Some(client) = &self.client {
            client.fmt(f)?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = self.last_op.map_or("NA", op_name);
        write!(f, ",sid=0x{:x},lop={op}", self.session.0)?;
        write!(f, ",est={},to={}", self.established_ms, self.timeout_ms)?;
        if self.last_cxid >= 0 {
            write!(f, ",lcxid=0x{:x}", self.last_cxid)?;
        }
        write!(f, ",lzxid=0x{:x}", self.last_zxid.0)?;
        write!(f, ",lresp={}", self.last_response_ms)?;
        write!(f, ",llat={}", self.last_latency_ms)?;
        write!(f, ",minlat={}", self.min_latency_ms)?;
        write!(f, ",avglat={}", self.avg_latency_ms)?;
        write!(f, ",maxlat={}", self.max_latency_ms)
    }
}

/// The short name of an operation (`FinalRequestProcessor`).
const fn op_name(op: OpCode) -> &'static str {
    match op {
        OpCode::PING => "PING",
        OpCode::CREATE_SESSION => "SESS",
        OpCode::MULTI => "MULT",
        OpCode::MULTI_READ => "MLTR",
        OpCode::CREATE | OpCode::CREATE2 | OpCode::CREATE_TTL | OpCode::CREATE_CONTAINER => "CREA",
        OpCode::DELETE | OpCode::DELETE_CONTAINER => "DELE",
        OpCode::SET_DATA => "SETD",
        OpCode::RECONFIG => "RECO",
        OpCode::SET_ACL => "SETA",
        OpCode::CLOSE_SESSION => "CLOS",
        OpCode::SYNC => "SYNC",
        OpCode::CHECK => "CHEC",
        OpCode::EXISTS => "EXIS",
        OpCode::GET_DATA => "GETD",
        OpCode::SET_WATCHES => "SETW",
        OpCode::SET_WATCHES2 => "STW2",
        OpCode::ADD_WATCH => "ADDW",
        OpCode::GET_ACL => "GETA",
        OpCode::GET_CHILDREN | OpCode::GET_CHILDREN2 => "GETC",
        OpCode::GET_ALL_CHILDREN_NUMBER => "GETACN",
        OpCode::CHECK_WATCHES => "CHKW",
        OpCode::REMOVE_WATCHES => "REMW",
        OpCode::WHO_AM_I => "HOMI",
        OpCode::GET_EPHEMERALS => "GETE",
        _ => "NA",
    }
}
