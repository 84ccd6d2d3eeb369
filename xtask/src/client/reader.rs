//! Taking the records of an answer apart. It knows the encoding and no operation.

use crate::error::{Error, Result};

/// The rest of an answer.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

/// What a server tells of a znode besides its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) czxid: i64,
    pub(crate) mzxid: i64,
    pub(crate) ctime: i64,
    pub(crate) mtime: i64,
    pub(crate) version: i32,
    pub(crate) cversion: i32,
    pub(crate) aversion: i32,
    pub(crate) ephemeral_owner: i64,
    pub(crate) data_length: i32,
    pub(crate) children: i32,
    pub(crate) pzxid: i64,
}

/// One entry of an access control list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acl {
    pub(crate) permissions: i32,
    pub(crate) scheme: String,
    pub(crate) id: String,
}

impl<'a> Reader<'a> {
    /// Reads from the beginning of the bytes.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// An int.
    pub(crate) fn int(&mut self) -> Result<i32> {
        let bytes = self.take(4)?.try_into().expect("4 bytes");
        Ok(i32::from_be_bytes(bytes))
    }

    /// A long.
    pub(crate) fn long(&mut self) -> Result<i64> {
        let bytes = self.take(8)?.try_into().expect("8 bytes");
        Ok(i64::from_be_bytes(bytes))
    }

    /// Bytes with their length in front; none if the length is −1.
    pub(crate) fn buffer(&mut self) -> Result<Option<&'a [u8]>> {
        match usize::try_from(self.int()?) {
            Ok(length) => self.take(length).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// A string.
    pub(crate) fn text(&mut self) -> Result<String> {
        let bytes = self.buffer()?.unwrap_or_default();
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    /// A list of strings, such as the names of children.
    pub(crate) fn texts(&mut self) -> Result<Vec<String>> {
        let count = self.int()?.max(0);
        (0..count).map(|_| self.text()).collect()
    }

    /// An access control list.
    pub(crate) fn acls(&mut self) -> Result<Vec<Acl>> {
        let count = self.int()?.max(0);
        let entries = (0..count).map(|_| {
            Ok(Acl {
                permissions: self.int()?,
                scheme: self.text()?,
                id: self.text()?,
            })
        });
        entries.collect()
    }

    /// A Stat.
    pub(crate) fn stat(&mut self) -> Result<Stat> {
        Ok(Stat {
            czxid: self.long()?,
            mzxid: self.long()?,
            ctime: self.long()?,
            mtime: self.long()?,
            version: self.int()?,
            cversion: self.int()?,
            aversion: self.int()?,
            ephemeral_owner: self.long()?,
            data_length: self.int()?,
            children: self.int()?,
            pzxid: self.long()?,
        })
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let missing = || Error::wrong("an answer is too short for what was asked");
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(missing)?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_an_error() {
        assert!(Reader::new(&[0, 0, 0]).int().is_err());
        assert!(Reader::new(&[0, 0, 0, 2, 7]).buffer().is_err());
        assert_eq!(Reader::new(&[0xff; 4]).buffer().unwrap(), None);
        assert!(Reader::new(&[0x7f; 4]).texts().is_err());
    }

    #[test]
    fn a_stat_is_68_bytes() {
        let bytes: Vec<_> = (0..68).collect();
        let stat = Reader::new(&bytes).stat().unwrap();
        assert_eq!(stat.czxid, 0x0001_0203_0405_0607);
        assert_eq!(stat.pzxid, 0x3c3d_3e3f_4041_4243);
        assert!(Reader::new(&bytes[..67]).stat().is_err());
    }
}
