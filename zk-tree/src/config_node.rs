//! The znode that tells the ensemble's configuration. A reconfiguration is a
//! transaction like any other; but which configuration a server began with is
//! in no log, and every server writes it down for itself.

use crate::DataTree;
use zk_proto::txn::{SetDataTxn, TxnHeader};
use zk_proto::{Buffer, OpCode, SessionId, Ustr, Zxid};

/// Where the configuration is.
pub const CONFIG_NODE: &str = "/zookeeper/config";

impl DataTree {
    /// Writes the text of a configuration, with the zxid of the transaction
    /// that made it, or 0. It is no transaction: the last zxid stays, nobody
    /// who watches is told, and digests leave this znode out.
    /// (`ZKDatabase.initConfigInZKDatabase`)
    pub fn set_config(&mut self, text: &str, version: Zxid, time_ms: i64) {
        let header = TxnHeader {
            client_id: SessionId::NONE,
            cxid: 0,
            zxid: version,
            time: time_ms,
            kind: OpCode::SET_DATA,
        };
        let record = SetDataTxn {
            path: Ustr::from(CONFIG_NODE),
            data: Some(Buffer(text.as_bytes())),
            version: -1,
        };
        // A snapshot of before 3.5 has no such znode.
        let _ = self.set_data(&header, &record, &mut |_| {});
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TreeConfig;

    #[test]
    fn every_server_writes_its_own_and_digests_stay_equal() {
        let mut tree = DataTree::new(TreeConfig {
            hash_seed: 1,
            extended_types: false,
            digest: true,
        });
        let digest = tree.digest();
        tree.set_config("server.1=a:1:2", Zxid(7), 5);
        let node = tree.get(CONFIG_NODE).unwrap();
        assert_eq!(node.data(), Some(&b"server.1=a:1:2"[..]));
        let stat = node.stat();
        assert_eq!((stat.mzxid, stat.mtime, stat.version), (Zxid(7), 5, -1));
        assert_eq!(tree.last_zxid(), Zxid::ZERO);
        assert_eq!(tree.digest(), digest);
    }
}
