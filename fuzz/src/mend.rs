//! Making checksums right, so that mutated files get past them.
//!
//! A checksum stops nearly every mutation at the door. With right ones the fuzzer reaches what
//! stands behind, as a defect of a writer would. The layout is repeated here on purpose: it does
//! not come from the code under test.

use simd_adler32::adler32;
use zk_proto::jute::Reader;
use zk_proto::snapshot::{self, AclEntry, SEAL_LEN, SessionEntry};

const LOG_HEADER: usize = 16;
const RECORD_PREFIX: usize = 12;
const SNAPSHOT_HEADER: usize = 16;

/// Gives each record of a log whose length fits a right checksum and end byte.
pub fn log(bytes: &mut [u8]) {
    let mut rest = bytes.get_mut(LOG_HEADER..).unwrap_or_default();
    while let Some((prefix, behind)) = rest.split_at_mut_checked(RECORD_PREFIX) {
        let length = i32::from_be_bytes(prefix[8..].try_into().expect("the prefix has 12 bytes"));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some((payload, behind)) = behind.split_at_mut_checked(length) else {
            return;
        };
        let [end, behind @ ..] = behind else { return };
        prefix[..8].copy_from_slice(&u64::from(adler32(&&*payload)).to_be_bytes());
        *end = 0x42;
        rest = behind;
    }
}

/// Gives a snapshot that is read up to its first seal right seals: the first, the one behind a
/// digest and the one behind a last zxid.
pub fn snapshot(bytes: &mut [u8]) {
    let Some(first) = end_of_nodes(bytes) else {
        return;
    };
    let digest = first + SEAL_LEN + 20;
    let last_zxid = digest + SEAL_LEN + 8;
    for at in [first, digest, last_zxid] {
        seal(bytes, at);
    }
}

fn seal(bytes: &mut [u8], at: usize) {
    let Some((sealed, behind)) = bytes.split_at_mut_checked(at) else {
        return;
    };
    if let Some(seal) = behind.get_mut(..8) {
        seal.copy_from_slice(&u64::from(adler32(&&*sealed)).to_be_bytes());
    }
}

/// Where the first seal of a snapshot starts, if it can be read so far.
fn end_of_nodes(bytes: &[u8]) -> Option<usize> {
    let mut reader = Reader::new(bytes.get(SNAPSHOT_HEADER..)?);
    reader.read::<Vec<SessionEntry>>().ok()?;
    reader.read::<Vec<AclEntry<'_>>>().ok()?;
    while snapshot::read_node(&mut reader).ok()?.is_some() {}
    Some(bytes.len() - reader.remaining().len())
}
