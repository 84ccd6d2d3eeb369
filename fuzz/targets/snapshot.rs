//! A snapshot of any bytes: read to its end or refused, never out of bounds, never for ever.
//!
//! The first byte says how the file is compressed, and whether seals are made right before
//! reading one that is not.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use zk_fuzz::mend;
use zk_log::{MemStorage, SnapshotItem, SnapshotReader};

const PATHS: [&str; 3] = ["/snapshot.0", "/snapshot.0.gz", "/snapshot.0.snappy"];

fuzz_target!(|input: &[u8]| {
    let Some((flags, file)) = input.split_first() else {
        return;
    };
    let compression = usize::from(flags & 0x7f) % PATHS.len();
    let path = Path::new(PATHS[compression]);
    let mut file = file.to_vec();
    if compression == 0 && flags & 0x80 != 0 {
        mend::snapshot(&mut file);
    }
    let storage = MemStorage::new();
    storage.put(path, &file);
    read(SnapshotReader::open(&storage, path).expect("the file is there"));
});

/// Every item takes bytes, and the end stays the end.
fn read(mut reader: SnapshotReader) {
    let mut before = reader.offset();
    loop {
        let end = match reader.next() {
            Ok(SnapshotItem::End(end)) => Some(end),
            Ok(_) => None,
            Err(_) => return,
        };
        assert!(reader.offset() > before);
        before = reader.offset();
        if let Some(end) = end {
            assert_eq!(
                reader.next().expect("the end was read"),
                SnapshotItem::End(end)
            );
            return;
        }
    }
}
