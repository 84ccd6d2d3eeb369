//! What the fuzz targets share: the property that reading and writing agree.
//!
//! Foreign bytes may be refused; what is read must be writable, and must be the same when it is
//! read again. Text that is not UTF-8 is mended on the first reading, so the bytes may differ.

pub mod mend;

use std::fmt::Debug;

use zk_proto::jute::Error;

/// Checks that `value` is the same after writing and reading it.
///
/// # Panics
/// When it is not, which is a finding.
pub fn check<T: PartialEq + Debug>(
    value: &T,
    encode: impl FnOnce(&T, &mut Vec<u8>) -> Result<(), Error>,
    same: impl FnOnce(&T, &[u8]) -> Result<bool, Error>,
) {
    let mut written = Vec::new();
    encode(value, &mut written).expect("what was read can be written");
    let same = same(value, &written).expect("what was written can be read");
    assert!(same, "{value:?} is another value after {written:02x?}");
}
