//! Whether a transaction changes the members of the ensemble, and to whom.
//! It reads nothing else of any transaction, and does not know whether one is
//! committed.

use crate::Txn;
use thiserror::Error;
use zk_proto::ensemble::{EnsembleConfig, EnsembleError};
use zk_proto::txn::{LoggedTxn, Txn as Record};
use zk_proto::{OpCode, Zxid, jute};

/// Where a transaction's header says what it is.
const KIND: std::ops::Range<usize> = 28..32;

/// A reconfiguration that makes no sense.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ReconfigError {
    /// The bytes are no transaction.
    #[error("the reconfiguration {0} cannot be read: {1}")]
    Record(Zxid, jute::Error),
    /// The data are no text.
    #[error("the reconfiguration {0} has no text")]
    NoText(Zxid),
    /// The text is no configuration.
    #[error("the reconfiguration {0} has no configuration: {1}")]
    Members(Zxid, EnsembleError),
    /// The version of a configuration is the zxid of its transaction.
    #[error("the reconfiguration {0} makes version {1}")]
    Version(Zxid, Zxid),
}

impl Txn {
    /// Whether its header says that it is a reconfiguration.
    #[must_use]
    pub fn is_reconfig(&self) -> bool {
        let kind = self.payload.get(KIND);
        kind.is_some_and(|kind| kind == OpCode::RECONFIG.0.to_be_bytes())
    }

    /// The configuration that it proposes, if it is a reconfiguration.
    ///
    /// # Errors
    /// A reconfiguration without a configuration that can be read, or whose
    /// version is not its zxid.
    pub fn reconfiguration(&self) -> Result<Option<EnsembleConfig>, ReconfigError> {
        if !self.is_reconfig() {
            return Ok(None);
        }
        let txn = LoggedTxn::decode(&self.payload);
        let txn = txn.map_err(|error| ReconfigError::Record(self.zxid, error))?;
        match txn.txn {
            Record::Reconfig(record) => self.members(record.data.map(|data| data.0)).map(Some),
            _ => Ok(None),
        }
    }

    /// Several addresses of a server are read whether or not they are used
    /// here: what counts are the voters.
    fn members(&self, data: Option<&[u8]>) -> Result<EnsembleConfig, ReconfigError> {
        let text = data.and_then(|data| std::str::from_utf8(data).ok());
        let text = text.ok_or(ReconfigError::NoText(self.zxid))?;
        let members = EnsembleConfig::parse(text, true);
        let members = members.map_err(|error| ReconfigError::Members(self.zxid, error))?;
        if members.version != self.zxid {
            return Err(ReconfigError::Version(self.zxid, members.version));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_proto::txn::{SetDataTxn, TxnHeader};
    use zk_proto::{Buffer, SessionId};

    fn txn(kind: OpCode, data: Option<&[u8]>) -> Txn {
        let header = TxnHeader {
            client_id: SessionId(1),
            cxid: 2,
            zxid: Zxid(0x1_0000_0004),
            time: 3,
            kind,
        };
        let record = SetDataTxn {
            path: "/zookeeper/config".into(),
            data: data.map(Buffer),
            version: -1,
        };
        let mut payload = Vec::new();
        jute::append(&mut payload, &header).unwrap();
        jute::append(&mut payload, &record).unwrap();
        Txn {
            zxid: header.zxid,
            payload: payload.into(),
        }
    }

    const TEXT: &[u8] = b"server.1=a:1:2:participant;b:3\nversion=100000004";

    #[test]
    fn it_reads_what_a_reconfiguration_says() {
        let members = txn(OpCode::RECONFIG, Some(TEXT)).reconfiguration();
        let members = members.unwrap().unwrap();
        assert_eq!(members.to_string().as_bytes(), TEXT);
    }

    #[test]
    fn others_are_none_of_its_business() {
        let other = txn(OpCode::SET_DATA, Some(TEXT));
        assert_eq!(other.reconfiguration(), Ok(None));
        let payload = bytes::Bytes::from_static(b"short");
        let short = Txn { payload, ..other };
        assert_eq!(short.reconfiguration(), Ok(None));
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        let read = |data| txn(OpCode::RECONFIG, data).reconfiguration().unwrap_err();
        let zxid = Zxid(0x1_0000_0004);
        assert_eq!(read(None), ReconfigError::NoText(zxid));
        assert_eq!(read(Some(&[0xff])), ReconfigError::NoText(zxid));
        let other = ReconfigError::Version(zxid, Zxid(5));
        assert_eq!(read(Some(b"server.1=a:1:2\nversion=5")), other);
        let nonsense = read(Some(b"nonsense"));
        assert!(matches!(nonsense, ReconfigError::Members(..)), "{nonsense}");
        let mut torn = txn(OpCode::RECONFIG, Some(TEXT));
        torn.payload.truncate(40);
        let torn = torn.reconfiguration().unwrap_err();
        assert!(matches!(torn, ReconfigError::Record(..)), "{torn}");
    }
}
