//! The one record of the leader's port, and where in a stream of them one
//! ends. It does not know what the data of a packet means: that is
//! `learner`.

use crate::jute::{self, Reader};
use crate::{Buffer, Id, Zxid};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a packet is. Unknown ones are ignored by both sides, so this is a
/// number and not an enum. (`Leader`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PacketType(pub i32);

macro_rules! packet_types {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl PacketType {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// The name in Apache's source, if it is known.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

packet_types! {
    /// A learner forwards a client's request.
    REQUEST = 1;
    /// The leader proposes a transaction.
    PROPOSAL = 2;
    /// A follower has a proposal, or all up to NEWLEADER, on its disk.
    ACK = 3;
    /// A proposal is committed.
    COMMIT = 4;
    /// Both are alive; the answer carries the sessions that were heard.
    PING = 5;
    /// May a session go on at the server that asks?
    REVALIDATE = 6;
    /// The answer to a client's sync.
    SYNC = 7;
    /// A committed transaction, for an observer.
    INFORM = 8;
    /// A reconfiguration is committed.
    COMMITANDACTIVATE = 9;
    /// The history up to here is that of the new epoch.
    NEWLEADER = 10;
    /// A follower says hello.
    FOLLOWERINFO = 11;
    /// The quorum is there: serve clients.
    UPTODATE = 12;
    /// Only what the learner lacks follows.
    DIFF = 13;
    /// The learner has to cut its log.
    TRUNC = 14;
    /// A whole snapshot follows.
    SNAP = 15;
    /// An observer says hello.
    OBSERVERINFO = 16;
    /// The epoch that the leader wants to open.
    LEADERINFO = 17;
    /// A learner has accepted that epoch.
    ACKEPOCH = 18;
    /// A committed reconfiguration, for an observer.
    INFORMANDACTIVATE = 19;
}

impl fmt::Debug for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "PacketType({})", self.0),
        }
    }
}

/// A packet between leader and learner (`QuorumPacket`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QuorumPacket<'a> {
    /// What it is.
    pub kind: PacketType,
    /// Depends on the type; -1 where there is none.
    pub zxid: Zxid,
    /// Depends on the type.
    #[serde(borrow)]
    pub data: Option<Buffer<'a>>,
    /// Of a request: who the client is.
    #[serde(borrow)]
    pub auth: Option<Vec<Id<'a>>>,
}

impl<'a> QuorumPacket<'a> {
    /// A packet of a type and a zxid alone.
    #[must_use]
    pub const fn bare(kind: PacketType, zxid: Zxid) -> Self {
        Self {
            kind,
            zxid,
            data: None,
            auth: None,
        }
    }

    /// A packet with data.
    #[must_use]
    pub const fn with_data(kind: PacketType, zxid: Zxid, data: &'a [u8]) -> Self {
        Self {
            kind,
            zxid,
            data: Some(Buffer(data)),
            auth: None,
        }
    }

    /// The data, empty if there is none.
    #[must_use]
    pub fn data(&self) -> &'a [u8] {
        self.data.as_ref().map_or(&[], |data| data.0)
    }

    /// Appends the packet.
    ///
    /// # Errors
    /// Data longer than a length can say.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), jute::Error> {
        jute::append(out, self)
    }

    /// The first packet of `input` and its length, or `None` when it is not
    /// whole yet. Packets have no length of their own, so `max` bounds each
    /// part of one (`jute.maxbuffer` and its margin).
    ///
    /// # Errors
    /// Bytes that no packet begins with.
    pub fn split(input: &'a [u8], max: usize) -> Result<Option<(Self, usize)>, jute::Error> {
        let Some(length) = length(input, max)? else {
            return Ok(None);
        };
        let packet = Reader::new(&input[..length]).read()?;
        Ok(Some((packet, length)))
    }
}

/// How long the first packet is. Its parts are measured before anything is
/// read, so that a length that lies costs nothing.
fn length(input: &[u8], max: usize) -> Result<Option<usize>, jute::Error> {
    const HEAD: usize = 4 + 8;
    /// More identities than any client has.
    const IDS_MAX: i32 = 10_000;
    let mut at = HEAD;
    if !skip(input, &mut at, max)? {
        return Ok(None);
    }
    let Some(count) = int(input, at) else {
        return Ok(None);
    };
    if !(-1..=IDS_MAX).contains(&count) {
        return Err(jute::Error::Length(count));
    }
    at += 4;
    for _ in 0..2 * count.max(0) {
        if !skip(input, &mut at, max)? {
            return Ok(None);
        }
    }
    Ok(Some(at))
}

/// Moves behind a buffer or string; `false` when it is not all there.
fn skip(input: &[u8], at: &mut usize, max: usize) -> Result<bool, jute::Error> {
    let Some(length) = int(input, *at) else {
        return Ok(false);
    };
    match usize::try_from(length) {
        Ok(length) if length > max => Err(jute::Error::Length(i32::MAX)),
        Ok(length) => {
            *at += 4 + length;
            Ok(*at <= input.len())
        }
        Err(_) if length == -1 => {
            *at += 4;
            Ok(true)
        }
        Err(_) => Err(jute::Error::Length(length)),
    }
}

fn int(input: &[u8], at: usize) -> Option<i32> {
    let bytes = input.get(at..)?.first_chunk::<4>()?;
    Some(i32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_follow_one_another() {
        let mut bytes = Vec::new();
        let ping = QuorumPacket::bare(PacketType::PING, Zxid(0x1_0000_0005));
        let request = QuorumPacket {
            auth: Some(vec![Id {
                scheme: Some("ip".into()),
                id: Some("127.0.0.1".into()),
            }]),
            ..QuorumPacket::with_data(PacketType::REQUEST, Zxid::NONE, b"abc")
        };
        ping.encode(&mut bytes).unwrap();
        let first = bytes.len();
        request.encode(&mut bytes).unwrap();
        assert_eq!(QuorumPacket::split(&bytes, 10), Ok(Some((ping, first))));
        let rest = &bytes[first..];
        let whole = Ok(Some((request, rest.len())));
        assert_eq!(QuorumPacket::split(rest, 10), whole);
        for end in 0..rest.len() {
            assert_eq!(QuorumPacket::split(&rest[..end], 10), Ok(None), "{end}");
        }
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let mut bytes = Vec::new();
        let packet = QuorumPacket::with_data(PacketType::PROPOSAL, Zxid(1), &[0; 11]);
        packet.encode(&mut bytes).unwrap();
        assert!(QuorumPacket::split(&bytes, 10).is_err());
        assert!(QuorumPacket::split(&bytes, 11).is_ok());
        bytes[12..16].copy_from_slice(&(-2i32).to_be_bytes());
        assert!(QuorumPacket::split(&bytes, 11).is_err());
        let mut bytes = Vec::new();
        QuorumPacket::bare(PacketType::PING, Zxid(1))
            .encode(&mut bytes)
            .unwrap();
        bytes[16..20].copy_from_slice(&i32::MAX.to_be_bytes());
        assert!(QuorumPacket::split(&bytes, 10).is_err());
    }
}
