//! How Curator's queues wrap items (`ItemSerializer`): a version, then each
//! item with its length behind a byte that says that one follows, then a byte
//! that says that none does.

use bytes::{Buf, Bytes};

const VERSION: u32 = 0x0001_0001;
const ITEM: u8 = 1;
const END: u8 = 2;

/// One item.
pub(super) fn encode(item: &[u8]) -> Vec<u8> {
    let length = u32::try_from(item.len()).expect("no znode has 4 GiB of data");
    let mut data = Vec::with_capacity(item.len() + 10);
    data.extend(VERSION.to_be_bytes());
    data.push(ITEM);
    data.extend(length.to_be_bytes());
    data.extend(item);
    data.push(END);
    data
}

/// The items in a znode's data, or what is wrong with them.
pub(super) fn decode(data: &Bytes) -> Result<Vec<Bytes>, &'static str> {
    let mut rest = data.clone();
    if rest.try_get_u32() != Ok(VERSION) {
        return Err("no items of the version that Curator writes");
    }
    let mut items = Vec::new();
    loop {
        match rest.try_get_u8() {
            Ok(ITEM) => {}
            Ok(END) => return Ok(items),
            _ => return Err("items without an end"),
        }
        let length = rest.try_get_u32().map_err(|_| "cut short")?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > rest.len() {
            return Err("cut short within an item");
        }
        items.push(rest.split_to(length));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_wrapped_as_curator_does() {
        let data = Bytes::from(encode(b"ab"));
        assert_eq!(&data[..], b"\x00\x01\x00\x01\x01\x00\x00\x00\x02ab\x02");
        assert_eq!(decode(&data), Ok(vec![Bytes::from_static(b"ab")]));
        let two = b"\x00\x01\x00\x01\x01\x00\x00\x00\x01a\x01\x00\x00\x00\x00\x02";
        let two = decode(&Bytes::from_static(two)).unwrap();
        assert_eq!(two, ["a", ""]);
    }

    #[test]
    fn nothing_cut_short_is_taken_for_an_item() {
        let whole = encode(b"abc");
        for length in 0..whole.len() {
            let cut = Bytes::copy_from_slice(&whole[..length]);
            assert!(decode(&cut).is_err(), "{length}");
        }
        let huge = b"\x00\x01\x00\x01\x01\xff\xff\xff\xff";
        assert!(decode(&Bytes::from_static(huge)).is_err());
    }
}
