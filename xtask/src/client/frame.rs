//! Putting the bytes of a frame together. It knows the encoding and no operation.

/// A frame in the making; its length is put in at the end.
pub(crate) struct Frame(Vec<u8>);

impl Frame {
    /// A frame without a request header.
    pub(crate) fn new() -> Self {
        Self(vec![0; 4])
    }

    /// A frame with the header of a request; its xid is put in later.
    pub(crate) fn request(op: i32) -> Self {
        let mut frame = Self::new();
        frame.int(0).int(op);
        frame
    }

    /// Appends a boolean or a byte.
    pub(crate) fn byte(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    /// Appends an int.
    pub(crate) fn int(&mut self, value: i32) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Appends a long.
    pub(crate) fn long(&mut self, value: i64) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Appends a length and bytes.
    pub(crate) fn buffer(&mut self, value: &[u8]) -> &mut Self {
        self.int(i32::try_from(value.len()).expect("a short buffer"));
        self.0.extend_from_slice(value);
        self
    }

    /// Appends a string.
    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.buffer(value.as_bytes())
    }

    /// Puts the length in.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let length = i32::try_from(self.0.len() - 4).expect("a short frame");
        self.0[..4].copy_from_slice(&length.to_be_bytes());
        self.0
    }
}
