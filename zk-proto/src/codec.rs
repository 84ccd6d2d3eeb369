//! [`crate::frame`] as a tokio-util codec, for those who drive sockets with
//! `Framed`. It adds nothing to the format.

use crate::frame;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::io;
use tokio_util::codec::{Decoder, Encoder};

/// Frames of at most `max` payload bytes.
#[derive(Debug, Clone, Copy)]
pub struct FrameCodec {
    max: usize,
}

impl FrameCodec {
    /// A codec that refuses longer payloads when decoding.
    #[must_use]
    pub const fn new(max: usize) -> Self {
        Self { max }
    }
}

impl Default for FrameCodec {
    fn default() -> Self {
        Self::new(frame::MAX_FRAME)
    }
}

impl Decoder for FrameCodec {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, io::Error> {
        let length = match frame::split(input, self.max) {
            Ok(Some(payload)) => payload.len(),
            Ok(None) => return Ok(None),
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        };
        input.advance(4);
        Ok(Some(input.split_to(length).freeze()))
    }
}

impl Encoder<Bytes> for FrameCodec {
    type Error = io::Error;

    fn encode(&mut self, payload: Bytes, out: &mut BytesMut) -> Result<(), io::Error> {
        let length = i32::try_from(payload.len())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        out.put_i32(length);
        out.extend_from_slice(&payload);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_however_they_arrive() {
        let mut codec = FrameCodec::default();
        let mut sent = BytesMut::new();
        for payload in [&b"first"[..], b"", b"third"] {
            codec
                .encode(Bytes::from_static(payload), &mut sent)
                .unwrap();
        }
        for cut in 0..=sent.len() {
            let mut arrived = BytesMut::new();
            let mut frames = Vec::new();
            for part in [&sent[..cut], &sent[cut..]] {
                arrived.extend_from_slice(part);
                while let Some(frame) = codec.decode(&mut arrived).unwrap() {
                    frames.push(frame);
                }
            }
            assert_eq!(frames, [&b"first"[..], b"", b"third"], "{cut}");
            assert!(arrived.is_empty());
        }
    }

    #[test]
    fn too_long_frames_are_invalid_data() {
        let mut input = BytesMut::from(&5i32.to_be_bytes()[..]);
        let error = FrameCodec::new(4).decode(&mut input).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
