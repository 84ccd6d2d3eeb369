//! Whether snapshots read through with every seal right.

use super::{Outcome, parse, snapshot_tree};
use crate::error::CliError;
use crate::output::Output;
use std::path::Path;
use zk_log::{SnapshotEnd, SnapshotItem};

pub(super) fn verify(output: &Output, words: &[&str]) -> Outcome {
    let parsed = parse("snapshot", &[], words, 1..=usize::MAX)?;
    let mut bad = 0u64;
    for path in super::files(&parsed.words, "snapshot.")? {
        let path = path.as_path();
        match read(path) {
            Ok(health) => output.line(&format!("{}: {health}", path.display())),
            Err(error) => {
                bad += 1;
                output.line(&error.message);
            }
        }
    }
    match bad {
        0 => Ok(()),
        _ => Err(CliError::new(format!("{bad} file(s) not sound"))),
    }
}

fn read(path: &Path) -> Result<String, CliError> {
    let mut reader = snapshot_tree::open(path)?;
    let (mut sessions, mut nodes) = (0u64, 0u64);
    loop {
        match reader.next() {
            Ok(SnapshotItem::Node(_)) => nodes += 1,
            Ok(SnapshotItem::Session(_)) => sessions += 1,
            Ok(SnapshotItem::Acl(_)) => {}
            Ok(SnapshotItem::End(end)) => {
                return Ok(format!("{nodes} znodes, {sessions} sessions{}", tail(&end)));
            }
            Err(error) => return Err(CliError::new(error.to_string())),
        }
    }
}

fn tail(end: &SnapshotEnd) -> String {
    let digest = end.digest.map(|digest| {
        let (zxid, tree) = (digest.zxid.0, digest.tree);
        format!(", digest {tree:016x} from zxid 0x{zxid:x}")
    });
    let last = end
        .last_zxid
        .map(|zxid| format!(", last zxid 0x{:x}", zxid.0));
    digest.unwrap_or_default() + &last.unwrap_or_default()
}
