//! Sizes of requests and how many may be under way, typed. It refuses to know
//! how they are counted.

use super::notice::Notices;
use super::settings::Settings;

/// Sizes of requests, and how many may be under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest frame a client may send, in bytes (`jute.maxbuffer`).
    pub max_buffer: usize,
    /// Requests under way above which connections that have some are not read
    /// from.
    pub global_outstanding: u32,
    /// Frames longer than this many bytes are large; `None`: none is.
    pub large_request_threshold: Option<usize>,
    /// How many bytes of large frames may be under way.
    pub large_request_max_bytes: usize,
}

/// `jute.maxbuffer` when it is not set.
const DEFAULT_MAX_BUFFER: i64 = 0xf_ffff;
const DEFAULT_LARGE_REQUEST_BYTES: i64 = 100 * 1024 * 1024;

impl Limits {
    pub(super) fn read(settings: &Settings, notices: &mut Notices) -> Self {
        let max_buffer = settings
            .long("jute.maxbuffer")
            .unwrap_or(DEFAULT_MAX_BUFFER);
        let outstanding = settings.long("globalOutstandingLimit").unwrap_or(1000);
        Self {
            max_buffer: size(max_buffer),
            global_outstanding: outstanding.try_into().unwrap_or(0),
            large_request_threshold: large_request_threshold(settings, notices),
            large_request_max_bytes: large_request_max_bytes(settings, notices),
        }
    }
}

fn large_request_threshold(settings: &Settings, notices: &mut Notices) -> Option<usize> {
    const KEY: &str = "largeRequestThreshold";
    let threshold = settings.long(KEY).filter(|bytes| *bytes != -1)?;
    if threshold <= 0 {
        notices.warn(format!(
            "{KEY}={threshold} is neither -1 nor positive: -1 is used"
        ));
        return None;
    }
    Some(size(threshold))
}

fn large_request_max_bytes(settings: &Settings, notices: &mut Notices) -> usize {
    const KEY: &str = "largeRequestMaxBytes";
    match settings.long(KEY) {
        Some(bytes) if bytes <= 0 => {
            notices.warn(format!(
                "{KEY}={bytes} is not positive: the default is kept"
            ));
            size(DEFAULT_LARGE_REQUEST_BYTES)
        }
        bytes => size(bytes.unwrap_or(DEFAULT_LARGE_REQUEST_BYTES)),
    }
}

fn size(bytes: i64) -> usize {
    bytes.max(0).try_into().unwrap_or(usize::MAX)
}
