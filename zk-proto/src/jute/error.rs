//! What can be wrong with Jute bytes, or with a type that Jute cannot carry.

/// Why bytes are no record of the wanted type, or a value has no Jute form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input ended inside a record.
    #[error("the record ends {missing} bytes too early")]
    Truncated {
        /// How many bytes the next field lacks.
        missing: usize,
    },
    /// A buffer, string or vector has a length that the input cannot hold.
    #[error("a length of {0} is unreasonable")]
    Length(i32),
    /// A boxed union tag, op or transaction type that has no record.
    #[error("type {0} has no record here")]
    UnknownType(i32),
    /// Bytes follow where the record should end.
    #[error("{0} bytes follow the record")]
    Trailing(usize),
    /// The type has no Jute form: enums, maps, unsigned integers.
    #[error("jute has no form for {0}")]
    Unsupported(&'static str),
    /// A buffer, string or vector is longer than an `i32` can say.
    #[error("{0} elements are too many for jute")]
    TooLong(usize),
    /// A record's own rule was broken.
    #[error("{0}")]
    Record(String),
}

impl serde::ser::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Record(message.to_string())
    }
}

impl serde::de::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Record(message.to_string())
    }
}
