//! Length-prefixed frames: where one message ends and the next begins.

/// `jute.maxbuffer`'s default: the longest payload that a server takes.
pub const MAX_FRAME: usize = 0xf_ffff;

/// A length that no frame may have; the connection is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {length} bytes is outside 0..={max}")]
pub struct FrameError {
    /// The length as sent.
    pub length: i32,
    /// The limit in force.
    pub max: usize,
}

/// The payload of the first frame in `input`, or `None` when it is not whole
/// yet. The frame takes four bytes more than its payload.
pub fn split(input: &[u8], max: usize) -> Result<Option<&[u8]>, FrameError> {
    let Some((prefix, rest)) = input.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let length = i32::from_be_bytes(*prefix);
    match usize::try_from(length) {
        Ok(wanted) if wanted <= max => Ok(rest.get(..wanted)),
        _ => Err(FrameError { length, max }),
    }
}

/// Starts a frame at the end of `out`; [`finish`] closes it.
#[inline]
pub fn start(out: &mut Vec<u8>) -> FrameStart {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    FrameStart(at)
}

/// Where a frame under construction starts.
#[derive(Debug)]
#[must_use = "a frame that is not finished has no length"]
pub struct FrameStart(usize);

/// Writes the length of the frame that was started.
///
/// # Panics
/// When the payload is longer than `i32::MAX`, which no caller can build from
/// bounded input.
#[inline]
pub fn finish(out: &mut [u8], start: FrameStart) {
    let length = out.len() - start.0 - 4;
    let length = i32::try_from(length).expect("payloads are bounded far below 2 GiB");
    out[start.0..start.0 + 4].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_split_where_they_end() {
        let mut out = Vec::new();
        let start = start(&mut out);
        out.extend_from_slice(b"abc");
        finish(&mut out, start);
        assert_eq!(out, [0, 0, 0, 3, b'a', b'b', b'c']);
        for end in 0..7 {
            assert_eq!(split(&out[..end], 10), Ok(None), "{end}");
        }
        assert_eq!(split(&out, 10), Ok(Some(&b"abc"[..])));
    }

    #[test]
    fn bad_lengths_are_named() {
        let negative = (-1i32).to_be_bytes();
        assert_eq!(split(&negative, 10).unwrap_err().length, -1);
        assert_eq!(split(&11i32.to_be_bytes(), 10).unwrap_err().length, 11);
        assert_eq!(split(&10i32.to_be_bytes(), 10), Ok(None));
    }
}
