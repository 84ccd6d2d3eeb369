//! The election port: who opens a connection, and the votes on it. It does
//! not know which vote is better.

use crate::{ServerId, Zxid};

/// The longest notification that is read, length excluded
/// (`QuorumCnxManager.PACKETMAXSIZE`).
const MAX: usize = 512 * 1024;

/// Why bytes of the election port are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ElectionError {
    /// The version of an initial message.
    #[error("an initial message of version {0} is unknown")]
    Version(i64),
    /// The length of an address or a notification.
    #[error("a length of {0} is unreasonable")]
    Length(i32),
    /// An address that is no text or has no port.
    #[error("{0:?} is no address of an election port")]
    Address(String),
    /// A notification of a length that none has.
    #[error("a notification has no {0} bytes")]
    Size(usize),
    /// A state that is none of the four.
    #[error("a peer's state is not {0}")]
    State(i32),
}

/// What the opener of a connection sends first
/// (`QuorumCnxManager.InitialMessage`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitialMessage {
    /// Who opens it.
    pub server: ServerId,
    /// Where its own election port is; several with `multiAddress.enabled`,
    /// none from servers of before 3.5.
    pub addresses: Vec<(String, u16)>,
}

impl InitialMessage {
    /// One address.
    const V1: i64 = -65_536;
    /// Several.
    const V2: i64 = -65_535;
    /// The longest address text.
    const ADDRESS_MAX: i32 = 2048;

    /// The first message of `input` and its length, or `None` when it is not
    /// whole yet.
    ///
    /// # Errors
    /// Another version, an address that is none.
    pub fn split(input: &[u8]) -> Result<Option<(Self, usize)>, ElectionError> {
        let Some(version) = long(input, 0) else {
            return Ok(None);
        };
        if version >= 0 {
            let message = Self {
                server: ServerId(version),
                addresses: Vec::new(),
            };
            return Ok(Some((message, 8)));
        }
        if version != Self::V1 && version != Self::V2 {
            return Err(ElectionError::Version(version));
        }
        let (Some(server), Some(length)) = (long(input, 8), int(input, 16)) else {
            return Ok(None);
        };
        if !(1..=Self::ADDRESS_MAX).contains(&length) {
            return Err(ElectionError::Length(length));
        }
        let end = 20 + length as usize;
        let Some(text) = input.get(20..end) else {
            return Ok(None);
        };
        let message = Self {
            server: ServerId(server),
            addresses: addresses(text)?,
        };
        Ok(Some((message, end)))
    }

    /// The message, of the version that its addresses need.
    #[must_use]
    pub fn encode(&self, many_addresses: bool) -> Vec<u8> {
        let addresses: Vec<String> = self.addresses.iter().map(written).collect();
        let text = addresses.join("|");
        let version = if many_addresses { Self::V2 } else { Self::V1 };
        let length = i32::try_from(text.len()).expect("addresses are short");
        let mut out = Vec::with_capacity(20 + text.len());
        out.extend_from_slice(&version.to_be_bytes());
        out.extend_from_slice(&self.server.0.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(text.as_bytes());
        out
    }
}

fn addresses(text: &[u8]) -> Result<Vec<(String, u16)>, ElectionError> {
    let bad = || ElectionError::Address(String::from_utf8_lossy(text).into_owned());
    let text = std::str::from_utf8(text).map_err(|_| bad())?;
    let parse = |part: &str| {
        let (host, port) = part.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = port.parse().ok()?;
        (!host.is_empty()).then(|| (host.to_owned(), port))
    };
    let parts = text.split('|').map(|part| parse(part).ok_or_else(bad));
    parts.collect()
}

fn written((host, port): &(String, u16)) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// What a peer is doing (`QuorumPeer.ServerState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum PeerState {
    /// It wants a leader.
    #[default]
    Looking,
    /// It follows one.
    Following,
    /// It leads.
    Leading,
    /// It follows one without a vote.
    Observing,
}

impl PeerState {
    const ALL: [Self; 4] = [
        Self::Looking,
        Self::Following,
        Self::Leading,
        Self::Observing,
    ];

    /// Its number on the wire.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }

    fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }
}

/// A vote on its way (`FastLeaderElection.Notification`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What the sender is doing.
    pub state: PeerState,
    /// Whom it votes for.
    pub leader: ServerId,
    /// The last logged transaction of that server.
    pub zxid: Zxid,
    /// The sender's round of election.
    pub round: i64,
    /// The epoch of that server's history. An observer's is `i64::MIN`, as
    /// are its leader and zxid.
    pub peer_epoch: i64,
    /// The version of this form: 2; 0 and 1 are old.
    pub version: i32,
    /// The members of the ensemble as text; absent in old forms.
    pub config: Option<String>,
}

impl Notification {
    /// The version of the form with a configuration.
    pub const VERSION: i32 = 2;

    /// The first frame of `input` and its length, or `None` when it is not
    /// whole yet: a length, then a notification.
    ///
    /// # Errors
    /// A length that no frame has.
    pub fn split(input: &[u8]) -> Result<Option<(&[u8], usize)>, ElectionError> {
        let Some(length) = int(input, 0) else {
            return Ok(None);
        };
        match usize::try_from(length) {
            Ok(wanted @ 1..=MAX) => Ok(input.get(4..4 + wanted).map(|it| (it, 4 + wanted))),
            _ => Err(ElectionError::Length(length)),
        }
    }

    /// Reads a notification in any of its forms: 28 bytes without an epoch
    /// of its own, 40 without a configuration, 44 and a configuration.
    /// (`FastLeaderElection.Messenger.WorkerReceiver`)
    ///
    /// # Errors
    /// A form or a state that there is not: to be skipped.
    pub fn decode(frame: &[u8]) -> Result<Self, ElectionError> {
        let size = || ElectionError::Size(frame.len());
        let state = int(frame, 0).ok_or_else(size)?;
        let fixed = |at| long(frame, at).ok_or_else(size);
        let mut notification = Self {
            state: PeerState::from_number(state).ok_or(ElectionError::State(state))?,
            leader: ServerId(fixed(4)?),
            zxid: Zxid(fixed(12)?),
            round: fixed(20)?,
            peer_epoch: 0,
            version: 0,
            config: None,
        };
        match frame.len() {
            28 => notification.peer_epoch = i64::from(notification.zxid.epoch().0),
            40.. => {
                notification.peer_epoch = fixed(28)?;
                notification.version = if frame.len() == 40 {
                    0
                } else {
                    int(frame, 36).ok_or_else(size)?
                };
                notification.config = config(frame, notification.version)?;
            }
            _ => return Err(size()),
        }
        Ok(notification)
    }

    /// The frame, length included, in the newest form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let config = self.config.as_deref().unwrap_or_default();
        let length = 44 + config.len();
        let mut out = Vec::with_capacity(4 + length);
        let int = |number: usize| i32::try_from(number).expect("a configuration is short");
        out.extend_from_slice(&int(length).to_be_bytes());
        out.extend_from_slice(&self.state.number().to_be_bytes());
        for number in [self.leader.0, self.zxid.0, self.round, self.peer_epoch] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&int(config.len()).to_be_bytes());
        out.extend_from_slice(config.as_bytes());
        out
    }
}

/// The configuration at the end of a notification of version 2.
fn config(frame: &[u8], version: i32) -> Result<Option<String>, ElectionError> {
    if version < Notification::VERSION {
        return Ok(None);
    }
    let length = int(frame, 40).ok_or(ElectionError::Size(frame.len()))?;
    let text = usize::try_from(length)
        .ok()
        .and_then(|length| frame[44..].get(..length))
        .ok_or(ElectionError::Length(length))?;
    // Text that cannot be read is ignored like one that makes no sense: the
    // vote counts.
    Ok(std::str::from_utf8(text).ok().map(str::to_owned))
}

fn int(input: &[u8], at: usize) -> Option<i32> {
    let bytes = input.get(at..)?.first_chunk::<4>()?;
    Some(i32::from_be_bytes(*bytes))
}

fn long(input: &[u8], at: usize) -> Option<i64> {
    let bytes = input.get(at..)?.first_chunk::<8>()?;
    Some(i64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote() -> Notification {
        Notification {
            state: PeerState::Leading,
            leader: ServerId(3),
            zxid: Zxid(0x2_0000_0007),
            round: 5,
            peer_epoch: 2,
            version: 2,
            config: Some("version=0".to_owned()),
        }
    }

    #[test]
    fn notifications_round_trip() {
        let bytes = vote().encode();
        let (frame, length) = Notification::split(&bytes).unwrap().unwrap();
        assert_eq!((frame.len(), length), (44 + 9, bytes.len()));
        assert_eq!(Notification::decode(frame), Ok(vote()));
        for end in 0..bytes.len() {
            assert_eq!(Notification::split(&bytes[..end]), Ok(None), "{end}");
        }
    }

    #[test]
    fn old_forms_are_read() {
        let bytes = vote().encode();
        let short = Notification::decode(&bytes[4..32]).unwrap();
        assert_eq!((short.peer_epoch, short.version), (2, 0));
        let middle = Notification::decode(&bytes[4..44]).unwrap();
        assert_eq!((middle.peer_epoch, middle.config), (2, None));
        assert_eq!(middle.version, 0);
        for length in [0, 3, 27, 29, 36, 39, 43, 52] {
            assert!(
                Notification::decode(&bytes[4..4 + length]).is_err(),
                "{length}"
            );
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let frame = |length: i32| length.to_be_bytes();
        for length in [0, -1, 524_289] {
            assert!(Notification::split(&frame(length)).is_err(), "{length}");
        }
        let mut bytes = vote().encode();
        bytes[7] = 4;
        assert_eq!(
            Notification::decode(&bytes[4..]),
            Err(ElectionError::State(4))
        );
    }

    #[test]
    fn the_opener_says_who_it_is() {
        let message = InitialMessage {
            server: ServerId(2),
            addresses: vec![("127.0.0.1".to_owned(), 23882)],
        };
        let bytes = message.encode(false);
        assert_eq!(
            InitialMessage::split(&bytes),
            Ok(Some((message, bytes.len())))
        );
        for end in 0..bytes.len() {
            assert_eq!(InitialMessage::split(&bytes[..end]), Ok(None), "{end}");
        }
        let many = InitialMessage {
            server: ServerId(2),
            addresses: vec![("::1".to_owned(), 1), ("b".to_owned(), 2)],
        };
        let bytes = many.encode(true);
        assert!(bytes.ends_with(b"[::1]:1|b:2"));
        assert_eq!(InitialMessage::split(&bytes), Ok(Some((many, bytes.len()))));
        let old = InitialMessage::split(&7i64.to_be_bytes()).unwrap().unwrap();
        assert_eq!((old.0.server, old.1), (ServerId(7), 8));
    }

    #[test]
    fn strangers_are_refused() {
        let version = (-65_537i64).to_be_bytes();
        assert!(InitialMessage::split(&version).is_err());
        let message = |text: &[u8]| {
            let mut bytes = Vec::new();
            bytes.extend_from_slice(&(-65_536i64).to_be_bytes());
            bytes.extend_from_slice(&1i64.to_be_bytes());
            bytes.extend_from_slice(&(text.len() as i32).to_be_bytes());
            bytes.extend_from_slice(text);
            InitialMessage::split(&bytes)
        };
        for text in [
            &b""[..],
            b"a",
            b"a:",
            b":1",
            b"a:65536",
            b"\xff:1",
            &[b'a'; 2049],
        ] {
            assert!(message(text).is_err(), "{text:?}");
        }
    }
}
