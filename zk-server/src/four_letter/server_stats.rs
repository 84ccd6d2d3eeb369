//! The words `srvr` and `stat` (`StatCommand`, `ServerStats.toString`).

use super::connections::{Connection, clients};
use super::java::Double;
use crate::metrics::SummaryValues;
use std::fmt;
use zk_proto::Zxid;

/// What `srvr` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerState<'a> {
    pub(super) version: &'a str,
    /// In ms.
    pub(super) latency: SummaryValues,
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) connections: usize,
    pub(super) outstanding: usize,
    pub(super) zxid: Zxid,
    pub(super) mode: &'a str,
    pub(super) node_count: usize,
    /// Whether it has no leader and serves those who only read.
    pub(super) read_only: bool,
    /// Of a leader.
    pub(super) proposals: Option<ProposalSizes>,
}

/// How large proposals are, in bytes; -1 before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProposalSizes {
    pub(super) last: i64,
    pub(super) min: i64,
    pub(super) max: i64,
}

/// The whole answer to `srvr`.
pub(super) fn srvr(state: &ServerState<'_>) -> String {
    format!("{}{state}", state.head())
}

/// The whole answer to `stat`.
pub(super) fn stat(state: &ServerState<'_>, connections: &[Connection]) -> String {
    let clients = clients(connections);
    format!("{}Clients:\n{clients}{state}", state.head())
}

impl ServerState<'_> {
    fn head(&self) -> String {
        let version = self.version;
        let read_only = if self.read_only {
            "READ-ONLY mode; serving only read-only clients\n"
        } else {
            ""
        };
        format!("Zookeeper version: {version}\n{read_only}")
    }
}

impl fmt::Display for ServerState<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SummaryValues { min, max, .. } = self.latency;
        let average = Double(self.latency.average());
        writeln!(f, "Latency min/avg/max: {min}/{average}/{max}")?;
        writeln!(f, "Received: {}", self.received)?;
        writeln!(f, "Sent: {}", self.sent)?;
        writeln!(f, "Connections: {}", self.connections)?;
        writeln!(f, "Outstanding: {}", self.outstanding)?;
        writeln!(f, "Zxid: 0x{:x}", self.zxid.0)?;
        writeln!(f, "Mode: {}", self.mode)?;
        writeln!(f, "Node count: {}", self.node_count)?;
        let Some(ProposalSizes { last, min, max }) = self.proposals else {
            return Ok(());
        };
        writeln!(f, "Proposal sizes last/min/max: {last}/{min}/{max}")
    }
}
