//! Jute as a serde data format.
//!
//! | type | bytes |
//! |---|---|
//! | `bool` | 1 |
//! | `i32`, `i64`, `f32`, `f64` | 4, 8, 4, 8, big-endian |
//! | bytes, `str` | `i32` length, then the bytes |
//! | sequence | `i32` count, then the elements |
//! | struct, tuple, newtype | the fields, nothing between |
//! | `Option` of bytes, `str` or a sequence | length -1 for `None` |
//!
//! `Option` is legal only around what starts with a length: a `Some(-1i32)`
//! would read back as `None`. Enums, unsigned integers, maps, `char` and
//! self-describing access are errors, because Jute has no tags.
//!
//! A length is compared with the bytes that are left before anything is
//! allocated. This module does not know any record.

mod de;
mod error;
mod ser;
mod text;

pub use de::Reader;
pub use error::Error;

use serde::{Deserialize, Serialize};

/// Appends `value` to `out`. On an error `out` may hold a part of it.
pub fn append<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), Error> {
    value.serialize(&mut ser::Serializer::new(out))
}

/// `value` alone, as bytes.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(64);
    append(&mut out, value)?;
    Ok(out)
}

/// Reads one record from the start of `input` and ignores what follows, as
/// Apache's server does with requests.
pub fn from_prefix<'de, T: Deserialize<'de>>(input: &'de [u8]) -> Result<T, Error> {
    Reader::new(input).read()
}

/// Reads one record that fills `input` exactly.
pub fn from_slice<'de, T: Deserialize<'de>>(input: &'de [u8]) -> Result<T, Error> {
    let mut reader = Reader::new(input);
    let value = reader.read()?;
    match reader.remaining().len() {
        0 => Ok(value),
        extra => Err(Error::Trailing(extra)),
    }
}

#[cfg(test)]
mod tests;
