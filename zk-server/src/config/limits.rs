//! Sizes of requests and how many may be under way, typed. It refuses to know
//! how they are counted.

use super::notice::Notices;
use super::settings::Settings;
use std::time::Duration;

/// Sizes of requests, and how many may be under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest frame a client may send, in bytes (`jute.maxbuffer`).
    pub max_buffer: usize,
    /// By how many bytes a record on disk or between servers may be longer.
    pub max_buffer_extra: usize,
    /// Requests under way above which connections that have some are not read
    /// from.
    pub global_outstanding: u32,
    /// Frames longer than this many bytes are large; `None`: none is.
    pub large_request_threshold: Option<usize>,
    /// How many bytes of large frames may be under way.
    pub large_request_max_bytes: usize,
    /// The request throttler.
    pub throttle: RequestThrottle,
    /// How long a request may have waited before it is refused as throttled;
    /// `None`: for ever.
    pub throttled_op_wait: Option<Duration>,
}

/// How requests are held back before they are processed (`RequestThrottler`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestThrottle {
    /// Requests under way above which others wait; zero: none waits.
    pub max_requests: u32,
    /// How long one waits before it is looked at again.
    pub stall_time: Duration,
    /// Whether stale requests are dropped.
    pub drop_stale: bool,
    /// Whether a request is stale once its session must have timed out.
    pub stale_latency_check: bool,
    /// Whether a request is stale once its connection is gone.
    pub stale_connection_check: bool,
}

/// `jute.maxbuffer` when it is not set.
const DEFAULT_MAX_BUFFER: i64 = 0xf_ffff;
/// The least that `jute.maxbuffer.extrasize` can be.
const LEAST_EXTRA: i64 = 1024;
const DEFAULT_LARGE_REQUEST_BYTES: i64 = 100 * 1024 * 1024;

impl Limits {
    pub(super) fn read(settings: &Settings, notices: &mut Notices) -> Self {
        let max_buffer = settings
            .long("jute.maxbuffer")
            .unwrap_or(DEFAULT_MAX_BUFFER);
        let extra = settings
            .long("jute.maxbuffer.extrasize")
            .unwrap_or(max_buffer);
        let outstanding = settings.long("globalOutstandingLimit").unwrap_or(1000);
        let wait = settings.millis("throttled_op_wait_time", 0);
        Self {
            max_buffer: size(max_buffer),
            max_buffer_extra: size(extra.max(LEAST_EXTRA)),
            global_outstanding: outstanding.try_into().unwrap_or(0),
            large_request_threshold: large_request_threshold(settings, notices),
            large_request_max_bytes: large_request_max_bytes(settings, notices),
            throttle: RequestThrottle::read(settings),
            throttled_op_wait: Some(wait).filter(|wait| !wait.is_zero()),
        }
    }

    /// The longest string or buffer in a record on disk or between servers, in
    /// bytes (`BinaryInputArchive`).
    #[must_use]
    pub const fn max_record_buffer(&self) -> usize {
        self.max_buffer.saturating_add(self.max_buffer_extra)
    }
}

impl RequestThrottle {
    fn read(settings: &Settings) -> Self {
        let max_requests = settings.long("request_throttle_max_requests").unwrap_or(0);
        Self {
            max_requests: max_requests.try_into().unwrap_or(0),
            stall_time: settings.millis("request_throttle_stall_time", 100),
            drop_stale: settings.flag("request_throttle_drop_stale", true),
            stale_latency_check: settings.flag("request_stale_latency_check", false),
            stale_connection_check: settings.flag("request_stale_connection_check", true),
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
