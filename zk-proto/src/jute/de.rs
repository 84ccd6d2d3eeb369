//! Reading: Jute bytes to serde values that may borrow from the input.

use super::{Error, text};
use serde::de::{self, Deserialize, DeserializeSeed, IntoDeserializer, SeqAccess, Visitor};

/// The most elements that are reserved ahead of reading them. No element of a
/// record takes more than 128 bytes in memory, so this is 64 KiB at most.
const MAX_RESERVED: usize = 512;

/// A cursor over Jute bytes. Versions of a record are read in stages: each
/// [`Reader::read`] takes one record and leaves the rest.
#[derive(Debug, Clone)]
pub struct Reader<'de> {
    input: &'de [u8],
}

impl<'de> Reader<'de> {
    /// Starts at the first byte of `input`.
    #[must_use]
    pub const fn new(input: &'de [u8]) -> Self {
        Self { input }
    }

    /// The bytes that were not read yet.
    #[must_use]
    pub const fn remaining(&self) -> &'de [u8] {
        self.input
    }

    /// Whether everything was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.input.is_empty()
    }

    /// Reads one record.
    #[inline]
    pub fn read<T: Deserialize<'de>>(&mut self) -> Result<T, Error> {
        T::deserialize(self)
    }

    /// Takes `length` raw bytes.
    #[inline]
    pub fn take(&mut self, length: usize) -> Result<&'de [u8], Error> {
        match self.input.split_at_checked(length) {
            Some((taken, rest)) => {
                self.input = rest;
                Ok(taken)
            }
            None => Err(Error::Truncated {
                missing: length - self.input.len(),
            }),
        }
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        match self.input.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.input = rest;
                Ok(*taken)
            }
            None => Err(Error::Truncated {
                missing: N - self.input.len(),
            }),
        }
    }

    #[inline]
    fn int(&mut self) -> Result<i32, Error> {
        self.array().map(i32::from_be_bytes)
    }

    /// A buffer's body; its length was checked against the input.
    #[inline]
    fn buffer(&mut self) -> Result<&'de [u8], Error> {
        let length = self.int()?;
        match usize::try_from(length) {
            Ok(wanted) if wanted <= self.input.len() => self.take(wanted),
            _ => Err(Error::Length(length)),
        }
    }

    /// Whether the next length is -1; consumes it only then.
    #[inline]
    fn null(&mut self) -> Result<bool, Error> {
        let mut ahead = self.clone();
        let null = ahead.int()? == -1;
        if null {
            *self = ahead;
        }
        Ok(null)
    }
}

macro_rules! unsupported {
    ($($method:ident = $what:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            Err(Error::Unsupported($what))
        })*
    };
}

macro_rules! big_endian {
    ($($method:ident: $type:ty => $visit:ident;)*) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(<$type>::from_be_bytes(self.array()?))
        })*
    };
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    big_endian! {
        deserialize_i32: i32 => visit_i32;
        deserialize_i64: i64 => visit_i64;
        deserialize_f32: f32 => visit_f32;
        deserialize_f64: f64 => visit_f64;
        deserialize_u8: u8 => visit_u8;
    }

    unsupported! {
        deserialize_any = "self-describing values";
        deserialize_i8 = "i8";
        deserialize_i16 = "i16";
        deserialize_u16 = "u16";
        deserialize_u32 = "u32";
        deserialize_u64 = "u64";
        deserialize_char = "char";
        deserialize_map = "maps";
        deserialize_identifier = "identifiers";
        deserialize_ignored_any = "ignored values";
    }

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let [byte] = self.array()?;
        visitor.visit_bool(byte != 0)
    }

    /// Valid UTF-8 is borrowed. Other bytes become U+FFFD as in Java, so that
    /// the path check and not the decoder refuses them.
    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let bytes = self.buffer()?;
        match std::str::from_utf8(bytes) {
            Ok(text) => visitor.visit_borrowed_str(text),
            Err(_) => visitor.visit_string(text::lossy(bytes)),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_bytes(self.buffer()?)
    }

    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.null()? {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// A negative count other than -1 reads as no elements, as in Java's
    /// `BinaryInputArchive`.
    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let count = self.int()?;
        let left = usize::try_from(count).unwrap_or(0);
        if left > self.input.len() {
            return Err(Error::Length(count));
        }
        visitor.visit_seq(Elements { reader: self, left })
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(Elements { reader: self, left })
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(left, visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(fields.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        Err(Error::Unsupported("enums"))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

impl<'de> IntoDeserializer<'de, Error> for &mut Reader<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The elements of a vector or the fields of a record, in order.
struct Elements<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    /// Capped, so that a lying count reserves little: what is there arrives
    /// one by one and grows the vector.
    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(MAX_RESERVED))
    }
}
