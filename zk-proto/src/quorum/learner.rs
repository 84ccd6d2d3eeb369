//! What the data of packets between leader and learner says. It does not
//! know the packet around it.

use crate::jute::{self, Reader};
use crate::{Epoch, OpCode, ServerId, SessionId, Xid, Zxid};
use serde::{Deserialize, Serialize};

/// Who a learner is: the data of FOLLOWERINFO and OBSERVERINFO
/// (`LearnerInfo`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LearnerInfo {
    /// Its id.
    pub server: ServerId,
    /// [`LearnerInfo::PROTOCOL`]; before 3.4 there was another protocol.
    pub protocol: i32,
    /// The version of the configuration that it knows; 0 from servers that
    /// know none.
    pub config_version: Zxid,
}

impl LearnerInfo {
    /// The version of the protocol since 3.4.
    pub const PROTOCOL: i32 = 0x1_0000;

    /// Reads data of 8, 12 or 20 bytes (`LearnerHandler.run`).
    ///
    /// # Errors
    /// Data of any other length.
    pub fn decode(data: &[u8]) -> Result<Self, jute::Error> {
        let mut reader = Reader::new(data);
        let mut info = Self {
            server: reader.read()?,
            protocol: 1,
            config_version: Zxid::ZERO,
        };
        if !reader.remaining().is_empty() {
            info.protocol = reader.read()?;
        }
        if !reader.remaining().is_empty() {
            info.config_version = reader.read()?;
        }
        match reader.remaining().len() {
            0 => Ok(info),
            extra => Err(jute::Error::Trailing(extra)),
        }
    }

    /// The data, 20 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        record(self)
    }
}

/// The data of ACKEPOCH: the epoch of the learner's history, or `None` when
/// it had accepted the new epoch before and must not count again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AckEpoch(pub Option<Epoch>);

impl AckEpoch {
    /// Reads the data.
    ///
    /// # Errors
    /// Data that is no number.
    pub fn decode(data: &[u8]) -> Result<Self, jute::Error> {
        let epoch: i32 = jute::from_prefix(data)?;
        Ok(Self((epoch != -1).then_some(Epoch(epoch.cast_unsigned()))))
    }

    /// The data, 4 bytes.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let epoch = self.0.map_or(-1, |epoch| epoch.0.cast_signed());
        epoch.to_be_bytes().to_vec()
    }
}

/// A session that a learner has heard from: PING answers are a sequence of
/// these, without a count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SessionTouch {
    /// The session.
    pub session: SessionId,
    /// Its timeout in ms.
    pub timeout_ms: i32,
}

impl SessionTouch {
    /// Reads the data of a PING answer.
    ///
    /// # Errors
    /// Data that ends inside a session.
    pub fn decode_all(data: &[u8]) -> Result<Vec<Self>, jute::Error> {
        let mut reader = Reader::new(data);
        let mut all = Vec::with_capacity(data.len() / 12);
        while !reader.remaining().is_empty() {
            all.push(reader.read()?);
        }
        Ok(all)
    }

    /// The data of a PING answer.
    #[must_use]
    pub fn encode_all(all: &[Self]) -> Vec<u8> {
        let mut out = Vec::with_capacity(all.len() * 12);
        for touch in all {
            out.extend(record(touch));
        }
        out
    }
}

/// The data of REVALIDATE: a learner asks with a timeout, the leader answers
/// with a flag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Revalidate;

impl Revalidate {
    /// The question's data, 12 bytes.
    #[must_use]
    pub fn encode_question(question: SessionTouch) -> Vec<u8> {
        record(&question)
    }

    /// Reads the question.
    ///
    /// # Errors
    /// Data that is too short.
    pub fn decode_question(data: &[u8]) -> Result<SessionTouch, jute::Error> {
        jute::from_prefix(data)
    }

    /// The answer's data, 9 bytes.
    #[must_use]
    pub fn encode_answer(session: SessionId, valid: bool) -> Vec<u8> {
        record(&(session, valid))
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// Data that is too short.
    pub fn decode_answer(data: &[u8]) -> Result<(SessionId, bool), jute::Error> {
        jute::from_prefix(data)
    }
}

/// The data of REQUEST: a client's request on its way to the leader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ForwardedRequest<'a> {
    /// The client's session.
    pub session: SessionId,
    /// The client's number for the request.
    pub xid: Xid,
    /// What it asks.
    pub op: OpCode,
    /// The record of the request.
    pub body: &'a [u8],
}

impl<'a> ForwardedRequest<'a> {
    /// Reads the data; the body is what is left.
    ///
    /// # Errors
    /// Data that is too short for the three numbers.
    pub fn decode(data: &'a [u8]) -> Result<Self, jute::Error> {
        let mut reader = Reader::new(data);
        Ok(Self {
            session: reader.read()?,
            xid: reader.read()?,
            op: reader.read()?,
            body: reader.remaining(),
        })
    }

    /// The data.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = record(&(self.session, self.xid, self.op));
        out.extend_from_slice(self.body);
        out
    }
}

fn record<T: Serialize>(value: &T) -> Vec<u8> {
    jute::to_vec(value).expect("numbers always have a form")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learners_of_all_ages_say_who_they_are() {
        let info = LearnerInfo {
            server: ServerId(3),
            protocol: LearnerInfo::PROTOCOL,
            config_version: Zxid(0x1_0000_0000),
        };
        let data = info.encode();
        assert_eq!(data.len(), 20);
        assert_eq!(LearnerInfo::decode(&data), Ok(info));
        let older = LearnerInfo::decode(&data[..12]).unwrap();
        assert_eq!(older.config_version, Zxid::ZERO);
        assert_eq!(LearnerInfo::decode(&data[..8]).unwrap().protocol, 1);
        for length in [0, 7, 9, 13] {
            assert!(LearnerInfo::decode(&data[..length]).is_err(), "{length}");
        }
        assert!(LearnerInfo::decode(&[0; 21]).is_err());
    }

    #[test]
    fn the_rest_round_trips() {
        for ack in [AckEpoch(None), AckEpoch(Some(Epoch(7)))] {
            assert_eq!(AckEpoch::decode(&ack.encode()), Ok(ack));
        }
        let touches = [1, 2].map(|id| SessionTouch {
            session: SessionId(id),
            timeout_ms: 4000,
        });
        let data = SessionTouch::encode_all(&touches);
        assert_eq!(data.len(), 24);
        assert_eq!(SessionTouch::decode_all(&data), Ok(touches.to_vec()));
        assert!(SessionTouch::decode_all(&data[..23]).is_err());
        let answer = Revalidate::encode_answer(SessionId(5), true);
        assert_eq!(answer.len(), 9);
        assert_eq!(Revalidate::decode_answer(&answer), Ok((SessionId(5), true)));
        let request = ForwardedRequest {
            session: SessionId(5),
            xid: Xid(9),
            op: OpCode::SYNC,
            body: b"body",
        };
        assert_eq!(ForwardedRequest::decode(&request.encode()), Ok(request));
        assert!(ForwardedRequest::decode(&[0; 15]).is_err());
    }
}
