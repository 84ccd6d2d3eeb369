//! Four-letter words: one word to a server, one text back.
//!
//! Only the forms that this program looks at are known here: the lines of `srvr`, `mntr` and
//! `hash`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A server that does not answer for this long is busy with something else.
const PATIENCE: Duration = Duration::from_secs(2);

/// No answer to a word is longer.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// What a server is in its ensemble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Leader,
    Follower,
    Observer,
    Standalone,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Observer => "observer",
            Self::Standalone => "standalone",
        })
    }
}

/// What a server that serves says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) version: String,
    pub(crate) mode: Mode,
    /// Of the last transaction that it applied.
    pub(crate) zxid: u64,
}

/// Sends a word and reads the whole answer.
pub(crate) fn ask(server: SocketAddr, word: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(word.as_bytes())?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}

/// What the server is, or `None` while it does not serve.
pub(crate) fn status(server: SocketAddr) -> Option<Status> {
    parse_status(&ask(server, "srvr").ok()?)
}

/// The lines of `mntr` by their names.
pub(crate) fn monitor(server: SocketAddr) -> io::Result<BTreeMap<String, String>> {
    let text = ask(server, "mntr")?;
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    Ok(lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

/// The digests of the tree that `hash` lists, by the zxid after which they were taken.
pub(crate) fn digests(server: SocketAddr) -> io::Result<BTreeMap<u64, String>> {
    Ok(parse_digests(&ask(server, "hash")?))
}

fn parse_status(srvr: &str) -> Option<Status> {
    let value = |name: &str| srvr.lines().find_map(|line| line.strip_prefix(name));
    let zxid = value("Zxid: 0x")?;
    Some(Status {
        version: value("Zookeeper version: ")?.split(',').next()?.to_owned(),
        mode: match value("Mode: ")?.trim() {
            "leader" => Mode::Leader,
            "follower" => Mode::Follower,
            "observer" => Mode::Observer,
            "standalone" => Mode::Standalone,
            _ => return None,
        },
        zxid: u64::from_str_radix(zxid.trim(), 16).ok()?,
    })
}

fn parse_digests(hash: &str) -> BTreeMap<u64, String> {
    let lines = hash.lines().filter_map(|line| line.split_once(": "));
    lines
        .filter_map(|(zxid, digest)| {
            let zxid = u64::from_str_radix(zxid, 16).ok()?;
            Some((zxid, digest.trim().to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SRVR: &str = "Zookeeper version: 3.9.5-293c895, built on 2025-01-01 00:00 UTC\n\
        Latency min/avg/max: 0/0.0/0\nReceived: 1\nSent: 0\nConnections: 1\nOutstanding: 0\n\
        Zxid: 0x1000000ab\nMode: follower\nNode count: 5\n";

    #[test]
    fn a_serving_server_is_understood() {
        let status = parse_status(SRVR).unwrap();
        assert_eq!(status.version, "3.9.5-293c895");
        assert_eq!(status.mode, Mode::Follower);
        assert_eq!(status.zxid, 0x1_0000_00ab);
    }

    #[test]
    fn a_server_that_does_not_serve_has_no_status() {
        let text = "This ZooKeeper instance is not currently serving requests\n";
        assert_eq!(parse_status(text), None);
        assert_eq!(parse_status(""), None);
        assert_eq!(parse_status(&SRVR.replace("follower", "other")), None);
    }

    #[test]
    fn digests_are_found_by_their_zxid() {
        let digests = parse_digests("100000001: 123\n1000000ff: 456\nnonsense\n");
        let expected = [(0x1_0000_0001, "123"), (0x1_0000_00ff, "456")];
        let expected = expected.map(|(zxid, digest)| (zxid, digest.to_owned()));
        assert_eq!(digests, BTreeMap::from(expected));
    }
}
