//! Reads logs and snapshots into trees, with nothing checked but their form.

use std::path::PathBuf;
use zk_proto::Zxid;
use zk_proto::jute::Reader;
use zk_proto::snapshot::{
    AclEntry, SEAL_LEN, SessionEntry, SnapshotDigest, SnapshotFileHeader, read_node,
};
use zk_proto::txn::LoggedTxn;
use zk_tree::{DataTree, TreeConfig, TreeError};

pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// The payloads of a log without its file header: checksum, length, payload,
/// end byte, again and again.
pub(crate) fn payloads(mut log: &[u8]) -> Vec<&[u8]> {
    let mut payloads = Vec::new();
    while !log.is_empty() {
        let length = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize;
        let (record, rest) = log.split_at(12 + length + 1);
        assert_eq!(record.last(), Some(&0x42));
        payloads.push(&record[12..12 + length]);
        log = rest;
    }
    payloads
}

/// Applies every transaction that is newer than the tree.
pub(crate) fn replay(tree: &mut DataTree, log: &[u8]) {
    for payload in payloads(log) {
        let txn = LoggedTxn::decode(payload).unwrap();
        if txn.header.zxid > tree.last_zxid() {
            tree.apply(&txn, &mut |_| {});
        }
    }
}

/// Sessions, lists and znodes up to the end mark.
pub(crate) fn load_items(
    reader: &mut Reader<'_>,
    config: TreeConfig,
) -> Result<zk_tree::TreeLoader, TreeError> {
    let mut loader = DataTree::loader(config);
    for _ in 0..reader.read::<i32>().unwrap() {
        loader.session(reader.read::<SessionEntry>().unwrap());
    }
    for _ in 0..reader.read::<i32>().unwrap() {
        loader.acl(&reader.read::<AclEntry<'_>>().unwrap())?;
    }
    while let Some(node) = read_node(reader).unwrap() {
        loader.node(&node)?;
    }
    Ok(loader)
}

/// A whole snapshot file.
pub(crate) fn load_file(file: &[u8], name_zxid: Zxid, config: TreeConfig) -> DataTree {
    let mut reader = Reader::new(&file[SnapshotFileHeader::LEN..]);
    let loader = load_items(&mut reader, config).unwrap();
    let rest = &reader.remaining()[SEAL_LEN..];
    let digest = (!rest.is_empty()).then(|| Reader::new(rest).read::<SnapshotDigest>().unwrap());
    loader.finish(name_zxid, digest).unwrap()
}
