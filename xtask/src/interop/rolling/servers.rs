//! What the servers themselves tell of their trees: all znodes, digests, and counts of digests
//! that were not what the leader said.

use std::collections::BTreeMap;

use super::tree::{self, Tree};
use crate::ensemble::{self, Ensemble, Kind, Roles, ServerId};
use crate::error::{Error, Result};

/// Counts transactions that led to another tree than the leader said.
const MISMATCHES: &str = "zk_digest_mismatches_count";

/// The digests that several servers told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Digests {
    /// At how many zxids.
    pub(super) count: usize,
    /// Where they were not the same.
    pub(super) differing: Vec<String>,
}

/// What is known of the servers from earlier looks at them.
///
/// Apache 3.8.0 and 3.9.5 as a starting learner come, now and then, to other digests for some of
/// the transactions that they are sent while they synchronize; what follows and the trees are
/// right nevertheless. So what a server of Apache's told up to the moment when it began to serve
/// is only reported. A server of ours has no such time.
#[derive(Debug, Default)]
pub(super) struct Known {
    counts: BTreeMap<ServerId, Count>,
    /// The zxid at which a server of Apache's was first seen to serve.
    synchronized: BTreeMap<ServerId, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    /// Of the process, which begins at zero.
    pid: Option<u32>,
    count: u64,
}

/// The tree of every server, with the server's name.
pub(super) fn trees(ensemble: &Ensemble) -> Result<Vec<(String, Tree)>> {
    let servers = ensemble.servers.iter();
    let read = servers.map(|server| {
        let name = format!("server {} ({})", server.id(), server.program.kind);
        let tree = tree::read(server.address());
        let tree = tree.map_err(|error| Error::wrong(format!("{name}: {error}")))?;
        Ok((name, tree))
    });
    read.collect()
}

/// Where the trees of servers differ.
pub(super) fn unequal(trees: &[(String, Tree)]) -> Vec<String> {
    let pairs = trees.windows(2);
    let differing = pairs.flat_map(|pair| {
        let (one, other) = (&pair[0], &pair[1]);
        let differences = tree::differences(&one.1, &other.1).into_iter();
        differences.map(|what| format!("{} and {}: {what}", one.0, other.0))
    });
    differing.collect()
}

impl Known {
    /// Notes that a server was started and serves now.
    pub(super) fn started(&mut self, roles: &Roles, id: ServerId) {
        self.synchronized.remove(&id);
        if let Some((_, kind, status)) = roles.servers.iter().find(|(own, ..)| *own == id)
            && *kind != Kind::Ours
        {
            self.synchronized.insert(id, status.zxid);
        }
    }

    /// Compares the digests at equal zxids.
    pub(super) fn digests(&self, ensemble: &Ensemble) -> Result<Digests> {
        let mut told = Vec::new();
        for server in &ensemble.servers {
            let since = self.synchronized.get(&server.id());
            let since = since.map_or(0, |zxid| zxid + 1);
            let mut digests = ensemble::digests(server.address())
                .map_err(|error| asking(server.id(), "hash", error))?;
            told.push(digests.split_off(&since));
        }
        Ok(compare(told))
    }

    /// Servers that counted a mismatch which must not be.
    pub(super) fn mismatches(&mut self, ensemble: &Ensemble) -> Result<Vec<String>> {
        let mut grown = Vec::new();
        for server in &ensemble.servers {
            let told = ensemble::monitor(server.address())
                .map_err(|error| asking(server.id(), "mntr", error))?;
            let count = told.get(MISMATCHES).and_then(|count| count.parse().ok());
            let now = Count {
                pid: server.pid(),
                count: count.unwrap_or(0),
            };
            let (id, kind) = (server.id(), server.program.kind);
            let what = format!(
                "server {id} ({kind}) counts {} digest mismatches",
                now.count
            );
            match self.judge(id, kind, now) {
                Judgement::Good => {}
                Judgement::Odd => println!("  note: {what} since its start"),
                Judgement::Wrong => grown.push(what),
            }
        }
        Ok(grown)
    }

    fn judge(&mut self, id: ServerId, kind: Kind, now: Count) -> Judgement {
        let before = self.counts.insert(id, now);
        let before = before.filter(|before| before.pid == now.pid);
        match before {
            _ if now.count == 0 => Judgement::Good,
            _ if kind == Kind::Ours => Judgement::Wrong,
            Some(before) if before.count == now.count => Judgement::Good,
            Some(_) => Judgement::Wrong,
            None => Judgement::Odd,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    Good,
    Odd,
    Wrong,
}

fn compare(told: Vec<BTreeMap<u64, String>>) -> Digests {
    let mut by_zxid: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for (zxid, digest) in told.into_iter().flatten() {
        by_zxid.entry(zxid).or_default().push(digest);
    }
    by_zxid.retain(|_, digests| digests.len() > 1);
    let differs = |digests: &[String]| digests.windows(2).any(|pair| pair[0] != pair[1]);
    let differing = by_zxid.iter().filter(|(_, digests)| differs(digests));
    let differing = differing.map(|(zxid, digests)| format!("digests at 0x{zxid:x}: {digests:?}"));
    Digests {
        count: by_zxid.len(),
        differing: differing.collect(),
    }
}

fn asking(server: ServerId, word: &str, source: std::io::Error) -> Error {
    Error::Io {
        what: format!("server {server} does not answer `{word}`"),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_compared_where_several_are_told() {
        let told = |pairs: &[(u64, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(zxid, digest)| (*zxid, (*digest).to_owned()))
                .collect()
        };
        let one = told(&[(1, "a"), (2, "b"), (3, "c")]);
        let found = compare(vec![one, told(&[(2, "b"), (3, "x"), (4, "d")])]);
        assert_eq!(found.count, 2);
        assert_eq!(found.differing, [r#"digests at 0x3: ["c", "x"]"#]);
    }

    #[test]
    fn a_mismatch_is_wrong_unless_an_apache_server_just_started() {
        let mut known = Known::default();
        let mut judge = |kind, pid, count| {
            let pid = Some(pid);
            known.judge(ServerId(1), kind, Count { pid, count })
        };
        assert_eq!(judge(Kind::Apache395, 1, 0), Judgement::Good);
        assert_eq!(judge(Kind::Apache395, 1, 1), Judgement::Wrong);
        assert_eq!(judge(Kind::Apache395, 2, 3), Judgement::Odd);
        assert_eq!(judge(Kind::Apache395, 2, 3), Judgement::Good);
        assert_eq!(judge(Kind::Apache395, 2, 4), Judgement::Wrong);
        assert_eq!(judge(Kind::Ours, 3, 1), Judgement::Wrong);
    }
}
